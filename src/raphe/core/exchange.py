"""Which ways of shuffling scans an experiment allows: sign flips, exchange within blocks and of whole blocks.

The first shuffle is always the observed order. All that differ are listed where they are at most as many as were asked
for; else the others are drawn at random, none twice (blocks as in Winkler et al. 2014, NeuroImage 92:381).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from raphe.errors import InputError

Numbers = npt.NDArray[np.int64]
Generator = np.random.Generator
Item = TypeVar("Item", bound=Hashable)


@dataclass(frozen=True, eq=False)
class Shuffles:
    """Orders and signs of scans.

    Parameters
    ----------
    order : ndarray of int, shape (n_shuffle, n_scan)
        Row of the design that each scan takes.
    sign : ndarray of int, shape (n_shuffle, n_scan)
        1 or -1, by which that row is multiplied.
    possible : int
        How many distinct shuffles there are.
    """

    order: Numbers
    sign: Numbers
    possible: int

    @property
    def complete(self) -> bool:
        """Whether every distinct shuffle is listed."""
        return len(self.order) == self.possible


def flips(n: int, count: int, seed: int, blocks: npt.ArrayLike | None = None) -> Shuffles:
    """Flips of the signs of scans, or of all scans of a block together.

    Allowed where an error and its negative are equally likely, as of the difference of two scans of one animal.

    Parameters
    ----------
    n : int
        Number of scans (or differences).
    count : int
        How many shuffles are wanted, the observed one being the first of them.
    seed : int
    blocks : array_like, shape (n,), optional
        Scans with the same entry have one sign.

    Raises
    ------
    InputError
        If ``count`` is below 2, or the blocks are not one a scan.
    """
    _check_count(count)
    group = np.arange(n) if blocks is None else _groups(blocks, n)
    units = int(group.max()) + 1
    possible = 2**units
    if possible <= count:
        bits = (np.arange(possible)[:, None] >> np.arange(units)) & 1
    else:
        rng = np.random.default_rng(seed)
        bits = _distinct(np.zeros(units, dtype=np.int64), count, lambda k: rng.integers(0, 2, (k, units)), None)
    sign = (1 - 2 * bits)[:, group]
    return Shuffles(np.tile(np.arange(n), (len(sign), 1)), sign, possible)


def exchanges(
    labels: npt.ArrayLike,
    count: int,
    seed: int,
    blocks: npt.ArrayLike | None = None,
    *,
    within: bool = True,
    whole: bool = False,
) -> Shuffles:
    """Exchanges of scans, among all or within blocks, and of whole blocks of one size.

    Parameters
    ----------
    labels : array_like, shape (n,)
        Scans with the same label may be exchanged without any change: the distinct rows of the design.
    count : int
        How many shuffles are wanted, the observed one being the first of them.
    seed : int
    blocks : array_like, shape (n,), optional
        Block of each scan; without, all scans are one.
    within : bool
        Exchange the scans of a block with each other.
    whole : bool
        Exchange blocks that have the same number of scans, their scans in the order in which they stand.

    Raises
    ------
    InputError
        If ``count`` is below 2, the blocks are not one a scan, or neither way of exchange is wanted.
    """
    _check_count(count)
    names = np.unique(np.asarray(labels), return_inverse=True)[1].ravel().astype(np.int64)
    n = len(names)
    if not (within or whole):
        raise InputError("scans are exchanged neither within blocks nor with them; ask for one of both")
    group = np.zeros(n, dtype=np.int64) if blocks is None else _groups(blocks, n)
    members = [np.flatnonzero(group == k) for k in range(int(group.max()) + 1)]
    classes = _classes(members, whole)
    possible = math.prod(_possible(of, names, within) for of in classes)
    if possible <= count:
        order = _all(classes, names, within)
    else:
        rng = np.random.default_rng(seed)
        order = _distinct(np.arange(n), count, lambda k: _drawn(classes, n, within, k, rng), names)
    return Shuffles(order, np.ones_like(order), possible)


def _check_count(count: int) -> None:
    if count < 2:
        raise InputError(f"{count} permutations cannot give a p value; ask for some thousands")


def _groups(blocks: npt.ArrayLike, n: int) -> Numbers:
    given = np.asarray(blocks)
    if given.shape != (n,):
        raise InputError(f"the blocks have shape {given.shape}, but there are {n} scans; give each scan one block")
    found: Numbers = np.unique(given, return_inverse=True)[1].ravel().astype(np.int64)
    return found


def _classes(members: list[Numbers], whole: bool) -> list[list[Numbers]]:
    """Blocks that may change places with each other, as lists of their scans."""
    if not whole:
        return [[block] for block in members]
    sizes = sorted({len(block) for block in members})
    return [[block for block in members if len(block) == size] for size in sizes]


def _content(block: Numbers, names: Numbers, within: bool) -> tuple[int, ...]:
    """What makes two blocks the same."""
    content = names[block].tolist()
    return tuple(sorted(content) if within else content)


def _possible(of: list[Numbers], names: Numbers, within: bool) -> int:
    """Distinct arrangements of the scans of one class of blocks."""
    found = _multinomial([_content(block, names, within) for block in of])
    return found * math.prod(_multinomial(names[block].tolist()) if within else 1 for block in of)


def _multinomial(items: Sequence[Hashable]) -> int:
    return math.factorial(len(items)) // math.prod(math.factorial(k) for k in Counter(items).values())


def _all(classes: list[list[Numbers]], names: Numbers, within: bool) -> Numbers:
    """Every distinct order, the observed one first."""
    slots = np.concatenate([np.concatenate(of) for of in classes])
    options = [list(_options(of, names, within)) for of in classes]
    order = np.empty((math.prod(len(o) for o in options), len(names)), dtype=np.int64)
    for row, chosen in zip(order, product(*options), strict=True):
        row[slots] = np.concatenate(chosen)
    observed = int(np.flatnonzero((names[order] == names).all(axis=1))[0])
    order[[0, observed]] = order[[observed, 0]]
    return order


def _options(of: list[Numbers], names: Numbers, within: bool) -> Iterator[Numbers]:
    """Scans for the places of one class of blocks, in every distinct way."""
    for blocks in _arranged(of, [_content(block, names, within) for block in of]):
        ways = [_arranged(block.tolist(), names[block].tolist()) if within else [block.tolist()] for block in blocks]
        for way in product(*ways):
            yield np.concatenate([np.asarray(part, dtype=np.int64) for part in way])


Thing = TypeVar("Thing")


def _arranged(things: Sequence[Thing], kinds: Sequence[Hashable]) -> Iterator[list[Thing]]:
    """Orders of things that differ in the order of their kinds."""
    if not things:
        yield []
        return
    for kind in dict.fromkeys(kinds):
        at = list(kinds).index(kind)
        rest, left = [*things[:at], *things[at + 1 :]], [*kinds[:at], *kinds[at + 1 :]]
        for tail in _arranged(rest, left):
            yield [things[at], *tail]


def _drawn(classes: list[list[Numbers]], n: int, within: bool, k: int, rng: Generator) -> Numbers:
    """Orders at random, each as likely as any other."""
    order = np.empty((k, n), dtype=np.int64)
    for of in classes:
        blocks = np.stack(of)
        places = rng.permuted(np.tile(np.arange(len(of)), (k, 1)), axis=1) if len(of) > 1 else np.zeros((k, 1), int)
        taken = blocks[places]
        order[:, blocks.ravel()] = (rng.permuted(taken, axis=2) if within else taken).reshape(k, -1)
    return order


def _distinct(first: Numbers, count: int, draw: Callable[[int], Numbers], names: Numbers | None) -> Numbers:
    """The observed and random rows, none of which says the same as another."""
    kept, seen = [first], {_key(first, names)}
    while len(kept) < count:
        for row in draw(count):
            key = _key(row, names)
            if key not in seen:
                seen.add(key)
                kept.append(row)
                if len(kept) == count:
                    break
    return np.stack(kept)


def _key(row: Numbers, names: Numbers | None) -> bytes:
    return (row if names is None else names[row]).tobytes()
