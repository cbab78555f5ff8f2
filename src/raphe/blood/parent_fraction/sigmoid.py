"""Sigmoid of Guo et al."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from raphe.blood.falling import Falling, variants
from raphe.blood.protocol import SHARE, TIME, Example, Parameter, columns

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sigmoid:
    r"""Fall to a final share, :math:`s(u) = \{[1 - u^3 / (u^3 + h^3)]^b + c\} / (1 + c)`.

    kinfitr's ``metab_sigmoid`` with its a = log10(h^3) for times in seconds.

    References
    ----------
    Guo et al. 2013, J Nucl Med 54:1915.
    """

    name: ClassVar[str] = "sigmoid"
    title: ClassVar[str] = "sigmoid function"
    equation: ClassVar[str] = "s(u) = ([1 - u^3 / (u^3 + h^3)]^b + c) / (1 + c)"
    citations: ClassVar[tuple[str, ...]] = ("guo2013", "tonietto2016")
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("h", TIME, 1e-2, 1e3, "time at which the fall begins to slow down"),
        Parameter("b", SHARE, 1e-2, 50.0, "steepness"),
        Parameter("c", SHARE, 0.0, 100.0, "c / (1 + c) is left in the end", low_is_physical=True),
    )
    grid: ClassVar[tuple[tuple[float, ...], ...]] = (
        (1.0, 4.0, 12.0, 40.0, 120.0),
        (0.1, 0.3, 0.8, 2.0),
        (0.0, 0.1, 0.5),
    )

    def share(self, theta: Array, since: Array) -> Array:
        """Share that is left ``since`` (n,) min after the fall began; theta (..., 3), gives (..., n)."""
        h, b, c = columns(theta)
        return np.asarray(((1 + (since / h) ** 3) ** -b + c) / (1 + c))

    def ordered(self, theta: Array) -> Array:
        """The same; no terms can be exchanged."""
        return theta


EXAMPLE = Example(Falling(Sigmoid()), (5.0, 0.4, 0.05), variants(Sigmoid()))
