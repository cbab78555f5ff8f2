"""Standard errors of functions of parameters, by the delta method, compiled."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[np.float64]

compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "arcp", "nsz"})
inlined = njit(forceinline=True, error_model="numpy", fastmath={"reassoc", "contract", "arcp", "nsz"})


@compiled
def errors_of(gradient: Array, covariance: Array) -> Array:
    """Compute the standard errors of functions of parameters.

    Parameters
    ----------
    gradient : ndarray, shape (n_out, n_par, n_curve)
        Derivative of each function by each parameter.
    covariance : ndarray, shape (n_par, n_par, n_curve)

    Returns
    -------
    ndarray, shape (n_out, n_curve)
    """
    n_out, n_par, n_curve = gradient.shape
    se = np.empty((n_out, n_curve))
    for o in range(n_out):
        if n_par == 2:
            _of_two(gradient[o, 0], gradient[o, 1], covariance, se[o])
        elif n_par == 3:
            _of_three(gradient[o, 0], gradient[o, 1], gradient[o, 2], covariance, se[o])
        else:
            _of_any(gradient[o], covariance, se[o])
    return se


@inlined
def _root(variance: float) -> float:
    root: float = np.sqrt(0.0 if variance < 0 else variance)  # rounding may leave less than nothing
    return root


@compiled
def _of_two(a: Array, b: Array, covariance: Array, out: Array) -> None:
    """Errors of one function in one pass, as for the next: the usual numbers of parameters."""
    aa, ab, bb = covariance[0, 0], covariance[0, 1], covariance[1, 1]
    for c in range(out.size):
        out[c] = _root(a[c] * (a[c] * aa[c] + 2 * b[c] * ab[c]) + b[c] * b[c] * bb[c])


@compiled
def _of_three(a: Array, b: Array, d: Array, covariance: Array, out: Array) -> None:
    aa, ab, ad = covariance[0, 0], covariance[0, 1], covariance[0, 2]
    bb, bd, dd = covariance[1, 1], covariance[1, 2], covariance[2, 2]
    for c in range(out.size):
        own = a[c] * a[c] * aa[c] + b[c] * b[c] * bb[c] + d[c] * d[c] * dd[c]
        out[c] = _root(own + 2 * (a[c] * (b[c] * ab[c] + d[c] * ad[c]) + b[c] * d[c] * bd[c]))


@compiled
def _of_any(gradient: Array, covariance: Array, out: Array) -> None:
    out[:] = 0.0
    for p in range(len(gradient)):
        for q in range(p + 1):
            one, other, both, times = gradient[p], gradient[q], covariance[p, q], 1.0 if p == q else 2.0
            for c in range(out.size):
                out[c] += times * both[c] * one[c] * other[c]
    for c in range(out.size):
        out[c] = _root(out[c])
