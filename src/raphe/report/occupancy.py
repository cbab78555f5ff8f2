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
from raphe.report.lassen_figure import ends_of, lassen_figure, share_of
from raphe.report.page import fold, record, render
from raphe.report.pharmacology import dose_part
from raphe.report.wording import NOTHING, count, decimals, fixed, general, probability, raised, tracer


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
    title = f"Occupancy{' of the target of ' + tracer(study.tracer) if study.tracer else ''}"
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


def _view(line: OccupancyLine) -> LineView:
    told = f"Occupancy {share_of(line.occupancy)}"
    if line.parameter == "V_T":
        told += f"; V_ND {general(line.V_ND.value, 3)} ({ends_of(line.V_ND, 3)}) {raised('mL/cm3')}"
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
        facts.append(("Occupancy" if one else f"Mean occupancy, n = {study.group.n}", share_of(found)))
        if study.parameter == "V_T":
            facts.append(("V_ND", f"{general(volume.value, 3)} ({ends_of(volume, 3)}) {raised('mL/cm3')}"))
    return facts


def _region_rows(study: OccupancyStudy) -> list[tuple[str, ...]]:
    """Region, n, mean occupancy, its interval, occupancy of the means, its interval, remark."""
    return [
        (
            found.pairs.region,
            str(len(found.pairs)),
            share_of(found.mean if len(found.pairs) != 1 else _single(found.value, found.low, found.high)),
            share_of(found.of_means),
            "; ".join(dict.fromkeys(filter(None, (*found.why, found.remark)))),
        )
        for found in study.by_region
    ]


def _single(value: svg.Array, low: svg.Array, high: svg.Array) -> Interval:
    return Interval(float(value[0]), float(low[0]), float(high[0]))


def _outlier_rows(study: OccupancyStudy) -> list[tuple[str, ...]]:
    """Participant, region, both values, p, occupancy without it, remark; of V_T share and V_ND without it, too."""
    lassen = study.parameter == "V_T"
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
                    *((fixed(100 * region.share, 0),) if lassen else ()),
                    probability(region.p_outlier),
                    fixed(100 * region.occupancy_without, 1),
                    *((general(region.V_ND_without, 3),) if lassen else ()),
                    region.why,
                )
            )
    return rows
