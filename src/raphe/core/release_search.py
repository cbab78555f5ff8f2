"""Search for the time course of a release that explains most of what other regressors leave of a curve.

Variable projection (Golub & Pereyra 1973, SIAM J Numer Anal 10:413): what the other regressors explain is taken off the
curve and off the release's regressor, the height of the release is solved for every time course of a grid, and from the
best of them a bounded search goes on in the parameters of the time course, with the Jacobian of Kaufman (1975, BIT
15:49).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from raphe.core.bounded import bounded_fit
from raphe.core.linear import RANK_TOLERANCE
from raphe.core.release import ReleaseIntegral

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]

FIRST_STEPS, LAST_STEPS = 8, 200
"""Steps from each start of a curve, and from where the best of these has come to."""

SETTLED = 1e-4
"""Cosine between the residuals and the derivative by every free parameter at which the search counts as settled.

Of each parameter's standard error less than a thousandth is then left to go. The search stops far below, but where a
curve determines the time course badly, the last digits come slowly.
"""

COLLINEAR = 1e-10
"""Share of the release's own regressor, squared, that the others have to leave for it to be told from them."""

_NOTHING = 1e-300  # a cost that can be divided by


@dataclass(frozen=True, eq=False)
class Solved:
    """Best gamma of each regressor, (n, n_regressor), its own part, (n, n_regressor, n_row), and that squared."""

    height: Array
    own: Array
    size: Array


@dataclass(frozen=True, eq=False)
class Courses:
    """What each time course of the grid does for each curve.

    Parameters
    ----------
    regressor : ndarray, shape (n_curve, n_course, n_row)
        That of the release, weighted.
    solved : Solved
    """

    regressor: Array
    solved: Solved

    @property
    def gain(self) -> Array:
        """What it takes off the cost without a release, (n_curve, n_course); 0 where it takes off nothing."""
        return self.solved.height**2 * self.solved.size


class ReleaseSearch:
    """The search for one set of curves.

    Parameters
    ----------
    integral : ReleaseIntegral
    drawn : ndarray, shape (n_curve, n_knot), kBq/mL
        Curves at the integral's knots.
    left : ndarray, shape (n_curve, n_row), kBq/mL
        Left-hand side of the equation.
    others : ndarray, shape (n_curve, n_row, n_other)
        Regressors besides the release's.
    weights : ndarray, shape (n_curve, n_row)
    """

    def __init__(self, integral: ReleaseIntegral, drawn: Array, left: Array, others: Array, weights: Array) -> None:
        self.integral = integral
        self.drawn = drawn
        self.left = left
        self.root = np.sqrt(weights)
        self.others = _orthonormal(others * self.root[..., None])
        self.target = self._own((left * self.root)[:, None])[:, 0]

    @property
    def freedom(self) -> Array:
        """Degrees of freedom that a fit of all parameters leaves, (n_curve,); at least 1."""
        n_free = self.others.shape[-1] + 1 + self.integral.course.grid.shape[-1]
        return np.asarray(np.maximum((self.root > 0).sum(axis=-1) - n_free, 1))

    def grid(self) -> tuple[Array, Array, Courses]:
        """Best coordinates of each row of the grid, (n_curve, n_start, n_free), the lowest cost of all, and all."""
        grid = self.integral.course.grid
        regressor = -self.integral.seen_of_all(self._grid_shape, self.drawn) * self.root[:, None]
        courses = Courses(regressor, self.solve(regressor))
        gain = courses.gain
        start = grid[np.arange(len(grid)), gain.reshape(-1, *grid.shape[:2]).argmax(axis=-1)]
        return start, (self.target**2).sum(axis=-1) - gain.max(axis=-1), courses

    def beyond(self, courses: Courses, wrss: Array) -> Array:
        r"""Cost of the grid's time courses beyond that of the answer, in :math:`\sigma^2`, (n_curve, n_course).

        Infinite where a time course explains nothing.

        Parameters
        ----------
        courses : Courses
        wrss : ndarray, shape (n_curve,)
            Cost of the answer.
        """
        gain = courses.gain
        sigma2 = np.maximum(wrss, _NOTHING) / self.freedom
        cost = np.maximum((self.target**2).sum(axis=-1) - wrss, 0)[:, None] - gain
        return np.asarray(np.where(gain > 0, np.maximum(cost, 0) / sigma2[:, None], np.inf))

    def spread(self, courses: Courses, found: Array, wrss: Array) -> Array:
        r"""Variance of the parameters over the answer and the time courses of the grid, (n_curve, n_shape).

        Of courses that explain a curve about as well, a search ends at one, and what is near it tells nothing of the
        others. Here each counts by its likelihood, :math:`\exp(-\Delta / 2 \sigma^2)`, where :math:`\Delta` is its cost
        beyond that of the answer (Hoeting et al. 1999, Stat Sci 14:382). Where noise is small the answer counts alone.

        Parameters
        ----------
        courses : Courses
        found : ndarray, shape (n_curve, n_shape)
            The answer.
        wrss : ndarray, shape (n_curve,)
            Its cost.
        """
        shape = self._grid_shape
        likelihood = np.exp(-self.beyond(courses, wrss) / 2)
        total = 1 + likelihood.sum(axis=-1, keepdims=True)
        mean, square = (found + likelihood @ shape) / total, (found**2 + likelihood @ shape**2) / total
        return np.asarray(np.maximum(square - mean**2, 0))

    def from_starts(self, start: Array) -> tuple[Array, Flags, Flags]:
        """Lowest end of the searches from each curve's starts, what of it is at a bound, and whether it has settled."""
        n_curve, n_start, n_free = start.shape
        if n_free == 0:
            return start[:, 0], np.zeros((n_curve, 0), dtype=bool), np.ones(n_curve, dtype=bool)
        target, edge = np.repeat(self.target, n_start, axis=0), np.ones(n_free)

        def curve(place: Array, index: Index) -> tuple[Array, Array]:
            return self.released(place, index // n_start)

        ones = np.ones_like(target)
        first = bounded_fit(curve, start.reshape(-1, n_free), target, ones, 0 * edge, edge, FIRST_STEPS)
        best = first.wrss.reshape(n_curve, n_start).argmin(axis=1) + n_start * np.arange(n_curve)
        ones = ones[:n_curve]
        found = bounded_fit(self.released, first.theta[best], self.target, ones, 0 * edge, edge, LAST_STEPS)
        residual = self.target - found.fitted
        slope = np.abs((residual[:, None] @ found.jacobian)[:, 0])
        size = np.linalg.norm(found.jacobian, axis=1) * np.linalg.norm(residual, axis=1)[:, None]
        settled = (found.at_bound | (slope <= SETTLED * size)).all(axis=1)
        return found.theta, found.at_bound, found.converged | settled

    def released(self, place: Array, index: Index) -> tuple[Array, Array]:
        """What a release at the coordinates ``place``, (n, n_free), explains at best, and the derivative by them."""
        shape, chain = self.integral.course.shape(place)
        seen, by_shape = self.integral.seen_with_slopes(shape, self.drawn[index])
        root = self.root[index, None]
        solved = self.solve(-seen[:, None] * root, index)
        slopes = self._own(-(by_shape @ chain).transpose(0, 2, 1) * root, index)
        unit = solved.own / np.sqrt(solved.size)[..., None]
        slopes = slopes - (slopes @ unit.transpose(0, 2, 1)) @ unit
        return solved.height * solved.own[:, 0], solved.height[..., None] * slopes.transpose(0, 2, 1)

    def solve(self, regressor: Array, index: Index | slice = slice(None)) -> Solved:
        """Solve for gamma, not negative, with weighted regressors of the curves ``index``, (n, n_regressor, n_row)."""
        own = self._own(regressor, index)
        product, size = (own @ self.target[index, :, None])[..., 0], (own**2).sum(axis=-1)
        told = (product > 0) & (size > COLLINEAR * (regressor**2).sum(axis=-1))
        size = np.where(told, size, 1.0)
        return Solved(np.where(told, product, 0) / size, own, size)

    @property
    def _grid_shape(self) -> Array:
        """Parameters of the time courses of the grid, (n_start * n_grid, n_shape)."""
        grid = self.integral.course.grid
        return self.integral.course.shape(grid.reshape(grid.shape[0] * grid.shape[1], grid.shape[2]))[0]

    def _own(self, rows: Array, index: Index | slice = slice(None)) -> Array:
        others = self.others[index]
        return np.asarray(rows - (rows @ others) @ others.transpose(0, 2, 1))


def _orthonormal(design: Array) -> Array:
    """Orthonormal columns that span those of each design, columns scaled alike; 0 for those that the others span."""
    norm = np.linalg.norm(design, axis=1, keepdims=True)
    u, s, _ = np.linalg.svd(design / np.where(norm > 0, norm, 1.0), full_matrices=False)
    return np.where(s[:, None] > RANK_TOLERANCE * s[:, None, :1], u, 0.0)
