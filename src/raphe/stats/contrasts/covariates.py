"""Covariates of the people of a sample, as columns of a design."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from raphe.data.people import People
from raphe.stats.columns import Column, Covariate, Factor

Array = npt.NDArray[np.float64]


def columns_of(names: Sequence[str], people: People, who: Sequence[str]) -> tuple[Column, ...]:
    """Covariates of some people, who have them all: numbers as they are, texts as factors with sorted levels.

    Raises
    ------
    InputError
        If a factor has one level only.
    """
    made: list[Column] = []
    for name in names:
        cells = [people.known(name, person) for person in who]
        if people.numeric(name):
            made.append(Covariate(name, np.array([np.nan if cell is None else float(cell) for cell in cells])))
        else:
            texts = tuple(None if cell is None else str(cell) for cell in cells)
            made.append(Factor(name, texts, tuple(sorted({text for text in texts if text is not None}))))
    return tuple(made)


def numbers_of(columns: Sequence[Column]) -> Array:
    """Columns as numbers, shape (n, k): a factor has one of 0 and 1 for each level but the first."""
    parts: list[Array] = []
    for column in columns:
        if isinstance(column, Covariate):
            parts.append(np.asarray(column.values)[:, None])
        else:
            parts.append((column.codes[:, None] == np.arange(1, len(column.levels))).astype(float))
    return np.hstack(parts)
