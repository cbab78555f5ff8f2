"""Curves as a file holds them, before any unit of activity is converted or schedule believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from raphe.errors import InputError
from raphe.io.tables import number

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RawCurves:
    """Curves in the unit of the file; times in min from the zero of the file.

    Parameters
    ----------
    path : Path
    format : str
        The format in words.
    names : tuple of str, length n_curve
    values : ndarray, shape (n_curve, n_frame)
        NaN where a cell is empty or ``n/a``.
    lines : ndarray of int, shape (n_curve, n_frame)
        Line of each value in the file.
    start, end, mid : ndarray, shape (n_frame,), min, or None
        None where the file does not tell them.
    unit : str or None
        Activity concentration as the file's own header spells it.
    said : bool
        Whether the file says the unit of its times; if not, they are seconds as in BIDS.
    volumes : ndarray, shape (n_curve,), mm3, or None
    columns : tuple of str
        Columns of the file that hold activity, whose unit a description of its columns may tell.
    """

    path: Path
    format: str
    names: tuple[str, ...]
    values: Array
    lines: npt.NDArray[np.int64]
    start: Array | None
    end: Array | None
    mid: Array | None = None
    unit: str | None = None
    said: bool = True
    volumes: Array | None = None
    columns: tuple[str, ...] = ()


def activity_of(path: Path, region: str, frame: int, line: int, cell: str) -> float:
    """Activity in a cell, NaN where it has none.

    Raises
    ------
    InputError
        If the cell is not a number; the message names region, frame (from 0) as counted from 1, and line.
    """
    try:
        return number(cell)
    except InputError as error:
        raise InputError(f"{path}: region {region!r}, frame {frame + 1} (line {line}): {error}") from None


def wide_lines(n_curve: int, lines: Sequence[int]) -> npt.NDArray[np.int64]:
    """Lines of values of a table with one line a frame, shape (n_curve, n_frame)."""
    return np.broadcast_to(np.array(lines, dtype=np.int64), (n_curve, len(lines)))
