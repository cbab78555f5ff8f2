"""Columns of tables of curves: which hold times, and which hold curves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from raphe.errors import InputError, TimingError, UnitError
from raphe.io.place import located
from raphe.io.tables import Table
from raphe.io.units import minutes

Array = npt.NDArray[np.float64]

_TIME = re.compile(
    r"(?P<frame>frame)?[ _]?(?:times?)?[ _]?(?P<role>start|end|duration|dur|mid)(?:[ _]?(?:times?|points?))?"
    r"(?:[ _]*[\[(]?(?P<unit>ms|s|secs?|seconds?|min|mins|minutes?|h|hr|hours?)[\])]?)?",
    re.IGNORECASE,
)
_PLAIN = frozenset({"frame", "frames", "frame_number", "weight", "weights"})
_TOLERANCE = 0.01 / 60.0


class TimeColumn(NamedTuple):
    """A column that holds times of frames."""

    role: str
    """``start``, ``end``, ``duration`` or ``mid``."""
    unit: str | None
    """Unit that the name says; None for BIDS' own names (``frame_start``), which are in seconds."""


@dataclass(frozen=True, eq=False)
class Times:
    """What the time columns of a table say, in min from the zero of the file; None where they do not say it."""

    start: Array | None
    end: Array | None
    mid: Array | None
    said: bool
    """Whether the names of the columns say their unit."""


def time_column(name: str) -> TimeColumn | None:
    """Tell whether a column holds times of frames.

    Raises
    ------
    UnitError
        If it does, but its name says no unit and is not one that BIDS gives a meaning.
    """
    match = _TIME.fullmatch(name)
    if match is None:
        return None
    role = "duration" if match["role"].lower() == "dur" else match["role"].lower()
    if match["unit"] is None and match["frame"] is None:
        raise UnitError(
            f"the column {name!r} holds times, but its unit is not said; call it {role}_s, {role}_min or frame_{role} "
            "(seconds)"
        )
    return TimeColumn(role, match["unit"])


def is_curve(name: str) -> bool:
    """Whether a column of a wide table holds a curve, not times, frame numbers or weights."""
    return _TIME.fullmatch(name) is None and name.lower() not in _PLAIN


def read_times(table: Table) -> Times:
    """Read the times of the rows of a table, from whichever of start, end, duration and mid its columns tell.

    Raises
    ------
    InputError, TimingError, UnitError
        If a time is missing or not a number, two columns tell the same, three disagree or a unit is not said.
    """
    told: dict[str, Array] = {}
    said = True
    for name in table.columns:
        with located(table.path):
            column = time_column(name)
        if column is None:
            continue
        if column.role in told:
            raise InputError(f"{table.path}: the column {name!r} tells the {column.role} of frames a second time")
        said = said and column.unit is not None
        told[column.role] = complete_times(table, name) * minutes(column.unit or "s")
    start, end, duration, mid = (told.get(role) for role in ("start", "end", "duration", "mid"))
    if start is None and duration is not None:
        start = end - duration if end is not None else None if mid is None else mid - duration / 2
    if start is not None and end is None:
        end = start + duration if duration is not None else None if mid is None else 2 * mid - start
    if start is not None and end is not None:
        _agree(table, "duration", duration, end - start)
        _agree(table, "mid-time", mid, (start + end) / 2)
    return Times(start, end, mid, said)


def complete_times(table: Table, name: str) -> Array:
    """Numbers of a column of times, shape (n_row,); InputError if one is missing or not a number."""
    values = table.floats(name)
    for index in np.flatnonzero(np.isnan(values))[:1]:
        raise InputError(f"{table.path}: column {name!r}, line {table.lines[index]}: the time is missing")
    return values


def _agree(table: Table, what: str, told: Array | None, derived: Array) -> None:
    if told is None:
        return
    for index in np.flatnonzero(~np.isclose(told, derived, rtol=1e-3, atol=_TOLERANCE))[:1]:
        raise TimingError(
            f"{table.path}: line {table.lines[index]}: the {what} of the frame is {60 * told[index]:g} s, but its "
            f"other times give {60 * derived[index]:g} s"
        )
