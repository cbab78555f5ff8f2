"""Where every tissue of a head is: the value that phantoms are made of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from raphe.data.image import Grid

Labels = npt.NDArray[np.uint8]

AIR, GREY, OTHER_GREY, WHITE, FLUID = "air", "grey", "other_grey", "white", "fluid"
BONE, SOFT, BLOOD = "bone", "soft", "blood"
TISSUES = (AIR, GREY, OTHER_GREY, WHITE, FLUID, BONE, SOFT, BLOOD)
"""Kinds of tissue; all but the grey are known by that word alone. Other grey is that of no region."""

BRAIN = (GREY, OTHER_GREY, WHITE)
"""Those of the brain itself."""

MOST_PARCELS = 255


@dataclass(frozen=True, eq=False)
class Anatomy:
    """Labels of a head on a fine grid.

    Parameters
    ----------
    grid : Grid
        In the head's own space, mm; its axes are those of the space.
    labels : ndarray of uint8, shape ``grid.shape``
        Number of the parcel of each voxel; 0 is air.
    names : tuple of str
        Of the parcels, by their numbers: regions as the catalog has them, or words of :data:`TISSUES`.
    tissues : tuple of str
        The tissue of each parcel, of :data:`TISSUES`.
    """

    grid: Grid
    labels: Labels
    names: tuple[str, ...]
    tissues: tuple[str, ...]

    @property
    def regions(self) -> tuple[str, ...]:
        """Names of the parcels of grey matter."""
        return tuple(name for name, tissue in zip(self.names, self.tissues, strict=True) if tissue == GREY)

    def number(self, name: str) -> int:
        """Number of the parcel of that name."""
        return self.names.index(name)

    @cached_property
    def volumes(self) -> npt.NDArray[np.float64]:
        """Volume of each parcel, mm3, shape (n_parcel,)."""
        count = np.bincount(self.labels.ravel(), minlength=len(self.names))
        return np.asarray(count * abs(np.linalg.det(self.grid.affine[:3, :3])))

    @cached_property
    def centre(self) -> npt.NDArray[np.float64]:
        """Centre of the brain in the head's own space, mm, shape (3,)."""
        brain = [number for number, tissue in enumerate(self.tissues) if tissue in BRAIN]
        at = np.argwhere(np.isin(self.labels, brain)).mean(axis=0)
        return np.asarray(self.grid.affine[:3, :3] @ at + self.grid.affine[:3, 3])

    @cached_property
    def radius(self) -> float:
        """Mean distance of the head's voxels from its centre over that of a ball of radius 1, mm."""
        at = np.argwhere(self.labels > 0)
        places = at @ self.grid.affine[:3, :3].T + self.grid.affine[:3, 3]
        return float(np.linalg.norm(places - places.mean(axis=0), axis=1).mean() / 0.75)
