"""What a reader has to see of a scan's preprocessing: its motion, and images on one grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from raphe.core.frames import Frames
from raphe.data.carpet import Carpet
from raphe.data.image import Grid

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Suvr:
    """Late activity of regions over that of a reference, without and with partial-volume correction.

    Parameters
    ----------
    reference : tuple of str
        Names of the reference regions; the mean of several is taken, weighted by volume.
    start, end : float, min
        Of the frames that are averaged.
    methods : tuple of str
        ``""`` for no correction, then the corrections.
    names : tuple of str, length n_region
    values : ndarray, shape (n_method, n_region)
    """

    reference: tuple[str, ...]
    start: float
    end: float
    methods: tuple[str, ...]
    names: tuple[str, ...]
    values: Array


@dataclass(frozen=True, eq=False)
class Preprocessed:
    """Preprocessing of one scan.

    Parameters
    ----------
    frames : Frames
    pose : ndarray, shape (n_frame, 6)
        From each frame to the reference position, mm and radians.
    displacement, within : ndarray, shape (n_frame,), mm
    held : ndarray of bool, shape (n_frame,)
    grid : Grid
        Its axes run to the right, forwards and upwards.
    pet : ndarray of float32, shape ``grid.shape``, kBq/mL
        Late mean.
    t1 : ndarray of float32, shape ``grid.shape``, or None
        On the same grid, as registered.
    labels : ndarray of int32, shape ``grid.shape``
        Regions on that grid.
    doubts : tuple of str
        What a person must read.
    facts : tuple of (str, str)
        What was found, in words.
    carpets : mapping of str to Carpet
        By what was done to the image; none where they were not written.
    suvr : Suvr or None
        None where partial volumes were not corrected.
    """

    frames: Frames
    pose: Array
    displacement: Array
    within: Array
    held: npt.NDArray[np.bool_]
    grid: Grid
    pet: Floats
    t1: Floats | None
    labels: npt.NDArray[np.int32]
    doubts: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    carpets: Mapping[str, Carpet]
    suvr: Suvr | None
