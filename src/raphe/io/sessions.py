"""The order of sessions.

Within a participant, sessions stand in the order of their acquisition times where ``sub-X_sessions.tsv`` or the
``*_scans.tsv`` tell the time of each (``acq_time``). Otherwise, and for a study as a whole, labels with a word of what
comes first (baseline, pre, before, control, test, but not retest or post) precede the others, and each of the two
groups stands as a person would count and spell: ``2`` before ``10``, ``a`` before ``b``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from raphe.data.finding import Finding
from raphe.io.names import natural_key
from raphe.io.not_fetched import is_there
from raphe.io.tables import MISSING, Table, read_table

TIME = "acq_time"

_FIRST = re.compile(r"base|before|control|test|^pre|pre$|predose|predrug")
_LATER = re.compile(r"(?<!p)re-?test|rescan|post|after|follow")
_SERIES = re.compile(r"(|scan|pet|session|visit|time|timepoint|day|week|month|year|tp?|v|d|w|m|y)\d+")
"""Labels that count: of doses (``dose10``) none is the earlier."""


def session_key(label: str | None) -> tuple[bool, tuple[tuple[int, str], ...]]:
    """Key by which labels of sessions sort where acquisition times do not tell their order."""
    text = (label or "").lower()
    first = bool(_FIRST.search(text)) and not _LATER.search(text)
    return not first, natural_key(text)


def ordered(labels: Iterable[str | None], times: dict[str, datetime]) -> list[str | None]:
    """Sessions of one participant in order; ``times`` as of :func:`acquisition_times`."""
    distinct = sorted(set(labels), key=session_key)
    known = [(times[label], label) for label in distinct if label is not None and label in times]
    if len(known) != len(distinct):
        return distinct
    return [label for _, label in sorted(known, key=lambda pair: pair[0])]


def labels_tell_order(one: str, other: str) -> bool:
    """Whether two labels say by themselves which session is the earlier: by a word, or as numbers of one series.

    A session called control may be a condition of a crossover, and says nothing.
    """
    earlier = [session_key(label)[0] for label in (one, other) if "control" not in label.lower()]
    if len(earlier) == 2 and earlier[0] != earlier[1]:
        return True
    series = [_SERIES.fullmatch(label.lower()) for label in (one, other)]
    return one != other and series[0] is not None and series[1] is not None and series[0][1] == series[1][1]


class SessionTime(NamedTuple):
    """Acquisition time of a session, and where it stands."""

    time: datetime
    path: Path
    line: int
    told: str
    """The cell."""


def acquisition_times(root: Path, participant: str) -> dict[str, datetime]:
    """Acquisition time of each session of a participant, where the dataset tells it.

    Raises
    ------
    InputError
        If a table of sessions or scans cannot be read.
    """
    return {label: one.time for label, one in session_times(root, participant)[0].items()}


def session_times(root: Path, participant: str) -> tuple[dict[str, SessionTime], tuple[Finding, ...]]:
    """Acquisition time of each session of a participant by label, and warnings about times that cannot be read.

    Raises
    ------
    InputError
        If a table of sessions or scans cannot be read.
    """
    folder = root / f"sub-{participant}"
    times: dict[str, SessionTime] = {}
    found: list[Finding] = []
    for path in sorted(folder.glob("ses-*/[!.]*_scans.tsv")):
        table = read_table(path)
        of_pet = [file.startswith("pet/") for file in _cells(table, "filename")]
        told, faults = _times(table, of_pet)
        found += faults
        if told:
            times[path.parent.name.removeprefix("ses-")] = min(told.values())
    path = folder / f"sub-{participant}_sessions.tsv"
    if is_there(path):
        table = read_table(path)
        told, faults = _times(table, [True] * len(table.rows))
        found += faults
        for at, label in enumerate(_cells(table, "session_id")):
            if at in told:
                times.setdefault(label.removeprefix("ses-"), told[at])
    return times, tuple(found)


def _cells(table: Table, column: str) -> tuple[str, ...]:
    return table.cells(column) if column in table.columns else ("",) * len(table.rows)


def _times(table: Table, wanted: Sequence[bool]) -> tuple[dict[int, SessionTime], list[Finding]]:
    """Times of the rows that are wanted, by the number of the row; and what stands in place of one."""
    times: dict[int, SessionTime] = {}
    found = []
    for at, (line, cell) in enumerate(zip(table.lines, _cells(table, TIME), strict=True)):
        if not wanted[at] or cell.lower() in MISSING:
            continue
        try:
            times[at] = SessionTime(datetime.fromisoformat(cell).replace(tzinfo=None), table.path, line, cell)
        except ValueError:
            told = (
                f"{table.path}: {TIME}, line {line}: {cell!r} is no date and time as BIDS writes them "
                "(2023-04-26T13:05:00), so it does not tell the order of sessions; write it so, or n/a"
            )
            found.append(Finding("warning", table.path, TIME, told))
    return times, found
