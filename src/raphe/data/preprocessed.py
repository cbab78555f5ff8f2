"""What a reader has to see of a scan's preprocessing: its motion, and images on one grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from raphe.core.frames import Frames
from raphe.data.image import Grid

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]


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
