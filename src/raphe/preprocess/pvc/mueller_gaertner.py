"""Grey matter between white matter and fluid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from raphe.preprocess.pvc.protocol import Floats, Frame
from raphe.preprocess.pvc.setting import Setting

WHITISH, PUREST = 0.5, 0.9
"""Blurred share of white matter that counts at all, and the quantile of such voxels that tells where none is pure."""


@dataclass(frozen=True)
class MuellerGaertner:
    """Image less what spills in from white matter, over the blurred grey matter (Mueller-Gaertner et al. 1992).

    White matter has one activity, the mean of the voxels that hardly anything else reaches; fluid has none.

    Parameters
    ----------
    least : float
        Blurred share of grey matter below which a voxel has no value.
    pure : float
        Blurred share of white matter from which a voxel tells its activity; the highest there are, where none has it.
    """

    least: float = 0.3
    pure: float = 0.95
    name: ClassVar[str] = "MG"
    title: ClassVar[str] = "Mueller-Gaertner correction"
    citations: ClassVar[tuple[str, ...]] = ("mullergartner1992",)
    needs_tissue: ClassVar[bool] = True

    def correct(self, setting: Setting, frame: Floats) -> Frame:
        """Activity of grey matter; not a number where there is little of it."""
        grey, white = setting.soft_grey, setting.soft_white
        whitish = white[white > WHITISH]
        of_white = 0.0
        if whitish.size:
            of_white = float(frame[white >= min(self.pure, float(np.quantile(whitish, PUREST)))].mean())
        enough = grey >= self.least
        image = np.where(enough, (frame - of_white * white) / np.where(enough, grey, 1), np.nan).astype(np.float32)
        return Frame(setting.means(image), image)


EXAMPLE = MuellerGaertner()
