"""Scores of participants: tables of ``phenotype/``, one row a participant, or one a participant and visit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from raphe.errors import InputError, nearest
from raphe.io.not_fetched import is_there
from raphe.io.participants import ID
from raphe.io.tables import Table, doubled, number, read_json, read_table

SESSION = ("session_id", "session", "visit")
"""Columns of which one names the visit of a row."""

RANGES: Mapping[str, tuple[float, float]] = {
    "madrs": (0, 60),
    "hamd17": (0, 52),
    "hdrs17": (0, 52),
    "bdi": (0, 63),
    "qids": (0, 27),
    "phq9": (0, 27),
}
"""Lowest and highest value of some scales of depression, where the sidecar does not tell them."""


@dataclass(frozen=True)
class Score:
    """A score as a table has it.

    Parameters
    ----------
    path : Path
    name : str
    visits : mapping of str to mapping of str to float
        By visit, ``""`` where it was taken once: the value of each participant; NaN where it is missing.
    """

    path: Path
    name: str
    visits: Mapping[str, Mapping[str, float]]
    lines: Mapping[str, int]
    """The first line of each participant."""


def score_names(folder: Path) -> tuple[str, ...]:
    """Names under which scores may be asked for: tables, and columns of tables."""
    names: list[str] = []
    for path in _tables(folder):
        table = _read(path)
        names += [path.stem, *(column for column in table.columns if column != ID and column not in SESSION)]
    return tuple(dict.fromkeys(names))


def read_score(folder: Path, name: str) -> Score | None:
    """Read a score: the table of that name, else the column of that name in any table; None if there is neither.

    A table of that name has a column of values and one of visits (:data:`SESSION`), or a column for each visit. The
    range of values comes from the JSON sidecar (``Levels``, or ``Minimum`` and ``Maximum``), else from :data:`RANGES`.

    Raises
    ------
    InputError
        If the table cannot be read, an id is wrong, a participant stands twice, or a value is not a number or lies
        outside of the scale; with file, column and line.
    """
    for path in _tables(folder):
        if path.stem.lower() == name.lower():
            return _of_table(path, name)
    for path in _tables(folder):
        table = _read(path)
        if name in table.columns:
            return Score(path, name, _long(table, name, name), _lines(table))
    return None


def _tables(folder: Path) -> list[Path]:
    return sorted(folder.glob("[!.]*.tsv")) if folder.is_dir() else []


def _read(path: Path) -> Table:
    table = read_table(path)
    table.cells(ID)
    return table


def _of_table(path: Path, name: str) -> Score:
    table = _read(path)
    own = next((column for column in table.columns if column.lower() == name.lower()), None)
    others = [column for column in table.columns if column != ID and column not in SESSION]
    by_visit = any(column in SESSION for column in table.columns)
    if own is not None:
        return Score(path, name, _long(table, own, name), _lines(table))
    if by_visit:
        if len(others) != 1:
            raise InputError(
                f"{path}: none of its columns is called {name!r}, so it is not known which holds the score; "
                f"{nearest(name, others)}"
            )
        return Score(path, name, _long(table, others[0], name), _lines(table))
    by_column = {one.removeprefix("ses-"): _column(table, one, name, {}).get("", {}) for one in others}
    return Score(path, name, by_column, _lines(table))


def _lines(table: Table) -> dict[str, int]:
    rows = reversed([*zip(table.cells(ID), table.lines, strict=True)])
    return {who.removeprefix("sub-"): line for who, line in rows}


def _long(table: Table, column: str, name: str) -> dict[str, dict[str, float]]:
    place = next((one for one in SESSION if one in table.columns), None)
    visits = dict(zip(table.lines, table.cells(place), strict=True)) if place else {}
    return _column(table, column, name, {line: visit.removeprefix("ses-") for line, visit in visits.items()})


def _column(table: Table, column: str, name: str, visits: Mapping[int, str]) -> dict[str, dict[str, float]]:
    """Values of a column by visit and participant; ``visits`` is the visit of each line, empty for none."""
    low, high = _range(table, column, name)
    found: dict[str, dict[str, float]] = {}
    lines: dict[tuple[str, str], int] = {}
    for line, who, cell in zip(table.lines, table.cells(ID), table.cells(column), strict=True):
        where = f"{table.path}: column {column!r}, line {line}"
        if not who.startswith("sub-"):
            raise InputError(f"{table.path}: {ID}, line {line}: {who!r} does not begin with 'sub-'; write sub-{who}")
        try:
            value = number(cell)
        except InputError as error:
            raise InputError(f"{where}: {error}") from None
        if value < low or value > high:
            raise InputError(f"{where}: {who} has {value:g}, but {name} goes from {low:g} to {high:g}; mend the table")
        person, visit = who.removeprefix("sub-"), visits.get(line, "")
        if (person, visit) in lines:
            also, first = f" in visit {visit!r}" if visit else "", lines[person, visit]
            raise InputError(f"{where}: {who} stands{also} in line {first} already; {doubled(table, first, line)}")
        lines[person, visit] = line
        found.setdefault(visit, {})[person] = value
    return found


def _range(table: Table, column: str, name: str) -> tuple[float, float]:
    """Lowest and highest value of a column; infinite where nobody tells."""
    sidecar = table.path.with_suffix(".json")
    told = read_json(sidecar).get(column) if is_there(sidecar) else None
    if isinstance(told, dict):
        low, high = told.get("Minimum"), told.get("Maximum")
        levels = _numbers(list(told["Levels"])) if isinstance(told.get("Levels"), dict) else []
        if isinstance(low, int | float) and isinstance(high, int | float):
            return float(low), float(high)
        if levels:
            return min(levels), max(levels)
    return RANGES.get(name.lower(), (float("-inf"), float("inf")))


def _numbers(texts: Sequence[object]) -> list[float]:
    """Numbers that the names of levels are; empty where one is none."""
    try:
        return [float(str(text)) for text in texts]
    except ValueError:
        return []
