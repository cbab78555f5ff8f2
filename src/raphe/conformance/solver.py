"""The same tissues by a solver of differential equations, and those that no closed form has.

Every equation is solved together with the areas under its solutions, so that means over frames need no quadrature, and
is begun anew where the input arrives, where a release begins, and wherever a value is read, so that none is
interpolated. In floating point.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import exp, inf, log

import numpy as np
import numpy.typing as npt
from scipy.integrate import solve_ivp

from raphe.conformance.cases import DELAY, FENG, K1_PRIME, WHOLE_BLOOD, edges

Array = npt.NDArray[np.float64]
Numbers = Mapping[str, float]
Slope = Callable[[float, Array], Array]
Value = Callable[[Array, Array], Array]

RTOL = 1e-12
ATOL = 1e-12
"""Tolerances of the solver; kBq/mL for the second."""


def solved(truth: Sequence[Numbers], schedule: str) -> dict[str, Array]:
    """Values of the frames of tissues with constant rates, shape (n_tissue, n_frame), by how frames are read.

    Parameters
    ----------
    truth : sequence of mapping
        ``K1``, ``k2`` or ``k2a``, ``k3``, ``k4`` and ``V_B`` of each tissue; what is left out is 0.
    schedule : str
    """
    K1, k3, k4, V_B = (np.array([k.get(name, 0.0) for k in truth]) for name in ("K1", "k3", "k4", "V_B"))
    k2 = np.array([k.get("k2a", k["k2"]) for k in truth])
    n = len(truth)

    def slope(u: float, y: Array) -> Array:
        first, second = y[:n], y[n : 2 * n]
        down = k3 * first - k4 * second
        blood, tissue = _feng(WHOLE_BLOOD, u), first + second
        measured = (1 - V_B) * tissue + V_B * blood
        return np.concatenate([K1 * _feng(FENG, u) - k2 * first - down, down, measured])

    def value(u: Array, y: Array) -> Array:
        blood = np.array([_feng(WHOLE_BLOOD, max(time, 0.0)) for time in u]) * (u >= 0)
        return np.asarray((1 - V_B)[:, None] * (y[:n] + y[n : 2 * n]) + V_B[:, None] * blood)

    return _seen(slope, np.zeros(3 * n), schedule, (), value, slice(2 * n, None))


def displaced(truth: Numbers, schedule: str) -> dict[str, Array]:
    """Values of the frames of a target whose clearance a release raises, shape (1, n_frame), by how frames are read.

    The equation is C' = R1 C_R' + k2 C_R - (k2a + gamma h(t)) C. It is solved for D = C - R1 C_R, so that the slope of
    the reference is not needed.

    Parameters
    ----------
    truth : mapping
        ``R1``, ``k2``, ``k2a``, ``k2_prime``, ``gamma``, ``t_D`` and ``t_P`` with ``alpha``, or ``tau``.
    schedule : str
    """
    R1, k2, k2a, k2_prime, gamma = (truth[name] for name in ("R1", "k2", "k2a", "k2_prime", "gamma"))
    delay, K1 = float(DELAY), float(K1_PRIME)

    def slope(u: float, y: Array) -> Array:
        reference, difference = y[0], y[1]
        C = R1 * reference + difference
        loss = (k2a + gamma * release(u + delay, truth)) * C
        return np.array([K1 * _feng(FENG, u) - k2_prime * reference, k2 * reference - loss, C])

    def value(u: Array, y: Array) -> Array:
        return np.asarray(R1 * y[:1] + y[1:2])

    return _seen(slope, np.zeros(3), schedule, (truth["t_D"] - delay,), value, slice(2, None))


def release(time: float, shape: Numbers) -> float:
    """Time course h of a release, from 0 to 1: a gamma variate, or a leap that fades exponentially."""
    since = time - shape["t_D"]
    if since < 0 or (since == 0 and "tau" not in shape):
        return 0.0
    if "tau" in shape:
        return exp(-shape["tau"] * since)
    part = since / (shape["t_P"] - shape["t_D"])
    return exp(shape["alpha"] * (log(part) + 1 - part))


def _seen(
    slope: Slope,
    state: Array,
    schedule: str,
    kinks: Sequence[float],
    value: Value,
    area: slice,
) -> dict[str, Array]:
    """Solve from the arrival of the input on, piece by piece, and read the frames."""
    border = np.array([float(time) for time in edges(schedule)]) - float(DELAY)
    mid = (border[:-1] + border[1:]) / 2
    times = np.union1d(border, mid)
    states, reached = {}, 0.0
    for stop in np.union1d(times[times > 0], kinks):
        begin = float(np.nextafter(reached, inf)) if reached in kinks else reached
        state = solve_ivp(slope, (begin, stop), state, "DOP853", rtol=RTOL, atol=ATOL).y[:, -1]
        states[stop], reached = state, float(stop)
    read = np.stack([states.get(time, np.zeros_like(state)) for time in times], axis=1)
    at_border, at_mid = np.searchsorted(times, border), np.searchsorted(times, mid)
    average = np.diff(read[area][:, at_border]) / np.diff(border)
    return {"average": average, "midframe": value(mid, read[:, at_mid])}


def _feng(numbers: Mapping[str, tuple[str, str, str]], u: float) -> float:
    a, b, c = map(float, numbers["A"])
    p, q, r = map(float, numbers["lambda"])
    return (a * u - b - c) * exp(-p * u) + b * exp(-q * u) + c * exp(-r * u)
