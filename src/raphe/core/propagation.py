"""Standard errors of functions of parameters, by the delta method, compiled."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[np.float64]

compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "arcp", "nsz"})


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
    se = np.zeros((n_out, n_curve))
    inner = np.empty(n_curve)
    for o in range(n_out):
        for p in range(n_par):
            inner[:] = 0.0
            for q in range(n_par):
                for c in range(n_curve):
                    inner[c] += covariance[p, q, c] * gradient[o, q, c]
            for c in range(n_curve):
                se[o, c] += inner[c] * gradient[o, p, c]
        for c in range(n_curve):
            total = se[o, c]
            se[o, c] = np.nan if np.isnan(total) else np.sqrt(max(total, 0.0))  # rounding may leave less than nothing
    return se
