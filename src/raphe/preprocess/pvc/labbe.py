"""Least squares over the voxels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from raphe.preprocess.pvc.protocol import Floats, Frame, Linear
from raphe.preprocess.pvc.setting import Setting

SINGULAR = 1e-9
"""Share of the largest singular value below which a combination of regions counts as not seen."""


@dataclass(frozen=True)
class Labbe:
    """Means of regions whose blurred sum is nearest to the image, voxel by voxel (Labbe et al. 1998)."""

    name: ClassVar[str] = "Labbe"
    title: ClassVar[str] = "least squares over voxels"
    citations: ClassVar[tuple[str, ...]] = ("labbe1998",)
    needs_tissue: ClassVar[bool] = False

    def linear(self, setting: Setting) -> Linear:
        """Sums over the blurred regions, and the inverse of the normal equations."""
        return Linear(np.asarray(np.linalg.pinv(setting.overlap, SINGULAR, hermitian=True)), setting.spread)

    def correct(self, setting: Setting, frame: Floats) -> Frame:
        """Solve the normal equations; a region without voxels is 0."""
        return Frame(self.linear(setting).means(frame))


EXAMPLE = Labbe()
