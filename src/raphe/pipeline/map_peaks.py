"""From the answer of a contrast in every voxel to the maps and the table that are written."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy import stats

from raphe.data import group_map as stat
from raphe.data.group_map import MapPeak
from raphe.data.map_contrast import MapCluster, MapContrast, Peak
from raphe.stats.peaks import peaks

Floats = npt.NDArray[np.float32]
Whole = npt.NDArray[np.int32]

LEVEL = 0.05
"""At or below which a corrected p value counts."""

MOST = 5
"""Peaks of one cluster that are listed."""


def maps_of(found: MapContrast) -> dict[str, Floats]:
    """Maps by what ``stat-`` says; those that were not asked for are left out."""
    made = {
        stat.EFFECT: found.effect,
        stat.T: found.t,
        stat.LOGP_FWE: found.logpfwe,
        stat.LOGP: np.abs(np.log10(found.p_permuted)),
        stat.TFCE: found.tfce,
        stat.LOGP_FWE_TFCE: found.logpfwe_tfce,
        stat.CLUSTER: found.labels,
        stat.N: found.n,
    }
    return {name: np.asarray(values, dtype=np.float32) for name, values in made.items() if values is not None}


def threshold_of(found: MapContrast, cluster_p: float) -> float:
    """Absolute t value from which voxels are drawn and peaks are listed, without correction."""
    if np.isfinite(found.cluster_threshold):
        return float(found.cluster_threshold)
    return float(stats.t.isf(cluster_p, found.df) if found.variance_smoothing is None else stats.norm.isf(cluster_p))


def table_of(
    found: MapContrast,
    affine: npt.NDArray[np.float64],
    threshold: float,
    labels: Whole | None,
    regions: Mapping[int, str],
) -> tuple[MapPeak, ...]:
    """Peaks beyond the threshold, and others that are significant after correction, the highest first.

    Parameters
    ----------
    found : MapContrast
    affine : ndarray, shape (4, 4)
    threshold : float
        Absolute t value.
    labels : ndarray of int, or None
        Regions on the grid.
    regions : mapping of int to str
        Their names.
    """
    clusters = {one.number: one for one in found.clusters}
    rows, seen = [], dict[int, int]()
    for peak in peaks(found.t, affine, 0.0, clusters=found.labels, regions=labels, names=regions):
        p, p_tfce = _p(found.logpfwe, peak), _p(found.logpfwe_tfce, peak)
        if abs(peak.value) < threshold and not min(p, p_tfce if np.isfinite(p_tfce) else 1.0) <= LEVEL:
            continue
        seen[peak.cluster] = at = seen.get(peak.cluster, 0) + 1
        if at <= MOST:
            own = clusters.get(peak.cluster)
            rows.append(_row(found, peak, at, own, p, p_tfce, labels, regions))
    return tuple(rows)


def _row(
    found: MapContrast,
    peak: Peak,
    at: int,
    own: MapCluster | None,
    p: float,
    p_tfce: float,
    labels: Whole | None,
    regions: Mapping[int, str],
) -> MapPeak:
    nan = float("nan")
    alone = float(found.p_permuted[peak.voxel])
    if own is None:
        return MapPeak(
            0, at, peak.x, peak.y, peak.z, peak.value, p, p_tfce, alone, nan, nan, 0, nan, nan, peak.region, ()
        )
    return MapPeak(
        own.number, at, peak.x, peak.y, peak.z, peak.value, p, p_tfce, alone, own.p_extent, own.p_mass, own.voxels,
        own.volume, own.mass, peak.region, _touched(found, own.number, labels, regions),
    )  # fmt: skip


def _p(logp: npt.NDArray[np.float64] | None, peak: Peak) -> float:
    return float("nan") if logp is None else float(10 ** -logp[peak.voxel])


def _touched(found: MapContrast, number: int, labels: Whole | None, regions: Mapping[int, str]) -> tuple[str, ...]:
    """Regions of a cluster's voxels, the one with most of them first."""
    if labels is None or found.labels is None:
        return ()
    own, n_voxel = np.unique(labels[np.abs(found.labels) == number], return_counts=True)
    share: dict[str, int] = {}
    for label, n in zip(own.tolist(), n_voxel.tolist(), strict=True):
        if label:
            name = regions.get(label, str(label))
            share[name] = share.get(name, 0) + n
    return tuple(sorted(share, key=lambda name: (-share[name], name)))
