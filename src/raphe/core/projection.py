"""Searches for two exponentials from given places down to the lowest, by variable projection, compiled.

One curve after another, with no array between: the amplitudes for two rates by going through the active sets of their
quadratic, the rates by Newton's steps on what is left (Golub & Pereyra 1973, SIAM J Numer Anal 10:413), damped, and by
Kaufman's approximation of them (1975, BIT 15:49) where the cost is not convex. Every valley is entered, and those that
may be the lowest are followed to their end.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[np.float64]
Table = tuple[Array, Array, Array]
Own = tuple[Array, Array, Array]
"""Of one curve: root of the weights, curve and blood times it, shape (3, n_filled_row); facts; state here and there.

The facts: square of blood, blood times curve, bounds of its share, what is beyond the curve, the share that is held,
square of the curve, tolerance, and the cost at which nothing is left.
"""
Found = tuple[Array, Array, Array, Array]

MOST_STEPS = 80
SETTLED = 1e-10
"""Relative fall of the cost at which a search has settled: Newton's next step would be of the square of it."""

ROUGH = 1e-5
"""Relative fall of the cost at which a search has settled that another takes up."""

ENTERED = 1e-3
"""Relative fall of the cost at which a valley counts as entered."""

REACH = 1000.0
"""By how many times its last fall the cost of a valley that was entered may still come down, for all that is known."""

MOST_ROUNDS, MOST_TRIED = 3, 2
MARGIN = 0.003

LIKE = 1e-9

LANES = 8

NOTHING = 1e-29
"""Cost, as a share of the curve's weighted sum of squares, at which nothing is left to find."""

TINY = 1e-13
"""Square of a function, as a share of its own, below which what others leave of it is nothing."""

LONGEST = 100.0
"""Longest step, in nodes of the table."""

CONVEX = 1e-3
"""Curvature of the cost, as a share of Kaufman's, from which on Newton's step is taken."""

compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "arcp", "nsz"})
inlined = njit(forceinline=True, error_model="numpy", fastmath={"reassoc", "contract", "arcp", "nsz"})
"""For what is called with arrays in the innermost loops: else their references are counted at each call, atomically."""


@compiled
def followed(
    table: Table, basis: Array, begin: Array, first: int, curves: Array, weights: Array, blood: Array,
    lowest_share: float, highest_share: float, beyond: Array, searching: bool, tolerance: float,
) -> tuple[Array, Array, Array, Array]:  # fmt: skip
    """Lowest cost of two exponentials and blood, as :func:`raphe.core.exponentials.search` gives it.

    Parameters
    ----------
    first, curves, blood, lowest_share, highest_share
        As there.
    table : ndarray, shape (n_node, n_filled_row) twice, and (n_grid,)
        Answers and their derivatives, with rows filled up with zeros, and the grid.
    basis : ndarray, shape (n_grid, n_filled_row)
        Functions at the grid.
    begin : ndarray, shape (n_curve, n_valley, 2)
        Pairs of places to begin from; NaN where there is none.
    weights : ndarray, shape (n_curve, n_row) or (1, n_row)
    beyond : ndarray, shape (n_curve,)
        What no exponential can lower the cost by, and is not in the curves.
    """
    n_curve, n_band = begin.shape[:2]
    grid, n_row, width = table[2], table[0].shape[1], -(-len(basis) // LANES) * LANES
    scaled, room, facts = np.zeros((3, n_row)), np.zeros((2, n_row)), np.zeros(9)
    turned, sums, two = np.zeros((n_row, width)), np.zeros((5, width)), np.empty(2)
    turned[:, : len(basis)] = basis.T
    found = (np.zeros((n_curve, 2)), np.zeros((n_curve, 3)), np.full(n_curve, np.inf), np.zeros(n_curve))
    own, cost, new = (scaled, facts, np.zeros((2, 11))), found[2], False
    facts[2], facts[3], facts[7] = lowest_share, highest_share, tolerance
    for c in range(n_curve):
        _scale(curves[c], weights[min(c, len(weights) - 1)], blood, scaled, facts)
        facts[4], new = beyond[c], new or c < len(weights)
        for band in range(n_band):
            if begin[c, band, 0] >= 0 and cost[c] > facts[8]:
                two[0], two[1] = begin[c, band, 0], begin[c, band, 1]
                before, held = cost[c], 1 if two[0] <= grid[0] else first
                _try(table, two, held, own, found, c)
                if held > first and cost[c] < before:
                    two[0], two[1] = found[0][c, 0], found[0][c, 1]
                    _try(table, two, first, own, found, c)
        if searching and cost[c] > facts[8]:
            _known(turned, scaled, new, sums)
            alone, new = _alone(sums, grid, facts), False
            for _ in range(MOST_ROUNDS):
                if not _deeper(table, turned, first, alone, own, room, sums, two, found, c):
                    break
    return found


@compiled
def _try(table: Table, two: Array, first: int, own: Own, found: Found, c: int) -> None:
    """Descend from two places, and keep where that ends if it is lower than what curve ``c`` has."""
    place, amplitude, cost, converged = found
    lowest, settled = _descend(table, two, first, own, cost[c])
    if lowest < cost[c]:
        state, swap = own[2], 1 if two[0] > two[1] else 0
        cost[c], converged[c] = lowest, settled
        place[c, 0], place[c, 1] = two[swap], two[1 - swap]
        amplitude[c, 0], amplitude[c, 1], amplitude[c, 2] = state[0, swap], state[0, 1 - swap], state[0, 2]


@inlined
def _deeper(
    table: Table, turned: Array, first: int, alone: float, own: Own, room: Array, sums: Array, two: Array,
    found: Found, c: int,
) -> bool:  # fmt: skip
    """Look for a deeper valley beside either exponential of curve ``c``, and beside the best alone; whether one is."""
    place, amplitude, cost, _ = found
    facts, least = own[1], cost[c] * (1 - ENTERED)
    low, high = facts[2], facts[3]
    for kind in range(1 if first else 3):
        if kind < 2 and not first and not amplitude[c, kind] > 0:
            continue
        base = place[c, kind] if kind < 2 else alone
        for held in range(0 if low < amplitude[c, 2] < high else 1, -1 if low < high else 0, -1):
            facts[5] = amplitude[c, 2]
            _beside(table, turned, base, held == 1, own[0], facts, room, sums)
            for _ in range(MOST_TRIED):
                g = _promising(sums, table[2], first, place, amplitude, cost, c)
                if g < 0:
                    break
                two[0], two[1] = base, table[2][g]
                _try(table, two, first, own, found, c)
                if cost[c] < least:
                    return True
    return False


@inlined
def _beside(
    table: Table, turned: Array, place: float, bound: bool, scaled: Array, facts: Array, room: Array, sums: Array
) -> None:  # fmt: skip
    """What is left of the cost, to first order, beside one exponential whose rate may move, with each of the grid.

    ``bound`` says whether blood keeps its share, ``facts[5]``. ``sums[0]`` is filled with the costs; what they were
    without the other where its amplitude would be negative.
    """
    value, slope = table[0], table[1]
    i, s = _cell(place, len(value))
    rises, enters, leaves, rises_1, enters_1, leaves_1, _, _, _ = _cubics(s)
    ee = ed = eh = ey = dd = dh = dy = 0.0
    for r in range(value.shape[1]):
        rise = value[i + 1, r] - value[i, r]
        e = scaled[0, r] * (value[i, r] + rises * rise + enters * slope[i, r] + leaves * slope[i + 1, r])
        d = scaled[0, r] * (rises_1 * rise + enters_1 * slope[i, r] + leaves_1 * slope[i + 1, r])
        ee += e * e
        ed += e * d
        eh += e * scaled[2, r]
        ey += e * scaled[1, r]
        dd += d * d
        dh += d * scaled[2, r]
        dy += d * scaled[1, r]
        room[0, r], room[1, r] = scaled[0, r] * e, scaled[0, r] * d
    _sums(turned, room, sums)
    # The functions with what is before them taken out: lengths, and what of each is in the next.
    if place <= table[2][0]:
        dd = 0.0
    share, own = (facts[5], 0.0) if bound else (0.0, 1.0)
    ey, dy, hy = ey - share * eh, dy - share * dh, (facts[1] - share * facts[0]) * own
    by_e = 1 / ee if ee > 0 else 0.0
    d_e, h_e, y_e = ed * by_e, eh * by_e, ey * by_e
    rest = dd - d_e * ed
    by_d = 1 / rest if rest > TINY * dd else 0.0
    h_d, y_d = (dh - h_e * ed) * by_d, (dy - y_e * ed) * by_d
    hh = facts[0] - h_e * eh - h_d * (dh - h_e * ed)
    by_h = own / hh if hh > TINY * facts[0] else 0.0
    y_h = (hy - h_e * ey - h_d * (dy - d_e * ey)) * by_h
    left = facts[4] + facts[6] - 2 * share * facts[1] + share * share * facts[0]
    left -= y_e * ey + y_d * (dy - d_e * ey) + y_h * (hy - h_e * ey - h_d * (dy - d_e * ey))
    for g in range(sums.shape[1]):
        e = sums[0, g]
        d = sums[1, g] - d_e * e
        h = sums[2, g] - h_e * e - h_d * d
        moment = sums[3, g] - share * sums[2, g] - y_e * e - y_d * d - y_h * h
        rest = sums[4, g] - by_e * e * e - by_d * d * d - by_h * h * h
        taken = moment * moment / rest if rest > LIKE * sums[4, g] else 0.0
        sums[0, g] = left - (taken if moment > 0 else 0.0)


@inlined
def _sums(turned: Array, room: Array, sums: Array) -> None:
    """Sums over the rows, whose number is a multiple of 4, of functions times two factors."""
    for g in range(turned.shape[1]):
        sums[0, g] = sums[1, g] = 0.0
    for r in range(0, len(turned), 4):
        a0, a1, a2, a3 = room[0, r], room[0, r + 1], room[0, r + 2], room[0, r + 3]
        b0, b1, b2, b3 = room[1, r], room[1, r + 1], room[1, r + 2], room[1, r + 3]
        for g in range(turned.shape[1]):
            t0, t1, t2, t3 = turned[r, g], turned[r + 1, g], turned[r + 2, g], turned[r + 3, g]
            sums[0, g] += a0 * t0 + a1 * t1 + a2 * t2 + a3 * t3
            sums[1, g] += b0 * t0 + b1 * t1 + b2 * t2 + b3 * t3


@inlined
def _known(turned: Array, scaled: Array, anew: bool, sums: Array) -> None:
    """Sums over the rows of the grid's functions with the curve and, if weights are new, with blood and themselves."""
    for g in range(turned.shape[1]):
        sums[3, g] = 0.0
    for r in range(len(turned)):
        a = scaled[0, r] * scaled[1, r]
        for g in range(turned.shape[1]):
            sums[3, g] += a * turned[r, g]
    if anew:
        for g in range(turned.shape[1]):
            sums[2, g] = sums[4, g] = 0.0
        for r in range(len(turned)):
            a, b = scaled[0, r] * scaled[2, r], scaled[0, r] * scaled[0, r]
            for g in range(turned.shape[1]):
                sums[2, g] += a * turned[r, g]
                sums[4, g] += b * turned[r, g] * turned[r, g]


@inlined
def _alone(sums: Array, grid: Array, facts: Array) -> float:
    """Place at which one exponential with blood would leave the least of the cost, between those of the grid."""
    by, share = (1 / facts[0], facts[1] / facts[0]) if facts[2] < facts[3] and facts[0] > 0 else (0.0, facts[2])
    for g in range(sums.shape[1]):
        moment, rest = sums[3, g] - share * sums[2, g], sums[4, g] - by * sums[2, g] * sums[2, g]
        sums[0, g] = moment * moment / rest if moment > 0 and rest > LIKE * sums[4, g] else 0.0
    best, n = 0, grid.size
    for g in range(1, n):
        if sums[0, g] > sums[0, best]:
            best = g
    place: float = grid[best]
    if best == 0 or best + 1 == n:
        return place
    before, here, after = sums[0, best - 1], sums[0, best], sums[0, best + 1]
    shift = (after - before) / (2 * (2 * here - before - after)) if 2 * here > before + after else 0.0
    place += shift * (grid[best + 1] - place if shift > 0 else place - grid[best - 1])
    return place


@inlined
def _promising(sums: Array, grid: Array, first: int, place: Array, amplitude: Array, cost: Array, c: int) -> int:
    """Number in the grid of the lowest of the costs that is below those beside it, and about below that of curve ``c``.

    It is struck off; -1 where there is none. One beside the places of the curve is no other.
    """
    best, n, most = -1, grid.size, cost[c] * (1 + MARGIN)
    gap = 1.5 * (grid[n - 1] - grid[n - 2])
    for g in range(first, n):
        here = sums[0, g]
        if here < most and (best < 0 or here < sums[0, best]):
            if (g > first and sums[0, g - 1] < here) or (g + 1 < n and sums[0, g + 1] < here):
                continue
            if amplitude[c, 0] > 0 and abs(grid[g] - place[c, 0]) < gap:
                continue
            if amplitude[c, 1] > 0 and abs(grid[g] - place[c, 1]) < gap:
                continue
            best = g
    if best >= 0:
        sums[0, best] = np.inf
    return best


@compiled
def looked_up(value: Array, slope: Array, places: Array) -> Array:
    """Functions at places in the table, shape (n_place, n_row).

    Parameters
    ----------
    value, slope : ndarray, shape (n_node, n_row)
    places : ndarray, shape (n_place,)
    """
    found = np.empty((places.size, value.shape[1]))
    for g in range(places.size):
        _look_up(value, slope, places[g], found[g])
    return found


@compiled
def _look_up(value: Array, slope: Array, place: float, out: Array) -> None:
    """Cubic Hermite interpolation of one row of the table."""
    at, s = _cell(place, len(value))
    rises, enters, leaves = _cubics(s)[:3]
    for r in range(out.size):
        out[r] = (
            value[at, r] + rises * (value[at + 1, r] - value[at, r]) + enters * slope[at, r] + leaves * slope[at + 1, r]
        )


@inlined
def _scale(y: Array, w: Array, blood: Array, scaled: Array, facts: Array) -> None:
    """Root of the weights, curve and blood times it, and their sums of products; the cost at which nothing is left."""
    facts[0] = facts[1] = facts[6] = 0.0
    for r in range(y.size):
        root = np.sqrt(w[r])
        scaled[0, r], scaled[1, r], scaled[2, r] = root, root * y[r], root * blood[r]
        facts[0] += scaled[2, r] * scaled[2, r]
        facts[1] += scaled[2, r] * scaled[1, r]
        facts[6] += scaled[1, r] * scaled[1, r]
    facts[8] = NOTHING * facts[6]


@inlined
def _cell(place: float, n_node: int) -> tuple[int, float]:
    """Node of the table below a place, and how far beyond it the place lies."""
    left = min(max(int(place), 0), n_node - 2)
    return left, place - left


@inlined
def _cubics(s: float) -> tuple[float, float, float, float, float, float, float, float, float]:
    """What Hermite's cubic adds to its value at the node below, and the first and second derivative.

    Each as the factors of the rise to the next node and of the derivatives at the two.
    """
    t = 1 - s
    return (
        s * s * (3 - 2 * s), s * t * t, -s * s * t,
        6 * s * t, t * (1 - 3 * s), s * (3 * s - 2),
        6 - 12 * s, 6 * s - 4, 6 * s - 2,
    )  # fmt: skip


@inlined
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


@inlined
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


@inlined
def _descend(table: Table, place: Array, first: int, own: Own, lowest: float) -> tuple[float, float]:
    """Damped Newton from a pair of places, which it moves: the cost, and 1 if it has settled.

    It is given up where the cost has hardly fallen and is still above ``lowest``. The first row of the state is left as
    :func:`_project` fills it.
    """
    value, slope, grid = table
    scaled, facts, state = own
    bottom, top, tolerance, nothing = grid[0], grid[-1], facts[7], facts[8]
    here, there = state[0], state[1]
    one, two = place[0], place[1]
    cost, fall, damping, refused = np.inf, np.inf, 0.0, False
    for _ in range(MOST_STEPS):
        new = _project(value, slope, one, two, scaled, facts, there)
        if new < cost:
            fall, cost = cost - new, new
            place[0], place[1] = one, two
            for k in range(there.size):
                here[k] = there[k]
            damping = 0.0 if damping < 1e-4 else damping / 2 if refused else damping / 10
            refused = False
            if cost <= nothing or fall <= tolerance * cost or (fall <= ENTERED * cost and cost - REACH * fall > lowest):
                return cost, 1.0
        else:
            damping, refused = max(10 * damping, 1e-2), True
            if damping > 1e8:
                return cost, 1.0
        g0, g1, n00, n11 = here[3], here[4], here[8], here[10]
        free0 = first == 0 and not ((place[0] <= bottom and g0 < 0) or (place[0] >= top and g0 > 0)) and n00 > 0
        free1 = not ((place[1] <= bottom and g1 < 0) or (place[1] >= top and g1 > 0)) and n11 > 0
        d0, d1 = _step(here, free0, free1, damping)
        if d0 == 0 and d1 == 0:
            return cost, 1.0
        one = min(max(place[0] + min(max(d0, -LONGEST), LONGEST), bottom), top)
        two = min(max(place[1] + min(max(d1, -LONGEST), LONGEST), bottom), top)
    return cost, 0.0


@inlined
def _step(state: Array, free0: bool, free1: bool, damping: float) -> tuple[float, float]:
    """Step of the places that are free, of Newton where the cost is convex, else with Kaufman's normal matrix."""
    g0, g1, h00, h01, h11 = state[3], state[4], state[5], state[6], state[7]
    n00, n01, n11 = state[8], state[9], state[10]
    if free0 and free1:
        a, b = h00 + damping * n00, h11 + damping * n11
        determinant = a * b - h01 * h01
        if not (a > CONVEX * n00 and b > CONVEX * n11 and determinant > CONVEX * (n00 * n11 - n01 * n01)):
            a, b, h01 = n00 * (1.001 + damping), n11 * (1.001 + damping), n01
            determinant = a * b - h01 * h01
        by = 1 / determinant
        return (g0 * b - g1 * h01) * by, (g1 * a - g0 * h01) * by
    if free0:
        a = h00 + damping * n00
        return g0 / (a if a > CONVEX * n00 else n00 * (1 + damping)), 0.0
    if free1:
        b = h11 + damping * n11
        return 0.0, g1 / (b if b > CONVEX * n11 else n11 * (1 + damping))
    return 0.0, 0.0


@inlined
def _project(value: Array, slope: Array, one: float, two: float, scaled: Array, facts: Array, state: Array) -> float:
    """Cost at two places with the best amplitudes, and the equations of a step.

    ``state`` is filled with the two amplitudes and the share of blood, the downward gradient, the matrix of second
    derivatives of half the cost (3), and Kaufman's approximation of it (3).
    """
    i, s = _cell(one, len(value))
    low_1, in_1, out_1, low_2, in_2, out_2, low_3, in_3, out_3 = _cubics(s)
    j, s = _cell(two, len(value))
    low_4, in_4, out_4, low_5, in_5, out_5, low_6, in_6, out_6 = _cubics(s)
    g11 = g12 = g1b = g22 = g2b = m1 = m2 = 0.0
    p1 = p2 = pb = pp = pq = q1 = q2 = qb = qq = 0.0
    for r in range(value.shape[1]):
        rise, rise_2 = value[i + 1, r] - value[i, r], value[j + 1, r] - value[j, r]
        e = scaled[0, r] * (value[i, r] + low_1 * rise + in_1 * slope[i, r] + out_1 * slope[i + 1, r])
        d = scaled[0, r] * (low_2 * rise + in_2 * slope[i, r] + out_2 * slope[i + 1, r])
        f = scaled[0, r] * (value[j, r] + low_4 * rise_2 + in_4 * slope[j, r] + out_4 * slope[j + 1, r])
        b = scaled[0, r] * (low_5 * rise_2 + in_5 * slope[j, r] + out_5 * slope[j + 1, r])
        g11 += e * e
        g12 += e * f
        g1b += e * scaled[2, r]
        g22 += f * f
        g2b += f * scaled[2, r]
        m1 += e * scaled[1, r]
        m2 += f * scaled[1, r]
        p1 += d * e
        p2 += d * f
        pb += d * scaled[2, r]
        pp += d * d
        pq += d * b
        q1 += b * e
        q2 += b * f
        qb += b * scaled[2, r]
        qq += b * b
    gbb, mb, low, high = facts[0], facts[1], facts[2], facts[3]
    _amplitudes(g11, g12, g1b, g22, g2b, gbb, m1, m2, mb, low, high, state)
    a1, a2, share = state[0], state[1], state[2]
    cost, by_1, by_2, bent_1, bent_2 = facts[4], 0.0, 0.0, 0.0, 0.0
    for r in range(value.shape[1]):
        rise, rise_2 = value[i + 1, r] - value[i, r], value[j + 1, r] - value[j, r]
        e = scaled[0, r] * (value[i, r] + low_1 * rise + in_1 * slope[i, r] + out_1 * slope[i + 1, r])
        f = scaled[0, r] * (value[j, r] + low_4 * rise_2 + in_4 * slope[j, r] + out_4 * slope[j + 1, r])
        rest = scaled[1, r] - a1 * e - a2 * f - share * scaled[2, r]
        cost += rest * rest
        rest *= scaled[0, r]
        by_1 += rest * (low_2 * rise + in_2 * slope[i, r] + out_2 * slope[i + 1, r])
        by_2 += rest * (low_5 * rise_2 + in_5 * slope[j, r] + out_5 * slope[j + 1, r])
        bent_1 += rest * (low_3 * rise + in_3 * slope[i, r] + out_3 * slope[i + 1, r])
        bent_2 += rest * (low_6 * rise_2 + in_6 * slope[j, r] + out_6 * slope[j + 1, r])
    state[3], state[4] = a1 * by_1, a2 * by_2
    n00, n01, n11 = a1 * a1 * pp, a1 * a2 * pq, a2 * a2 * qq
    h00, h01, h11 = n00 - a1 * bent_1, n01, n11 - a2 * bent_2
    # What the amplitudes and the share of blood take over, one after another; the first derivatives come along.
    p1, p2, pb, q1, q2, qb = a1 * p1, a1 * p2, a1 * pb, a2 * q1, a2 * q2, a2 * qb
    x1, x2, xb, y1, y2, yb = p1 - by_1, p2, pb, q1, q2 - by_2, qb
    f22, f2b, fbb = g22, g2b, gbb
    if a1 > 0 and g11 > 0:
        by = 1 / g11
        n00, n01, n11 = n00 - p1 * p1 * by, n01 - p1 * q1 * by, n11 - q1 * q1 * by
        h00, h01, h11 = h00 - x1 * x1 * by, h01 - x1 * y1 * by, h11 - y1 * y1 * by
        p2, q2, pb, qb = p2 - p1 * g12 * by, q2 - q1 * g12 * by, pb - p1 * g1b * by, qb - q1 * g1b * by
        x2, y2, xb, yb = x2 - x1 * g12 * by, y2 - y1 * g12 * by, xb - x1 * g1b * by, yb - y1 * g1b * by
        f22, f2b, fbb = g22 - g12 * g12 * by, g2b - g12 * g1b * by, gbb - g1b * g1b * by
    if a2 > 0 and f22 > TINY * g22:
        by = 1 / f22
        n00, n01, n11 = n00 - p2 * p2 * by, n01 - p2 * q2 * by, n11 - q2 * q2 * by
        h00, h01, h11 = h00 - x2 * x2 * by, h01 - x2 * y2 * by, h11 - y2 * y2 * by
        pb, qb, xb, yb = pb - p2 * f2b * by, qb - q2 * f2b * by, xb - x2 * f2b * by, yb - y2 * f2b * by
        fbb -= f2b * f2b * by
    if low < share < high and fbb > TINY * gbb:
        by = 1 / fbb
        n00, n01, n11 = n00 - pb * pb * by, n01 - pb * qb * by, n11 - qb * qb * by
        h00, h01, h11 = h00 - xb * xb * by, h01 - xb * yb * by, h11 - yb * yb * by
    state[5], state[6], state[7] = h00, h01, h11
    state[8], state[9], state[10] = max(n00, 0.0), n01, max(n11, 0.0)
    return float(cost)
