"""Correlations that a few odd people do not decide."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import stats

from raphe.errors import InputError
from raphe.stats.bootstrap import MOST_LOST, bootstrap
from raphe.stats.correlation import LINE, NAN, Correlation, checked, from_t
from raphe.stats.interval import TAILS

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]

LEAST = 6
"""People below whom outliers cannot be told; an assumption."""

REACH = math.sqrt(stats.chi2.ppf(0.975, 2))
"""Interquartile ranges above the median at which a projection is an outlier, in two dimensions (Wilcox)."""

CELLS = 4_000_000
"""Projections at a time, for the sake of memory."""


def skipped(
    x: npt.ArrayLike, y: npt.ArrayLike, *, method: str = "spearman", n_repeat: int = 2000, seed: int = 1
) -> Correlation:
    """Correlation without the outliers of the cloud of points.

    The points are projected on the line from their centre (the medians) through each of them; a point whose distance
    from the centre on any of these lines is above the median distance plus sqrt(chi2(0.975, 2)) interquartile ranges
    (by the ideal fourths) is an outlier (Wilcox 2004, J Appl Stat 31:131; Wilcox 2017, Introduction to Robust
    Estimation, 6.4.9 and 9.4.3). Both measurements are first divided by their interquartile range, so that the unit
    does not matter. An ordinary test of the points that are left would be too sure, so the outliers are sought anew in
    each repeat of two kinds: p is the share of random pairings of x and y with as large a correlation; the interval
    comes from percentiles of resampled people. The latter is too wide (a test by it would reject 1-2 % where 5 % are
    wanted, at 12 to 30 people), so that it may hold 0 where p is below 0.05.

    Parameters
    ----------
    x, y : array_like, shape (n,), n >= 6
        None missing.
    method : str
        ``"spearman"`` or ``"pearson"``, of the points that are left.
    n_repeat, seed : int
        Repeats of each kind; p is at least 1 / (n_repeat + 1).

    Raises
    ------
    InputError
        If shapes differ, a value is missing, there are too few people, or the method is unknown.
    """
    if method not in ("spearman", "pearson"):
        raise InputError(f"there is no skipped correlation {method!r}; use spearman or pearson")
    x, y = checked(x, y)
    if x.size < LEAST:
        raise InputError(f"outliers cannot be told among {x.size} people; at least {LEAST} are needed")
    found = Correlation("skipped", NAN, NAN, NAN, NAN, x.size, interval="percentile")
    if _flat(x) or _flat(y):
        return replace(found, why="half of the people have the same value, so outliers cannot be told")
    odd = outliers(x, y)
    r = float(_kept_correlation(x[None], y[None], ~odd[None], method)[0])
    found = replace(found, r=r, n_outlier=int(odd.sum()))
    if math.isnan(r) or abs(r) > 1 - LINE:
        return replace(found, why="the points that are left lie on a line or have no spread")
    random = np.random.default_rng(seed)
    pairings = random.permuted(np.tile(np.arange(x.size), (n_repeat, 1)), axis=1)
    by_chance = _repeats(x, y, np.broadcast_to(np.arange(x.size), pairings.shape), pairings, method)
    as_large = ~(np.abs(by_chance) < abs(r) * (1 - 1e-9))  # one without a value counts against the finding
    found = replace(found, p=float((as_large.sum() + 1) / (n_repeat + 1)))
    who = random.integers(0, x.size, (n_repeat, x.size))
    repeats = _repeats(x, y, who, who, method)
    kept = repeats[np.isfinite(repeats)]
    if kept.size < (1 - MOST_LOST) * n_repeat:
        return replace(found, why=f"no interval: {n_repeat - kept.size} of {n_repeat} repeats have no value")
    low, high = np.quantile(kept, TAILS)
    return replace(found, low=float(low), high=float(high))


def outliers(x: Array, y: Array) -> Flags:
    """Outliers by projection, as in :func:`skipped`; shape (..., n)."""
    cloud = np.stack([_standard(x), _standard(y)], axis=-1)
    inner = np.abs(cloud @ np.swapaxes(cloud, -1, -2))
    length = np.linalg.norm(cloud, axis=-1)[..., :, None]
    distance = np.where(length > 0, inner / np.where(length > 0, length, 1.0), 0.0)
    low, high = _fourths(distance)
    limit = np.median(distance, axis=-1) + REACH * (high - low)
    return np.asarray((distance > limit[..., None] * (1 + 1e-12)).any(axis=-2))


def percentage_bend(
    x: npt.ArrayLike, y: npt.ArrayLike, *, beta: float = 0.2, n_repeat: int = 2000, seed: int = 1
) -> Correlation:
    """Percentage bend correlation: values far out in their own distribution count as if they were nearer.

    (Wilcox 1994, Psychometrika 59:601.) p comes from t with n - 2 degrees of freedom, the interval from percentiles of
    resampled people. It does not see points that are odd only as pairs; :func:`skipped` does.

    Parameters
    ----------
    x, y : array_like, shape (n,), n >= 6
    beta : float
        Share of the values of each measurement that are bent, 0 to 0.5.
    n_repeat, seed : int

    Raises
    ------
    InputError
        As :func:`skipped`; if ``beta`` is out of its range.
    """
    if not 0 <= beta <= 0.5:
        raise InputError(f"a share of {beta:g} cannot be bent; give one from 0 to 0.5")
    x, y = checked(x, y)
    if x.size < LEAST:
        raise InputError(f"outliers cannot be told among {x.size} people; at least {LEAST} are needed")
    found = Correlation("percentage bend", NAN, NAN, NAN, NAN, x.size, interval="percentile")
    r = _bent(x, y, beta)
    if math.isnan(r):
        return replace(found, why="half of the people have the same value, so nothing can be bent")
    if abs(r) > 1 - LINE:
        return replace(found, r=r, p=0.0, why="the points lie on a line, so r has no interval")
    repeated = bootstrap(
        lambda who: _bent(x[who], y[who], beta), x.size, kind="percentile", n_repeat=n_repeat, seed=seed
    )
    return replace(found, r=r, low=repeated.low, high=repeated.high, p=from_t(r, x.size - 2), why=repeated.why)


def _repeats(x: Array, y: Array, of_x: Index, of_y: Index, method: str) -> Array:
    """Skipped correlations of repeated or newly paired people, shape (n_repeat,)."""
    found = []
    parts = max(1, -(-len(of_x) * x.size**2 // CELLS))
    for some_x, some_y in zip(np.array_split(of_x, parts), np.array_split(of_y, parts), strict=True):
        found.append(_kept_correlation(x[some_x], y[some_y], ~outliers(x[some_x], y[some_y]), method))
    return np.concatenate(found)


def _flat(x: Array) -> bool:
    low, high = _fourths(x)
    return bool(high - low <= 1e-12 * np.abs(x).max())


def _standard(x: Array) -> Array:
    low, high = _fourths(x)
    spread = np.where(high > low, high - low, 1.0)
    return np.asarray((x - np.median(x, axis=-1, keepdims=True)) / spread[..., None])


def _fourths(x: Array) -> tuple[Array, Array]:
    """Lower and upper quartile of the last axis by the ideal fourths (Frigge, Hoaglin and Iglewicz 1989)."""
    n = x.shape[-1]
    at = math.floor(n / 4 + 5 / 12)
    share = n / 4 + 5 / 12 - at
    ordered = np.sort(x, axis=-1)
    low = (1 - share) * ordered[..., at - 1] + share * ordered[..., at]
    high = (1 - share) * ordered[..., n - at] + share * ordered[..., n - at - 1]
    return np.asarray(low), np.asarray(high)


def _kept_correlation(x: Array, y: Array, kept: Flags, method: str) -> Array:
    """Correlation over the last axis of the points that are kept, shape (n_repeat,)."""
    if method == "spearman":
        x, y = (_kept_ranks(one, kept) for one in (x, y))
    n = np.maximum(kept.sum(axis=-1, keepdims=True), 1)
    x, y = (np.where(kept, one - (one * kept).sum(axis=-1, keepdims=True) / n, 0.0) for one in (x, y))
    size = np.sqrt((x**2).sum(axis=-1) * (y**2).sum(axis=-1))
    sound = (size > 0) & (n[..., 0] >= 3)
    return np.asarray(np.where(sound, (x * y).sum(axis=-1) / np.where(sound, size, 1.0), np.nan))


def _kept_ranks(x: Array, kept: Flags) -> Array:
    """Ranks among the points that are kept; what is not kept is ranked behind them all."""
    return np.asarray(stats.rankdata(np.where(kept, x, np.inf), axis=-1))


def _bent(x: Array, y: Array, beta: float) -> float:
    a, b = _bend(x, beta), _bend(y, beta)
    if a is None or b is None:
        return NAN
    size = math.sqrt(float((a**2).sum() * (b**2).sum()))
    return float(a @ b) / size if size > 0 else NAN


def _bend(x: Array, beta: float) -> Array | None:
    """Distances from the percentage-bend centre in units of its scale, cut at 1; None without spread."""
    middle = float(np.median(x))
    rank = math.floor((1 - beta) * x.size + 0.5)
    scale = float(np.sort(np.abs(x - middle))[rank - 1])
    if scale <= 1e-12 * float(np.abs(x).max()):
        return None
    distance = (x - middle) / scale
    low, high = int((distance < -1).sum()), int((distance > 1).sum())
    inside = x[np.abs(distance) <= 1].sum()
    centre = (scale * (high - low) + inside) / (x.size - low - high)
    return np.asarray(np.clip((x - centre) / scale, -1.0, 1.0))
