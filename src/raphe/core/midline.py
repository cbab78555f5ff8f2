"""A grid moved by less than half a voxel, so that it lies evenly about the plane x = 0 and can be mirrored there."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from raphe.errors import InputError

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.floating]

ALONG = 1e-6
"""Share of a voxel's edge that may point elsewhere where an axis is said to run along x."""


class Move(NamedTuple):
    """From a grid to one that lies evenly about x = 0."""

    affine: Array
    """Of the new grid, voxels to mm."""
    axis: int
    """Of the volume, that runs along x."""
    voxels: float
    """How far the new grid lies beside the old one, along that axis; a quarter at most."""

    @property
    def mm(self) -> float:
        """The same as a distance along x."""
        return float(self.voxels * self.affine[0, self.axis])


def to_midline(affine: Array) -> Move:
    """Find the nearest grid of the same voxels that lies evenly about x = 0.

    Parameters
    ----------
    affine : ndarray, shape (4, 4)
        Voxels to mm, x being left to right and 0 the plane between the hemispheres.

    Raises
    ------
    InputError
        If no axis of the grid runs along x.
    """
    edges = affine[:3, :3]
    axis = int(np.abs(edges[0]).argmax())
    beside = max(np.abs(edges[1:, axis]).max(), np.abs(np.delete(edges[0], axis)).max())
    if beside > ALONG * np.abs(edges[0, axis]):
        raise InputError(
            "the grid cannot be mirrored at x = 0: none of its axes runs along x; bring the maps to a template first"
        )
    planes = 2 * affine[0, 3] / edges[0, axis]
    voxels = float(np.rint(planes) - planes) / 2
    moved = affine.copy()
    moved[0, 3] += voxels * edges[0, axis]
    return Move(moved, axis, voxels)


def moved(volume: Floats, move: Move) -> Floats:
    """Values of the new grid, between those of the old one by a line; NaN where a neighbour that counts has none.

    Parameters
    ----------
    volume : ndarray, shape (x, y, z)
    move : Move
    """
    share, step = abs(move.voxels), 1 if move.voxels > 0 else -1
    if share == 0:
        return volume
    values = np.moveaxis(volume, move.axis, 0)
    beside = np.full_like(values, np.nan)
    if step > 0:
        beside[:-1] = values[1:]
    else:
        beside[1:] = values[:-1]
    kind = volume.dtype.type
    return np.asarray(np.moveaxis(kind(1 - share) * values + kind(share) * beside, 0, move.axis))
