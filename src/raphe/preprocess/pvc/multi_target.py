"""Multi-target correction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from raphe.preprocess.pvc.protocol import Floats, Setting

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class MultiTarget:
    """In each region, what spills in from all others is taken away and what spills out is given back.

    The others have GTM's means (Erlandsson et al. 2012, section on multi-target correction).

    Parameters
    ----------
    least : float
        Blurred share of its own region below which a voxel has no value.
    """

    least: float = 0.2
    name: ClassVar[str] = "MTC"
    title: ClassVar[str] = "multi-target correction"
    citations: ClassVar[tuple[str, ...]] = ("erlandsson2012",)
    voxels: ClassVar[bool] = True
    needs_tissue: ClassVar[bool] = False

    def image(self, setting: Setting, frame: Floats, means: Array) -> Floats:
        """Activity of the region that a voxel mostly belongs to; not a number where little of it is left there."""
        shares = setting.regions.shares
        best = np.asarray(shares.argmax(axis=0)).ravel()
        there = np.asarray(shares.sum(axis=0)).ravel() > 0.5
        whole = setting.spread.T @ means.astype(np.float32)
        own = setting.spread[best, np.arange(best.size)]
        enough = there & (own >= self.least)
        left = frame.reshape(-1) - (whole - own * means[best].astype(np.float32))
        values = np.where(enough, left / np.where(enough, own, 1), np.where(there, np.nan, frame.reshape(-1)))
        return np.asarray(values, dtype=np.float32).reshape(frame.shape)


EXAMPLE = MultiTarget()
