"""Curves in, whatever the format: kBq/mL decay-corrected to injection, minutes from injection."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from raphe.core.frames import Frames
from raphe.data.finding import Finding
from raphe.data.record import Parameter, Step
from raphe.data.tacs import TACs
from raphe.errors import InputError, TimingError, UnitError
from raphe.io.activity import factor_of, to_injection, unit_of
from raphe.io.fields import Fields
from raphe.io.formats import check_complete, read_raw
from raphe.io.names import own_sidecars
from raphe.io.place import located
from raphe.io.provenance import sha256
from raphe.io.raw import RawCurves
from raphe.io.schedule import check_agreement, check_span, make_frames
from raphe.io.sidecar import Sidecar, sidecar_of

Array = npt.NDArray[np.float64]

ABSURD = 1e9
"""kBq/mL beyond which no activity in a living body is: above, the unit is wrong."""

LEFT_OVER = 0.1
"""Share of the highest activity that a frame before injection may hold, of noise or of an earlier scan."""

MINUTES_SUSPECTED = 200.0 / 60.0
"""End of the last frame, in min, below which a schedule of many frames needs more than its own word."""

MANY_FRAMES = 10
"""Number of frames that no scan has in so short a time."""


@dataclass(frozen=True, eq=False)
class Curves:
    """Curves of one scan as raphe uses them, and how they came to be so.

    Parameters
    ----------
    tacs : TACs
        kBq/mL decay-corrected to injection, min from injection.
    half_life : float or None, min
        Half-life of the radionuclide, where it was given or the sidecar tells it.
    step : Step
        ``read``: format, unit, time of injection in the file (min), decay correction, and the SHA-256 of each file.
    findings : tuple of Finding
        Warnings of the table and its sidecars.
    empty : tuple of str
        Regions that the table names but that have no value; they are not among the curves.
    """

    tacs: TACs
    half_life: float | None
    step: Step
    findings: tuple[Finding, ...]
    empty: tuple[str, ...] = ()


def read_curves(
    path: Path,
    *,
    sidecar: Sidecar | None = None,
    unit: str | None = None,
    half_life: float | None = None,
    frames: slice = slice(None),
) -> Curves:
    """Read one table of curves: BIDS, wide or long TSV or CSV, PMOD ``.tac`` or Turku ``.dft``.

    Parameters
    ----------
    path : Path
    sidecar : Sidecar, optional
        What is known of the scan; by default what :func:`raphe.io.sidecar.sidecar_of` finds beside the table.
    unit : str, optional
        Activity concentration of the table where neither its header nor its sidecar tells it.
    half_life : float, min, optional
        Half-life where the sidecar does not tell the radionuclide.
    frames : slice, optional
        Frames to read, counted from 0; no time or missing value of the others matters.

    Raises
    ------
    InputError, UnitError, TimingError
        If the table cannot be used as it is, contradicts its sidecar or the arguments, or does not say its unit or its
        times. The message names file, line, region and value and the way out.
    """
    if sidecar is None:
        sidecar = sidecar_of(path, unit=unit, half_life=half_life)
    if sidecar is not None and sidecar.half_life is not None:
        half_life = sidecar.half_life
    raw = read_raw(path)
    spelled, factor = unit_of(raw.path, _unit_told(raw), sidecar, unit)
    start, end = _times(raw, sidecar)
    _check_range(path, frames, start.size)
    schedule = make_frames(start[frames], (end - start)[frames], str(path), list(raw.lines[0, frames]))
    findings = _held_against(raw, start, end, sidecar)
    raw = replace(raw, values=raw.values[:, frames], lines=raw.lines[:, frames])
    _check_believable(raw, _whole(start, end, schedule), half_life, sidecar)
    raw, lacking = _without_empty(raw)
    check_complete(raw)
    _check_injection(raw, schedule)
    highest = float(np.abs(raw.values).max()) * factor
    if highest > ABSURD:
        raise UnitError(
            f"{path}: the activity reaches {highest:.3g} kBq/mL, which nothing living holds; its unit was taken to be "
            f"{spelled}, which must be wrong"
        )
    factors, correction = to_injection(schedule, sidecar, half_life, path)
    _check_names(raw)
    with located(path):
        tacs = TACs(raw.values * factor * factors, schedule, raw.names, raw.volumes)
    warnings = (*findings, *lacking, *(sidecar.findings if sidecar is not None else ()))
    empty = tuple(finding.field for finding in lacking)
    return Curves(tacs, half_life, _step(raw, sidecar, spelled, correction), warnings, empty)


def _unit_told(raw: RawCurves) -> tuple[str, str] | None:
    """Unit of the activity that the table's header or a description of its columns tells, and where; None for neither.

    Raises
    ------
    UnitError
        If they contradict each other.
    """
    told = [] if raw.unit is None else [(raw.unit, f"{raw.path}: the header")]
    own = own_sidecars(raw.path)
    if own:
        fields = Fields(own)
        for column in raw.columns:
            spelled = fields.unit_of(column) if fields.describes(column) else None
            if spelled is not None:
                told.append((spelled, f"{fields.source(column)}: Units of {column!r}"))
    for spelled, where in told[1:]:
        if factor_of(spelled, where) != factor_of(*told[0]):
            first, header = told[0]
            raise UnitError(f"{header} says {first}, but {where} says {spelled}; mend whichever is wrong")
    return told[0] if told else None


def _times(raw: RawCurves, sidecar: Sidecar | None) -> tuple[Array, Array]:
    """Tell start and end of every frame in min from injection, by the table or else by the sidecar."""
    n_frame = raw.values.shape[1]
    injection = 0.0 if sidecar is None else sidecar.injection
    start, end, mid = (None if t is None else t - injection for t in (raw.start, raw.end, raw.mid))
    if start is not None and end is not None:
        return start, end
    scan_start, scan_end = _scan_times(sidecar)
    if sidecar is None or scan_start is None or scan_end is None:
        field = "" if sidecar is None else f" (of {sidecar.paths[0]}, which lacks FrameDuration)"
        raise InputError(
            f"{raw.path}: the table does not tell when its frames start and end; give it columns frame_start and "
            f"frame_end (seconds), or a PET sidecar with FrameTimesStart and FrameDuration{field}"
        )
    if n_frame != scan_start.size:
        raise TimingError(
            f"{raw.path}: the table has {n_frame} rows and no frame times, but {sidecar.paths[0]} has "
            f"{scan_start.size} frames; mend whichever is wrong, or give the table columns "
            "frame_start and frame_end (seconds)"
        )
    for told, known in ((start, scan_start), (mid, (scan_start + scan_end) / 2), (end, scan_end)):
        if told is not None:
            check_agreement(told, None, known, None, str(raw.path), sidecar.paths[0])
    return scan_start, scan_end


def _scan_times(sidecar: Sidecar | None) -> tuple[Array | None, Array | None]:
    """Tell start and end of the frames that a sidecar lists, in min from injection."""
    if sidecar is None or sidecar.start is None:
        return None, None
    return sidecar.start, None if sidecar.duration is None else sidecar.start + sidecar.duration


def _check_range(path: Path, frames: slice, n_frame: int) -> None:
    first, stop = frames.start or 0, n_frame if frames.stop is None else frames.stop
    if not 0 <= first < stop <= n_frame:
        raise InputError(
            f"{path}: frames {first}:{'' if frames.stop is None else stop} were asked for (--frames), but the table "
            f"has {n_frame}, counted from 0; name a range within 0:{n_frame}"
        )


def _held_against(raw: RawCurves, start: Array, end: Array, sidecar: Sidecar | None) -> list[Finding]:
    """Hold the frames of a table against those of its sidecar."""
    scan_start, scan_end = _scan_times(sidecar)
    if sidecar is None or scan_start is None:
        return []
    if check_agreement(start, end, scan_start, scan_end, str(raw.path), sidecar.paths[0]):
        return []
    told = f"{raw.path}: the table holds the first {start.size} of the {scan_start.size} frames that its sidecar lists"
    return [Finding("warning", raw.path, "", told)]


def _check_injection(raw: RawCurves, frames: Frames) -> None:
    """Refuse activity before injection: the times, or the injection's, must be wrong."""
    mean = raw.values.mean(axis=0)
    highest = float(np.abs(mean).max())
    for index in np.flatnonzero((frames.end <= 0) & (mean > LEFT_OVER * highest))[:1]:
        raise TimingError(
            f"{raw.path}: line {raw.lines[0, index]}: frame {index + 1} ends {-60 * frames.end[index]:g} s before "
            f"injection, but its activity is {100 * mean[index] / highest:.0f} % of the highest; mend the times of the "
            "table, or InjectionStart and FrameTimesStart in its sidecar"
        )


def _whole(start: Array, end: Array, chosen: Frames) -> Frames:
    """All frames of a table, of which some were chosen: a few of them may well end early; these, if others are bad."""
    try:
        return Frames(start, end - start)
    except TimingError:
        return chosen


def _check_believable(raw: RawCurves, frames: Frames, half_life: float | None, sidecar: Sidecar | None) -> None:
    if half_life is not None:
        check_span(frames, half_life, str(raw.path))
    elif sidecar is None and not raw.said and len(frames) > MANY_FRAMES and frames.end[-1] < MINUTES_SUSPECTED:
        raise TimingError(
            f"{raw.path}: {len(frames)} frames end at {60 * frames.end[-1]:g} s. Are these times minutes? BIDS wants "
            "seconds in frame_start and frame_end. If they are seconds, say so by a PET sidecar or the half-life "
            "(--half-life); if not, mend them or call the columns start_min and end_min"
        )


def _without_empty(raw: RawCurves) -> tuple[RawCurves, list[Finding]]:
    """Leave out curves without any value, which is how some programs write a region without voxels."""
    empty = np.all(np.isnan(raw.values), axis=1)
    if empty.all():
        raise InputError(f"{raw.path}: no region has any value")
    lacking = tuple(raw.names[index] for index in np.flatnonzero(empty))
    findings = [
        Finding("warning", raw.path, name, f"{raw.path}: region {name!r} has no values at all; it is left out")
        for name in lacking
    ]
    kept = replace(
        raw,
        names=tuple(name for name in raw.names if name not in lacking),
        values=raw.values[~empty],
        lines=raw.lines[~empty],
        volumes=None if raw.volumes is None else raw.volumes[~empty],
    )
    return kept, findings


def _check_names(raw: RawCurves) -> None:
    """Refuse two regions whose names differ by nothing but case and punctuation: one of them is not what it says."""
    seen: dict[str, str] = {}
    for name in raw.names:
        other = seen.setdefault(re.sub(r"[\W_]+", " ", name).lower(), name)
        if other != name:
            raise InputError(
                f"{raw.path}: region {name!r} is a duplicate of {other!r} by its name; rename or remove one of them"
            )


def _step(raw: RawCurves, sidecar: Sidecar | None, unit: str, correction: str) -> Step:
    files = (raw.path, *(sidecar.paths if sidecar is not None else ()))
    parameters: dict[str, Parameter] = {
        "format": raw.format,
        "unit": unit,
        "injection": sidecar.injection if sidecar is not None else 0.0,
        "decay_correction": correction,
    }
    return Step("read", parameters, inputs={str(file): sha256(file) for file in files})
