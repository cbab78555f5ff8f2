"""Correlations of every voxel under shuffles whose weights take two values, by sums that are made once: compiled.

Sign flips of a mean, and exchanges between two groups, weigh each scan by one of two numbers. For a few scans at once
there are but few such sums: those of :data:`BITS` scans are listed for every choice, and a shuffle adds one number from
each list (the four Russians' way: Arlazarov et al. 1970, Soviet Math Dokl 11:1209). What a voxel gives does not depend
on its tile or thread.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from raphe.core.correlations import FOUR, LANES, compiled, products, tally

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.floating]
Places = npt.NDArray[np.int32]

BITS = 5
"""Scans whose sums are listed together."""


def codes(high: Flags) -> Places:
    """Which sum of each list a shuffle takes.

    Parameters
    ----------
    high : ndarray of bool, shape (n_shuffle, n_scan)
        Whether the weight of a scan is the higher of the two.

    Returns
    -------
    ndarray of int, shape (n_shuffle, n_list)
    """
    m, n = high.shape
    bits = np.zeros((m, -(-n // BITS) * BITS), dtype=np.int32)
    bits[:, :n] = high
    return np.asarray((bits.reshape(m, -1, BITS) << np.arange(BITS, dtype=np.int32)).sum(axis=2), dtype=np.int32)


@compiled
def largest_of_two(
    code: Places, basis: Floats, low: float, high: float, tiles: Floats, bar: Floats, most: Floats, count: Places
) -> None:
    """Largest absolute correlation of each shuffle, and how often each voxel reaches its own bar.

    As :func:`raphe.core.correlations.largest`, without other rows.

    Parameters
    ----------
    code : ndarray of int, shape (n_shuffle, n_list)
        From :func:`codes`; ``n_shuffle`` a multiple of :data:`FOUR`.
    basis : ndarray, shape (n_list * BITS, k)
        Takes the numbers of a voxel back to scans; 0 for scans that fill up a list.
    low, high : float
        The two weights.
    tiles, bar, most, count
        As there.
    """
    lists = code.shape[1]
    scans = np.zeros((-(-basis.shape[0] // FOUR) * FOUR, LANES), tiles.dtype)
    sums = np.empty((lists, 1 << BITS, LANES), tiles.dtype)
    found = np.empty((FOUR, LANES), tiles.dtype)
    for i in range(tiles.shape[0]):
        for r in range(0, basis.shape[0], FOUR):
            last = basis.shape[0] - 1
            b, c, d = min(r + 1, last), min(r + 2, last), min(r + 3, last)
            products(
                basis[r], basis[b], basis[c], basis[d], tiles[i], scans[r], scans[r + 1], scans[r + 2], scans[r + 3]
            )
        _list(scans, low, high, sums)
        for s in range(0, code.shape[0], FOUR):
            for j in range(FOUR):
                _add(sums, code[s + j], found[j])
            tally(found[0], found[1], found[2], found[3], bar[i], count[i], most[s:])


@compiled
def _list(scans: Floats, low: float, high: float, sums: Floats) -> None:
    """Weighted sums of the scans of each list, for every choice of the weights."""
    for g in range(sums.shape[0]):
        for v in range(LANES):
            total = 0.0
            for k in range(BITS):
                total += scans[g * BITS + k, v]
            sums[g, 0, v] = low * total
        for k in range(BITS):
            for choice in range(1 << k):
                for v in range(LANES):
                    sums[g, choice + (1 << k), v] = sums[g, choice, v] + (high - low) * scans[g * BITS + k, v]


@compiled
def _add(sums: Floats, code: Places, found: Floats) -> None:
    """Sum of one number from each list."""
    for g in range(0, code.size - 1, 2):
        one, other = sums[g, code[g]], sums[g + 1, code[g + 1]]
        if g == 0:
            for v in range(LANES):
                found[v] = one[v] + other[v]
        else:
            for v in range(LANES):
                found[v] += one[v] + other[v]
    if code.size % 2:
        one = sums[code.size - 1, code[code.size - 1]]
        if code.size == 1:
            for v in range(LANES):
                found[v] = one[v]
        else:
            for v in range(LANES):
                found[v] += one[v]
