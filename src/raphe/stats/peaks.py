"""Local maxima of a map: where they are, how high, and in which region."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy.ndimage import maximum_filter

from raphe.data.map_contrast import Peak
from raphe.errors import InputError

Array = npt.NDArray[np.float64]


def peaks(
    values: Array,
    affine: Array,
    threshold: float,
    *,
    distance: float = 8.0,
    clusters: npt.NDArray[np.integer] | None = None,
    regions: npt.NDArray[np.integer] | None = None,
    names: Mapping[int, str] | None = None,
) -> tuple[Peak, ...]:
    """Local maxima of a map, positive and negative, the highest first.

    A voxel is one if none of its 26 neighbours has a larger absolute value of the same sign; of those nearer to each
    other than ``distance`` only the highest is kept.

    Parameters
    ----------
    values : ndarray, shape (x, y, z)
        NaN where there is none.
    affine : ndarray, shape (4, 4)
        Voxels to mm.
    threshold : float
        Least absolute value of a peak.
    distance : float, mm
    clusters : ndarray of int, shape (x, y, z), optional
        Number of each voxel's cluster, of either sign.
    regions : ndarray of int, shape (x, y, z), optional
        Labels; 0 is no region.
    names : mapping of int to str, optional
        Of the labels; a label without one is named by its number.

    Raises
    ------
    InputError
        If a volume is not on the grid of the map, or the threshold or distance is negative or no number.
    """
    for what, other in (("clusters", clusters), ("regions", regions)):
        if other is not None and other.shape != values.shape:
            raise InputError(f"the volume of {what} has shape {other.shape}, the map {values.shape}; use one grid")
    if not (threshold >= 0 and distance >= 0):
        raise InputError(
            f"peaks above {threshold:g} and {distance:g} mm apart cannot be sought; give numbers from 0 on"
        )
    at = _summits(values, threshold)
    places = at @ affine[:3, :3].T + affine[:3, 3]
    kept: list[int] = []
    for k in range(len(at)):
        if not kept or np.linalg.norm(places[kept] - places[k], axis=1).min() >= distance:
            kept.append(k)
    return tuple(_peak(values, at[k], places[k], clusters, regions, names or {}) for k in kept)


def _summits(values: Array, threshold: float) -> npt.NDArray[np.intp]:
    """Indices of local maxima of either sign, the highest absolute value first."""
    found = []
    for sign in (1, -1):
        height = np.where(np.isfinite(values), sign * values, -np.inf)
        top = (height == maximum_filter(height, size=3, mode="constant", cval=-np.inf)) & (height > 0)
        found.append(np.argwhere(top & (height >= threshold)))
    at = np.concatenate(found)
    return np.asarray(at[np.argsort(-np.abs(values[tuple(at.T)]), kind="stable")])


def _peak(
    values: Array,
    at: npt.NDArray[np.intp],
    place: Array,
    clusters: npt.NDArray[np.integer] | None,
    regions: npt.NDArray[np.integer] | None,
    names: Mapping[int, str],
) -> Peak:
    i, j, k = (int(index) for index in at)
    x, y, z = (float(mm) for mm in place)
    cluster = 0 if clusters is None else abs(int(clusters[i, j, k]))
    label = 0 if regions is None else int(regions[i, j, k])
    region = names.get(label, str(label)) if label else ""
    return Peak(x, y, z, float(values[i, j, k]), cluster, region, (i, j, k))
