"""Deconvolution after Richardson and Lucy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from raphe.preprocess.pvc.protocol import Floats, Setting

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RichardsonLucy:
    """Image that, blurred, is likely to have given the measured one (Tohka and Reilhac 2008). It needs no regions.

    Parameters
    ----------
    iterations : int
        More recover more and make more noise.
    """

    iterations: int = 10
    name: ClassVar[str] = "RL"
    title: ClassVar[str] = "Richardson-Lucy deconvolution"
    citations: ClassVar[tuple[str, ...]] = ("tohka2008",)
    voxels: ClassVar[bool] = True
    needs_tissue: ClassVar[bool] = False

    def image(self, setting: Setting, frame: Floats, means: Array) -> Floats:
        """Multiply again and again; negative values count as 0."""
        positive = np.maximum(frame, 0)
        floor = 1e-6 * max(float(positive.max()), 1e-30)
        found = np.maximum(setting.blur(positive), floor)
        for _ in range(self.iterations):
            found = np.asarray(found * setting.blur(positive / np.maximum(setting.blur(found), floor)))
        return np.asarray(found, dtype=np.float32)


EXAMPLE = RichardsonLucy()
