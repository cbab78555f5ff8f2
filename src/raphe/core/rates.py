"""Rate constants of compartments that exchange: their exponentials, and the search for them within bounds, compiled.

What a frame sees of a tissue with blood, (1 - V) K1 u + V b, is a sum of two curves, so K1 and V follow from the rates
that u depends on, and a search has these alone to find (variable projection, Golub & Pereyra 1973, SIAM J Numer Anal
10:413). Its steps are those of :mod:`raphe.core.damped`, here without a call of Python between them; they are written
again because numba's cache would not see a change of what is compiled in another module.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Scale = tuple[float, float, float, float]

LEAST = 1e-12
CONFLUENT = 1e-7
"""Least distance of the two rates, as a share of their sum: nearer, their difference would have no digits left."""

MOST_STEPS = 200

SHORT = 1e-10
"""Step in units of the rates' own scale at which a search has settled."""

FLAT = 1e-11
"""Relative fall of the cost at which a search has settled."""

ORTHOGONAL = 1e-8
"""Cosine between the residuals and every free derivative at which a search has settled."""

HOPELESS = 1e12
"""Damping at which a search is given up: no step lowers the cost."""

NOTHING = 1e-24
"""Cost, as a share of the curve's weighted sum of squares, at which nothing is left to fit."""

ALIKE = 1e-13
"""Square of what one curve leaves of another, as a share of its own, at or below which there is nothing of it left."""

compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "arcp", "nsz"})


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
        _two_roots(k[c, 0], k[c, 1], k[c, 2], share[c], root[c], by_share[c, :, 1:], by_root[c, :, 1:])
    return share, root, by_share, by_root


@njit(cache=True, nogil=True, error_model="numpy")
def _two_roots(k2: float, k3: float, k4: float, share: Array, root: Array, by_share: Array, by_root: Array) -> None:
    total, bound = k2 + k3 + k4, k3 + k4
    square = (k2 - k4) ** 2 + k3**2 + 2 * k3 * (k2 + k4)
    apart = np.sqrt(max(square, (CONFLUENT * total) ** 2 + LEAST**2))
    fast = max((total + apart) / 2, LEAST)
    slow = k2 * k4 / fast
    root[0], root[1] = slow, fast
    share[0], share[1] = (bound - slow) / apart, (fast - bound) / apart
    for p in range(3):
        by_apart = (total - 2 * k4 if p == 0 else total if p == 1 else total - 2 * k2) / apart
        by_bound = 0.0 if p == 0 else 1.0
        by_slow, by_fast = (1 - by_apart) / 2, (1 + by_apart) / 2
        by_root[0, p], by_root[1, p] = by_slow, by_fast
        by_share[0, p] = ((by_bound - by_slow) - share[0] * by_apart) / apart
        by_share[1, p] = ((by_fast - by_bound) - share[1] * by_apart) / apart


@compiled
def rates_within(
    value: Array, slope: Array, scale: Scale, start: Array, curves: Array, weights: Array, blood: Array,
    lower: Array, upper: Array, ends: Array,
) -> tuple[Array, Array, Array, Array, Flags, Flags]:  # fmt: skip
    """Rates of the lowest cost within bounds, with the best inflow and share of blood, for each curve.

    Levenberg-Marquardt steps of the rates that no bound holds, with the derivatives of Kaufman (1975, BIT 15:49) and
    the damping in proportion to the diagonal of the normal matrix (Moré 1978, Lect Notes Math 630:105); what leaves the
    bounds is cut off at them.

    Parameters
    ----------
    value, slope, scale
        Table of the answers, as for :func:`raphe.core.combined.combined`.
    start : ndarray, shape (n_curve, n_rate), 1/min
        k2 of one compartment; k2 and k3 of two, the second without return; or k2, k3 and k4.
    curves, weights : ndarray, shape (n_curve, n_row)
    blood : ndarray, shape (n_row,)
    lower, upper : ndarray, shape (n_rate,), 1/min
    ends : ndarray, shape (2, 2)
        Bounds of K1 and of V; those of V are equal where it is known.

    Returns
    -------
    rates : ndarray, shape (n_curve, n_rate), 1/min
    amounts : ndarray, shape (n_curve, 2)
        K1 and V.
    fitted : ndarray, shape (n_curve, n_row)
    cost : ndarray, shape (n_curve,)
    held : ndarray of bool, shape (n_curve, n_rate)
        Rates that lie at a bound and would go beyond, or have no effect there.
    converged : ndarray of bool, shape (n_curve,)
    """
    n_curve, n = start.shape
    n_row = curves.shape[1]
    rates, amounts, fitted = np.empty((n_curve, n)), np.empty((n_curve, 2)), np.empty((n_curve, n_row))
    cost, held, converged = np.empty(n_curve), np.zeros((n_curve, n), np.bool_), np.zeros(n_curve, np.bool_)
    small = np.zeros((2, 8))
    room, slopes, there = np.empty((4, n_row)), np.empty((n, n_row)), np.empty((n, n_row))
    other, amount, trial = np.empty(n_row), np.empty(2), np.empty(n)
    normal, gradient, step, work = np.empty((n, n)), np.empty(n), np.empty(n), np.empty((n + 1, n + 1))
    free, moved = np.empty(n, np.bool_), np.empty(n, np.bool_)
    for c in range(n_curve):
        y, w, here, best = curves[c], weights[c], rates[c], fitted[c]
        whole = 0.0
        for r in range(n_row):
            whole += w[r] * y[r] * y[r]
        for p in range(n):
            here[p] = min(max(start[c, p], lower[p]), upper[p])
        _unit(here, value, slope, scale, small, room, there)
        cost[c] = _amounts(room, there, blood, y, w, ends, amounts[c], best, slopes)
        _equations(slopes, w, y, best, normal, gradient, room[0])
        damping, growth = 1e-3, 2.0
        for _ in range(MOST_STEPS):
            orthogonal = True
            for p in range(n):
                idle = normal[p, p] * (upper[p] - lower[p]) ** 2 <= SHORT * SHORT * cost[c]
                free[p] = not (idle or _pushed(here[p], gradient[p], lower[p], upper[p]))
                if free[p] and not abs(gradient[p]) <= ORTHOGONAL * np.sqrt(normal[p, p] * cost[c]):
                    orthogonal = False
            if orthogonal or cost[c] <= NOTHING * whole:
                converged[c] = True
                break
            _step(normal, gradient, damping, here, lower, upper, free, moved, step, work)
            _trial(here, step, lower, upper, trial)
            longest = 0.0
            for p in range(n):
                longest = max(longest, abs(trial[p] - here[p]) * np.sqrt(normal[p, p]))
            if longest <= SHORT * np.sqrt(max(cost[c], 1e-300)):
                converged[c] = True
                break
            _unit(trial, value, slope, scale, small, room, there)
            new = _amounts(room, there, blood, y, w, ends, amount, other, there)
            if new < cost[c]:
                fall = cost[c] - new
                here[:], amounts[c], best[:], slopes[:], cost[c] = trial, amount, other, there, new
                _equations(slopes, w, y, best, normal, gradient, room[0])
                damping, growth = max(damping / 5, 1e-12), 2.0
                if fall <= FLAT * new:
                    converged[c] = True
                    break
            else:
                damping, growth = damping * growth, 2 * growth
                if damping > HOPELESS:
                    converged[c] = True
                    break
        for p in range(n):
            if here[p] <= lower[p] or here[p] >= upper[p]:
                idle = normal[p, p] * (upper[p] - lower[p]) ** 2 <= SHORT * SHORT * cost[c]
                held[c, p] = idle or gradient[p] == 0 or _pushed(here[p], gradient[p], lower[p], upper[p])
    return rates, amounts, fitted, cost, held, converged


@compiled
def _unit(rates: Array, value: Array, slope: Array, scale: Scale, small: Array, room: Array, by: Array) -> None:
    """Tissue whose inflow is 1, without blood, in ``room[0]``, and its derivatives by the rates."""
    n, n_row = rates.size, value.shape[1]
    share, root, by_share, by_root = small[0, :2], small[1, :2], small[:, 2:5], small[:, 5:8]
    n_part = 2
    if n == 1:
        n_part = 1
        share[0], root[0], by_share[0, 0], by_root[0, 0] = 1.0, rates[0], 0.0, 1.0
    elif n == 2:
        both = max(rates[0] + rates[1], LEAST)
        share[0], share[1], root[0], root[1] = rates[1] / both, rates[0] / both, 0.0, both
        by_share[0, 0], by_share[0, 1] = -rates[1] / both**2, rates[0] / both**2
        by_share[1, 0], by_share[1, 1] = -by_share[0, 0], -by_share[0, 1]
        by_root[0, 0] = by_root[0, 1] = 0.0
        by_root[1, 0] = by_root[1, 1] = 1.0
    else:
        _two_roots(rates[0], rates[1], rates[2], share, root, by_share, by_root)
    first, gap, offset, highest = scale
    room[0] = 0.0
    by[:] = 0.0
    for e in range(n_part):
        shifted = min(max(root[e], 0.0), highest) + offset
        place = (np.log(shifted) - first) / gap
        i = min(max(int(place), 0), len(value) - 2)
        s = place - i
        by_rate = 1 / (gap * shifted)
        for r in range(n_row):
            low, m_low, m_high = value[i, r], slope[i, r], slope[i + 1, r]
            rise = value[i + 1, r] - low
            a, b = 3 * rise - 2 * m_low - m_high, m_low + m_high - 2 * rise
            room[1, r] = low + s * (m_low + s * (a + s * b))
            room[2, r] = (m_low + s * (2 * a + 3 * s * b)) * by_rate
            room[0, r] += share[e] * room[1, r]
        for p in range(n):
            own, turn = by_share[e, p], share[e] * by_root[e, p]
            for r in range(n_row):
                by[p, r] += own * room[1, r] + turn * room[2, r]


@compiled
def _amounts(
    room: Array, slopes: Array, blood: Array, y: Array, w: Array, ends: Array, amount: Array, fitted: Array, out: Array
) -> float:
    """Cost with the best K1 and V, which are filled in, as are the curve and its derivatives by the rates.

    From the derivatives is taken what K1 and V take over where they are free. ``room[0]`` is the tissue of inflow 1,
    ``slopes`` are its derivatives; ``out`` may be the same array.
    """
    n_row, unit, one, two, heavy = y.size, room[0], room[1], room[2], room[3]
    uu = ub = bb = uy = by = 0.0
    for r in range(n_row):
        uu += w[r] * unit[r] * unit[r]
        ub += w[r] * unit[r] * blood[r]
        bb += w[r] * blood[r] * blood[r]
        uy += w[r] * unit[r] * y[r]
        by += w[r] * blood[r] * y[r]
    amount[0], amount[1] = _best(uu, ub, bb, uy, by, ends)
    K1, V = amount[0], amount[1]
    K1_free, V_free = ends[0, 0] < K1 < ends[0, 1], ends[1, 0] < V < ends[1, 1]
    # What is free to follow, made orthogonal: the tissue, blood, or, where K1 stays, blood instead of tissue.
    size = across = left = cost = 0.0
    for r in range(n_row):
        one[r] = unit[r] if K1_free else blood[r] - K1 * unit[r]
        two[r] = blood[r]
        size += w[r] * one[r] * one[r]
        across += w[r] * one[r] * two[r]
    by_one = 1 / size if (K1_free or V_free) and size > 0 else 0.0
    for r in range(n_row):
        two[r] -= across * by_one * one[r]
        left += w[r] * two[r] * two[r]
    by_two = 1 / left if K1_free and V_free and left > ALIKE * bb else 0.0
    tissue = (1 - V) * K1
    for r in range(n_row):
        fitted[r] = tissue * unit[r] + V * blood[r]
        cost += w[r] * (y[r] - fitted[r]) ** 2
    for p in range(len(slopes)):
        along = beside = 0.0
        for r in range(n_row):
            heavy[r] = w[r] * slopes[p, r]
            along += heavy[r] * one[r]
            beside += heavy[r] * two[r]
        along, beside = along * by_one, beside * by_two
        for r in range(n_row):
            out[p, r] = tissue * (slopes[p, r] - along * one[r] - beside * two[r])
    return cost if np.isfinite(cost) else np.inf


@compiled
def _best(uu: float, ub: float, bb: float, uy: float, by: float, ends: Array) -> tuple[float, float]:
    """K1 and V of the lowest cost within their bounds, from sums of products of tissue u, blood b and the curve y.

    In the amplitudes (1 - V) K1 and V the bounds are straight lines and the cost is convex: if the lowest is not
    within, it is on one of the four.
    """
    determinant = uu * bb - ub * ub
    if ends[1, 0] < ends[1, 1] and determinant > ALIKE * uu * bb:
        V = (uu * by - ub * uy) / determinant
        K1 = (bb * uy - ub * by) / (determinant * (1 - V)) if V < 1 else -1.0
        if ends[0, 0] <= K1 <= ends[0, 1] and ends[1, 0] <= V <= ends[1, 1]:
            return K1, V
    lowest, best_K1, best_V = np.inf, ends[0, 0], ends[1, 0]
    for side in range(4):
        if side < 2:
            V = ends[1, side]
            K1 = (uy - V * ub) / ((1 - V) * uu) if V < 1 and uu > 0 else ends[0, 0]
            K1 = min(max(K1, ends[0, 0]), ends[0, 1])
        else:
            K1 = ends[0, side - 2]
            own = bb - 2 * K1 * ub + K1 * K1 * uu
            V = (by - K1 * (uy + ub) + K1 * K1 * uu) / own if own > 0 else ends[1, 0]
            V = min(max(V, ends[1, 0]), ends[1, 1])
        a = (1 - V) * K1
        cost = a * a * uu + 2 * a * V * ub + V * V * bb - 2 * a * uy - 2 * V * by
        if cost < lowest:
            lowest, best_K1, best_V = cost, K1, V
    return best_K1, best_V


@compiled
def _equations(slopes: Array, w: Array, y: Array, fitted: Array, normal: Array, gradient: Array, heavy: Array) -> None:
    """Normal matrix and downward gradient of half the cost."""
    for p in range(len(slopes)):
        total = 0.0
        for r in range(y.size):
            heavy[r] = w[r] * slopes[p, r]
            total += heavy[r] * (y[r] - fitted[r])
        gradient[p] = total
        for q in range(p + 1):
            total = 0.0
            for r in range(y.size):
                total += heavy[r] * slopes[q, r]
            normal[p, q] = normal[q, p] = total


@compiled
def _step(
    normal: Array, gradient: Array, damping: float, here: Array, lower: Array, upper: Array, free: Flags, moved: Flags,
    step: Array, work: Array,
) -> None:  # fmt: skip
    """Damped step of the free rates; one that it would carry over a bound goes to the bound, and the others adapt."""
    n = gradient.size
    step[:], moved[:] = 0.0, free
    for _ in range(n):
        for p in range(n):
            work[p, n] = gradient[p]
            for q in range(n):
                work[p, q] = normal[p, q] if moved[p] and moved[q] else 0.0
                work[p, n] -= normal[p, q] * step[q] if not moved[q] else 0.0
            work[p, p] = normal[p, p] * (1 + damping) if moved[p] else 1.0
        for p in range(n):  # positive definite, so that no row need be exchanged
            for q in range(p + 1, n):
                by = work[q, p] / work[p, p] if work[p, p] > LEAST * normal[p, p] else 0.0
                for k in range(p + 1, n + 1):
                    work[q, k] -= by * work[p, k]
        over = False
        for p in range(n - 1, -1, -1):
            if moved[p]:
                for q in range(p + 1, n):
                    work[p, n] -= work[p, q] * work[q, n]
                work[p, n] = work[p, n] / work[p, p] if work[p, p] > LEAST * normal[p, p] else 0.0
            else:
                work[p, n] = 0.0
        for p in range(n):
            if moved[p]:
                step[p] = work[p, n]
                if not lower[p] <= here[p] + step[p] <= upper[p]:
                    step[p] = min(max(here[p] + step[p], lower[p]), upper[p]) - here[p]
                    moved[p], over = False, True
        if not over:
            break


@compiled
def _trial(here: Array, step: Array, lower: Array, upper: Array, trial: Array) -> None:
    """Where a step leads; of three rates, along the line on which the slower exponential changes as the step says.

    That is about q = k2 k4 / (k2 + k3). Where k2 and k3 are too fast for the frames, it is all that is seen of the
    three, and the lowest costs lie along a hyperbola of k2 and k4.
    """
    for p in range(here.size):
        trial[p] = min(max(here[p] + step[p], lower[p]), upper[p])
    if here.size == 3 and lower[2] < trial[2] < upper[2] and here[0] > 0 and here[2] > 0 and trial[0] > 0:
        k2, k3, k4 = here[0], here[1], here[2]
        change = step[2] / k4 + step[0] / k2 - (step[0] + step[1]) / (k2 + k3)
        bent = (1 + change) * k4 * k2 / (k2 + k3) * (trial[0] + trial[1]) / trial[0]
        if bent > 0:
            trial[2] = min(max(bent, lower[2]), upper[2])


@compiled
def _pushed(value: float, gradient: float, low: float, high: float) -> bool:
    """Whether a rate lies at a bound and the gradient would take it beyond."""
    return (value <= low and gradient < 0) or (value >= high and gradient > 0)
