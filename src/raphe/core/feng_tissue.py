r"""Tissues behind an input of Feng's form, in closed form, compiled.

The input is :math:`C_p(\tau) = (A_1 \tau - A_2 - A_3)\, e^{-l_1 \tau} + A_2\, e^{-l_2 \tau} + A_3\, e^{-l_3 \tau}` with
:math:`\tau = t - t_0` (Feng, Huang & Wang 1993, Int J Biomed Comput 32:95). Its convolution with an exponential is made
of divided differences of :math:`E(x) = \int_0^\tau e^{-x u} du` (or :math:`e^{-x \tau}` for values at one time), which
are taken by quadrature of the derivatives where two rates are near each other.
"""

from __future__ import annotations

from math import exp, expm1

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.intp]

N_INPUT, N_OWN = 7, 4
"""Parameters of the input: t0 (min) and the logarithms of A1, A2, A3, l1, l2, l3; and of each tissue: the logarithms of
V_T and of its two rates, and the logit of the share of V_T that is behind the second."""

STEP = 1e-5
"""Half-width of the central differences that give the derivatives; all parameters but t0 are logarithms or logits."""

NEAR = 0.3
"""Difference of two rates times the time, below which divided differences are taken by quadrature."""

_NODE, _WEIGHT = np.polynomial.legendre.leggauss(5)
_PLACE, _SHARE = (_NODE + 1) / 2, _WEIGHT / 2

compiled = njit(cache=True, error_model="numpy")


@compiled
def plasma_at(theta: Array, time: Array) -> Array:
    """Input at ``time`` (min), kBq/mL; 0 before it arrives.

    Parameters
    ----------
    theta : ndarray, shape (7,)
        See :data:`N_INPUT`.
    time : ndarray, shape (n_time,)
    """
    A, fades = np.exp(theta[1:4]), np.exp(theta[4:7])
    found = np.zeros(time.size)
    for k in range(time.size):
        u = time[k] - theta[0]
        if u > 0:
            found[k] = (
                (A[0] * u - A[1] - A[2]) * np.exp(-fades[0] * u)
                + A[1] * np.exp(-fades[1] * u)
                + A[2] * np.exp(-fades[2] * u)
            )
    return found


@compiled
def tissues(
    theta: Array, own: Array, V_B: float, times: Array, begin: Numbers, stop: Numbers, slopes: bool
) -> tuple[Array, Array, Array]:
    """What frames see of tissues behind one input, and the derivatives by its parameters and by the tissues' own.

    Parameters
    ----------
    theta : ndarray, shape (7,)
    own : ndarray, shape (n_curve, 4)
    V_B : float
        Share of blood, which is taken to be like plasma.
    times : ndarray, shape (n_time,), min
        Edges of the frames, or their middles.
    begin, stop : ndarray of int, shape (n_row,)
        Numbers of each frame's edges; the same for values at its middle.
    slopes : bool
        Whether derivatives are wanted; they are empty otherwise.

    Returns
    -------
    fitted : ndarray, shape (n_curve, n_row), kBq/mL
    by_input : ndarray, shape (n_curve, n_row, 7)
    by_own : ndarray, shape (n_curve, n_row, 4)
    """
    n_curve, n_row = len(own), begin.size
    n = n_curve if slopes else 0
    fitted = np.empty((n_curve, n_row))
    by_input, by_own = np.empty((n, n_row, N_INPUT)), np.empty((n, n_row, N_OWN))
    room, up, down = np.empty(times.size), np.empty(n_row), np.empty(n_row)
    moved, its, blood = theta.copy(), np.full(N_OWN, -700.0), np.empty(n_row)
    _frames(theta, its, V_B, times, begin, stop, room, blood)
    for c in range(n_curve):
        _frames(theta, own[c], V_B, times, begin, stop, room, fitted[c])
        if not slopes:
            continue
        its[:] = own[c]
        by_own[c, :, 0] = fitted[c] - blood
        for p in range(1, N_OWN):
            its[p] = own[c, p] + STEP
            _frames(theta, its, V_B, times, begin, stop, room, up)
            its[p] = own[c, p] - STEP
            _frames(theta, its, V_B, times, begin, stop, room, down)
            its[p] = own[c, p]
            by_own[c, :, p] = (up - down) / (2 * STEP)
        for p in range(N_INPUT):
            moved[p] = theta[p] + STEP
            _frames(moved, own[c], V_B, times, begin, stop, room, up)
            moved[p] = theta[p] - STEP
            _frames(moved, own[c], V_B, times, begin, stop, room, down)
            moved[p] = theta[p]
            by_input[c, :, p] = (up - down) / (2 * STEP)
    return fitted, by_input, by_own


@compiled
def _frames(
    theta: Array, own: Array, V_B: float, times: Array, begin: Numbers, stop: Numbers, room: Array, out: Array
) -> None:
    """One tissue at the frames."""
    A, fades = np.exp(theta[1:4]), np.exp(theta[4:7])
    V_T, one, two, share = np.exp(own[0]), np.exp(own[1]), np.exp(own[2]), 1 / (1 + np.exp(-own[3]))
    point = begin[0] == stop[0]
    for k in range(times.size):
        u = times[k] - theta[0]
        room[k] = 0.0
        if u <= 0:
            continue
        tissue = (1 - share) * one * _behind(A, fades, one, u, point) + share * two * _behind(A, fades, two, u, point)
        room[k] = (1 - V_B) * V_T * tissue
        if V_B > 0:
            blood = -A[0] * _first(fades[0], u, point) - (A[1] + A[2]) * _none(fades[0], u, point)
            room[k] += V_B * (blood + A[1] * _none(fades[1], u, point) + A[2] * _none(fades[2], u, point))
    for r in range(out.size):
        if point:
            out[r] = room[begin[r]]
        else:
            out[r] = (room[stop[r]] - room[begin[r]]) / (times[stop[r]] - times[begin[r]])


@compiled
def _behind(A: Array, fades: Array, rate: float, u: float, point: bool) -> float:
    """Input convolved with an exponential, at a time or integrated up to it."""
    fast = A[0] * _divided_twice(fades[0], rate, u, point) + (A[1] + A[2]) * _divided(fades[0], rate, u, point)
    found: float = fast - A[1] * _divided(fades[1], rate, u, point) - A[2] * _divided(fades[2], rate, u, point)
    return found


@compiled
def _divided(x: float, y: float, u: float, point: bool) -> float:
    """Divided difference of E between two rates."""
    if abs(x - y) * u < NEAR:
        total = 0.0
        for q in range(_PLACE.size):
            total += float(_SHARE[q]) * _first(x + float(_PLACE[q]) * (y - x), u, point)
        return total
    return (_none(y, u, point) - _none(x, u, point)) / (y - x)


@compiled
def _divided_twice(x: float, y: float, u: float, point: bool) -> float:
    """Divided difference of E with the first rate taken twice."""
    if abs(x - y) * u < NEAR:
        total = 0.0
        for q in range(_PLACE.size):
            place = float(_PLACE[q])
            total += float(_SHARE[q]) * (1 - place) * _second(x + place * (y - x), u, point)
        return total
    return (_divided(x, y, u, point) - _first(x, u, point)) / (y - x)


@compiled
def _none(x: float, u: float, point: bool) -> float:
    """E itself."""
    if point:
        return exp(-x * u)
    z = x * u
    if abs(z) < 1e-5:
        return u * (1 - z / 2 + z * z / 6)
    return -expm1(-z) / x


@compiled
def _first(x: float, u: float, point: bool) -> float:
    """Derivative of E by the rate."""
    if point:
        return -u * exp(-x * u)
    z = x * u
    if abs(z) < 0.02:
        return -u * u * (0.5 - z / 3 + z * z / 8 - z**3 / 30 + z**4 / 144 - z**5 / 840)
    return -(1 - (1 + z) * exp(-z)) / (x * x)


@compiled
def _second(x: float, u: float, point: bool) -> float:
    """Second derivative of E by the rate."""
    if point:
        return u * u * exp(-x * u)
    z = x * u
    if abs(z) < 0.1:
        return u**3 * (1 / 3 - z / 4 + z * z / 10 - z**3 / 36 + z**4 / 168 - z**5 / 960 + z**6 / 6480)
    return (2 - (2 + 2 * z + z * z) * exp(-z)) / x**3
