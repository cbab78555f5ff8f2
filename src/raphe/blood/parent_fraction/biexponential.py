"""Two exponentials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from raphe.blood.falling import Falling, variants
from raphe.blood.protocol import RATE, SHARE, Example, Parameter, columns

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Biexponential:
    r"""Fall at two rates, :math:`s(u) = a\, e^{-k_s u} + (1 - a)\, e^{-k_f u}`.

    kinfitr's ``metab_exponential``.

    References
    ----------
    Tonietto et al. 2016, J Cereb Blood Flow Metab 36:326, doi 10.1177/0271678X15610585.
    """

    name: ClassVar[str] = "biexponential"
    title: ClassVar[str] = "two exponentials"
    equation: ClassVar[str] = "s(u) = a exp(-k_slow u) + (1 - a) exp(-k_fast u)"
    citations: ClassVar[tuple[str, ...]] = ("tonietto2016",)
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("a", SHARE, 0.0, 1.0, "share that falls slowly", True, True),
        Parameter("k_slow", RATE, 0.0, 20.0, "its rate", low_is_physical=True),
        Parameter("k_fast", RATE, 0.0, 20.0, "rate of the rest", low_is_physical=True),
    )
    grid: ClassVar[tuple[tuple[float, ...], ...]] = (
        (0.1, 0.3, 0.6),
        (0.001, 0.005, 0.02),
        (0.05, 0.15, 0.5, 1.5),
    )

    def share(self, theta: Array, since: Array) -> Array:
        """Share that is left ``since`` (n,) min after the fall began; theta (..., 3), gives (..., n)."""
        a, slow, fast = columns(theta)
        return np.asarray(a * np.exp(-slow * since) + (1 - a) * np.exp(-fast * since))

    def ordered(self, theta: Array) -> Array:
        """Same curve with the slow term first."""
        a, slow, fast = theta
        return theta if slow <= fast else np.array([1 - a, fast, slow])


EXAMPLE = Example(Falling(Biexponential()), (0.4, 0.006, 0.12), variants(Biexponential()))
