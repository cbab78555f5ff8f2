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
    gradient : ndarray, shape (n_curve, n_out, n_par)
        Derivative of each function by each parameter.
    covariance : ndarray, shape (n_curve, n_par, n_par)

    Returns
    -------
    ndarray, shape (n_curve, n_out)
    """
    n_curve, n_out, n_par = gradient.shape
    se = np.empty((n_curve, n_out))
    for c in range(n_curve):
        for o in range(n_out):
            total = 0.0
            for p in range(n_par):
                inner = 0.0
                for q in range(n_par):
                    inner += covariance[c, p, q] * gradient[c, o, q]
                total += inner * gradient[c, o, p]
            se[c, o] = np.nan if np.isnan(total) else np.sqrt(max(total, 0.0))  # rounding may leave less than nothing
    return se
