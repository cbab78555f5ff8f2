r"""Two exponentials and a share of blood, by variable projection, compiled: one curve after another, no array between.

For two rates the best non-negative amplitudes, and the best share of blood within its bounds, are those of a quadratic
with three unknowns, solved here by going through its active sets. What is left is a search over two rates (Golub &
Pereyra 1973, SIAM J Numer Anal 10:413): from the lowest valleys of a grid, by Levenberg-Marquardt steps with Kaufman's
derivative (1975, BIT 15:49), in the coordinate in which :class:`raphe.core.responses.Responses` is tabulated.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[np.float64]

MOST_STEPS = 80
SETTLED = 1e-10
"""Relative fall of the cost at which a search has settled."""

_compiled = njit(cache=True, error_model="numpy", fastmath={"reassoc", "contract", "arcp", "nsz"})
"""Sums may be taken in any order, so that they run in parallel lanes; not-a-number and infinity keep their meaning."""


@_compiled
def search(
    value: Array,
    slope: Array,
    grid: Array,
    first: int,
    curves: Array,
    weights: Array,
    blood: Array,
    lowest_share: float,
    highest_share: float,
    bands: npt.NDArray[np.intp],
) -> tuple[Array, Array, Array, Array]:
    """Best two exponentials of each curve.

    Parameters
    ----------
    value, slope : ndarray, shape (n_node, n_row)
        Table of the answers and of their derivative by the node's number.
    grid : ndarray, shape (n_grid,)
        Places in the table (numbers of nodes, not whole) at which exponentials are tried, ascending; the first and the
        last are the bounds of the search.
    first : int
        1 if the slower exponential stays at the first place of the grid, else 0.
    curves, weights : ndarray, shape (n_curve, n_row)
    blood : ndarray, shape (n_row,)
    lowest_share, highest_share : float
        Bounds of the share of blood, as it stands before whole blood; equal where it is known.
    bands : ndarray of int, shape (n_band + 1,)
        Numbers in the grid that part the rates of the faster exponential. The search begins from the best pair of each
        band, for a fast exponential leaves valleys of its own that are narrower than the grid.

    Returns
    -------
    place : ndarray, shape (n_curve, 2)
        Of the two exponentials in the table, the slower first.
    amplitude : ndarray, shape (n_curve, 3)
        Before the two exponentials and before blood.
    cost : ndarray, shape (n_curve,)
    converged : ndarray, shape (n_curve,)
        1 where the search has settled.
    """
    n_curve, n_row = curves.shape
    n_grid = grid.size
    basis = np.empty((n_grid, n_row))
    unused = np.empty(n_row)
    for g in range(n_grid):
        _look_up(value, slope, grid[g], basis[g], unused)
    place, amplitude = np.empty((n_curve, 2)), np.zeros((n_curve, 3))
    cost, converged = np.empty(n_curve), np.zeros(n_curve)
    gain = np.empty((n_grid, n_grid))
    work = np.empty((4, n_row))
    begin, end = np.empty(2), np.empty(2)
    theirs = np.empty(3)
    for c in range(n_curve):
        y, w = curves[c], weights[c]
        _grid_gain(basis, first, y, w, blood, lowest_share, highest_share, gain)
        cost[c] = np.inf
        for band in range(bands.size - 1):
            i, j = _best_of_band(gain, bands[band], bands[band + 1])
            if i < 0:
                continue
            begin[0], begin[1] = grid[i], grid[j]
            low, settled = _descend(
                value, slope, grid, begin, first, y, w, blood, lowest_share, highest_share, work, end, theirs
            )
            if low < cost[c]:
                cost[c], converged[c] = low, settled
                swap = 1 if end[0] > end[1] else 0
                place[c, 0], place[c, 1] = end[swap], end[1 - swap]
                amplitude[c, 0], amplitude[c, 1] = theirs[swap], theirs[1 - swap]
                amplitude[c, 2] = theirs[2]
    return place, amplitude, cost, converged


@_compiled
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


@_compiled
def _grid_gain(
    basis: Array, first: int, y: Array, w: Array, blood: Array, low: float, high: float, gain: Array
) -> None:
    """What each pair of the grid takes from the cost, in the upper triangle; the rest of ``gain`` is -inf.

    Of the pairs of which one has no amplitude, only the best counts: they are a plain without valleys.
    """
    n_grid, n_row = basis.shape
    moment, with_blood, own = np.empty(n_grid), np.empty(n_grid), np.empty(n_grid)
    weighted = np.empty(n_row)
    h = m_h = 0.0
    for r in range(n_row):
        h += w[r] * blood[r] * blood[r]
        m_h += w[r] * blood[r] * y[r]
    for g in range(n_grid):
        s_y = s_b = s_o = 0.0
        for r in range(n_row):
            e = w[r] * basis[g, r]
            s_y += e * y[r]
            s_b += e * blood[r]
            s_o += e * basis[g, r]
        moment[g], with_blood[g], own[g] = s_y, s_b, s_o
    gain[:] = -np.inf
    a = np.empty(3)
    single, gain_i, gain_j = -np.inf, 0, 1
    for i in range(1 if first else n_grid - 1):
        for r in range(n_row):
            weighted[r] = w[r] * basis[i, r]
        for j in range(i + 1, n_grid):
            cross = 0.0
            for r in range(n_row):
                cross += weighted[r] * basis[j, r]
            taken = _amplitudes(
                own[i], cross, with_blood[i], own[j], with_blood[j], h, moment[i], moment[j], m_h, low, high, a
            )
            if a[0] > 0 and a[1] > 0:
                gain[i, j] = taken
            elif taken > single:
                single, gain_i, gain_j = taken, i, j
    gain[gain_i, gain_j] = max(gain[gain_i, gain_j], single)


@_compiled
def _amplitudes(
    g11: float, g12: float, g1b: float, g22: float, g2b: float, gbb: float,
    m1: float, m2: float, mb: float, low: float, high: float, best: Array,
) -> float:  # fmt: skip
    """Best amplitudes of two functions (not negative) and of blood (within bounds): what they take from the cost.

    The cost is convex, so an unrestricted solution that is allowed is the answer; else the best of those with one or
    more of the three at a bound is.
    """
    if low < high and gbb > 0:
        f11, f12, f22 = g11 - g1b * g1b / gbb, g12 - g1b * g2b / gbb, g22 - g2b * g2b / gbb
        n1, n2 = m1 - g1b * mb / gbb, m2 - g2b * mb / gbb
        most, a, b = _two(f11, f12, f22, n1, n2, g11, g22)
        share = (mb - a * g1b - b * g2b) / gbb
        if low <= share <= high:
            best[0], best[1], best[2] = a, b, share
            return most + mb * mb / gbb
    found = -np.inf
    for side in range(2 if low < high else 1):
        share = low if side == 0 else high
        most, a, b = _two(g11, g12, g22, m1 - share * g1b, m2 - share * g2b, g11, g22)
        most += 2 * share * mb - share * share * gbb
        if most > found:
            found = most
            best[0], best[1], best[2] = a, b, share
    return found


@_compiled
def _two(
    g11: float, g12: float, g22: float, m1: float, m2: float, size1: float, size2: float
) -> tuple[float, float, float]:
    """Best non-negative amplitudes of two functions: what they take from the cost, and they themselves."""
    determinant = g11 * g22 - g12 * g12
    if determinant > 1e-13 * size1 * size2:
        a, b = (m1 * g22 - m2 * g12) / determinant, (m2 * g11 - m1 * g12) / determinant
        if a >= 0 and b >= 0:
            return a * m1 + b * m2, a, b
    one = m1 / g11 if m1 > 0 and g11 > 1e-13 * size1 else 0.0
    two = m2 / g22 if m2 > 0 and g22 > 1e-13 * size2 else 0.0
    if one * m1 >= two * m2:
        return one * m1, one, 0.0
    return two * m2, 0.0, two


@_compiled
def _best_of_band(gain: Array, low: int, high: int) -> tuple[int, int]:
    """Pair with the highest gain among those whose faster exponential has a number from low to below high."""
    best, at_i, at_j = -np.inf, -1, -1
    for i in range(gain.shape[0] - 1):
        for j in range(max(i + 1, low), high):
            if gain[i, j] > best:
                best, at_i, at_j = gain[i, j], i, j
    return at_i, at_j


@_compiled
def _descend(
    value: Array, slope: Array, grid: Array, begin: Array, first: int, y: Array, w: Array, blood: Array,
    low: float, high: float, work: Array, place: Array, amplitude: Array,
) -> tuple[float, float]:  # fmt: skip
    """Levenberg-Marquardt from one pair of places; its cost, and 1 if it has settled."""
    bottom, top = grid[0], grid[-1]
    place[:] = begin
    trial, theirs = np.empty(2), np.empty(3)
    normal, gradient = np.empty((2, 2)), np.empty(2)
    cost = _project(value, slope, place, y, w, blood, low, high, work, amplitude, normal, gradient)
    next_normal, next_gradient = np.empty((2, 2)), np.empty(2)
    damping = 1e-3
    for _ in range(MOST_STEPS):
        g0, g1 = gradient[0], gradient[1]
        free0 = (
            first == 0 and not ((place[0] <= bottom and g0 < 0) or (place[0] >= top and g0 > 0)) and normal[0, 0] > 0
        )
        free1 = not ((place[1] <= bottom and g1 < 0) or (place[1] >= top and g1 > 0)) and normal[1, 1] > 0
        n00, n11 = normal[0, 0] * (1 + damping), normal[1, 1] * (1 + damping)
        d0 = d1 = 0.0
        if free0 and free1:
            determinant = n00 * n11 - normal[0, 1] * normal[0, 1]
            d0, d1 = (g0 * n11 - g1 * normal[0, 1]) / determinant, (g1 * n00 - g0 * normal[0, 1]) / determinant
        elif free0:
            d0 = g0 / n00
        elif free1:
            d1 = g1 / n11
        if d0 == 0 and d1 == 0:
            return cost, 1.0
        trial[0] = min(max(place[0] + min(max(d0, -100.0), 100.0), bottom), top)
        trial[1] = min(max(place[1] + min(max(d1, -100.0), 100.0), bottom), top)
        new = _project(value, slope, trial, y, w, blood, low, high, work, theirs, next_normal, next_gradient)
        if new < cost:
            fall = cost - new
            cost = new
            place[:], amplitude[:] = trial, theirs
            normal[:], gradient[:] = next_normal, next_gradient
            damping = max(damping / 10, 1e-9)
            if fall <= SETTLED * cost:
                return cost, 1.0
        else:
            damping *= 10
            if damping > 1e8:
                return cost, 1.0
    return cost, 0.0


@_compiled
def _project(
    value: Array, slope: Array, place: Array, y: Array, w: Array, blood: Array, low: float, high: float,
    work: Array, amplitude: Array, normal: Array, gradient: Array,
) -> float:  # fmt: skip
    """Cost at two places with the best amplitudes, and the normal equations of a step by Kaufman's derivative."""
    n_row = y.size
    e1, d1, e2, d2 = work[0], work[1], work[2], work[3]
    _look_up(value, slope, place[0], e1, d1)
    _look_up(value, slope, place[1], e2, d2)
    g11 = g12 = g1b = g22 = g2b = gbb = m1 = m2 = mb = 0.0
    for r in range(n_row):
        a, b, h = w[r] * e1[r], w[r] * e2[r], w[r] * blood[r]
        g11 += a * e1[r]
        g12 += a * e2[r]
        g1b += a * blood[r]
        g22 += b * e2[r]
        g2b += b * blood[r]
        gbb += h * blood[r]
        m1 += a * y[r]
        m2 += b * y[r]
        mb += h * y[r]
    _amplitudes(g11, g12, g1b, g22, g2b, gbb, m1, m2, mb, low, high, amplitude)
    a1, a2, share = amplitude[0], amplitude[1], amplitude[2]
    cost = 0.0
    s = np.zeros((2, 6))
    for r in range(n_row):
        rest = y[r] - a1 * e1[r] - a2 * e2[r] - share * blood[r]
        cost += w[r] * rest * rest
        p, q = w[r] * d1[r], w[r] * d2[r]
        s[0, 0] += p * e1[r]
        s[0, 1] += p * e2[r]
        s[0, 2] += p * blood[r]
        s[0, 3] += p * rest
        s[0, 4] += p * d1[r]
        s[0, 5] += p * d2[r]
        s[1, 0] += q * e1[r]
        s[1, 1] += q * e2[r]
        s[1, 2] += q * blood[r]
        s[1, 3] += q * rest
        s[1, 5] += q * d2[r]
    in1, in2, inb = a1 > 0, a2 > 0, low < share < high
    gradient[0], gradient[1] = a1 * s[0, 3], a2 * s[1, 3]
    h00 = s[0, 4] - _within(in1, in2, inb, g11, g12, g1b, g22, g2b, gbb, s[0], s[0])
    h01 = s[0, 5] - _within(in1, in2, inb, g11, g12, g1b, g22, g2b, gbb, s[0], s[1])
    h11 = s[1, 5] - _within(in1, in2, inb, g11, g12, g1b, g22, g2b, gbb, s[1], s[1])
    normal[0, 0], normal[1, 1] = max(a1 * a1 * h00, 0.0), max(a2 * a2 * h11, 0.0)
    normal[0, 1] = normal[1, 0] = a1 * a2 * h01
    return cost


@_compiled
def _within(
    in1: bool, in2: bool, inb: bool,
    g11: float, g12: float, g1b: float, g22: float, g2b: float, gbb: float, u: Array, v: Array,
) -> float:  # fmt: skip
    """Inner product of two directions after projection on the functions that are free, by Cholesky's way."""
    total = 0.0
    u2, v2, ub, vb = u[1], v[1], u[2], v[2]
    tiny = 1e-13
    if in1 and g11 > 0:
        total += u[0] * v[0] / g11
        u2 -= u[0] * g12 / g11
        v2 -= v[0] * g12 / g11
        ub -= u[0] * g1b / g11
        vb -= v[0] * g1b / g11
    f22, f2b, fbb = g22, g2b, gbb
    if in1 and g11 > 0:
        f22, f2b, fbb = g22 - g12 * g12 / g11, g2b - g12 * g1b / g11, gbb - g1b * g1b / g11
    if in2 and f22 > tiny * g22:
        total += u2 * v2 / f22
        ub -= u2 * f2b / f22
        vb -= v2 * f2b / f22
        fbb -= f2b * f2b / f22
    if inb and fbb > tiny * gbb:
        total += ub * vb / fbb
    return total
