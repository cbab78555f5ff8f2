"""What is around a brain: bone, soft tissue, and the superior sagittal sinus."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from raphe.catalog.schema import Ellipsoid
from raphe.simulate.anatomy import BLOOD, BONE, SOFT, Labels
from raphe.simulate.geometry import Geometry, Part

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


class Places:
    """Places of voxels along each axis of the head's space, mm, as they broadcast.

    Parameters
    ----------
    affine : ndarray, shape (4, 4)
        Whose axes are those of the space.
    shape : tuple of int, length 3
    """

    def __init__(self, affine: Array, shape: tuple[int, ...]) -> None:
        x, y, z = (affine[axis, 3] + affine[axis, axis] * np.arange(shape[axis]) for axis in range(3))
        self.x, self.y, self.z = x[:, None, None], y[None, :, None], z[None, None, :]

    def radius(self, part: Part | Ellipsoid) -> Array:
        """Distance from the centre of a structure, both sides, in half-lengths."""
        x0, y0, z0 = part.centre
        x = np.abs(self.x) - x0 if x0 > 0 else self.x - x0
        a, b, c = part.axes
        return np.asarray(np.sqrt((x / a) ** 2 + ((self.y - y0) / b) ** 2 + ((self.z - z0) / c) ** 2))


def closed(brain: Flags, affine: Array, reach: float) -> Flags:
    """Brain with the clefts that are narrower than twice ``reach``, mm."""
    edges = np.abs(affine[:3, :3].diagonal())
    near = ndimage.distance_transform_edt(~brain, sampling=edges) <= reach
    return np.asarray(brain | (ndimage.distance_transform_edt(near, sampling=edges) > reach))


def around(brain: Flags, affine: Array, coarse: Geometry, number: dict[str, int]) -> Labels:
    """Labels of what is around a brain, in shells as thick as those of a coarse head; 0 in the brain and in air.

    Parameters
    ----------
    brain : ndarray of bool, shape (nx, ny, nz)
    affine : ndarray, shape (4, 4)
        Whose axes are those of the head's space.
    coarse : Geometry
    number : dict of str to int
        Numbers of the parcels by their names.
    """
    outside = ndimage.distance_transform_edt(~brain, sampling=np.abs(affine[:3, :3].diagonal()))
    place = Places(affine, brain.shape)
    labels: Labels = np.zeros(brain.shape, dtype=np.uint8)
    labels[outside <= coarse.shells.bone + coarse.shells.soft] = number[SOFT]
    labels[outside <= coarse.shells.bone] = number[BONE]
    above = (place.z > coarse.brain.centre[2]) & (place.y < coarse.brain.centre[1] + 0.7 * coarse.brain.axes[1])
    width = coarse.sinus.width
    labels[(outside <= width) & (np.abs(place.x) < width / 2 * (1 - outside / width)) & above] = number[BLOOD]
    labels[brain] = 0
    return labels
