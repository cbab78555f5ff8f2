"""How each datum carries into the free parameters of a fit, curve by curve, compiled."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

SURE = 1e4
"""Bound of the condition, columns scaled alike, up to which a basis made column by column is exact enough."""

compiled = njit(cache=True, error_model="numpy", fastmath={"reassoc", "contract", "arcp", "nsz"})


@compiled
def influences(slopes: Array, free: Flags, weights: Array) -> tuple[Array, Flags]:
    """Influence (J' W J)^-1 J' W of the data on the free parameters, where J is well conditioned.

    By orthogonal columns (Gram and Schmidt, each made orthogonal twice), not by the normal matrix.

    Parameters
    ----------
    slopes : ndarray, shape (n_curve, n_par, n_row)
        Derivatives of each curve by its parameters.
    free : ndarray of bool, shape (n_curve, n_par)
    weights : ndarray, shape (n_curve, n_row)

    Returns
    -------
    influence : ndarray, shape (n_curve, n_par, n_row)
        0 for what is not free.
    sure : ndarray of bool, shape (n_curve,)
        False where the condition may be above :data:`SURE`, or a number is none; the influence is 0 then.
    """
    n_curve, n_par, n_row = slopes.shape
    influence, sure = np.zeros(slopes.shape), np.ones(n_curve, dtype=np.bool_)
    q, root = np.empty((n_par, n_row)), np.empty(n_row)
    size, own = np.empty(n_par), np.empty(n_par, dtype=np.intp)
    r, inverse = np.empty((n_par, n_par)), np.empty((n_par, n_par))
    for c in range(n_curve):
        for k in range(n_row):
            root[k] = np.sqrt(weights[c, k])
        n = 0
        for p in range(n_par):
            if free[c, p]:
                size[n], own[n] = _scaled(slopes[c, p], root, q[n]), p
                n += 1
        sure[c] = _orthogonal(q[:n], r) and _inverted(r, n, inverse)
        if not sure[c]:
            continue
        for i in range(n):
            out = influence[c, own[i]]
            for j in range(i, n):
                share = inverse[i, j] / size[i]
                for k in range(n_row):
                    out[k] += share * q[j, k]
            for k in range(n_row):
                out[k] *= root[k]
    return influence, sure


@compiled
def _scaled(slope: Array, root: Array, out: Array) -> float:
    """Column times the root of the weights, of length 1 where it has any; its length before."""
    total = 0.0
    for k in range(out.size):
        out[k] = slope[k] * root[k]
        total += out[k] * out[k]
    size: float = np.sqrt(total)
    for k in range(out.size):
        out[k] /= size
    return size


@compiled
def _orthogonal(q: Array, r: Array) -> bool:
    """Make rows orthogonal and of length 1, in place, with their coordinates r; whether they were independent."""
    n, n_row = q.shape
    for j in range(n):
        r[: j + 1, j] = 0
        for _ in range(2):
            for i in range(j):
                along = 0.0
                for k in range(n_row):
                    along += q[i, k] * q[j, k]
                for k in range(n_row):
                    q[j, k] -= along * q[i, k]
                r[i, j] += along
        left = 0.0
        for k in range(n_row):
            left += q[j, k] * q[j, k]
        r[j, j] = np.sqrt(left)
        if not r[j, j] > 1 / SURE:
            return False
        for k in range(n_row):
            q[j, k] /= r[j, j]
    return True


@compiled
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
