"""Model of Feng et al."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from raphe.blood.onset import T0, onsets
from raphe.blood.protocol import RATE, Example, Parameter, Problem, Solution, columns, combinations
from raphe.blood.search import linear_starts, search

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Feng:
    r"""Bolus that arrives at t0, with u = t - t0.

    .. math:: C(t) = (A_1 u - A_2 - A_3)\, e^{-l_1 u} + A_2 e^{-l_2 u} + A_3 e^{-l_3 u}

    References
    ----------
    Feng et al. 1993, Int J Biomed Comput 32:95, doi 10.1016/0020-7101(93)90049-C, model 2.
    """

    label: ClassVar[str] = "feng"
    title: ClassVar[str] = "model of Feng et al."
    equation: ClassVar[str] = "C(t) = (A1 u - A2 - A3) exp(-l1 u) + A2 exp(-l2 u) + A3 exp(-l3 u), u = t - t0"
    citations: ClassVar[tuple[str, ...]] = ("feng1993",)
    parameters: ClassVar[tuple[Parameter, ...]] = (
        T0,
        Parameter("A1", "kBq/mL/min", 0.0, 1e4, "steepness of the rise", of_peak=True),
        Parameter("A2", "kBq/mL", 0.0, 10.0, "amplitude of the middle term", low_is_physical=True, of_peak=True),
        Parameter("A3", "kBq/mL", 0.0, 10.0, "amplitude of the slow term", low_is_physical=True, of_peak=True),
        Parameter("l1", RATE, 0.1, 100.0, "fast rate"),
        Parameter("l2", RATE, 0.0, 20.0, "middle rate", low_is_physical=True),
        Parameter("l3", RATE, 0.0, 20.0, "slow rate", low_is_physical=True),
    )

    def curve(self, theta: Array, time: Array) -> Array:
        """Activity of parameters (..., 7) at times (n,), shape (..., n)."""
        t0, A1, A2, A3, *rates = columns(theta)
        u = np.maximum(time - t0, 0.0)
        fast, middle, slow = (np.exp(-rate * u) for rate in rates)
        return np.asarray((A1 * u - A2 - A3) * fast + A2 * middle + A3 * slow)

    def starts(self, problem: Problem) -> Array:
        """A grid of onsets and rates, with the amplitudes that fit best."""
        grid = combinations(onsets(problem), [1.5, 4.0, 10.0, 25.0], [0.1, 0.3, 1.0], [0.003, 0.01, 0.03])

        def basis(rows: Array) -> Array:
            t0, *rates = columns(rows)
            u = np.maximum(problem.time - t0, 0.0)
            fast, middle, slow = (np.exp(-rate * u) for rate in rates)
            return np.stack([u * fast, middle - fast, slow - fast], axis=1)

        amplitudes = linear_starts(grid, basis, problem, positive=True)
        return np.hstack([grid[:, :1], amplitudes, grid[:, 1:]])

    def kinks(self, theta: Array) -> Array:
        """The onset."""
        return np.atleast_1d(theta[0])

    def ordered(self, theta: Array) -> Array:
        """Same curve with the slow term last."""
        t0, A1, A2, A3, l1, l2, l3 = theta
        return theta if l2 >= l3 else np.array([t0, A1, A3, A2, l1, l3, l2])

    def estimate(self, problem: Problem) -> Solution:
        """Curve and parameters of the samples."""
        return search(self, problem)


EXAMPLE = Example(Feng(), (0.45, 600.0, 20.0, 15.0, 5.0, 0.3, 0.012), (Feng(),))
