"""What one model gave for the curves of a scan, as the scan's page shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

from raphe.data.fit import KineticFit
from raphe.data.record import Parameter, Step
from raphe.nomenclature import SYMBOLS
from raphe.quality import Quality, of_parameter, words
from raphe.report import figures
from raphe.report.page import Fold, fold, ordered
from raphe.report.wording import NOTHING, decimals, fixed, general, listed, remarks, unit, with_error

FEW = 6
"""So many panels of a model stand open on a page of several models."""

SIGMA_UNIT: Mapping[str, str] = {"logan": "min", "loganref": "min", "patlak": "mL/cm3", "patlakref": ""}
"""Unit of the residuals of a plot, by the model's name; those of every other model are of the curve, in kBq/mL."""

INTERVAL: Mapping[str, str] = {
    "jacobian": "estimate \N{PLUS-MINUS SIGN} 1.96 standard errors of the fit",
    "bootstrap": "from the bootstrap",
    "profile": "profile likelihood",
}
"""What an interval is, by how it was found."""

UNKNOWN = "n/a"
"""Stands for a standard error that is not known."""

SHOWN = frozenset({"k2_prime", "t_star", "V_B", "t_begin", "t_end"})
"""Values taken as known that the facts of a model tell in words of their own."""


class Cell(NamedTuple):
    """One parameter of one region."""

    value: str
    se: str
    interval: str
    """95 %; empty where none was computed."""
    number: float
    """To sort by."""
    determined: bool
    """False where the data do not tell this parameter, though they tell what the model is used for."""


class Region(NamedTuple):
    """What the page says of one region."""

    name: str
    anchor: str
    cells: tuple[Cell, ...]
    """One a parameter; the first is what the model is used for."""
    sigma: str
    aicc: str
    n_frames: int
    flags: str
    remarks: tuple[str, ...]
    usable: bool
    panel: Markup

    @property
    def has_interval(self) -> bool:
        """Whether an interval was computed for any parameter."""
        return any(cell.interval for cell in self.cells)


class Section(NamedTuple):
    """One model as the page shows it."""

    model: str
    title: str
    anchor: str
    """Stands before every anchor of the section; empty where the page has one model."""
    parameters: tuple[str, ...]
    regions: tuple[Region, ...]
    facts: tuple[tuple[str, str], ...]
    forest: list[Markup]
    panels: Fold[Region]
    excluded: tuple[Region, ...]
    remarked: tuple[Region, ...]
    undetermined: tuple[tuple[str, int, str], ...]
    """Parameter, number of usable regions in which the data do not tell it, and their names."""
    sigma_unit: str
    by_reference: bool
    all_frames: bool
    """Whether every frame was fitted."""
    interval: str
    """What the bars of its figure are."""

    @property
    def macro(self) -> str:
        """What the model is used for."""
        return self.parameters[0]


def section(
    fit: KineticFit,
    steps: Sequence[Step],
    *,
    region_order: Sequence[str] = (),
    anchor: str = "",
    most: int = FEW,
    n_frames: int | None = None,
) -> Section:
    """Prepare what is to be shown of one model.

    Parameters
    ----------
    fit : KineticFit
    steps : sequence of Step
        Of the whole scan.
    region_order : sequence of str
        Regions that stand first.
    anchor : str
        Stands before every anchor.
    most : int
        So many panels stand open where no region is named.
    n_frames : int, optional
        Of the scan, where the fit had fewer.
    """
    parameters = (_macro(fit), *(name for name in fit.parameters if name != _macro(fit)))
    names = ordered(fit.names, region_order)
    regions = tuple(_region(fit, fit.names.index(name), parameters, anchor) for name in names)
    done = fit_step(fit, steps)
    return Section(
        model=fit.model,
        title=str(done.get("title") or ""),
        anchor=anchor,
        parameters=parameters,
        regions=regions,
        facts=tuple(_facts(fit, regions, steps, n_frames or len(fit.frames))),
        forest=_forest(fit, parameters[0], names),
        panels=fold(regions, len(set(region_order) & set(fit.names)), most),
        excluded=tuple(region for region in regions if not region.usable),
        remarked=tuple(region for region in regions if region.usable and region.remarks),
        undetermined=_undetermined(regions, parameters),
        sigma_unit=SIGMA_UNIT.get(fit.model.lower(), "kBq/mL"),
        by_reference=fit.reference is not None,
        all_frames=bool((fit.n_frames[fit.usable] == len(fit.frames)).all()),
        interval=INTERVAL.get(fit.uncertainty, INTERVAL["jacobian"]) if fit.low is not None else INTERVAL["jacobian"],
    )


def fit_step(fit: KineticFit, steps: Sequence[Step]) -> Mapping[str, Parameter]:
    """Settings of the step that made a fit; none if there is no such step."""
    own = [step.parameters for step in steps if step.name == "fit"]
    named = [done for done in own if str(done.get("model", "")).lower() == fit.model.lower()]
    return named[0] if named else {}


def _macro(fit: KineticFit) -> str:
    return fit.macro if fit.macro in fit.parameters else fit.parameters[0]


def _region(fit: KineticFit, index: int, parameters: Sequence[str], anchor: str) -> Region:
    bits = Quality(int(fit.quality[index]))
    whole = bits & ~Quality.UNDETERMINED
    return Region(
        name=fit.names[index],
        anchor=f"{anchor}region-{index}",
        cells=tuple(_cell(fit, index, name, bits) for name in parameters),
        sigma=general(float(fit.sigma[index]), 3, zeros=True),
        aicc=fixed(float(fit.aicc[index]), 1),
        n_frames=int(fit.n_frames[index]),
        flags=words(whole).replace("_", " ").replace(",", ", "),
        remarks=remarks(whole),
        usable=bool(fit.usable[index]),
        panel=figures.fit_panel(fit, index),
    )


def _cell(fit: KineticFit, index: int, name: str, bits: Quality) -> Cell:
    column = fit.parameters.index(name)
    number, error = float(fit.value[index, column]), float(fit.se[index, column])
    value, se = with_error(number, error)
    if name in fit.inputs:
        return Cell(general(number), "fixed", "", number, True)
    low, high = _ends(fit, index, column)
    open_end = bool(np.isinf(low) or np.isinf(high))
    meant = name != _macro(fit) and bool(
        (bits if open_end else of_parameter(bits, name, number, error)) & Quality.UNDETERMINED
    )
    if not np.isfinite(number):
        return Cell(value, "", "", number, not meant)
    interval = "" if np.isnan(low) or np.isnan(high) else _interval(low, high, decimals(error))
    return Cell(value, f"\N{PLUS-MINUS SIGN} {se if np.isfinite(error) else UNKNOWN}", interval, number, not meant)


def _ends(fit: KineticFit, index: int, column: int) -> tuple[float, float]:
    """Ends of the 95 % interval that was computed; NaN where there is none."""
    if fit.low is None or fit.high is None:
        return float("nan"), float("nan")
    return float(fit.low[index, column]), float(fit.high[index, column])


def _interval(low: float, high: float, places: int) -> str:
    """Write an interval, open on a side that has no limit."""
    if np.isinf(low) and np.isinf(high):
        return "no limits"
    if np.isinf(high):
        return f"above {fixed(low, places)}"
    return f"below {fixed(high, places)}" if np.isinf(low) else f"{fixed(low, places)} to {fixed(high, places)}"


def _forest(fit: KineticFit, parameter: str, names: Sequence[str]) -> list[Markup]:
    (value, se), column = fit.of(parameter), fit.parameters.index(parameter)
    points = []
    for name in names:
        index = fit.names.index(name)
        center, half = float(value[index]), figures.Z * float(se[index])
        low, high = _ends(fit, index, column) if fit.low is not None else (center - half, center + half)
        points.append(figures.Point(name, center, low, high, bool(fit.usable[index])))
    return figures.by_region(
        points, parameter, f"{parameter} with 95 % interval, one row a region", unit=unit(parameter)
    )


def _undetermined(regions: Sequence[Region], parameters: Sequence[str]) -> tuple[tuple[str, int, str], ...]:
    """Where each parameter is not determined, of the regions whose estimates are used."""
    found = []
    for column, name in enumerate(parameters):
        where = [region.name for region in regions if region.usable and not region.cells[column].determined]
        if where:
            found.append((name, len(where), listed(where, 8)))
    return tuple(found)


def _facts(fit: KineticFit, regions: Sequence[Region], steps: Sequence[Step], n_frames: int) -> list[tuple[str, str]]:
    usable, total = sum(region.usable for region in regions), len(regions)
    remarked = sum(region.usable and bool(region.remarks) for region in regions)
    done = fit_step(fit, steps)
    facts = [
        ("Regions with a usable estimate", f"{usable} of {total}"),
        ("Left out of every summary", str(total - usable)),
        ("Kept with a remark", str(remarked)),
    ]
    if fit.reference is not None:
        facts.append(("Reference region", str(done.get("reference") or "a given curve")))
    facts += _known(fit, steps)
    fitted = sorted({int(n) for n in fit.n_frames[fit.usable]})
    ends = dict.fromkeys((str(fitted[0]), str(fitted[-1]))) if fitted else {"0": None}
    return [*facts, ("Frames fitted", f"{NOTHING.join(ends)} of {n_frames}")]


def _known(fit: KineticFit, steps: Sequence[Step]) -> list[tuple[str, str]]:
    """What was taken as known, each with where it comes from."""
    facts, known, done = [], fit.inputs, fit_step(fit, steps)
    if "k2_prime" in known:
        facts.append(("k2_prime", f"{general(known['k2_prime'])} 1/min, {_source_of_k2_prime(steps)}"))
    if known.get("t_star"):
        source = f", {done['t_star_source']}" if done.get("t_star_source") else ""
        facts.append(("t*", f"{general(known['t_star'])} min{source}"))
    if "t_begin" in known and "t_end" in known:
        facts.append(("Window", f"{general(known['t_begin'])} to {general(known['t_end'])} min"))
    if "V_B" in known:
        facts.append(("Share of blood V_B", f"{general(known['V_B'])}, fixed" if known["V_B"] else "0, taken as none"))
    elif "V_B" in fit.parameters:
        facts.append(("Share of blood V_B", "estimated in each region"))
    others = [name for name in known if name in SYMBOLS and name not in SHOWN]
    return facts + [(name, f"{general(known[name])} {unit(name)}, fixed".replace(" ,", ",")) for name in others]


def _source_of_k2_prime(steps: Sequence[Step]) -> str:
    found = next((step.parameters for step in steps if step.name == "k2_prime"), None)
    if found is None:
        return "given"
    regions = found.get("regions")
    if not regions:
        return f"given ({found['source']})" if found.get("source") else "given"
    names = listed([str(name) for name in regions]) if isinstance(regions, tuple) else str(regions)
    return f"estimated by {found.get('model')} in {names}"
