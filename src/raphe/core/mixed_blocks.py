"""Rows of a mixed model in the blocks that are independent of one another, equal blocks together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Array = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Blocks:
    """All blocks of m rows; N of them, with K patterns of covariance.

    Parameters
    ----------
    rows : ndarray of int, shape (N, m)
        Blocks of one pattern stand together.
    pattern : ndarray of int, shape (N,)
        Rising.
    first : ndarray of int, shape (K,)
        Where each pattern begins.
    count : ndarray, shape (K,)
        Blocks of each pattern.
    place : ndarray of int, shape (K, m, m)
        Place of each pair of rows in the groups' covariance matrices of visits, laid out in one line (G T T).
    weight : ndarray, shape (K, m, m)
        Factor of that covariance: 0 for two subjects, else the product of the rows' scales.
    known : ndarray, shape (K, m)
        Variance that each row has besides.
    random : ndarray, shape (C, K, m, m)
        1 where two rows share a level of a random intercept.
    """

    rows: Codes
    pattern: Codes
    first: Codes
    count: Array
    place: Codes
    weight: Array
    known: Array
    random: Array


def arrange(
    subject: Codes,
    visit: Codes | None,
    group: Codes,
    random: Sequence[Codes],
    scale: Array,
    known: Array,
) -> tuple[tuple[Blocks, ...], int]:
    """Split rows into independent blocks, one entry a size of block; and T, the size of the matrix of visits.

    Parameters
    ----------
    subject : ndarray of int, shape (n,)
    visit : ndarray of int, shape (n,), or None
        Place of each row in the covariance matrix of visits; None for its number within the block.
    group : ndarray of int, shape (n,)
        Which covariance matrix of visits, alike within a subject.
    random : sequence of ndarray of int, shape (n,)
        Levels of each random intercept.
    scale, known : ndarray, shape (n,)
    """
    members = _members(subject, random)
    n_visit = max(rows.size for rows in members) if visit is None else int(visit.max()) + 1
    by_size: dict[int, dict[bytes, list[Codes]]] = defaultdict(lambda: defaultdict(list))
    for rows in members:
        order = rows if visit is None else rows[np.lexsort((visit[rows], subject[rows]))]
        by_size[order.size][_key(order, subject, visit, group, random, scale, known)].append(order)
    blocks = tuple(
        _blocks(patterns, subject, visit, group, random, scale, known, n_visit)
        for _, patterns in sorted(by_size.items())
    )
    return blocks, n_visit


def _members(subject: Codes, random: Sequence[Codes]) -> list[Codes]:
    label = subject
    if any(_crosses(codes, subject) for codes in random):
        n, total, ends = subject.size, 0, []
        for codes in (subject, *random):
            ends.append(codes + n + total)
            total += int(codes.max()) + 1
        row = np.tile(np.arange(n), len(ends))
        graph = coo_array((np.ones(row.size), (row, np.concatenate(ends))), shape=(n + total, n + total))
        label = connected_components(graph, directed=False)[1][:n]
    order = np.argsort(label, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(label[order])) + 1)


def _crosses(levels: Codes, subject: Codes) -> bool:
    """Whether two subjects share a level."""
    owner = np.full(int(levels.max()) + 1, -1)
    owner[levels] = subject
    return bool((owner[levels] != subject).any())


def _key(
    rows: Codes,
    subject: Codes,
    visit: Codes | None,
    group: Codes,
    random: Sequence[Codes],
    scale: Array,
    known: Array,
) -> bytes:
    """What the covariance of a block depends on."""
    names = [np.unique(codes[rows], return_inverse=True)[1] for codes in (subject, *random)]
    places = group[rows] if visit is None else np.stack([group[rows], visit[rows]])
    return np.concatenate([*names, places.ravel()]).tobytes() + np.stack([scale[rows], known[rows]]).tobytes()


def _blocks(
    patterns: dict[bytes, list[Codes]],
    subject: Codes,
    visit: Codes | None,
    group: Codes,
    random: Sequence[Codes],
    scale: Array,
    known: Array,
    n_visit: int,
) -> Blocks:
    count = np.array([len(blocks) for blocks in patterns.values()])
    heads = np.array([blocks[0] for blocks in patterns.values()])
    at = np.broadcast_to(np.arange(heads.shape[1]), heads.shape) if visit is None else visit[heads]

    def alike(codes: Codes) -> Array:
        return np.asarray(codes[heads][:, :, None] == codes[heads][:, None, :], dtype=float)

    shared = [alike(codes) for codes in random]
    return Blocks(
        rows=np.array([rows for blocks in patterns.values() for rows in blocks]),
        pattern=np.repeat(np.arange(count.size), count),
        first=np.concatenate([[0], np.cumsum(count)[:-1]]),
        count=count.astype(float),
        place=(group[heads][:, :, None] * n_visit + at[:, :, None]) * n_visit + at[:, None, :],
        weight=alike(subject) * scale[heads][:, :, None] * scale[heads][:, None, :],
        known=known[heads],
        random=np.array(shared) if shared else np.empty((0, *heads.shape, heads.shape[1])),
    )
