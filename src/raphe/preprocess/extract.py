"""Regions on the grid of the PET, and the curves of an image in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from raphe.core.resample import NEAREST, at_places
from raphe.data.image import Grid
from raphe.data.record import Step
from raphe.data.tacs import TACs
from raphe.data.volume import DynamicImage, Labels

Array = npt.NDArray[np.float64]

SAMPLES = 3
"""Points along each axis of a voxel that are looked up among the labels."""


@dataclass(frozen=True, eq=False)
class RegionShares:
    """How much of each voxel belongs to each region.

    Parameters
    ----------
    grid : Grid
    names : tuple of str
    shares : scipy.sparse.csr_array, shape (n_region, n_voxel)
        From 0 to 1; voxels in the order of ``reshape(-1)`` of an array of ``grid.shape``.
    volumes : ndarray, shape (n_region,), mm3
        Of the regions as they were drawn, whether in the field of view or not.
    seen : ndarray, shape (n_region,)
        Share of each region that lies in the field of view; NaN for one without voxels.
    """

    grid: Grid
    names: tuple[str, ...]
    shares: sparse.csr_array
    volumes: Array
    seen: Array

    def rows(self, names: tuple[str, ...]) -> RegionShares:
        """Some of the regions, in the order of ``names``."""
        at = [self.names.index(name) for name in names]
        return RegionShares(self.grid, names, self.shares[at], self.volumes[at], self.seen[at])

    def joined(self, wholes: Mapping[str, tuple[str, ...]]) -> RegionShares:
        """Regions that consist of these, in the order of ``wholes``."""
        index = {name: at for at, name in enumerate(self.names)}
        row = np.repeat(np.arange(len(wholes)), [len(parts) for parts in wholes.values()])
        part = np.array([index[name] for parts in wholes.values() for name in parts], dtype=np.intp)
        joins = sparse.csr_array((np.ones(row.size), (row, part)), shape=(len(wholes), len(index)))
        volumes = joins @ self.volumes
        inside = joins @ (np.nan_to_num(self.seen) * self.volumes)
        seen = np.divide(inside, volumes, out=np.full(len(wholes), np.nan), where=volumes > 0)
        return RegionShares(self.grid, tuple(wholes), sparse.csr_array(joins @ self.shares), volumes, seen)

    def within(self, seen: npt.NDArray[np.bool_]) -> RegionShares:
        """The same without voxels outside a mask of shape ``grid.shape``; volumes stay those of the whole regions."""
        kept = sparse.csr_array(self.shares.multiply(seen.ravel()[None]))
        before, after = (np.asarray(one.sum(axis=1)).ravel() for one in (self.shares, kept))
        left = np.divide(after, before, out=np.zeros_like(before), where=before > 0)
        return RegionShares(self.grid, self.names, kept, self.volumes, self.seen * left)

    def labels(self) -> Labels:
        """Region with the largest share of each voxel, where at least half of the voxel belongs to some."""
        whole = np.asarray(self.shares.sum(axis=0)).ravel()
        best = np.asarray(self.shares.argmax(axis=0)).ravel() + 1
        number = np.where(whole >= 0.5, best, 0).astype(np.int32).reshape(self.grid.shape)
        return Labels(self.grid, number, {at: name for at, name in enumerate(self.names, start=1)})


def region_shares(labels: Labels, grid: Grid, to_grid: Array) -> tuple[RegionShares, Step]:
    """Shares of the voxels of a grid, by looking up places within each of them.

    Parameters
    ----------
    labels : Labels
        Regions in another space, usually of finer voxels.
    grid : Grid
        Of the PET.
    to_grid : ndarray, shape (4, 4), mm to mm
        From the space of the labels to that of the grid.
    """
    numbers = np.array(list(labels.names))
    row_of = np.full(int(max(numbers.max(initial=0), labels.values.max(initial=0))) + 1, -1)
    row_of[numbers] = np.arange(numbers.size)
    back = np.linalg.inv(to_grid)
    count = sparse.csr_array((numbers.size, grid.n_voxel))
    voxels = _near(labels, grid, to_grid)
    index = np.stack(np.unravel_index(voxels, grid.shape), axis=-1)
    for offset in _offsets():
        places = (index + offset) @ grid.affine[:3, :3].T + grid.affine[:3, 3]
        found = at_places(labels.values, labels.grid.affine, places @ back[:3, :3].T + back[:3, 3], NEAREST)
        row = row_of[found]
        hit = row >= 0
        count = count + sparse.csr_array(
            (np.ones(hit.sum()), (row[hit], voxels[hit])), shape=(numbers.size, grid.n_voxel)
        )
    volumes = labels.volumes
    names = tuple(labels.names[number] for number in numbers)
    sizes = np.array([volumes[name] for name in names])
    shares = RegionShares(grid, names, count / SAMPLES**3, sizes, _seen(labels, row_of, numbers.size, grid, to_grid))
    return shares, Step("regions_on_pet", {"samples": SAMPLES**3, "n_regions": len(names)})


def extract_curves(image: DynamicImage, regions: RegionShares) -> tuple[TACs, Step]:
    """Mean activity of each region in each frame, voxels weighted by their share; values that are no number left out.

    Parameters
    ----------
    image : DynamicImage
    regions : RegionShares

    Returns
    -------
    TACs
        kBq/mL; NaN for a region without voxels. Volumes are those of the regions as they were drawn.
    Step

    Raises
    ------
    InputError
        If the two are on different grids.
    """
    image.grid.check_same(regions.grid, "the image", "the regions' image")
    curves = np.empty((len(regions.names), len(image.frames)))
    for at in range(len(image.frames)):
        frame = image.activity[at].reshape(-1).astype(np.float64)
        good = np.isfinite(frame)
        total = regions.shares @ np.where(good, frame, 0.0)
        weight = regions.shares @ good.astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            curves[:, at] = np.where(weight > 0, total / weight, np.nan)
    return TACs(curves, image.frames, regions.names, regions.volumes), Step("extract", {"how": "mean"})


def merged(labels: Labels, parts: Mapping[str, tuple[str, ...]]) -> Labels:
    """Labels with some regions made of others; regions that are in none of ``parts`` keep their names."""
    numbers = {name: number for number, name in labels.names.items()}
    into = np.arange(max(labels.names, default=0) + 1)
    names = dict(labels.names)
    for whole, members in parts.items():
        there = [numbers[name] for name in members if name in numbers]
        if there:
            into[there] = there[0]
            for number in there:
                names.pop(number, None)
            names[there[0]] = whole
    return Labels(labels.grid, into[labels.values].astype(np.int32), names)


def _seen(labels: Labels, row_of: npt.NDArray[np.intp], n: int, grid: Grid, to_grid: Array) -> Array:
    """Share of the voxels of each label that lie within a grid."""
    where = np.argwhere(row_of[labels.values] >= 0)
    row = row_of[labels.values[tuple(where.T)]]
    to_index = np.linalg.inv(grid.affine) @ to_grid @ labels.grid.affine
    index = where @ to_index[:3, :3].T + to_index[:3, 3]
    inside = ((index >= -0.5) & (index <= np.array(grid.shape) - 0.5)).all(axis=1)
    whole, part = np.bincount(row, minlength=n), np.bincount(row, inside, minlength=n)
    share: Array = np.divide(part, whole, out=np.full(n, np.nan), where=whole > 0)
    return share


def _offsets() -> list[Array]:
    line = (np.arange(SAMPLES) + 0.5) / SAMPLES - 0.5
    return [np.array([x, y, z]) for x in line for y in line for z in line]


def _near(labels: Labels, grid: Grid, to_grid: Array) -> npt.NDArray[np.intp]:
    """Voxels of the grid in the box around all labels."""
    where = np.argwhere(np.isin(labels.values, list(labels.names)))
    if where.size == 0:
        return np.zeros(0, dtype=np.intp)
    low, high = where.min(axis=0) - 1, where.max(axis=0) + 1
    corners = np.array(
        [[x, y, z, 1.0] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])]
    )
    index = (np.linalg.inv(grid.affine) @ to_grid @ labels.grid.affine @ corners.T)[:3]
    first = np.clip(np.floor(index.min(axis=1)).astype(int) - 1, 0, grid.shape)
    last = np.clip(np.ceil(index.max(axis=1)).astype(int) + 2, 0, grid.shape)
    box = np.ix_(*(np.arange(a, b) for a, b in zip(first, last, strict=True)))
    return np.asarray(np.ravel_multi_index(box, grid.shape)).ravel().astype(np.intp)
