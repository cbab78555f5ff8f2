"""Least squares with one nonlinear parameter, by variable projection (Golub & Pereyra 1973, SIAM J Numer Anal 10:413).

For a model that is linear in all parameters but one rate constant k, the linear ones are solved for every k, and what
is left to search is the weighted residual sum of squares as a function of k alone: a grid finds its lowest valley, and
bracketed minimisation (Chandrupatla) its floor.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.optimize import elementwise

from raphe.core.bounded import Curve
from raphe.core.linear import covariance, least_squares

Array = npt.NDArray[np.float64]
Basis = Callable[[npt.NDArray[np.inexact]], npt.NDArray[np.inexact]]

COMPLEX_STEP = 1e-30


@dataclass(frozen=True, eq=False)
class ProfileFit:
    """Best rate constant and linear parameters of each curve, their covariance, and how the search ended.

    Parameters
    ----------
    rate : ndarray, shape (n_curve,), 1/min
    theta : ndarray, shape (n_curve, n_linear)
    covariance : ndarray, shape (n_curve, n_linear + 1, n_linear + 1)
        Of the linear parameters and, last, the rate, from the Jacobian at the minimum; NaN where it is singular.
    fitted : ndarray, shape (n_curve, n_row)
    wrss : ndarray, shape (n_curve,)
        Weighted sum of squared residuals.
    at_bound, converged, singular : ndarray of bool, shape (n_curve,)
    """

    rate: Array
    theta: Array
    covariance: Array
    fitted: Array
    wrss: Array
    at_bound: npt.NDArray[np.bool_]
    converged: npt.NDArray[np.bool_]
    singular: npt.NDArray[np.bool_]


def profile_fit(
    basis: Basis, curves: Array, weights: Array, bounds: tuple[float, float], n_grid: int = 96
) -> ProfileFit:
    """Weighted least-squares fit of curve = sum of theta_p basis_p(rate), for each curve.

    Parameters
    ----------
    basis : callable
        Takes rate constants of shape (n_rate,), 1/min, and gives the linear basis functions, (n_rate, n_linear, n_row);
        analytic in the rate, which may be complex.
    curves : ndarray, shape (n_curve, n_row)
    weights : ndarray, shape (n_curve, n_row)
        1/variance up to a factor.
    bounds : tuple of float, 1/min
        Range of the search; a curve whose lowest cost lies at its edge is marked ``at_bound``.
    n_grid : int
        Points of the grid, spaced evenly in the logarithm.
    """
    rate, at_bound, converged = _lowest(basis, curves, weights, bounds, n_grid)
    at_rate = np.asarray(basis(rate), dtype=float)
    theta, wrss = _solve(at_rate, curves, weights)
    fitted = np.einsum("cpr,cp->cr", at_rate, theta)
    slope = np.imag(basis(rate + 1j * COMPLEX_STEP)) / COMPLEX_STEP
    by_rate = np.einsum("cpr,cp->cr", slope, theta)
    jacobian = np.concatenate([at_rate, by_rate[:, None]], axis=1).transpose(0, 2, 1)
    local = replace(least_squares(jacobian, curves - fitted, weights), residual=curves - fitted)
    spread = covariance(local, jacobian, weights)
    return ProfileFit(rate, theta, spread, fitted, wrss, at_bound, converged, local.singular)


def separable(basis: Basis) -> Curve:
    """Model for :func:`raphe.core.bounded.bounded_fit`: the linear parameters of :func:`profile_fit`, then the rate."""

    def curve(theta: Array, index: npt.NDArray[np.intp]) -> tuple[Array, Array]:
        found = basis(theta[:, -1] + 1j * COMPLEX_STEP)
        value, slope = np.real(found), np.imag(found) / COMPLEX_STEP
        linear = theta[:, None, :-1]
        by_theta = np.concatenate([value, linear @ slope], axis=1)
        return (linear @ value)[:, 0], by_theta.transpose(0, 2, 1)

    return curve


def _lowest(
    basis: Basis, curves: Array, weights: Array, bounds: tuple[float, float], n_grid: int
) -> tuple[Array, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    grid = np.linspace(np.log(bounds[0]), np.log(bounds[1]), n_grid)
    lowest = _grid_cost(np.asarray(basis(np.exp(grid)), dtype=float), curves, weights).argmin(axis=1)
    at_bound = (lowest == 0) | (lowest == n_grid - 1)
    log_rate = grid[lowest]
    converged = np.ones(len(curves), dtype=bool)
    inside = np.flatnonzero(~at_bound)
    if inside.size:

        def cost(log_k: Array, index: Array) -> Array:
            i = index.astype(np.intp)
            return _solve(np.asarray(basis(np.exp(log_k)), dtype=float), curves[i], weights[i])[1]

        middle = lowest[inside]
        bracket = (grid[middle - 1], grid[middle], grid[middle + 1])
        found = elementwise.find_minimum(cost, bracket, args=(inside.astype(float),), tolerances={"xatol": 1e-9})
        log_rate[inside] = np.where(found.success, found.x, log_rate[inside])
        converged[inside] = found.success
    return np.exp(log_rate), at_bound, converged


def _grid_cost(basis: Array, curves: Array, weights: Array) -> Array:
    """Weighted residual sum of squares of every curve at every grid point, less a constant of the curve."""
    n_grid, n_linear, n_row = basis.shape
    product = (basis[:, :, None, :] * basis[:, None, :, :]).reshape(-1, n_row) @ weights.T
    normal = product.T.reshape(len(curves), n_grid, n_linear, n_linear)
    moment = (basis.reshape(-1, n_row) @ (weights * curves).T).T.reshape(len(curves), n_grid, n_linear)
    return np.asarray(-(moment * _normal_solution(normal, moment)).sum(axis=-1))


def _solve(basis: Array, curves: Array, weights: Array) -> tuple[Array, Array]:
    """Linear parameters and cost of each curve at its own rate constant."""
    weighted = basis * weights[:, None, :]
    normal = weighted @ basis.transpose(0, 2, 1)
    theta = _normal_solution(normal, (weighted @ curves[..., None])[..., 0])
    residual = curves - (theta[:, None, :] @ basis)[:, 0]
    return theta, (weights * residual**2).sum(axis=-1)


def _normal_solution(normal: Array, moment: Array) -> Array:
    """Solution of each set of normal equations, columns scaled alike, of least norm where they are singular."""
    root = np.sqrt(np.einsum("...pp->...p", normal))
    root = np.where(root > 0, root, 1.0)
    scaled = normal / (root[..., :, None] * root[..., None, :])
    inverse = np.linalg.pinv(scaled, rcond=1e-13, hermitian=True)
    return np.asarray((inverse @ (moment / root)[..., None])[..., 0] / root)
