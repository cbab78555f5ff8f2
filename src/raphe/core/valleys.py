"""Where a search for two exponentials and a share of blood begins: the best pairs of a grid, compiled."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.intp]

TINY = 1e-13
"""Determinant of two functions, as a share of what it is for two unlike ones, below which they are alike."""

LANES = 8
"""Rows of pairs are filled up with zeros to a multiple of it, so that what runs along them leaves no remainder."""

_BLOCK = 4

LOOSE = {"reassoc", "contract", "arcp", "nsz"}
"""Sums may be taken in any order, so that they run in parallel lanes; not-a-number and infinity keep their meaning.

What is compiled in one module calls nothing that is compiled in another: numba's cache would not see the other change.
"""

compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath=LOOSE)
inlined = njit(forceinline=True, error_model="numpy", fastmath=LOOSE)
"""Inlined is what is called with arrays once a curve: else their references are counted at each call, atomically."""


@compiled
def valleys(
    basis: Array, first: int, curves: Array, weights: Array, blood: Array, lowest_share: float, highest_share: float
) -> Numbers:
    """Pair of functions, for each curve, that fits best with blood, without negative amplitudes.

    Where the share of blood of the best pair would be beyond its bounds, it is the best with that bound. The best pair
    with the first function is one more, for it lies at an edge of the search.

    Parameters
    ----------
    basis : ndarray, shape (n_grid, n_row)
    first : int
        1 if the first function is part of every pair, else 0.
    curves : ndarray, shape (n_curve, n_row)
    weights : ndarray, shape (n_curve, n_row) or, where they are the same for all curves, (1, n_row)
    blood : ndarray, shape (n_row,)
    lowest_share, highest_share : float
        Bounds of the amplitude of blood; equal where it is known.

    Returns
    -------
    ndarray of int, shape (n_curve, 2, 2)
        Numbers of the functions. Where no pair has two positive amplitudes, the first and the best alone. Those with
        the first function come second; -1 where another function beside the same fits better.
    """
    n_curve, n_grid = len(curves), len(basis)
    n_first, width = 1 if first else n_grid - 1, -(-n_grid // LANES) * LANES
    products, turned = _products(basis, n_first, blood), np.zeros((-(-blood.size // _BLOCK) * _BLOCK, width))
    turned[: blood.size, :n_grid] = basis.T
    sums, moment, facts = (
        np.empty(products.shape[1]),
        np.empty(width),
        np.array([0.0, 0.0, lowest_share, highest_share]),
    )
    inverse, single, gain = np.zeros((6, n_first, width)), np.zeros((6, width)), np.zeros((max(n_first, 2), width))
    w, wy = np.zeros(len(products)), np.zeros(len(products))
    found = np.full((n_curve, 2, 2), -1)
    for c in range(n_curve):
        if c < len(weights):
            facts[0] = 0.0
            for r in range(blood.size):
                w[r] = weights[c, r]
                facts[0] += w[r] * blood[r] * blood[r]
            _weighted(products, w, sums)
            _inverted(sums, n_grid, n_first, facts[0] if lowest_share < highest_share else 0.0, single, inverse)
        facts[1] = 0.0
        for r in range(blood.size):
            wy[r] = w[r] * curves[c, r]
            facts[1] += wy[r] * blood[r]
        _weighted(turned, wy, moment)
        _best(moment, inverse, n_grid, n_first, facts, single, gain, found, c)
    return found


@compiled
def _products(basis: Array, n_first: int, blood: Array) -> Array:
    """What is summed over the rows: each function times blood, its square, and the products of the pairs."""
    n_grid, n_row = basis.shape
    n_pair = n_first * (2 * n_grid - n_first - 1) // 2
    products = np.zeros((-(-n_row // _BLOCK) * _BLOCK, 2 * n_grid + n_pair))
    for r in range(n_row):
        at = 2 * n_grid
        for i in range(n_grid):
            products[r, i] = basis[i, r] * blood[r]
            products[r, n_grid + i] = basis[i, r] * basis[i, r]
        for i in range(n_first):
            for j in range(i + 1, n_grid):
                products[r, at] = basis[i, r] * basis[j, r]
                at += 1
    return products


@inlined
def _weighted(products: Array, factor: Array, sums: Array) -> None:
    """Sums over the rows of products times a factor."""
    sums[:] = 0
    for r in range(0, len(products), _BLOCK):
        a0, a1, a2, a3 = factor[r], factor[r + 1], factor[r + 2], factor[r + 3]
        for k in range(sums.size):
            sums[k] += a0 * products[r, k] + a1 * products[r + 1, k] + a2 * products[r + 2, k] + a3 * products[r + 3, k]


@compiled
def _inverted(sums: Array, n: int, n_first: int, gbb: float, single: Array, inverse: Array) -> None:
    """Inverses of the matrices of each pair, with blood taken out of them (gbb 0: its share is known) and as they are.

    Zero where the two are alike. ``single`` gets blood in each function, and the share of blood in it, and one over its
    square with blood taken out and as it is.
    """
    with_blood, own = sums[:n], sums[n : 2 * n]
    by_blood = 1 / gbb if gbb > 0 else 0.0
    for g in range(n):
        single[2, g], single[3, g] = with_blood[g], with_blood[g] * by_blood
        left = own[g] - with_blood[g] * single[3, g]
        single[4, g] = 1 / left if left > TINY * own[g] else 0.0
        single[5, g] = 1 / own[g] if own[g] > 0 else 0.0
    at = 2 * n
    for i in range(n_first):
        for j in range(i + 1, n):
            tiny, share, cross = TINY * own[i] * own[j], single[3, i], sums[at]
            f11, f12 = own[i] - with_blood[i] * share, cross - with_blood[j] * share
            f22 = own[j] - with_blood[j] * single[3, j]
            determinant = f11 * f22 - f12 * f12
            by = 1 / determinant if determinant > tiny else 0.0
            inverse[0, i, j], inverse[1, i, j], inverse[2, i, j] = f22 * by, -f12 * by, f11 * by
            determinant = own[i] * own[j] - cross * cross
            by = 1 / determinant if determinant > tiny else 0.0
            inverse[3, i, j], inverse[4, i, j], inverse[5, i, j] = own[j] * by, -cross * by, own[i] * by
            at += 1


@inlined
def _best(
    moment: Array, inverse: Array, n: int, n_first: int, facts: Array, single: Array, gain: Array, found: Numbers,
    c: int,
) -> None:  # fmt: skip
    """Best pairs of curve ``c``; ``facts`` are the square of blood, its sum with the curve, and the share's bounds."""
    gbb, mb, low, high = facts[0], facts[1], facts[2], facts[3]
    free = low < high and gbb > 0
    i, j, share = 0, 0, low
    if free:
        for g in range(n):
            single[0, g] = moment[g] - single[3, g] * mb
        i, j = _gains(inverse, 0, n, n_first, single, gain)
        a = inverse[0, i, j] * single[0, i] + inverse[1, i, j] * single[0, j]
        b = inverse[1, i, j] * single[0, i] + inverse[2, i, j] * single[0, j]
        share = mb / gbb - a * single[3, i] - b * single[3, j]
    if not (free and low <= share <= high):
        share = min(max(share, low), high)
        for g in range(n):
            single[0, g] = moment[g] - share * single[2, g]
        i, j = _gains(inverse, 3, n, n_first, single, gain)
    if gain[i, j] > 0:
        found[c, 0, 0], found[c, 0, 1] = i, j
        edge = 1
        for g in range(2, n):
            if gain[0, g] > gain[0, edge]:
                edge = g
        if i > 1 and gain[0, edge] > gain[1, edge]:
            found[c, 1, 0], found[c, 1, 1] = 0, edge
        return
    best, most, kind = 1, 0.0, 4 if free and low <= share <= high else 5
    for g in range(1, n):
        taken = single[0, g] * single[0, g] * single[kind, g] if single[0, g] > 0 else 0.0
        if taken > most:
            best, most = g, taken
    found[c, 0, 0], found[c, 0, 1] = 0, best


@inlined
def _gains(inverse: Array, kind: int, n: int, n_first: int, single: Array, gain: Array) -> tuple[int, int]:
    """What pairs take from the cost, 0 where not both amplitudes are positive; the one that takes the most."""
    for i in range(n_first):
        m_i = single[0, i]
        for j in range(single.shape[1]):
            a = inverse[kind, i, j] * m_i + inverse[kind + 1, i, j] * single[0, j]
            b = inverse[kind + 1, i, j] * m_i + inverse[kind + 2, i, j] * single[0, j]
            taken = a * m_i + b * single[0, j]
            taken = taken if a > 0 else 0.0
            gain[i, j] = taken if b > 0 else 0.0
    for j in range(single.shape[1]):
        single[1, j] = 0.0
    for i in range(n_first):
        for j in range(single.shape[1]):
            single[1, j] = gain[i, j] if gain[i, j] > single[1, j] else single[1, j]
    top, row = 0, 0
    for j in range(1, n):
        if single[1, j] > single[1, top]:
            top = j
    for i in range(n_first):
        if gain[i, top] == single[1, top]:
            row = i
    return row, top
