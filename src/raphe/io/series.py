"""One column of a table against time: the samples or knots of one quantity, each with its line in the file."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from raphe.errors import InputError
from raphe.io.columns import complete_times
from raphe.io.tables import Table

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Series:
    """The cells of a column that hold a value.

    Parameters
    ----------
    path : Path
    column : str
        Name of the column in the file.
    time : ndarray, shape (n,), min
        Ascending, from the zero of the file.
    value : ndarray, shape (n,)
    lines : tuple of int, length n
        Line of each value in the file.
    dropped : tuple of int
        Lines that were left out because they stand out of order.
    """

    path: Path
    column: str
    time: Array
    value: Array
    lines: tuple[int, ...]
    dropped: tuple[int, ...] = ()


def read_series(
    table: Table, clock: str, factor: float, column: str, scale: float = 1.0, *, drop: bool = False
) -> Series | None:
    """Values of a column at their times; None if it has none. A cell that is empty or ``n/a`` leaves its time out.

    Parameters
    ----------
    table : Table
    clock : str
        Column of times.
    factor : float
        From the unit of the times to min.
    column : str
    scale : float
        From the unit of the values to the unit that is wanted.
    drop : bool
        Whether to leave out values that stand out of order, the fewest after which the others ascend.

    Raises
    ------
    InputError
        If a time is missing, a cell is not a number, or two values of the column stand out of order or at one time. The
        message names file, column, line and value.
    """
    time, value = complete_times(table, clock), table.floats(column)
    there = np.flatnonzero(~np.isnan(value))
    rows = there[_ascending(time[there])] if drop else there
    told = table.cells(clock)
    for row, after in pairwise(rows):
        if time[after] <= time[row]:
            how = "is doubled" if time[after] == time[row] else "is out of order"
            raise InputError(
                f"{table.path}: column {clock!r}, line {table.lines[after]}: the time {told[after]} {how}: line "
                f"{table.lines[row]}, before it, has {told[row]}, and both have a value of {column!r}; put the lines "
                "in the order of time, one for each, or mend the time that is wrong (of blood samples, "
                "--blood-faults mend leaves out those that break the order)"
            )
    if not rows.size:
        return None
    lines = tuple(table.lines[row] for row in rows)
    dropped = tuple(table.lines[row] for row in there if row not in rows)
    return Series(table.path, column, time[rows] * factor, value[rows] * scale, lines, dropped)


def _ascending(time: Array) -> list[int]:
    """Longest ascending part of some times, as places; of several, the one that ends earliest."""
    length, before = [1] * time.size, [-1] * time.size
    for at in range(time.size):
        for earlier in range(at):
            if time[earlier] < time[at] and length[earlier] + 1 > length[at]:
                length[at], before[at] = length[earlier] + 1, earlier
    at = int(np.argmax(length)) if time.size else -1
    kept = []
    while at >= 0:
        kept.append(at)
        at = before[at]
    return kept[::-1]
