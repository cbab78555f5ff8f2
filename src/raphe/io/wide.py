"""Wide tables of curves: one line a frame, one column a region (BIDS and PMOD's ``.tac``)."""

from __future__ import annotations

import re

import numpy as np

from raphe.errors import InputError
from raphe.io.columns import Times, is_curve, read_times
from raphe.io.place import located
from raphe.io.raw import RawCurves, activity_of, wide_lines
from raphe.io.tables import Table, shortened
from raphe.io.units import minutes

_PMOD_START = re.compile(r"start *\[(?P<unit>[^\]]*)\]", re.IGNORECASE)
_PMOD_END = re.compile(r"end *\[(?P<unit>[^\]]*)\]", re.IGNORECASE)
_TIME_UNITS = frozenset({"seconds", "minutes", "sec", "min", "s"})


def is_pmod(table: Table) -> bool:
    """Whether the header is PMOD's: ``start[seconds]``, ``end[kBq/cc]`` and then the regions."""
    first, second = (*table.columns, "", "")[:2]
    return bool(_PMOD_START.fullmatch(first) and _PMOD_END.fullmatch(second))


def read_wide(table: Table) -> RawCurves:
    """Curves of a table whose columns are times and regions; times may be absent altogether.

    Raises
    ------
    InputError, TimingError, UnitError
        If there is no region, or a cell or the times cannot be used.
    """
    with located(table.path):
        names = tuple(name for name in table.columns if is_curve(name))
        if len(names) > 1 and names[0] == table.columns[0] and _counts_rows(table, names[0]):
            names = names[1:]
        if not names:
            raise InputError(f"there is no column with a curve (columns: {shortened(table.columns)})")
    return _curves(table, "wide table", names, read_times(table), None)


def read_pmod(table: Table) -> RawCurves:
    """Curves of a PMOD ``.tac``: both times are in the unit of the start, the activity in the unit of the end.

    Raises
    ------
    InputError, TimingError, UnitError
        If there is no region, or a cell or the times cannot be used.
    """
    first, second, *regions = table.columns
    start, end = _PMOD_START.fullmatch(first), _PMOD_END.fullmatch(second)
    if start is None or end is None:
        raise InputError(f"{table.path}: the header of a PMOD file begins with start[seconds] and end[kBq/cc]")
    with located(f"{table.path}: {first}"):
        factor = minutes(start["unit"])
    names = tuple(name for name in regions if is_curve(name))
    if not names:
        raise InputError(f"{table.path}: there is no column with a curve after {first} and {second}")
    unit = None if end["unit"].lower() in _TIME_UNITS else end["unit"]
    times = Times(table.floats(first) * factor, table.floats(second) * factor, None, True)
    return _curves(table, "PMOD tac", names, times, unit)


def _counts_rows(table: Table, name: str) -> bool:
    """Whether a column numbers the rows from 0 or 1 on, as programs write it beside a table."""
    cells = table.cells(name)
    return (
        len(cells) > 2
        and cells[0] in ("0", "1")
        and cells == tuple(str(int(cells[0]) + at) for at in range(len(cells)))
    )


def _curves(table: Table, kind: str, names: tuple[str, ...], times: Times, unit: str | None) -> RawCurves:
    columns = [table.columns.index(name) for name in names]
    values = np.empty((len(names), len(table.rows)))
    for frame, (row, line) in enumerate(zip(table.rows, table.lines, strict=True)):
        for curve, column in enumerate(columns):
            values[curve, frame] = activity_of(table.path, names[curve], frame, line, row[column])
    lines = wide_lines(len(names), table.lines)
    return RawCurves(
        table.path, kind, names, values, lines, times.start, times.end, times.mid, unit, times.said, columns=names
    )
