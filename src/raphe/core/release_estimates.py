"""What follows from R1, k2, k2a and gamma of a curve with a release, and how it changes with them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

ESTIMATES = ("BP_ND", "R1", "k2", "k2_prime", "k2a", "gamma", "displacement")
"""BP_ND is that of the baseline; the displacement is the relative fall of BP_ND where h is 1."""


def estimates_of(theta: Array) -> tuple[Array, Array]:
    """Quantities of :data:`ESTIMATES`, and their derivatives.

    Parameters
    ----------
    theta : ndarray, shape (n, 4)
        R1 (unitless), and k2, k2a and gamma, 1/min.

    Returns
    -------
    value : ndarray, shape (n, 7)
        Rates in 1/min, the others unitless; infinite or NaN where they divide by 0.
    gradient : ndarray, shape (n, 7, 4)
        By R1, k2, k2a and gamma.
    """
    R1, k2, k2a, gamma = theta.T
    zero, one = np.zeros_like(R1), np.ones_like(R1)
    with np.errstate(divide="ignore", invalid="ignore"):
        all_in, bound = k2a + gamma, k2 - k2a
        fall = k2 * gamma / (all_in * bound)
        value = k2 / k2a - 1, R1, k2, k2 / R1, k2a, gamma, fall
        rows = [
            (zero, 1 / k2a, -k2 / k2a**2, zero),
            (one, zero, zero, zero),
            (zero, one, zero, zero),
            (-k2 / R1**2, 1 / R1, zero, zero),
            (zero, zero, one, zero),
            (zero, zero, zero, one),
            (
                zero,
                -gamma * k2a / (all_in * bound**2),
                fall * (1 / bound - 1 / all_in),
                k2 * k2a / (bound * all_in**2),
            ),
        ]
    return np.stack(value, axis=-1), np.stack([np.stack(row, axis=-1) for row in rows], axis=1)
