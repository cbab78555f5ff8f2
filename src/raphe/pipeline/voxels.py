"""The voxels of an image that are fitted: which they are, and their curves, in as many passes as the memory needs."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from raphe.data.record import Step
from raphe.errors import InputError
from raphe.io.dynamic import DynamicFile
from raphe.io.images import Consumer, Floats, Indices, Mean, Values, read_mask, stream
from raphe.pipeline.memory import OF_MAP, SPARE, WORKING, WaysOut, held, voxels_at_once

Tell = Callable[[int, int, str], None]

SHARE = 0.1
"""Share of the robust maximum that the mean activity of a voxel must exceed to be in the mask; an assumption.

Low enough for white matter and the reference regions of tracers that bind strongly elsewhere; air and most of the noise
around the head are below. The skin and the neck are not left out.
"""

ROBUST = 99.0
"""Percentile of the voxels' mean activity that stands for its maximum, so that a few hot voxels do not count."""

SAMPLE = 1_000_000
"""Voxels, evenly spread, that are enough for a percentile."""


class Voxels:
    """Curves of the voxels of a mask.

    Parameters
    ----------
    image : DynamicFile
    indices : ndarray of int, shape (n_voxel,)
        In the order of the file, ascending.
    at_once : int
        How many are held at once.
    tell : callable, optional
        Called with the volumes that are done, of how many, and what they are.
    besides : sequence of Values
        These collect other voxels when the file is decoded for the first time.
    """

    def __init__(
        self, image: DynamicFile, indices: Indices, at_once: int, tell: Tell | None, besides: Sequence[Values] = ()
    ) -> None:
        self.image, self.indices = image, indices
        self.n_decoded = 0
        self._tell, self._besides = tell, tuple(besides)
        edges = [*range(0, indices.size, at_once), indices.size]
        self._parts = [slice(first, stop) for first, stop in itertools.pairwise(edges)]
        self._room: Floats = np.empty(0, dtype=np.float32)
        self._held: int | None = None

    @property
    def n_part(self) -> int:
        """In how many parts the memory can hold the curves."""
        return len(self._parts)

    def begin(self) -> None:
        """Read the first part, and what is collected besides."""
        if self._held is None:
            self._read(0)

    def parts(self) -> Iterator[tuple[int, slice, Floats]]:
        """Give the curves part by part, in kBq/mL, shape (n_frame, n_part), each with its number and its voxels.

        What was given before is overwritten. The part that is held comes first.
        """
        for number in sorted(range(self.n_part), key=lambda one: one != self._held):
            if number != self._held:
                self._read(number)
            yield number, self._parts[number], self._values(number)

    def hold(self, everything: Floats) -> None:
        """Take the curves of all voxels of the image, of which those of the mask are kept, in the same place.

        Parameters
        ----------
        everything : ndarray, shape (n_frame, n_voxel of the image)
            It is used up: nothing else may hold it.
        """
        n_frame, n_kept = len(everything), self.indices.size
        flat = everything.reshape(-1)
        for frame, row in enumerate(everything):
            flat[frame * n_kept : (frame + 1) * n_kept] = row[self.indices]
        del flat, row
        everything.resize(n_frame * n_kept, refcheck=False)  # gives the rest of the memory back
        self._room, self._held, self._besides = everything, 0, ()
        self.n_decoded = 1

    def _read(self, number: int) -> None:
        if not self._room.size:
            self._room = np.empty(len(self.image.frames) * self._size(0), dtype=np.float32)
        self._held = None
        found = Values(self.indices[self._parts[number]], self.image.file, self.image.factors, self._values(number))
        decode(self.image, (found, *self._besides), self._tell)
        self.n_decoded += 1
        self._held, self._besides = number, ()

    def _size(self, number: int) -> int:
        part = self._parts[number]
        return int(part.stop - part.start)

    def _values(self, number: int) -> Floats:
        n_frame = len(self.image.frames)
        return self._room[: n_frame * self._size(number)].reshape(n_frame, -1)


def masked_by(
    path: Path,
    image: DynamicFile,
    *,
    map_bytes: int,
    workers: int,
    limit: int,
    tell: Tell | None = None,
    besides: Sequence[Values] = (),
    ways: WaysOut = OF_MAP,
) -> tuple[Voxels, Step]:
    """Voxels of a mask that is given.

    Parameters
    ----------
    path : Path
        Of the mask.
    image : DynamicFile
    map_bytes : int
        Of all maps, for each voxel.
    workers : int
        Threads.
    limit : int, bytes
        What the process may hold.
    tell, besides
        As of :class:`Voxels`.
    ways : WaysOut
        For messages.

    Raises
    ------
    InputError
        If the mask cannot be used, or the limit is too low.
    """
    indices = np.flatnonzero(read_mask(path, image.file.grid, image.path))
    at_once = voxels_at_once(indices.size, len(image.frames), map_bytes, workers, limit, ways=ways)
    step = Step("mask", {"file": str(path), "n_voxel": int(indices.size)})
    return Voxels(image, indices, at_once, tell, besides), step


def masked_by_activity(
    image: DynamicFile,
    *,
    map_bytes: int,
    workers: int,
    limit: int,
    tell: Tell | None = None,
    besides: Sequence[Values] = (),
    ways: WaysOut = OF_MAP,
) -> tuple[Voxels, Step]:
    """Voxels whose mean activity exceeds :data:`SHARE` of the robust maximum.

    The mean is weighted by the frames' durations. Where all voxels of the image fit into the memory, the file is
    decoded once; else once more.

    Parameters
    ----------
    image, map_bytes, workers, limit, tell, besides, ways
        As of :func:`masked_by`.

    Raises
    ------
    InputError
        If no voxel has any activity, or the limit is too low.
    """
    file, frames = image.file, image.frames
    duration = frames.duration / frames.duration.sum()
    mean = Mean(file, duration * image.factors)
    n_voxel = file.grid.n_voxel
    room = limit - held() - SPARE - workers * WORKING - n_voxel * (map_bytes + 8 + 4)
    everything = Values(None, file, image.factors) if 4 * n_voxel * len(frames) <= room else None
    decode(image, (mean, *([everything] if everything else []), *besides), tell)
    highest = float(np.percentile(mean.mean[:: max(1, n_voxel // SAMPLE)], ROBUST))
    indices = np.flatnonzero(mean.mean > SHARE * highest) if highest > 0 else np.empty(0, dtype=np.intp)
    if not indices.size:
        raise InputError(
            f"{image.path}: no voxel has any activity (the {ROBUST:g}th percentile of the mean is {highest:g} kBq/mL), "
            f"so no mask can be made; {ways.mask}"
        )
    step = Step(
        "mask",
        {"share": SHARE, "percentile": ROBUST, "threshold": SHARE * highest, "n_voxel": int(indices.size)},
    )
    if everything is not None:
        voxels = Voxels(image, indices, indices.size, tell)
        voxels.hold(everything.values)
        return voxels, step
    del mean
    at_once = voxels_at_once(indices.size, len(frames), map_bytes, workers, limit, ways=ways)
    voxels = Voxels(image, indices, at_once, tell)
    voxels.n_decoded = 1
    return voxels, step


def decode(image: DynamicFile, consumers: Sequence[Consumer], tell: Tell | None) -> None:
    """Decode the volumes of an image that are used."""

    def progress(done: int, total: int) -> None:
        if tell is not None:
            tell(done, total, f"volumes of {image.path.name}")

    stream(image.file, consumers, image.volumes, progress)
