"""Text files: delimited tables, JSON objects, and writing that leaves a whole file or none."""

from __future__ import annotations

import csv
import json
import math
import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
import numpy.typing as npt

from raphe.errors import InputError, OutputError, nearest
from raphe.io.not_fetched import absent, pointer

Array = npt.NDArray[np.float64]

ENOUGH = 8
"""Digits of several values together from which on the same ones elsewhere are no chance; an assumption."""

MISSING = ("", "n/a", "na", "nan")
"""Cells, in lower case, that say that a value is not there."""

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_COMMA_NUMBER = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?", re.ASCII)
_BOUND = re.compile(r"[<>\u2264\u2265].*|(?:below |under )?(?:l\.?o\.?[dq]|b\.?l\.?o?\.?[dq]|n\.?d)\.?", re.IGNORECASE)


@dataclass(frozen=True)
class Table:
    """A delimited text file: every cell as text, every row with the number of its line.

    Parameters
    ----------
    path : Path
    columns : tuple of str
        Names in the first line; none blank, no two alike.
    rows : tuple of tuple of str
        Cells without surrounding blanks; as many in each row as there are columns.
    lines : tuple of int
        Line of each row in the file, counted from 1.
    """

    path: Path
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]

    def cells(self, column: str) -> tuple[str, ...]:
        """Text of one column.

        Raises
        ------
        InputError
            If there is no such column; the message lists those that there are.
        """
        if column not in self.columns:
            near = nearest(column, self.columns)
            hint = f"; {near} " if near.startswith("did you mean") else " "
            raise InputError(f"{self.path}: there is no column {column!r}{hint}(columns: {shortened(self.columns)})")
        index = self.columns.index(column)
        return tuple(row[index] for row in self.rows)

    def floats(self, column: str) -> Array:
        """Numbers of one column, shape (n_row,); NaN where a cell is empty, ``n/a`` or ``nan``.

        Raises
        ------
        InputError
            If a cell is anything else, with its line and text.
        """
        values = np.empty(len(self.rows))
        for index, cell in enumerate(self.cells(column)):
            try:
                values[index] = number(cell)
            except InputError as error:
                where = f"{self.path}: column {column!r}, line {self.lines[index]}"
                raise InputError(f"{where}: {error}") from None
        return values


def read_table(path: Path, *, rows: bool = True) -> Table:
    """Read a table with one line of column names and, unless ``rows`` is False, at least one row.

    Tabs, semicolons or commas separate the cells, whichever the first line has (in this order); blanks do where it has
    none of them. A byte-order mark, any line ending, quotes as in CSV and blank lines at the end are understood.

    Raises
    ------
    InputError
        If the file is absent, a folder, binary, not UTF-8, empty or without rows; if a column has no name or the name
        of another; if a row has not as many cells as there are columns.
    """
    lines = re.split(r"\r\n|\r|\n", read_text(path))
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise InputError(f"{path} is empty; a table of one line of column names and one line a row was expected")
    separator = next((mark for mark in "\t;," if mark in lines[0]), None)
    columns = _split(path, 1, lines[0], separator)
    _check_columns(path, columns)
    if rows and len(lines) == 1:
        raise InputError(f"{path} holds column names but no rows")
    found = []
    for line, text in enumerate(lines[1:], start=2):
        cells = _split(path, line, text, separator)
        if len(cells) != len(columns):
            _refuse_ragged(path, line, text, len(cells), len(columns))
        found.append(cells)
    return Table(path, columns, tuple(found), tuple(range(2, len(lines) + 1)))


def doubled(table: Table, first: int, line: int) -> str:
    """What to do about two lines of which only one should be: delete one, or keep that which is right."""
    rows = dict(zip(table.lines, table.rows, strict=True))
    unlike = [
        f"{column} ({one or 'empty'}, {other or 'empty'})"
        for column, one, other in zip(table.columns, rows[first], rows[line], strict=True)
        if one != other
    ]
    if not unlike:
        return f"both lines say the same: delete line {line}"
    return f"the lines differ in {shortened(unlike, 4)}: keep the one that is right"


def no_chance(values: Iterable[float]) -> bool:
    """Whether values have so many digits, those that are equal counted once, that the same elsewhere are a copy."""
    written = (f"{value:.9g}".partition("e")[0].replace(".", "").lstrip("-0") for value in set(values))
    return sum(map(len, written)) >= ENOUGH


def read_json(path: Path) -> dict[str, object]:
    """Read a JSON file that holds one object, strictly.

    Raises
    ------
    InputError
        If the file cannot be read, is not JSON (line and column are given), is not an object, holds a key twice, or a
        number that JSON does not have (NaN, Infinity) or that is too large.
    """
    text = read_text(path)
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_NoNumber, parse_float=_number)
        _refuse_no_numbers(value)
    except json.JSONDecodeError as error:
        raise InputError(f"{path}: line {error.lineno}, column {error.colno}: not valid JSON: {error.msg}") from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} cannot be read as JSON: {error}") from None
    if not isinstance(value, dict):
        raise InputError(f"{path}: a JSON object {{...}} was expected, not {type(value).__name__}")
    return value


def read_text(path: Path) -> str:
    """Text of a UTF-8 file, without byte-order mark.

    Raises
    ------
    InputError
        If the file is absent, a folder, unreadable, binary or not UTF-8.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise InputError(absent(path)) from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder; a file was expected") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}; mend its permissions") from None
    if told := pointer(path, data, "text"):
        raise InputError(told)
    if (data[:4] == b"PK\x03\x04" and b"xl/" in data) or data[:4] == b"\xd0\xcf\x11\xe0":
        raise InputError(f"{path} is an Excel file, whatever its name says; save it as tab-separated text")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise InputError(f"{path} is UTF-16 text; save it as UTF-8")
    if b"\0" in data:
        raise InputError(f"{path} is a binary file; a text file was expected")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{path}: line {line} holds the byte 0x{data[error.start]:02x}, which is not UTF-8; save the file as UTF-8"
        ) from None


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file, whole or not at all; missing folders are made.

    Raises
    ------
    OutputError
        If the place cannot be written to, with the reason.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.write_text(text, encoding="utf-8", newline="\n")
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from None


def number(cell: str) -> float:
    """Read the number in a cell; NaN where it is one of :data:`MISSING`.

    Raises
    ------
    InputError
        If it is neither; the message says why and quotes the cell.
    """
    if _NUMBER.fullmatch(cell):
        value = float(cell)
        if math.isfinite(value):
            return value
        raise InputError(f"{cell!r} is too large for a number")
    if cell.lower() in MISSING:
        return math.nan
    if _COMMA_NUMBER.fullmatch(cell):
        raise InputError(f"{cell!r} has a decimal comma; write a decimal point")
    if _BOUND.fullmatch(cell):
        raise InputError(
            f"{cell!r} tells a limit of what can be measured, and no number; write the value that was measured, or n/a"
        )
    raise InputError(f"{cell!r} is not a number")


def shortened(names: Sequence[str], most: int = 12) -> str:
    """Names joined by commas, the first ``most`` of them and a count of the others."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _split(path: Path, line: int, text: str, separator: str | None) -> tuple[str, ...]:
    if separator is None:
        return tuple(text.split())
    try:
        (cells,) = csv.reader([text], delimiter=separator, strict=True) if text else ([],)
    except csv.Error as error:
        raise InputError(f"{path}: line {line} cannot be split into cells ({error}); look for a stray quote") from None
    return tuple(cell.strip() for cell in cells)


def _check_columns(path: Path, columns: tuple[str, ...]) -> None:
    if "" in columns or not columns:
        raise InputError(
            f"{path}: column {columns.index('') + 1 if columns else 1} of {len(columns)} has no name in line 1; name "
            "it or remove the separator that makes it"
        )
    for name, count in Counter(columns).items():
        if count > 1:
            raise InputError(
                f"{path}: the column {name!r} stands {count} times in line 1; rename or remove all but one"
            )


def _refuse_ragged(path: Path, line: int, text: str, n_cell: int, n_column: int) -> NoReturn:
    if not text.strip():
        raise InputError(f"{path}: line {line} is empty; remove it")
    hint = " (decimal commas in a table that commas separate?)" if "," in text and n_cell > n_column else ""
    raise InputError(f"{path}: line {line} has {n_cell} cells, but line 1 names {n_column} columns{hint}")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    for key, count in Counter(key for key, _ in pairs).items():
        if count > 1:
            raise InputError(f"the key {key!r} stands {count} times in one object; keep one")
    return dict(pairs)


class _NoNumber(str):
    """What stands for a number in a JSON file and is none: NaN, Infinity, or one that is too large."""


def _number(text: str) -> float | _NoNumber:
    value = float(text)
    return _NoNumber(text) if math.isinf(value) else value


def _refuse_no_numbers(value: object, field: str = "") -> None:
    """Refuse the first value that is no number, with the field that holds it."""
    if isinstance(value, _NoNumber):
        of = f"field {field}: " if field else ""
        if value.lstrip("-") in ("NaN", "Infinity"):
            raise InputError(f"{of}{value} is not a number in JSON; write the value, or leave the field out")
        raise InputError(f"{of}{value} is too large for a number; mend it")
    if isinstance(value, dict):
        for key, part in value.items():
            _refuse_no_numbers(part, f"{field}.{key}" if field else str(key))
    if isinstance(value, list):
        for at, part in enumerate(value, 1):
            _refuse_no_numbers(part, f"{field}, element {at}" if field else f"element {at}")
