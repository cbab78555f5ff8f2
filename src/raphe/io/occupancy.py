"""Occupancy of a drug: ``*_occupancy.tsv`` with its sidecar."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path

from raphe.data.pharmacology import OccupancyLine, OccupancyStudy, RegionOccupancy
from raphe.data.results import Interval, PairedValues
from raphe.io.described import NOT_AVAILABLE, Column, write_described
from raphe.io.provenance import SOFTWARE, software_version
from raphe.nomenclature import SYMBOLS

SCOPES = {
    "region": "one region of one participant",
    "line": "one participant, from the line through its regions",
    "group": "mean over participants, of a region or of the lines",
}

ALL = "all regions"
"""Stands for a region where a row is of the line."""

NO_INTERVAL = Interval(math.nan, math.nan, math.nan)

NOTHING = (math.nan,) * 4


def write_occupancy(path: Path, study: OccupancyStudy, told: Mapping[str, object]) -> None:
    """Write the occupancy of every region, line and group as one table; ``told`` is what the sidecar says besides.

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    metadata = {
        "Description": f"Occupancy from {SYMBOLS[study.parameter].label} at {study.baseline} and {study.blocked}",
        "Tracer": study.tracer or NOT_AVAILABLE,
        "ModelName": study.model or NOT_AVAILABLE,
        "Parameter": study.parameter,
        "Terms": [study.baseline, study.blocked],
        "Lines": [summary(line) for line in study.lines],
        **told,
        "SoftwareName": SOFTWARE,
        "SoftwareVersion": software_version(),
    }
    write_described(path, columns_of(study), rows(study), metadata)


def columns_of(study: OccupancyStudy) -> tuple[Column, ...]:
    """Columns of the table, in the order of the cells of :func:`rows`."""
    symbol = SYMBOLS[study.parameter]
    volume = SYMBOLS["V_ND"].unit
    return (
        Column("participant", "Label of the person or animal; n/a for the group"),
        Column("scope", f"What the row is of. {'; '.join(f'{key}: {what}' for key, what in SCOPES.items())}"),
        Column("region", f"Region, or {ALL!r} for a line"),
        Column("n", "Regions of a line, participants of a group"),
        Column("baseline", f"{symbol.label} at baseline", symbol.unit),
        Column("baseline_se", "Its standard error", symbol.unit),
        Column("blocked", f"{symbol.label} under the drug", symbol.unit),
        Column("blocked_se", "Its standard error", symbol.unit),
        Column("occupancy", "Occupancy, a share of 1", "unitless"),
        Column("occupancy_se", "Its standard error by the delta method", "unitless"),
        Column("ci_low", "Lower end of its 95 % interval; -inf where there is none", "unitless"),
        Column("ci_high", "Upper end of its 95 % interval; inf where there is none", "unitless"),
        Column("VND", SYMBOLS["V_ND"].meaning, volume),
        Column("VND_ci_low", "Lower end of the 95 % interval of VND; -inf where there is none", volume),
        Column("VND_ci_high", "Upper end of the 95 % interval of VND; inf where there is none", volume),
        Column("specific_share", "Share of the baseline that is specific by the line, (VT - VND) / VT", "unitless"),
        Column(
            "p_outlier", "Probability of lying so far from the line of the other regions, adjusted for their number"
        ),
        Column("occupancy_without", "Occupancy by the line of the other regions", "unitless"),
        Column("VND_without", "VND by the line of the other regions", volume),
        Column("used", "Whether the region is in the line (1) or not (0)"),
        Column("remark", "What could not be computed, and why; what a line does not tell"),
    )


def summary(line: OccupancyLine) -> dict[str, object]:
    """What one line tells, as JSON values; null where there is no number."""
    return {
        "Participant": line.participant or NOT_AVAILABLE,
        "Method": line.method,
        "Noise": line.noise,
        "Regions": [region.name for region in line.used],
        "LeftOut": {region.name: region.why for region in line.regions if region.why},
        "Occupancy": plain(line.occupancy),
        "VND": plain(line.V_ND) if line.parameter == "V_T" else None,
        "ErrorOfRegions": _number(line.error),
        "DegreesOfFreedom": line.df,
        "Span": _number(line.span),
        "ProbabilityOfOneBinding": _number(line.p_heap),
        "Statements": list(line.statements),
    }


def rows(study: OccupancyStudy) -> Iterator[list[object]]:
    """Cells of the table, in order: by participant its regions and its line, then the group."""
    lines = {line.participant: line for line in study.lines}
    reasons = dict(study.no_line)
    people = list(dict.fromkeys([name for one in study.pairs for name in one.participants] + list(reasons)))
    by_region = {one.pairs.region: one for one in study.by_region}
    for person in people:
        for one in study.pairs:
            if person in one.participants:
                yield _region_row(person, one.participants.index(person), one, by_region, lines.get(person))
        if person in lines:
            line = lines[person]
            remark = "; ".join(line.statements)
            yield _row(person, "line", ALL, len(line.used), line.occupancy, line.V_ND, remark=remark)
        elif person in reasons:
            yield _row(person, "line", ALL, 0, NO_INTERVAL, NO_INTERVAL, remark=reasons[person])
    for found in study.by_region:
        yield _row("", "group", found.pairs.region, len(found.pairs), found.mean, NO_INTERVAL, remark=found.remark)
    if study.group is not None:
        lost = study.group.undetermined
        remark = f"not determined in {', '.join(name or 'the one' for name in lost)}" if lost else ""
        if study.group.n < 2:
            remark = "; ".join(filter(None, (remark, "an interval of the group needs two participants")))
        yield _row("", "group", ALL, study.group.n, study.group.occupancy, study.group.V_ND, remark=remark)


def _region_row(
    person: str, at: int, pairs: PairedValues, by_region: Mapping[str, RegionOccupancy], line: OccupancyLine | None
) -> list[object]:
    values = pairs.first[at], pairs.first_se[at], pairs.second[at], pairs.second_se[at]
    found = by_region.get(pairs.region)
    occupancy, se, remark = NO_INTERVAL, math.nan, ""
    if found is not None:
        occupancy = Interval(float(found.value[at]), float(found.low[at]), float(found.high[at]))
        se, remark = float(found.se[at]), found.why[at]
    own = None if line is None else next((r for r in line.regions if r.name == pairs.region), None)
    extra: list[object] = [*NOTHING, 0]
    if own is not None:
        extra = [own.share, own.p_outlier, own.occupancy_without, own.V_ND_without, int(not own.why)]
        remark = "; ".join(filter(None, (remark, own.why)))
    return _row(person, "region", pairs.region, "", occupancy, NO_INTERVAL, values, se, extra, remark)


def _row(
    person: str,
    scope: str,
    region: str,
    n: object,
    occupancy: Interval,
    V_ND: Interval,
    values: tuple[float, ...] = NOTHING,
    se: float = math.nan,
    extra: list[object] | None = None,
    remark: str = "",
) -> list[object]:
    rest: list[object] = extra if extra is not None else [*NOTHING, NOT_AVAILABLE]
    return [
        person or NOT_AVAILABLE,
        scope,
        region,
        n if n != "" else NOT_AVAILABLE,
        *map(float, values),
        float(occupancy.value),
        se,
        _end(occupancy.low),
        _end(occupancy.high),
        float(V_ND.value),
        _end(V_ND.low),
        _end(V_ND.high),
        *rest,
        remark or NOT_AVAILABLE,
    ]


def _end(value: float) -> object:
    """End of an interval; one that is infinite is told by its name."""
    return ("inf" if value > 0 else "-inf") if math.isinf(value) else float(value)


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def plain(interval: Interval) -> dict[str, float | None]:
    """An estimate with its interval as JSON values; null where there is no number or no end."""
    return {"Value": _number(interval.value), "Low": _number(interval.low), "High": _number(interval.high)}
