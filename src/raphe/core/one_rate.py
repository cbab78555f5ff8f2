"""One rate constant beside one or two linear parameters: the search for many curves, compiled.

The linear parameters are solved for the rate (variable projection, Golub & Pereyra 1973, SIAM J Numer Anal 10:413).
From a place near the lowest cost, :func:`solved` goes on under each curve's own weights: by a step of Gauss and Newton
with the derivative of Kaufman (1975, BIT 15:49), then by secants, within a bracket. Where all curves have the same
weights, :mod:`raphe.core.summits` does with less.

Curves and weights come frame by frame, (n_row, n_curve), as an image has them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from raphe.core.linear import LEAST_FREEDOM, NEIGHBOURS, RANK_TOLERANCE
from raphe.core.rate_table import LANES

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Table = tuple[Array, Array, Array]

NEAR = 2e-5
"""Step, in numbers of nodes, from where on one last step of Gauss and Newton in all parameters at once is enough."""

CLOSE = 2e-4
"""The same for a step by a secant where the fitted curve is not wanted. The covariance is that of the place before the
step, so standard errors are within a hundred-thousandth, and the parameters within a millionth."""

MOST_STEPS = 80
LONGEST = 24.0
"""Longest step, in numbers of nodes, so that no valley is jumped over."""

SURE = 1e-6
"""Square of what is left of a function, made orthogonal to others, as a share of its own, above which its products with
them are exact enough for it."""

compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "arcp", "nsz"})
inlined = njit(forceinline=True, error_model="numpy", fastmath={"reassoc", "contract", "arcp", "nsz"})


@compiled
def starts(table: Table, grid: Array, curves: Array, weights: Array) -> Array:
    """Places of a grid at which the costs of the curves are lowest, each under weights of its own.

    Parameters
    ----------
    table : tuple of ndarray
        The function of the rate at the nodes and its derivative by the place, (n_node, n_filled_row), and the function
        that does not depend on the rate, (n_filled_row,), zeros where there is none.
    grid : ndarray, shape (n_grid,)
        Nodes, as numbers.
    curves : ndarray, shape (n_row, n_curve)
    weights : ndarray, shape (n_filled_row, n_curve)

    Returns
    -------
    ndarray, shape (n_curve,)
    """
    place = np.empty(curves.shape[1])
    weight, y = np.empty(weights.shape[0]), np.zeros(weights.shape[0])
    for c in range(place.size):
        for r in range(weight.size):
            weight[r] = weights[r, c]
        for r in range(curves.shape[0]):
            y[r] = curves[r, c]
        place[c] = _lowest_of(table, grid, weight, y)
    return place


@inlined
def _lowest_of(table: Table, grid: Array, weight: Array, y: Array) -> float:
    """Node of a grid at which the cost of one curve is lowest."""
    value, fixed = table[0], table[2]
    uu = uy = 0.0
    for r in range(weight.size):
        u = weight[r] * fixed[r]
        uu += u * fixed[r]
        uy += u * y[r]
    by = 1 / uu if uu > 0 else 0.0
    most, best = -1.0, 0
    for g in range(grid.size):
        node = int(grid[g])
        ff = fu = fy = 0.0
        for r in range(weight.size):
            f = weight[r] * value[node, r]
            ff += f * value[node, r]
            fu += f * fixed[r]
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
    weights: Array,
    counts: Array,
    floor: float,
    errors: bool,
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
    curves : ndarray, shape (n_row, n_curve)
    weights : ndarray, shape (n_filled_row, n_curve or 1)
        One column where they are the same for all curves.
    counts : ndarray, shape (n_filled_row,), or (0,)
        Where given, each curve's weights are these over its activity, relative to the highest, as the linear parameters
        at the place to begin from and under ``weights`` expect it; ``weights`` remain for a curve that has none.
    floor : float
        Least share of the highest activity that is expected.
    errors : bool
        Whether the covariance is wanted; it is of the kind HC3 of :mod:`raphe.core.linear`.
    drawn : bool
        Whether the fitted curves are wanted.

    Returns
    -------
    place : ndarray, shape (n_curve,)
    theta : ndarray, shape (2, n_curve)
        Before the function that does not depend on the rate, 0 where there is none, and before that which does.
    fitted : ndarray, shape (n_row, n_curve), or (n_row, 0)
    wrss : ndarray, shape (n_curve,)
    covariance : ndarray, shape (3, 3, n_curve), or (3, 3, 0)
        Of theta and the place; NaN where it is singular.
    at_bound, settled, singular : ndarray of bool, shape (n_curve,)
    """
    n_row, n_curve = curves.shape
    value, slope, fixed = table
    n_filled, close, near = fixed.size, NEAR if drawn else CLOSE, NEIGHBOURS
    top = value.shape[0] - 1.0
    place, theta, wrss = np.empty(n_curve), np.zeros((2, n_curve)), np.empty(n_curve)
    fitted = np.empty((n_row, n_curve if drawn else 0))
    covariance = np.full((3, 3, n_curve if errors else 0), np.nan)
    at_bound, settled = np.zeros(n_curve, np.bool_), np.zeros(n_curve, np.bool_)
    singular = np.zeros(n_curve, np.bool_)
    y, weight = np.zeros(n_filled), np.empty(n_filled)
    q, lower, highs = np.zeros((3, n_filled)), np.zeros((3, 3)), np.empty(LANES)
    raw, rest, smooth = np.empty((2, n_filled)), np.empty(n_filled), np.empty(n_filled)
    squares, share = np.zeros(n_filled + 2 * near), np.zeros(n_filled)
    for r in range(n_row):
        share[r] = 1 / (min(r + near + 1, n_row) - max(r - near, 0))
    for c in range(n_curve):
        own_weights = min(c, weights.shape[1] - 1)
        for r in range(n_filled):
            weight[r] = weights[r, own_weights]
        for r in range(n_row):
            y[r] = curves[r, c]
        if counts.size:
            _expect(table, min(max(start[c], 0.0), top), counts, floor, weight, y, raw[0], highs)
        here = min(max(start[c], 0.0), top)
        width = grid[1] - grid[0]
        if counts.size and again[c]:
            here = _lowest_of(table, grid, weight, y)
        elif counts.size:
            width = top
        uu = uy = 0.0
        for r in range(n_filled):
            q[0, r] = fixed[r]
            u = weight[r] * fixed[r]
            uu += u * fixed[r]
            uy += u * y[r]
        by = 1 / uu if uu > 0 else 0.0

        # the place where the derivative of the cost vanishes
        low, high = max(here - width, 0.0), min(here + width, top)
        last, before, final = np.nan, np.nan, np.nan
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
                w, u, t = weight[r], fixed[r], y[r]
                wf, wd = w * f, w * d
                ff += wf * f
                fu += wf * u
                fy += wf * t
                du += wd * u
                df += wd * f
                dy += wd * t
                dd += wd * d
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
                if abs(step) <= close:
                    final, settled[c] = step, True
                    break
            there = min(max(here + min(max(step, -LONGEST), LONGEST), 0.0), top)
            if not low < there < high and not (0.0 < there < top and low <= 0.0 and high >= top):
                edge = (there <= 0.0 and low <= 0.0) or (there >= top and high >= top)
                there = there if edge else (low + high) / 2
            last, before, here = here, gradient, there

        # the three functions there made orthonormal: the fixed one, that of the rate, and its derivative
        for r in range(n_filled):
            q[1, r], q[2, r] = raw[0, r], raw[1, r]
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
            singular[c] = not _orthogonal(q, lower, weight, uu > 0)
        one = two = three = cost = 0.0
        for r in range(n_filled):
            t = weight[r] * y[r]
            one += q[0, r] * t
            two += q[1, r] * t
            three += q[2, r] * t
        step = three / lower[2, 2]
        amount = (two - lower[2, 1] * step) / lower[1, 1]
        if not np.isnan(final) and not singular[c]:
            amount = two / (lower[1, 1] + lower[2, 1] * final)
            step = final * amount
            three = lower[2, 2] * step
        elif at_bound[c] or not abs(step) <= 2 * NEAR * abs(amount):
            three = step = 0.0
            amount = two / lower[1, 1]
        theta[0, c] = (one - lower[1, 0] * amount - lower[2, 0] * step) / lower[0, 0]
        theta[1, c] = amount
        for r in range(n_filled):
            t = y[r] - one * q[0, r] - two * q[1, r] - three * q[2, r]
            rest[r] = weight[r] * t * t
            cost += rest[r]
        wrss[c] = cost
        singular[c] = singular[c] or not amount != 0.0
        step = step / amount if amount != 0.0 else 0.0
        place[c] = min(max(here + step, 0.0), top)
        for r in range(n_row if drawn else 0):
            fitted[r, c] = theta[0, c] * fixed[r] + amount * (raw[0, r] + step * raw[1, r])
        if not errors or singular[c]:
            continue

        # covariance from squared residuals, averaged over frames that are near
        for r in range(n_filled):
            used = weight[r] * (q[0, r] * q[0, r] + q[1, r] * q[1, r] + q[2, r] * q[2, r])
            freedom = max(1 - used, LEAST_FREEDOM)
            squares[near + r] = rest[r] / (freedom * freedom)
        for r in range(n_filled):
            total = squares[r]
            for offset in range(1, 2 * near + 1):
                total += squares[r + offset]
            smooth[r] = total
        s00 = s01 = s02 = s11 = s12 = s22 = 0.0
        for r in range(n_filled):
            w, t0, t1, t2 = smooth[r] * share[r] * weight[r], q[0, r], q[1, r], q[2, r]
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
        covariance[0, 0, c], covariance[1, 1, c], covariance[2, 2, c] = c00, c11, c22 / (amount * amount)
        covariance[0, 1, c] = covariance[1, 0, c] = c01
        covariance[0, 2, c] = covariance[2, 0, c] = c02 / amount
        covariance[1, 2, c] = covariance[2, 1, c] = c12 / amount
    return place, theta, fitted, wrss, covariance, at_bound, settled, singular


@inlined
def _expect(
    table: Table,
    place: float,
    counts: Array,
    floor: float,
    weight: Array,
    y: Array,
    work: Array,
    highs: Array,
) -> None:
    """Replace the weights of a curve by those of the counts that are expected at a place."""
    value, slope, fixed = table
    left = min(max(int(place), 0), value.shape[0] - 2)
    s = place - left
    ff = fu = fy = uu = uy = 0.0
    for r in range(weight.size):
        v0, m0, m1 = value[left, r], slope[left, r], slope[left + 1, r]
        rise = value[left + 1, r] - v0
        work[r] = v0 + s * (m0 + s * (3 * rise - 2 * m0 - m1 + s * (m0 + m1 - 2 * rise)))
        f, u = weight[r] * work[r], weight[r] * fixed[r]
        ff += f * work[r]
        fu += f * fixed[r]
        fy += f * y[r]
        uu += u * fixed[r]
        uy += u * y[r]
    by = 1 / uu if uu > 0 else 0.0
    own = ff - fu * fu * by
    amount = (fy - fu * uy * by) / own if own > 0 else 0.0
    one = (uy - amount * fu) * by
    for r in range(LANES):
        highs[r] = 0.0
    for first in range(0, weight.size, LANES):  # rows that fill up are zero
        for r in range(LANES):
            high = one * fixed[first + r] + amount * work[first + r]
            work[first + r] = high
            highs[r] = high if high > highs[r] else highs[r]
    highest = 0.0
    for r in range(LANES):
        highest = highs[r] if highs[r] > highest else highest
    if not 0 < highest < np.inf:
        return
    by = 1 / highest
    for r in range(weight.size):
        weight[r] = counts[r] / max(work[r] * by, floor)


@compiled
def _orthogonal(q: Array, lower: Array, weight: Array, fixed: bool) -> bool:
    """Make rows orthonormal under weights, each twice, in place, with the lower triangle: whether all can be."""
    good = True
    for p in range(0 if fixed else 1, 3):
        norm = np.sqrt(_product(q[p], q[p], weight))
        good = good and norm > 0
        by = 1 / norm if norm > 0 else 0.0
        for r in range(q.shape[1]):
            q[p, r] *= by
        for j in range(p):
            lower[p, j] = 0.0
        for _ in range(2):
            for j in range(p):
                total = _product(q[j], q[p], weight)
                lower[p, j] += total * norm
                for r in range(q.shape[1]):
                    q[p, r] -= total * q[j, r]
        own = np.sqrt(_product(q[p], q[p], weight))
        good = good and own > RANK_TOLERANCE
        lower[p, p] = own * norm if own > 0 and norm > 0 else 1.0
        by = 1 / own if own > 0 else 0.0
        for r in range(q.shape[1]):
            q[p, r] *= by
    return good


@compiled
def _product(one: Array, other: Array, weight: Array) -> float:
    total = 0.0
    for r in range(one.size):
        total += weight[r] * one[r] * other[r]
    return total
