"""Weighted linear least squares for many curves at once, with the error that each datum carries into the answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

RANK_TOLERANCE = 1e-9
"""Smallest to largest singular value, columns scaled alike, at or below which a matrix counts as singular."""

NEIGHBOURS = 5
"""Frames on either side over which squared residuals are averaged for the standard errors."""

HC2, HC3 = 1.0, 2.0
"""Power of one minus the leverage by which a squared residual is divided: of the kinds of covariance called so."""

LEAST_FREEDOM = 0.05
"""Lower limit of one minus the leverage in the standard errors, for a frame that a parameter has to itself."""


@dataclass(frozen=True, eq=False)
class LeastSquares:
    """Weighted least-squares solution of each curve.

    Parameters
    ----------
    theta : ndarray, shape (n_curve, n_par)
        NaN where the design is singular.
    influence : ndarray, shape (n_curve, n_par, n_row)
        Derivative of theta by the left-hand side, (X' W X)^-1 X' W.
    residual : ndarray, shape (n_curve, n_row)
        Left-hand side minus design x theta.
    wrss : ndarray, shape (n_curve,)
        Weighted sum of squared residuals.
    singular : ndarray of bool, shape (n_curve,)
    """

    theta: Array
    influence: Array
    residual: Array
    wrss: Array
    singular: npt.NDArray[np.bool_]


def least_squares(design: Array, left: Array, weights: Array) -> LeastSquares:
    """Solve left = design x theta by weighted least squares, for each curve.

    Parameters
    ----------
    design : ndarray, shape (n_curve, n_row, n_par)
    left : ndarray, shape (n_curve, n_row)
    weights : ndarray, shape (n_curve, n_row)
        1/variance up to a factor; not negative.
    """
    root = np.sqrt(weights)
    scaled = design * root[..., None]
    norm = np.linalg.norm(scaled, axis=1)
    safe = np.where(norm > 0, norm, 1.0)
    u, s, vt = np.linalg.svd(scaled / safe[:, None, :], full_matrices=False)
    singular = (s[:, -1] <= RANK_TOLERANCE * s[:, 0]) | (norm == 0).any(axis=1)
    s = np.where(singular[:, None], np.nan, s)
    inverse = (vt.transpose(0, 2, 1) / s[:, None, :]) @ u.transpose(0, 2, 1)
    influence = inverse / safe[:, :, None] * root[:, None, :]
    theta = (influence @ left[..., None])[..., 0]
    residual = left - (design @ theta[..., None])[..., 0]
    return LeastSquares(theta, influence, residual, (weights * residual**2).sum(axis=-1), singular)


def instrumental(design: Array, instruments: Array, left: Array, weights: Array) -> LeastSquares:
    r"""Solve left = design x theta with instrumental variables, for each curve.

    Where the curve's own integrals are regressors, their noise biases least squares. Instruments Z are like the
    regressors X but free of that noise, such as the integrals of a fitted curve, and in
    :math:`\theta = (Z' W X)^{-1} Z' W y` the noise of X is no longer multiplied by itself (Reiersol 1941, Econometrica
    9:1; with a fitted model as the source of instruments Young 1970, Automatica 6:271).

    Parameters
    ----------
    design, instruments : ndarray, shape (n_curve, n_row, n_par)
        Instruments that are the design give least squares.
    left : ndarray, shape (n_curve, n_row)
    weights : ndarray, shape (n_curve, n_row)
        1/variance up to a factor; not negative.

    Returns
    -------
    LeastSquares
        Its influence is :math:`(Z' W X)^{-1} Z' W`; the residuals are those of the equation.
    """
    root = np.sqrt(weights)[..., None]
    columns, rows = design * root, instruments * root
    norm, rows_norm = (np.linalg.norm(each, axis=1, keepdims=True) for each in (columns, rows))
    basis, size, _ = np.linalg.svd(rows / np.where(rows_norm > 0, rows_norm, 1.0), full_matrices=False)
    safe = np.where(norm > 0, norm, 1.0)
    u, s, vt = np.linalg.svd(basis.transpose(0, 2, 1) @ (columns / safe))
    singular = (size[:, -1] <= RANK_TOLERANCE * size[:, 0]) | (s[:, -1] <= RANK_TOLERANCE * s[:, 0])
    inverse = (vt.transpose(0, 2, 1) / np.where(singular[:, None], np.nan, s)[:, None, :]) @ u.transpose(0, 2, 1)
    influence = inverse / safe.transpose(0, 2, 1) @ (basis * root).transpose(0, 2, 1)
    theta = (influence @ left[..., None])[..., 0]
    residual = left - (design @ theta[..., None])[..., 0]
    return LeastSquares(theta, influence, residual, (weights * residual**2).sum(axis=-1), singular)


def covariance(solution: LeastSquares, design: Array, weights: Array, kind: float = HC3) -> Array:
    """Covariance of theta that holds whether or not the weights are the true 1/variance.

    Heteroscedasticity-consistent, of the kind called HC3 (MacKinnon & White 1985, J Econometrics 29:305; Long & Ervin
    2000, Am Stat 54:217): the variance of a frame is taken from its own squared residual, divided by the square of
    one minus its leverage; in HC2 by that itself, which is no larger. As the noise of a scan changes smoothly along the
    schedule, those squares are first averaged over :data:`NEIGHBOURS` frames on either side, relative to what the
    weights expect.

    Parameters
    ----------
    solution : LeastSquares
        Of the design, or of the Jacobian of a nonlinear model at its minimum.
    design : ndarray, shape (n_curve, n_row, n_par)
    weights : ndarray, shape (n_curve, n_row)
    kind : float
        :data:`HC3` or :data:`HC2`.

    Returns
    -------
    ndarray, shape (n_curve, n_par, n_par)
        NaN where the design is singular.
    """
    leverage = np.einsum("crp,cpr->cr", design, solution.influence)
    variance = frame_variance(solution.residual, leverage, weights, kind)
    return _sandwich(solution.influence, variance)


def covariance_both_sides(
    solution: LeastSquares, design: Array, weights: Array, noise: Array, expected_variance: Array, kind: float = HC3
) -> Array:
    r"""Covariance of theta when the data enter the equations on both sides.

    The multilinear and graphical models hold the tissue curve, or its integral, among the regressors, so the errors of
    their equations are not those of the frames: they are :math:`\epsilon = H e` with the independent errors e of all
    frames. With the influence P of the equations on theta, :math:`\mathrm{cov}\,\theta = P H V H' P'`. Where every
    frame is fitted, H is square, the frames' own residuals are :math:`H^{-1} r`, and V follows from them as in
    :func:`covariance`. Where early frames are left out they cannot be had, and V is what the weights expect, times the
    :math:`\sigma^2` that makes the expectation of the weighted residual sum of squares,
    :math:`\mathrm{tr}[(I - XP)' W (I - XP) H V H']\,\sigma^2`, equal to what was found.

    Parameters
    ----------
    solution : LeastSquares
    design : ndarray, shape (n_curve, n_row, n_par)
    weights : ndarray, shape (n_curve, n_row)
    noise : ndarray, shape (n_curve, n_row, n_frame)
        H.
    expected_variance : ndarray, shape (n_curve, n_frame)
        Relative variance of every frame, 1/weight.
    kind : float
        :data:`HC3` or :data:`HC2`, where every frame is fitted.

    Returns
    -------
    ndarray, shape (n_curve, n_par, n_par)
        NaN where the design is singular.
    """
    carried = solution.influence @ noise
    if noise.shape[1] == noise.shape[2]:
        backward = np.linalg.pinv(np.nan_to_num(noise), rcond=RANK_TOLERANCE)  # NaN where the design is singular
        own = backward @ np.concatenate([design, solution.residual[..., None]], axis=-1)
        leverage = np.einsum("crp,cpr->cr", own[..., :-1], carried)
        return _sandwich(carried, frame_variance(own[..., -1], leverage, 1 / expected_variance, kind))
    spread = noise * np.sqrt(expected_variance)[:, None, :]
    left_over = (spread - design @ (solution.influence @ spread)) * np.sqrt(weights)[..., None]
    sigma2 = solution.wrss / (left_over**2).sum(axis=(1, 2))
    return _sandwich(carried, sigma2[:, None] * expected_variance)


def frame_variance(residual: Array, leverage: Array, weights: Array, kind: float = HC3) -> Array:
    """Variance of each frame from its residual, averaged over neighbouring frames relative to 1/weight.

    Parameters
    ----------
    residual, leverage, weights : ndarray, shape (n_curve, n_row)
    kind : float
        :data:`HC3` or :data:`HC2`.

    Returns
    -------
    ndarray, shape (n_curve, n_row)
    """
    squares = weights * residual**2 / np.maximum(1 - leverage, LEAST_FREEDOM) ** kind
    return np.asarray(averaged(squares) / weights)


def averaged(squares: Array) -> Array:
    """Average each frame with those up to :data:`NEIGHBOURS` away, shape (..., n_row)."""
    index = np.arange(squares.shape[-1])
    near = (np.abs(index[:, None] - index) <= NEIGHBOURS).astype(float)
    return np.asarray(squares @ (near / near.sum(axis=0)))


def _sandwich(influence: Array, variance: Array) -> Array:
    return np.asarray((influence * variance[:, None, :]) @ influence.transpose(0, 2, 1))
