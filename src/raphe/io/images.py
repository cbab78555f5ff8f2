"""Images, read voxel block by voxel block: never whole, unless the whole is what is wanted."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from raphe.data.image import Grid
from raphe.errors import InputError
from raphe.io.decoded import Decoded, decoded
from raphe.io.nifti import ImageFile, open_image

Flags = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float32]
Block = npt.NDArray[Any]

BLOCK = 1 << 18
"""Voxels that are decoded at once: few enough that they are still in the cache when they are picked from."""


PADDING = 4096
"""Bytes after the last volume that are taken for the filling of a block and not for voxels."""

FEW = 20
"""Values of a mask that are looked at, to know it from an image of labels or of shares."""

NEAR = 1e-3
"""How far a value may be from a label that it means, for the scaling of a header is rounded."""


class Consumer(Protocol):
    """Takes what it wants of every block of an image."""

    def take(self, volume: int, first: int, block: Block) -> None:
        """See voxels ``first`` and following of a volume; the block is overwritten afterwards."""
        ...


class Values:
    """Collects the values of voxels as a time-major array.

    Parameters
    ----------
    voxels : ndarray of int, shape (n_voxel,), or None
        Their indices in the order of the file, ascending; None for all.
    image : ImageFile
    factors : ndarray, shape (n_volume,)
        What the values of each volume are multiplied by, besides the scaling of the file.
    values : ndarray, shape (n_volume, n_voxel), optional
        Where they go.
    """

    def __init__(
        self,
        voxels: Indices | None,
        image: ImageFile,
        factors: npt.NDArray[np.float64],
        values: Floats | None = None,
    ) -> None:
        n_voxel = image.grid.n_voxel if voxels is None else voxels.size
        self.values: Floats = np.empty((len(factors), n_voxel), dtype=np.float32) if values is None else values
        self._factors, self._image = factors, image
        starts = np.arange(0, image.grid.n_voxel + BLOCK, BLOCK)
        self._edges = np.minimum(starts, image.grid.n_voxel) if voxels is None else np.searchsorted(voxels, starts)
        self._places: list[Indices] | None = None
        """Of the voxels in each block, which every volume has again."""
        if voxels is not None:
            parts = zip(self._edges[:-1], self._edges[1:], starts, strict=False)
            self._places = [voxels[start:stop] - first for start, stop, first in parts]

    def take(self, volume: int, first: int, block: Block) -> None:
        """Pick the values of the voxels."""
        at = first // BLOCK
        start, stop = self._edges[at], self._edges[at + 1]
        if start == stop:
            return
        row = self.values[volume, start:stop]
        if self._places is None:
            picked = block
        elif block.dtype == np.float32:
            np.take(block, self._places[at], out=row, mode="clip")
            picked = row
        else:
            picked = block[self._places[at]]
        scale(picked, self._image, float(self._factors[volume]), row)


class Mean:
    """Collects the weighted mean of the volumes; a value that is no number counts as 0.

    Parameters
    ----------
    image : ImageFile
    weights : ndarray, shape (n_volume,)
        Of the volumes, factors of the values included.
    """

    def __init__(self, image: ImageFile, weights: npt.NDArray[np.float64]) -> None:
        self.mean: Floats = np.zeros(image.grid.n_voxel, dtype=np.float32)
        self._image, self._weights = image, weights
        self._scaled: Floats = np.empty(BLOCK, dtype=np.float32)

    def take(self, volume: int, first: int, block: Block) -> None:
        """Add a block, times its weight."""
        scaled = self._scaled[: block.size]
        scale(block, self._image, float(self._weights[volume]), scaled)
        if not np.isfinite(scaled.sum(dtype=np.float32)):
            np.nan_to_num(scaled, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
        part = self.mean[first : first + block.size]
        np.add(part, scaled, out=part)


class Inside:
    """Collects which voxels of a mask or a label image are inside.

    Parameters
    ----------
    image : ImageFile
    label : int or None
        The value of the voxels that are meant; None for all that are not 0.
    looking : bool
        Whether the values that are inside are wanted, where none is meant.
    """

    def __init__(self, image: ImageFile, label: int | None, *, looking: bool = False) -> None:
        self.inside: Flags = np.zeros(image.grid.n_voxel, dtype=bool)
        self.span: tuple[float, float] = (np.inf, -np.inf)
        """Lowest and highest value, where a label is looked for."""
        self.values: set[float] = set()
        """Some of the values that are inside, where they are wanted."""
        self._image, self._label, self._looking = image, label, looking

    def take(self, volume: int, first: int, block: Block) -> None:
        """Compare a block."""
        values = block * self._image.slope + self._image.inter
        known, part = np.isfinite(values), slice(first, first + block.size)
        if self._label is None:
            self.inside[part] = known & (values != 0)
            if self._looking and len(self.values) < FEW:
                self.values |= {float(value) for value in np.unique(values[self.inside[part]])[:FEW]}
            return
        self.inside[part] = np.abs(values - self._label) < NEAR
        low, high = values.min(initial=np.inf, where=known), values.max(initial=-np.inf, where=known)
        self.span = min(self.span[0], float(low)), max(self.span[1], float(high))


class Span:
    """Finds the lowest and the highest number of all volumes.

    Parameters
    ----------
    image : ImageFile
    """

    def __init__(self, image: ImageFile) -> None:
        self.low, self.high = np.inf, -np.inf
        self._image = image

    def take(self, volume: int, first: int, block: Block) -> None:
        """Look at a block."""
        values = block * self._image.slope + self._image.inter
        known = np.isfinite(values)
        self.low = min(self.low, float(values.min(initial=np.inf, where=known)))
        self.high = max(self.high, float(values.max(initial=-np.inf, where=known)))


def scale(values: Block, image: ImageFile, factor: float, out: Floats) -> None:
    """Values of an image times a factor, as float32; ``values`` may be ``out``."""
    slope, inter = image.slope * factor, image.inter * factor
    if values.dtype == np.float32 and inter == 0:
        if slope != 1:
            np.multiply(values, np.float32(slope), out=out)
        elif values is not out:
            out[:] = values
        return
    out[:] = values * slope + inter


def stream(
    image: ImageFile,
    consumers: Sequence[Consumer],
    volumes: range,
    tell: Callable[[int, int], None] | None = None,
) -> None:
    """Decode an image once, from the front to the end, and show every block to the consumers.

    Parameters
    ----------
    image : ImageFile
    consumers : sequence of Consumer
        They count volumes from the first of ``volumes``.
    volumes : range
        Volumes that are shown; the others are passed over.
    tell : callable, optional
        Called with the volumes that are done, and of how many.

    Raises
    ------
    InputError
        If the file ends too early, or is damaged anywhere.
    """
    n_voxel, dtype = image.grid.n_voxel, image.dtype
    native = dtype.newbyteorder("=")
    buffer = np.empty(min(BLOCK, n_voxel), dtype=dtype)
    raw = memoryview(buffer.view(np.uint8).data)
    with decoded(image.path) as file:
        _pass_over(file.fill, image.offset, raw)
        for volume in range(volumes.stop):
            for first in range(0, n_voxel, BLOCK):
                count = min(BLOCK, n_voxel - first)
                if file.fill(raw[: count * dtype.itemsize]) < count * dtype.itemsize:
                    raise InputError(
                        f"{image.path} ends within volume {volume + 1} of {image.n_volume}, after byte {file.place} of "
                        f"{image.offset + n_voxel * image.n_volume * dtype.itemsize}; copy or download the file again"
                    )
                if volume >= volumes.start:
                    block = buffer[:count] if native == dtype else buffer[:count].astype(native)
                    with np.errstate(invalid="ignore", over="ignore"):  # voxels may hold anything
                        for consumer in consumers:
                            consumer.take(volume - volumes.start, first, block)
            if tell is not None:
                tell(volume + 1, volumes.stop)
        _check_rest(image, (image.n_volume - volumes.stop) * n_voxel * dtype.itemsize, file)


def read_mask(path: Path, grid: Grid, of: object, label: int | None = None, *, one_region: bool = False) -> Flags:
    """Read which voxels of a 3D image are not 0, or have the value ``label``.

    Parameters
    ----------
    path : Path
    grid : Grid
        On which the mask must be.
    of : object
        What has that grid, for messages.
    label : int, optional
    one_region : bool
        Whether an image of several labels is no mask that can be meant.

    Returns
    -------
    ndarray of bool, shape (n_voxel,)
        In the order of the file, the first axis the fastest.

    Raises
    ------
    InputError
        If it cannot be read, is on another grid, has several volumes or no voxel inside, or several labels where one
        region is meant.
    """
    image = open_image(path)
    if image.n_volume != 1:
        raise InputError(f"{path} has {image.n_volume} volumes; a mask is a 3D image")
    grid.check_same(image.grid, of, path)
    found = Inside(image, label, looking=one_region)
    stream(image, [found], range(1))
    if not found.inside.any():
        low, high = found.span
        there = f"its values go from {low:g} to {high:g}" if low <= high else "it holds no number"
        what = "it is 0 in every voxel" if label is None else f"no voxel has the value {label}; {there}"
        raise InputError(f"{path} is an empty mask: {what}; give another")
    if one_region and len(found.values) > 1 and all(value == round(value) for value in found.values):
        labels = ", ".join(f"{value:g}" for value in sorted(found.values)[:5])
        raise InputError(
            f"{path} holds several labels ({labels}{', ...' if len(found.values) > 5 else ''}), not the mask of one "
            "region; say which one is meant (--label N)"
        )
    return found.inside


def _check_rest(image: ImageFile, expected: int, file: Decoded) -> None:
    """Read to the end, so that checksums are compared, and refuse more than the header speaks of."""
    rest = file.finish() if image.kind else os.path.getsize(image.path) - file.place
    if rest < expected:
        raise InputError(
            f"{image.path} ends after byte {file.place}, {expected - rest} bytes before its last volume does; copy or "
            "download the file again"
        )
    if rest > expected + PADDING:
        raise InputError(
            f"{image.path} holds {rest - expected} bytes more than the {' x '.join(map(str, image.grid.shape))} x "
            f"{image.n_volume} voxels that its header says; mend the header"
        )


def _pass_over(fill: Callable[[memoryview], int], size: int, buffer: memoryview) -> None:
    while size:
        count = fill(buffer[: min(size, len(buffer))])
        if not count:
            return
        size -= count
