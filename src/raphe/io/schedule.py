"""Schedules of frames: whether two agree, and whether one is believable for its radionuclide. Nothing is guessed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from raphe.core.frames import Frames
from raphe.errors import TimingError

Array = npt.NDArray[np.float64]

SHORTEST = 0.1
"""Half-lives that a scan lasts at least, unless it lasts :data:`LONG_ENOUGH`."""

LONGEST = 20.0
"""Half-lives after which nothing is left to be seen (one part in a million)."""

LONG_ENOUGH = 10.0
"""Minutes after injection from which on the end of a scan is believable for any radionuclide."""

FEW, NEAR_SIXTY = 3, 0.05
"""Frames up to which, and share of 60 by which, starts in seconds beside durations in minutes are not told."""

_ABSOLUTE, _RELATIVE = 0.01 / 60.0, 1e-3


_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d(?:\.\d*)?))?(?:Z|[+-]\d\d:?\d\d)?")

ZEROS = ("ScanStart", "InjectionStart")
"""Words that stand for a time of the day in data sets without dates."""


def is_clock(value: object) -> bool:
    """Whether a value of ``TimeZero`` is a time of the day, with a date before it or not, or a word for one."""
    return str(value).strip() in ZEROS or minute_of_day(value) is not None


def minute_of_day(value: object) -> float | None:
    """Minutes since midnight of a time of the day, with a date before it or not; None where it is none."""
    found = _CLOCK.fullmatch(str(value).strip().rpartition("T")[2].strip())
    return None if found is None else 60.0 * int(found[1]) + int(found[2]) + float(found[3] or 0) / 60.0


def check_span(frames: Frames, half_life: float, what: str) -> None:
    """Refuse a schedule that cannot be meant for its radionuclide; ``what`` names the source in the message.

    Raises
    ------
    TimingError
        If the last frame ends before injection, before a tenth of a half-life, or after twenty; if frames last a
        sixtieth of the time to the next.
    """
    if not 0 < half_life < np.inf:
        raise TimingError(f"the half-life must be a positive number of minutes, not {half_life:g} (--half-life)")
    apart = float(np.median(np.diff(frames.start) / frames.duration[:-1])) if len(frames) > FEW else 1.0
    if abs(apart / 60 - 1) < NEAR_SIXTY:
        first, next_one = 60 * frames.duration[0], 60 * (frames.start[1] - frames.start[0])
        raise TimingError(
            f"{what}: frames last a sixtieth of the time from one to the next (frame 1 {first:.4g} s of {next_one:.4g} "
            "s). Are their durations minutes? They are taken in seconds; mend them, or name their unit"
        )
    end = float(frames.end[-1])
    lives = end / half_life
    if end <= 0:
        raise TimingError(
            f"{what}: the last frame ends {-60 * end:g} s before injection; check FrameTimesStart and InjectionStart, "
            "both in seconds from TimeZero"
        )
    if end < min(SHORTEST * half_life, LONG_ENOUGH):
        raise TimingError(
            f"{what}: the scan ends {60 * end:g} s after injection, {lives:.2g} half-lives of {half_life:g} min. Are "
            "these times minutes? BIDS wants seconds: mend the times, or the half-life if that is wrong"
        )
    if lives > LONGEST:
        raise TimingError(
            f"{what}: the scan ends {end:g} min after injection, {lives:.3g} half-lives of {half_life:g} min. Do these "
            "times have another unit (milliseconds, or seconds in a column of minutes)? Mend the times, or the "
            "half-life if that is wrong"
        )


def check_agreement(
    start: Array, end: Array | None, scan_start: Array, scan_end: Array | None, what: str, sidecar: Path
) -> bool:
    """Refuse a table whose frames are not those of its sidecar; times in min from the same zero.

    Parameters
    ----------
    start, end : ndarray, shape (n_frame,), min
        Frames of the table.
    scan_start, scan_end : ndarray, shape (n_scan_frame,), min
        Frames of the sidecar.
    what : str
        Names the table in messages.
    sidecar : Path

    Returns
    -------
    bool
        False if the table stops earlier but agrees so far.

    Raises
    ------
    TimingError
        If the table has more frames, or one that differs by more than 0.01 s and 0.1 %.
    """
    shared = min(start.size, scan_start.size)
    table, scan = [start[:shared]], [scan_start[:shared]]
    if end is not None and scan_end is not None:
        table.append(end[:shared])
        scan.append(scan_end[:shared])
    differs = ~np.all(np.isclose(table, scan, rtol=_RELATIVE, atol=_ABSOLUTE), axis=0)
    for index in np.flatnonzero(differs)[:1]:
        raise TimingError(
            f"{what}: {differs.sum()} of {start.size} frames differ from {sidecar}; first frame {index + 1}, "
            f"{_span(table, index)} here and {_span(scan, index)} there{_sixty(table[-1], scan[-1])}; mend whichever "
            "is wrong"
        )
    if start.size > scan_start.size:
        raise TimingError(
            f"{what}: the table has {start.size} frames, but {sidecar} has {scan_start.size}; mend whichever is wrong"
        )
    return start.size == scan_start.size


def make_frames(start: Array, duration: Array, what: str, lines: Sequence[int] | None = None) -> Frames:
    """Frames from minutes, with ``what`` and, where ``lines`` are given, the line of the first bad frame in errors.

    Raises
    ------
    TimingError
        As :class:`raphe.core.frames.Frames`.
    """
    try:
        return Frames(start, duration)
    except TimingError as error:
        frame = re.search(r"frame (\d+)", str(error))
        line = f", line {lines[int(frame[1]) - 1]}" if frame and lines is not None else ""
        raise TimingError(f"{what}{line}: {error}") from None


def _span(times: Sequence[Array], index: int) -> str:
    return "-".join(f"{60 * one[index]:.6g}" for one in times) + " s"


def _sixty(table: Array, scan: Array) -> str:
    """Whether one of two schedules looks like minutes where the other has seconds."""
    later = (table > 0) & (scan > 0)
    if later.any():
        ratio = float(np.median(table[later] / scan[later]))
        for factor, source in ((1 / 60, "the table"), (60.0, "the sidecar")):
            if abs(ratio / factor - 1) < 0.01:
                return f". The times of {source} look like minutes where seconds belong"
    return ""
