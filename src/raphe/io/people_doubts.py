"""Doubts about ``participants.tsv``: ages and weights that nobody has."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from raphe.data.finding import Finding
from raphe.errors import InputError
from raphe.io.amounts import HEAVIEST
from raphe.io.fields import Fields
from raphe.io.not_fetched import is_there
from raphe.io.participants import ID
from raphe.io.tables import Table, number, shortened


class _Bounds(NamedTuple):
    """Values that a column may have, wide enough for people and for animals, and its units as BIDS has them."""

    low: float
    high: float
    units: Mapping[str, float]
    """The usual one first, in which the bounds are; of each, how much of that it is."""


POSSIBLE: Mapping[str, _Bounds] = {
    "age": _Bounds(0.0, 120.0, {"years": 1.0, "months": 1 / 12, "weeks": 1 / 52, "days": 1 / 365}),
    "weight": _Bounds(1e-3, HEAVIEST, {"kg": 1.0, "g": 1e-3, "lbs": 0.4536}),
}
"""By the column's name in lower case."""

_SPELLED = {
    "year": "years", "y": "years", "yr": "years", "yrs": "years", "month": "months", "week": "weeks", "day": "days",
    "kilogram": "kg", "kilograms": "kg", "gram": "g", "grams": "g", "lb": "lbs", "pound": "lbs", "pounds": "lbs",
}  # fmt: skip


def doubts_of_people(table: Table, wanted: Collection[str] | None = None) -> Iterator[Finding]:
    """Yield a warning for each column of ages or weights with values that cannot be.

    Parameters
    ----------
    table : Table
        ``participants.tsv``; the unit of a column is that of its sidecar, else the usual one of BIDS.
    wanted : collection of str, optional
        The columns that are looked at; all without.
    """
    for column in table.columns if wanted is None else [one for one in table.columns if one in wanted]:
        bounds = POSSIBLE.get(column.lower())
        if bounds is None:
            continue
        unit = _unit(table, column, bounds)
        factor = bounds.units.get(unit)
        if factor is None:
            continue  # of a unit that is not known, nothing can be said
        odd = [
            f"{who} (line {line}) has {cell}"
            for line, who, cell in zip(table.lines, table.cells(ID), table.cells(column), strict=True)
            if not bounds.low <= _number(cell, bounds.low / factor) * factor <= bounds.high
        ]
        if odd:
            told = (
                f"{table.path}: column {column!r}: {shortened(odd, 5)}, which cannot be a number of {unit}; mend it, "
                f"write n/a where it is not known, or tell another unit in {table.path.stem}.json ({column}: Units)"
            )
            yield Finding("warning", table.path, column, told)


def _unit(table: Table, column: str, bounds: _Bounds) -> str:
    """The unit that the sidecar tells of a column; the usual one where it tells none or cannot be read."""
    sidecar = table.path.with_suffix(".json")
    usual = next(iter(bounds.units))
    try:
        told = Fields([sidecar]).unit_of(column) if is_there(sidecar) else None
    except InputError:
        return usual
    plain = (told or usual).strip().lower()
    return _SPELLED.get(plain, plain)


def _number(cell: str, otherwise: float) -> float:
    """The number in a cell; ``otherwise`` where it is empty or no number, as 89+ is none."""
    try:
        value = number(cell)
    except InputError:
        return otherwise
    return value if value == value else otherwise
