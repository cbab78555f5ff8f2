"""Columns of a table: labels and numbers, and which rows have them all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from raphe.errors import InputError, nearest

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Factor:
    """A column of labels.

    Parameters
    ----------
    name : str
    values : tuple of (str or None), length n
        None where missing.
    levels : tuple of str
        In order; the first is the baseline.

    Raises
    ------
    InputError
        If a value is not a level, a level is named twice, has no value, or there are fewer than two.
    """

    name: str
    values: tuple[str | None, ...]
    levels: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(self.values))
        object.__setattr__(self, "levels", tuple(self.levels))
        found = {value for value in self.values if value is not None}
        if len(set(self.levels)) < len(self.levels):
            raise InputError(f"factor {self.name!r} names a level twice: {', '.join(self.levels)}; name each one once")
        for value in sorted(found - set(self.levels), key=str):
            raise InputError(f"factor {self.name!r} has the value {value!r}; {nearest(str(value), self.levels)}")
        for level in self.levels:
            if level not in found:
                raise InputError(f"factor {self.name!r} has no row of level {level!r}; take the level out")
        if len(self.levels) < 2:
            raise InputError(
                f"factor {self.name!r} has only the level {', '.join(self.levels) or '(none)'}, so it compares "
                "nothing; take it out of the terms"
            )

    @cached_property
    def codes(self) -> npt.NDArray[np.intp]:
        """Position of each value among the levels, -1 where missing, shape (n,)."""
        place = {level: i for i, level in enumerate(self.levels)}
        return np.array([-1 if value is None else place[value] for value in self.values], dtype=np.intp)

    def kept(self, mask: npt.NDArray[np.bool_]) -> Factor:
        """The rows of a mask, shape (n,), with the levels that are left."""
        values = tuple(value for value, keep in zip(self.values, mask, strict=True) if keep)
        return Factor(self.name, values, tuple(level for level in self.levels if level in values))


@dataclass(frozen=True, eq=False)
class Covariate:
    """A column of numbers, shape (n,), NaN where missing.

    Raises
    ------
    InputError
        If a value is infinite.
    """

    name: str
    values: Array

    def __post_init__(self) -> None:
        values = np.array(self.values, dtype=float).reshape(-1)
        values.setflags(write=False)
        object.__setattr__(self, "values", values)
        if np.isinf(values).any():
            raise InputError(
                f"covariate {self.name!r} is infinite in row {int(np.isinf(values).argmax()) + 1}; mend it"
            )

    def kept(self, mask: npt.NDArray[np.bool_]) -> Covariate:
        """The rows of a mask, shape (n,)."""
        return Covariate(self.name, self.values[mask])


Column = Factor | Covariate


@dataclass(frozen=True)
class CompleteCases:
    """Which rows have every value.

    Parameters
    ----------
    kept : ndarray of bool, shape (n,)
    missing : tuple of (int, str)
        Row, from 0, and column of each value that is missing.
    """

    kept: npt.NDArray[np.bool_]
    missing: tuple[tuple[int, str], ...]


def complete_cases(columns: Iterable[Column]) -> CompleteCases:
    """List what is missing; the caller decides what becomes of the rows.

    Raises
    ------
    InputError
        If there is no column, or they differ in length.
    """
    listed = tuple(columns)
    n = length_of(listed)
    missing = []
    kept = np.ones(n, dtype=bool)
    for column in listed:
        absent = column.codes < 0 if isinstance(column, Factor) else np.isnan(column.values)
        kept &= ~absent
        missing += [(int(row), column.name) for row in np.flatnonzero(absent)]
    return CompleteCases(kept, tuple(sorted(missing)))


def length_of(columns: Sequence[Column]) -> int:
    """Rows of columns that must have one length; InputError if they do not, or there is none."""
    if not columns:
        raise InputError("a design needs at least one column")
    first, *others = columns
    for other in others:
        if len(other.values) != len(first.values):
            raise InputError(
                f"column {first.name!r} has {len(first.values)} rows, column {other.name!r} has {len(other.values)}; "
                "bring them to one length"
            )
    return len(first.values)
