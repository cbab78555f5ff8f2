"""Ratio on a straight line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from raphe.blood.protocol import RATE, SHARE, Example, Parameter, Problem, Solution, columns
from raphe.blood.search import search

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Linear:
    """Ratio of plasma to whole blood on a straight line, r(t) = a + b t."""

    label: ClassVar[str] = "linear"
    title: ClassVar[str] = "straight line"
    equation: ClassVar[str] = "r(t) = a + b t"
    citations: ClassVar[tuple[str, ...]] = ()
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("a", SHARE, 0.0, 10.0, "ratio at injection", of_peak=True),
        Parameter("b", RATE, -10.0, 10.0, "slope", of_peak=True),
    )

    def curve(self, theta: Array, time: Array) -> Array:
        """Ratio of parameters (..., 2) at times (n,), shape (..., n)."""
        a, b = columns(theta)
        return np.asarray(a + b * time)

    def starts(self, problem: Problem) -> Array:
        """The weighted mean, without a slope."""
        return np.array([[np.average(problem.value, weights=problem.weights), 0.0]])

    def kinks(self, theta: Array) -> Array:
        """None."""
        return np.empty(0)

    def ordered(self, theta: Array) -> Array:
        """The same; no terms can be exchanged."""
        return theta

    def estimate(self, problem: Problem) -> Solution:
        """Curve and parameters of the samples."""
        return search(self, problem)


EXAMPLE = Example(Linear(), (1.1, 0.004), (Linear(),))
