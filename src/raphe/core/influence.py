"""Covariance of the free parameters of a fit from the residuals, curve by curve, compiled."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

SURE = 1e4
"""Bound of the condition, columns scaled alike, up to which a basis made column by column is exact enough."""

LOOSE = {"reassoc", "contract", "arcp", "nsz"}
compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath=LOOSE)
inlined = njit(forceinline=True, error_model="numpy", fastmath=LOOSE)


@compiled
def covariances(
    slopes: Array, free: Flags, weights: Array, residual: Array, kind: float, neighbours: int, least: float
) -> tuple[Array, Flags]:
    """Covariance of the free parameters, as :func:`raphe.core.linear.covariance` has it, where J is well conditioned.

    By orthogonal columns of the weighted Jacobian (Gram and Schmidt, one after another, which loses as many digits as
    the condition has, four at most), not by the normal matrix: with W^(1/2) J = Q R the influence of the data is
    R^-1 Q' W^(1/2), and the leverages are the sums of squares of the rows of Q.

    Parameters
    ----------
    slopes : ndarray, shape (n_curve, n_par, n_row)
        Derivatives of each curve by its parameters.
    free : ndarray of bool, shape (n_curve, n_par)
    weights, residual : ndarray, shape (n_curve, n_row)
    kind : float
        Power of one minus the leverage by which a squared residual is divided.
    neighbours : int
        Frames on either side over which squared residuals are averaged.
    least : float
        Lower limit of one minus the leverage.

    Returns
    -------
    covariance : ndarray, shape (n_curve, n_par, n_par)
        0 for what is not free.
    sure : ndarray of bool, shape (n_curve,)
        False where the condition may be above :data:`SURE`, or a number is none; the covariance is 0 then.
    """
    n_curve, n_par, n_row = slopes.shape
    found, sure = np.zeros((n_curve, n_par, n_par)), np.zeros(n_curve, dtype=np.bool_)
    q, root, squares = np.empty((n_par, n_row)), np.empty(n_row), np.empty((2, n_row))
    size, own = np.empty(n_par), np.empty(n_par, dtype=np.intp)
    r, inverse, middle = np.empty((n_par, n_par)), np.empty((n_par, n_par)), np.empty((n_par, n_par))
    for c in range(n_curve):
        for k in range(n_row):
            root[k] = np.sqrt(weights[c, k])
        n = 0
        for p in range(n_par):
            if free[c, p]:
                total = 0.0
                for k in range(n_row):
                    q[n, k] = slopes[c, p, k] * root[k]
                    total += q[n, k] * q[n, k]
                size[n], own[n] = 1 / np.sqrt(total), p
                for k in range(n_row):
                    q[n, k] *= size[n]
                n += 1
        sure[c] = _orthogonal(q, n, r) and _inverted(r, n, inverse)
        if not sure[c]:
            continue
        _frame_variance(q, n, root, residual, c, kind, neighbours, least, squares)
        for i in range(n):
            for j in range(i + 1):
                total = 0.0
                for k in range(n_row):
                    total += q[i, k] * q[j, k] * squares[1, k]
                middle[i, j] = middle[j, i] = total
        for i in range(n):
            for j in range(i + 1):
                total = 0.0
                for a in range(i, n):
                    part = 0.0
                    for b in range(j, n):
                        part += middle[a, b] * inverse[j, b]
                    total += inverse[i, a] * part
                found[c, own[i], own[j]] = found[c, own[j], own[i]] = total * size[i] * size[j]
    return found, sure


@inlined
def _orthogonal(q: Array, n: int, r: Array) -> bool:
    """Make n rows orthogonal and of length 1, in place, with their coordinates r; whether they were independent."""
    n_row = q.shape[1]
    for j in range(n):
        for i in range(j):
            along = 0.0
            for k in range(n_row):
                along += q[i, k] * q[j, k]
            for k in range(n_row):
                q[j, k] -= along * q[i, k]
            r[i, j] = along
        left = 0.0
        for k in range(n_row):
            left += q[j, k] * q[j, k]
        r[j, j] = np.sqrt(left)
        if not r[j, j] > 1 / SURE:
            return False
        by = 1 / r[j, j]
        for k in range(n_row):
            q[j, k] *= by
    return True


@inlined
def _inverted(r: Array, n: int, inverse: Array) -> bool:
    """Inverse of an upper triangle; whether the bound of its condition by Frobenius' norms is below :data:`SURE`."""
    size = back = 0.0
    for j in range(n):
        inverse[j, j] = 1 / r[j, j]
        for i in range(j - 1, -1, -1):
            total = 0.0
            for k in range(i + 1, j + 1):
                total += r[i, k] * inverse[k, j]
            inverse[i, j] = -total / r[i, i]
        for i in range(j + 1):
            size += r[i, j] * r[i, j]
            back += inverse[i, j] * inverse[i, j]
    return n == 0 or size * back < SURE * SURE


@inlined
def _frame_variance(
    q: Array, n: int, root: Array, residual: Array, c: int, kind: float, neighbours: int, least: float, squares: Array
) -> None:  # fmt: skip
    """Squared residuals over what the leverages leave of them, and their averages over the frames nearby."""
    n_row = root.size
    for k in range(n_row):
        squares[0, k] = 0.0
    for p in range(n):
        for k in range(n_row):
            squares[0, k] += q[p, k] * q[p, k]
    for k in range(n_row):
        by = 1 / max(1 - squares[0, k], least)
        rest = root[k] * residual[c, k]
        squares[0, k] = rest * rest * (by * by if kind == 2 else by if kind == 1 else by**kind)
    for k in range(n_row):
        low, high = max(k - neighbours, 0), min(k + neighbours + 1, n_row)
        total = 0.0
        for other in range(low, high):
            total += squares[0, other]
        squares[1, k] = total / (high - low)
