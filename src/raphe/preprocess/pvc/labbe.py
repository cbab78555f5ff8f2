"""Least squares over the voxels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from raphe.preprocess.pvc.protocol import Floats, Setting

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Labbe:
    """Means of regions whose blurred sum is nearest to the image, voxel by voxel (Labbe et al. 1998)."""

    name: ClassVar[str] = "Labbe"
    title: ClassVar[str] = "least squares over voxels"
    citations: ClassVar[tuple[str, ...]] = ("labbe1998",)
    voxels: ClassVar[bool] = False
    needs_tissue: ClassVar[bool] = False

    def means(self, setting: Setting, frame: Floats, observed: Array) -> Array:
        """Solve the normal equations; a region without voxels is 0."""
        spread = setting.spread
        found = np.linalg.lstsq((spread @ spread.T).astype(np.float64), spread @ frame.reshape(-1), rcond=1e-9)[0]
        return np.asarray(found, dtype=np.float64)


EXAMPLE = Labbe()
