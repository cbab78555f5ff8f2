"""The line of an occupancy plot, fitted with the errors of both scans."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from raphe.core.line_of_errors import Line, fit_line
from raphe.data.results import Interval
from raphe.pharmacology.occupancy import CONFIDENCE
from raphe.pharmacology.region_errors import LineModel

Array = npt.NDArray[np.float64]

N_ROUND = 100
"""Most rounds until errors in proportion settle; a handful is usual."""

SETTLED = 1e-7
"""Largest move of a fitted value, as a share of the largest value, at which errors in proportion have settled."""

SMALLEST = 0.02
"""Least value, as a share of the largest, that an error in proportion is taken of; an assumption."""


class FittedLine(NamedTuple):
    """A line with the axes that its method takes."""

    line: Line
    covariance: Array
    """Of the errors of the baseline, shape (n, n), but for the common factor."""
    method: str
    p_heap: float
    """Probability of so long a row of points if all regions were one."""

    @property
    def occupancy(self) -> Interval:
        """Occupancy with its interval."""
        line = self.line
        if self.method != "ml":
            return Interval(line.slope, *line.slope_ends)
        return Interval(1 - line.slope, 1 - line.slope_ends[1], 1 - line.slope_ends[0])

    @property
    def fitted(self) -> tuple[Array, Array]:
        """Values at baseline and under the drug that lie on the line, shape (n,) each."""
        line = self.line
        return line.fitted_u, line.fitted_v if self.method == "ml" else line.fitted_u - line.fitted_v


def estimate(x: Array, y: Array, model: LineModel) -> FittedLine:
    """Fit the line of some values at baseline (x) and under the drug (y), shape (n,) each.

    Errors in proportion are taken of the fitted values until these settle: those of the measured ones would give the
    values that are low by chance the greater weight.
    """
    axes = (x, y, 1.0) if model.method == "ml" else (x, x - y, 0.0)
    origin = model.parameter == "BP_ND"

    def excess(least: float, df: int) -> float:
        if model.known:
            return float(stats.chi2.ppf(CONFIDENCE, 1))
        return least / df * float(stats.f.ppf(CONFIDENCE, 1, df))

    if not model.relative:
        line = fit_line(*axes[:2], model.baseline, model.blocked, meets=axes[2], through_origin=origin, excess=excess)
        p = p_heap(x, y, model.baseline, model.blocked, model.known) if model.method == "ml" else math.nan
        return FittedLine(line, model.baseline, model.method, p)
    before, after, slope = x, y, None
    more = 1.0 if origin else 0.0
    for _ in range(N_ROUND):
        covariances = [_scaled(model.baseline, before + more), _scaled(model.blocked, after + more)]
        line = fit_line(x, y, *covariances, through_origin=origin, near=slope)
        moved = max(np.abs(line.fitted_u - before).max(), np.abs(line.fitted_v - after).max())
        before, after, slope = line.fitted_u, line.fitted_v, line.slope
        if moved <= SETTLED * np.abs(x).max():
            break
    line = fit_line(x, y, *covariances, through_origin=origin, near=slope, excess=excess)
    return FittedLine(line, covariances[0], model.method, p_heap(x, y, covariances[0], covariances[1], model.known))


def p_heap(x: Array, y: Array, cov_x: Array, cov_y: Array, known: bool) -> float:
    """Probability of points in so long a row if all regions were the same point and only errors told them apart.

    Of errors of unknown size it is the exact test of sphericity of two variables (Mauchly 1940, Ann Math Stat 11:204):
    for n points, W = 4 det S / (tr S)^2 of their scatter in units of the errors has P(W <= w) = w^((n - 2) / 2). It is
    exact for errors that are alike. Of errors of known size, tr S is chi-square with 2 (n - 1) degrees of freedom.
    """
    white = []
    for values, covariance in ((x, cov_x), (y, cov_y)):
        root = np.linalg.cholesky(covariance)
        ones, turned = np.linalg.solve(root, np.stack([np.ones_like(values), values], axis=1)).T
        white.append(turned - ones * (ones @ turned) / (ones @ ones))
    scatter = np.array(white) @ np.array(white).T
    size = float(np.trace(scatter))
    if known:
        return float(stats.chi2.sf(size, 2 * (x.size - 1)))
    if size <= 0:
        return 1.0
    W = max(4 * float(np.linalg.det(scatter)) / size**2, 0.0)
    return float(W ** ((x.size - 2) / 2))


def _scaled(covariance: Array, values: Array) -> Array:
    size = np.maximum(np.abs(values), SMALLEST * np.abs(values).max())
    return np.asarray(covariance * np.outer(size, size))
