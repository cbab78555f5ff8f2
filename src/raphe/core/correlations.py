"""Partial correlations of every voxel under every shuffle, in tiles of voxels: compiled.

A shuffle is ``1 + n_other`` rows of weights; a voxel is a column of numbers of length 1. What a voxel gives does not
depend on which others stand in its tile, nor on which thread takes it: sums run over the numbers in one order.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.floating]
Places = npt.NDArray[np.int32]

LANES = 256
"""Voxels of a tile, which stay in the fastest memory with 32 numbers each."""

STEP = 8
"""Numbers whose products are added at once; a column is padded to a multiple of it."""

FOUR = 4
"""Rows of weights that are taken at once."""

compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "arcp", "nsz", "nnan"})


@compiled
def largest(rows: Floats, other: int, tiles: Floats, bar: Floats, least: float, most: Floats, count: Places) -> None:
    """Largest absolute correlation of each shuffle, and how often each voxel reaches its own bar.

    Parameters
    ----------
    rows : ndarray, shape (n_shuffle * (1 + other), k)
        ``n_shuffle`` a multiple of :data:`FOUR`.
    other : int
    tiles : ndarray, shape (n_tile, k, LANES)
    bar : ndarray, shape (n_tile, LANES)
    least : float
        Lowest share of a voxel's sum of squares that the nuisance leaves.
    most : ndarray, shape (n_shuffle,)
        Raised to the largest of these tiles.
    count : ndarray of int, shape (n_tile, LANES)
        Raised.
    """
    per = 1 + other
    found, left = np.empty((FOUR * per, LANES), rows.dtype), np.ones((FOUR, LANES), rows.dtype)
    for i in range(tiles.shape[0]):
        for s in range(most.size // FOUR):
            correlate(rows[s * FOUR * per : (s + 1) * FOUR * per], other, tiles[i], least, found, left)
            tally(found[0], found[per], found[2 * per], found[3 * per], bar[i], count[i], most[s * FOUR :])


@compiled
def maps(rows: Floats, other: int, tiles: Floats, least: float, r: Floats, share: Floats) -> None:
    """Correlations of all voxels under four shuffles, and the share of the sum of squares that the nuisance leaves.

    Written to ``r`` and ``share``, shape (FOUR, n_tile, LANES).
    """
    per = 1 + other
    found, left = np.empty((FOUR * per, LANES), rows.dtype), np.ones((FOUR, LANES), rows.dtype)
    for i in range(tiles.shape[0]):
        correlate(rows, other, tiles[i], least, found, left)
        for j in range(FOUR):
            for v in range(LANES):
                r[j, i, v], share[j, i, v] = found[j * per, v], left[j, v]


@compiled
def correlate(rows: Floats, other: int, tile: Floats, least: float, found: Floats, left: Floats) -> None:
    """Correlations under four shuffles, in each (1 + other)-th row of ``found``."""
    for r in range(0, rows.shape[0], FOUR):
        products(
            rows[r], rows[r + 1], rows[r + 2], rows[r + 3], tile, found[r], found[r + 1], found[r + 2], found[r + 3]
        )
    if other == 0:
        return
    for j in range(FOUR):
        own, share = found[j * (1 + other)], left[j]
        for v in range(LANES):
            share[v] = 1
        for k in range(1, 1 + other):
            part = found[j * (1 + other) + k]
            for v in range(LANES):
                share[v] -= part[v] * part[v]
        for v in range(LANES):
            share[v] = share[v] if share[v] > least else least
            own[v] /= np.sqrt(share[v])


# fmt: off
@njit(cache=True, nogil=True, error_model="numpy", inline="never",
      fastmath={"reassoc", "contract", "arcp", "nsz", "nnan"})
def products(
    a: Floats, b: Floats, c: Floats, d: Floats, tile: Floats, to_a: Floats, to_b: Floats, to_c: Floats, to_d: Floats
) -> None:
    """Products of four rows with each column of a tile, eight numbers at once so that all stay in registers."""
    for v in range(LANES):
        to_a[v] = to_b[v] = to_c[v] = to_d[v] = 0
    for k in range(0, a.size, STEP):
        a0, a1, a2, a3, a4, a5, a6, a7 = a[k], a[k+1], a[k+2], a[k+3], a[k+4], a[k+5], a[k+6], a[k+7]
        b0, b1, b2, b3, b4, b5, b6, b7 = b[k], b[k+1], b[k+2], b[k+3], b[k+4], b[k+5], b[k+6], b[k+7]
        c0, c1, c2, c3, c4, c5, c6, c7 = c[k], c[k+1], c[k+2], c[k+3], c[k+4], c[k+5], c[k+6], c[k+7]
        d0, d1, d2, d3, d4, d5, d6, d7 = d[k], d[k+1], d[k+2], d[k+3], d[k+4], d[k+5], d[k+6], d[k+7]
        x0, x1, x2, x3 = tile[k], tile[k+1], tile[k+2], tile[k+3]
        x4, x5, x6, x7 = tile[k+4], tile[k+5], tile[k+6], tile[k+7]
        for v in range(LANES):
            to_a[v] += (a0*x0[v] + a1*x1[v] + a2*x2[v] + a3*x3[v] + a4*x4[v] + a5*x5[v] + a6*x6[v] + a7*x7[v])
            to_b[v] += (b0*x0[v] + b1*x1[v] + b2*x2[v] + b3*x3[v] + b4*x4[v] + b5*x5[v] + b6*x6[v] + b7*x7[v])
            to_c[v] += (c0*x0[v] + c1*x1[v] + c2*x2[v] + c3*x3[v] + c4*x4[v] + c5*x5[v] + c6*x6[v] + c7*x7[v])
            to_d[v] += (d0*x0[v] + d1*x1[v] + d2*x2[v] + d3*x3[v] + d4*x4[v] + d5*x5[v] + d6*x6[v] + d7*x7[v])


@njit(cache=True, nogil=True, error_model="numpy", inline="never",
      fastmath={"reassoc", "contract", "arcp", "nsz", "nnan"})
def tally(a: Floats, b: Floats, c: Floats, d: Floats, bar: Floats, count: Places, most: Floats) -> None:
    """Raise the four maxima and the counts of a tile."""
    top_a, top_b, top_c, top_d = most[0], most[1], most[2], most[3]
    for v in range(LANES):
        one, two, three, four = abs(a[v]), abs(b[v]), abs(c[v]), abs(d[v])
        top_a = one if one > top_a else top_a
        top_b = two if two > top_b else top_b
        top_c = three if three > top_c else top_c
        top_d = four if four > top_d else top_d
    for v in range(LANES):
        h = bar[v]
        count[v] += (np.int32(abs(a[v]) >= h) + np.int32(abs(b[v]) >= h) + np.int32(abs(c[v]) >= h)
                     + np.int32(abs(d[v]) >= h))
    most[0], most[1], most[2], most[3] = top_a, top_b, top_c, top_d
# fmt: on
