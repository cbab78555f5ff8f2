"""Straight rise and three exponentials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from raphe.blood.onset import T0, onsets
from raphe.blood.protocol import RATE, TIME, Example, Parameter, Problem, Solution, columns, combinations
from raphe.blood.search import linear_starts, search

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Triexponential:
    r"""Straight rise from 0 at t0 to the peak, then :math:`C = A e^{-a u} + B e^{-b u} + D e^{-d u}`.

    u is the time since the peak, which comes ``rise`` after t0. kinfitr's ``blmod_exp``.
    """

    label: ClassVar[str] = "triexponential"
    title: ClassVar[str] = "straight rise and three exponentials"
    equation: ClassVar[str] = (
        "C(t) = (A + B + D) (t - t0) / rise up to t0 + rise; then A exp(-a u) + B exp(-b u) + D exp(-d u), "
        "u = t - t0 - rise"
    )
    citations: ClassVar[tuple[str, ...]] = ()
    parameters: ClassVar[tuple[Parameter, ...]] = (
        T0,
        Parameter("rise", TIME, 5e-3, 10.0, "time from there to the peak"),
        Parameter("A", "kBq/mL", 0.0, 10.0, "amplitude of the fast term", low_is_physical=True, of_peak=True),
        Parameter("B", "kBq/mL", 0.0, 10.0, "amplitude of the middle term", low_is_physical=True, of_peak=True),
        Parameter("D", "kBq/mL", 0.0, 10.0, "amplitude of the slow term", low_is_physical=True, of_peak=True),
        Parameter("a", RATE, 0.0, 100.0, "fast rate", low_is_physical=True),
        Parameter("b", RATE, 0.0, 100.0, "middle rate", low_is_physical=True),
        Parameter("d", RATE, 0.0, 100.0, "slow rate", low_is_physical=True),
    )

    def curve(self, theta: Array, time: Array) -> Array:
        """Activity of parameters (..., 8) at times (n,), shape (..., n)."""
        t0, rise, A, B, D, *rates = columns(theta)
        terms = _terms(t0, rise, np.stack(rates), time)
        return np.asarray(A * terms[0] + B * terms[1] + D * terms[2])

    def starts(self, problem: Problem) -> Array:
        """A grid of onsets, peaks and rates, with the amplitudes that fit best."""
        top = int(problem.value.argmax())
        near = problem.time[max(top - 1, 0) : top + 2]
        peaks = np.concatenate([near, (near[:-1] + near[1:]) / 2])
        grid = combinations(onsets(problem), peaks, [1.5, 5.0, 15.0], [0.1, 0.4], [0.003, 0.01, 0.03])
        grid[:, 1] = np.maximum(grid[:, 1] - grid[:, 0], 0.02)

        def basis(rows: Array) -> Array:
            t0, rise, *rates = columns(rows)
            return np.moveaxis(_terms(t0, rise, np.stack(rates), problem.time), 0, 1)

        amplitudes = linear_starts(grid, basis, problem, positive=True)
        return np.hstack([grid[:, :2], amplitudes, grid[:, 2:]])

    def kinks(self, theta: Array) -> Array:
        """The onset and the peak."""
        return np.array([theta[0], theta[0] + theta[1]])

    def ordered(self, theta: Array) -> Array:
        """Same curve with the fast term first and the slow term last."""
        order = np.argsort(-theta[5:], kind="stable")
        return np.concatenate([theta[:2], theta[2:5][order], theta[5:][order]])

    def estimate(self, problem: Problem) -> Solution:
        """Curve and parameters of the samples."""
        return search(self, problem)


def _terms(t0: Array, rise: Array, rates: Array, time: Array) -> Array:
    """Rise and fall of each term with amplitude 1; rates (3, ..., 1), gives (3, ..., n)."""
    since = time - t0
    up = np.clip(since / rise, 0.0, 1.0)
    return np.asarray(up * np.exp(-rates * np.maximum(since - rise, 0.0)))


EXAMPLE = Example(Triexponential(), (0.5, 0.6, 60.0, 15.0, 8.0, 4.0, 0.25, 0.009), (Triexponential(),))
