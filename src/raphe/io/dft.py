"""Turku PET Centre's DFT files.

Four title lines (identifier and region names; study and hemispheres; unit and planes; kind and unit of times, sizes)
precede one line a frame; blanks or tabs separate the cells, ``.`` stands for what is not there, ``#`` begins a remark
(https://vesoik.utugit.fi/petanalysis/format_tpc_dft.html).
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from raphe.errors import InputError
from raphe.io.place import located
from raphe.io.raw import RawCurves, activity_of, wide_lines
from raphe.io.tables import number
from raphe.io.units import minutes

N_TITLE = 4


class _Line(NamedTuple):
    number: int
    cells: list[str]


def is_dft(text: str) -> bool:
    """Whether the text of a file is a DFT: its first line that is no remark begins with ``DFT``."""
    return any(line.cells[0].upper().startswith("DFT") for line in _lines(text)[:1])


def read_dft(path: Path, text: str) -> RawCurves:
    """Curves of a DFT file; a region's name joins name, hemisphere and plane by ``_``.

    Sizes are left aside, as the file does not say their unit, and so is a curve called ``weight``.

    Raises
    ------
    InputError, UnitError
        If a title line is missing or short, the times are of a kind that raphe does not know, or a cell is unusable.
    """
    lines = _lines(text)
    if len(lines) <= N_TITLE:
        raise InputError(
            f"{path}: a DFT file has {N_TITLE} title lines and one line a frame; this has {len(lines)} lines"
        )
    titles, rows = lines[:N_TITLE], lines[N_TITLE:]
    names = _names(path, titles)
    n_time, factor = _times(path, titles[3])
    cells = np.empty((n_time + len(names), len(rows)))
    for frame, row in enumerate(rows):
        if len(row.cells) != len(cells):
            raise InputError(
                f"{path}: line {row.number} has {len(row.cells)} cells; {n_time} times and {len(names)} regions were "
                "expected"
            )
        for column in range(n_time):
            with located(f"{path}: time in line {row.number}"):
                cells[column, frame] = number(row.cells[column]) * factor
        for curve, name in enumerate(names):
            cell = row.cells[n_time + curve]
            cells[n_time + curve, frame] = activity_of(path, name, frame, row.number, "" if cell == "." else cell)
    keep = [index for index, name in enumerate(names) if name.lower() != "weight"]
    return RawCurves(
        path=path,
        format="DFT",
        names=tuple(names[index] for index in keep),
        values=cells[n_time:][keep],
        lines=wide_lines(len(keep), [row.number for row in rows]),
        start=cells[0] if n_time == 2 else None,
        end=cells[1] if n_time == 2 else None,
        mid=None if n_time == 2 else cells[0],
        unit=None if titles[2].cells[0] == "." else titles[2].cells[0],
    )


def _lines(text: str) -> list[_Line]:
    lines = []
    for index, line in enumerate(text.splitlines(), start=1):
        content = line.partition("#")[0]
        if content.strip():
            cells = content.split("\t") if "\t" in content else content.split()
            lines.append(_Line(index, [cell.strip() or "." for cell in cells]))
    return lines


def _names(path: Path, titles: list[_Line]) -> list[str]:
    n_curve = len(titles[0].cells) - 1
    if n_curve < 1:
        raise InputError(f"{path}: line {titles[0].number} names no region")
    parts = []
    for title in titles[:3]:
        cells = [cell for index, cell in enumerate(title.cells) if index != 1 or not cell.startswith("(")]
        if len(cells) != n_curve + 1:
            raise InputError(
                f"{path}: title line {title.number} has {len(cells)} cells; one and {n_curve}, one a region, were "
                "expected ('.' for what is not known)"
            )
        parts.append(cells[1:])
    joined = ["_".join(part for part in each if part != ".") for each in zip(*parts, strict=True)]
    return [name or str(index) for index, name in enumerate(joined, start=1)]


def _times(path: Path, title: _Line) -> tuple[int, float]:
    """Tell the number of time columns and the factor from their unit to min."""
    kind, _, unit = " ".join(title.cells[:2]).partition("(")
    columns = {"times": 2, "time": 1}.get(kind.strip().lower())
    if columns is None:
        raise InputError(
            f"{path}: line {title.number}: 'Times (min)' or 'Times (sec)' was expected, not {kind.strip()!r}"
        )
    with located(f"{path}: line {title.number}"):
        return columns, minutes(unit.partition(")")[0])
