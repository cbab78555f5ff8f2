"""Maps of t values of a linear model under many shuffles, and what chance makes of the largest of them.

Never more than four maps are held at once. The p value of a voxel is the share of shuffles, the observed one among
them, that give a value at least as large: b / m. Where all distinct shuffles are listed it is exact; where some were
drawn at random it is the (b + 1) / (m + 1) of Phipson & Smyth 2010 (Stat Appl Genet Mol Biol 9:39), whose m does not
count the observed one, and is exact as a test too. It can never be 0. Family-wise p values compare each voxel with the
largest value of each shuffle (Westfall & Young 1993; Nichols & Holmes 2002, Hum Brain Mapp 15:1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from raphe.core import correlations
from raphe.core.correlations import FOUR, LANES, STEP
from raphe.core.shuffled import Shuffled
from raphe.core.smoothing import Kernel, smoothed
from raphe.core.two_valued import BITS, codes, largest_of_two
from raphe.errors import InputError

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.floating]
Singles = npt.NDArray[np.float32]
Counts = npt.NDArray[np.int64]
Places = npt.NDArray[np.int32]

ENOUGH = 10
"""Degrees of freedom from which on single precision does: with fewer, 1 - r^2 may be very small."""

TIE = {np.dtype(np.float32): 5e-6, np.dtype(np.float64): 1e-10}
"""Difference of two correlations up to which they are called equal, by precision."""

TIE_OF_MAPS = 1e-5
"""Share by which two numbers made from whole maps may differ and be called equal."""

CONSTANT, EXPLAINED = 1e-10, 1e-12
"""Share of a voxel's length outside the nuisance, and of its sum of squares outside the model, that is rounding."""


@dataclass(frozen=True, eq=False)
class Turned:
    """Data of a model without its nuisance, and the observed values in double precision.

    Parameters
    ----------
    tiles : ndarray, shape (n_tile, k, LANES)
        Columns of length 1, 0 where the voxel cannot be used.
    size : ndarray, shape (n_voxel,)
        Lengths that they had.
    r, t, effect : ndarray, shape (n_voxel,)
        Partial correlation, t value and estimate of the contrast; NaN where the voxel cannot be used.
    covariates : int
        Number of covariates that differ by voxel.
    """

    tiles: Floats
    size: Array
    r: Array
    t: Array
    effect: Array
    covariates: int

    @property
    def usable(self) -> Flags:
        """Voxels whose values differ between scans, and that the model does not explain to the last digit."""
        return np.isfinite(self.r)


@dataclass(frozen=True, eq=False)
class MaxT:
    """What the shuffles say of t.

    Parameters
    ----------
    most : ndarray, shape (n_shuffle,)
        Largest absolute t value of each shuffle, the observed one first.
    p, p_fwe : ndarray, shape (n_voxel,)
        Two-sided p value of the voxel alone, and corrected for all voxels; NaN where it cannot be used.
    """

    most: Array
    p: Array
    p_fwe: Array


def turn(data: Floats, model: Shuffled, covariates: Sequence[Floats] = ()) -> Turned:
    """Take the nuisance out of the data and find the observed values.

    Parameters
    ----------
    data : ndarray, shape (n_scan, n_voxel)
        Finite.
    model : Shuffled
    covariates : sequence of ndarray, shape (n_scan, n_voxel)
        Covariates that differ by voxel; only of a model that holds its nuisance.

    Raises
    ------
    InputError
        If shapes differ, a value is not finite, or covariates come with a model that shuffles residuals.
    """
    n, k = model.basis.shape
    for what, values in (("data", data), *(("a covariate", c) for c in covariates)):
        if values.ndim != 2 or len(values) != n or values.shape != data.shape:
            raise InputError(f"{what} has shape {values.shape}, but the design has {n} scans, the data {data.shape}")
    if covariates and not model.held:
        raise InputError(
            "a covariate that differs by voxel needs a scheme that exchanges the allocation and holds the rest"
        )
    total, parts = data.shape[1], 1 + len(covariates)
    precision = np.float32 if model.df >= ENOUGH else np.float64
    tiles = np.zeros((-(-total // LANES), -(-k * parts // STEP) * STEP, LANES), precision)
    size, r, effect = np.empty(total), np.empty(total), np.empty(total)
    for i, tile in enumerate(tiles):
        at = slice(i * LANES, min((i + 1) * LANES, total))
        own, others, size[at], bad = _without(data[:, at], [c[:, at] for c in covariates], model.basis)
        along = model.rows[0, 0] @ own
        left = 1 - sum(((model.rows[0, 0] @ z) ** 2 for z in others), np.zeros(along.size))
        bad |= left < CONSTANT
        left[bad] = 1.0
        r[at] = along / np.sqrt(left)
        effect[at] = model.scale * along * size[at] / left
        bad |= 1 - r[at] ** 2 < EXPLAINED
        r[at][bad] = np.nan
        effect[at][bad] = np.nan
        for j, part in enumerate((own, *others)):
            tile[j * k : (j + 1) * k, : part.shape[1]] = np.where(bad, 0.0, part)
    return Turned(tiles, size, r, r * np.sqrt(model.df / (1 - r**2)), effect, len(covariates))


def _without(data: Floats, covariates: list[Floats], basis: Array) -> tuple[Array, list[Array], Array, Flags]:
    """Columns of length 1 outside nuisance and covariates, their lengths, and which are nothing but rounding."""
    others: list[Array] = []
    bad = np.zeros(data.shape[1], dtype=np.bool_)
    size = np.empty(0)
    for values in (*covariates, data):
        exact = values.astype(float)
        if not np.isfinite(exact).all():
            raise InputError("the data or a covariate has a value that is not a finite number; leave that voxel out")
        own = basis.T @ exact
        for _ in range(2):
            for z in others:
                own -= z * (z * own).sum(axis=0)
        size = np.linalg.norm(own, axis=0)
        empty = size <= CONSTANT * np.linalg.norm(exact, axis=0)
        bad |= empty
        others.append(np.divide(own, size, out=np.zeros_like(own), where=~empty))
    return others[-1], others[:-1], size, bad


def max_t(turned: Turned, model: Shuffled, threads: int = 1) -> MaxT:
    """Compare each voxel with itself and with the largest of all voxels, under every shuffle.

    The digits do not depend on the number of threads.
    """
    n_tile, _, lanes = turned.tiles.shape
    kind, m = turned.tiles.dtype, len(model.rows)
    four = -(-m // FOUR) * FOUR
    bar = np.full(n_tile * lanes, np.inf, kind)
    bar[: turned.r.size] = np.where(turned.usable, np.abs(turned.r) - TIE[kind], np.inf)
    bar, count = bar.reshape(n_tile, lanes), np.zeros((n_tile, lanes), np.int32)
    bounds = np.linspace(0, n_tile, min(threads, n_tile) + 1).astype(int)

    reach = _reach(turned, model)

    def part(first: int, last: int) -> Floats:
        most = np.zeros(four, kind)
        reach(turned.tiles[first:last], bar[first:last], most, count[first:last])
        return most

    with ThreadPoolExecutor(max(len(bounds) - 1, 1)) as pool:
        found = list(pool.map(part, bounds[:-1], bounds[1:]))
    most = np.max(found, axis=0)[:m].astype(float)
    alone = count.ravel()[: turned.r.size] - (four - m)  # those that fill up four are the observed one
    p = np.where(turned.usable, alone / m, np.nan)
    p_fwe = family_wise(np.abs(turned.r), most, TIE[kind])
    return MaxT(most * np.sqrt(model.df / np.maximum(1 - most**2, EXPLAINED)), p, p_fwe)


def _reach(turned: Turned, model: Shuffled) -> Callable[[Floats, Floats, Floats, Places], None]:
    """The kernel that raises maxima and counts of some tiles, with all that it needs to know of the shuffles."""
    two = None if turned.covariates else model.two_weights()
    kind = turned.tiles.dtype
    if two is None:
        rows, other = _weights(turned, model)
        least = _least(kind)
        return lambda tiles, bar, most, count: correlations.largest(rows, other, tiles, bar, least, most, count)
    low, high, of_high = two
    filled = np.concatenate([of_high, np.tile(of_high[:1], (-len(of_high) % FOUR, 1))])
    code = codes(filled)
    n, k = model.basis.shape
    basis = np.zeros((code.shape[1] * BITS, turned.tiles.shape[1]), kind)
    basis[:n, :k] = model.basis
    return lambda tiles, bar, most, count: largest_of_two(code, basis, low, high, tiles, bar, most, count)


def family_wise(observed: Array, most: Array, tie: float = 0.0, share: float = 0.0) -> Array:
    """Share of the shuffles whose largest value is at least the observed one, the latter less a tie.

    Parameters
    ----------
    observed : ndarray
        NaN gives NaN.
    most : ndarray, shape (n_shuffle,)
    tie, share : float
        Difference, absolute and as a share of the observed value, that is called none.
    """
    reached = len(most) - np.searchsorted(np.sort(most), observed * (1 - share) - tie, side="left")
    return np.where(np.isnan(observed), np.nan, reached / len(most))


def over_maps(
    turned: Turned,
    model: Shuffled,
    measure: Callable[[Singles], Sequence[float]],
    *,
    variance: Kernel | None = None,
    bar: Singles | None = None,
    threads: int = 1,
) -> tuple[Array, Counts]:
    """Measure the map of t of every shuffle.

    Parameters
    ----------
    turned : Turned
        All of its voxels usable.
    model : Shuffled
    measure : callable
        From a map, shape (n_voxel,), to numbers; called in several threads.
    variance : Kernel, optional
        Smooth the map of the residual variance within the kernel's mask, whose voxels are those of the data: pseudo-t.
    bar : ndarray of float32, shape (n_voxel,), optional
        Count how often the absolute value is at least that of the bar.
    threads : int
        The digits do not depend on it.

    Returns
    -------
    measured : ndarray, shape (n_shuffle, n_measure)
    count : ndarray of int, shape (n_voxel,)
        0 without a bar.
    """
    rows, other = _weights(turned, model)
    m, per = len(model.rows), FOUR * (1 + other)
    groups = range(0, len(rows) // per)
    height = np.inf if bar is None else bar

    def part(which: Sequence[int]) -> tuple[list[tuple[int, Sequence[float]]], Counts]:
        found: list[tuple[int, Sequence[float]]] = []
        count = np.zeros(turned.size.size, np.int64)
        for group in which:
            for j, values in enumerate(_four(turned, model, rows[group * per : (group + 1) * per], other, variance)):
                if group * FOUR + j < m:
                    found.append((group * FOUR + j, measure(values)))
                    count += np.abs(values) >= height
        return found, count

    with ThreadPoolExecutor(max(threads, 1)) as pool:
        parts = list(pool.map(part, [groups[k::threads] for k in range(max(threads, 1))]))
    measured = [values for _, values in sorted(((i, v) for found, _ in parts for i, v in found), key=lambda x: x[0])]
    return np.array(measured, dtype=float), np.sum([count for _, count in parts], axis=0)


def observed_map(turned: Turned, model: Shuffled, variance: Kernel | None = None) -> Singles:
    """Map of t of the observed order, as :func:`over_maps` has it."""
    rows, other = _weights(turned, model)
    return next(_four(turned, model, rows[: FOUR * (1 + other)], other, variance))


def _four(turned: Turned, model: Shuffled, rows: Floats, other: int, variance: Kernel | None) -> Iterator[Singles]:
    """Maps of t under four shuffles."""
    n_tile, _, lanes = turned.tiles.shape
    r, share = np.empty((2, FOUR, n_tile, lanes), rows.dtype)
    correlations.maps(rows, other, turned.tiles, _least(rows.dtype), r, share)
    n = turned.size.size
    for own, left in zip(r.reshape(FOUR, -1)[:, :n], share.reshape(FOUR, -1)[:, :n], strict=True):
        unexplained = np.maximum(1 - own * own, rows.dtype.type(EXPLAINED))
        if variance is None:
            yield (own * np.sqrt(model.df / unexplained)).astype(np.float32)
            continue
        kept = 1.0 if model.held else left
        volume = np.zeros(variance.mask.shape)
        volume[variance.mask] = turned.size**2 * kept * unexplained / model.df
        deviation = np.sqrt(smoothed(volume, variance)[variance.mask])
        yield (own * np.sqrt(kept) * turned.size / deviation).astype(np.float32)


def _weights(turned: Turned, model: Shuffled) -> tuple[Floats, int]:
    """Rows of all shuffles as the kernels take them, a multiple of four shuffles, and how many beside the first."""
    m, own, k = model.rows.shape
    other = turned.covariates if model.held else own - 1
    rows = np.zeros((-(-m // FOUR) * FOUR, 1 + other, turned.tiles.shape[1]), turned.tiles.dtype)
    if model.held:
        for j in range(1 + other):
            rows[:m, j, j * k : (j + 1) * k] = model.rows[:, 0]
    else:
        rows[:m, :, :k] = model.rows
    rows[m:] = rows[0]
    return rows.reshape(-1, rows.shape[2]), other


def _least(kind: np.dtype[np.floating]) -> float:
    return 8 * float(np.finfo(kind).eps)
