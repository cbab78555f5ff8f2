"""All that partial-volume corrections of one scan have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import ndimage, sparse

from raphe.core.resample import resample
from raphe.data.image import Grid
from raphe.data.volume import Volume
from raphe.preprocess.extract import RegionShares
from raphe.preprocess.pvc.blur import Blur, BlurByPlace, OffCentre, blur_of_shares

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

SURROUNDINGS = "surroundings"
"""Name of the region that holds what is around the others."""

MARGIN = 2.0
"""How far the surroundings reach, in FWHM; beyond, there is nothing. An assumption."""

NONE = 1e-6
"""Voxels below which a region is not in the field of view."""


@dataclass(frozen=True, eq=False)
class Setting:
    """All that a correction is given but the image.

    Parameters
    ----------
    regions : RegionShares
        They cover whatever holds activity, what is around the brain included.
    blur : Blur or BlurByPlace
        Of the scanner.
    spread : scipy.sparse.csr_array of float32, shape (n_region, n_voxel)
        Each region after the blur.
    grey, white : ndarray of float32, shape ``grid.shape``, or None
        Probability of tissue.
    wholes : mapping of str to tuple of str
        Of what means are told: names, and the regions of which each consists.
    """

    regions: RegionShares
    blur: Blur | BlurByPlace
    spread: sparse.csr_array
    grey: Floats | None
    white: Floats | None
    wholes: Mapping[str, tuple[str, ...]]

    @property
    def grid(self) -> Grid:
        """Grid of the image."""
        return self.regions.grid

    @cached_property
    def size(self) -> Array:
        """Voxels of each region in the field of view, shape (n_region,)."""
        return np.asarray(self.regions.shares.sum(axis=1)).ravel()

    @cached_property
    def joins(self) -> Array:
        """Share of each region in each of the wholes, by their voxels in the field of view, (n_whole, n_region)."""
        index = {name: at for at, name in enumerate(self.regions.names)}
        shares = np.zeros((len(self.wholes), len(index)))
        for row, parts in zip(shares, self.wholes.values(), strict=True):
            at = [index[part] for part in parts]
            row[at] = self.size[at]
        total = shares.sum(axis=1, keepdims=True)
        return np.asarray(np.where(total < NONE, 0.0, shares / np.maximum(total, NONE)))

    def joined(self, means: Array) -> Array:
        """Means of the wholes from those of the regions, shape (n_whole, ...); NaN where a part of one has none."""
        known = np.isfinite(means)
        found = self.joins @ np.where(known, means, 0.0)
        found[(self.joins > 0) @ ~known | ~self.joins.any(axis=1).reshape(-1, *[1] * (means.ndim - 1))] = np.nan
        return np.asarray(found)

    @cached_property
    def volumes(self) -> Array:
        """Of the wholes as they were drawn, shape (n_whole,), mm3."""
        own = dict(zip(self.regions.names, self.regions.volumes, strict=True))
        return np.array([sum(own[part] for part in parts) for parts in self.wholes.values()])

    @cached_property
    def averaging(self) -> sparse.csr_array:
        """Weights of voxels in the mean of each region, shape (n_region, n_voxel)."""
        return sparse.csr_array(sparse.diags_array(1 / np.maximum(self.size, NONE)) @ self.regions.shares)

    @cached_property
    def transfer(self) -> Array:
        """Mean, over the region of the row, of the blurred region of the column, shape (n_region, n_region)."""
        transfer = (self.averaging @ self.spread.T.tocsr()).toarray().astype(np.float64)
        empty = self.size < NONE
        transfer[empty, empty] = 1.0
        return np.asarray(transfer)

    @cached_property
    def inverse(self) -> Array:
        """From means of the image to GTM's, shape (n_region, n_region)."""
        return np.asarray(np.linalg.inv(self.transfer), dtype=np.float64)

    @cached_property
    def overlap(self) -> Array:
        """Sum over voxels of the blurred region of the row times that of the column, shape (n_region, n_region)."""
        return np.asarray((self.spread @ self.spread.T.tocsr()).toarray(), dtype=np.float64)

    @cached_property
    def own(self) -> Array:
        """Blurred share of a region at each entry of ``regions.shares.data``."""
        shares, spread = self.regions.shares, self.spread
        found, whole = np.empty(shares.nnz), np.zeros(self.grid.n_voxel)
        for at in range(shares.shape[0]):
            there = slice(spread.indptr[at], spread.indptr[at + 1])
            inside = slice(shares.indptr[at], shares.indptr[at + 1])
            whole[spread.indices[there]] = spread.data[there]
            found[inside] = whole[shares.indices[inside]]
            whole[spread.indices[there]] = 0
        return found

    @cached_property
    def soft_grey(self) -> Floats:
        """Grey matter after the blur, shape ``grid.shape``."""
        assert self.grey is not None
        return self.blur(self.grey)

    @cached_property
    def soft_white(self) -> Floats:
        """White matter after the blur, shape ``grid.shape``."""
        assert self.white is not None
        return self.blur(self.white)

    def means(self, frame: Floats) -> Array:
        """Means of the regions in an image as it is, shape (n_region,); voxels that are no number are left out."""
        flat = frame.reshape(-1).astype(np.float64)
        good = np.isfinite(flat)
        if good.all():
            return np.asarray(self.averaging @ flat)
        weight = np.asarray(self.averaging @ good.astype(np.float64))
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.where(weight > 0, (self.averaging @ np.where(good, flat, 0)) / weight, np.nan))

    def gtm(self, frame: Floats) -> Array:
        """Means of the regions by GTM, shape (n_region,)."""
        return np.asarray(self.inverse @ self.means(frame))

    def with_width(self, factor: float) -> Setting:
        """Return the same regions under a blur that is so many times as wide."""
        blur = self.blur.times(factor)
        return replace(self, blur=blur, spread=blur.rows(self.regions.shares, self.grid.shape))


def setting_for(
    regions: RegionShares,
    fwhm: tuple[float, float, float],
    grey: Volume | None = None,
    white: Volume | None = None,
    wholes: Mapping[str, tuple[str, ...]] | None = None,
    off_centre: OffCentre | None = None,
) -> Setting:
    """Regions under the blur of a scanner.

    Parameters
    ----------
    regions : RegionShares
        White matter and fluid among them.
    fwhm : tuple of float, length 3, mm
        Resolution of the image along its axes, in the centre.
    grey, white : Volume, optional
        Probability of tissue, on the grid of the regions.
    wholes : mapping of str to tuple of str, optional
        Of what means are to be told, each by the regions of which it consists; without it, of every region. What has
        an activity of its own may so be told together with others.
    off_centre : OffCentre, optional
        Where the resolution is another off the axis; without it, it is the same everywhere.
    """
    blur = blur_of_shares(regions.grid, fwhm, off_centre)
    whole = with_surroundings(regions, fwhm if off_centre is None else off_centre.fwhm)
    of_grey, of_white = (None if one is None else one.values for one in (grey, white))
    told = {name: (name,) for name in regions.names} if wholes is None else wholes
    return Setting(whole, blur, blur.rows(whole.shares, whole.grid.shape), of_grey, of_white, told)


def with_surroundings(regions: RegionShares, fwhm: tuple[float, float, float]) -> RegionShares:
    """Regions, and one more that holds what is around and between them within :data:`MARGIN`."""
    covered = np.asarray(regions.shares.sum(axis=0)).ravel().reshape(regions.grid.shape)
    reach = [MARGIN * width / zoom for width, zoom in zip(fwhm, regions.grid.zooms, strict=True)]
    distance = ndimage.distance_transform_edt(covered <= 0, sampling=[1 / r for r in reach])
    rest = np.where(distance <= 1, np.clip(1 - covered, 0, 1), 0).reshape(-1)
    row = sparse.csr_array(rest[None])
    voxel = abs(np.linalg.det(regions.grid.affine[:3, :3]))
    return RegionShares(
        regions.grid,
        (*regions.names, SURROUNDINGS),
        sparse.csr_array(sparse.vstack([regions.shares, row])),
        np.append(regions.volumes, rest.sum() * voxel),
        np.append(regions.seen, np.nan),
    )


def tissue_on(image: Volume, grid: Grid, to_grid: Array) -> Volume:
    """Map of tissue on a coarser grid: means over its voxels."""
    zooms = np.array(grid.zooms) / np.array(image.grid.zooms)
    smooth = ndimage.gaussian_filter(image.values, 0.3 * zooms)
    found = resample(smooth, image.grid.affine, to_grid, grid.shape, grid.affine)
    return Volume(grid, np.asarray(found, dtype=np.float32))
