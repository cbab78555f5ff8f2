"""Bounded nonlinear least squares for many curves at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from raphe.core.linear import LeastSquares, covariance, least_squares

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Curve = Callable[[Array, npt.NDArray[np.intp]], tuple[Array, Array]]

MOST_STEPS = 200
"""Steps after which a search that has not settled is given up."""

SHORT = 1e-10
"""Step in units of the parameters' own scale at which a search has settled."""

FLAT = 1e-11
"""Relative fall of the cost at which a search has settled."""

NOTHING = 1e-24
"""Cost, as a share of the curve's weighted sum of squares, at which nothing is left to fit."""

ORTHOGONAL = 1e-8
"""Cosine between the residuals and every free column of the Jacobian at which a search has settled."""


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
    theta = np.clip(start, lower, upper)
    index = np.arange(len(theta))
    fitted, jacobian = (np.array(part) for part in curve(theta, index))
    cost = _cost(target, fitted, weights)
    damping = np.full(len(theta), 1e-3)
    growth = np.full(len(theta), 2.0)
    converged = np.zeros(len(theta), dtype=bool)
    nothing = NOTHING * (weights * target**2).sum(axis=1)
    active = index
    for _ in range(most):
        here, J, w = theta[active], jacobian[active], weights[active]
        normal, gradient = _normal(J, w, target[active] - fitted[active])
        free = ~(((here <= lower) & (gradient < 0)) | ((here >= upper) & (gradient > 0)))
        settled = _orthogonal(normal, gradient, free, cost[active])
        step = _step(normal, gradient, free, damping[active], here, lower, upper)
        trial = np.clip(here + step, lower, upper)
        value, slope = curve(trial, active)
        new = _cost(target[active], value, w)
        taken = new < cost[active]
        fall = cost[active] - new
        size = np.sqrt(np.einsum("cpp->cp", normal))
        short = (np.abs(trial - here) * size).max(axis=1) <= SHORT * np.sqrt(np.maximum(cost[active], 1e-300))
        settled |= short | (taken & (fall <= FLAT * cost[active])) | (cost[active] <= nothing[active])
        at = active[taken]
        theta[at], fitted[at], jacobian[at], cost[at] = trial[taken], value[taken], slope[taken], new[taken]
        refused = active[~taken]
        damping[at] = np.maximum(damping[at] / 5, 1e-12)
        growth[at] = 2.0
        damping[refused] *= growth[refused]
        growth[refused] *= 2
        hopeless = damping[active] > 1e12
        converged[active[settled | hopeless]] = True
        active = active[~(settled | hopeless)]
        if not active.size:
            break
    _, gradient = _normal(jacobian, weights, target - fitted)
    held = ((theta <= lower) & (gradient <= 0)) | ((theta >= upper) & (gradient >= 0))
    return BoundedFit(theta, fitted, jacobian, cost, held, converged)


def covariance_of_free(fit: BoundedFit, target: Array, weights: Array) -> tuple[Array, Flags]:
    """Covariance of theta (:func:`raphe.core.linear.covariance`), given the parameters that a bound holds.

    Returns
    -------
    ndarray, shape (n_curve, n_par, n_par)
        0 where a bound holds a parameter; NaN where the Jacobian of the others is singular.
    ndarray of bool, shape (n_curve,)
        Where it is singular.
    """
    n_curve, n_par = fit.theta.shape
    found, singular = np.zeros((n_curve, n_par, n_par)), np.zeros(n_curve, dtype=bool)
    for pattern in np.unique(fit.at_bound, axis=0):
        at = np.flatnonzero((fit.at_bound == pattern).all(axis=1))
        free = np.flatnonzero(~pattern)
        if not free.size:
            continue
        design = fit.jacobian[np.ix_(at, np.arange(target.shape[1]), free)]
        residual = target[at] - fit.fitted[at]
        solved = least_squares(design, residual, weights[at])
        local = LeastSquares(solved.theta, solved.influence, residual, fit.wrss[at], solved.singular)
        found[np.ix_(at, free, free)] = covariance(local, design, weights[at])
        singular[at] = solved.singular
    return found, singular


def _cost(target: Array, fitted: Array, weights: Array) -> Array:
    with np.errstate(over="ignore", invalid="ignore"):
        cost = (weights * (target - fitted) ** 2).sum(axis=1)
    return np.where(np.isfinite(cost), cost, np.inf)


def _normal(jacobian: Array, weights: Array, residual: Array) -> tuple[Array, Array]:
    weighted = jacobian * weights[..., None]
    across = jacobian.transpose(0, 2, 1)
    return across @ weighted, (weighted.transpose(0, 2, 1) @ residual[..., None])[..., 0]


def _orthogonal(normal: Array, gradient: Array, free: Flags, cost: Array) -> Flags:
    size = np.sqrt(np.einsum("cpp->cp", normal) * cost[:, None])
    return np.asarray((~free | (np.abs(gradient) <= ORTHOGONAL * size)).all(axis=1))


def _step(
    normal: Array, gradient: Array, free: Flags, damping: Array, here: Array, lower: Array, upper: Array
) -> Array:
    """Damped step of the free parameters; those that it would carry over a bound go to the bound, the others adapt."""
    diagonal = np.einsum("cpp->cp", normal)
    scale = np.where(diagonal > 0, diagonal, 1.0)
    damped = normal + np.eye(normal.shape[1]) * (damping[:, None] * scale)[..., None]
    moved, fixed = free, np.zeros_like(gradient)
    step = _solve(damped, gradient, moved, fixed)
    for _ in range(normal.shape[1] - 1):
        over = moved & ((here + step < lower) | (here + step > upper))
        if not over.any():
            break
        fixed = np.where(over, np.clip(here + step, lower, upper) - here, fixed)
        moved = moved & ~over
        step = _solve(damped, gradient, moved, fixed)
    return step


def _solve(normal: Array, gradient: Array, moved: Flags, fixed: Array) -> Array:
    """Solve the normal equations for the parameters that move, where the others make the steps ``fixed``."""
    right = np.where(moved, gradient - (normal @ fixed[..., None])[..., 0], fixed)
    keep = moved[:, :, None] & moved[:, None, :]
    matrix = np.where(keep, normal, 0.0) + np.eye(normal.shape[1]) * (~moved)[:, None, :]
    root = np.sqrt(np.einsum("cpp->cp", matrix))
    root = np.where(root > 0, root, 1.0)
    scaled = matrix / (root[:, :, None] * root[:, None, :])
    scaled = scaled + np.eye(normal.shape[1]) * np.where(np.einsum("cpp->cp", scaled) > 0, 0.0, 1.0)[:, None, :]
    return np.asarray(np.linalg.solve(scaled, (right / root)[..., None])[..., 0] / root)
