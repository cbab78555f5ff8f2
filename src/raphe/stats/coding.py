"""Treatment coding: from columns and terms to a matrix, and whether its terms can be told apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
import numpy.typing as npt

from raphe.errors import InputError
from raphe.stats.columns import Column, Covariate, Factor

Array = npt.NDArray[np.float64]
Term = tuple[str, ...]

RANK_TOLERANCE = 1e-9
"""Smallest to largest singular value, columns scaled alike, at or below which terms count as confounded."""


def coded_matrix(
    columns: Sequence[Column], terms: Sequence[Term], offsets: Mapping[str, float], n: int
) -> tuple[Array, tuple[str, ...]]:
    """Matrix of terms, shape (n, p), and the names of its columns.

    Factors have a column for every level but the first, interactions are products. Without the term ``()``, the first
    factor that is a term by itself has a column for every level.

    Parameters
    ----------
    columns : sequence of Factor and Covariate
        Those that the terms name, each with n values.
    terms : sequence of tuple of str
    offsets : mapping of str to float
        What is subtracted from a covariate.
    n : int
    """
    by_name = {column.name: column for column in columns}
    whole = _whole_factor(terms, by_name)
    parts, names = [], []
    for term in terms:
        part, labels = np.ones((n, 1)), [""]
        for name in term:
            more, more_labels = _coded(by_name[name], offsets, whole=term == (whole,))
            part = (part[:, :, None] * more[:, None, :]).reshape(n, part.shape[1] * more.shape[1])
            labels = [f"{a}:{b}" if a else b for a, b in product(labels, more_labels)]
        parts.append(part)
        names += labels if term else ["(intercept)"]
    return np.concatenate(parts, axis=1), tuple(names)


def _whole_factor(terms: Sequence[Term], columns: Mapping[str, Column]) -> str | None:
    """Factor that has a column for every level, if any: the first main effect where there is no intercept."""
    if () in terms:
        return None
    return next((term[0] for term in terms if len(term) == 1 and isinstance(columns[term[0]], Factor)), None)


def _coded(column: Column, offsets: Mapping[str, float], whole: bool) -> tuple[Array, list[str]]:
    if isinstance(column, Covariate):
        return (column.values - offsets.get(column.name, 0.0))[:, None], [column.name]
    first = 0 if whole else 1
    coded = column.codes[:, None] == np.arange(first, len(column.levels))
    return coded.astype(float), [f"{column.name}[{level}]" for level in column.levels[first:]]


def check_rank(matrix: Array, names: tuple[str, ...], terms: Sequence[Term], columns: Sequence[Column]) -> None:
    """Raise InputError if terms are confounded, with their names and the empty cell where there is one."""
    size = np.sqrt((matrix**2).sum(axis=0))
    spread = size.copy()
    if () in terms:
        spread[1:] = np.sqrt(((matrix[:, 1:] - matrix[:, 1:].mean(axis=0)) ** 2).sum(axis=0))
    flat = spread <= RANK_TOLERANCE * np.where(size > 0, size, 1)
    if flat.any():
        name = names[int(flat.argmax())]
        raise InputError(f"column {name} of the design does not vary{_empty_cell(terms, columns)}; leave out its term")
    _, singular, right = np.linalg.svd(_spread_alike(matrix, terms), full_matrices=False)
    null = right[singular <= RANK_TOLERANCE * singular[0]]
    if null.size:
        guilty = [name for name, weight in zip(names, np.abs(null).max(axis=0), strict=True) if weight > 1e-6]
        raise InputError(
            f"the terms {', '.join(guilty)} are confounded: they cannot be told apart in these {len(matrix)} rows"
            f"{_empty_cell(terms, columns)}; leave one out"
        )


def _spread_alike(matrix: Array, terms: Sequence[Term]) -> Array:
    """Columns centred if there is an intercept, then scaled to one length: the same confounding, whatever the units."""
    scaled = matrix.copy()
    if () in terms:
        scaled[:, 1:] -= scaled[:, 1:].mean(axis=0)
    return np.asarray(scaled / np.sqrt((scaled**2).sum(axis=0)))


def _empty_cell(terms: Sequence[Term], columns: Sequence[Column]) -> str:
    by_name = {column.name: column for column in columns}
    for term in sorted(terms, key=len):
        factors = [column for name in term if isinstance(column := by_name[name], Factor)]
        there = set(zip(*(factor.values for factor in factors), strict=True))
        for cell in product(*(factor.levels for factor in factors)):
            if factors and cell not in there:
                where = ", ".join(f"{factor.name} {level}" for factor, level in zip(factors, cell, strict=True))
                return f", and no row has {where}"
    return ""
