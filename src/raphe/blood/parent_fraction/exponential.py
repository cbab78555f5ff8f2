"""One exponential and a constant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from raphe.blood.falling import Falling, variants
from raphe.blood.protocol import RATE, SHARE, Example, Parameter, columns

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Exponential:
    r"""Fall to a final share, :math:`s(u) = a + (1 - a)\, e^{-k u}`.

    kinfitr's ``metab_exponential`` with its second rate at 0.

    References
    ----------
    Tonietto et al. 2016, J Cereb Blood Flow Metab 36:326, doi 10.1177/0271678X15610585.
    """

    name: ClassVar[str] = "exponential"
    title: ClassVar[str] = "one exponential and a constant"
    equation: ClassVar[str] = "s(u) = a + (1 - a) exp(-k u)"
    citations: ClassVar[tuple[str, ...]] = ("tonietto2016",)
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("a", SHARE, 0.0, 1.0, "share that is left in the end", True, True),
        Parameter("k", RATE, 1e-4, 20.0, "rate of the fall"),
    )
    grid: ClassVar[tuple[tuple[float, ...], ...]] = ((0.0, 0.1, 0.4), (0.003, 0.01, 0.03, 0.1, 0.3, 1.0))

    def share(self, theta: Array, since: Array) -> Array:
        """Share that is left ``since`` (n,) min after the fall began; theta (..., 2), gives (..., n)."""
        a, k = columns(theta)
        return np.asarray(a + (1 - a) * np.exp(-k * since))

    def ordered(self, theta: Array) -> Array:
        """The same; no terms can be exchanged."""
        return theta


EXAMPLE = Example(Falling(Exponential()), (0.2, 0.05), variants(Exponential()))
