"""Grey matter between white matter and fluid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from raphe.preprocess.pvc.protocol import Floats, Setting

Array = npt.NDArray[np.float64]


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
    voxels: ClassVar[bool] = True
    needs_tissue: ClassVar[bool] = True

    def image(self, setting: Setting, frame: Floats, means: Array) -> Floats:
        """Activity of grey matter; not a number where there is little of it."""
        assert setting.grey is not None
        assert setting.white is not None
        grey, white = setting.blur(setting.grey), setting.blur(setting.white)
        inner = ndimage.minimum(white, white > 0, 1) if not (white > 0).any() else None
        threshold = min(self.pure, float(np.quantile(white[white > 0.5], 0.9))) if (white > 0.5).any() else np.inf
        told = frame[white >= threshold]
        of_white = float(told.mean()) if told.size and inner is None else 0.0
        enough = grey >= self.least
        return np.asarray(np.where(enough, (frame - of_white * white) / np.where(enough, grey, 1), np.nan), np.float32)


EXAMPLE = MuellerGaertner()
