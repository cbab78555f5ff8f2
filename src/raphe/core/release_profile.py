r"""Standard errors of the rates from all time courses that explain a curve, and not from what is near the best alone.

The search ends at one time course. Where noise is large, others that are far from it explain the curve about as well,
with other rates, and the derivatives at the answer know nothing of them. The profile of the likelihood does: a value
belongs to the interval of a parameter if some time course explains the curve with it at a cost of no more than
:math:`\sigma^2 F_{1,\nu}(0.95)` beyond that of the answer (Venzon & Moolgavkar 1988, Appl Stat 37:87). For one time
course the cost is a parabola in every rate, so that each of the grid's gives an interval in closed form. From the
lowest to the highest end of them is the profile's, and half of its length, over Student's t, the standard error.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from raphe.core.release_estimates import ESTIMATES, estimates_of
from raphe.core.release_search import Courses, ReleaseSearch

Array = npt.NDArray[np.float64]

RATES = ("R1", "k2", "k2_prime", "k2a")
"""What the errors are of. That of BP_ND is not taken from here: its profile has no end where k2a may be near 0."""

COLUMNS = [ESTIMATES.index(name) for name in RATES]
"""Their places among :data:`raphe.core.release_estimates.ESTIMATES`."""

LEVEL = 0.95
"""Of the interval."""

LEAST_COURSES = 10
"""Time courses of the grid that must be within reach of the answer; of fewer the ends are too rough.

The grid is then as wide as what the curve leaves open, and the derivatives at the answer serve.
"""


def profile_errors(search: ReleaseSearch, courses: Courses, wrss: Array, influence: Array, inflation: Array) -> Array:
    """Standard errors of :data:`RATES` by the profile.

    Parameters
    ----------
    search : ReleaseSearch
    courses : Courses
        Of its grid.
    wrss : ndarray, shape (n_curve,)
        Cost of the answer.
    influence : ndarray, shape (n_curve, 3, n_row)
        Derivative of R1, k2 and k2a, no release being fitted, by the weighted left-hand side.
    inflation : ndarray, shape (n_curve, 4)
        Variance of each rate, the time course being known, over that of an equation with independent errors.

    Returns
    -------
    ndarray, shape (n_curve, 4)
        In the rates' units (1/min; R1 unitless); NaN where the derivatives at the answer are to serve.
    """
    from scipy import special  # all models are loaded with this one, and few need it

    n_curve, limit = len(wrss), special.stdtrit(search.freedom, (1 + LEVEL) / 2) ** 2
    room = limit[:, None] - search.beyond(courses, wrss)
    curve, course = np.nonzero(room > 0)
    own, height, size = influence[curve], courses.solved.height[curve, course], courses.solved.size[curve, course]
    by_height = -(own @ courses.regressor[curve, course, :, None])[..., 0]
    without = (influence @ (search.left * search.root)[..., None])[curve, :, 0]
    theta = np.column_stack([without + height[:, None] * by_height, height])
    value, gradient = estimates_of(theta)
    value, gradient = value[:, COLUMNS], gradient[:, COLUMNS, :3]
    of_others = np.einsum("nop,npr->nor", gradient, own)
    of_height = (gradient @ by_height[..., None])[..., 0]
    variance = (of_others**2).sum(axis=-1) + of_height**2 / size[:, None]
    sigma2 = (wrss / search.freedom)[:, None] * inflation
    reach = np.sqrt(room[curve, course, None] * variance * sigma2[curve])
    low, high = np.full((2, n_curve, len(RATES)), [[[np.inf]], [[-np.inf]]])
    np.minimum.at(low, curve, value - reach)
    np.maximum.at(high, curve, value + reach)
    many = np.bincount(curve, minlength=n_curve) >= LEAST_COURSES
    half = np.where(many[:, None], high, np.nan) - low
    return np.asarray(half / 2 / np.sqrt(limit)[:, None])
