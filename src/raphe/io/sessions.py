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


class ScanTime(NamedTuple):
    """Acquisition time of a PET scan, by a table of scans."""

    image: Path
    session: str | None
    when: SessionTime


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
    scans, found = scan_times(root, participant)
    times: dict[str, SessionTime] = {}
    for one in scans:
        if one.session is not None:
            times[one.session] = min(one.when, times.get(one.session, one.when))
    sessions, more = own_times(root, participant)
    return {**sessions, **times}, (*found, *more)


def scan_times(root: Path, participant: str) -> tuple[tuple[ScanTime, ...], tuple[Finding, ...]]:
    """Acquisition times of a participant's PET scans by ``*_scans.tsv``, and warnings as of :func:`session_times`.

    Raises
    ------
    InputError
        If a table cannot be read.
    """
    folder = root / f"sub-{participant}"
    scans: list[ScanTime] = []
    found: list[Finding] = []
    for path in sorted((*folder.glob("[!.]*_scans.tsv"), *folder.glob("ses-*/[!.]*_scans.tsv"))):
        table = read_table(path)
        images = [path.parent / file for file in _cells(table, "filename")]
        told, faults = _times(table, [image.parent.name == "pet" for image in images])
        found += faults
        for at, when in told.items():
            place = images[at].parent.parent.name
            session = place.removeprefix("ses-") if place.startswith("ses-") else None
            scans.append(ScanTime(images[at], session, when))
    return tuple(scans), tuple(found)


def own_times(root: Path, participant: str) -> tuple[dict[str, SessionTime], tuple[Finding, ...]]:
    """Acquisition times by ``sub-X_sessions.tsv``; else as :func:`session_times`."""
    path = root / f"sub-{participant}" / f"sub-{participant}_sessions.tsv"
    if not is_there(path):
        return {}, ()
    table = read_table(path)
    told, found = _times(table, [True] * len(table.rows))
    labels = [label.removeprefix("ses-") for label in _cells(table, "session_id")]
    return {labels[at]: when for at, when in told.items()}, tuple(found)


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
