"""Deconvolution after Van Cittert."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from raphe.preprocess.pvc.blur import blur_of
from raphe.preprocess.pvc.protocol import Floats, Frame
from raphe.preprocess.pvc.setting import Setting


@dataclass(frozen=True)
class VanCittert:
    """Image to which what the blur has taken is added again and again, reblurred (Tohka and Reilhac 2008).

    It needs no regions.

    Parameters
    ----------
    iterations : int
    step : float
        Share of the difference that is added.
    """

    iterations: int = 15
    step: float = 1.5
    name: ClassVar[str] = "VC"
    title: ClassVar[str] = "reblurred Van Cittert deconvolution"
    citations: ClassVar[tuple[str, ...]] = ("tohka2008",)
    needs_tissue: ClassVar[bool] = False

    def correct(self, setting: Setting, frame: Floats) -> Frame:
        """Add the blurred difference; the result is nowhere negative."""
        blur = blur_of(setting.grid, setting.blur.fwhm)
        found = np.maximum(frame, 0)
        for _ in range(self.iterations):
            found = np.maximum(found + self.step * blur(frame - blur(found)), 0)
        return Frame(setting.means(found), found)


EXAMPLE = VanCittert()
