"""One rate constant beside linear parameters, where all curves have the same weights: compiled.

Under one set of weights, what a function with the rate at place p of a table has to itself is a unit vector h(p) in the
few dimensions that all of them span, and the cost is lowest where the product of h(p) and the curve is highest
(:func:`summits`; variable projection, Golub & Pereyra 1973, SIAM J Numer Anal 10:413). All else at that place,
:func:`parameters_at`, is a matter of the table alone: no curve needs a search in all frames.

Curves come frame by frame, (n_row, n_curve), as an image has them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from raphe.core.linear import LEAST_FREEDOM, NEIGHBOURS

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Singles = npt.NDArray[np.float32]

TILE = 128
"""Curves whose grids are looked through at once, to stay in the fastest memory."""

RIVAL = 1.5
"""Cost of a second valley, in that of the lowest, up to which the lowest may be another under other weights."""

compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "arcp", "nsz"})
inlined = njit(forceinline=True, error_model="numpy", fastmath={"reassoc", "contract", "arcp", "nsz"})


@compiled
def summits(
    unit: Array, slope: Array, height: Singles, per_grid: int, curves: Array, total: Array
) -> tuple[Array, Array, Flags]:
    """Places where the products of a unit vector and each curve are highest, whatever their sign.

    Parameters
    ----------
    unit, slope : ndarray, shape (n_node, n_rank)
        Unit vectors at the nodes of the table, and their derivatives by the place.
    height : ndarray of float32, shape (n_grid, n_curve)
        Products of every ``per_grid``-th unit vector with each curve.
    curves : ndarray, shape (n_rank, n_curve)
    total : ndarray, shape (n_curve,), or (0,)
        Cost of each curve without the function of the rate; only doubts need it.

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
    place, product, unsure = np.empty(n_curve), np.empty(n_curve), np.zeros(n_curve, np.bool_)
    best, most = np.empty(TILE, np.int32), np.empty(TILE, np.float32)
    doubt, bar = np.empty(TILE, np.int32), np.empty(TILE, np.float32)
    curve = np.empty(n_rank)
    for first in range(0, n_curve, TILE):
        n = min(TILE, n_curve - first)
        for v in range(n):
            most[v], best[v] = -1.0, 0
        for g in range(n_grid):
            row, number = height[g, first : first + n], np.int32(g)
            for v in range(n):
                here = row[v] * row[v]
                higher = here > most[v]
                most[v] = here if higher else most[v]
                best[v] = number if higher else best[v]
        if total.size:
            for v in range(n):
                bar[v], doubt[v] = total[first + v] - RIVAL * (total[first + v] - most[v]), 0
            for g in range(n_grid):
                row, number = height[g, first : first + n], np.int32(g)
                before, after = (
                    height[max(g - 1, 0), first : first + n],
                    height[min(g + 1, n_grid - 1), first : first + n],
                )
                for v in range(n):
                    here = row[v] * row[v]
                    rival = (here >= before[v] * before[v]) & (here >= after[v] * after[v]) & (here >= bar[v])
                    doubt[v] |= np.int32(rival & (abs(number - best[v]) > 1))
            for v in range(n):
                unsure[first + v] = doubt[v] > 0
        for v in range(n):
            c, g = first + v, int(best[v])
            for r in range(n_rank):
                curve[r] = curves[r, c]
            sign = 1.0 if height[g, c] > 0 else -1.0
            at = per_grid * (g + _top(height[:, c], g, sign))
            low, high = max(g - 1, 0) * per_grid, min((g + 1) * per_grid, last)
            left = min(max(int(at), low), high - 1)
            for _ in range(2 * per_grid):
                h0 = h1 = m0 = m1 = 0.0
                for r in range(n_rank):
                    h0 += unit[left, r] * curve[r]
                    h1 += unit[left + 1, r] * curve[r]
                    m0 += slope[left, r] * curve[r]
                    m1 += slope[left + 1, r] * curve[r]
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
def squares(curves: Array, weights: Array) -> Array:
    """Weighted sum of squares of each curve, shape (n_curve,).

    Parameters
    ----------
    curves : ndarray, shape (n_row, n_curve)
    weights : ndarray, shape (n_row,)
    """
    n_row, n_curve = curves.shape
    out = np.zeros(n_curve)
    for first in range(0, n_curve, TILE):
        part = out[first : first + TILE]
        for r in range(n_row):
            row, weight = curves[r, first : first + TILE], weights[r]
            for v in range(part.size):
                part[v] += weight * row[v] * row[v]
    return out


@inlined
def _top(height: Singles, g: int, sign: float) -> float:
    """About where the summit lies beside the highest point of a grid, in steps of it: where to begin, no more.

    By the polynomial through three points, or five where there are as many, which nearly always tells the two nodes of
    the table right between which the summit lies.
    """
    if g == 0 or g == height.size - 1:
        return 0.0
    lower, here, upper = sign * height[g - 1], sign * height[g], sign * height[g + 1]
    slope, bend, third = 0.5 * (upper - lower), 2 * here - lower - upper, 0.0
    if 1 < g < height.size - 2:
        lowest, uppermost = sign * height[g - 2], sign * height[g + 2]
        third = 0.5 * (uppermost - lowest) - (upper - lower)
        slope -= third / 6
        bend += (lowest + uppermost - 4 * (lower + upper) + 6 * here) / 12
    if not bend > 0:
        return 0.0
    bend -= 0.5 * third * slope / bend
    return min(max(slope / bend, -0.99), 0.99) if bend > 0 else 0.0


@compiled
def parameters_at(
    place: Array,
    product: Array,
    of_fixed: Array,
    scalars: Array,
    unit: Singles,
    slope: Singles,
    fixed: Singles,
    fixed_length: float,
    curves: Array,
    root: Array,
    errors: bool,
) -> tuple[Array, Array]:
    """Linear parameters at the places of :func:`summits`, and their covariance.

    Parameters
    ----------
    place, product : ndarray, shape (n_curve,)
    of_fixed : ndarray, shape (n_curve,)
        Products of the curves with the unit vector of the function that does not depend on the rate.
    scalars : ndarray, shape (3, 2, n_node)
        Of what the function has to itself: its length, its product with that unit vector, and the length of the
        derivative of h, each with its derivative by the place.
    unit, slope : ndarray of float32, shape (n_node, n_filled_row)
        h and its derivative in the frames, roots of the weights included. Residuals and leverages are computed in 32
        bits, which is within a millionth of a standard error.
    fixed : ndarray of float32, shape (n_filled_row,)
        That unit vector likewise; zeros where there is none.
    fixed_length : float
        Its length before; 0 where there is none.
    curves : ndarray, shape (n_row, n_curve)
    root : ndarray, shape (n_row,)
        Roots of the weights.
    errors : bool
        As for :func:`raphe.core.one_rate.solved`.

    Returns
    -------
    theta : ndarray, shape (2, n_curve)
        Before the function that does not depend on the rate, 0 where there is none, and before that which does.
    covariance : ndarray, shape (3, 3, n_curve), or (3, 3, 0)
        Of theta and the place; NaN where it is singular.
    """
    n_row, n_curve = curves.shape
    n_filled, near = fixed.size, NEIGHBOURS
    theta, covariance = np.zeros((2, n_curve)), np.empty((3, 3, n_curve if errors else 0))
    by_fixed = 1 / fixed_length if fixed_length > 0 else 0.0
    curve, own, turn = np.zeros(n_filled, np.float32), np.empty(n_filled, np.float32), np.empty(n_filled, np.float32)
    smooth, squares = np.empty(n_filled, np.float32), np.zeros(n_filled + 2 * near, np.float32)
    share = np.zeros(n_filled, np.float32)
    whole, least, twice, thrice = np.float32(1), np.float32(LEAST_FREEDOM), np.float32(2), np.float32(3)
    for r in range(n_row):
        share[r] = 1 / (min(r + near + 1, n_row) - max(r - near, 0))
    for c in range(n_curve):
        left = min(int(place[c]), unit.shape[0] - 2)
        s = place[c] - left
        v0, m0, m1 = scalars[0, 0, left], scalars[0, 1, left], scalars[0, 1, left + 1]
        rise = scalars[0, 0, left + 1] - v0
        a, b = 3 * rise - 2 * m0 - m1, m0 + m1 - 2 * rise
        length, stretch = v0 + s * (m0 + s * (a + s * b)), m0 + s * (2 * a + 3 * s * b)
        v0, m0, m1 = scalars[1, 0, left], scalars[1, 1, left], scalars[1, 1, left + 1]
        rise = scalars[1, 0, left + 1] - v0
        a, b = 3 * rise - 2 * m0 - m1, m0 + m1 - 2 * rise
        cross, lean = v0 + s * (m0 + s * (a + s * b)), m0 + s * (2 * a + 3 * s * b)
        one, two = of_fixed[c], product[c]
        amount = two / length
        theta[0, c], theta[1, c] = (one - amount * cross) * by_fixed, amount
        if not errors:
            continue
        v0, m0, m1 = scalars[2, 0, left], scalars[2, 1, left], scalars[2, 1, left + 1]
        rise = scalars[2, 0, left + 1] - v0
        a, b = 3 * rise - 2 * m0 - m1, m0 + m1 - 2 * rise
        pace = v0 + s * (m0 + s * (a + s * b))
        by_pace = 1 / pace
        at, first_part, second_part, pacing = np.float32(s), np.float32(one), np.float32(two), np.float32(by_pace)
        for r in range(n_row):
            curve[r] = curves[r, c] * root[r]
        for r in range(n_filled):
            h0, g0, g1 = unit[left, r], slope[left, r], slope[left + 1, r]
            climb = unit[left + 1, r] - h0
            c2, c3 = thrice * climb - twice * g0 - g1, g0 + g1 - twice * climb
            t1, t2 = h0 + at * (g0 + at * (c2 + at * c3)), pacing * (g0 + at * (twice * c2 + thrice * at * c3))
            own[r], turn[r] = t1, t2
            t = curve[r] - first_part * fixed[r] - second_part * t1
            freedom = max(whole - fixed[r] * fixed[r] - t1 * t1 - t2 * t2, least)
            squares[near + r] = t * t / (freedom * freedom)
        for r in range(n_filled):
            total = squares[r]
            for offset in range(1, 2 * near + 1):
                total += squares[r + offset]
            smooth[r] = total
        s00 = s01 = s02 = s11 = s12 = s22 = np.float32(0)
        for r in range(n_filled):
            w, t0, t1, t2 = smooth[r] * share[r], fixed[r], own[r], turn[r]
            s00 += w * t0 * t0
            s01 += w * t0 * t1
            s02 += w * t0 * t2
            s11 += w * t1 * t1
            s12 += w * t1 * t2
            s22 += w * t2 * t2
        a0 = by_fixed if fixed_length > 0 else 1.0
        a1, a2 = 1 / length, by_pace / length
        a12 = -stretch * a1 * a2
        a01 = -cross * a0 * a1
        a02 = -(cross * a12 + lean * a2) * a0
        by = 1 / amount
        covariance[0, 0, c] = (
            a0 * a0 * s00 + a01 * a01 * s11 + a02 * a02 * s22
            + 2 * (a0 * a01 * s01 + a0 * a02 * s02 + a01 * a02 * s12)
        )  # fmt: skip
        c01 = a1 * (a0 * s01 + a01 * s11 + a02 * s12) + a12 * (a0 * s02 + a01 * s12 + a02 * s22)
        c02 = a2 * (a0 * s02 + a01 * s12 + a02 * s22) * by
        c12 = a2 * (a1 * s12 + a12 * s22) * by
        covariance[0, 1, c] = covariance[1, 0, c] = c01
        covariance[1, 1, c] = a1 * a1 * s11 + 2 * a1 * a12 * s12 + a12 * a12 * s22
        covariance[0, 2, c] = covariance[2, 0, c] = c02
        covariance[1, 2, c] = covariance[2, 1, c] = c12
        covariance[2, 2, c] = a2 * a2 * s22 * by * by
    return theta, covariance
