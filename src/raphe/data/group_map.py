"""The answer of a contrast voxel by voxel as it is kept in files and shown: maps, peaks, and what was done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from raphe.data.image import Grid
from raphe.data.record import Step

Floats = npt.NDArray[np.float32]

EFFECT, T, LOGP_FWE, LOGP, TFCE, LOGP_FWE_TFCE, CLUSTER, N = (
    "effect",
    "t",
    "logpfwe",
    "logp",
    "tfce",
    "logpfwetfce",
    "cluster",
    "n",
)
"""What ``stat-`` says of a map of a contrast."""


class MapPeak(NamedTuple):
    """A local maximum of t, with the cluster that it is in; NaN where there is no number."""

    cluster: int
    """0 for none."""
    peak: int
    """1 for the highest of its cluster, or of all peaks outside of clusters."""
    x: float
    """mm, as ``y`` and ``z``."""
    y: float
    z: float
    t: float
    p_fwe: float
    """By the largest absolute t of the whole map."""
    p_fwe_tfce: float
    """By the largest TFCE."""
    p_uncorrected: float
    """By permutation, for this voxel alone."""
    p_extent: float
    """Of the cluster, by the largest extent; as all that follow, of the cluster."""
    p_mass: float
    voxels: int
    volume: float
    """mm3."""
    mass: float
    region: str
    """At the peak; empty where it is in none."""
    touched: tuple[str, ...]
    """Regions that the cluster has voxels in, the one with most of them first."""


@dataclass(frozen=True, eq=False)
class GroupMap:
    """One contrast.

    Parameters
    ----------
    name : str
    grid : Grid
    maps : mapping of str to ndarray of float32, shape ``grid.shape``
        By what ``stat-`` says; NaN where a voxel was not analysed.
    peaks : tuple of MapPeak
        The highest absolute t first.
    step : Step
        ``map_contrast``: what was done, with all numbers that a reader needs.
    """

    name: str
    grid: Grid
    maps: Mapping[str, Floats]
    peaks: tuple[MapPeak, ...]
    step: Step
