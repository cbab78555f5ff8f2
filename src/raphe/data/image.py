"""Grids of voxels, and the voxels of a dynamic image that are of interest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from raphe.errors import InputError

SAME_PLACE = 1e-3
"""Largest difference between the affines of two images on one grid, mm: what is left of rounding in their headers."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Where the voxels of an image are. Grids are compared, never assumed to be alike.

    Parameters
    ----------
    shape : tuple of int, length 3
    affine : array_like, shape (4, 4), mm
        From indices of voxels to places.
    """

    shape: tuple[int, int, int]
    affine: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        affine = np.array(self.affine, dtype=float)
        affine.flags.writeable = False
        object.__setattr__(self, "affine", affine)

    @property
    def n_voxel(self) -> int:
        """Number of voxels."""
        return self.shape[0] * self.shape[1] * self.shape[2]

    @property
    def zooms(self) -> tuple[float, float, float]:
        """Sizes of a voxel along the three axes, mm."""
        x, y, z = np.linalg.norm(self.affine[:3, :3], axis=0).tolist()
        return x, y, z

    def check_same(self, other: Grid, own: object, others: object) -> None:
        """Refuse another grid than this one.

        Parameters
        ----------
        other : Grid
        own, others : object
            What to call the two images.

        Raises
        ------
        InputError
            If the shapes differ, or the affines by more than :data:`SAME_PLACE`; the message has both affines.
        """
        same = self.shape == other.shape and bool((np.abs(self.affine - other.affine) <= SAME_PLACE).all())
        if not same:
            what = "shapes" if self.shape != other.shape else "affines"
            raise InputError(
                f"{others} is not on the grid of {own}: their {what} differ. {others} has {other}, {own} has {self}; "
                "resample the one to the other"
            )

    def __str__(self) -> str:
        rows = "; ".join(" ".join(f"{value:.6g}" for value in row) for row in self.affine[:3])
        return f"{' x '.join(map(str, self.shape))} voxels with the affine [{rows}]"
