"""How the spaces of one scan go over into each other: head motion, registration, and the warp to a template."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from raphe.data.image import Grid

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class HeadMotion:
    """Where the head lay in each frame of a scan.

    Parameters
    ----------
    matrices : ndarray, shape (n_frame, 4, 4), mm to mm
        Takes a place of the head in the frame to where it is in the reference position.
    centre : ndarray, shape (3,), mm
        About which the poses turn.
    held : ndarray of bool, shape (n_frame,)
        Frames whose own counts told nothing, so that their position is a neighbour's, or between two neighbours.
    within : ndarray, shape (n_frame,), mm
        How far the head is thought to have moved within each frame: between its neighbours' positions, at the surface
        of the brain; NaN where nothing tells.
    displacement : ndarray, shape (n_frame,), mm
        Framewise displacement: mean movement of the places of the brain since the frame before; NaN in the first.
    """

    matrices: Array
    centre: Array
    held: Flags
    within: Array
    displacement: Array


@dataclass(frozen=True, eq=False)
class Registration:
    """Rigid or affine transform from one image to another.

    Parameters
    ----------
    matrix : ndarray, shape (4, 4), mm to mm
        Takes a place of the moving image to the same place of the fixed.
    metric : str
        What was minimised, by name.
    score : float
        The stated measure by which the result was judged.
    doubts : tuple of str
        Why it may be wrong, in words; empty where nothing says so.
    """

    matrix: Array
    metric: str
    score: float
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Field:
    """For every voxel of a grid, the place in another space.

    Parameters
    ----------
    grid : Grid
    places : ndarray of float32, shape (``*grid.shape``, 3), mm
    """

    grid: Grid
    places: Floats


@dataclass(frozen=True, eq=False)
class Warp:
    """The way from an individual's space to a template's, and back.

    Parameters
    ----------
    template : str
        Name of the template, a BIDS ``space-`` label.
    to_native : Field
        On the template's grid: where each of its voxels is in the individual. Pulls an individual's image into the
        template's space.
    to_template : Field
        On the individual's grid: where each of its voxels is in the template.
    """

    template: str
    to_native: Field
    to_template: Field
