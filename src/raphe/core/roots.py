"""Rates of two compartments that exchange, and the share of the inflow that answers with each, compiled."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[np.float64]

LEAST = 1e-12
CONFLUENT = 1e-7
"""Least distance of the two rates, as a share of their sum: nearer, their difference would have no digits left."""


@njit(cache=True, nogil=True, error_model="numpy")
def two_roots(k: Array) -> tuple[Array, Array, Array, Array]:
    """Two exponentials of compartments with an inflow of 1, and their derivatives by the rate constants.

    Parameters
    ----------
    k : ndarray, shape (n_curve, 3), 1/min
        k2, k3 and k4.

    Returns
    -------
    share, root : ndarray, shape (n_curve, 2)
        Amplitudes and rates, the slower first.
    by_share, by_root : ndarray, shape (n_curve, 2, 4)
        By the inflow, on which neither depends, k2, k3 and k4.
    """
    n = len(k)
    share, root, by_share, by_root = np.empty((n, 2)), np.empty((n, 2)), np.zeros((n, 2, 4)), np.zeros((n, 2, 4))
    for c in range(n):
        k2, k3, k4 = k[c, 0], k[c, 1], k[c, 2]
        total, bound = k2 + k3 + k4, k3 + k4
        square = (k2 - k4) ** 2 + k3**2 + 2 * k3 * (k2 + k4)
        apart = np.sqrt(max(square, (CONFLUENT * total) ** 2 + LEAST**2))
        fast = max((total + apart) / 2, LEAST)
        slow = k2 * k4 / fast
        root[c, 0], root[c, 1] = slow, fast
        share[c, 0], share[c, 1] = (bound - slow) / apart, (fast - bound) / apart
        for p in range(3):
            by_apart = (total - 2 * k4 if p == 0 else total if p == 1 else total - 2 * k2) / apart
            by_bound = 0.0 if p == 0 else 1.0
            by_slow, by_fast = (1 - by_apart) / 2, (1 + by_apart) / 2
            by_root[c, 0, p + 1], by_root[c, 1, p + 1] = by_slow, by_fast
            by_share[c, 0, p + 1] = ((by_bound - by_slow) - share[c, 0] * by_apart) / apart
            by_share[c, 1, p + 1] = ((by_fast - by_bound) - share[c, 1] * by_apart) / apart
    return share, root, by_share, by_root
