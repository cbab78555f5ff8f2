"""Bounded least squares for curves that have one parameter in common, and its uncertainty carried into each of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from raphe.core.bounded import MOST_STEPS, BoundedFit, bounded_fit
from raphe.core.linear import LeastSquares, covariance, least_squares

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
SharedCurve = Callable[[Array, Array], tuple[Array, Array, Array]]
Begin = Callable[[Array], Array]

COARSE_STEPS = 30
"""Steps of each search on the grid, which need not settle: they are to find the valley."""

VALLEYS = 3
"""Valleys of the cost on the grid, the lowest ones, that are gone down into."""

MOST_HALVINGS = 40
SETTLED = 1e-11
"""Relative distance at which the search for the common parameter has settled."""

POLISH = 2
"""Undamped steps after each search near the lowest point."""

ONE_ERROR = 1.0
"""Rise of the cost, in units of the residual variance, that one standard error of a parameter makes."""

HALF = 0.5
"""Share of the common parameter by which it is moved, either way or farther, to see whether the cost rises."""


@dataclass(frozen=True, eq=False)
class SharedFit:
    """Where the search for a common parameter, and for each curve's own, has ended.

    Parameters
    ----------
    shared : float
        The common parameter.
    own : BoundedFit
        Each curve's own parameters, given the common one.
    by_shared : ndarray, shape (n_curve, n_row)
        Derivative of the fitted values by the common parameter.
    at_edge : bool
        Whether the common parameter ended at an edge of its range.
    flat : bool
        Whether somewhere the cost is by less than :data:`ONE_ERROR` higher where the common parameter differs by
        :data:`HALF` of itself or more, or is at an edge of its range.
    """

    shared: float
    own: BoundedFit
    by_shared: Array
    at_edge: bool
    flat: bool


def shared_fit(
    curve: SharedCurve, begin: Begin, target: Array, weights: Array, lower: Array, upper: Array, grid: Array
) -> SharedFit:
    """Minimise the weighted squares of all curves together over one common parameter and the own ones of each.

    Given the common parameter the curves part, so the sum of their costs is a function of it alone, whose derivative is
    that of the cost with the curves' own parameters at rest. The valley is found on a grid, and its lowest point as the
    root of that derivative.

    Parameters
    ----------
    curve : callable
        Takes the own parameters, shape (m, n_par), and the common one, (m,); gives the values, (m, n_row), and the
        derivatives by the own, (m, n_row, n_par), and by the common parameter, (m, n_row).
    begin : callable
        Gives the own parameters to begin with, shape (n, n_start, n_curve, n_par), for common ones, (n,).
    target, weights : ndarray, shape (n_curve, n_row)
        Measured curves, and 1/variance; here its size counts between curves.
    lower, upper : ndarray, shape (n_par,)
        Bounds of the own parameters.
    grid : ndarray, shape (n_grid,)
        Positive values of the common parameter, ascending; the first and last are the edges of its range.
    """
    profile = _Profile(curve, target, weights, lower, upper)
    coarse = profile.at(grid, begin(grid), COARSE_STEPS)
    ends = [_lowest(profile, coarse, n) for n in _valleys(np.array([point.cost for point in coarse]))]
    lowest, at_edge = min(ends, key=lambda end: end[0].cost)
    flat = _rise(profile, begin, lowest, coarse, grid[[0, -1]]) < ONE_ERROR
    return SharedFit(lowest.shared, lowest.own, lowest.by_shared, at_edge, flat)


def shared_covariance(fit: SharedFit, free: Flags, target: Array, weights: Array) -> tuple[Array, Flags]:
    r"""Covariance of each curve's own parameters and the common one, by eliminating one block after another.

    The normal matrix of all parameters has the shape of an arrow. With the influence A of a curve's data on its own
    parameters when the common one is known, and b what the common one moves them by, each curve adds to the common
    parameter what its derivative leaves beside its own, :math:`j - J b`; the own parameters follow with
    :math:`A - b P`, where P is the influence of all data on the common one. The variance of a frame is taken from the
    residuals, as in :func:`raphe.core.linear.covariance`.

    Parameters
    ----------
    fit : SharedFit
    free : ndarray of bool, shape (n_curve, n_par)
        Own parameters that are taken as estimated; the others are as if known.
    target, weights : ndarray, shape (n_curve, n_row)
        As in :func:`shared_fit`.

    Returns
    -------
    ndarray, shape (n_curve, n_par + 1, n_par + 1)
        The common parameter last; NaN where the Jacobian of a curve is singular, which then tells nothing of it.
    ndarray of bool, shape (n_curve,)
        Where it is singular.
    """
    n_curve, n_row, n_par = fit.own.jacobian.shape
    follows, beside = np.zeros((n_curve, n_par)), fit.by_shared.copy()
    influence, singular = np.zeros((n_curve, n_par, n_row)), np.zeros(n_curve, dtype=bool)
    for pattern in np.unique(free, axis=0):
        at, own = np.flatnonzero((free == pattern).all(axis=1)), np.flatnonzero(pattern)
        if own.size:
            solved = least_squares(fit.own.jacobian[np.ix_(at, np.arange(n_row), own)], beside[at], weights[at])
            follows[np.ix_(at, own)], beside[at], singular[at] = solved.theta, solved.residual, solved.singular
            influence[np.ix_(at, own, np.arange(n_row))] = solved.influence
    told = np.where(singular[:, None] | fit.at_edge, 0.0, beside)
    information = (weights * told**2).sum()
    common = weights * told / information if information > 0 else np.zeros_like(told)
    design = np.concatenate([fit.own.jacobian * free[:, None, :], told[..., None]], axis=-1)
    joint = np.concatenate([influence, common[:, None, :]], axis=1)
    solution = LeastSquares(fit.own.theta, joint, target - fit.own.fitted, fit.own.wrss, singular)
    apart = covariance(solution, design, weights)
    variance = apart[~singular, -1, -1].sum() if information > 0 or fit.at_edge else np.inf
    return _together(apart, follows, float(variance)), singular


def _together(apart: Array, follows: Array, variance: float) -> Array:
    """Covariance with the common parameter not known; ``apart`` is of the own data alone, ``follows`` is b."""
    own, cross = apart[:, :-1, :-1], apart[:, :-1, -1]
    moved = cross[:, :, None] * follows[:, None, :]
    found = np.empty_like(apart)
    found[:, :-1, :-1] = own - moved - moved.transpose(0, 2, 1) + variance * follows[:, :, None] * follows[:, None, :]
    found[:, :-1, -1] = found[:, -1, :-1] = cross - variance * follows
    found[:, -1, -1] = variance
    return found


@dataclass(frozen=True, eq=False)
class _Point:
    """The lowest cost for one value of the common parameter, and its derivative by that."""

    shared: float
    cost: float
    slope: float
    own: BoundedFit
    by_shared: Array


@dataclass(frozen=True, eq=False)
class _Profile:
    """The lowest cost as a function of the common parameter."""

    curve: SharedCurve
    target: Array
    weights: Array
    lower: Array
    upper: Array

    def at(self, shared: Array, start: Array, most: int) -> list[_Point]:
        """Points of the profile, from the best of several starts, shape (n, n_start, n_curve, n_par)."""
        n, n_start, n_curve, n_par = start.shape
        each = np.repeat(shared, n_start * n_curve)
        target, weights = (np.tile(array, (n * n_start, 1)) for array in (self.target, self.weights))

        def given(theta: Array, index: npt.NDArray[np.intp]) -> tuple[Array, Array]:
            return self.curve(theta, each[index])[:2]

        ends = bounded_fit(given, start.reshape(-1, n_par), target, weights, self.lower, self.upper, most)
        best = ends.wrss.reshape(n, n_start, n_curve).argmin(axis=1)
        rows = (np.arange(n)[:, None] * n_start + best) * n_curve + np.arange(n_curve)
        return [self._point(float(value), _taken(ends, at)) for value, at in zip(shared, rows, strict=True)]

    def again(self, *near: _Point, shared: float | None = None) -> _Point:
        """Point of the profile, settled, from where its neighbours are."""
        value = near[0].shared if shared is None else shared
        start = np.stack([point.own.theta for point in near])[None]
        own = self.at(np.array([value]), start, MOST_STEPS)[0].own
        for _ in range(POLISH):
            own = self._polished(value, own)
        return self._point(value, own)

    def _polished(self, shared: float, own: BoundedFit) -> BoundedFit:
        """One undamped step of each curve's free parameters, where the residuals come nearer to orthogonal by it.

        Searches end within their tolerance, and how near depends on where they began. The rest would go into the
        derivative of the profile, and so into every curve.
        """
        step = np.zeros_like(own.theta)
        for pattern in np.unique(~own.at_bound, axis=0):
            at, free = np.flatnonzero((~own.at_bound == pattern).all(axis=1)), np.flatnonzero(pattern)
            if free.size:
                design = own.jacobian[np.ix_(at, np.arange(self.target.shape[1]), free)]
                solved = least_squares(design, self.target[at] - own.fitted[at], self.weights[at])
                step[np.ix_(at, free)] = np.where(solved.singular[:, None], 0.0, solved.theta)
        theta = np.clip(own.theta + step, self.lower, self.upper)
        fitted, jacobian, _ = self.curve(theta, np.full(len(theta), shared))
        wrss = (self.weights * (self.target - fitted) ** 2).sum(axis=1)
        trial = BoundedFit(theta, fitted, jacobian, wrss, own.at_bound, own.converged)
        nearer = self._steepness(trial) < self._steepness(own)
        return BoundedFit(
            *(
                np.where(nearer.reshape(-1, *(1,) * (old.ndim - 1)), new, old)
                for old, new in ((getattr(own, name), getattr(trial, name)) for name in own.__dataclass_fields__)
            )
        )

    def _steepness(self, own: BoundedFit) -> Array:
        """Largest part of the residuals along one free parameter, shape (n_curve,)."""
        weighted = own.jacobian * self.weights[..., None]
        size = np.sqrt((weighted * own.jacobian).sum(axis=1))
        along = np.abs((weighted * (self.target - own.fitted)[..., None]).sum(axis=1)) / np.where(size > 0, size, 1.0)
        return np.asarray(np.where(own.at_bound, 0.0, along).max(axis=1))

    def _point(self, shared: float, own: BoundedFit) -> _Point:
        by_shared = self.curve(own.theta, np.full(len(own.theta), shared))[2]
        slope = -2 * float((self.weights * (self.target - own.fitted) * by_shared).sum())
        return _Point(shared, float(own.wrss.sum()), slope, own, by_shared)


def _taken(fit: BoundedFit, rows: npt.NDArray[np.intp]) -> BoundedFit:
    return BoundedFit(*(getattr(fit, name)[rows] for name in fit.__dataclass_fields__))


def _valleys(cost: Array) -> list[int]:
    """Numbers of the lowest valleys, the lowest first."""
    walled = np.concatenate([[np.inf], cost, [np.inf]])
    valleys = np.flatnonzero((cost <= walled[:-2]) & (cost < walled[2:]))
    return [int(n) for n in valleys[np.argsort(cost[valleys], kind="stable")][:VALLEYS]]


def _lowest(profile: _Profile, coarse: list[_Point], n: int) -> tuple[_Point, bool]:
    """Lowest point of a valley of the grid, and whether it is at the edge."""
    first = profile.again(coarse[n])
    beside = n + (1 if first.slope < 0 else -1)
    if not 0 <= beside < len(coarse):
        return first, True
    return _descend(profile, first, profile.again(coarse[beside])), False


def _rise(profile: _Profile, begin: Begin, lowest: _Point, coarse: list[_Point], edges: Array) -> float:
    """Least rise of the cost from its lowest point to where the common parameter is by :data:`HALF` of it away."""
    near = lowest.shared * np.array([1 - HALF, 1 + HALF])
    aside = np.clip(near, *edges)
    warm = np.broadcast_to(lowest.own.theta, (2, 1, *lowest.own.theta.shape))
    points = profile.at(aside, np.concatenate([begin(aside), warm], axis=1), COARSE_STEPS)
    points += [point for point in coarse if not near[0] < point.shared < near[1]]
    return min(point.cost for point in points) - lowest.cost


def _descend(profile: _Profile, low: _Point, beside: _Point) -> _Point:
    """Lowest point between one that falls towards the other and one that is higher or falls towards the first."""
    from scipy.optimize import brentq  # large, and of use here alone

    for _ in range(MOST_HALVINGS):
        if low.slope * beside.slope <= 0:
            break
        middle = profile.again(low, beside, shared=(low.shared + beside.shared) / 2)
        if middle.cost < low.cost and middle.slope * low.slope > 0:
            low = middle
        else:
            beside = middle
    found = [low, beside]

    def slope(shared: float) -> float:
        for known in found[:2]:
            if known.shared == shared:
                return known.slope
        near = sorted(found, key=lambda point: abs(point.shared - shared))[:2]
        found.append(profile.again(*near, shared=shared))
        return found[-1].slope

    if low.slope * beside.slope < 0:
        brentq(slope, low.shared, beside.shared, xtol=1e-300, rtol=SETTLED)
    return min(found, key=lambda point: abs(point.slope))
