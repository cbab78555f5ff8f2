"""Bounded nonlinear least squares for many curves at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from raphe.core.linear import HC3, LEAST_FREEDOM, NEIGHBOURS, covariance, least_squares

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Curve = Callable[[Array, npt.NDArray[np.intp]], tuple[Array, Array]]

MOST_STEPS = 200
"""Steps after which a search that has not settled is given up."""

NOTHING = 1e-24
"""Cost, as a share of the curve's weighted sum of squares, at which nothing is left to fit."""


@dataclass(frozen=True, eq=False)
class BoundedFit:
    """Where a search has ended, for each curve.

    Parameters
    ----------
    theta : ndarray, shape (n_curve, n_par)
    fitted : ndarray, shape (n_curve, n_row)
    jacobian : ndarray, shape (n_curve, n_row, n_par)
        Derivative of ``fitted`` by theta.
    wrss : ndarray, shape (n_curve,)
        Weighted sum of squared residuals.
    at_bound : ndarray of bool, shape (n_curve, n_par)
        Parameters that are held by a bound.
    converged : ndarray of bool, shape (n_curve,)
    """

    theta: Array
    fitted: Array
    jacobian: Array
    wrss: Array
    at_bound: Flags
    converged: Flags

    def better(self, other: BoundedFit) -> BoundedFit:
        """Of two searches for the same curves, the one with the lower cost for each curve."""
        worse = other.wrss < self.wrss

        def taken(own: npt.NDArray, its: npt.NDArray) -> npt.NDArray:  # type: ignore[type-arg]
            return np.where(worse.reshape(-1, *(1,) * (own.ndim - 1)), its, own)

        return BoundedFit(*(taken(getattr(self, name), getattr(other, name)) for name in self.__dataclass_fields__))


def bounded_fit(
    curve: Curve, start: Array, target: Array, weights: Array, lower: Array, upper: Array, most: int = MOST_STEPS
) -> BoundedFit:
    """Minimise the weighted sum of squared residuals of each curve within bounds.

    Levenberg-Marquardt steps with the damping in proportion to the diagonal of the normal matrix (Moré 1978, Lect Notes
    Math 630:105), on the parameters that are not held by a bound; a step that leaves the bounds is cut off at them.
    Every curve has its own damping, and leaves the work when it has settled.

    Parameters
    ----------
    curve : callable
        Takes theta, shape (m, n_par), and the curves' numbers, shape (m,); gives the model's values, (m, n_row), and
        their derivatives, (m, n_row, n_par).
    start : ndarray, shape (n_curve, n_par)
        Moved into the bounds where it lies outside.
    target, weights : ndarray, shape (n_curve, n_row)
        Measured curves, and 1/variance up to a factor.
    lower, upper : ndarray, shape (n_par,)
    most : int
        Steps to take at most.
    """
    from raphe.core import damped  # numba, which takes a second to import, is not needed by a model that is only named

    theta = np.array(np.clip(start, lower, upper), dtype=float, order="C")
    target, weights, lower, upper = (plain(given) for given in (target, weights, lower, upper))
    index = np.arange(len(theta))
    fitted, slopes = (np.array(part) for part in _called(curve, theta, index))
    cost = damped.costs(target, fitted, weights)
    damping = np.full(len(theta), 1e-3)
    growth = np.full(len(theta), 2.0)
    converged = np.zeros(len(theta), dtype=bool)
    nothing = NOTHING * (weights * target**2).sum(axis=1)
    active = index
    for _ in range(most):
        trial, settled = damped.steps(active, theta, fitted, slopes, cost, damping, target, weights, lower, upper)
        converged[active[settled]] = True
        active, trial = active[~settled], trial[~settled]
        if not active.size:
            break
        value, slope = _called(curve, trial, active)
        settled = damped.taken(
            active, trial, value, slope, theta, fitted, slopes, cost, damping, growth, target, weights, nothing
        )
        converged[active[settled]] = True
        active = active[~settled]
    held = damped.held(theta, fitted, slopes, cost, target, weights, lower, upper)
    return BoundedFit(theta, fitted, slopes.transpose(0, 2, 1), cost, held, converged)


def _called(curve: Curve, theta: Array, index: npt.NDArray[np.intp]) -> tuple[Array, Array]:
    """Values of a model, (m, n_row), and its derivatives by parameter, (m, n_par, n_row)."""
    value, slope = curve(theta, index)
    return plain(value), plain(slope.transpose(0, 2, 1))


def plain(array: Array) -> Array:
    """Array as compiled code takes it, of the one layout that it is compiled for; copied only where it is not so.

    Parameters
    ----------
    array : ndarray, any shape
    """
    flags = array.flags
    if flags.c_contiguous and flags.writeable and flags.aligned and array.dtype == np.float64:
        return array
    return np.require(array, float, ["C", "W"])


def covariance_of_free(fit: BoundedFit, target: Array, weights: Array, kind: float = HC3) -> tuple[Array, Flags]:
    """Covariance of theta (:func:`raphe.core.linear.covariance`), given the parameters that a bound holds.

    Returns
    -------
    ndarray, shape (n_curve, n_par, n_par)
        0 where a bound holds a parameter; NaN where the Jacobian of the others is singular.
    ndarray of bool, shape (n_curve,)
        Where it is singular.
    """
    from raphe.core.influence import covariances  # numba, as above

    free, residual = ~fit.at_bound, plain(target - fit.fitted)
    slopes = plain(fit.jacobian.transpose(0, 2, 1))
    found, sure = covariances(slopes, free, plain(weights), residual, kind, NEIGHBOURS, LEAST_FREEDOM)
    singular = np.zeros(len(free), dtype=bool)
    for pattern in np.unique(free[~sure], axis=0):
        at = np.flatnonzero((free == pattern).all(axis=1) & ~sure)
        own = np.flatnonzero(pattern)
        design = fit.jacobian[np.ix_(at, np.arange(target.shape[1]), own)]
        solved = least_squares(design, residual[at], weights[at])
        singular[at] = solved.singular
        solved = replace(solved, residual=residual[at])
        found[np.ix_(at, own, own)] = covariance(solved, design, weights[at], kind)
    return found, singular
