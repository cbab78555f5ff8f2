"""A straight line through points with errors along both axes, by maximum likelihood, with exact profile intervals."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import linalg, optimize

Array = npt.NDArray[np.float64]

N_GRID = 181
"""Directions in which the line is sought before the best is refined: one every degree."""

N_PLACE = 33
"""Places that each step of a refinement looks at; it narrows the range sixteenfold."""

ROUNDING = 1e-17
"""Cost, as a share of the sum of squares, under which the points lie on the line: tables have nine digits."""

PARALLEL = 1e-9
"""Difference of slopes under which two lines never meet."""

UNSOUGHT = (math.nan, math.nan)


@dataclass(frozen=True, eq=False)
class Line:
    """The line ``v = intercept + slope u``, and where it meets the line ``v = meets u``.

    ``cost`` is the sum of squared distances in units of the errors, with ``df`` degrees of freedom. ``fitted_u`` and
    ``fitted_v``, shape (n,), are the points of the line that are most likely behind those measured. Intervals hold all
    lines whose cost exceeds the least by no more than ``excess``; an interval without an end has the end ``-inf`` or
    ``inf``; those that were not asked for are NaN.
    """

    intercept: float
    slope: float
    meeting: float
    """Common value of u where v = meets u; NaN where the lines are parallel."""
    cost: float
    df: int
    fitted_u: Array
    fitted_v: Array
    slope_ends: tuple[float, float]
    meeting_ends: tuple[float, float]


def fit_line(
    u: Array,
    v: Array,
    cov_u: Array,
    cov_v: Array,
    *,
    meets: float = 1.0,
    through_origin: bool = False,
    near: float | None = None,
    excess: Callable[[float, int], float] | None = None,
) -> Line:
    """Fit a line to points whose errors are normal, with covariances known up to a common factor.

    The unknown true places of the points along the line are profiled out, which leaves the cost (v - a - b u)'
    (cov_v + b^2 cov_u)^-1 (v - a - b u) (linear functional relationship; Fuller 1987, Measurement Error Models, ch. 2).
    Errors of u and v are independent; those of u among each other, or of v, need not be. With ``cov_u`` of zeros it is
    generalised least squares, and the interval of the meeting point is that of Fieller (1954).

    Parameters
    ----------
    u, v : ndarray, shape (n,)
        At least three points; two through the origin.
    cov_u, cov_v : ndarray, shape (n, n)
        Symmetric; ``cov_v`` positive definite, ``cov_u`` positive semidefinite.
    meets : float
        Slope of the line through the origin with which the meeting point is sought.
    through_origin : bool
        Whether the line passes through the origin; it meets the other nowhere else then, and ``meeting`` is 0.
    near : float, optional
        Slope about which the best line is sought first.
    excess : callable, optional
        Given the least cost and the degrees of freedom, by how much the cost of a line in the interval may exceed it.
        Without it no interval is sought.

    Returns
    -------
    Line
    """
    points = _Points.of(u, v, cov_u, cov_v, through_origin)
    best = _best(points, near)
    b = math.tan(best)
    a = float(points.intercept(np.array([best]))[0])
    least = max(float(points.cost(np.array([best]))[0]), 0.0)
    df = u.size - (1 if through_origin else 2)
    gain = cov_u @ np.linalg.solve(cov_v + b * b * cov_u, v - a - b * u)
    fitted_u = u + b * gain
    parallel = not through_origin and abs(meets - b) <= PARALLEL
    meeting = 0.0 if through_origin else math.nan if parallel else a / (meets - b)
    exact = least <= ROUNDING * float(v @ np.linalg.solve(cov_v, v))
    slope_ends, meeting_ends = ((b, b), (meeting, meeting)) if exact else (UNSOUGHT, UNSOUGHT)
    if exact and parallel:
        meeting_ends = -math.inf, math.inf
    least = 0.0 if exact else least
    if excess is not None and not exact:
        limit = least + excess(least, df)
        low, high = _ends(points, best, limit)
        slope_ends = _slopes(low, high)
        meeting_ends = (0.0, 0.0) if through_origin else _meetings(points, low, high, limit, meets)
    return Line(a, b, meeting, least, df, fitted_u, a + b * fitted_u, slope_ends, meeting_ends)


@dataclass(frozen=True, eq=False)
class _Points:
    """Points turned so that errors are independent, with variances ``var_u`` and ``var_v``, shape (n,)."""

    u: Array
    v: Array
    ones: Array
    var_u: Array
    var_v: Array

    @classmethod
    def of(cls, u: Array, v: Array, cov_u: Array, cov_v: Array, through_origin: bool) -> _Points:
        ones = np.zeros_like(u) if through_origin else np.ones_like(u)
        if not (np.count_nonzero(cov_u - np.diag(np.diag(cov_u))) or np.count_nonzero(cov_v - np.diag(np.diag(cov_v)))):
            return cls(u, v, ones, np.diag(cov_u).copy(), np.diag(cov_v).copy())
        var_u, turn = linalg.eigh(cov_u, cov_v)
        return cls(turn.T @ u, turn.T @ v, turn.T @ ones, np.maximum(var_u, 0.0), np.ones_like(u))

    def parts(self, angles: Array) -> tuple[Array, Array, Array, Array]:
        """Cosines, weights (n_angle, n), and the weighted sums of squares of the ones and with the residuals."""
        sine, cosine = np.sin(angles)[:, None], np.cos(angles)[:, None]
        weights = 1 / (cosine**2 * self.var_v + sine**2 * self.var_u)
        residual = cosine * self.v - sine * self.u
        return residual, weights, weights @ self.ones**2, (weights * residual) @ self.ones

    def cost(self, angles: Array) -> Array:
        """Least cost of a line in each of some directions, shape (n_angle,)."""
        residual, weights, ones, crossed = self.parts(angles)
        level = np.divide(crossed, ones, out=np.zeros_like(ones), where=ones > 0)
        return np.asarray(np.einsum("ij,ij->i", weights, (residual - level[:, None] * self.ones) ** 2))

    def steepness(self, angle: float) -> float:
        """Derivative of the least cost by the direction."""
        sine, cosine = math.sin(angle), math.cos(angle)
        weights = 1 / (cosine**2 * self.var_v + sine**2 * self.var_u)
        residual = cosine * self.v - sine * self.u
        ones = float(weights @ self.ones**2)
        if ones > 0:
            residual = residual - self.ones * (float((weights * residual) @ self.ones) / ones)
        weighted = weights * residual
        grown = 2 * sine * cosine * (self.var_u - self.var_v)
        return -float(2 * weighted @ (cosine * self.u + sine * self.v) + weighted**2 @ grown)

    def intercept(self, angles: Array) -> Array:
        """Best intercept for each direction, shape (n_angle,)."""
        _, _, ones, crossed = self.parts(angles)
        return np.divide(crossed, ones * np.cos(angles), out=np.zeros_like(ones), where=ones > 0)

    def meeting(self, angles: Array, limit: float, meets: float, sign: float) -> Array:
        """Outermost meeting point, for each direction, of the lines of no more than a limiting cost."""
        _, _, ones, crossed = self.parts(angles)
        slack = np.sqrt(np.maximum(limit - self.cost(angles), 0.0) / ones)
        across = meets * np.cos(angles) - np.sin(angles)
        return np.asarray((crossed / ones + sign * np.sign(across) * slack) / across)


def _best(points: _Points, near: float | None) -> float:
    """Direction of least cost: about a slope if there is one, else about the best of a grid."""
    step = math.pi / (N_GRID - 1)
    if near is not None:
        found = _stationary(points, math.atan(near), step)
        if found is not None:
            return found
    grid = np.linspace(-math.pi / 2, math.pi / 2, N_GRID)
    best = float(grid[np.argmin(points.cost(grid))])
    found = _stationary(points, best, step)
    return best if found is None else found


def _stationary(points: _Points, middle: float, step: float) -> float | None:
    """Direction in which the cost has its bottom, within a step of another; None where it has none there."""
    low, high = middle - step, middle + step
    if not points.steepness(low) < 0 < points.steepness(high):
        return None
    return float(optimize.brentq(points.steepness, low, high, xtol=1e-15))


def _lowest(function: Callable[[Array], Array], low: float, high: float) -> float:
    """Place of the least value of a smooth function between two places that hold one minimum."""
    place, width = (low + high) / 2, high - low
    for _ in range(6):
        grid = np.linspace(max(low, place - width / 2), min(high, place + width / 2), N_PLACE)
        place, width = float(grid[np.argmin(function(grid))]), 2.5 * (grid[1] - grid[0])
    return place


def _ends(points: _Points, best: float, limit: float) -> tuple[float, float]:
    """Nearest directions on either side at which the cost reaches a limit; half a turn apart if it never does."""
    found = []
    for side in (-1, 1):
        grid = best + side * np.linspace(0, math.pi, N_GRID)
        above = np.flatnonzero(points.cost(grid) > limit)
        if above.size == 0:
            return best - math.pi / 2, best + math.pi / 2
        first = int(above[0])
        if first == 0:
            found.append(best)
            continue
        inside, outside = grid[first - 1], grid[first]
        found.append(
            optimize.brentq(lambda angle: float(points.cost(np.array([angle]))[0]) - limit, inside, outside, xtol=1e-14)
        )
    return found[0], found[1]


def _holds(low: float, high: float, angle: float) -> bool:
    """Whether a range of directions holds one, which is the same after half a turn."""
    return (angle - low) % math.pi < high - low


def _slopes(low: float, high: float) -> tuple[float, float]:
    if _holds(low, high, math.pi / 2):
        return -math.inf, math.inf
    return math.tan(low), math.tan(high)


def _meetings(points: _Points, low: float, high: float, limit: float, meets: float) -> tuple[float, float]:
    """Ends of the meeting points of all lines in the interval; infinite where one of them never meets the other."""
    if high - low >= math.pi * (1 - 1e-12) or _holds(low, high, math.atan(meets)):
        return -math.inf, math.inf
    ends = []
    for sign in (-1.0, 1.0):
        place = low + (high - low) * _outermost(points, low, high, limit, meets, sign)
        ends.append(float(points.meeting(np.array([place]), limit, meets, sign)[0]))
    return min(ends), max(ends)


def _outermost(points: _Points, low: float, high: float, limit: float, meets: float, sign: float) -> float:
    """Where between two directions, as a share of the way, the meeting point lies farthest out."""

    def opposite(share: Array) -> Array:
        return -sign * points.meeting(low + (high - low) * share, limit, meets, sign)

    grid = np.linspace(0, 1, N_GRID)
    at = int(np.argmin(opposite(grid)))
    return _lowest(opposite, float(grid[max(at - 1, 0)]), float(grid[min(at + 1, N_GRID - 1)]))
