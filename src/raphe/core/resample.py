"""Values of an image between its voxels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

NEAREST, LINEAR, CUBIC = 0, 1, 3
"""Degrees of the splines that are used."""


def resample(
    values: npt.NDArray[np.generic],
    affine: Array,
    to_target: Array,
    target_shape: tuple[int, int, int],
    target_affine: Array,
    order: int = LINEAR,
    outside: float = 0.0,
) -> npt.NDArray[np.generic]:
    """Image on another grid.

    Parameters
    ----------
    values : ndarray, shape (nx, ny, nz)
    affine : ndarray, shape (4, 4), mm
        Of the image's own grid.
    to_target : ndarray, shape (4, 4)
        Takes places of the image to places of the target, mm to mm.
    target_shape : tuple of int, length 3
    target_affine : ndarray, shape (4, 4), mm
    order : int
        Degree of the spline: :data:`NEAREST`, :data:`LINEAR` or :data:`CUBIC`.
    outside : float
        Value of places that are not between voxels of the image.

    Returns
    -------
    ndarray, shape ``target_shape``
        Of the type of ``values``.
    """
    voxels = np.linalg.inv(affine) @ np.linalg.inv(to_target) @ target_affine
    return np.asarray(
        ndimage.affine_transform(
            values, voxels[:3, :3], voxels[:3, 3], output_shape=target_shape, order=order, cval=outside
        )
    )


def inside(pull: Array, shape: tuple[int, ...], source: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Which voxels of a grid have their place in the voxels of another, those at its edge to their outer side.

    Parameters
    ----------
    pull : ndarray, shape (4, 4)
        From indices of the grid to indices of the other.
    shape, source : tuple of int, length 3
        Of the grid and of the other.

    Returns
    -------
    ndarray of bool, shape ``shape``
    """
    axes = np.ogrid[tuple(slice(0, size) for size in shape)]
    found = np.ones(shape, dtype=bool)
    for row, size in zip(pull[:3], source, strict=True):
        place = row[0] * axes[0] + row[1] * axes[1] + (row[2] * axes[2] + row[3])
        found &= (place >= -0.5) & (place <= size - 0.5)
    return found


def at_places(
    values: npt.NDArray[np.generic],
    affine: Array,
    places: npt.NDArray[np.floating],
    order: int = LINEAR,
    outside: float = 0.0,
) -> npt.NDArray[np.generic]:
    """Values of an image at places.

    Parameters
    ----------
    values : ndarray, shape (nx, ny, nz)
    affine : ndarray, shape (4, 4), mm
        Of the image's grid.
    places : ndarray, shape (..., 3), mm
    order : int
        As for :func:`resample`.
    outside : float

    Returns
    -------
    ndarray, shape (...)
        Of the type of ``values``.
    """
    back = np.linalg.inv(affine)
    flat = places.reshape(-1, 3)
    index = back[:3, :3] @ flat.T + back[:3, 3:]
    found = ndimage.map_coordinates(values, index, order=order, cval=outside)
    return np.asarray(found).reshape(places.shape[:-1])
