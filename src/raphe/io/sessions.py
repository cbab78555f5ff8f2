"""The order of sessions.

Within a participant, sessions stand in the order of their acquisition times where ``sub-X_sessions.tsv`` or the
``*_scans.tsv`` tell the time of each (``acq_time``). Otherwise, and for a study as a whole, labels with a word of what
comes first (baseline, pre, before, control, test, but not retest or post) precede the others, and each of the two
groups stands as a person would count and spell: ``2`` before ``10``, ``a`` before ``b``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from raphe.io.names import natural_key
from raphe.io.tables import Table, read_table

_FIRST = re.compile(r"base|before|control|test|^pre|pre$|predose|predrug")
_LATER = re.compile(r"(?<!p)re-?test|rescan|post|after|follow")


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


def acquisition_times(root: Path, participant: str) -> dict[str, datetime]:
    """Acquisition time of each session of a participant, where the dataset tells it.

    Raises
    ------
    InputError
        If a table of sessions or scans cannot be read.
    """
    folder = root / f"sub-{participant}"
    times: dict[str, datetime] = {}
    for path in sorted(folder.glob("ses-*/[!.]*_scans.tsv")):
        table = read_table(path)
        files = _cells(table, "filename")
        told = [time for time, file in zip(_times(table), files, strict=True) if time and file.startswith("pet/")]
        if told:
            times[path.parent.name.removeprefix("ses-")] = min(told)
    path = folder / f"sub-{participant}_sessions.tsv"
    if path.is_file():
        table = read_table(path)
        for label, time in zip(_cells(table, "session_id"), _times(table), strict=True):
            if time is not None:
                times.setdefault(label.removeprefix("ses-"), time)
    return times


def _cells(table: Table, column: str) -> tuple[str, ...]:
    return table.cells(column) if column in table.columns else ("",) * len(table.rows)


def _times(table: Table) -> list[datetime | None]:
    return [_time(cell) for cell in _cells(table, "acq_time")]


def _time(cell: str) -> datetime | None:
    try:
        return datetime.fromisoformat(cell).replace(tzinfo=None)
    except ValueError:
        return None
