"""One exponential and a share of blood, by variable projection, compiled.

The best amplitude and share for a rate are those of a quadratic with two unknowns, so what is left is a search over one
rate: from every peak of a grid, by Newton's steps.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[np.float64]

MOST_STEPS = 60
SETTLED = 1e-10
"""Relative fall of the cost at which a search has settled: Newton's next step would be of the square of it."""

NOTHING = 1e-29
"""Cost, as a share of the curve's weighted sum of squares, at which nothing is left to find."""

TINY = 1e-13
"""Square of a function, as a share of its own, below which what another leaves of it is nothing."""

CONVEX = 1e-3
"""Curvature of the cost, as a share of Kaufman's, from which on Newton's step is taken."""

LONGEST = 100.0
"""Longest step, in nodes of the table."""

LANES = 8

LOOSE = {"reassoc", "contract", "arcp", "nsz"}
compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath=LOOSE)
inlined = njit(forceinline=True, error_model="numpy", fastmath=LOOSE)


@compiled
def alone(
    value: Array, slope: Array, grid: Array, curves: Array, weights: Array, blood: Array, low: float, high: float
) -> tuple[Array, Array, Array, Array]:
    """Best exponential of each curve.

    Parameters
    ----------
    value, slope : ndarray, shape (n_node, n_filled_row)
        Table of the answers and of their derivative by the node's number, with rows filled up with zeros.
    grid : ndarray, shape (n_grid,)
        Places in the table at which exponentials are tried, ascending; the first and the last are the bounds.
    curves : ndarray, shape (n_curve, n_row)
    weights : ndarray, shape (n_curve, n_row) or, where they are the same for all curves, (1, n_row)
    blood : ndarray, shape (n_row,)
    low, high : float
        Bounds of the share of blood, as it stands before whole blood; equal where it is known.

    Returns
    -------
    place : ndarray, shape (n_curve, 1)
    amplitude : ndarray, shape (n_curve, 2)
        Before the exponential, not negative, and before blood.
    cost : ndarray, shape (n_curve,)
    converged : ndarray, shape (n_curve,)
        1 where the search has settled.
    """
    n_curve, n_row, n_grid = len(curves), value.shape[1], grid.size
    width = -(-n_grid // LANES) * LANES
    turned, sums = np.zeros((n_row, width)), np.zeros((4, width))
    for g in range(n_grid):
        i, s = _cell(grid[g], len(value))
        a, b, c = _cubic(s)
        for r in range(n_row):
            turned[r, g] = value[i, r] + a * (value[i + 1, r] - value[i, r]) + b * slope[i, r] + c * slope[i + 1, r]
    scaled, state, facts = np.zeros((3, n_row)), np.zeros(5), np.array([0.0, 0.0, low, high])
    place, amplitude = np.zeros((n_curve, 1)), np.zeros((n_curve, 2))
    cost, converged = np.full(n_curve, np.inf), np.zeros(n_curve)
    for c in range(n_curve):
        own = 0.0
        facts[0] = facts[1] = 0.0
        w = min(c, len(weights) - 1)
        for r in range(blood.size):
            root = np.sqrt(weights[w, r])
            scaled[0, r], scaled[1, r], scaled[2, r] = root, root * curves[c, r], root * blood[r]
            own += scaled[1, r] * scaled[1, r]
            facts[0] += scaled[2, r] * scaled[2, r]
            facts[1] += scaled[2, r] * scaled[1, r]
        _gains(turned, scaled, facts, c < len(weights), sums)
        for g in range(n_grid):
            here = sums[0, g]
            if (g == 0 or sums[0, g - 1] < here) and (g + 1 == n_grid or sums[0, g + 1] <= here):
                _descend(value, slope, grid, grid[g], scaled, facts, NOTHING * own, state)
                if state[0] < cost[c]:
                    cost[c], place[c, 0], converged[c] = state[0], state[1], state[4]
                    amplitude[c, 0], amplitude[c, 1] = state[2], state[3]
    return place, amplitude, cost, converged


@inlined
def _gains(turned: Array, scaled: Array, facts: Array, anew: bool, sums: Array) -> None:
    """What each function of the grid takes from the cost, in ``sums[0]``.

    The other sums are over the rows, of the function with the curve and, with new weights, with blood and itself.
    """
    n_row, width = turned.shape
    for g in range(width):
        sums[1, g] = 0.0
    for r in range(n_row):
        a = scaled[0, r] * scaled[1, r]
        for g in range(width):
            sums[1, g] += a * turned[r, g]
    if anew:
        for g in range(width):
            sums[2, g] = sums[3, g] = 0.0
        for r in range(n_row):
            a, b = scaled[0, r] * scaled[2, r], scaled[0, r] * scaled[0, r]
            for g in range(width):
                sums[2, g] += a * turned[r, g]
                sums[3, g] += b * turned[r, g] * turned[r, g]
    gbb, mb, low, high = facts[0], facts[1], facts[2], facts[3]
    by = 1 / gbb if low < high and gbb > 0 else 0.0
    for g in range(width):
        m, h, f = sums[1, g], sums[2, g], sums[3, g]
        rest = f - h * h * by
        a = (m - h * mb * by) / rest if rest > TINY * f else 0.0
        a = a if a > 0 else 0.0
        share = (mb - a * h) * by
        share = share if share > low else low
        share = share if share < high else high
        a = (m - share * h) / f if f > 0 else 0.0
        a = a if a > 0 else 0.0
        sums[0, g] = a * (m - share * h) + share * (2 * mb - share * gbb)


@inlined
def _descend(
    value: Array, slope: Array, grid: Array, begin: float, scaled: Array, facts: Array, nothing: float, state: Array
) -> None:
    """Damped Newton from a place; ``state`` is left with cost, place, amplitude, share of blood, and 1 if settled."""
    gbb, mb, low, high = facts[0], facts[1], facts[2], facts[3]
    bottom, top = grid[0], grid[-1]
    cost, place, at, step, damping = np.inf, begin, begin, 0.0, 0.0
    gradient = curvature = normal = 0.0
    state[4] = 0.0
    for _ in range(MOST_STEPS):
        i, s = _cell(place, len(value))
        t = 1 - s
        a0, b0, c0 = _cubic(s)
        a1, b1, c1, a2, b2, c2 = 6 * s * t, t * (1 - 3 * s), s * (3 * s - 2), 6 - 12 * s, 6 * s - 4, 6 * s - 2
        ee = eh = ey = de = dd = dh = 0.0
        for r in range(value.shape[1]):
            rise = value[i + 1, r] - value[i, r]
            e = scaled[0, r] * (value[i, r] + a0 * rise + b0 * slope[i, r] + c0 * slope[i + 1, r])
            d = scaled[0, r] * (a1 * rise + b1 * slope[i, r] + c1 * slope[i + 1, r])
            ee += e * e
            eh += e * scaled[2, r]
            ey += e * scaled[1, r]
            de += d * e
            dd += d * d
            dh += d * scaled[2, r]
        rest = ee - eh * eh / gbb if low < high and gbb > 0 else 0.0
        a = max((ey - eh * mb / gbb) / rest, 0.0) if rest > TINY * ee else 0.0
        share = min(max((mb - a * eh) / gbb, low), high) if low < high and gbb > 0 else low
        free = low < share < high
        if not free:
            a = max((ey - share * eh) / ee, 0.0) if ee > 0 else 0.0
        new = by = bent = 0.0
        for r in range(value.shape[1]):
            rise = value[i + 1, r] - value[i, r]
            e = scaled[0, r] * (value[i, r] + a0 * rise + b0 * slope[i, r] + c0 * slope[i + 1, r])
            left = scaled[1, r] - a * e - share * scaled[2, r]
            new += left * left
            left *= scaled[0, r]
            by += left * (a1 * rise + b1 * slope[i, r] + c1 * slope[i + 1, r])
            bent += left * (a2 * rise + b2 * slope[i, r] + c2 * slope[i + 1, r])
        if new < cost:
            fall, cost, at = cost - new, new, place
            state[0], state[1], state[2], state[3] = cost, at, a, share
            damping = damping / 10 if damping > 1e-4 else 0.0
            if fall <= SETTLED * cost or cost <= nothing or a == 0:
                state[4] = 1.0
                return
            gradient, x, y, xb, yb, hh = a * by, a * de, a * de - by, a * dh, a * dh, gbb
            normal, curvature = a * a * dd - x * x / ee, a * a * dd - a * bent - y * y / ee
            xb, yb, hh = xb - x * eh / ee, yb - y * eh / ee, hh - eh * eh / ee
            if free and hh > TINY * gbb:
                normal, curvature = normal - xb * xb / hh, curvature - yb * yb / hh
        else:
            damping = max(10 * damping, 1e-3)
        outward = (at <= bottom and gradient < 0) or (at >= top and gradient > 0)
        if damping > 1e8 or outward or not normal > 0:
            state[4] = 1.0
            return
        step = curvature + damping * normal
        step = gradient / (step if step > CONVEX * normal else normal * (1 + damping))
        place = min(max(at + min(max(step, -LONGEST), LONGEST), bottom), top)


@inlined
def _cell(place: float, n_node: int) -> tuple[int, float]:
    """Node of the table below a place, and how far beyond it the place lies."""
    left = min(max(int(place), 0), n_node - 2)
    return left, place - left


@inlined
def _cubic(s: float) -> tuple[float, float, float]:
    """What Hermite's cubic adds to its value at the node below: factors of the rise, and of the derivatives."""
    t = 1 - s
    return s * s * (3 - 2 * s), s * t * t, -s * s * t
