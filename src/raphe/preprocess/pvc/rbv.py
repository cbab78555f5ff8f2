"""Region-based voxelwise correction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from raphe.preprocess.pvc.protocol import Floats, Frame
from raphe.preprocess.pvc.setting import Setting

Array = npt.NDArray[np.float64]

FAINT = 0.01
"""Share of the highest mean below which a voxel of the blurred means holds nothing: over less, there is only noise."""


@dataclass(frozen=True)
class RBV:
    """Image times the ratio of what GTM's means are before and after the blur (Thomas et al. 2011)."""

    name: ClassVar[str] = "RBV"
    title: ClassVar[str] = "region-based voxelwise correction"
    citations: ClassVar[tuple[str, ...]] = ("thomas2011",)
    needs_tissue: ClassVar[bool] = False

    def correct(self, setting: Setting, frame: Floats) -> Frame:
        """Frame times sharp over blurred."""
        return rescaled(setting, frame, setting.gtm(frame))


def rescaled(setting: Setting, frame: Floats, means: Array) -> Frame:
    """Frame times what the means are, over the same after the blur.

    A voxel at an edge belongs to several regions, each of which is sharp within it. The mean of a region is therefore
    taken over its own part of each voxel, where the sharp image is its mean alone; the voxel of the image has the mean
    over all its parts.

    Parameters
    ----------
    setting : Setting
    frame : ndarray of float32, shape ``grid.shape``
    means : ndarray, shape (n_region,)
    """
    soft = setting.spread.T @ means.astype(np.float32)
    faint = np.abs(soft) < FAINT * max(float(np.abs(means).max()), 1e-30)
    over = np.where(faint, 1.0, frame.reshape(-1) / np.where(faint, 1.0, soft))
    sharp = np.where(faint, frame.reshape(-1), (setting.regions.shares.T @ means) * over)
    return Frame(means * (setting.averaging @ over), sharp.astype(np.float32).reshape(frame.shape))


EXAMPLE = RBV()
