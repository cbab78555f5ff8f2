"""Region-based voxelwise correction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from raphe.preprocess.pvc.protocol import Floats, Setting

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RBV:
    """Image times the ratio of what GTM's means are before and after the blur (Thomas et al. 2011)."""

    name: ClassVar[str] = "RBV"
    title: ClassVar[str] = "region-based voxelwise correction"
    citations: ClassVar[tuple[str, ...]] = ("thomas2011",)
    voxels: ClassVar[bool] = True
    needs_tissue: ClassVar[bool] = False

    def image(self, setting: Setting, frame: Floats, means: Array) -> Floats:
        """Frame times sharp over blurred."""
        return np.asarray(frame * ratio(setting, means))


def ratio(setting: Setting, means: Array) -> Floats:
    """Image that is the means in the regions, over the same after the blur; 1 where that is nothing."""
    sharp = (setting.regions.shares.T @ means).reshape(setting.grid.shape)
    soft = (setting.spread.T @ means.astype(np.float32)).reshape(setting.grid.shape)
    small = np.abs(soft) < 1e-6 * max(float(np.abs(means).max()), 1e-30)
    return np.asarray(np.where(small, 1.0, sharp / np.where(small, 1.0, soft)), dtype=np.float32)


EXAMPLE = RBV()
