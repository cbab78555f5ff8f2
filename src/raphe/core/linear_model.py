"""Ordinary and weighted least squares of one outcome, with tests of combinations of the coefficients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from raphe.errors import InputError

Array = npt.NDArray[np.float64]

RANK_TOLERANCE = 1e-10
"""Smallest to largest diagonal element of R, columns scaled alike, at or below which a design counts as singular."""


@dataclass(frozen=True, eq=False)
class LinearFit:
    """A linear model with independent errors of one variance, or of known ratios of variances.

    Parameters
    ----------
    beta : ndarray, shape (p,)
    covariance : ndarray, shape (p, p)
    sigma2 : float
        Residual variance; of a row with weight 1 where there are weights.
    df : float
        n - p.
    residual : ndarray, shape (n,)
    log_likelihood : float
        At the maximum over beta and the variance.
    """

    beta: Array
    covariance: Array
    sigma2: float
    df: float
    residual: Array
    log_likelihood: float

    def one(self, combination: Array) -> tuple[float, float, float]:
        """Estimate, standard error and degrees of freedom of a combination of coefficients, shape (p,)."""
        variance = float(combination @ self.covariance @ combination)
        return float(combination @ self.beta), float(np.sqrt(variance)), self.df

    def joint(self, rows: Array) -> tuple[float, float, float]:
        """F with its two degrees of freedom for rows, shape (q, p), that are all 0 under the null hypothesis."""
        kept = independent(rows)
        return wald(kept, self.beta, self.covariance), float(len(kept)), self.df


def fit_linear(design: Array, outcome: Array, weights: Array | None = None) -> LinearFit:
    """Least squares by QR.

    Parameters
    ----------
    design : ndarray, shape (n, p), of full column rank
    outcome : ndarray, shape (n,)
    weights : ndarray, shape (n,), optional
        1/variance up to a factor; above 0.

    Raises
    ------
    InputError
        If n is not above p, the design is singular, or a weight is not above 0.
    """
    n, p = design.shape
    if n <= p:
        raise InputError(
            f"{p} parameters cannot be fitted with an error to {n} rows; leave out terms or bring more rows"
        )
    if weights is not None and not (np.isfinite(weights) & (weights > 0)).all():
        row = int((~(np.isfinite(weights) & (weights > 0))).argmax())
        raise InputError(f"the weight of row {row + 1} is {weights[row]}; a weight is above 0")
    root = np.ones(n) if weights is None else np.sqrt(weights)
    basis, triangle = orthonormal(design * root[:, None])
    left = outcome * root
    coordinates = basis.T @ left
    coordinates += basis.T @ (left - basis @ coordinates)
    inverse = np.linalg.inv(triangle)
    beta = inverse @ coordinates
    rest = left - basis @ coordinates
    wrss = float(rest @ rest)
    sigma2 = wrss / (n - p)
    with np.errstate(divide="ignore"):
        log_likelihood = -0.5 * n * float(np.log(2 * np.pi * wrss / n) + 1) + float(np.log(root).sum())
    return LinearFit(beta, sigma2 * inverse @ inverse.T, sigma2, float(n - p), rest / root, log_likelihood)


def orthonormal(design: Array) -> tuple[Array, Array]:
    """QR of a design, shapes (n, p) and (p, p); InputError if it is singular."""
    basis, triangle = np.linalg.qr(design)
    size = np.sqrt((design**2).sum(axis=0))
    if not (size > 0).all() or (np.abs(np.diag(triangle)) <= RANK_TOLERANCE * size).any():
        raise InputError("the design is singular: a column follows from the others; leave it out")
    return basis, triangle


def independent(rows: Array) -> Array:
    """Rows of the same span that are linearly independent, shape (rank, p); InputError if there is none."""
    _, singular, right = np.linalg.svd(np.atleast_2d(rows), full_matrices=False)
    rank = int((singular > RANK_TOLERANCE * max(float(singular[0]), np.finfo(float).tiny)).sum())
    if rank == 0:
        raise InputError("a test needs a combination of coefficients that is not 0 throughout")
    if rank == len(np.atleast_2d(rows)):
        return np.atleast_2d(rows)
    return np.asarray(singular[:rank, None] * right[:rank])


def wald(rows: Array, beta: Array, covariance: Array) -> float:
    """Wald statistic over its number of independent rows, shape (q, p)."""
    value = rows @ beta
    return float(value @ np.linalg.solve(rows @ covariance @ rows.T, value)) / len(rows)
