"""What a partial-volume correction is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from raphe.data.image import Grid
from raphe.preprocess.extract import RegionShares
from raphe.preprocess.pvc.blur import Blur

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Setting:
    """All that a correction is given but the image.

    Parameters
    ----------
    regions : RegionShares
        They cover whatever holds activity, what is around the brain included.
    spread : ndarray of float32, shape (n_region, n_voxel)
        Each region after the blur of the scanner.
    transfer : ndarray, shape (n_region, n_region)
        Mean, over the region of the row, of the blurred region of the column.
    grey, white : ndarray of float32, shape ``grid.shape``, or None
        Probability of tissue.
    blur : Blur
    """

    regions: RegionShares
    spread: Floats
    transfer: Array
    grey: Floats | None
    white: Floats | None
    blur: Blur

    @property
    def grid(self) -> Grid:
        """Grid of the image."""
        return self.regions.grid


@runtime_checkable
class Correction(Protocol):
    """A frozen dataclass whose fields are what it assumes."""

    name: ClassVar[str]
    """As ``pvc-`` has it."""
    title: ClassVar[str]
    citations: ClassVar[tuple[str, ...]]
    voxels: ClassVar[bool]
    """Whether it corrects an image, and not the means of regions alone."""
    needs_tissue: ClassVar[bool]


class RegionCorrection(Correction, Protocol):
    """Corrects means of regions."""

    def means(self, setting: Setting, frame: Floats, observed: Array) -> Array:
        """Corrected means of one frame, shape (n_region,), from the image (``grid.shape``) and its own means."""
        ...


class VoxelCorrection(Correction, Protocol):
    """Corrects an image."""

    def image(self, setting: Setting, frame: Floats, means: Array) -> Floats:
        """Corrected frame, shape ``grid.shape``; ``means`` are those of the regions by GTM, shape (n_region,)."""
        ...
