"""One rate constant beside one or two linear parameters: the search for many curves, compiled.

The linear parameters are solved for the rate (variable projection, Golub & Pereyra 1973, SIAM J Numer Anal 10:413).
Under one set of weights, what a function with the rate at place p of a table has to itself is a unit vector h(p) in the
few dimensions that all of them span, and the cost is lowest where the product of h(p) and the curve is highest:
:func:`summits`. From there, or from any other place near by, :func:`solved` goes on under each curve's own weights: by
a step of Gauss and Newton with the derivative of Kaufman (1975, BIT 15:49), then by secants, within a bracket.

Curves and weights come frame by frame, (n_row, n_curve), as an image has them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from raphe.core.linear import HC3, LEAST_FREEDOM, RANK_TOLERANCE

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Table = tuple[Array, Array, Array]

NEAR = 2e-5
"""Step, in numbers of nodes, from where on one last step of Gauss and Newton in all parameters at once is enough."""

MOST_STEPS = 80
TILE = 64
"""Curves that are copied out of the image at once, to stay in the fastest memory."""

LONGEST = 24.0
"""Longest step, in numbers of nodes, so that no valley is jumped over."""

RIVAL = 1.5
"""Cost of a second valley, in that of the lowest, up to which the lowest may be another under other weights."""

SURE = 1e-6
"""Square of what is left of a function, made orthogonal to others, as a share of its own, above which its products with
them are exact enough for it."""

compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "arcp", "nsz"})


@compiled
def summits(
    unit: Array, slope: Array, height: Array, per_grid: int, curves: Array, total: Array
) -> tuple[Array, Array, Flags]:
    """Places where the products of a unit vector and each curve are highest, whatever their sign.

    Parameters
    ----------
    unit, slope : ndarray, shape (n_node, n_rank)
        Unit vectors at the nodes of the table, and their derivatives by the place.
    height : ndarray, shape (n_grid, n_curve)
        Products of every ``per_grid``-th unit vector with each curve.
    curves : ndarray, shape (n_rank, n_curve)
    total : ndarray, shape (n_curve,)
        Cost of each curve without the function of the rate.

    Returns
    -------
    place : ndarray, shape (n_curve,)
        Places in the table, to within about a thousandth of the distance of two nodes.
    product : ndarray, shape (n_curve,)
        There, with its sign.
    unsure : ndarray of bool, shape (n_curve,)
        Whether other weights may well prefer another valley, the ends of the table being such.
    """
    n_grid, n_curve = height.shape
    n_rank, last = curves.shape[0], unit.shape[0] - 1
    place, best, most = np.empty(n_curve), np.zeros(n_curve, np.int64), np.full(n_curve, -1.0)
    product = np.empty(n_curve)
    for g in range(n_grid):
        for c in range(n_curve):
            here = height[g, c] * height[g, c]
            if here > most[c]:
                most[c], best[c] = here, g
    unsure = np.zeros(n_curve, np.bool_)
    for g in range(n_grid):
        before, after = max(g - 1, 0), min(g + 1, n_grid - 1)
        for c in range(n_curve):
            here = height[g, c] * height[g, c]
            peak = here >= height[before, c] * height[before, c] and here >= height[after, c] * height[after, c]
            apart = g < best[c] - 1 or g > best[c] + 1
            unsure[c] |= peak and apart and total[c] - here <= RIVAL * (total[c] - most[c])
    y = np.empty(n_rank)
    for c in range(n_curve):
        for r in range(n_rank):
            y[r] = curves[r, c]
        g = best[c]
        sign = 1.0 if height[g, c] > 0 else -1.0
        at = g * per_grid + 0.0
        if 0 < g < n_grid - 1:
            before, here, after = sign * height[g - 1, c], sign * height[g, c], sign * height[g + 1, c]
            bend = 2 * here - before - after
            if bend > 0:
                at += per_grid * min(max(0.5 * (after - before) / bend, -0.99), 0.99)
        low, high = max(g - 1, 0) * per_grid, min((g + 1) * per_grid, last)
        left = min(max(int(at), low), high - 1)
        for _ in range(2 * per_grid):
            h0 = h1 = m0 = m1 = 0.0
            for r in range(n_rank):
                h0 += unit[left, r] * y[r]
                h1 += unit[left + 1, r] * y[r]
                m0 += slope[left, r] * y[r]
                m1 += slope[left + 1, r] * y[r]
            h0, h1, m0, m1 = sign * h0, sign * h1, sign * m0, sign * m1
            if m0 <= 0:
                at, product[c] = left, sign * h0
                if left == low:
                    break
                left -= 1
            elif m1 >= 0:
                at, product[c] = left + 1.0, sign * h1
                if left + 1 == high:
                    break
                left += 1
            else:  # the cubic between two nodes rises at the first and falls at the second
                rise = h1 - h0
                a, b = 3 * rise - 2 * m0 - m1, m0 + m1 - 2 * rise  # derivative m0 + 2 a s + 3 b s^2
                root = np.sqrt(max(a * a - 3 * b * m0, 0.0))
                s = min(max(m0 / (root - a), 0.0), 1.0)
                at, product[c] = left + s, sign * (h0 + s * (m0 + s * (a + s * b)))
                break
        place[c] = at
        unsure[c] |= g == 0 or g == n_grid - 1
    return place, product, unsure


@compiled
def starts(table: Table, grid: Array, curves: Array, roots: Array) -> Array:
    """Places of a grid at which the costs of the curves are lowest, each under weights of its own.

    Parameters
    ----------
    table : tuple of ndarray
        The function of the rate at the nodes and its derivative by the place, (n_node, n_filled_row), and the function
        that does not depend on the rate, (n_filled_row,), zeros where there is none.
    grid : ndarray, shape (n_grid,)
        Nodes, as numbers.
    curves, roots : ndarray, shape (n_filled_row, n_curve)
        Curves, and roots of the weights.

    Returns
    -------
    ndarray, shape (n_curve,)
    """
    place = np.empty(curves.shape[1])
    root, y = np.empty(curves.shape[0]), np.empty(curves.shape[0])
    for c in range(place.size):
        for r in range(root.size):
            root[r] = roots[r, c]
            y[r] = roots[r, c] * curves[r, c]
        place[c] = _lowest_of(table, grid, root, y)
    return place


@compiled
def _lowest_of(table: Table, grid: Array, root: Array, y: Array) -> float:
    """Node of a grid at which the cost of one curve, times the roots of its weights, is lowest."""
    value, fixed = table[0], table[2]
    uu = uy = 0.0
    for r in range(root.size):
        u = root[r] * fixed[r]
        uu += u * u
        uy += u * y[r]
    by = 1 / uu if uu > 0 else 0.0
    most, best = -1.0, 0
    for g in range(grid.size):
        node = int(grid[g])
        ff = fu = fy = 0.0
        for r in range(root.size):
            f = root[r] * value[node, r]
            ff += f * f
            fu += f * root[r] * fixed[r]
            fy += f * y[r]
        own, reach = ff - fu * fu * by, fy - fu * uy * by
        gain = reach * reach / own if own > SURE * SURE * ff else -1.0
        if gain > most:
            most, best = gain, g
    found: float = grid[best]
    return found


@compiled
def solved(
    table: Table,
    grid: Array,
    start: Array,
    again: Flags,
    curves: Array,
    roots: Array,
    counts: Array,
    floor: float,
    n_row: int,
    near: int,
    kind: float,
    drawn: bool,
) -> tuple[Array, Array, Array, Array, Array, Flags, Flags, Flags]:
    """Best rate of each curve near a place, the linear parameters, fitted curve, cost and covariance.

    Parameters
    ----------
    table, grid
        As for :func:`starts`.
    start : ndarray, shape (n_curve,)
        Places to begin from, within a step of the grid from the lowest cost.
    again : ndarray of bool, shape (n_curve,)
        Where the grid is asked again under the curve's own weights, if these are found here.
    curves : ndarray, shape (n_filled_row, n_curve)
    roots : ndarray, shape (n_filled_row, n_curve or 1)
        Roots of the weights; one column where they are the same for all curves.
    counts : ndarray, shape (n_filled_row,), or (0,)
        Where given, each curve's weights are these over its activity, relative to the highest, as the linear parameters
        at the place to begin from and under ``roots`` expect it; ``roots`` remain for a curve that has none.
    floor : float
        Least share of the highest activity that is expected.
    n_row : int
        Rows that are not filled up.
    near : int
        Frames on either side over which squared residuals are averaged; negative for no covariance.
    kind : float
        ``HC3`` or ``HC2`` of :mod:`raphe.core.linear`.
    drawn : bool
        Whether the fitted curves are wanted.

    Returns
    -------
    place : ndarray, shape (n_curve,)
    theta : ndarray, shape (n_curve, 2)
        Before the function that does not depend on the rate, 0 where there is none, and before that which does.
    fitted : ndarray, shape (n_row, n_curve), or (n_row, 0)
    wrss : ndarray, shape (n_curve,)
    covariance : ndarray, shape (n_curve, 3, 3), or (0, 3, 3)
        Of theta and the place; NaN where it is singular.
    at_bound, settled, singular : ndarray of bool, shape (n_curve,)
    """
    n_filled, n_curve = curves.shape
    value, slope, fixed = table
    top = value.shape[0] - 1.0
    place, theta, wrss = np.empty(n_curve), np.zeros((n_curve, 2)), np.empty(n_curve)
    fitted = np.empty((n_row, n_curve if drawn else 0))
    covariance = np.full((n_curve if near >= 0 else 0, 3, 3), np.nan)
    at_bound, settled = np.zeros(n_curve, np.bool_), np.zeros(n_curve, np.bool_)
    singular = np.zeros(n_curve, np.bool_)
    y, root, model = np.empty((TILE, n_filled)), np.empty((TILE, n_filled)), np.empty((TILE, n_filled))
    q, lower = np.zeros((3, n_filled)), np.zeros((3, 3))
    raw, rest, smooth = np.empty((2, n_filled)), np.empty(n_filled), np.empty(n_row)
    squares, share = np.zeros(n_row + 2 * max(near, 0)), np.empty(n_row)
    for r in range(n_row):
        share[r] = 1 / (min(r + near + 1, n_row) - max(r - near, 0))
    for first in range(0, n_curve, TILE):
        n = min(TILE, n_curve - first)
        if roots.shape[1] > 1 or first == 0 or counts.size:
            for r in range(n_filled):
                for v in range(TILE):
                    root[v, r] = roots[r, min(first + v, roots.shape[1] - 1)]
        for r in range(n_filled):
            for v in range(n):
                y[v, r] = curves[r, first + v] * root[v, r]
        for v in range(n):
            c = first + v
            if counts.size:
                _expect(table, min(max(start[c], 0.0), top), counts, floor, n_row, root[v], y[v], raw[0])
            here = min(max(start[c], 0.0), top)
            width = grid[1] - grid[0]
            if counts.size and again[c]:
                here = _lowest_of(table, grid, root[v], y[v])
            elif counts.size:
                width = top
            uu = uy = 0.0
            for r in range(n_filled):
                u = root[v, r] * fixed[r]
                q[0, r] = u
                uu += u * u
                uy += u * y[v, r]
            by = 1 / uu if uu > 0 else 0.0

            # the place where the derivative of the cost vanishes
            low, high = max(here - width, 0.0), min(here + width, top)
            last, before = np.nan, np.nan
            ff = fu = fy = du = df = dy = dd = 0.0
            for _ in range(MOST_STEPS):
                left = min(max(int(here), 0), value.shape[0] - 2)
                s = here - left
                ff = fu = fy = du = df = dy = dd = 0.0
                for r in range(n_filled):
                    v0, m0, m1 = value[left, r], slope[left, r], slope[left + 1, r]
                    rise = value[left + 1, r] - v0
                    a, b = 3 * rise - 2 * m0 - m1, m0 + m1 - 2 * rise
                    f, d = v0 + s * (m0 + s * (a + s * b)), m0 + s * (2 * a + 3 * s * b)
                    raw[0, r], raw[1, r] = f, d
                    w, u, t = root[v, r], q[0, r], y[v, r]
                    f, d = w * f, w * d
                    ff += f * f
                    fu += f * u
                    fy += f * t
                    du += d * u
                    df += d * f
                    dy += d * t
                    dd += d * d
                own, cross = ff - fu * fu * by, df - du * fu * by
                amount = (fy - fu * uy * by) / own if own > 0 else 0.0
                gradient = -amount * (dy - (uy - amount * fu) * by * du - amount * df)
                bend = amount * amount * (dd - du * du * by - (cross * cross / own if own > 0 else 0.0))
                if gradient == 0.0:
                    settled[c] = bend > 0
                    break
                if gradient > 0:
                    high = here
                else:
                    low = here
                if (gradient > 0 and here <= 0.0) or (gradient < 0 and here >= top):
                    at_bound[c] = settled[c] = True
                    break
                step = -gradient / bend if bend > 0 else (-np.inf if gradient > 0 else np.inf)
                secant = (gradient - before) / (here - last)
                if abs(step) <= NEAR or high - low <= NEAR:
                    settled[c] = True
                    break
                if secant > 0:  # False at the first step
                    step = -gradient / secant
                there = min(max(here + min(max(step, -LONGEST), LONGEST), 0.0), top)
                if not low < there < high and not (0.0 < there < top and low <= 0.0 and high >= top):
                    edge = (there <= 0.0 and low <= 0.0) or (there >= top and high >= top)
                    there = there if edge else (low + high) / 2
                last, before, here = here, gradient, there

            # the three functions there made orthonormal: the fixed one, that of the rate, and its derivative
            for r in range(n_filled):
                q[1, r], q[2, r] = root[v, r] * raw[0, r], root[v, r] * raw[1, r]
            lower[0, 0] = np.sqrt(uu) if uu > 0 else 1.0
            lower[1, 0], lower[2, 0] = fu / lower[0, 0], du / lower[0, 0]
            own = ff - lower[1, 0] * lower[1, 0]
            lower[1, 1] = np.sqrt(own) if own > 0 else 1.0
            lower[2, 1] = (df - lower[2, 0] * lower[1, 0]) / lower[1, 1]
            left_over = dd - lower[2, 0] * lower[2, 0] - lower[2, 1] * lower[2, 1]
            lower[2, 2] = np.sqrt(left_over) if left_over > 0 else 1.0
            if own > SURE * ff and left_over > SURE * dd:
                by0, by1, by2 = 1 / lower[0, 0], 1 / lower[1, 1], 1 / lower[2, 2]
                for r in range(n_filled):
                    t0 = q[0, r] * by0
                    t1 = (q[1, r] - lower[1, 0] * t0) * by1
                    q[2, r] = (q[2, r] - lower[2, 0] * t0 - lower[2, 1] * t1) * by2
                    q[0, r], q[1, r] = t0, t1
            else:
                singular[c] = not _orthogonal(q, lower, uu > 0)
            one = two = three = cost = 0.0
            for r in range(n_filled):
                one += q[0, r] * y[v, r]
                two += q[1, r] * y[v, r]
                three += q[2, r] * y[v, r]
            step = three / lower[2, 2]
            amount = (two - lower[2, 1] * step) / lower[1, 1]
            if at_bound[c] or not abs(step) <= 2 * NEAR * abs(amount):  # the place stays, so its derivative has no part
                three = step = 0.0
                amount = two / lower[1, 1]
            theta[c, 0] = (one - lower[1, 0] * amount - lower[2, 0] * step) / lower[0, 0]
            theta[c, 1] = amount
            for r in range(n_filled):
                t = y[v, r] - one * q[0, r] - two * q[1, r] - three * q[2, r]
                rest[r] = t
                cost += t * t
            wrss[c] = cost
            singular[c] = singular[c] or not amount != 0.0
            step = step / amount if amount != 0.0 else 0.0
            place[c] = min(max(here + step, 0.0), top)
            for r in range(n_filled if drawn else 0):
                model[v, r] = theta[c, 0] * fixed[r] + amount * (raw[0, r] + step * raw[1, r])
            if near < 0 or singular[c]:
                continue

            # covariance from squared residuals, averaged over frames that are near
            for r in range(n_row):
                freedom = max(1 - q[0, r] * q[0, r] - q[1, r] * q[1, r] - q[2, r] * q[2, r], LEAST_FREEDOM)
                squares[near + r] = rest[r] * rest[r] / (freedom * freedom if kind == HC3 else freedom)
                smooth[r] = 0.0
            for offset in range(2 * near + 1):
                for r in range(n_row):
                    smooth[r] += squares[offset + r]
            s00 = s01 = s02 = s11 = s12 = s22 = 0.0
            for r in range(n_row):
                w, t0, t1, t2 = smooth[r] * share[r], q[0, r], q[1, r], q[2, r]
                s00 += w * t0 * t0
                s01 += w * t0 * t1
                s02 += w * t0 * t2
                s11 += w * t1 * t1
                s12 += w * t1 * t2
                s22 += w * t2 * t2
            a0, a1, a2 = 1 / lower[0, 0], 1 / lower[1, 1], 1 / lower[2, 2]
            a12 = -lower[2, 1] * a1 * a2
            a01 = -lower[1, 0] * a0 * a1
            a02 = -(lower[1, 0] * a12 + lower[2, 0] * a2) * a0
            c22 = a2 * a2 * s22
            c12 = a2 * (a1 * s12 + a12 * s22)
            c02 = a2 * (a0 * s02 + a01 * s12 + a02 * s22)
            c11 = a1 * a1 * s11 + 2 * a1 * a12 * s12 + a12 * a12 * s22
            c01 = a1 * (a0 * s01 + a01 * s11 + a02 * s12) + a12 * (a0 * s02 + a01 * s12 + a02 * s22)
            c00 = a0 * a0 * s00 + a01 * a01 * s11 + a02 * a02 * s22
            c00 += 2 * (a0 * a01 * s01 + a0 * a02 * s02 + a01 * a02 * s12)
            covariance[c, 0, 0], covariance[c, 1, 1], covariance[c, 2, 2] = c00, c11, c22 / (amount * amount)
            covariance[c, 0, 1] = covariance[c, 1, 0] = c01
            covariance[c, 0, 2] = covariance[c, 2, 0] = c02 / amount
            covariance[c, 1, 2] = covariance[c, 2, 1] = c12 / amount
        for r in range(n_row if drawn else 0):
            for v in range(n):
                fitted[r, first + v] = model[v, r]
    return place, theta, fitted, wrss, covariance, at_bound, settled, singular


@compiled
def _expect(
    table: Table, place: float, counts: Array, floor: float, n_row: int, root: Array, y: Array, work: Array
) -> None:
    """Replace the roots of weights, and the curve times them, by those of the counts that are expected at a place."""
    value, slope, fixed = table
    left = min(max(int(place), 0), value.shape[0] - 2)
    s = place - left
    ff = fu = fy = uu = uy = 0.0
    for r in range(root.size):
        v0, m0, m1 = value[left, r], slope[left, r], slope[left + 1, r]
        rise = value[left + 1, r] - v0
        work[r] = v0 + s * (m0 + s * (3 * rise - 2 * m0 - m1 + s * (m0 + m1 - 2 * rise)))
        f, u = root[r] * work[r], root[r] * fixed[r]
        ff += f * f
        fu += f * u
        fy += f * y[r]
        uu += u * u
        uy += u * y[r]
    by = 1 / uu if uu > 0 else 0.0
    own = ff - fu * fu * by
    amount = (fy - fu * uy * by) / own if own > 0 else 0.0
    one = (uy - amount * fu) * by
    highest = -np.inf
    for r in range(n_row):
        work[r] = one * fixed[r] + amount * work[r]
        highest = max(highest, work[r])
    if not 0 < highest < np.inf:
        return
    by = 1 / highest
    for r in range(n_row):
        new = np.sqrt(counts[r] / max(work[r] * by, floor))
        y[r] *= new / root[r]
        root[r] = new


@compiled
def _orthogonal(q: Array, lower: Array, fixed: bool) -> bool:
    """Make rows orthonormal, each twice, in place, with the lower triangle: whether none depends on others."""
    good = True
    for p in range(0 if fixed else 1, 3):
        norm = np.sqrt(_product(q[p], q[p]))
        good = good and norm > 0
        by = 1 / norm if norm > 0 else 0.0
        for r in range(q.shape[1]):
            q[p, r] *= by
        for j in range(p):
            lower[p, j] = 0.0
        for _ in range(2):
            for j in range(p):
                total = _product(q[j], q[p])
                lower[p, j] += total * norm
                for r in range(q.shape[1]):
                    q[p, r] -= total * q[j, r]
        own = np.sqrt(_product(q[p], q[p]))
        good = good and own > RANK_TOLERANCE
        lower[p, p] = own * norm if own > 0 and norm > 0 else 1.0
        by = 1 / own if own > 0 else 0.0
        for r in range(q.shape[1]):
            q[p, r] *= by
    return good


@compiled
def _product(one: Array, other: Array) -> float:
    total = 0.0
    for r in range(one.size):
        total += one[r] * other[r]
    return total
