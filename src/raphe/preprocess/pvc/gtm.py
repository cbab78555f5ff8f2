"""Geometric transfer matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from raphe.preprocess.pvc.protocol import Floats, Setting

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class GTM:
    """Means of regions from the shares that each has in the blurred means of all (Rousset et al. 1998)."""

    name: ClassVar[str] = "GTM"
    title: ClassVar[str] = "geometric transfer matrix"
    citations: ClassVar[tuple[str, ...]] = ("rousset1998",)
    voxels: ClassVar[bool] = False
    needs_tissue: ClassVar[bool] = False

    def means(self, setting: Setting, frame: Floats, observed: Array) -> Array:
        """Solve observed = transfer x true."""
        return np.asarray(np.linalg.solve(setting.transfer, observed))


EXAMPLE = GTM()
