"""The answer of a contrast of maps: volumes, clusters and peaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.int32]


class Peak(NamedTuple):
    """A local maximum of the absolute value."""

    x: float
    """mm in the world, as ``y`` and ``z``."""
    y: float
    z: float
    value: float
    cluster: int
    """0 where it is in none, or no clusters were given."""
    region: str
    """Empty where it is in none, or no regions were given."""
    voxel: tuple[int, int, int]


class MapCluster(NamedTuple):
    """A cluster of voxels beyond the threshold, with p values corrected for the whole map, two-sided."""

    number: int
    """As in the volume of clusters; 1 is the largest."""
    sign: int
    """1 where the effect is positive, -1 where it is negative."""
    voxels: int
    volume: float
    """mm3; NaN where the size of a voxel is not known."""
    mass: float
    """Sum of what the absolute t values have above the threshold."""
    p_extent: float
    p_mass: float
    peak: tuple[int, ...]
    """Indices of the voxel with the largest absolute t value."""
    peak_t: float


@dataclass(frozen=True, eq=False)
class MapContrast:
    """The answer of one contrast in every voxel.

    Volumes have the shape of the mask and are NaN where a voxel was not analysed. What was not asked for is None.
    ``logpfwe`` is -log10 of the p value corrected for all voxels: 1.30 and more is p <= 0.05.

    Parameters
    ----------
    what : str
        What the effect is, in words.
    effect : ndarray
        Estimate of the contrast, in the unit of the maps.
    t : ndarray
        t value; pseudo-t where the variance was smoothed.
    p : ndarray
        Uncorrected two-sided p value by the t distribution; NaN where the variance was smoothed.
    p_permuted : ndarray
        Uncorrected two-sided p value by permutation.
    logpfwe : ndarray
        By the largest absolute t value.
    tfce, logpfwe_tfce : ndarray or None
        Threshold-free cluster enhancement, with the sign of the effect, and by its largest value.
    labels : ndarray of int or None
        Number of each voxel's cluster, negative where the effect is; 0 for none.
    clusters : tuple of MapCluster
    cluster_threshold : float
        Absolute t value that forms clusters; NaN where none were asked for.
    n : ndarray of int
        Scans that have a value, and a value of each covariate map; 0 outside the mask.
    analysed : ndarray of bool
    df : int
    permutations : int
        Shuffles that were looked at, the observed order among them.
    possible : int
        Distinct shuffles that there are.
    exact : bool
        Whether all of them were looked at.
    smallest_p : float
        Smallest p value that they can give.
    critical_t : float
        Absolute t value above which the corrected p value is at most 0.05; infinite where none can be.
    variance_smoothing : float or None
        FWHM, mm, of the Gaussian over the variance.
    left_out : tuple of str
        What was not analysed and why, with counts.
    """

    what: str
    effect: Array
    t: Array
    p: Array
    p_permuted: Array
    logpfwe: Array
    tfce: Array | None
    logpfwe_tfce: Array | None
    labels: Labels | None
    clusters: tuple[MapCluster, ...]
    cluster_threshold: float
    n: npt.NDArray[np.int64]
    analysed: Flags
    df: int
    permutations: int
    possible: int
    exact: bool
    smallest_p: float
    critical_t: float
    variance_smoothing: float | None
    left_out: tuple[str, ...]
