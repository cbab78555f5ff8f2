"""Doubts about the clock of blood: its samples held against the frames of the scan and the rise of the tissue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from raphe.core.piecewise import PiecewiseLinear
from raphe.data.finding import Finding
from raphe.data.tacs import TACs

FAR_SHORTER = 20.0
"""Fold by which the clocks of blood and scan must differ to be doubted: between 1 and the 60 of minutes for seconds."""

NOTHING_YET = 0.05
"""Share of its peak under which blood has not risen."""

RISEN = 0.25
"""Share of its peak from which on the tissue has."""

LAG = 1.0
"""Minutes by which blood may seem to rise after the tissue, for tubes and coarse samples; an assumption."""


def doubts_of_clock(path: Path, last: float, curves: Sequence[PiecewiseLinear], tacs: TACs) -> Iterator[Finding]:
    """Yield an error about a clock of blood that cannot be that of the scan, or a warning where it seems to be late.

    Parameters
    ----------
    path : Path
        File that messages name.
    last : float, min
        Time of the last sample.
    curves : sequence of PiecewiseLinear
        Activities of blood.
    tacs : TACs
        Tissue of the same scan.
    """
    end = float(tacs.frames.end[-1])
    starts = [float(curve.time[curve.value > 0][0]) for curve in curves if (curve.value > 0).any()]
    if starts and min(starts) >= end:
        message = (
            f"{path}: the first sample of blood is {60 * min(starts):.6g} s after injection, but the scan ends at "
            f"{60 * end:.6g} s. Are these times of the day, or is their zero another one than that of the scan? Write "
            "them from TimeZero on, and InjectionStart (PET sidecar) likewise"
        )
        yield Finding("error", path, "time", message)
    elif last > 0 and not 1 / FAR_SHORTER < end / last < FAR_SHORTER:
        units = ("minutes", "s") if last < end else ("seconds", "min")
        message = (
            f"{path}: the last sample of blood is {last:.3g} min after injection, but the scan ends at {end:.3g} min. "
            f"Are these {units[0]}? Their unit was taken to be {units[1]} (Units of time in the JSON, s by default); "
            "mend it, or the times"
        )
        yield Finding("error", path, "time", message)
    else:
        yield from _late(path, curves, tacs)


def _late(path: Path, curves: Sequence[PiecewiseLinear], tacs: TACs) -> Iterator[Finding]:
    """Doubt blood that has not risen, by its samples, when the tissue has."""
    mean = tacs.activity.mean(axis=0)
    if not mean.max() > 0:
        return
    risen = float(tacs.frames.end[np.argmax(mean >= RISEN * mean.max())])
    before = [curve.time[: np.argmax(curve.value > NOTHING_YET * curve.value.max())] for curve in curves]
    still = max((float(times[-1]) for times in before if len(times)), default=0.0)
    if still > risen + LAG:
        message = (
            f"{path}: blood has not risen by its sample {60 * still:.6g} s after injection, but the tissue reached a "
            f"quarter of its peak by {60 * risen:.6g} s, which no tissue does before its blood; have the times of "
            "blood and scan one zero (TimeZero, InjectionStart)?"
        )
        yield Finding("warning", path, "time", message)
