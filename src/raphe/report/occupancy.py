"""The page of a drug's occupancy: a plot for each participant, and what it tells."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from raphe.data.pharmacology import OccupancyLine, OccupancyStudy
from raphe.data.pharmacology_tables import DoseTable
from raphe.data.record import Step
from raphe.data.results import Interval
from raphe.report import svg
from raphe.report.page import fold, record, render
from raphe.report.pharmacology import dose_part
from raphe.report.wording import NOTHING, count, decimals, fixed, general, probability, raised

WIDTH, HEIGHT = 420.0, 300.0
LEFT, RIGHT, TOP, BOTTOM = 52.0, 412.0, 12.0, 248.0
"""Edges of the plot in its drawing, px."""

LABELLED = 16
"""So many regions have their names beside the dots; the pointer tells the names of more."""


class LineView(NamedTuple):
    """One participant's plot as the page shows it."""

    name: str
    drawing: Markup
    told: str
    statements: tuple[str, ...]


def occupancy_page(
    study: OccupancyStudy,
    *,
    steps: Sequence[Step],
    versions: Mapping[str, str],
    citations: Mapping[str, str],
    command_line: str,
    dose: DoseTable | None = None,
) -> str:
    """Write the page of an occupancy as one HTML document that needs nothing else; the same input, the same text."""
    views = [_view(line) for line in study.lines]
    title = f"Occupancy{' of the target of ' + study.tracer if study.tracer else ''}"
    return render(
        "occupancy.html.j2",
        title=title,
        study=study,
        glance=_glance(study),
        views=fold(views),
        lassen=study.parameter == "V_T",
        no_line=study.no_line,
        regions=_region_rows(study),
        outliers=_outlier_rows(study),
        doses=() if dose is None else (dose_part(dose),),
        **record(steps, versions, citations, command_line),
    )


def lassen_figure(line: OccupancyLine) -> Markup:
    """Baseline minus blocked against baseline; the line, the regions, and V_ND with its interval on the axis."""
    used, lassen = line.used, line.parameter == "V_T"
    V_ND, fitted_end = line.V_ND, max(max(region.fitted_baseline, region.baseline) for region in used)
    shown = [region.baseline for region in used]
    if lassen:
        shown += [end for end in (V_ND.value, V_ND.low, V_ND.high) if math.isfinite(end) and abs(end) < 2 * fitted_end]
    across = svg.from_zero(shown, LEFT, RIGHT, pad=0.08)
    up = svg.scale([region.baseline - region.blocked for region in used], BOTTOM, TOP, pad=0.1, zero=True)
    zero = V_ND.value if lassen and math.isfinite(V_ND.value) else 0.0
    ends = [max(min(zero, across.high), across.low), across.high]
    drawn = [(across(x), up.clipped(line.occupancy.value * (x - zero))) for x in ends]
    parts = [
        svg.x_axis(across, BOTTOM, top=TOP),
        svg.y_axis(up, LEFT, right=RIGHT),
        svg.segments([(LEFT, up(0), RIGHT, up(0))], "zero"),
        svg.path(drawn, "fitted"),
    ]
    if lassen and math.isfinite(V_ND.value):
        low, high = across.clipped(V_ND.low), across.clipped(V_ND.high)
        parts.append(svg.segments([(low, up(0), high, up(0))], "whisker"))
        if across.holds(V_ND.value):
            note = f"V_ND {general(V_ND.value)} ({_ends(V_ND, 3)})"
            parts.append(svg.diamond(across(V_ND.value), up(0), 5, "estimate", note))
    for region in used:
        x, y = across(region.baseline), up(region.baseline - region.blocked)
        odd = region.p_outlier < 0.05
        note = f"{region.name}: {general(region.baseline)} before, {general(region.blocked)} under the drug"
        parts.append(svg.mark(x, y, 3.6, "estimate bad" if odd else "estimate", note))
        if len(used) <= LABELLED:
            left = x > LEFT + svg.width_of([region.name]) + 10  # the line rises to the right
            parts.append(svg.text(x - 6 if left else x + 6, y - 4, region.name, anchor="end" if left else "start"))
    unit = " (mL/cm\N{SUPERSCRIPT THREE})" if lassen else ""
    middle = (TOP + BOTTOM) / 2
    parts += [
        svg.symbol((LEFT + RIGHT) / 2, BOTTOM + 32, line.parameter, anchor="middle", after=f" at baseline{unit}"),
        svg.symbol(12, middle, line.parameter, anchor="middle", before="fall of ", after=unit, turn=True),
    ]
    label = f"Fall of {line.parameter} under the drug against its baseline, {count(len(used), 'region')}, with the line"
    return svg.drawing(WIDTH, HEIGHT - 14, parts, label)


def _view(line: OccupancyLine) -> LineView:
    told = f"Occupancy {_per_cent(line.occupancy)}"
    if line.parameter == "V_T":
        told += f"; V_ND {general(line.V_ND.value, 3)} ({_ends(line.V_ND, 3)}) {raised('mL/cm3')}"
    told += f"; {count(len(line.used), 'region')}"
    name = f"Participant {line.participant}" if line.participant else "One participant"
    return LineView(name, lassen_figure(line), told, line.statements)


def _glance(study: OccupancyStudy) -> list[tuple[str, str]]:
    facts = [("Parameter", study.parameter), ("Scans", f"{study.baseline} and {study.blocked}")]
    if study.model:
        facts.append(("Model", study.model))
    if study.group is not None:
        one = study.group.n == 1
        found, volume = study.group.occupancy, study.group.V_ND
        if one:
            found, volume = study.lines[0].occupancy, study.lines[0].V_ND
        facts.append(("Occupancy" if one else f"Mean occupancy, n = {study.group.n}", _per_cent(found)))
        if study.parameter == "V_T":
            facts.append(("V_ND", f"{general(volume.value, 3)} ({_ends(volume, 3)}) {raised('mL/cm3')}"))
    return facts


def _region_rows(study: OccupancyStudy) -> list[tuple[str, ...]]:
    """Region, n, mean occupancy, its interval, occupancy of the means, its interval, remark."""
    return [
        (
            found.pairs.region,
            str(len(found.pairs)),
            _per_cent(found.mean if len(found.pairs) != 1 else _single(found.value, found.low, found.high)),
            _per_cent(found.of_means),
            "; ".join(dict.fromkeys(filter(None, (*found.why, found.remark)))),
        )
        for found in study.by_region
    ]


def _single(value: svg.Array, low: svg.Array, high: svg.Array) -> Interval:
    return Interval(float(value[0]), float(low[0]), float(high[0]))


def _outlier_rows(study: OccupancyStudy) -> list[tuple[str, ...]]:
    """Participant, region, both values, share, p, occupancy and V_ND without it, remark."""
    rows: list[tuple[str, ...]] = []
    for line in study.lines:
        for region in line.regions:
            places = decimals(abs(region.baseline) / 30) if math.isfinite(region.baseline) else 2
            rows.append(
                (
                    line.participant or NOTHING,
                    region.name,
                    fixed(region.baseline, places),
                    fixed(region.blocked, places),
                    fixed(100 * region.share, 0),
                    probability(region.p_outlier),
                    fixed(100 * region.occupancy_without, 1),
                    general(region.V_ND_without, 3),
                    region.why,
                )
            )
    return rows


def _per_cent(interval: Interval) -> str:
    scaled = Interval(100 * interval.value, 100 * interval.low, 100 * interval.high)
    ends = _ends(scaled, 3)
    return f"{general(scaled.value, 3)} %" + (f" ({ends} %)" if ends else "")


def _ends(interval: Interval, digits: int) -> str:
    """Ends of an interval in words; empty where it is not known."""
    if math.isnan(interval.low) or math.isnan(interval.high):
        return ""
    low, high = (general(end, digits) if math.isfinite(end) else "no limit" for end in (interval.low, interval.high))
    return f"{low} to {high}"
