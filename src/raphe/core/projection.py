"""Searches for two exponentials from given valleys down to the lowest, by variable projection, compiled.

One curve after another, with no array between: the amplitudes for two rates by going through the active sets of their
quadratic, the rates by Levenberg-Marquardt steps with Kaufman's derivative (1975, BIT 15:49). Every valley is entered,
and those that may be the lowest are followed to their end.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.intp]
Table = tuple[Array, Array, Array]

MOST_STEPS = 80
SETTLED = 1e-10
"""Relative fall of the cost at which a search has settled."""

ENTERED = 1e-3
"""Relative fall of the cost at which a valley counts as entered."""

REACH = 1000.0
"""By how many times its last fall the cost of a valley that was entered may still come down, for all that is known."""

SAME = 2.0
"""Distance, in nodes of the table, within which the end of one search and another valley are the same place."""

NOTHING = 1e-29
"""Cost, as a share of the curve's weighted sum of squares, at which nothing is left to find."""

TINY = 1e-13
"""Square of a function, as a share of its own, below which what others leave of it is nothing."""

compiled = njit(cache=True, error_model="numpy", fastmath={"reassoc", "contract", "arcp", "nsz"})


@compiled
def followed(
    table: Table, basis: Array, begin: Numbers, first: int, curves: Array, weights: Array, blood: Array,
    lowest_share: float, highest_share: float,
) -> tuple[Array, Array, Array, Array]:  # fmt: skip
    """Lowest cost of two exponentials and blood, as :func:`raphe.core.exponentials.search` gives it.

    Parameters
    ----------
    first, curves, weights, blood, lowest_share, highest_share
        As there.
    table : ndarray, shape (n_node, n_filled_row) twice, and (n_grid,)
        Answers and their derivatives, with rows filled up with zeros, and the grid.
    basis : ndarray, shape (n_grid, n_filled_row)
        Functions at the grid.
    begin : ndarray of int, shape (n_curve, n_valley, 2)
        Pairs of numbers in the grid to begin from; negative where there is none.
    """
    n_curve, n_band = begin.shape[:2]
    grid, n_row = table[2], table[0].shape[1]
    scaled, work, state = np.zeros((3, n_row)), np.zeros((4, n_row)), np.empty((2, 8))
    facts = np.array([0.0, 0.0, lowest_share, highest_share])
    end, low, reach = np.empty((n_band, 2)), np.empty(n_band), np.empty(n_band)
    place, amplitude = np.zeros((n_curve, 2)), np.zeros((n_curve, 3))
    cost, converged = np.full(n_curve, np.inf), np.zeros(n_curve)
    for c in range(n_curve):
        nothing = _scale(curves[c], weights[c], blood, scaled, facts)
        least = np.inf
        for band in range(n_band):
            i, j = begin[c, band]
            low[band] = reach[band] = np.inf
            if i >= 0 and least > nothing:
                end[band, 0], end[band, 1] = grid[i], grid[j]
                low[band], fall, _ = _descend(table, end[band], first, scaled, facts, work, state, ENTERED, nothing)
                least, reach[band] = min(least, low[band]), low[band] - REACH * fall
        for _ in range(n_band):
            band = _next(low, reach, end, cost[c])
            if band < 0:
                break
            lowest, _, settled = _descend(table, end[band], first, scaled, facts, work, state, SETTLED, nothing)
            reach[band] = -np.inf
            if lowest < cost[c]:
                cost[c], converged[c] = lowest, settled
                _keep(end[band], state[0], place[c], amplitude[c])
        if amplitude[c, 1] == 0 or (amplitude[c, 0] == 0 and not first):
            own, two = (1 if amplitude[c, 0] == 0 and not first else 0), end[0]
            g = _second(table, basis, place[c], own, scaled, facts, work)
            if g >= 0 and cost[c] > nothing:
                two[0], two[1] = place[c, own], grid[g]
                lowest, _, settled = _descend(table, two, first, scaled, facts, work, state, SETTLED, nothing)
                if lowest < cost[c]:
                    cost[c], converged[c] = lowest, settled
                    _keep(two, state[0], place[c], amplitude[c])
    return place, amplitude, cost, converged


@compiled
def _next(low: Array, reach: Array, end: Array, cost: float) -> int:
    """Lowest of the valleys that may lie below the cost and have not been followed, or -1."""
    best = -1
    for band in range(low.size):
        if -np.inf < reach[band] < cost and (best < 0 or low[band] < low[best]):
            known = False
            for other in range(low.size):
                if reach[other] == -np.inf and _apart(end[band], end[other]) < SAME:
                    known = True
            if not known:
                best = band
    return best


@compiled
def _keep(two: Array, state: Array, place: Array, amplitude: Array) -> None:
    """Places of two exponentials and what stands before them and before blood, the slower first."""
    swap = 1 if two[0] > two[1] else 0
    place[0], place[1] = two[swap], two[1 - swap]
    amplitude[0], amplitude[1], amplitude[2] = state[swap], state[1 - swap], state[2]


@compiled
def _second(table: Table, basis: Array, places: Array, own: int, scaled: Array, facts: Array, work: Array) -> int:
    """Number in the grid of the exponential that would lower the cost most beside one that stands alone, or -1."""
    state = np.empty(8)
    _project(table[0], table[1], places[own], places[1 - own], scaled, facts, work, state)
    e, rest = work[0], work[1]
    size = 0.0
    for r in range(e.size):
        rest[r] = scaled[1, r] - state[0] * e[r] - state[2] * scaled[2, r]
        size += e[r] * e[r]
    best, gain = -1, 0.0
    for g in range(len(basis)):
        moment = cross = norm = 0.0
        for r in range(e.size):
            f = scaled[0, r] * basis[g, r]
            moment, cross, norm = moment + f * rest[r], cross + f * e[r], norm + f * f
        left = norm - cross * cross / size if size > 0 else norm
        if moment > 0 and left > TINY * norm and moment * moment > gain * left:
            best, gain = g, moment * moment / left
    return best


@compiled
def _apart(one: Array, other: Array) -> float:
    """Distance of two pairs of places, whichever of a pair is the slower."""
    slower: float = abs(min(one[0], one[1]) - min(other[0], other[1]))
    faster: float = abs(max(one[0], one[1]) - max(other[0], other[1]))
    return max(slower, faster)


@compiled
def looked_up(value: Array, slope: Array, places: Array) -> Array:
    """Functions at places in the table, shape (n_place, n_row).

    Parameters
    ----------
    value, slope : ndarray, shape (n_node, n_row)
    places : ndarray, shape (n_place,)
    """
    found, unused, ones = np.empty((places.size, value.shape[1])), np.empty(value.shape[1]), np.ones(value.shape[1])
    for g in range(places.size):
        _look_up(value, slope, places[g], ones, found[g], unused)
    return found


@compiled
def _scale(y: Array, w: Array, blood: Array, scaled: Array, facts: Array) -> float:
    """Root of the weights, curve and blood times it, and their sums of products; the cost at which nothing is left."""
    own = size = both = 0.0
    for r in range(y.size):
        root = np.sqrt(w[r])
        scaled[0, r], scaled[1, r], scaled[2, r] = root, root * y[r], root * blood[r]
        own += scaled[1, r] * scaled[1, r]
        size += scaled[2, r] * scaled[2, r]
        both += scaled[2, r] * scaled[1, r]
    facts[0], facts[1] = size, both
    return NOTHING * own


@compiled
def _look_up(value: Array, slope: Array, place: float, root: Array, out: Array, by_place: Array) -> None:
    """Cubic Hermite interpolation of one row of the table, and its derivative by the place, both times ``root``."""
    left = min(max(int(place), 0), value.shape[0] - 2)
    s = place - left
    for r in range(out.size):
        low, m_low, m_high = value[left, r], slope[left, r], slope[left + 1, r]
        rise = value[left + 1, r] - low
        a, b = 3 * rise - 2 * m_low - m_high, m_low + m_high - 2 * rise
        out[r] = root[r] * (low + s * (m_low + s * (a + s * b)))
        by_place[r] = root[r] * (m_low + s * (2 * a + 3 * s * b))


@compiled
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


@compiled
def _two(
    g11: float, g12: float, g22: float, m1: float, m2: float, size1: float, size2: float
) -> tuple[float, float, float]:
    """Best non-negative amplitudes of two functions: what they take from the cost, and they themselves."""
    determinant = g11 * g22 - g12 * g12
    if determinant > TINY * size1 * size2:
        a, b = (m1 * g22 - m2 * g12) / determinant, (m2 * g11 - m1 * g12) / determinant
        if a >= 0 and b >= 0:
            return a * m1 + b * m2, a, b
    one = m1 / g11 if m1 > 0 and g11 > TINY * size1 else 0.0
    two = m2 / g22 if m2 > 0 and g22 > TINY * size2 else 0.0
    if one * m1 >= two * m2:
        return one * m1, one, 0.0
    return two * m2, 0.0, two


@compiled
def _descend(
    table: Table, place: Array, first: int, scaled: Array, facts: Array, work: Array, state: Array,
    tolerance: float, nothing: float,
) -> tuple[float, float, float]:  # fmt: skip
    """Levenberg-Marquardt from a pair of places, which it moves: the cost, its last fall, and 1 if it has settled.

    ``state[0]`` is left as :func:`_project` fills it.
    """
    value, slope, grid = table
    bottom, top = grid[0], grid[-1]
    here, there = state[0], state[1]
    cost = _project(value, slope, place[0], place[1], scaled, facts, work, here)
    fall, damping = np.inf, 1e-3
    for _ in range(MOST_STEPS):
        if cost <= nothing:
            return cost, 0.0, 1.0
        g0, g1, n00, n01, n11 = here[3], here[4], here[5], here[6], here[7]
        free0 = first == 0 and not ((place[0] <= bottom and g0 < 0) or (place[0] >= top and g0 > 0)) and n00 > 0
        free1 = not ((place[1] <= bottom and g1 < 0) or (place[1] >= top and g1 > 0)) and n11 > 0
        n00, n11 = n00 * (1 + damping), n11 * (1 + damping)
        d0 = d1 = 0.0
        if free0 and free1:
            by = 1 / (n00 * n11 - n01 * n01)
            d0, d1 = (g0 * n11 - g1 * n01) * by, (g1 * n00 - g0 * n01) * by
        elif free0:
            d0 = g0 / n00
        elif free1:
            d1 = g1 / n11
        if d0 == 0 and d1 == 0:
            return cost, 0.0, 1.0
        one = min(max(place[0] + min(max(d0, -100.0), 100.0), bottom), top)
        two = min(max(place[1] + min(max(d1, -100.0), 100.0), bottom), top)
        new = _project(value, slope, one, two, scaled, facts, work, there)
        if new < cost:
            fall, cost = cost - new, new
            place[0], place[1] = one, two
            here[:] = there
            damping = max(damping / 10, 1e-9)
            if fall <= tolerance * cost:
                return cost, fall, 1.0
        else:
            damping *= 10
            if damping > 1e8:
                return cost, 0.0, 1.0
    return cost, fall, 0.0


@compiled
def _project(
    value: Array, slope: Array, one: float, two: float, scaled: Array, facts: Array, work: Array, state: Array
) -> float:
    """Cost at two places with the best amplitudes, and the normal equations of a step by Kaufman's derivative.

    ``state`` is filled with the two amplitudes and the share of blood, the gradient, and the normal matrix.
    """
    e1, d1, e2, d2 = work[0], work[1], work[2], work[3]
    root, y, h = scaled[0], scaled[1], scaled[2]
    _look_up(value, slope, one, root, e1, d1)
    _look_up(value, slope, two, root, e2, d2)
    g11 = g12 = g1b = g22 = g2b = m1 = m2 = 0.0
    p1 = p2 = pb = pp = pq = q1 = q2 = qb = qq = 0.0
    for r in range(e1.size):
        g11 += e1[r] * e1[r]
        g12 += e1[r] * e2[r]
        g1b += e1[r] * h[r]
        g22 += e2[r] * e2[r]
        g2b += e2[r] * h[r]
        m1 += e1[r] * y[r]
        m2 += e2[r] * y[r]
        p1 += d1[r] * e1[r]
        p2 += d1[r] * e2[r]
        pb += d1[r] * h[r]
        pp += d1[r] * d1[r]
        pq += d1[r] * d2[r]
        q1 += d2[r] * e1[r]
        q2 += d2[r] * e2[r]
        qb += d2[r] * h[r]
        qq += d2[r] * d2[r]
    gbb, mb, low, high = facts[0], facts[1], facts[2], facts[3]
    _amplitudes(g11, g12, g1b, g22, g2b, gbb, m1, m2, mb, low, high, state)
    a1, a2, share = state[0], state[1], state[2]
    cost = by_1 = by_2 = 0.0
    for r in range(e1.size):
        rest = y[r] - a1 * e1[r] - a2 * e2[r] - share * h[r]
        cost += rest * rest
        by_1 += d1[r] * rest
        by_2 += d2[r] * rest
    state[3], state[4] = a1 * by_1, a2 * by_2
    if a1 > 0 and g11 > 0:
        by = 1 / g11
        pp, pq, qq = pp - p1 * p1 * by, pq - p1 * q1 * by, qq - q1 * q1 * by
        p2, q2, pb, qb = p2 - p1 * g12 * by, q2 - q1 * g12 * by, pb - p1 * g1b * by, qb - q1 * g1b * by
        f22, f2b, fbb = g22 - g12 * g12 * by, g2b - g12 * g1b * by, gbb - g1b * g1b * by
    else:
        f22, f2b, fbb = g22, g2b, gbb
    if a2 > 0 and f22 > TINY * g22:
        by = 1 / f22
        pp, pq, qq = pp - p2 * p2 * by, pq - p2 * q2 * by, qq - q2 * q2 * by
        pb, qb, fbb = pb - p2 * f2b * by, qb - q2 * f2b * by, fbb - f2b * f2b * by
    if low < share < high and fbb > TINY * gbb:
        by = 1 / fbb
        pp, pq, qq = pp - pb * pb * by, pq - pb * qb * by, qq - qb * qb * by
    state[5], state[6], state[7] = max(a1 * a1 * pp, 0.0), a1 * a2 * pq, max(a2 * a2 * qq, 0.0)
    return cost
