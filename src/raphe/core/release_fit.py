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
from raphe.core.release_estimates import ESTIMATES, estimates_of
from raphe.core.release_guide import guided
from raphe.core.release_profile import COLUMNS, RATES, Profiled, profiled, ratio_ends, student
from raphe.core.release_search import Courses, ReleaseSearch
from raphe.core.sampling import Sampling

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]

CHUNK = 64
"""Curves that are worked on at once."""

PARTS, PASSES = 2, 2
"""Parts of each piece of a curve that is drawn by its solution, and how often it is fitted and drawn again."""

RANGE_VARIANCE = 1 / 12
"""Variance of a coordinate that is as likely anywhere from 0 to 1."""


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
        Of theta and shape, from what is near the answer.
    spread : ndarray, shape (n_curve, n_shape)
        Variance of the parameters over the time courses that explain the curve about as well, wherever they are.
    rate_se : ndarray, shape (n_curve, 4)
        Standard errors of :data:`raphe.core.release_profile.RATES` over those time courses; NaN where the covariance is
        to serve.
    ratio : ndarray, shape (n_curve, 2)
        Ends of the 95 % interval of k2 / k2a over them; likewise.
    quantile : ndarray, shape (n_curve,)
        Of Student's t at the ends of an interval.
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
    spread: Array
    rate_se: Array
    ratio: Array
    quantile: Array
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
            standard error of what is at a bound is NaN. That of the time course's parameters is the larger of the one
            from nearby and the one from afar.
        """
        value, gradient = estimates_of(self.theta)
        variance = np.einsum("cop,cpq,coq->co", gradient, self.covariance[:, :4, :4], gradient)
        variance[:, COLUMNS] = np.where(np.isfinite(self.rate_se), self.rate_se**2, variance[:, COLUMNS])
        own = np.maximum(np.einsum("cpp->cp", self.covariance)[:, 4:], self.spread)
        value = np.concatenate([value, self.shape], axis=-1)
        variance = np.concatenate([variance, np.where(self.held, np.nan, own)], axis=-1)
        needs_release = np.arange(value.shape[1]) >= ESTIMATES.index("gamma")
        unknown = ~self.released[:, None] & needs_release
        value[:, len(ESTIMATES) :] = np.where(self.released[:, None], self.shape, np.nan)
        return value, np.sqrt(np.where(unknown, np.nan, np.maximum(variance, 0)))

    def binding(self) -> Array:
        """Ends of the 95 % interval of BP_ND, shape (n_curve, 2).

        The upper one is infinite where k2a may be 0, and the lower one too where k2a is negative beyond doubt; NaN
        where the equations are singular.
        """
        near = ratio_ends(
            self.theta[:, 1], self.theta[:, 2], self.covariance[:, 1:3, 1:3] * self.quantile[:, None, None] ** 2
        )
        return np.where(np.isnan(self.ratio), near, self.ratio) - 1


def release_fit(data: ReleaseData, course: TimeCourse) -> ReleaseFit:
    """Weighted least-squares fit of the equation for each curve, gamma not negative.

    The curves' integrals are those of straight lines through the frames, and then, under the convention ``average``, of
    the equation's solution between them (:mod:`raphe.core.release_guide`) where a release was found.

    The covariance is that of :func:`raphe.core.linear.covariance_both_sides`, from the Jacobian of all parameters. The
    coordinates of the time course are known to lie within their ranges, which counts as a datum of each, with the
    variance of what may be anywhere in its range (:data:`RANGE_VARIANCE`). So what a bound holds, or the curve does not
    tell, adds to the error of the others what it can and no more; where the curve tells it, its range does not matter.
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
    start, lowest, courses = search.grid()
    place, fit = _fit(data, search, drawn, start, lowest)
    told = _by_profile(data, search, courses, drawn, fit)
    return place, replace(fit, spread=search.spread(courses, fit.shape, fit.wrss), **told._asdict())


def _by_profile(data: ReleaseData, search: ReleaseSearch, courses: Courses, drawn: Array, fit: ReleaseFit) -> Profiled:
    """Intervals by the profile, in the equation whose errors hang together.

    Time courses of one parameter have one answer, and standard errors of the rates from the derivatives and its range.
    """
    design = data.design(drawn)
    full = np.concatenate([design, -search.integral.seen(fit.shape, search.drawn[..., None])], axis=-1)
    noise = _noise(data, search.integral, fit.theta, fit.shape)
    together, _ = _covariance(data, noise, full, data.left - fit.fitted, fit.released)
    influence = _influence(full, search.root)
    apart = influence @ influence.transpose(0, 2, 1) * (fit.wrss / search.freedom)[:, None, None]
    _, k2, k2a, _ = fit.theta.T
    of_ratio = np.stack([0 * k2, k2a, -k2, 0 * k2], axis=-1)  # its gradient times k2a squared, which may be 0
    gradient = np.concatenate([estimates_of(fit.theta)[1][:, COLUMNS], of_ratio[:, None]], axis=1)
    with_course, plain = (np.einsum("cop,cpq,coq->co", gradient, each, gradient) for each in (together, apart))
    found = profiled(search, courses, fit.wrss, _influence(design, search.root), with_course / plain)
    one_answer = search.integral.course.grid.shape[-1] < 2
    return found._replace(rate_se=fit.rate_se) if one_answer else found


def _influence(design: Array, root: Array) -> Array:
    """Derivative of the parameters by the weighted left-hand side, (n_curve, n_par, n_row)."""
    return least_squares(design * root[..., None], np.zeros_like(root), np.ones_like(root)).influence


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
        again = replace(again, spread=fit.spread[at], rate_se=fit.rate_se[at], ratio=fit.ratio[at])
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
    near, flat = _covariance(data, _noise(data, integral, theta, shape), jacobian, residual, released)
    across = _block(chain)
    return place, ReleaseFit(
        theta,
        released,
        shape,
        across @ near @ across.transpose(0, 2, 1),
        np.zeros_like(shape),
        np.full((len(shape), len(RATES)), np.nan),
        np.full((len(shape), 2), np.nan),
        student(search.freedom),
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


def _covariance(
    data: ReleaseData, noise: Array, jacobian: Array, residual: Array, released: Flags
) -> tuple[Array, Flags]:
    """Covariance of theta and the coordinates, 0 for a release that there is not; and where it is singular."""
    n_curve, n_row, n_par = jacobian.shape
    near, singular = np.zeros((n_curve, n_par, n_par)), np.zeros(n_curve, dtype=bool)
    wrss = (data.weights * residual**2).sum(axis=-1)
    sigma2 = wrss / np.maximum((data.weights > 0).sum(axis=-1) - n_par, 1)
    for at, n_column in ((np.flatnonzero(released), n_par), (np.flatnonzero(~released), 3)):
        design, weights = jacobian[at, :, :n_column], data.weights[at]
        ranges = np.eye(n_par)[4:n_column, :n_column]
        every = np.concatenate([design, np.broadcast_to(ranges, (at.size, *ranges.shape))], axis=1)
        known = np.broadcast_to(np.nan_to_num(sigma2[at, None]) / RANGE_VARIANCE, (at.size, len(ranges)))
        solved = least_squares(every, np.zeros(every.shape[:2]), np.concatenate([weights, known], axis=1))
        by_curve, by_range = np.split(solved.influence, [n_row], axis=-1)
        solved = replace(solved, influence=by_curve, residual=residual[at], wrss=wrss[at])
        of_curve = covariance_both_sides(solved, design, weights, noise[at], data.variance[at])
        near[at, :n_column, :n_column] = of_curve + RANGE_VARIANCE * by_range @ by_range.transpose(0, 2, 1)
        singular[at] = solved.singular
    return near, singular


def _block(chain: Array) -> Array:
    """Derivatives of theta and shape by theta and the coordinates, from those of shape by the coordinates."""
    n_curve, n_shape, n_free = chain.shape
    whole = np.zeros((n_curve, 4 + n_shape, 4 + n_free))
    whole[:, :4, :4] = np.eye(4)
    whole[:, 4:, 4:] = chain
    return whole
