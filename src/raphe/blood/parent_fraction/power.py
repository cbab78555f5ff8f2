"""Power function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from raphe.blood.falling import Falling, variants
from raphe.blood.protocol import SHARE, TIME, Example, Parameter, columns

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Power:
    r"""Fall that slows down, :math:`s(u) = [1 + (u / h)^b]^{-c}`.

    Watabe et al. have b = 2; a free b and h = 1/a are kinfitr's ``metab_power``.

    References
    ----------
    Watabe et al. 2000, J Cereb Blood Flow Metab 20:899; Tonietto et al. 2016, J Cereb Blood Flow Metab 36:326,
    doi 10.1177/0271678X15610585.
    """

    name: ClassVar[str] = "power"
    title: ClassVar[str] = "power function"
    equation: ClassVar[str] = "s(u) = [1 + (u / h)^b]^(-c)"
    citations: ClassVar[tuple[str, ...]] = ("watabe2000", "tonietto2016")
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("h", TIME, 1e-2, 1e3, "time at which the fall begins to slow down"),
        Parameter("b", SHARE, 0.5, 20.0, "steepness at first"),
        Parameter("c", SHARE, 1e-2, 20.0, "with b, steepness in the end"),
    )
    grid: ClassVar[tuple[tuple[float, ...], ...]] = (
        (1.0, 4.0, 12.0, 40.0, 120.0),
        (1.0, 2.0, 5.0),
        (0.1, 0.3, 0.8, 2.0),
    )

    def share(self, theta: Array, since: Array) -> Array:
        """Share that is left ``since`` (n,) min after the fall began; theta (..., 3), gives (..., n)."""
        h, b, c = columns(theta)
        with np.errstate(divide="ignore"):
            return np.asarray(np.exp(-c * np.logaddexp(0.0, b * (np.log(since) - np.log(h)))))

    def ordered(self, theta: Array) -> Array:
        """The same; no terms can be exchanged."""
        return theta


EXAMPLE = Example(Falling(Power()), (6.0, 2.5, 0.3), variants(Power()))
