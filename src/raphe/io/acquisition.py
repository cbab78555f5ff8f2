"""Acquisition times of a person's scans, held against those of the sessions and of the PET sidecars.

Dates may be shifted for privacy, by as much for all of a person's scans; clocks may be of two time zones. Neither is a
doubt.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, time, timedelta
from pathlib import Path
from typing import NamedTuple

from raphe.data.finding import Finding
from raphe.errors import InputError
from raphe.io.fields import Fields
from raphe.io.names import parse_name, scan_sidecars
from raphe.io.schedule import minute_of_day
from raphe.io.sessions import TIME, ScanTime, SessionTime, own_times, scan_times

EARLIER = timedelta(hours=1)
"""By how much a scan may come before its session, for two clocks."""

LONGEST = 31
"""Days that a session lasts at most."""

APART = 90.0
"""Minutes by which a scan's time and its sidecar's may differ, for what was acquired before the emission."""

SHIFTED = 1925
"""Up to this year dates are shifted, as BIDS wants it."""

ZONE, OF_A_ZONE = 30.0, 3.0
"""Minutes of which time zones differ by multiples, and by how much two times of one scan differ besides."""

DAY = 24 * 60.0


class _Told(NamedTuple):
    """A scan's time, and one of its sidecar: days or minutes by which the first is later."""

    scan: ScanTime
    by: float
    field: str
    source: Path
    value: str


def doubts_of_times(root: Path, participant: str) -> Iterator[Finding]:
    """Yield scans of a participant whose times in ``*_scans.tsv`` contradict their session's or their sidecar's.

    Raises
    ------
    InputError
        If a table of sessions or scans cannot be read.
    """
    scans = scan_times(root, participant)[0]
    yield from _against_sessions(scans, own_times(root, participant)[0])
    days, minutes = list[_Told](), list[_Told]()
    for scan in scans:
        fields = _fields(scan, root)
        if fields is not None:
            days += _days(scan, fields)
            minutes += _minutes(scan, fields)
    yield from _odd_days(days)
    yield from _odd_minutes(minutes)


def _against_sessions(scans: Sequence[ScanTime], sessions: Mapping[str, SessionTime]) -> Iterator[Finding]:
    pairs = [
        (one, session)
        for one in scans
        if (session := sessions.get(one.session or "")) and _real(one.when) == _real(session)
    ]
    days = [(one.when.time.date() - session.time.date()).days for one, session in pairs]
    if len({one.session for one, _ in pairs}) > 1 and max(days) - min(days) <= LONGEST and 0 not in days:
        return
    for (one, session), late in zip(pairs, days, strict=True):
        begun = f"its session began at {session.told} by {session.path.name}, line {session.line}"
        if late > LONGEST:
            yield _doubt(one, f"but {begun}, {late} days before")
        elif late < 0 or (_has_clock(one.when) and _has_clock(session) and one.when.time < session.time - EARLIER):
            yield _doubt(one, f"but {begun}, after that")


def _fields(scan: ScanTime, root: Path) -> Fields | None:
    try:
        name = parse_name(scan.image)
        paths = scan_sidecars(name.entities, root) if name.suffix == "pet" and "sub" in name.entities else ()
        return Fields(paths) if paths else None
    except InputError:
        return None  # a finding of the scan tells it


def _days(scan: ScanTime, fields: Fields) -> Iterator[_Told]:
    for field in ("ScanDate", "TimeZero"):
        value = str(fields.value(field) or "").strip()
        try:
            day = date.fromisoformat(value.partition("T")[0])
        except ValueError:
            continue
        yield _Told(scan, (scan.when.time.date() - day).days, field, fields.source(field), value)
        return


def _minutes(scan: ScanTime, fields: Fields) -> Iterator[_Told]:
    """Yield the time from TimeZero, or from the start of the scan if that is nearer."""
    value = fields.value("TimeZero")
    zero = minute_of_day(value)
    if not zero or not _has_clock(scan.when):
        return  # midnight stands for a time that is not told
    own = scan.when.time
    after = (60.0 * own.hour + own.minute + own.second / 60.0 - zero) % DAY
    try:
        start = (fields.number("ScanStart") or 0.0) / 60.0
    except InputError:
        start = 0.0
    nearest = min((_wrapped(after), _wrapped(after - start)), key=abs)
    yield _Told(scan, nearest, "TimeZero", fields.source("TimeZero"), str(value))


def _odd_days(told: Sequence[_Told]) -> Iterator[Finding]:
    shifts = Counter(one.by for one in told)
    usual = max(shifts, key=lambda shift: (shifts[shift], shift == 0), default=0)
    for one in told:
        if abs(one.by - usual) > 1:
            apart = f"{one.by:.0f} days apart, and {usual:.0f} in the person's other scans"
            yield _doubt(one.scan, f"but {one.field} of {one.source} is {one.value} ({apart})")


def _odd_minutes(told: Sequence[_Told]) -> Iterator[Finding]:
    apart = [one.by for one in told]
    if len(told) > 1 and (max(apart) - min(apart) <= OF_A_ZONE or len({one.value for one in told}) == 1):
        return  # shifted, or one word in place of every scan's own time
    for one in told:
        if abs(one.by) > APART and abs((one.by + ZONE / 2) % ZONE - ZONE / 2) > OF_A_ZONE:
            yield _doubt(one.scan, f"but {one.field} of {one.source} is {one.value}")


def _doubt(scan: ScanTime, but: str) -> Finding:
    when = scan.when
    told = f"{when.path}: {TIME}, line {when.line}: {scan.image.name} was acquired at {when.told}, {but}"
    return Finding("warning", when.path, TIME, f"{told}; mend whichever is wrong")


def _real(when: SessionTime) -> bool:
    return when.time.year > SHIFTED


def _has_clock(when: SessionTime) -> bool:
    return when.time.time() != time(0)


def _wrapped(minutes: float) -> float:
    return (minutes + DAY / 2) % DAY - DAY / 2
