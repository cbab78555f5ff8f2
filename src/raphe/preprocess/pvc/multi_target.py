"""Multi-target correction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from raphe.preprocess.pvc.protocol import Floats, Frame
from raphe.preprocess.pvc.setting import Setting


@dataclass(frozen=True)
class MultiTarget:
    """In each region, what spills in from all others is taken away and what spills out is given back.

    The others have GTM's means (Erlandsson et al. 2012, section on multi-target correction).

    Parameters
    ----------
    least : float
        Blurred share of a region below which a voxel tells nothing of it.
    """

    least: float = 0.2
    name: ClassVar[str] = "MTC"
    title: ClassVar[str] = "multi-target correction"
    citations: ClassVar[tuple[str, ...]] = ("erlandsson2012",)
    needs_tissue: ClassVar[bool] = False

    def correct(self, setting: Setting, frame: Floats) -> Frame:
        """Activity of each region in each of its voxels; a voxel of the image has the mean over its regions."""
        shares, means = setting.regions.shares, setting.gtm(frame)
        flat = frame.reshape(-1).astype(np.float64)
        left = flat - setting.spread.T @ means.astype(np.float32)
        region = np.repeat(np.arange(shares.shape[0]), np.diff(shares.indptr))
        told = setting.own >= self.least
        values = means[region] + left[shares.indices] / np.where(told, setting.own, 1)
        share = np.where(told, shares.data, 0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            of_regions = np.bincount(region, share * values, means.size) / np.bincount(region, share, means.size)
            image = np.bincount(shares.indices, share * values, flat.size) / np.bincount(
                shares.indices, share, flat.size
            )
        covered = np.bincount(shares.indices, shares.data, flat.size) > 0
        image = np.where(covered, image, flat)
        return Frame(of_regions, image.astype(np.float32).reshape(frame.shape))


EXAMPLE = MultiTarget()
