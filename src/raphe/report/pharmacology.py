"""Pharmacology beside a contrast, as the page tells it: flow, ligand or receptors, Lassen plots, dose."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from raphe.data.pharmacology import Displacement, DoseResponse, Separated
from raphe.data.pharmacology_tables import DoseRow, DoseTable, FlowRow, FlowTable, LigandTable, Pharmacology
from raphe.data.results import Interval
from raphe.nomenclature import region_key
from raphe.report.dose_figure import dose_figure
from raphe.report.lassen_part import lassen_part
from raphe.report.mixture_figure import mixture_figure
from raphe.report.part import FEW, Part
from raphe.report.simulated import Table
from raphe.report.wording import NOTHING, count, decimals, fixed, general, listed, probability


def parts_of(made: Pharmacology, primary_region: str = "") -> dict[str, tuple[Part, ...]]:
    """Parts of the page by the name of the contrast that they stand beside."""
    found: dict[str, list[Part]] = {}
    for flow in made.flow:
        found.setdefault(flow.contrast, []).append(flow_part(flow, primary_region))
    for ligand in made.ligand:
        found.setdefault(ligand.contrast, []).append(ligand_part(ligand, primary_region))
    for lassen in made.lassen:
        found.setdefault(lassen.contrast, []).append(lassen_part(lassen))
    for dose in made.dose:
        found.setdefault(dose.contrast, []).append(dose_part(dose, primary_region))
    return {name: tuple(parts) for name, parts in found.items()}


def flow_part(table: FlowTable, primary_region: str = "") -> Part:
    """Whether delivery or clearance can explain a change of binding."""
    title = "Flow: delivery and clearance in the same people"
    if not table.rows:
        told = f"Whether flow explains it was not asked: no estimate is of R1 or k2_prime by {table.model}."
        return Part(title, (told,), ())
    names = tuple(dict.fromkeys(row.parameter for row in table.rows))
    by_region: dict[str, dict[str, FlowRow]] = {}
    for row in table.rows:
        by_region.setdefault(row.region, {})[row.parameter] = row
    first = _chosen([row.region for row in table.rows if row.found is not None], primary_region)
    sentences = [
        f"In {first}, {row.found.statement}." for row in by_region.get(first, {}).values() if row.found is not None
    ]
    if not sentences:
        sentences = [f"No region could be compared: {table.rows[0].why}."]
    percent = f"{general(100 * (table.margin - 1), 3)} %"
    if table.assumed:
        sentences.append(f"The margin of {percent} is an assumption of raphe; the plan changes it (flow_margin).")
    header = [
        "Region",
        *(cell for name in names for cell in (f"n, {name}", f"{name}, change (%)", "p", "p, same")),
        "Remark",
    ]
    rows = [
        (region, *(cell for name in names for cell in _flow_cells(own.get(name))), _remark(own.values()))
        for region, own in by_region.items()
    ]
    of = f"{table.second} against {table.first}"
    of += f", arm {table.arms[1]} relative to arm {table.arms[0]}" if table.arms else ""
    caption = (
        f"{listed(names)} in the people and sessions of the contrast, {of}: change with its 95 % interval; p: of no "
        f"change; p, same: two one-sided tests that the change lies beyond the margin of {percent}. Not "
        "adjusted for the number of regions. R1 is relative to the reference: a change of flow that "
        "both share does not show in it."
    )
    return Part(title, tuple(sentences), (_table(header, rows, caption),))


def ligand_part(table: LigandTable, primary_region: str = "") -> Part:
    """A change of binding read as endogenous ligand and as receptors."""
    first = _chosen([row.region for row in table.rows if row.found is not None], primary_region)
    chosen = next((row for row in table.rows if row.region == first), None)
    told = chosen.found.statement if chosen is not None and chosen.found is not None else ""
    sentences = [
        f"In {first}: {told}{'' if told.endswith('.') else '.'}" if told else "No region tells anything of it."
    ]
    known = not math.isnan(table.theta0)
    if known:
        ends = f" ({general(table.theta0_range[0])} to {general(table.theta0_range[1])})" if table.theta0_range else ""
        sentences.append(
            f"theta0 = {general(table.theta0)}{ends} is an assumption of the plan and was not measured here."
        )
    if table.design == "pair":
        figures = (mixture_figure(chosen),) if chosen is not None and isinstance(chosen.found, Displacement) else ()
        return Part("Endogenous ligand or receptors", tuple(sentences), (_pair_table(table, known),), figures)
    return Part("Endogenous ligand and receptors", tuple(sentences), (_design_table(table),))


def dose_part(table: DoseTable, primary_region: str = "") -> Part:
    """Occupancy against dose or concentration."""
    first = _chosen([row.region for row in table.rows if row.fit is not None], primary_region)
    row = next((row for row in table.rows if row.region == first), None)
    sentences: list[str] = []
    if row is not None and row.fit is not None:
        where = "" if len(table.rows) == 1 else f"In {first}: "
        sentences = [f"{'; '.join((where + curve_in_words(row), *row.fit.statements, *row.remarks))}."]
    gone = dict.fromkeys(who for one in table.rows for who, _ in one.left_out)
    if gone:
        sentences.append(f"Left out of the curve: {listed(list(gone), most=40)} (the sidecar says why).")
    figures = (dose_figure(table, first),) if first else ()
    return Part(f"Occupancy against {table.exposure}", tuple(sentences), (_dose_table(table),), figures)


def curve_in_words(row: DoseRow) -> str:
    """Parameters of a curve with their intervals, or why there are none; first, what is not determined."""
    if row.fit is None:
        return row.why
    told = ", ".join((*_parameters(row.fit), count(len(row.points), "scan")))
    lacking = [row.fit.called[one] for one in row.fit.undetermined]
    return f"not determined: {listed(lacking)}; {told}" if lacking else told


def _flow_cells(row: FlowRow | None) -> tuple[str, str, str, str]:
    if row is None or row.found is None:
        return str(row.n) if row is not None else NOTHING, NOTHING, NOTHING, NOTHING
    found = row.found
    change = Interval(*(100 * (part - 1) for part in (found.ratio.value, found.ratio.low, found.ratio.high)))
    return str(row.n), _signed(change), probability(found.p), probability(found.p_equivalence)


def _remark(rows: Iterable[FlowRow]) -> str:
    return "; ".join(dict.fromkeys(row.why for row in rows if row.why))


def _pair_table(table: LigandTable, known: bool) -> Table:
    header = [
        "Region",
        "n",
        "BP_ND ratio",
        "theta0 (n - 1), ligand alone",
        *(["n-fold, ligand alone"] if known else []),
    ]
    rows = []
    for row in table.rows:
        found = row.found if isinstance(row.found, Displacement) else None
        cells = [_interval(found.ratio if found else None), _interval(found.extra if found else None)]
        cells += [_interval(found.fold if found else None)] if known else []
        rows.append((row.region, str(row.n), *cells, row.why))
    caption = (
        f"BP_ND in {table.terms[1]} over that in {table.terms[0]} (ratio of means, 95 % interval by Fieller), which "
        "is the ratio of B_max if the ligand did not change; and what the ligand would have to do if B_max did "
        "not change."
    )
    return _table([*header, "Remark"], rows, caption)


def _design_table(table: LigandTable) -> Table:
    depletion = table.design == "depletion"
    header = ["Region", "n", "B_max ratio", "p", "theta0 (n - 1)", "p", *(["theta0", "n-fold"] if depletion else [])]
    rows = []
    for row in table.rows:
        found = row.found if isinstance(row.found, Separated) else None
        cells = [_interval(found.receptors if found else None), probability(found.p_receptors) if found else NOTHING]
        cells += [_interval(found.extra if found else None), probability(found.p_extra) if found else NOTHING]
        cells += (
            [_interval(found.theta0 if found else None), _interval(found.fold if found else None)] if depletion else []
        )
        rows.append((row.region, str(row.n), *cells, row.why))
    taken = "the releaser adds as much ligand under the drug as without" if not depletion else "depletion is complete"
    caption = (
        f"Receptor number and endogenous ligand in {table.terms[1]} against {table.terms[0]}, told apart by "
        f"{table.terms[2]} and {table.terms[3]}, with 95 % intervals by Fieller. It is taken for granted that {taken}."
    )
    return _table([*header, "Remark"], rows, caption)


def _dose_table(table: DoseTable) -> Table:
    unit = f" ({table.unit})" if table.unit else ""
    name = "ED50" if table.kind == "dose" else "EC50"
    header = ["Region", "n", "E_max (%)", f"{name}{unit}", "Hill slope", f"for 50 %{unit}", f"for 80 %{unit}", "Remark"]
    rows = []
    for row in table.rows:
        people = str(len({point.participant for point in row.points}))
        if row.fit is None:
            rows.append((row.region, people, *[NOTHING] * 5, row.why))
            continue
        fit = row.fit
        share, hill = _fitted(_per_cent(fit), "E_max" in fit.free), _fitted(fit.hill, "hill" in fit.free)
        numbers = [share, _fitted(fit.EC50), hill]
        numbers += [_interval(interval, general) for _, interval in row.doses]
        rows.append((row.region, people, *numbers, ""))
    caption = (
        f"Occupancy = E_max x^h / (x^h + {name}^h), x being {table.exposure}; 95 % profile-likelihood intervals; "
        f"fixed: taken as known. The {table.kind} for 50 and 80 % is what the curve predicts."
    )
    return _table(header, rows, caption)


def _per_cent(fit: DoseResponse) -> Interval:
    return Interval(100 * fit.E_max.value, 100 * fit.E_max.low, 100 * fit.E_max.high)


def _parameters(fit: DoseResponse) -> tuple[str, str, str]:
    """The three parameters in words."""
    name = f"{fit.called['EC50']} {_fitted(fit.EC50)}"
    E_max = f"E_max in per cent {_fitted(_per_cent(fit), 'E_max' in fit.free)}"
    return name + (f" {fit.unit}" if fit.unit else ""), E_max, f"Hill slope {_fitted(fit.hill, 'hill' in fit.free)}"


def _fitted(interval: Interval, free: bool = True) -> str:
    return _interval(interval, general) if free else f"{general(interval.value, 3)} (fixed)"


def _table(header: Sequence[str], rows: Sequence[tuple[str, ...]], caption: str) -> Table:
    if not any(row[-1] for row in rows):
        header, rows = header[:-1], [row[:-1] for row in rows]
        notes = 0
    else:
        notes = 1
    folded = f"All {len(rows)} regions" if len(rows) > FEW else ""
    return Table(tuple(header), tuple(rows), caption, notes=notes, folded=folded)


def _chosen(regions: Sequence[str], primary: str) -> str:
    """The primary region if it is among some, else the first; empty for none."""
    named = [region for region in regions if primary and region_key(region) == region_key(primary)]
    return (named or list(regions) or [""])[0]


def _signed(interval: Interval) -> str:
    value, low, high = (fixed(part, 1, sign=True) for part in (interval.value, interval.low, interval.high))
    return f"{value} ({low} to {high})"


def _interval(interval: Interval | None, write: Callable[[float, int], str] | None = None) -> str:
    """An estimate with the ends of its interval, one without limit told by words."""
    if interval is None or math.isnan(interval.value):
        return NOTHING
    spread = [abs(interval.value - end) for end in (interval.low, interval.high) if math.isfinite(end)]
    places = decimals(max(spread, default=abs(interval.value)) / 2)

    def words(value: float) -> str:
        return write(value, 3) if write is not None else fixed(value, places)

    ends = [words(end) if math.isfinite(end) else "no limit" for end in (interval.low, interval.high)]
    return f"{words(interval.value)} ({ends[0]} to {ends[1]})"
