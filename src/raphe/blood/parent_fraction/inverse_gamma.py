"""Distribution function of the inverse gamma distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincc

from raphe.blood.falling import Falling, variants
from raphe.blood.protocol import SHARE, TIME, Example, Parameter, columns

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class InverseGamma:
    r"""Fall to a final share, :math:`s(u) = 1 - (1 - a)\, Q(c, r / u)`, Q the upper regularised gamma function.

    kinfitr's ``metab_invgamma`` with its b = 1 - a and its rate d = r in seconds.

    References
    ----------
    Tonietto et al. 2016, J Cereb Blood Flow Metab 36:326, doi 10.1177/0271678X15610585.
    """

    name: ClassVar[str] = "inverse_gamma"
    title: ClassVar[str] = "inverse gamma distribution function"
    equation: ClassVar[str] = "s(u) = 1 - (1 - a) Q(c, r / u), Q the upper regularised gamma function"
    citations: ClassVar[tuple[str, ...]] = ("tonietto2016",)
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("a", SHARE, 0.0, 1.0, "share that is left in the end", True, True),
        Parameter("c", SHARE, 5e-2, 20.0, "shape"),
        Parameter("r", TIME, 1e-2, 1e4, "rate of the distribution, a time"),
    )
    grid: ClassVar[tuple[tuple[float, ...], ...]] = (
        (0.0, 0.1, 0.4),
        (0.3, 0.8, 2.0, 5.0),
        (0.5, 2.0, 8.0, 30.0, 100.0),
    )

    def share(self, theta: Array, since: Array) -> Array:
        """Share that is left ``since`` (n,) min after the fall began; theta (..., 3), gives (..., n)."""
        a, c, r = columns(theta)
        with np.errstate(divide="ignore"):
            return np.asarray(1 - (1 - a) * gammaincc(c, r / np.maximum(since, 0.0)))

    def ordered(self, theta: Array) -> Array:
        """The same; no terms can be exchanged."""
        return theta


EXAMPLE = Example(Falling(InverseGamma()), (0.05, 1.2, 10.0), variants(InverseGamma()))
