"""Table of clusters and peaks of a map."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from raphe.report.wording import count, fixed, probability

NAN = float("nan")


class PeakRow(NamedTuple):
    """A local maximum of a map; NaN where a number is unknown."""

    region: str
    """Empty where it is in none."""
    x: float
    """mm, as ``y`` and ``z``."""
    y: float
    z: float
    statistic: float
    p: float
    """Corrected for the whole map, two-sided."""
    cluster: int = 0
    """Number of its cluster; 0 for none."""
    voxels: int = 0
    """Size of that cluster."""
    volume: float = NAN
    """mm3."""
    p_cluster: float = NAN
    """Of the cluster's size, corrected for the whole map."""


class PeakLine(NamedTuple):
    """One row as the table shows it; what holds for the cluster stands with its first peak alone."""

    region: str
    place: tuple[str, str, str]
    statistic: str
    p: str
    cluster: str
    voxels: str
    volume: str
    p_cluster: str
    shown: bool
    """Whether it or its cluster is significant after correction."""


class Peaks(NamedTuple):
    """The table, and what is said of it."""

    lines: tuple[PeakLine, ...]
    statistic: str
    told: str


def peaks(rows: Sequence[PeakRow], statistic: str = "t", level: float = 0.05) -> Peaks:
    """Gather peaks by cluster, clusters in the order of their first peak.

    Parameters
    ----------
    rows : sequence of PeakRow
        The highest first.
    statistic : str
    level : float
        At or below which a corrected p value counts.
    """
    order = list(dict.fromkeys(row.cluster or -1 - at for at, row in enumerate(rows)))
    by_cluster = [[row for at, row in enumerate(rows) if (row.cluster or -1 - at) == key] for key in order]
    lines = tuple(_line(row, at == 0, level) for own in by_cluster for at, row in enumerate(own))
    return Peaks(lines, statistic, _told(rows, level))


def _line(row: PeakRow, first: bool, level: float) -> PeakLine:
    own = first and row.cluster > 0
    return PeakLine(
        row.region or "\N{EN DASH}",
        (fixed(row.x, 0), fixed(row.y, 0), fixed(row.z, 0)),
        fixed(row.statistic, 2),
        probability(row.p),
        str(row.cluster) if own else "",
        f"{row.voxels:,}" if own else "",
        f"{row.volume:,.0f}" if own and math.isfinite(row.volume) else "",
        probability(row.p_cluster) if own and math.isfinite(row.p_cluster) else "",
        row.p <= level or row.p_cluster <= level,
    )


def _told(rows: Sequence[PeakRow], level: float) -> str:
    if not rows:
        return "No voxel reaches the threshold of the table. This is no evidence that there is no effect anywhere."
    found = sum(row.p <= level for row in rows)
    clusters = len({row.cluster for row in rows if row.cluster and row.p_cluster <= level})
    if not found and not clusters:
        return (
            f"No peak or cluster is significant after correction for the whole map (p at or below {level}). This is no "
            "evidence that there is no effect anywhere; peaks below are listed for other studies."
        )
    told = [f"{count(found, 'peak')} by height"] if found else []
    told += [f"{count(clusters, 'cluster')} by size"] if clusters else []
    verb = "is" if found + clusters == 1 else "are"
    return f"{' and '.join(told)} {verb} significant after correction for the whole map (p at or below {level})."
