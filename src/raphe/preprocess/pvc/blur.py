"""The blur of a scanner, taken for a Gaussian."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from raphe.data.image import Grid

Floats = npt.NDArray[np.float32]

FWHM_TO_SIGMA = 1 / np.sqrt(8 * np.log(2))

TRUNCATE = 4.0
"""Standard deviations at which the Gaussian is cut."""


@dataclass(frozen=True)
class Blur:
    """Gaussian blur on a grid; beyond its edge there is nothing.

    Parameters
    ----------
    fwhm : tuple of float, length 3, mm
        Along the axes of the grid.
    zooms : tuple of float, length 3, mm
    """

    fwhm: tuple[float, float, float]
    zooms: tuple[float, float, float]

    def __call__(self, values: npt.NDArray[np.floating]) -> Floats:
        """Blurred image, of the same shape."""
        sigma = [width * FWHM_TO_SIGMA / zoom for width, zoom in zip(self.fwhm, self.zooms, strict=True)]
        whole = np.asarray(values, dtype=np.float32)
        return np.asarray(ndimage.gaussian_filter(whole, sigma, mode="constant", truncate=TRUNCATE))

    @property
    def reach(self) -> tuple[int, ...]:
        """Voxels along each axis beyond which a blurred point is nothing."""
        return tuple(
            int(np.ceil(TRUNCATE * width * FWHM_TO_SIGMA / zoom)) + 1
            for width, zoom in zip(self.fwhm, self.zooms, strict=True)
        )


def blur_of(grid: Grid, fwhm: tuple[float, float, float]) -> Blur:
    """Blur of a width on a grid."""
    return Blur(fwhm, grid.zooms)
