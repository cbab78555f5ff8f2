"""Geometric transfer matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from raphe.preprocess.pvc.protocol import Floats, Frame, Linear
from raphe.preprocess.pvc.setting import Setting


@dataclass(frozen=True)
class GTM:
    """Means of regions from the shares that each has in the blurred means of all (Rousset et al. 1998)."""

    name: ClassVar[str] = "GTM"
    title: ClassVar[str] = "geometric transfer matrix"
    citations: ClassVar[tuple[str, ...]] = ("rousset1998",)
    needs_tissue: ClassVar[bool] = False

    def linear(self, setting: Setting) -> Linear:
        """Means of the image, and the inverse of the transfer matrix."""
        return Linear(setting.inverse, setting.averaging)

    def correct(self, setting: Setting, frame: Floats) -> Frame:
        """Solve observed = transfer x true."""
        return Frame(self.linear(setting).means(frame))


EXAMPLE = GTM()
