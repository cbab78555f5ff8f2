"""Hill function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from raphe.blood.falling import Falling, variants
from raphe.blood.protocol import SHARE, TIME, Example, Parameter, columns

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Hill:
    r"""Fall to a final share, :math:`s(u) = 1 - (1 - a)\, u^b / (h^b + u^b)`.

    kinfitr's ``metab_hill`` with its c = log10(h^b) for times in seconds.

    References
    ----------
    Tonietto et al. 2016, J Cereb Blood Flow Metab 36:326, doi 10.1177/0271678X15610585.
    """

    name: ClassVar[str] = "hill"
    title: ClassVar[str] = "Hill function"
    equation: ClassVar[str] = "s(u) = 1 - (1 - a) u^b / (h^b + u^b)"
    citations: ClassVar[tuple[str, ...]] = ("tonietto2016",)
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("a", SHARE, 0.0, 1.0, "share that is left in the end", True, True),
        Parameter("h", TIME, 1e-2, 1e3, "time at which half of the fall is done"),
        Parameter("b", SHARE, 0.5, 20.0, "steepness"),
    )
    grid: ClassVar[tuple[tuple[float, ...], ...]] = (
        (0.0, 0.1, 0.4),
        (1.0, 4.0, 12.0, 40.0, 120.0),
        (0.8, 1.5, 3.0, 8.0),
    )

    def share(self, theta: Array, since: Array) -> Array:
        """Share that is left ``since`` (n,) min after the fall began; theta (..., 3), gives (..., n)."""
        a, h, b = columns(theta)
        with np.errstate(divide="ignore"):
            return np.asarray(1 - (1 - a) * expit(b * (np.log(since) - np.log(h))))

    def ordered(self, theta: Array) -> Array:
        """The same; no terms can be exchanged."""
        return theta


EXAMPLE = Example(Falling(Hill()), (0.1, 15.0, 1.6), variants(Hill()))
