"""Images in memory: one volume, a dynamic scan, labels, and how one space goes over into another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from raphe.core.frames import Frames
from raphe.data.image import Grid
from raphe.errors import InputError

Floats = npt.NDArray[np.float32]
Whole = npt.NDArray[np.int32]
Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Volume:
    """One image.

    Parameters
    ----------
    grid : Grid
    values : ndarray of float32, shape ``grid.shape``
        0 where nothing was measured.
    """

    grid: Grid
    values: Floats

    def __post_init__(self) -> None:
        _same_shape(self.values.shape, self.grid.shape)


@dataclass(frozen=True, eq=False)
class DynamicImage:
    """A dynamic PET scan.

    Parameters
    ----------
    grid : Grid
    frames : Frames
        min from injection.
    activity : ndarray of float32, shape (n_frame, ``*grid.shape``), kBq/mL
        Decay-corrected to injection.
    half_life : float, min
    """

    grid: Grid
    frames: Frames
    activity: Floats
    half_life: float

    def __post_init__(self) -> None:
        _same_shape(self.activity.shape, (len(self.frames), *self.grid.shape))

    def frame(self, index: int) -> Volume:
        """One frame."""
        return Volume(self.grid, self.activity[index])


@dataclass(frozen=True, eq=False)
class Labels:
    """Regions of an image.

    Parameters
    ----------
    grid : Grid
    values : ndarray of int32, shape ``grid.shape``
        Number of the region of each voxel; 0 for none.
    names : mapping of int to str
        Name of each number that may stand there.
    """

    grid: Grid
    values: Whole
    names: Mapping[int, str]

    def __post_init__(self) -> None:
        _same_shape(self.values.shape, self.grid.shape)
        object.__setattr__(self, "names", MappingProxyType(dict(self.names)))

    @property
    def volumes(self) -> dict[str, float]:
        """Volume of each region, mm3, in the order of ``names``; 0 for one that no voxel has."""
        count = np.bincount(self.values.ravel(), minlength=max(self.names, default=0) + 1)
        voxel = abs(np.linalg.det(self.grid.affine[:3, :3]))
        return {name: float(count[number] * voxel) for number, name in self.names.items()}


def _same_shape(found: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    if found != wanted:
        raise InputError(f"values have the shape {found}, their grid and frames {wanted}")
