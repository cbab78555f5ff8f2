"""Exponentials looked up in a table and combined, with blood, to curves and their derivatives, compiled."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[np.float64]

compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "arcp", "nsz"})
inlined = njit(forceinline=True, error_model="numpy", fastmath={"reassoc", "contract", "arcp", "nsz"})


@compiled
def combined(
    value: Array,
    slope: Array,
    scale: tuple[float, float, float, float],
    amplitude: Array,
    rate: Array,
    amplitude_by: Array,
    rate_by: Array,
    share: Array,
    blood: Array,
    extra: int,
) -> tuple[Array, Array]:
    """Curves of exponentials and a share of blood, (1 - share) x tissue + share x blood, and their derivatives.

    Parameters
    ----------
    value, slope : ndarray, shape (n_node, n_row)
        Table of the answers and of their derivative by the node's number.
    scale : tuple of float
        Of the table: log(rate + offset) of its first node, its distance to the next, the offset, and the highest rate.
    amplitude, rate : ndarray, shape (n_curve, n_exponential)
    amplitude_by, rate_by : ndarray, shape (n_curve, n_exponential, n_par)
        Derivatives of amplitudes and rates by the parameters.
    share : ndarray, shape (n_curve,)
    blood : ndarray, shape (n_row,)
    extra : int
        1 if the share is the last parameter, else 0.

    Returns
    -------
    fitted : ndarray, shape (n_curve, n_row)
    slopes : ndarray, shape (n_curve, n_par + extra, n_row)
    """
    n_curve, n_exponential, n_par = amplitude_by.shape
    n_row = value.shape[1]
    first, gap, offset, highest = scale
    fitted, slopes = np.empty((n_curve, n_row)), np.zeros((n_curve, n_par + extra, n_row))
    answer, by, tissue = np.empty(n_row), np.empty(n_row), np.empty(n_row)
    for c in range(n_curve):
        tissue[:] = 0
        rest = 1 - share[c]
        for e in range(n_exponential):
            shifted = min(max(rate[c, e], 0.0), highest) + offset
            _look_up(value, slope, (np.log(shifted) - first) / gap, answer, by)
            by_rate = 1 / (gap * shifted)
            for r in range(n_row):
                tissue[r] += amplitude[c, e] * answer[r]
            for p in range(n_par):
                a = rest * amplitude_by[c, e, p]
                b = rest * amplitude[c, e] * by_rate * rate_by[c, e, p]
                for r in range(n_row):
                    slopes[c, p, r] += a * answer[r] + b * by[r]
        for r in range(n_row):
            fitted[c, r] = rest * tissue[r] + share[c] * blood[r]
        if extra:
            for r in range(n_row):
                slopes[c, n_par, r] = blood[r] - tissue[r]
    return fitted, slopes


@compiled
def drawn(value: Array, slope: Array, place: Array, amplitude: Array, blood: Array) -> Array:
    """Curves of exponentials and blood, shape (n_curve, n_row).

    Parameters
    ----------
    value, slope, blood
        As in :func:`combined`.
    place : ndarray, shape (n_curve, n_exponential)
    amplitude : ndarray, shape (n_curve, n_exponential + 1)
        Before the exponentials and, last, before blood.
    """
    n_curve, n_exponential = place.shape
    fitted = np.empty((n_curve, value.shape[1]))
    answer, by = np.empty(value.shape[1]), np.empty(value.shape[1])
    for c in range(n_curve):
        for r in range(blood.size):
            fitted[c, r] = amplitude[c, n_exponential] * blood[r]
        for e in range(n_exponential):
            if amplitude[c, e] != 0:
                _look_up(value, slope, place[c, e], answer, by)
                for r in range(answer.size):
                    fitted[c, r] += amplitude[c, e] * answer[r]
    return fitted


@inlined
def _look_up(value: Array, slope: Array, place: float, out: Array, by_place: Array) -> None:
    """Cubic Hermite interpolation of one row of the table, and its derivative by the place."""
    left = min(max(int(place), 0), value.shape[0] - 2)
    s = place - left
    for r in range(out.size):
        low, m_low, m_high = value[left, r], slope[left, r], slope[left + 1, r]
        rise = value[left + 1, r] - low
        a, b = 3 * rise - 2 * m_low - m_high, m_low + m_high - 2 * rise
        out[r] = low + s * (m_low + s * (a + s * b))
        by_place[r] = m_low + s * (2 * a + 3 * s * b)
