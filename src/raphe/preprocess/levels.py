"""Frames of a scan in larger voxels, for their alignment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from raphe.data.volume import DynamicImage

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

BLOCKS = 8.0
"""How many blocks a brain's edge has."""


@dataclass(frozen=True, eq=False)
class Level:
    """Frames of a scan with voxels of one size.

    ``places`` are those of the brain, block after block; ``independent`` is the share of them that noise leaves so.
    """

    images: list[Floats]
    to_index: Array
    places: Array
    edges: npt.NDArray[np.int64]
    independent: float


def make_level(image: DynamicImage, brain: npt.NDArray[np.bool_], size: float, voxel: float, blur: float) -> Level:
    """Frames in larger voxels, blurred, and the places of the brain in blocks.

    Parameters
    ----------
    image : DynamicImage
    brain : ndarray of bool, shape as its frames
    size : float, mm
        Edge of a cube as large as the brain.
    voxel : float, mm
        About as large as voxels are to be; whole multiples of the image's.
    blur : float
        Standard deviation of the Gaussian, in these voxels.
    """
    factors = [max(1, round(voxel / zoom)) for zoom in image.grid.zooms]
    shrunk = [_shrunk(clean(frame), factors) for frame in image.activity]
    ready = [ndimage.gaussian_filter(one, blur).astype(np.float32) for one in shrunk]
    affine = image.grid.affine @ np.diag([*factors, 1.0])
    affine[:3, 3] += image.grid.affine[:3, :3] @ ((np.array(factors) - 1) / 2)
    inside = _shrunk(ndimage.binary_dilation(brain, iterations=2).astype(np.float32), factors) > 0.5
    index = np.argwhere(inside)
    places = (index + _scattered(len(index))) @ affine[:3, :3].T + affine[:3, 3]
    block = np.floor((places - places.min(axis=0)) / (size / BLOCKS)).astype(int)
    place = np.ravel_multi_index(tuple(block.T), tuple(block.max(axis=0) + 1))
    order = np.argsort(place, kind="stable")
    each = np.bincount(place)
    edges = np.concatenate([[0], np.cumsum(each[each > 0])]).astype(np.int64)
    width = np.sqrt(-0.25 / np.log(_alike(ready, inside)))
    return Level(
        ready,
        np.asarray(np.linalg.inv(affine), dtype=np.float64),
        np.ascontiguousarray(places[order]),
        edges,
        1 / float(np.maximum(2 * np.sqrt(np.pi) * width, 1.0).prod()),
    )


def _alike(images: list[Floats], inside: npt.NDArray[np.bool_]) -> Array:
    """Correlation of the noise of neighbouring voxels along each axis, median over the frames.

    What a frame has over the mean of the two next to it is taken for noise.
    """
    found = []
    for at in range(len(images)):
        others = [images[i] for i in (at - 1, at + 1) if 0 <= i < len(images)]
        left = images[at] - sum(others) / len(others)
        for axis in range(3):
            here, next_ = ((slice(None),) * axis + (part,) for part in (slice(-1), slice(1, None)))
            both = inside[here] & inside[next_]
            one, other = left[here][both], left[next_][both]
            spread = one.std() * other.std()
            found.append(np.mean((one - one.mean()) * (other - other.mean())) / spread if spread > 0 else np.nan)
    told = np.array(found).reshape(-1, 3)
    told = told[np.isfinite(told).all(axis=1)]
    return np.clip(np.median(told, axis=0), 0.1, 0.99) if len(told) else np.full(3, 0.99)


def _scattered(n: int) -> Array:
    """Offsets from -0.5 to 0.5 voxels, evenly spread over them (additive recurrence, Roberts 2018), shape (n, 3).

    Linear interpolation blurs most between voxels, and noise with it. Were all places on voxels, a frame would fit best
    half a voxel off, where its noise is least. Scattered places see as much of it wherever the frame lies.
    """
    ratio = 1.2207440846057596  # root of x^4 = x + 1
    return np.asarray((np.arange(1, n + 1)[:, None] * ratio ** -np.arange(1.0, 4.0)) % 1.0 - 0.5)


def _shrunk(volume: Floats, factors: list[int]) -> Floats:
    """Means of boxes of voxels; what does not fill a box at the end is left out."""
    for axis, factor in enumerate(factors):
        if factor > 1:
            n = volume.shape[axis] // factor
            volume = np.moveaxis(volume, axis, 0)[: n * factor]
            volume = np.moveaxis(volume.reshape(n, factor, *volume.shape[1:]).mean(axis=1), 0, axis)
    return np.ascontiguousarray(volume, dtype=np.float32)


def cleaned(image: DynamicImage) -> Floats:
    """Activity of a scan; 0 where it is no number."""
    return image.activity if np.isfinite(image.activity.sum()) else clean(image.activity)


def clean(values: npt.NDArray[np.floating]) -> Floats:
    """Values as float32; 0 where they are no numbers."""
    if np.isfinite(values.sum()):
        return np.asarray(values, dtype=np.float32)
    return np.asarray(np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0), dtype=np.float32)
