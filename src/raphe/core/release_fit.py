r"""Multilinear reference tissue equation with a release of endogenous ligand, for many curves at once.

.. math:: C_T = R_1 C_R + k_2 \int C_R - k_{2a} \int C_T - \gamma \int C_T\, h

For a known time course h the equation is linear; the parameters of h are searched (:mod:`raphe.core.release_search`).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from raphe.core.linear import covariance_both_sides, least_squares
from raphe.core.release import N_NODE, ReleaseIntegral, TimeCourse, release_integral
from raphe.core.release_guide import guided
from raphe.core.release_search import ReleaseSearch
from raphe.core.sampling import Sampling

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]

CHUNK = 64
"""Curves that are worked on at once."""

PARTS, PASSES = 2, 2
"""Parts of each piece of a curve that is drawn by its solution, and how often it is fitted and drawn again."""

ESTIMATES = ("BP_ND", "R1", "k2", "k2_prime", "k2a", "gamma", "displacement")
"""What follows from R1, k2, k2a and gamma: the displacement is the relative fall of BP_ND where h is 1."""


@dataclass(frozen=True, eq=False)
class ReleaseData:
    """Curves to be fitted.

    Parameters
    ----------
    sampling : Sampling
    rows : ndarray of int, shape (n_row,)
        Frames that are fitted.
    reference : ndarray, shape (n_frame,), kBq/mL
    activity : ndarray, shape (n_curve, n_frame), kBq/mL
    weights : ndarray, shape (n_curve, n_row)
        1/variance up to a factor.
    variance : ndarray, shape (n_curve, n_frame)
        Relative variance of every frame.
    """

    sampling: Sampling
    rows: Index
    reference: Array
    activity: Array
    weights: Array
    variance: Array

    def part(self, which: slice | Index) -> ReleaseData:
        """Some of the curves."""
        return replace(self, activity=self.activity[which], weights=self.weights[which], variance=self.variance[which])

    @property
    def left(self) -> Array:
        """Left-hand side, shape (n_curve, n_row)."""
        return self.activity[:, self.rows]

    def design(self, drawn: Array) -> Array:
        """Regressors of R1, k2 and k2a of curves drawn at the knots, shape (n_curve, n_row, 3)."""
        _, area = self.sampling.seen_of_drawn(drawn)
        columns = self.reference[self.rows], (self.sampling.integral @ self.reference)[self.rows], -area[:, self.rows]
        return np.stack(np.broadcast_arrays(*columns), axis=-1)


@dataclass(frozen=True, eq=False)
class ReleaseFit:
    """What was found for each curve.

    Parameters
    ----------
    theta : ndarray, shape (n_curve, 4)
        R1, k2, k2a and gamma; NaN where the equations are singular.
    released : ndarray of bool, shape (n_curve,)
        False where no release lowers the cost: gamma is 0 and a time course has no meaning.
    shape : ndarray, shape (n_curve, n_shape)
        Parameters of the time course.
    covariance : ndarray, shape (n_curve, 4 + n_shape, 4 + n_shape)
        Of theta and shape, 0 for what a bound holds.
    held : ndarray of bool, shape (n_curve, n_shape)
        Parameters of the time course that are at a bound.
    fitted : ndarray, shape (n_curve, n_row), kBq/mL
    wrss, grid_wrss : ndarray, shape (n_curve,)
        Weighted sum of squared residuals at the end of the search, and the lowest one on the grid.
    converged, singular : ndarray of bool, shape (n_curve,)
    """

    theta: Array
    released: Flags
    shape: Array
    covariance: Array
    held: Flags
    fitted: Array
    wrss: Array
    grid_wrss: Array
    converged: Flags
    singular: Flags

    def estimates(self) -> tuple[Array, Array]:
        """Quantities of :data:`ESTIMATES` and parameters of the time course, with their standard errors.

        Returns
        -------
        value, se : ndarray, shape (n_curve, 7 + n_shape)
            Without a release the time course is NaN, and the standard errors of gamma and the displacement are; the
            standard error of what is at a bound is NaN.
        """
        R1, k2, k2a, gamma = self.theta.T
        zero, one = np.zeros_like(R1), np.ones_like(R1)
        with np.errstate(divide="ignore", invalid="ignore"):
            all_in, bound = k2a + gamma, k2 - k2a
            fall = k2 * gamma / (all_in * bound)
            columns = k2 / k2a - 1, R1, k2, k2 / R1, k2a, gamma, fall
            rows = [  # by R1, k2, k2a, gamma
                (zero, 1 / k2a, -k2 / k2a**2, zero),
                (one, zero, zero, zero),
                (zero, one, zero, zero),
                (-k2 / R1**2, 1 / R1, zero, zero),
                (zero, zero, one, zero),
                (zero, zero, zero, one),
                (
                    zero,
                    -gamma * k2a / (all_in * bound**2),
                    fall * (1 / bound - 1 / all_in),
                    k2 * k2a / (bound * all_in**2),
                ),
            ]
        gradient = np.stack([np.stack(row, axis=-1) for row in rows], axis=1)
        variance = np.einsum("cop,cpq,coq->co", gradient, self.covariance[:, :4, :4], gradient)
        own = np.where(self.held, np.nan, np.einsum("cpp->cp", self.covariance)[:, 4:])
        value = np.concatenate([np.stack(columns, axis=-1), self.shape], axis=-1)
        variance = np.concatenate([variance, own], axis=-1)
        needs_release = np.arange(value.shape[1]) >= ESTIMATES.index("gamma")
        unknown = ~self.released[:, None] & needs_release
        value[:, len(ESTIMATES) :] = np.where(self.released[:, None], self.shape, np.nan)
        return value, np.sqrt(np.where(unknown, np.nan, np.maximum(variance, 0)))


def release_fit(data: ReleaseData, course: TimeCourse) -> ReleaseFit:
    """Weighted least-squares fit of the equation for each curve, gamma not negative.

    The curves' integrals are those of straight lines through the frames, and then, under the convention ``average``, of
    the equation's solution between them (:mod:`raphe.core.release_guide`) where a release was found.

    The covariance is that of :func:`raphe.core.linear.covariance_both_sides`, from the Jacobian of all parameters that
    no bound holds.
    """
    integral = release_integral(data.sampling, data.rows, course)
    finer = replace(data, sampling=data.sampling.finer(PARTS))
    near = release_integral(finer.sampling, data.rows, course, N_NODE // 2)
    found = []
    for first in range(0, max(len(data.activity), 1), CHUNK):
        which = slice(first, first + CHUNK)
        place, fit = _from_grid(data.part(which), integral)
        if data.sampling.convention == "average":
            fit = _guided(finer.part(which), near, place, fit)
        found.append(fit)
    return ReleaseFit(*(np.concatenate([getattr(part, each.name) for part in found]) for each in fields(ReleaseFit)))


def _from_grid(data: ReleaseData, integral: ReleaseIntegral) -> tuple[Array, ReleaseFit]:
    """Coordinates of the time courses, and fits, of curves drawn straight through their frames."""
    drawn = data.activity @ data.sampling.draw.T
    search = _search(data, integral, drawn)
    start, lowest = search.grid()
    return _fit(data, search, drawn, start, lowest)


def _guided(data: ReleaseData, integral: ReleaseIntegral, place: Array, fit: ReleaseFit) -> ReleaseFit:
    """Fits again, from where they have ended, of the curves with a release, drawn by the solution that was found."""
    for _ in range(PASSES):
        at = np.flatnonzero(fit.released & ~fit.singular)
        part = data.part(at)
        drawn, good = guided(data.sampling, integral, data.reference, part.activity, fit.theta[at], fit.shape[at])
        at, part, drawn = at[good], part.part(np.flatnonzero(good)), drawn[good]
        if not at.size:
            break
        search = _search(part, integral, drawn)
        place[at], again = _fit(part, search, drawn, place[at, None], fit.grid_wrss[at])
        for each in fields(ReleaseFit):
            getattr(fit, each.name)[at] = getattr(again, each.name)
    return fit


def _search(data: ReleaseData, integral: ReleaseIntegral, drawn: Array) -> ReleaseSearch:
    late = drawn[:, -integral.knots.size :]
    return ReleaseSearch(integral, late, data.left, data.design(drawn), data.weights)


def _fit(
    data: ReleaseData, search: ReleaseSearch, drawn: Array, start: Array, grid_wrss: Array
) -> tuple[Array, ReleaseFit]:
    integral = search.integral
    place, held, converged = search.from_starts(start)
    shape, chain = integral.course.shape(place)
    seen, by_shape = integral.seen_with_slopes(shape, search.drawn)
    released = search.solve(-seen[:, None] * search.root[:, None]).height[:, 0] > 0
    full = np.concatenate([data.design(drawn), -seen[..., None]], axis=-1)
    theta, singular = _linear(data, full, released)
    residual = data.left - (full @ theta[..., None])[..., 0]
    gamma = np.nan_to_num(theta[:, 3, None, None])
    jacobian = np.concatenate([full, -gamma * (by_shape @ chain)], axis=-1)
    free = np.concatenate([np.ones_like(held, shape=(len(held), 3)), released[:, None], ~held & released[:, None]], -1)
    spread, flat = _covariance(data, _noise(data, integral, theta, shape), jacobian, residual, free)
    across = _block(chain)
    return place, ReleaseFit(
        theta,
        released,
        shape,
        across @ spread @ across.transpose(0, 2, 1),
        np.pad(held, ((0, 0), (chain.shape[1] - chain.shape[2], 0))),
        data.left - residual,
        (data.weights * residual**2).sum(axis=-1),
        grid_wrss,
        converged,
        singular | flat,
    )


def _linear(data: ReleaseData, full: Array, released: Flags) -> tuple[Array, Flags]:
    """Linear parameters, (n_curve, 4), and where they are not determined; gamma only where there is a release."""
    theta, singular = np.zeros((len(full), 4)), np.zeros(len(full), dtype=bool)
    for at, n_column in ((np.flatnonzero(released), 4), (np.flatnonzero(~released), 3)):
        solved = least_squares(full[at, :, :n_column], data.left[at], data.weights[at])
        theta[at, :n_column], singular[at] = solved.theta, solved.singular
    return theta, singular


def _noise(data: ReleaseData, integral: ReleaseIntegral, theta: Array, shape: Array) -> Array:
    """How the frames' errors enter the equation, (n_curve, n_row, n_frame): as they are, and in both own integrals."""
    select = np.eye(len(data.sampling.frames))[data.rows]
    k2a, gamma = theta[:, 2, None, None], theta[:, 3, None, None]
    in_release = gamma * integral.seen(shape, integral.draw[None])
    return np.asarray(select + k2a * data.sampling.integral[data.rows] + in_release)


def _covariance(data: ReleaseData, noise: Array, jacobian: Array, residual: Array, free: Flags) -> tuple[Array, Flags]:
    """Covariance of the parameters that are ``free``, (n_curve, n_par), 0 for the others; and where it is singular."""
    n_curve, n_par = free.shape
    spread, singular = np.zeros((n_curve, n_par, n_par)), np.zeros(n_curve, dtype=bool)
    for pattern in np.unique(free, axis=0):
        at, columns = np.flatnonzero((free == pattern).all(axis=1)), np.flatnonzero(pattern)
        design, weights = jacobian[at][..., columns], data.weights[at]
        solved = replace(least_squares(design, residual[at], weights), residual=residual[at])
        solved = replace(solved, wrss=(weights * residual[at] ** 2).sum(axis=-1))
        spread[np.ix_(at, columns, columns)] = covariance_both_sides(
            solved, design, weights, noise[at], data.variance[at]
        )
        singular[at] = solved.singular
    return spread, singular


def _block(chain: Array) -> Array:
    """Derivatives of theta and shape by theta and the coordinates, from those of shape by the coordinates."""
    n_curve, n_shape, n_free = chain.shape
    whole = np.zeros((n_curve, 4 + n_shape, 4 + n_free))
    whole[:, :4, :4] = np.eye(4)
    whole[:, 4:, 4:] = chain
    return whole
