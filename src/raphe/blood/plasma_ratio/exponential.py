"""Ratio that nears a constant along an exponential."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from raphe.blood.protocol import RATE, SHARE, Example, Parameter, Problem, Solution, columns, combinations
from raphe.blood.search import linear_starts, search

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Exponential:
    r"""Ratio of plasma to whole blood, :math:`r(t) = a + b\, e^{-k t}`, rising (b < 0) or falling to a."""

    label: ClassVar[str] = "exponential"
    title: ClassVar[str] = "one exponential and a constant"
    equation: ClassVar[str] = "r(t) = a + b exp(-k t)"
    citations: ClassVar[tuple[str, ...]] = ()
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("a", SHARE, 0.0, 10.0, "ratio in the end", low_is_physical=True, of_peak=True),
        Parameter("b", SHARE, -10.0, 10.0, "ratio at injection less that in the end", of_peak=True),
        Parameter("k", RATE, 1e-4, 10.0, "rate of the change"),
    )

    def curve(self, theta: Array, time: Array) -> Array:
        """Ratio of parameters (..., 3) at times (n,), shape (..., n)."""
        a, b, k = columns(theta)
        return np.asarray(a + b * np.exp(-k * time))

    def starts(self, problem: Problem) -> Array:
        """A grid of rates, with the amplitudes that fit best."""
        rate = combinations([0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0])

        def basis(k: Array) -> Array:
            tail = np.exp(-k * problem.time)
            return np.stack([np.ones_like(tail), tail], axis=1)

        return np.hstack([linear_starts(rate, basis, problem, positive=False), rate])

    def kinks(self, theta: Array) -> Array:
        """None."""
        return np.empty(0)

    def ordered(self, theta: Array) -> Array:
        """The same; no terms can be exchanged."""
        return theta

    def estimate(self, problem: Problem) -> Solution:
        """Curve and parameters of the samples."""
        return search(self, problem)


EXAMPLE = Example(Exponential(), (1.5, -0.6, 0.08), (Exponential(),))
