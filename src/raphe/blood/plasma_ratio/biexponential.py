"""Ratio along two exponentials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from raphe.blood.protocol import RATE, SHARE, Example, Parameter, Problem, Solution, columns, combinations
from raphe.blood.search import linear_starts, search

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Biexponential:
    r"""Ratio of plasma to whole blood, :math:`r(t) = a\, e^{-k_s t} + b\, e^{-k_f t}`, rising first if b < 0."""

    label: ClassVar[str] = "biexponential"
    title: ClassVar[str] = "two exponentials"
    equation: ClassVar[str] = "r(t) = a exp(-k_slow t) + b exp(-k_fast t)"
    citations: ClassVar[tuple[str, ...]] = ()
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("a", SHARE, -10.0, 10.0, "amplitude of the slow term", of_peak=True),
        Parameter("b", SHARE, -10.0, 10.0, "amplitude of the fast term", of_peak=True),
        Parameter("k_slow", RATE, 0.0, 10.0, "slow rate", low_is_physical=True),
        Parameter("k_fast", RATE, 0.0, 10.0, "fast rate", low_is_physical=True),
    )

    def curve(self, theta: Array, time: Array) -> Array:
        """Ratio of parameters (..., 4) at times (n,), shape (..., n)."""
        a, b, slow, fast = columns(theta)
        return np.asarray(a * np.exp(-slow * time) + b * np.exp(-fast * time))

    def starts(self, problem: Problem) -> Array:
        """A grid of rates, with the amplitudes that fit best."""
        rates = combinations([0.0005, 0.002, 0.008, 0.02], [0.05, 0.15, 0.5, 1.5])

        def basis(pairs: Array) -> Array:
            return np.asarray(np.exp(-pairs[:, :, None] * problem.time))

        return np.hstack([linear_starts(rates, basis, problem, positive=False), rates])

    def kinks(self, theta: Array) -> Array:
        """None."""
        return np.empty(0)

    def ordered(self, theta: Array) -> Array:
        """Same curve with the slow term first."""
        a, b, slow, fast = theta
        return theta if slow <= fast else np.array([b, a, fast, slow])

    def estimate(self, problem: Problem) -> Solution:
        """Curve and parameters of the samples."""
        return search(self, problem)


EXAMPLE = Example(Biexponential(), (1.4, -0.7, 0.003, 0.15), (Biexponential(),))
