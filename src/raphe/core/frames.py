"""The schedule of a dynamic scan."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from raphe.errors import TimingError

Array = npt.NDArray[np.float64]

OVERLAP_TOLERANCE = 1e-3
"""Largest overlap of two frames, as a share of the shorter one, that is taken as rounding of the clock."""


@dataclass(frozen=True, eq=False)
class Frames:
    """Start and duration of each frame, in minutes from injection.

    Parameters
    ----------
    start : array_like of float, shape (n_frame,), min
        Time from injection at which each frame begins; ascending.
    duration : array_like of float, shape (n_frame,), min
        Length of each frame; positive. Gaps between frames are allowed, overlap is not.

    Raises
    ------
    TimingError
        If a time is not finite, a frame has no length, frames run backwards or overlap by more than rounding. The
        message names the frame, counted from 1, and its times in seconds. Mend the schedule in the table or sidecar.
    """

    start: Array
    duration: Array
    end: Array = field(init=False, repr=False)
    mid: Array = field(init=False, repr=False)

    def __post_init__(self) -> None:
        start = np.array(self.start, dtype=float, ndmin=1)
        duration = np.array(self.duration, dtype=float, ndmin=1)
        _check(start, duration)
        end = start + duration
        end[:-1] = np.minimum(end[:-1], start[1:])  # overlap within the tolerance is the clock's rounding
        duration = end - start
        for name, value in (("start", start), ("duration", duration), ("end", end), ("mid", start + duration / 2)):
            value.flags.writeable = False
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return self.start.size

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Frames):
            return NotImplemented
        return np.array_equal(self.start, other.start) and np.array_equal(self.duration, other.duration)

    __hash__ = None  # type: ignore[assignment]

    def first(self, n_frame: int) -> Frames:
        """Schedule of the first ``n_frame`` frames."""
        return Frames(self.start[:n_frame], self.duration[:n_frame])


def _check(start: Array, duration: Array) -> None:
    if start.ndim != 1 or start.shape != duration.shape or start.size == 0:
        raise TimingError(
            f"a schedule needs one start and one duration per frame, but there are {start.size} starts and "
            f"{duration.size} durations"
        )
    for index in np.flatnonzero(~(np.isfinite(start) & np.isfinite(duration))):
        raise TimingError(f"frame {index + 1} has a start or a duration that is not a finite number")
    for index in np.flatnonzero(duration <= 0):
        kind = "zero length" if duration[index] == 0 else f"a negative length of {60 * duration[index]:g} s"
        raise TimingError(
            f"frame {index + 1}, which starts at {60 * start[index]:g} s, has {kind}; remove it or mend its times"
        )
    for index in np.flatnonzero(np.diff(start) <= 0):
        raise TimingError(
            f"frames go backwards: frame {index + 2} starts at {60 * start[index + 1]:g} s, not after frame "
            f"{index + 1}, which starts at {60 * start[index]:g} s; put the frames in the order of time"
        )
    overlap = start[:-1] + duration[:-1] - start[1:]
    allowed = OVERLAP_TOLERANCE * np.minimum(duration[:-1], duration[1:])
    for index in np.flatnonzero(overlap > allowed):
        raise TimingError(
            f"frames overlap: frame {index + 1} ends at {60 * (start[index] + duration[index]):g} s, but frame "
            f"{index + 2} starts at {60 * start[index + 1]:g} s; check whether durations hold end times"
        )
