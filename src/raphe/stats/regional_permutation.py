r"""Permutation tests of regions that respect how the study was laid out.

A test by permutation asks how often a statistic as large as the one that was found arises when the labels that mean
nothing under the null hypothesis are dealt anew, in the ways in which the design could have dealt them:

- differences within people (:func:`sign_flip`): the sign of each person's difference;
- two groups (:func:`exchange`): who is in which group, within blocks where there are some;
- an allocation that was drawn in a known way (:func:`rerandomise`): drawn again in that way;
- a score against regions (:func:`permute_correlation`): who has which score, within blocks where there are some.

All arrangements are looked at where there are at most ``most``; else ``n_draw`` of them are drawn, and the one that was
found counts as one more, so that no p value is 0 (Phipson and Smyth 2010, Stat Appl Genet Mol Biol 9:39). The
statistics are studentised, so that regions of unlike noise can be compared, and so that the exchange of groups tests
their means even where their spread differs in large samples (Janssen 1997, Stat Probab Lett 36:9). Over regions, p is
also adjusted by the step-down maximum (Westfall and Young 1993; algorithm 4.1 of Ge, Dudoit and Speed 2003, Test 12:1).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy import stats

from raphe.errors import InputError
from raphe.stats.arrangements import Labels, all_labels, all_orders, codes, shuffled
from raphe.stats.studentised import Statistic, correlated, one_sample, two_samples

Array = npt.NDArray[np.float64]

MOST, N_DRAW = 100_000, 9_999
"""Arrangements that are all looked at, and how many are drawn where there are more."""

SAME = 1e-9
"""Statistics that differ by less, relative to their size, count as equal: sums in another order round differently."""

CHUNK = 4096
"""Arrangements at a time, for the sake of memory."""


@dataclass(frozen=True, eq=False)
class Permutation:
    """What a permutation test of one or more regions says.

    Parameters
    ----------
    statistic : ndarray, shape (n_region,)
        t of the mean difference or of the difference of groups, or the correlation; NaN where there is none.
    p : ndarray, shape (n_region,)
        Two-sided, of each region by itself.
    p_adjusted : ndarray, shape (n_region,)
        Two-sided, with the family-wise error over the regions controlled by the step-down maximum.
    p_least : float
        The smallest that ``p`` can be in this design, whatever the data.
    n : int
        Arrangements that were looked at, that of the data among them.
    exact : bool
        Whether these are all that there are.
    why : tuple of str, length n_region
        Why a region has no statistic; empty where it has.
    """

    statistic: Array
    p: Array
    p_adjusted: Array
    p_least: float
    n: int
    exact: bool
    why: tuple[str, ...]


def sign_flip(
    difference: npt.ArrayLike,
    *,
    together: Labels | None = None,
    most: int = MOST,
    n_draw: int = N_DRAW,
    seed: int = 1,
) -> Permutation:
    """Test that differences within people lie about 0: if they are symmetric about it, each sign is as good as its own.

    Parameters
    ----------
    difference : array_like, shape (n,) or (n, n_region)
        Second minus first; NaN where a person lacks a region.
    together : sequence, length n, optional
        Whose difference a row is; rows of one person (two tracers, say) keep their signs relative to each other.
    most, n_draw : int
        All arrangements where there are at most ``most``, else ``n_draw`` of them.
    seed : int

    Returns
    -------
    Permutation
        The statistic is Student's t. With k people p is at least 2 / 2**k: 0.125 for four.

    Raises
    ------
    InputError
        If there are fewer than two rows, a value is infinite, or lengths differ.
    """
    table = _table(difference)
    of = codes(together, len(table), "together")
    k = int(of.max()) + 1
    if 2**k <= most:
        half = np.array(list(product((1.0, -1.0), repeat=k - 1))).reshape(2 ** (k - 1), k - 1)
        signs = np.column_stack([np.ones(len(half)), half])  # the other half mirrors it, with the same |t|
        return judged(signs[:, of], lambda s: one_sample(s, table), exact=True, of_all=2**k, least=2 / 2**k)
    random = np.random.default_rng(seed)
    drawn = np.vstack([np.ones(k), random.choice((-1.0, 1.0), (n_draw, k))])
    return judged(drawn[:, of], lambda s: one_sample(s, table), exact=False, least=2 / 2**k)


def exchange(
    values: npt.ArrayLike,
    second: npt.ArrayLike,
    *,
    blocks: Labels | None = None,
    pooled: bool = False,
    most: int = MOST,
    n_draw: int = N_DRAW,
    seed: int = 1,
) -> Permutation:
    """Test that two groups have the same distribution: then any of them could have been in either.

    Parameters
    ----------
    values : array_like, shape (n,) or (n, n_region)
        NaN where a person lacks a region.
    second : array_like of bool, shape (n,)
        Who is in the second group; t is that of second minus first.
    blocks : sequence, length n, optional
        People are exchanged within a block (a site, a stratum) only.
    pooled : bool
        Student's t instead of Welch's.
    most, n_draw, seed
        As in :func:`sign_flip`.

    Raises
    ------
    InputError
        If a group has fewer than two people, a value is infinite, lengths differ, or no block holds both groups.
    """
    table = _table(values)
    label = _second(second, len(table))
    of = codes(blocks, len(table), "blocks") if blocks is not None else np.zeros(len(table), dtype=np.intp)
    members = [np.flatnonzero(of == block) for block in range(int(of.max()) + 1)]
    chosen = [int(label[rows].sum()) for rows in members]
    total = math.prod(math.comb(len(rows), k) for rows, k in zip(members, chosen, strict=True))
    if total == 1:
        raise InputError("no block holds people of both groups, so nobody can be exchanged; leave out the blocks")
    mirrored = all(2 * k == len(rows) for rows, k in zip(members, chosen, strict=True))
    exact = total <= most
    if exact:
        arrangements = all_labels(members, chosen, len(table))
    else:
        random = np.random.default_rng(seed)
        arrangements = np.vstack([label, *(shuffled(label, members, random) for _ in range(n_draw))])
    statistic = two_samples(table, pooled)
    return judged(arrangements, statistic, exact=exact, least=(1 + mirrored) / total, observed=label)


def rerandomise(
    values: npt.ArrayLike,
    second: npt.ArrayLike,
    allocate: Callable[[np.random.Generator], npt.ArrayLike] | npt.ArrayLike,
    *,
    pooled: bool = False,
    n_draw: int = N_DRAW,
    seed: int = 1,
) -> Permutation:
    """Test a randomised comparison by drawing its allocation again in the way in which it was drawn.

    Parameters
    ----------
    values, second, pooled, n_draw, seed
        As in :func:`exchange`.
    allocate : callable, or array_like of bool, shape (n_allocation, n)
        Draws who is in the second group, shape (n,), from a generator of random numbers, as
        :func:`raphe.stats.arrangements.permuted_blocks` does. Or all allocations that were equally likely, of which
        that of the data must be one.

    Raises
    ------
    InputError
        As :func:`exchange`; if an allocation has another length; if that of the data is not among all.
    """
    table = _table(values)
    label = _second(second, len(table))
    statistic = two_samples(table, pooled)
    if callable(allocate):
        random = np.random.default_rng(seed)
        drawn = [_allocation(allocate(random), len(table)) for _ in range(n_draw)]
        return judged(np.vstack([label, *drawn]), statistic, exact=False, least=0.0)
    every = np.asarray(allocate, dtype=float)
    if every.ndim != 2 or every.shape[1] != len(table):
        raise InputError(f"allocations have shape {every.shape}; give one row an allocation of {len(table)} people")
    if not (every == label).all(axis=1).any():
        raise InputError("the allocation of the data is none of those that were given; give all that were possible")
    like = (every == label).all(axis=1) | (every == 1 - label).all(axis=1)
    return judged(every, statistic, exact=True, least=float(like.mean()), observed=label)


def permute_correlation(
    score: npt.ArrayLike,
    values: npt.ArrayLike,
    *,
    method: str = "pearson",
    blocks: Labels | None = None,
    most: int = MOST,
    n_draw: int = N_DRAW,
    seed: int = 1,
) -> Permutation:
    """Test that a score has nothing to do with any region: then anybody could have had it.

    Parameters
    ----------
    score : array_like, shape (n,)
    values : array_like, shape (n,) or (n, n_region)
        NaN where a person lacks a region.
    method : str
        ``"pearson"`` or ``"spearman"``.
    blocks, most, n_draw, seed
        As in :func:`exchange`.

    Raises
    ------
    InputError
        If there are fewer than three people, a score is missing, a value is infinite, lengths differ, ranks are wanted
        of a table with gaps, or each block holds but one person.
    """
    table = _table(values)
    x = np.asarray(score, dtype=float)
    if x.shape != (len(table),) or not np.isfinite(x).all():
        raise InputError(f"scores have shape {x.shape} or gaps; give one for each of the {len(table)} people")
    if len(x) < 3:
        raise InputError(f"a correlation needs at least three people; there are {len(x)}")
    if method not in ("pearson", "spearman"):
        raise InputError(f"there is no correlation {method!r} by permutation; use pearson or spearman")
    if method == "spearman":
        if np.isnan(table).any():
            raise InputError("ranks of a table with missing values differ by region; test each region by itself")
        x, table = stats.rankdata(x), stats.rankdata(table, axis=0)
    of = codes(blocks, len(x), "blocks") if blocks is not None else np.zeros(len(x), dtype=np.intp)
    members = [np.flatnonzero(of == block) for block in range(int(of.max()) + 1)]
    total = math.prod(math.factorial(len(rows)) for rows in members)
    if total == 1:
        raise InputError("each block holds one person, so nobody can be exchanged; leave out the blocks")
    x = x - x.mean()
    exact = total <= most
    random = np.random.default_rng(seed)
    orders = list(all_orders(x, members)) if exact else [x, *(shuffled(x, members, random) for _ in range(n_draw))]
    return judged(np.vstack(orders), correlated(table), exact=exact, least=1 / total, observed=x)


def judged(
    arrangements: Array,
    statistic: Statistic,
    *,
    exact: bool,
    least: float,
    of_all: int | None = None,
    observed: Array | None = None,
) -> Permutation:
    """Compare the statistic of the data, that of the first arrangement if not given, with those of all."""
    signed = statistic((arrangements[0] if observed is None else observed)[None])[0]
    found = np.abs(signed)
    made = np.flatnonzero(~np.isnan(found))
    order = made[np.argsort(-found[made], kind="stable")]
    limit = found[order] * (1 - SAME) - 1e-12
    alone, highest = np.zeros(order.size), np.zeros(order.size)
    for at in range(0, len(arrangements), CHUNK):
        size = np.abs(statistic(arrangements[at : at + CHUNK])[:, order])
        size = np.where(np.isnan(size), np.inf, size)  # without a statistic it counts against the finding
        alone += (size >= limit).sum(axis=0)
        highest += (np.maximum.accumulate(size[:, ::-1], axis=1)[:, ::-1] >= limit).sum(axis=0)
    n = len(arrangements)
    p, adjusted = np.full(found.shape, np.nan), np.full(found.shape, np.nan)
    p[order] = alone / n
    adjusted[order] = np.maximum.accumulate(highest / n)
    why = tuple("" if there else "too few values, or all alike" for there in ~np.isnan(found))
    return Permutation(signed, p, adjusted, max(least, 0.0 if exact else 1 / n), of_all or n, exact, why)


def _table(values: npt.ArrayLike) -> Array:
    table = np.asarray(values, dtype=float)
    table = table[:, None] if table.ndim == 1 else table
    if table.ndim != 2 or len(table) < 2:
        raise InputError(f"values have shape {table.shape}; give a row for each of at least two people")
    if np.isinf(table).any():
        raise InputError("a value is infinite; leave the person out, or set the value to NaN")
    return table


def _second(second: npt.ArrayLike, n: int) -> Array:
    label = _allocation(second, n)
    if min(label.sum(), n - label.sum()) < 2:
        raise InputError(f"groups of {n - label.sum():g} and {label.sum():g} people; each needs at least two")
    return label


def _allocation(second: npt.ArrayLike, n: int) -> Array:
    label = np.asarray(second)
    if label.shape != (n,) or not np.isin(label, (0, 1)).all():
        raise InputError(f"an allocation of shape {label.shape} for {n} people; give True or False for each")
    return label.astype(float)
