"""Where a search for two exponentials and a share of blood begins: the best pairs of a grid, compiled."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.intp]

TINY = 1e-13
"""Determinant of two functions, as a share of what it is for two unlike ones, below which they are alike."""

_BLOCK = 4

compiled = njit(cache=True, error_model="numpy", fastmath={"reassoc", "contract", "arcp", "nsz"})
"""Sums may be taken in any order, so that they run in parallel lanes; not-a-number and infinity keep their meaning.

What is compiled in one module calls nothing that is compiled in another: numba's cache would not see the other change.
"""


@compiled
def valleys(
    basis: Array,
    first: int,
    curves: Array,
    weights: Array,
    blood: Array,
    lowest_share: float,
    highest_share: float,
    bands: Numbers,
) -> Numbers:
    """Pair of functions, of each band and for each curve, that fits best with blood, without negative amplitudes.

    The best pair with the first function is one more, for it lies at an edge of the search. Of the pairs of which one
    has no amplitude, only the best counts: they are a plain without valleys.

    Parameters
    ----------
    basis : ndarray, shape (n_grid, n_row)
    first : int
        1 if the first function is part of every pair, else 0.
    curves, weights : ndarray, shape (n_curve, n_row)
    blood : ndarray, shape (n_row,)
    lowest_share, highest_share : float
        Bounds of the amplitude of blood; equal where it is known.
    bands : ndarray of int, shape (n_band + 1,)
        Numbers that part the second functions of the pairs.

    Returns
    -------
    ndarray of int, shape (n_curve, n_band + 1, 2)
        Numbers of the functions, those with the first function last; -1 where no pair has two positive amplitudes,
        or the last is that of a band.
    """
    n_curve, n_grid = len(curves), len(basis)
    n_first = 1 if first else n_grid - 1
    products = _products(basis, n_first, blood)
    sums, single, gain = np.empty(products.shape[1]), np.empty((5, n_grid)), np.empty(bands.size)
    w, wy = np.zeros(len(products)), np.zeros(len(products))
    found = np.full((n_curve, bands.size, 2), -1)
    for c in range(n_curve):
        gbb = mb = 0.0
        for r in range(blood.size):
            w[r], wy[r] = weights[c, r], weights[c, r] * curves[c, r]
            gbb += w[r] * blood[r] * blood[r]
            mb += wy[r] * blood[r]
        _weighted(products, n_grid, w, wy, sums)
        _best(sums, n_grid, n_first, bands, gbb, mb, lowest_share, highest_share, single, gain, found[c])
    return found


@compiled
def _products(basis: Array, n_first: int, blood: Array) -> Array:
    """What is summed over the rows: each function, it times blood, its square, and the products of the pairs."""
    n_grid, n_row = basis.shape
    n_pair = n_first * (2 * n_grid - n_first - 1) // 2
    products = np.zeros((-(-n_row // _BLOCK) * _BLOCK, 3 * n_grid + n_pair))
    for r in range(n_row):
        at = 3 * n_grid
        for i in range(n_grid):
            products[r, i] = basis[i, r]
            products[r, n_grid + i] = basis[i, r] * blood[r]
            products[r, 2 * n_grid + i] = basis[i, r] * basis[i, r]
        for i in range(n_first):
            for j in range(i + 1, n_grid):
                products[r, at] = basis[i, r] * basis[j, r]
                at += 1
    return products


@compiled
def _weighted(products: Array, n_grid: int, w: Array, wy: Array, sums: Array) -> None:
    """Sums over the rows: of the functions with the weighted curve, of all others with the weights."""
    sums[:] = 0
    for r in range(0, len(products), _BLOCK):
        p0, p1, p2, p3 = products[r], products[r + 1], products[r + 2], products[r + 3]
        a0, a1, a2, a3 = wy[r], wy[r + 1], wy[r + 2], wy[r + 3]
        for k in range(n_grid):
            sums[k] += a0 * p0[k] + a1 * p1[k] + a2 * p2[k] + a3 * p3[k]
        a0, a1, a2, a3 = w[r], w[r + 1], w[r + 2], w[r + 3]
        for k in range(n_grid, sums.size):
            sums[k] += a0 * p0[k] + a1 * p1[k] + a2 * p2[k] + a3 * p3[k]


@compiled
def _best(
    sums: Array, n: int, n_first: int, bands: Numbers, gbb: float, mb: float, low: float, high: float,
    single: Array, gain: Array, found: Numbers,
) -> None:  # fmt: skip
    """Best pair of each band, from the sums of one curve; ``single`` and ``gain`` are room to work in."""
    moment, with_blood, own = sums[:n], sums[n : 2 * n], sums[2 * n : 3 * n]
    free = low < high and gbb > 0
    by_blood = 1 / gbb if free else 0.0
    top = 0
    for g in range(n):
        single[0, g] = _alone(own[g], with_blood[g], gbb, moment[g], mb, low, high)
        single[1, g] = own[g] - with_blood[g] * with_blood[g] * by_blood
        single[2, g] = moment[g] - with_blood[g] * mb * by_blood
        a = single[2, g] / single[1, g] if single[2, g] > 0 and single[1, g] > TINY * own[g] else 0.0
        single[3, g], share = a * single[2, g], (mb - a * with_blood[g]) * by_blood
        single[4, g] = 1.0 if low <= share <= high else 0.0
        if single[0, g] > single[0, top]:
            top = g
    gain[:] = -np.inf
    at = 3 * n
    for i in range(n_first):
        band = 0
        if i == 1:
            _begun_anew(bands, gain, found)
        for j in range(i + 1, n):
            cross = sums[at]
            at += 1
            while j >= bands[band + 1]:
                band += 1
            least = max(single[0, i], single[0, j], gain[band])
            tiny = TINY * own[i] * own[j]
            if free:
                taken, a, b = _both(
                    single[1, i], cross - with_blood[i] * with_blood[j] * by_blood, single[1, j],
                    single[2, i], single[2, j], tiny,
                )  # fmt: skip
                share = (mb - a * with_blood[i] - b * with_blood[j]) * by_blood
                taken += mb * mb * by_blood
                if a > 0 and low <= share <= high and taken > least:
                    gain[band], found[band, 0], found[band, 1] = taken, i, j
                # Too little, or the best of the pair, whichever of its amplitudes are 0, is within the bounds of blood.
                better = i if single[3, i] > single[3, j] else j
                if (taken <= least or low <= share <= high) if a > 0 else single[4, better] > 0:
                    continue
            for side in range(2 if low < high else 1):
                share = high if side else low
                taken, a, _ = _both(
                    own[i], cross, own[j], moment[i] - share * with_blood[i], moment[j] - share * with_blood[j], tiny
                )
                taken += share * (2 * mb - share * gbb)
                if a > 0 and taken > least:
                    gain[band], found[band, 0], found[band, 1] = taken, i, j
                    least = taken
    band = 0
    while max(top, 1) >= bands[band + 1]:
        band += 1
    if single[0, top] > gain[band]:
        found[band, 0], found[band, 1] = 0, max(top, 1)
    last = bands.size - 1
    for band in range(last):
        if found[band, 0] == found[last, 0] and found[band, 1] == found[last, 1]:
            found[last, 0] = -1


@compiled
def _begun_anew(bands: Numbers, gain: Array, found: Numbers) -> None:
    """Note the best pair with the first function."""
    last = bands.size - 1
    for band in range(last):
        if gain[band] > gain[last]:
            gain[last], found[last, 0], found[last, 1] = gain[band], found[band, 0], found[band, 1]


@compiled
def _both(f11: float, f12: float, f22: float, m1: float, m2: float, tiny: float) -> tuple[float, float, float]:
    """What two functions take from the cost, and their amplitudes; 0 all where not both are positive."""
    determinant = f11 * f22 - f12 * f12
    a, b = m1 * f22 - m2 * f12, m2 * f11 - m1 * f12
    if determinant > tiny and a > 0 and b > 0:
        by = 1 / determinant
        a, b = a * by, b * by
        return a * m1 + b * m2, a, b
    return 0.0, 0.0, 0.0


@compiled
def _alone(own: float, with_blood: float, gbb: float, moment: float, mb: float, low: float, high: float) -> float:
    """What one function takes from the cost, with an amplitude that is not negative and blood within its bounds."""
    if low < high and gbb > 0:
        left = own - with_blood * with_blood / gbb
        rest = moment - with_blood * mb / gbb
        a = rest / left if rest > 0 and left > TINY * own else 0.0
        share = (mb - a * with_blood) / gbb
        if low <= share <= high:
            return a * rest + mb * mb / gbb
    most = -np.inf
    for side in range(2):
        share = high if side else low
        rest = moment - share * with_blood
        taken = rest * rest / own if rest > 0 and own > 0 else 0.0
        most = max(most, taken + share * (2 * mb - share * gbb))
    return most
