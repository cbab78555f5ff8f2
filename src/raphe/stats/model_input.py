"""What is wrong with the rows of a model, said before it is fitted."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import numpy.typing as npt

from raphe.errors import InputError, nearest
from raphe.stats.columns import Factor
from raphe.stats.design import Design

Array = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]


def checked_outcome(outcome: npt.ArrayLike, design: Design) -> Array:
    """Outcome as numbers, shape (n,).

    Raises
    ------
    InputError
        If its length is not the design's, a value is not finite, or all are the same.
    """
    values = np.asarray(outcome, dtype=float)
    n = len(design.matrix)
    if values.shape != (n,):
        raise InputError(f"the outcome has shape {values.shape}, the design {n} rows; bring them to one length")
    if not np.isfinite(values).all():
        rows = np.flatnonzero(~np.isfinite(values))
        raise InputError(
            f"the outcome has no finite value in {rows.size} of {n} rows, the first being row {rows[0] + 1}; leave "
            "them out, and say so"
        )
    if np.ptp(values) <= 1e-12 * np.abs(values).max():
        raise InputError(f"the outcome is constant: all {n} values are {values[0]:g}; there is nothing to compare")
    return values


def checked_codes(labels: Sequence[str], n: int, what: str) -> Codes:
    """Numbers of labels from 0; InputError if there are not n."""
    if len(labels) != n:
        raise InputError(f"there are {len(labels)} labels of {what} for {n} rows; bring them to one length")
    known = {label: i for i, label in enumerate(dict.fromkeys(labels))}
    return np.array([known[label] for label in labels], dtype=np.intp)


def check_between(subject: Sequence[str], factors: Sequence[Factor], names: Sequence[str]) -> None:
    """Raise InputError if a subject has two levels of a factor that should tell subjects apart, as an arm does."""
    known = {factor.name: factor for factor in factors}
    for name in names:
        if name not in known:
            raise InputError(f"there is no factor {name!r} between subjects; {nearest(name, known)}")
        seen: dict[str, str | None] = {}
        for person, level in zip(subject, known[name].values, strict=True):
            if seen.setdefault(person, level) != level:
                raise InputError(
                    f"subject {person!r} has two levels of {name}, {seen[person]!r} and {level!r}; mend the table, or "
                    f"do not name {name} as between subjects"
                )


def check_cells(subject: Sequence[str], design: Design) -> None:
    """Raise InputError if a cell of the design's factors has one subject only."""
    by_name = {factor.name: factor for factor in design.factors}
    for term in design.terms:
        factors = [by_name[name] for name in term if name in by_name]
        people: dict[tuple[str | None, ...], set[str]] = {
            cell: set() for cell in product(*(factor.levels for factor in factors))
        }
        for row, person in enumerate(subject):
            people[tuple(factor.values[row] for factor in factors)].add(person)
        for cell, there in people.items():
            if factors and len(there) == 1:
                where = ", ".join(f"{factor.name} {level}" for factor, level in zip(factors, cell, strict=True))
                raise InputError(
                    f"one subject ({next(iter(there))}) is left with {where}, so its spread cannot be known; leave the "
                    "level or the term out"
                )


def check_twice(subject: Sequence[str], visit: Factor | None, design: Design, outcome: Array) -> None:
    """Raise InputError if a subject has a visit twice or, without visits, two rows that are the same throughout."""
    seen: dict[tuple[object, ...], int] = {}
    for row, person in enumerate(subject):
        key = (person, visit.values[row]) if visit else (person, outcome[row], design.matrix[row].tobytes())
        if key in seen:
            what = f"visit {visit.values[row]}" if visit else "the same values"
            raise InputError(
                f"rows {seen[key] + 1} and {row + 1} are both of subject {person!r} with {what}; keep one of them"
                + ("" if visit else ", or give the visit of each row")
            )
        seen[key] = row
