"""The blur of a scanner, taken for a Gaussian."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage, sparse
from scipy.special import ive

from raphe.data.image import Grid

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

FWHM_TO_SIGMA = 1 / np.sqrt(8 * np.log(2))

TRUNCATE = 4.0
"""Standard deviations at which the Gaussian is cut."""

NARROW = 1e-3
"""Standard deviation in voxels below which there is no blur."""

TAIL = 4
"""Voxels further, for the kernel of a narrow blur falls slowly."""

POINTS, ALIASES = 512, 8
"""Frequencies at which the spectrum of a kernel is looked up, and its repetitions on either side."""

SMALL = 1e-6
"""Share of its highest value below which what was blurred counts as not there."""


@dataclass(frozen=True)
class Blur:
    """Gaussian blur on a grid; beyond its edge there is nothing.

    A narrow Gaussian cannot just be looked up at the voxels: of 2.6 mm on voxels of 2.6 mm, what is found is too narrow
    by a fifth. So the kernel depends on what is blurred; on fine voxels all three are the same.

    Parameters
    ----------
    fwhm : tuple of float, length 3, mm
        Along the axes of the grid; 0 for none.
    zooms : tuple of float, length 3, mm
    what : {"image", "shares", "noise"}
        An image: the discrete Gaussian (Lindeberg, IEEE Trans Pattern Anal Mach Intell 1990;12:234-254), which is
        nowhere negative and has the variance of the Gaussian. Shares of voxels that regions have, with edges anywhere
        within voxels: the kernel that comes nearest to the blur of such edges. Independent noise that is to become
        coarse: the Gaussian at the voxels.
    """

    fwhm: tuple[float, float, float]
    zooms: tuple[float, float, float]
    what: Literal["image", "shares", "noise"] = "image"

    @cached_property
    def kernels(self) -> tuple[Array, ...]:
        """Weights along each axis, with a sum of 1."""
        kernel = {"image": _discrete, "shares": _of_edges, "noise": _sampled}[self.what]
        sigmas = (width * FWHM_TO_SIGMA / zoom for width, zoom in zip(self.fwhm, self.zooms, strict=True))
        return tuple(kernel(sigma) if sigma > NARROW else np.ones(1) for sigma in sigmas)

    def __call__(self, values: npt.NDArray[np.floating]) -> Floats:
        """Blurred image, of the same shape."""
        whole = np.asarray(values, dtype=np.float32)
        for axis, kernel in enumerate(self.kernels):
            if kernel.size > 1:
                whole = ndimage.correlate1d(whole, kernel, axis=axis, mode="constant")
        return whole

    def rows(self, rows: sparse.csr_array, shape: tuple[int, int, int]) -> sparse.csr_array:
        """Blurred images of which each is a row, shape (n_row, n_voxel); only the box around each is looked at."""
        if all(kernel.size == 1 for kernel in self.kernels):
            return rows
        return sparse.csr_array(sparse.vstack([self._row(rows[[at]], shape) for at in range(rows.shape[0])], "csr"))

    def times(self, factor: float) -> Blur:
        """Blur of another width."""
        x, y, z = (factor * width for width in self.fwhm)
        return replace(self, fwhm=(x, y, z))

    @property
    def gain(self) -> float:
        """Standard deviation that the blur leaves of independent noise of 1."""
        return float(np.sqrt(np.prod([(kernel**2).sum() for kernel in self.kernels])))

    def _row(self, row: sparse.csr_array, shape: tuple[int, int, int]) -> sparse.csr_array:
        own = row.tocoo()
        if own.nnz == 0:
            return row
        index = np.stack(np.unravel_index(own.coords[1], shape))
        reach = np.array([kernel.size // 2 for kernel in self.kernels])
        low = np.maximum(index.min(axis=1) - reach, 0)
        high = np.minimum(index.max(axis=1) + 1 + reach, shape)
        box = np.zeros(high - low, dtype=np.float32)
        box[tuple(index - low[:, None])] = own.data
        soft = self(box)
        there = np.nonzero(np.abs(soft) > SMALL * np.abs(own.data).max())
        at = np.ravel_multi_index(tuple(part + first for part, first in zip(there, low, strict=True)), shape)
        return sparse.csr_array((soft[there], at, [0, at.size]), shape=row.shape)


@dataclass(frozen=True, eq=False)
class BlurByPlace:
    """Blur that is wider off the scanner's axis, which is taken to lie in the middle of the grid's first two axes.

    Between that in the centre and another by the square of the distance, as far as a radius; the same beyond.

    Parameters
    ----------
    centre, off_centre : Blur
    share : ndarray of float32, shape (nx, ny, 1)
        Of the blur off the centre.
    """

    centre: Blur
    off_centre: Blur
    share: Floats

    @property
    def fwhm(self) -> tuple[float, float, float]:
        """Width in the centre along the axes of the grid, mm."""
        return self.centre.fwhm

    def __call__(self, values: npt.NDArray[np.floating]) -> Floats:
        """Blurred image, of the same shape."""
        return np.asarray((1 - self.share) * self.centre(values) + self.share * self.off_centre(values), np.float32)

    def rows(self, rows: sparse.csr_array, shape: tuple[int, int, int]) -> sparse.csr_array:
        """Blurred images of which each is a row, shape (n_row, n_voxel)."""
        share = np.broadcast_to(self.share, shape).reshape(-1)
        inner, outer = self.centre.rows(rows, shape).copy(), self.off_centre.rows(rows, shape).copy()
        inner.data *= 1 - share[inner.indices]
        outer.data *= share[outer.indices]
        return sparse.csr_array(inner + outer)

    def times(self, factor: float) -> BlurByPlace:
        """Blur of another width."""
        return replace(self, centre=self.centre.times(factor), off_centre=self.off_centre.times(factor))


class OffCentre(NamedTuple):
    """Resolution off the axis."""

    fwhm: tuple[float, float, float]
    """Along the axes of the grid, mm."""
    radius: float
    """Distance from the axis, mm."""


def blur_of_shares(grid: Grid, fwhm: tuple[float, float, float], off_centre: OffCentre | None) -> Blur | BlurByPlace:
    """Blur of shares of voxels that regions have, wider off the axis where that is known."""
    centre = Blur(fwhm, grid.zooms, "shares")
    if off_centre is None:
        return centre
    x, y = ((np.arange(n) - (n - 1) / 2) * zoom for n, zoom in zip(grid.shape[:2], grid.zooms[:2], strict=True))
    share = np.minimum((x[:, None] ** 2 + y**2) / off_centre.radius**2, 1.0)[..., None].astype(np.float32)
    return BlurByPlace(centre, Blur(off_centre.fwhm, grid.zooms, "shares"), share)


def blur_of(grid: Grid, fwhm: tuple[float, float, float]) -> Blur:
    """Blur of an image on a grid."""
    return Blur(fwhm, grid.zooms)


def _places(sigma: float) -> npt.NDArray[np.intp]:
    reach = int(np.ceil(TRUNCATE * sigma)) + TAIL
    return np.arange(-reach, reach + 1)


def _discrete(sigma: float) -> Array:
    """Discrete Gaussian, sigma in voxels."""
    weights = ive(_places(sigma), sigma**2)
    return np.asarray(weights / weights.sum())


def _sampled(sigma: float) -> Array:
    """Gaussian at the voxels, sigma in voxels."""
    weights = np.exp(-((_places(sigma) / sigma) ** 2) / 2)
    return np.asarray(weights / weights.sum())


def _of_edges(sigma: float) -> Array:
    """Weights that come nearest to a Gaussian (sigma in voxels) for edges of regions, averaged over their places.

    An edge within a voxel has frequencies that voxels cannot tell apart. By least squares, the spectrum of the kernel
    is the mean of the Gaussian's at all that look alike, each weighed by the power that an edge, averaged over voxels,
    has there.
    """
    frequency = (np.arange(POINTS) + 0.5) / POINTS * np.pi
    alike = frequency + 2 * np.pi * np.arange(-ALIASES, ALIASES + 1)[:, None]
    power = (np.sin(alike / 2) / alike**2) ** 2
    spectrum = (power * np.exp(-((sigma * alike) ** 2) / 2)).sum(axis=0) / power.sum(axis=0)
    weights = np.cos(_places(sigma)[:, None] * frequency) @ spectrum
    return np.asarray(weights / weights.sum())
