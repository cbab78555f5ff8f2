"""Iterative Yang correction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from raphe.preprocess.pvc.protocol import Floats, Setting
from raphe.preprocess.pvc.rbv import ratio

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class IterativeYang:
    """As RBV, with means of the corrected image itself, found again and again (Erlandsson et al. 2012).

    Parameters
    ----------
    iterations : int
    """

    iterations: int = 10
    name: ClassVar[str] = "IY"
    title: ClassVar[str] = "iterative Yang correction"
    citations: ClassVar[tuple[str, ...]] = ("erlandsson2012",)
    voxels: ClassVar[bool] = True
    needs_tissue: ClassVar[bool] = False

    def image(self, setting: Setting, frame: Floats, means: Array) -> Floats:
        """Frame times sharp over blurred, of the means that it has itself."""
        shares = setting.regions.shares
        size = np.maximum(np.asarray(shares.sum(axis=1)).ravel(), 1e-9)
        corrected = frame
        for _ in range(self.iterations):
            own = np.asarray(shares @ corrected.reshape(-1)) / size
            corrected = np.asarray(frame * ratio(setting, own))
        return corrected


EXAMPLE = IterativeYang()
