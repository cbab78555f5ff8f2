"""Straight lines to the peak, then a smoothing spline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from scipy.interpolate import BSpline

from raphe.blood.protocol import Example, Parameter, Problem, Solution
from raphe.quality import Quality

Array = npt.NDArray[np.float64]

DEGREE = 3

PENALTIES = np.geomspace(1e-6, 1e6, 121)
"""Strengths of smoothing to choose from, relative to the mean diagonal of the normal equations."""


@dataclass(frozen=True)
class Spline:
    """Straight lines from 0 at injection to the peak; from there a penalised cubic spline in the logarithm of time.

    A P-spline (Eilers & Marx 1996): cubic B-splines on ``n_piece`` equal pieces of log t, whose second differences are
    penalised as strongly as generalised cross-validation says. It neither knows nor needs an equation. After the last
    sample its last value holds.

    Parameters
    ----------
    n_piece : int
        Pieces between the peak and the last sample; fewer where there are few samples. An assumption: enough for a
        curve of a bolus, the penalty does the rest.

    References
    ----------
    Eilers & Marx 1996, Stat Sci 11:89, doi 10.1214/ss/1038425655.
    """

    n_piece: int = 20

    label: ClassVar[str] = "spline"
    title: ClassVar[str] = "straight lines to the peak, then a smoothing spline in the logarithm of time"
    equation: ClassVar[str] = ""
    citations: ClassVar[tuple[str, ...]] = ("eilers1996",)
    parameters: ClassVar[tuple[Parameter, ...]] = ()

    def estimate(self, problem: Problem) -> Solution:
        """Curve near the samples."""
        used = problem.weights > 0
        time, value, weights = problem.time[used], problem.value[used], problem.weights[used]
        top = int(value.argmax())
        if time[top] <= 0 or time.size - top < DEGREE + 2:
            return _undetermined(problem)
        smooth, n_effective = _smoothed(np.log(time[top:]), value[top:], weights[top:], self.n_piece)
        before_time, before_value = time[:top], value[:top]
        if top == 0 or time[0] > 0:
            before_time, before_value = np.append(0.0, before_time), np.append(0.0, before_value)
        peak_time, last = time[top], time[-1]

        def curve(t: Array) -> Array:
            late = smooth(np.log(np.clip(t, peak_time, last)))
            knots = np.append(before_time, peak_time)
            early = np.interp(t, knots, np.append(before_value, smooth(np.log(peak_time))), left=0.0)
            return np.asarray(np.where(t < peak_time, early, late))

        fitted = curve(problem.time)
        wrss = float((problem.weights * (problem.value - fitted) ** 2).sum())
        kinks = np.concatenate([before_time, [peak_time, last]])
        nothing = np.empty((0, 0))
        return Solution(np.empty(0), nothing, fitted, wrss, top + n_effective, 0, curve, kinks)


def _smoothed(x: Array, y: Array, weights: Array, n_piece: int) -> tuple[BSpline, float]:
    """Penalised spline of least generalised cross-validation, and its effective number of parameters."""
    n_piece = max(min(n_piece, x.size - DEGREE), 1)
    step = (x[-1] - x[0]) / n_piece
    knots = x[0] + step * np.arange(-DEGREE, n_piece + DEGREE + 1)
    basis = BSpline.design_matrix(np.clip(x, x[0], x[-1]), knots, DEGREE, extrapolate=True).toarray()
    normal = (basis.T * weights) @ basis
    moment = (basis.T * weights) @ y
    rough = np.diff(np.eye(basis.shape[1]), 2, axis=0)
    scale = np.trace(normal) / normal.shape[0]
    tried = []
    for strength in PENALTIES:
        inverse = np.linalg.pinv(normal + strength * scale * rough.T @ rough, hermitian=True)
        weight = inverse @ moment
        n_effective = float(np.trace(inverse @ normal))
        wrss = float((weights * (y - basis @ weight) ** 2).sum())
        tried.append((wrss / max(x.size - n_effective, 1e-3) ** 2, n_effective, weight))
    _, n_effective, weight = min(tried, key=lambda item: item[0])
    return BSpline(knots, weight, DEGREE), n_effective


def _undetermined(problem: Problem) -> Solution:
    nan = np.full(problem.time.size, np.nan)
    return Solution(
        np.empty(0), np.empty((0, 0)), nan, np.nan, np.nan, int(Quality.BAD_INPUT), lambda t: np.full(t.shape, np.nan),
        np.empty(0),
    )  # fmt: skip


EXAMPLE = Example(Spline(), (), (Spline(),))
