"""What of an image was measured in every frame, once the head is in one position."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from raphe.core.resample import inside
from raphe.data.alignment import HeadMotion
from raphe.data.volume import DynamicImage

Flags = npt.NDArray[np.bool_]

SMALL = 2
"""Voxels from the middle to the edge of the smallest patch of zeros that is taken for unmeasured."""


def always_seen(image: DynamicImage, motion: HeadMotion) -> Flags:
    """Tell the voxels, in the reference position, that lie in the field of view in every frame.

    Parameters
    ----------
    image : DynamicImage
        As it was measured. Zeros of all frames that reach to an edge of the image count as unmeasured: so look slices
        that a scanner left out, and what another program's resampling brought in.
    motion : HeadMotion

    Returns
    -------
    ndarray of bool, shape ``image.grid.shape``
    """
    grid, blank = image.grid, _blank(image)
    seen = np.ones(grid.shape, dtype=bool)
    back = np.linalg.inv(grid.affine)
    for matrix in np.unique(motion.matrices, axis=0):
        pull = back @ np.linalg.inv(matrix) @ grid.affine
        seen &= inside(pull, grid.shape, grid.shape)
        if blank.any():
            seen &= ndimage.affine_transform(~blank, pull[:3, :3], pull[:3, 3], order=0, mode="nearest")
    return seen


def _blank(image: DynamicImage) -> Flags:
    """Patches of voxels at an edge of the image that hold nothing in any frame."""
    empty = np.ones(image.grid.shape, dtype=bool)
    for frame in image.activity:
        empty &= (frame == 0) | ~np.isfinite(frame)
        if not empty.any():
            return empty
    inner = ndimage.binary_opening(np.pad(empty, SMALL, mode="edge"), iterations=SMALL)
    inner = inner[SMALL:-SMALL, SMALL:-SMALL, SMALL:-SMALL]
    labels, _ = ndimage.label(inner)
    faces = [labels[0], labels[-1], labels[:, 0], labels[:, -1], labels[:, :, 0], labels[:, :, -1]]
    outer = np.unique(np.concatenate([face.ravel() for face in faces]))
    return np.isin(labels, outer[outer > 0])
