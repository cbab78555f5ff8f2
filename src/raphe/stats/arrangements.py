"""Ways in which the labels of a study can be dealt anew."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import combinations, permutations, product

import numpy as np
import numpy.typing as npt

from raphe.errors import InputError

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]
Labels = Sequence[Hashable] | npt.NDArray[np.generic]


def permuted_blocks(n: int, block: Sequence[bool]) -> Callable[[np.random.Generator], npt.NDArray[np.bool_]]:
    """Allocation by permuted blocks, for :func:`rerandomise`.

    Parameters
    ----------
    n : int
        People, in the order in which they were allocated; the last block may not be full.
    block : sequence of bool
        One block: ``(True, True, False)`` is 2:1 in blocks of three.
    """
    one = np.asarray(block, dtype=bool)

    def allocate(random: np.random.Generator) -> npt.NDArray[np.bool_]:
        blocks = [random.permutation(one) for _ in range(-(-n // one.size))]
        return np.concatenate(blocks)[:n]

    return allocate


def codes(labels: Labels | None, n: int, name: str) -> Index:
    """Labels as whole numbers from 0 on in the order in which they first appear; each row its own without labels."""
    if labels is None:
        return np.arange(n)
    found = list(labels)
    if len(found) != n:
        raise InputError(f"{name} has {len(found)} labels for {n} rows; give one a row")
    place = {label: at for at, label in enumerate(dict.fromkeys(found))}
    return np.array([place[label] for label in found], dtype=np.intp)


def all_labels(members: Sequence[Index], chosen: Sequence[int], n: int) -> Array:
    """Every choice of so many of the members of each block, as rows of 0 and 1, shape (n_arrangement, n)."""
    ways = [list(combinations(rows.tolist(), k)) for rows, k in zip(members, chosen, strict=True)]
    rows = [[at for part in parts for at in part] for parts in product(*ways)]
    labels = np.zeros((len(rows), n))
    np.put_along_axis(labels, np.array(rows, dtype=np.intp), 1.0, axis=1)
    return labels


def all_orders(x: Array, members: Sequence[Index]) -> Iterator[Array]:
    """Every order of values within each block."""
    orders = [list(permutations(rows.tolist())) for rows in members]
    place = np.concatenate(members)
    for parts in product(*orders):
        found = np.empty_like(x)
        found[place] = x[[at for part in parts for at in part]]
        yield found


def shuffled(x: Array, members: Sequence[Index], random: np.random.Generator) -> Array:
    """Values in a random order within each block."""
    found = x.copy()
    for rows in members:
        found[rows] = random.permutation(x[rows])
    return found
