"""Long tables of curves: one line a region and frame."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from raphe.errors import InputError
from raphe.io.columns import read_times
from raphe.io.raw import RawCurves, activity_of
from raphe.io.tables import Table, shortened

_REGION = ("region", "roi", "name", "structure")
_ACTIVITY = re.compile(
    r"(?:activity|radioactivity|value|tac|concentration)(?: *[\[(](?P<unit>[^\])]*)[\])])?", re.IGNORECASE
)
_RADIOACTIVITY = "radioactivity"
"""Where petfit tells the unit of its curves, besides in the description of their column."""
_VOLUME = ("volume-mm3", "volume_mm3")
_SCAN = ("pet", "sub", "ses", "participant_id", "participant", "session_id", "session", "scan", "scan_id")


def is_long(table: Table) -> bool:
    """Whether the table has a column of region names."""
    return any(name.lower() in _REGION for name in table.columns)


def read_long(table: Table) -> RawCurves:
    """Curves of a table with columns ``region``, times and ``activity``, for one scan.

    Regions and frames come in the order in which they first stand; further columns are left aside, but a column
    ``volume-mm3`` gives the volumes.

    Raises
    ------
    InputError, TimingError, UnitError
        If a column is missing, the table holds several scans, a region lacks a frame or has one twice, or a cell or the
        times cannot be used.
    """
    region = _the_column(table, "region", [c for c in table.columns if c.lower() in _REGION])
    activity = _the_column(table, "activity", [c for c in table.columns if _ACTIVITY.fullmatch(c)])
    _check_one_scan(table)
    times = read_times(table)
    if times.start is None or times.end is None:
        raise InputError(f"{table.path}: a long table needs columns frame_start and frame_end (seconds)")
    spans = list(zip(times.start, times.end, strict=True))
    frames = {span: index for index, span in enumerate(dict.fromkeys(spans))}
    curves = {name: index for index, name in enumerate(dict.fromkeys(table.cells(region)))}
    values = np.zeros((len(curves), len(frames)))
    lines = np.zeros(values.shape, dtype=np.int64)
    for name, span, cell, line in zip(table.cells(region), spans, table.cells(activity), table.lines, strict=True):
        curve, frame = curves[name], frames[span]
        if lines[curve, frame]:
            raise InputError(
                f"{table.path}: region {name!r} has the frame of {_seconds(span)} in line {lines[curve, frame]} and "
                f"again in line {line}; remove one"
            )
        lines[curve, frame] = line
        values[curve, frame] = activity_of(table.path, name, frame, line, cell)
    _check_complete(table, tuple(curves), list(frames), lines)
    match = _ACTIVITY.fullmatch(activity)
    return RawCurves(
        path=table.path,
        format="long table",
        names=tuple(curves),
        values=values,
        lines=lines,
        start=np.array([start for start, _ in frames]),
        end=np.array([end for _, end in frames]),
        unit=match["unit"] if match else None,
        said=times.said,
        volumes=_volumes(table, region, tuple(curves)),
        columns=(activity, _RADIOACTIVITY),
    )


def _the_column(table: Table, what: str, candidates: Sequence[str]) -> str:
    if len(candidates) != 1:
        found = f"has {len(candidates)} ({', '.join(candidates)})" if candidates else "has none"
        raise InputError(
            f"{table.path}: a long table needs one column of {what}, but this {found}; columns: "
            f"{shortened(table.columns)}"
        )
    return candidates[0]


def _check_one_scan(table: Table) -> None:
    for column in table.columns:
        if column.lower() in _SCAN:
            labels = tuple(dict.fromkeys(table.cells(column)))
            if len(labels) > 1:
                raise InputError(
                    f"{table.path}: the column {column!r} names {len(labels)} scans ({shortened(labels, 4)}); give a "
                    "table of one scan"
                )


def _check_complete(
    table: Table, names: Sequence[str], frames: Sequence[tuple[float, float]], lines: npt.NDArray[np.int64]
) -> None:
    if "" in names:
        line = int(lines[names.index("")].max())
        raise InputError(f"{table.path}: line {line} has no region name")
    missing = np.argwhere(lines == 0)
    for curve, frame in missing[:1]:
        others = f" (and {len(missing) - 1} more are missing)" if len(missing) > 1 else ""
        raise InputError(
            f"{table.path}: region {names[curve]!r} has no line for the frame of {_seconds(frames[frame])}, which "
            f"other regions have{others}"
        )


def _volumes(table: Table, region: str, names: Sequence[str]) -> npt.NDArray[np.float64] | None:
    for column in table.columns:
        if column.lower() in _VOLUME:
            volume = dict(zip(table.cells(region), table.floats(column), strict=True))
            return np.array([volume[name] for name in names])
    return None


def _seconds(span: tuple[float, float]) -> str:
    return f"{60 * span[0]:g}-{60 * span[1]:g} s"
