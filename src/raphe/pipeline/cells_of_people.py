"""Cells of ``participants.tsv`` that make classes that nobody meant: texts among numbers, spellings of one class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from raphe.data.finding import Finding
from raphe.data.people import NOT_KNOWN
from raphe.errors import InputError
from raphe.io.participants import ID
from raphe.io.tables import Table, number, shortened

FEWEST = 3
"""Numbers in a column, besides more than half of its cells, from which on it is one of numbers."""

SEX = ("sex", "gender")
"""Columns, in lower case, whose classes have abbreviations."""

_ABBREVIATED = {"male": "m", "female": "f", "other": "o"}
_UNKNOWN = ("?", "unknown")
_OTHERWISE = (
    ", but most cells of this covariate are; write the number, or n/a where it is not known, or a word in every line "
    "if they are classes"
)


def mixed_numbers(table: Table, column: str) -> Iterator[Finding]:
    """Yield the first cell that is no number, as an error, where most of a covariate's cells are numbers.

    A decimal comma counts as one. Otherwise the covariate would have a class for each number.
    """
    known = _known(table, column)
    meant = sum(_is_number(cell.replace(",", ".")) for _, cell in known)
    if meant >= FEWEST and 2 * meant > len(known):
        yield from _no_numbers(table, column, _OTHERWISE)


def no_exposures(table: Table, column: str) -> Iterator[Finding]:
    """Yield the first cell of a column of doses or concentrations that is no number, as an error."""
    yield from _no_numbers(table, column, "; give the dose or concentration as a number, or n/a where it is not known")


def _no_numbers(table: Table, column: str, way_out: str) -> Iterator[Finding]:
    wrong: dict[int, str] = {}
    for line, cell in _known(table, column):
        try:
            number(cell)
        except InputError as error:
            wrong[line] = str(error)
    if not wrong:
        return
    line, *others = wrong
    also = f" (likewise line {shortened([str(one) for one in others])})" if others else ""
    how = "" if "decimal comma" in wrong[line] else way_out
    where = f"{table.path}: column {column!r}, line {line}"
    yield Finding("error", table.path, column, f"{where}: {wrong[line]}{how}{also}")


def spelled_alike(table: Table, column: str) -> Iterator[Finding]:
    """Yield warnings: classes that differ only in case, blanks or (sex) abbreviation, and unknown sex as a class."""
    people: dict[str, list[str]] = {}
    for who, cell in zip(table.cells(ID), table.cells(column), strict=True):
        if cell.lower() not in NOT_KNOWN:
            people.setdefault(cell, []).append(who)
    if all(_is_number(cell) for cell in people):
        return
    spellings: dict[str, list[str]] = {}
    for cell in people:
        spellings.setdefault(_key(column, cell), []).append(cell)
    where = f"{table.path}: column {column!r}"
    for cells in spellings.values():
        if len(cells) > 1:
            told = " and ".join(_told(cell, people[cell]) for cell in cells)
            how = "count as different classes; write them alike if they are one"
            yield Finding("warning", table.path, column, f"{where}: {told} {how}")
    for cell in people:
        if column.lower() in SEX and cell.lower() in _UNKNOWN:
            how = f"{_told(cell, people[cell])} counts as a class of its own; write n/a if it is not known"
            yield Finding("warning", table.path, column, f"{where}: {how}")


def _known(table: Table, column: str) -> list[tuple[int, str]]:
    """Line and cell of those who have one."""
    cells = zip(table.lines, table.cells(column), strict=True)
    return [(line, cell) for line, cell in cells if cell.lower() not in NOT_KNOWN]


def _is_number(cell: str) -> bool:
    try:
        number(cell)
    except InputError:
        return False
    return True


def _key(column: str, cell: str) -> str:
    """What spellings of one class have in common."""
    key = "".join(cell.split()).casefold()
    return _ABBREVIATED.get(key, key) if column.lower() in SEX else key


def _told(cell: str, who: Sequence[str]) -> str:
    return f"{cell!r} ({shortened(who, 3)})"
