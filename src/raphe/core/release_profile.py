r"""Intervals of the rates and of BP_ND from all time courses that explain a curve, and not from what is near the best.

The search ends at one time course. Where noise is large, others that are far from it explain the curve about as well,
with other rates, and the derivatives at the answer know nothing of them. The profile of the likelihood does: a value
belongs to the interval of a parameter if some time course explains the curve with it at a cost of no more than
:math:`\sigma^2 F_{1,\nu}(0.95)` beyond that of the answer (Venzon & Moolgavkar 1988, Appl Stat 37:87). For one time
course the cost is a parabola in every rate, so that each of the grid's gives an interval in closed form; so does it for
k2 / k2a, by the theorem of Fieller (1954, J R Stat Soc B 16:175), without an upper end where k2a may be 0. From the
lowest to the highest end of them is the profile's. Half of its length, over Student's t, is the standard error of a
rate; that of BP_ND is told by its ends, which may lie far from the answer on one side.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from raphe.core.release_estimates import ESTIMATES, estimates_of
from raphe.core.release_search import Courses, ReleaseSearch

Array = npt.NDArray[np.float64]

RATES = ("R1", "k2", "k2_prime", "k2a")
"""What standard errors are given of."""

COLUMNS = [ESTIMATES.index(name) for name in RATES]
"""Their places among :data:`raphe.core.release_estimates.ESTIMATES`."""

LEVEL = 0.95
"""Of the interval."""

LEAST_COURSES = 10
"""Time courses of the grid that must be within reach of the answer; of fewer the ends are too rough.

The grid is then as wide as what the curve leaves open, and the derivatives at the answer serve.
"""


class Profiled(NamedTuple):
    """What the time courses of the grid tell; NaN where the derivatives at the answer are to serve.

    Parameters
    ----------
    rate_se : ndarray, shape (n_curve, 4)
        Standard errors of :data:`RATES`, 1/min (R1 unitless).
    ratio : ndarray, shape (n_curve, 2)
        Ends of the interval of k2 / k2a.
    """

    rate_se: Array
    ratio: Array


def profiled(search: ReleaseSearch, courses: Courses, wrss: Array, influence: Array, inflation: Array) -> Profiled:
    """Intervals by the profile.

    Parameters
    ----------
    search : ReleaseSearch
    courses : Courses
        Of its grid.
    wrss : ndarray, shape (n_curve,)
        Cost of the answer.
    influence : ndarray, shape (n_curve, 3, n_row)
        Derivative of R1, k2 and k2a, no release being fitted, by the weighted left-hand side.
    inflation : ndarray, shape (n_curve, 5)
        Variance of each rate and of k2 / k2a, the time course being known, over that of an equation with independent
        errors.
    """
    n_curve, limit = len(wrss), student(search.freedom) ** 2
    room = limit[:, None] - search.beyond(courses, wrss)
    curve, course = np.nonzero(room > 0)
    own, height, size = influence[curve], courses.solved.height[curve, course], courses.solved.size[curve, course]
    by_height = -(own @ courses.regressor[curve, course, :, None])[..., 0]
    without = (influence @ (search.left * search.root)[..., None])[curve, :, 0]
    theta = np.column_stack([without + height[:, None] * by_height, height])
    spread = own @ own.transpose(0, 2, 1) + by_height[:, :, None] * by_height[:, None] / size[:, None, None]
    spread *= (room[curve, course] * (wrss / search.freedom)[curve])[:, None, None]
    value, gradient = estimates_of(theta)
    value, gradient = value[:, COLUMNS], gradient[:, COLUMNS, :3]
    reach = np.sqrt(np.einsum("nop,npq,noq->no", gradient, spread, gradient) * inflation[curve, :-1])
    ends = ratio_ends(theta[:, 1], theta[:, 2], spread[:, 1:, 1:] * inflation[curve, -1, None, None])
    low, high = np.full((2, n_curve, len(RATES) + 1), [[[np.inf]], [[-np.inf]]])
    np.minimum.at(low, curve, np.column_stack([value - reach, ends[:, 0]]))
    np.maximum.at(high, curve, np.column_stack([value + reach, ends[:, 1]]))
    few = np.bincount(curve, minlength=n_curve) < LEAST_COURSES
    low[few] = np.nan
    half = (high[:, :-1] - low[:, :-1]) / 2
    return Profiled(half / np.sqrt(limit)[:, None], np.stack([low[:, -1], np.where(few, np.nan, high[:, -1])], axis=-1))


def student(freedom: Array) -> Array:
    """Quantile of Student's t at the ends of an interval of level :data:`LEVEL`; same shape as ``freedom``."""
    from scipy import special  # all models are loaded with this one, and few need it

    return np.asarray(special.stdtrit(freedom, (1 + LEVEL) / 2))


def ratio_ends(top: Array, bottom: Array, spread: Array) -> Array:
    """Ends of the interval of a ratio r of rates, of which none is negative: where top - r bottom may be 0.

    For many ratios at once, what :func:`raphe.core.ratio.fieller` is for one; and as rates are not negative, one that
    has no upper end keeps its lower one.

    Parameters
    ----------
    top, bottom : ndarray, shape (n,), 1/min
    spread : ndarray, shape (n, 2, 2)
        Covariance, times the square of how many standard errors the interval is to reach.

    Returns
    -------
    ndarray, shape (n, 2)
        The upper one infinite where the bottom may be 0, both where it is below 0 beyond doubt. Where either may be 0
        and yet not every ratio is possible, those on the side of top / bottom.
    """
    of_bottom, of_both, of_top = (
        bottom**2 - spread[:, 1, 1], top * bottom - spread[:, 0, 1], top**2 - spread[:, 0, 0]
    )  # fmt: skip
    square = of_both**2 - of_bottom * of_top
    larger = of_both + np.sqrt(np.maximum(square, 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        roots = of_top / larger, larger / of_bottom
        low = np.where(of_top > 0, np.maximum(roots[0], 0), 0.0)
        high = np.where(of_bottom > 0, np.maximum(roots[1], 0), np.inf)
        gap = (of_top <= 0) & (of_bottom < 0) & (of_both < 0) & (square > 0)  # what lies between the roots is not held
        above = top / bottom >= roots[0]
    ends = np.stack([np.where(gap & above, roots[0], low), np.where(gap & ~above, roots[1], high)], axis=-1)
    ends[(of_bottom > 0) & (bottom < 0)] = np.inf
    ends[np.isnan(larger)] = np.nan
    return ends
