"""What a partial-volume correction is."""

from __future__ import annotations

from typing import ClassVar, NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
from scipy import sparse

from raphe.preprocess.pvc.setting import Setting

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]


class Frame(NamedTuple):
    """A frame after the correction."""

    means: Array
    """Of the regions, shape (n_region,); NaN for a region that the correction says nothing of."""
    image: Floats | None = None
    """Shape ``grid.shape``, where voxels are corrected; not a number where the correction gives no value."""


@runtime_checkable
class Correction(Protocol):
    """A frozen dataclass whose fields are what it assumes."""

    name: ClassVar[str]
    """As ``pvc-`` has it."""
    title: ClassVar[str]
    citations: ClassVar[tuple[str, ...]]
    needs_tissue: ClassVar[bool]

    def correct(self, setting: Setting, frame: Floats) -> Frame:
        """Correct one frame, shape ``grid.shape``, all of it numbers."""
        ...


class Linear(NamedTuple):
    """Means of regions as a linear map of voxels, ``solve @ gather @ frame``."""

    solve: Array
    """Shape (n_region, n_region)."""
    gather: sparse.csr_array
    """Shape (n_region, n_voxel)."""

    def means(self, frame: Floats) -> Array:
        """Corrected means, shape (n_region,)."""
        return np.asarray(self.solve @ (self.gather @ frame.reshape(-1).astype(np.float64)))


@runtime_checkable
class LinearCorrection(Correction, Protocol):
    """A correction of means alone, whose noise is known by a formula."""

    def linear(self, setting: Setting) -> Linear:
        """Return what the correction is for every frame."""
        ...
