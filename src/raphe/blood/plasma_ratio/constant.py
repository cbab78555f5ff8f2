"""One ratio for all times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from raphe.blood.protocol import SHARE, Example, Parameter, Problem, Solution, columns
from raphe.blood.search import search

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Constant:
    """Ratio of plasma to whole blood that does not change, r(t) = a."""

    label: ClassVar[str] = "constant"
    title: ClassVar[str] = "constant"
    equation: ClassVar[str] = "r(t) = a"
    citations: ClassVar[tuple[str, ...]] = ()
    parameters: ClassVar[tuple[Parameter, ...]] = (Parameter("a", SHARE, 0.0, 10.0, "ratio", of_peak=True),)

    def curve(self, theta: Array, time: Array) -> Array:
        """Ratio of parameters (..., 1) at times (n,), shape (..., n)."""
        (a,) = columns(theta)
        return np.asarray(a + 0.0 * time)

    def starts(self, problem: Problem) -> Array:
        """The weighted mean."""
        return np.array([[np.average(problem.value, weights=problem.weights)]])

    def kinks(self, theta: Array) -> Array:
        """None."""
        return np.empty(0)

    def ordered(self, theta: Array) -> Array:
        """The same; no terms can be exchanged."""
        return theta

    def estimate(self, problem: Problem) -> Solution:
        """Curve and parameters of the samples."""
        return search(self, problem)


EXAMPLE = Example(Constant(), (1.3,), (Constant(),))
