"""Boxes around what is marked in a volume."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Box = tuple[slice, slice, slice]
Number = TypeVar("Number", bound=np.generic)


def box_of(mask: Flags, room: int | Sequence[int] = 0) -> Box:
    """Smallest box around a mask, with so many voxels of room on each side where there are any.

    Parameters
    ----------
    mask : ndarray of bool, shape (x, y, z)
        The whole volume is the box of one that is empty.
    room : int or sequence of int
        Of all axes, or of each.
    """
    rooms = [room] * 3 if isinstance(room, int) else room
    parts = []
    for axis, (size, more) in enumerate(zip(mask.shape, rooms, strict=True)):
        there = np.flatnonzero(mask.any(axis=tuple(other for other in range(3) if other != axis)))
        within = (max(int(there[0]) - more, 0), min(int(there[-1]) + more + 1, size)) if there.size else (0, size)
        parts.append(slice(*within))
    return parts[0], parts[1], parts[2]


def affine_of(affine: Array, box: Box) -> Array:
    """Affine of the part of a grid that is in a box; shape (4, 4), mm."""
    found = affine.copy()
    found[:3, 3] += affine[:3, :3] @ [part.start for part in box]
    return found


def put_back(values: npt.NDArray[Number], box: Box, shape: tuple[int, ...]) -> npt.NDArray[Number]:
    """Whole volume with values in a box, and 0 around it.

    Parameters
    ----------
    values : ndarray, shape that of the box
    box : tuple of slice, length 3
    shape : tuple of int, length 3
        Of the whole.

    Returns
    -------
    ndarray, shape ``shape``
        Of the type of ``values``.
    """
    whole = np.zeros(shape, dtype=values.dtype)
    whole[box] = values
    return whole
