"""The report of one scan."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from raphe.data.fit import KineticFit
from raphe.data.record import Step
from raphe.data.scan import Scan
from raphe.quality import words
from raphe.report import figures
from raphe.report.page import fold, ordered, record, render
from raphe.report.wording import fixed, general, listed, remarks, tracer, with_error


@dataclass(frozen=True)
class Region:
    """What the page says of one region."""

    name: str
    anchor: str
    estimates: tuple[tuple[str, str, float], ...]
    """Value and standard error as text, and the value to sort by; one a parameter."""
    sigma: str
    aicc: str
    n_frames: int
    flags: str
    remarks: tuple[str, ...]
    usable: bool
    panel: Markup


def scan_page(
    scan: Scan,
    fit: KineticFit,
    *,
    steps: Sequence[Step],
    versions: Mapping[str, str],
    citations: Mapping[str, str],
    command_line: str,
    region_order: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> str:
    """Write the report of one scan as one HTML document that needs nothing else.

    Parameters
    ----------
    scan : Scan
    fit : KineticFit
    steps : sequence of Step
        What was done to this scan, in order; methods text, settings and inputs are written from them.
    versions : mapping of str to str
        Software and its version.
    citations : mapping of str to str
        Text of each reference by its key; a doi in it becomes a link.
    command_line : str
    region_order : sequence of str
        Regions that stand first, in this order; the others follow in the order of the fit.
    notes : sequence of str
        What else a reader must know, e.g. warnings of the check; plain text.

    Returns
    -------
    str
        The same input gives the same text.
    """
    regions = [_region(fit, fit.names.index(name)) for name in ordered(fit.names, region_order)]
    headline = "BP_ND" if "BP_ND" in fit.parameters else fit.parameters[0]
    return render(
        "scan.html.j2",
        title=" ".join(filter(None, (f"sub-{scan.participant}", scan.session and f"ses-{scan.session}"))),
        tracer=tracer(scan.tracer, scan.radionuclide),
        facts=_facts(scan, fit),
        glance=_glance(fit, steps),
        parameters=fit.parameters,
        headline=headline,
        regions=regions,
        panels=fold(regions, len(set(region_order) & set(fit.names))),
        forest=_forest(fit, headline, [region.name for region in regions]),
        excluded=[region for region in regions if not region.usable],
        remarked=[region for region in regions if region.usable and region.remarks],
        notes=notes,
        model=fit.model,
        sigma_unit="min" if fit.model.lower().startswith("logan") else "kBq/mL",
        **record(steps, versions, citations, command_line),
    )


def _region(fit: KineticFit, index: int) -> Region:
    estimates = tuple(
        (*with_error(float(value), float(se)), float(value))
        for value, se in zip(fit.value[index], fit.se[index], strict=True)
    )
    bits = int(fit.quality[index])
    return Region(
        name=fit.names[index],
        anchor=f"region-{index}",
        estimates=estimates,
        sigma=general(float(fit.sigma[index]), 3),
        aicc=fixed(float(fit.aicc[index]), 1),
        n_frames=int(fit.n_frames[index]),
        flags=words(bits).replace("_", " ").replace(",", ", "),
        remarks=remarks(bits),
        usable=bool(fit.usable[index]),
        panel=figures.fit_panel(fit, index),
    )


def _forest(fit: KineticFit, parameter: str, names: Sequence[str]) -> list[Markup]:
    value, se = fit.of(parameter)
    points = []
    for name in names:
        index = fit.names.index(name)
        center, half = float(value[index]), figures.Z * float(se[index])
        points.append(figures.Point(name, center, center - half, center + half, bool(fit.usable[index])))
    return figures.by_region(points, parameter, f"{parameter} with 95 % interval, one row a region")


def _facts(scan: Scan, fit: KineticFit) -> list[tuple[str, str]]:
    def told(value: float | None, unit: str) -> str:
        return "not recorded" if value is None or not math.isfinite(value) else f"{general(value)} {unit}"

    frames = fit.frames
    facts = [
        ("Injected activity", told(scan.injected_radioactivity, "MBq")),
        ("Injected mass", told(scan.injected_mass, "\N{MICRO SIGN}g")),
        ("Molar activity", told(scan.molar_activity, "GBq/\N{MICRO SIGN}mol")),
        ("Body weight", told(scan.body_weight, "kg")),
        ("Half-life", told(scan.half_life, "min")),
        ("Frames", f"{len(frames)} over {general(float(frames.end[-1]))} min"),
        ("Scanner", scan.scanner or "not recorded"),
    ]
    return facts + [(key, value) for key, value in scan.entities if key != "trc"]


def _glance(fit: KineticFit, steps: Sequence[Step]) -> list[tuple[str, str]]:
    usable, total = int(fit.usable.sum()), len(fit.names)
    remarked = int(((fit.quality != 0) & fit.usable).sum())
    done = next((step.parameters for step in steps if step.name == "fit"), {})
    glance = [
        ("Regions with a usable estimate", f"{usable} of {total}"),
        ("Left out of every summary", str(total - usable)),
        ("Kept with a remark", str(remarked)),
        ("Model", fit.model),
        ("Reference region", str(done.get("reference") or "a given curve") if fit.reference is not None else "none"),
    ]
    if "k2_prime" in fit.inputs:
        glance.append(("k2_prime", f"{general(fit.inputs['k2_prime'])} 1/min, {_source_of_k2_prime(steps)}"))
    if fit.inputs.get("t_star"):
        glance.append(("t*", f"{general(fit.inputs['t_star'])} min"))
    fitted = sorted({int(n) for n in fit.n_frames[fit.usable]})
    glance.append(
        ("Frames fitted", "\N{EN DASH}".join(dict.fromkeys((str(fitted[0]), str(fitted[-1])))) if fitted else "0")
    )
    glance.append(("Weights", str(done.get("weights", "not recorded"))))
    glance.append(("Frame convention", fit.convention))
    return glance


def _source_of_k2_prime(steps: Sequence[Step]) -> str:
    found = next((step.parameters for step in steps if step.name == "k2_prime"), None)
    if found is None:
        return "given"
    regions = found.get("regions")
    names = listed([str(name) for name in regions]) if isinstance(regions, tuple) else str(regions)
    return f"estimated by {found.get('model')} in {names}"
