"""Carpets of a dynamic image: a few hundred places of the brain, sorted by tissue, over time.

After Power (2017, NeuroImage 154:150), who drew all voxels of a functional MRI in this way: what moves shows as edges
that run through many rows at one time. In PET each tissue rises and falls by itself, so that a row is held against the
mean curve of its tissue, and is the mean of some neighbours, for a voxel of a short frame is mostly noise.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from raphe.data.carpet import Carpet
from raphe.data.volume import DynamicImage
from raphe.nomenclature import FLUID, WHITE
from raphe.preprocess.extract import RegionShares

Array = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int32]

KINDS = ("grey matter", "white matter", "fluid", "reference")
"""Kinds of tissue from top to bottom; a voxel's number is its kind's place, counted from 1."""

ROWS = 220
"""So many rows are shared out by the tissues' numbers of voxels."""

LEAST_ROWS = 16
"""A tissue has so many rows at least, where it has as many voxels."""

SILENT = 0.02
"""A frame whose activity in a tissue is below this share of its highest tells nothing of that tissue."""


def kinds_of(shares: RegionShares, reference: RegionShares | None) -> Whole:
    """Kind of tissue of each voxel, shape (n_voxel,), as a place in :data:`KINDS` from 1; 0 where it is mostly none.

    Parameters
    ----------
    shares : RegionShares
        Of all regions and tissue; what is neither white matter nor fluid counts as grey.
    reference : RegionShares or None
        Of the reference region, which comes before the others.
    """
    place = np.array([{WHITE: 1, FLUID: 2}.get(name, 0) for name in shares.names])
    summed = np.stack([_sum(shares, np.flatnonzero(place == at)) for at in range(3)])
    kind = np.where(summed.max(axis=0) > 0.5, summed.argmax(axis=0) + 1, 0).astype(np.int32)
    if reference is not None:
        kind[_sum(reference, np.arange(len(reference.names))) > 0.5] = len(KINDS)
    return kind


def _sum(shares: RegionShares, rows: Whole | npt.NDArray[np.intp]) -> Array:
    return np.asarray(shares.shares[rows].sum(axis=0), dtype=np.float64).ravel()


def carpet(image: DynamicImage, kind: Whole, names: Sequence[str] = KINDS) -> Carpet:
    """Carpet of an image.

    Parameters
    ----------
    image : DynamicImage
    kind : ndarray of int, shape (n_voxel,)
        As of :func:`kinds_of`.
    names : sequence of str
        Of the kinds.
    """
    values = image.activity.reshape(len(image.frames), -1)
    height = _heights(image)
    total = int((kind > 0).sum())
    tissue: list[str] = []
    rows: list[Array] = [np.empty((0, len(image.frames)))]
    for number, name in enumerate(names, start=1):
        voxels = np.flatnonzero(kind == number)
        if not voxels.size:
            continue
        voxels = voxels[np.argsort(height[voxels], kind="stable")]
        n = min(voxels.size, max(LEAST_ROWS, round(ROWS * voxels.size / total)))
        ends = np.linspace(0, voxels.size, n + 1).round().astype(int)
        own = np.add.reduceat(values[:, voxels], ends[:-1], axis=1, dtype=np.float64) / np.diff(ends)
        rows.append(_departure(own.T, values[:, voxels].mean(axis=1, dtype=np.float64), image.frames.duration))
        tissue += [name] * n
    return Carpet(tuple(tissue), np.concatenate(rows))


def _heights(image: DynamicImage) -> Array:
    """Height of each voxel above the lowest, mm, shape (n_voxel,), by the header."""
    up = image.grid.affine[2, :3]
    x, y, z = (np.arange(n, dtype=float) for n in image.grid.shape)
    return np.asarray((up[0] * x[:, None, None] + up[1] * y[:, None] + up[2] * z).ravel())


def _departure(rows: Array, tissue: Array, duration: Array) -> Array:
    """Departure of rows, shape (n_row, n_frame), from the curve of their tissue, shape (n_frame,)."""
    told = tissue > SILENT * tissue.max(initial=0.0)
    weighted = np.where(told, duration * tissue, 0.0)
    size = rows @ weighted / max(float(tissue @ weighted), 1e-12)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(told, rows / (size[:, None] * np.where(told, tissue, 1.0)) - 1.0, np.nan)
