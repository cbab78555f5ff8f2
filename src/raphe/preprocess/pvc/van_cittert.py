"""Deconvolution after Van Cittert."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from raphe.preprocess.pvc.protocol import Floats, Setting

Array = npt.NDArray[np.float64]


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
    voxels: ClassVar[bool] = True
    needs_tissue: ClassVar[bool] = False

    def image(self, setting: Setting, frame: Floats, means: Array) -> Floats:
        """Add the blurred difference; the result is nowhere negative."""
        found = np.maximum(frame, 0)
        for _ in range(self.iterations):
            found = np.maximum(found + self.step * setting.blur(frame - setting.blur(found)), 0)
        return np.asarray(found, dtype=np.float32)


EXAMPLE = VanCittert()
