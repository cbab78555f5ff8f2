"""Iterative Yang correction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from raphe.preprocess.pvc.protocol import Floats, Frame
from raphe.preprocess.pvc.rbv import rescaled
from raphe.preprocess.pvc.setting import Setting


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
    needs_tissue: ClassVar[bool] = False

    def correct(self, setting: Setting, frame: Floats) -> Frame:
        """Frame times sharp over blurred, of the means that it has itself."""
        found = Frame(setting.means(frame))
        for _ in range(self.iterations):
            found = rescaled(setting, frame, found.means)
        return found


EXAMPLE = IterativeYang()
