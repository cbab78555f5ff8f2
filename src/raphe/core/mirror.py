"""Left and right of a volume exchanged, or averaged, on a grid that lies evenly about the plane x = 0 of the world."""

from __future__ import annotations

from itertools import product

import numpy as np
import numpy.typing as npt

from raphe.errors import InputError

Array = npt.NDArray[np.float64]

TOLERANCE = 0.1
"""mm that a mirrored voxel may lie beside a voxel of the grid."""


def mirrored(volume: npt.NDArray[np.floating], affine: Array, tolerance: float = TOLERANCE) -> Array:
    """Volume with left and right exchanged: each voxel has the value of that at -x.

    No value is interpolated.

    Parameters
    ----------
    volume : ndarray, shape (x, y, z)
    affine : ndarray, shape (4, 4)
        Voxels to mm, x being left to right and 0 the plane between the hemispheres.
    tolerance : float, mm

    Returns
    -------
    ndarray, shape (x, y, z)
        NaN where the mirrored place is outside the grid.

    Raises
    ------
    InputError
        If a mirrored voxel lies farther than the tolerance from any voxel of the grid; the message says how far.
    """
    pull, off = _pull(volume.shape, affine)
    if not off <= tolerance:
        raise InputError(
            f"the grid cannot be mirrored at x = 0: a mirrored voxel lies up to {off:.3g} mm beside the nearest voxel, "
            f"and {tolerance:g} mm are allowed; bring the maps to a symmetric template first"
        )
    size = np.array(volume.shape)
    at = np.indices(volume.shape).reshape(3, -1)
    source = pull[:3, :3] @ at + pull[:3, 3:]
    inside = ((source >= 0) & (source < size[:, None])).all(axis=0)
    found = np.full(volume.size, np.nan)
    found[inside] = volume[tuple(source[:, inside])]
    return found.reshape(volume.shape)


def averaged(volume: npt.NDArray[np.floating], affine: Array, tolerance: float = TOLERANCE) -> Array:
    """Mean of each voxel and the one at -x; NaN where either has no value.

    As :func:`mirrored`.
    """
    return np.asarray((volume + mirrored(volume, affine, tolerance)) / 2)


def _pull(shape: tuple[int, ...], affine: Array) -> tuple[npt.NDArray[np.int64], float]:
    """Whole-numbered matrix from a voxel to its mirrored one, and how far off that is at most, mm."""
    if len(shape) != 3 or affine.shape != (4, 4):
        raise InputError(f"a volume of shape {shape} with an affine of shape {affine.shape} cannot be mirrored")
    exact = np.linalg.inv(affine) @ np.diag([-1.0, 1.0, 1.0, 1.0]) @ affine
    whole = np.rint(exact).astype(np.int64)
    corners = np.array([[*corner, 1] for corner in product(*((0, size - 1) for size in shape))]).T
    beside = affine[:3, :3] @ ((exact - whole) @ corners)[:3]
    return whole, float(np.linalg.norm(beside, axis=0).max())
