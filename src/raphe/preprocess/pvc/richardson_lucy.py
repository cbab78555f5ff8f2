"""Deconvolution after Richardson and Lucy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from raphe.preprocess.pvc.blur import blur_of
from raphe.preprocess.pvc.protocol import Floats, Frame
from raphe.preprocess.pvc.setting import Setting


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
    needs_tissue: ClassVar[bool] = False

    def correct(self, setting: Setting, frame: Floats) -> Frame:
        """Multiply again and again; negative values count as 0."""
        blur = blur_of(setting.grid, setting.blur.fwhm)
        positive = np.maximum(frame, 0)
        floor = 1e-6 * max(float(positive.max()), 1e-30)
        found = np.maximum(blur(positive), floor)
        for _ in range(self.iterations):
            found = np.asarray(found * blur(positive / np.maximum(blur(found), floor)), dtype=np.float32)
        return Frame(setting.means(found), found)


EXAMPLE = RichardsonLucy()
