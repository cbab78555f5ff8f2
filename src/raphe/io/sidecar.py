"""PET sidecars: what the JSON beside curves and images tells of a scan, in raphe's units."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from raphe.catalog import find_tracer
from raphe.catalog import half_life as half_life_of
from raphe.core.decay import decay_constant, remaining
from raphe.core.frames import Frames
from raphe.data.finding import Finding
from raphe.data.scan import Scan
from raphe.errors import InputError, TimingError
from raphe.io import units
from raphe.io.amounts import read_amounts
from raphe.io.fields import Fields
from raphe.io.names import find_sidecars
from raphe.io.place import located
from raphe.io.radionuclides import canonical
from raphe.io.schedule import LONGEST, check_span, is_clock, make_frames
from raphe.nomenclature import isotope

Array = npt.NDArray[np.float64]

LONGEST_NAME = 100
"""Characters that the name of a tracer may have."""

FACTOR_TOLERANCE = 0.05
"""Share by which decay correction factors may depart from the radionuclide's decay before it is said."""

CLOCK_TOLERANCE = 1.0 / 60.0
"""Minutes by which ScanStart and the start of the first frame may differ before it is said."""

HALF_LIFE_TOLERANCE = 0.01
"""Share by which a half-life that is given may differ from the radionuclide's own."""


@dataclass(frozen=True, eq=False)
class Sidecar:
    """What a chain of sidecars tells of one scan; times in min from injection, amounts as in :class:`Scan`.

    ``None`` says that the files do not tell (or that the field is unusable, see :func:`inspect_sidecar`).
    """

    paths: tuple[Path, ...]
    """The files, nearest to the curves first; a field holds from the first that has it."""
    unit: str | None = None
    """Activity concentration, as the file spells it."""
    unit_source: Path | None = None
    start: Array | None = None
    """Start of each frame, shape (n_frame,), min."""
    duration: Array | None = None
    """Length of each frame, shape (n_frame,), min."""
    injection: float = 0.0
    """Time of injection in min from TimeZero, the zero of times in files."""
    tracer: str = ""
    """Name in the catalog where it is known there, else as the file has it."""
    radionuclide: str = ""
    half_life: float | None = None
    decay_corrected: bool = True
    correction_time: float = 0.0
    """The time to which the activity is decay-corrected."""
    injected_radioactivity: float | None = None
    injected_mass: float | None = None
    molar_activity: float | None = None
    body_weight: float | None = None
    scanner: str = ""
    administration: str = ""
    findings: tuple[Finding, ...] = ()
    """Warnings: doubts that do not make the sidecar unusable."""

    @property
    def frames(self) -> Frames | None:
        """Schedule, where the files tell starts and durations."""
        return None if self.start is None or self.duration is None else Frames(self.start, self.duration)

    def scan(self, participant: str, session: str | None = None, entities: Sequence[tuple[str, str]] = ()) -> Scan:
        """Make the scan that these files describe; labels without ``sub-`` and ``ses-``."""
        return Scan(
            participant=participant,
            session=session,
            entities=tuple(entities),
            tracer=self.tracer,
            radionuclide=self.radionuclide,
            half_life=self.half_life,
            injected_radioactivity=self.injected_radioactivity,
            injected_mass=self.injected_mass,
            molar_activity=self.molar_activity,
            body_weight=self.body_weight,
            scanner=self.scanner,
            administration=self.administration,
            sources=self.paths,
        )


class Fault(NamedTuple):
    """A field that cannot be used, and the error that reading it raises."""

    field: str
    path: Path
    """The file that the field comes from, or the nearest where none has it."""
    error: InputError


def sidecar_of(
    table: Path, *, unit: str | None = None, half_life: float | None = None, raw: Path | None = None
) -> Sidecar | None:
    """Sidecars of one table of curves or image, None if it has none, or none that tells of more than its columns.

    ``raw`` is as of :func:`raphe.io.names.find_sidecars`; other arguments and errors are as of :func:`read_sidecar`.
    """
    paths = find_sidecars(table, raw)
    if not paths or Fields(paths).of_columns_alone:
        return None
    return read_sidecar(paths, unit=unit, half_life=half_life)


def read_sidecar(paths: Sequence[Path], *, unit: str | None = None, half_life: float | None = None) -> Sidecar:
    """Read a chain of sidecars, the nearest first.

    Parameters
    ----------
    paths : sequence of Path, one or more
    unit : str, optional
        Activity concentration to take where no file tells ``Units``.
    half_life : float, min, optional
        Half-life to take where no file tells ``TracerRadionuclide``.

    Raises
    ------
    InputError, UnitError, TimingError
        If ``Units``, ``FrameTimesStart`` or ``TracerRadionuclide`` is missing, a field that changes the numbers is of
        the wrong kind, or the schedule is impossible. The message names file, field and value and what to write.
    """
    sidecar, faults = inspect_sidecar(paths, unit=unit, half_life=half_life)
    if faults:
        raise faults[0].error
    return sidecar


def inspect_sidecar(
    paths: Sequence[Path], *, unit: str | None = None, half_life: float | None = None
) -> tuple[Sidecar, tuple[Fault, ...]]:
    """Read as :func:`read_sidecar`, but go on after a fault and return every one of them."""
    sidecar = Sidecar(tuple(paths))
    try:
        fields = Fields(paths)
    except InputError as error:
        return sidecar, (Fault("", paths[0], error),)
    faults = []
    steps: tuple[tuple[str, Callable[[Sidecar], Sidecar]], ...] = (
        ("Units", lambda so_far: _with_unit(so_far, fields, unit)),
        ("TracerName", lambda so_far: _with_names(so_far, fields)),
        ("TracerRadionuclide", lambda so_far: _with_radionuclide(so_far, fields, half_life)),
        ("InjectionStart", lambda so_far: _with_injection(so_far, fields)),
        ("FrameTimesStart", lambda so_far: _with_start(so_far, fields)),
        ("FrameDuration", lambda so_far: _with_duration(so_far, fields)),
        ("ImageDecayCorrected", lambda so_far: _with_decay(so_far, fields)),
        ("DecayCorrectionFactor", lambda so_far: _with_factors(so_far, fields)),
        ("InjectedRadioactivity", lambda so_far: _with_amounts(so_far, fields)),
    )
    for field, step in steps:
        try:
            sidecar = step(sidecar)
        except InputError as error:
            faults.append(Fault(field, fields.source(field), error))
    return sidecar, tuple(faults)


def _with_unit(sidecar: Sidecar, fields: Fields, unit: str | None) -> Sidecar:
    if not fields.has("Units") and unit is not None:
        return sidecar
    spelled = fields.text("Units", "write the unit of the activity, e.g. Bq/mL (fit and map also take --unit)")
    with located(f"{fields.source('Units')}: Units"):
        units.concentration(spelled)
    return replace(sidecar, unit=spelled, unit_source=fields.source("Units"))


def _with_names(sidecar: Sidecar, fields: Fields) -> Sidecar:
    words = [fields.text(f, "") for f in ("Manufacturer", "ManufacturersModelName") if fields.has_text(f)]
    given = fields.text("ModeOfAdministration", "") if fields.has_text("ModeOfAdministration") else ""
    sidecar = replace(sidecar, scanner=" ".join(words), administration=given)
    if not fields.has("TracerName"):
        return _doubt(sidecar, fields, "TracerName", "TracerName is missing; write the tracer's name")
    name = fields.text("TracerName", "write the tracer's name")
    if not re.search(r"[A-Za-z0-9]", name) or not name.isprintable() or len(name) > LONGEST_NAME:
        raise fields.error("TracerName", name, "write letters and digits in one line, for files are named by it")
    known = find_tracer(name)
    return replace(sidecar, tracer=name if known is None else known.name)


def _with_radionuclide(sidecar: Sidecar, fields: Fields, half_life: float | None) -> Sidecar:
    field = "TracerRadionuclide"
    if not fields.has(field) and half_life is not None:
        return replace(sidecar, half_life=half_life)
    spelled = fields.text(field, "write element and mass number, e.g. C11 or F18 (fit and map also take --half-life)")
    where = f"{fields.source(field)}: {field}"
    with located(where):
        name = canonical(spelled)
    own = _half_life(name, half_life)
    if own is None:
        raise InputError(
            f"{where}: raphe does not know the half-life of {spelled!r}; write a radionuclide such as C11 or F18 "
            "(fit and map also take --half-life)"
        )
    if half_life is not None and not abs(half_life - own) <= HALF_LIFE_TOLERANCE * own:
        raise InputError(
            f"{where} is {spelled!r}, whose half-life is {own:g} min, but {half_life:g} min was given; leave "
            "--half-life out or mend the file"
        )
    labelled = isotope(fields.text("TracerName", "")) if fields.has_text("TracerName") else ""
    if labelled and canonical(labelled) != name:
        raise InputError(
            f"{where} is {spelled!r}, but TracerName of {fields.source('TracerName')} is "
            f"{fields.text('TracerName', '')!r}; mend whichever is wrong"
        )
    sidecar = replace(sidecar, radionuclide=name, half_life=own)
    known = find_tracer(sidecar.tracer)
    if known is not None and known.radionuclide != name:
        told = (
            f"{field} is {spelled!r}, but raphe knows {known.name} with {known.radionuclide}; is one of the two wrong?"
        )
        return _doubt(sidecar, fields, field, told)
    return sidecar


def _half_life(name: str, otherwise: float | None) -> float | None:
    try:
        return half_life_of(name)
    except KeyError:
        return otherwise


def _with_injection(sidecar: Sidecar, fields: Fields) -> Sidecar:
    zero = fields.value("TimeZero")
    if zero is not None and not is_clock(zero):
        fault = fields.error("TimeZero", zero, "a time of the day (hh:mm:ss) was expected")
        sidecar = _without(sidecar, fields, "TimeZero", fault)
    seconds = fields.number("InjectionStart")
    if seconds is None:
        told = "InjectionStart is missing; injection is taken to be at TimeZero (0 s)"
        return _doubt(sidecar, fields, "InjectionStart", told)
    return replace(sidecar, injection=seconds / 60.0)


def _with_start(sidecar: Sidecar, fields: Fields) -> Sidecar:
    field = "FrameTimesStart"
    start = fields.numbers(field, "list the start of each frame in seconds from TimeZero") / 60.0 - sidecar.injection
    for index in np.flatnonzero(np.diff(start) <= 0)[:1]:
        raise TimingError(
            f"{fields.source(field)}: {field} goes backwards: frame {index + 2} starts at {60 * start[index + 1]:g} s "
            f"after injection, frame {index + 1} at {60 * start[index]:g} s; put the frames in the order of time, in "
            "this file and in the image or table alike"
        )
    sidecar = replace(sidecar, start=start)
    scan_start = fields.number("ScanStart")
    if scan_start is not None and abs(scan_start / 60.0 - sidecar.injection - start[0]) > CLOCK_TOLERANCE:
        told = f"ScanStart is {scan_start:g} s, but the first frame starts at {60 * (start[0] + sidecar.injection):g} s"
        return _doubt(sidecar, fields, "ScanStart", f"{told} by FrameTimesStart; both count from TimeZero")
    return sidecar


def _with_duration(sidecar: Sidecar, fields: Fields) -> Sidecar:
    field = "FrameDuration"
    if sidecar.start is None or not fields.has(field):
        return sidecar  # a table of curves may bring the ends of its frames
    duration = fields.numbers(field, "list the length of each frame in seconds") / 60.0
    if duration.size != sidecar.start.size:
        raise TimingError(
            f"{fields.source(field)}: {field} lists {duration.size} frames, but FrameTimesStart of "
            f"{fields.source('FrameTimesStart')} lists {sidecar.start.size}"
        )
    what = f"{fields.source(field)}: FrameTimesStart and {field}"
    try:
        frames = make_frames(sidecar.start, duration, what)
    except TimingError as error:
        ends = np.isclose(duration[:-1], sidecar.start[1:] + sidecar.injection).sum()
        if 2 * ends > duration.size:
            raise TimingError(
                f"{error}. {field} equals the start of the next frame {ends} times: it holds end times; write the "
                "length of each frame, end minus start"
            ) from None
        raise
    if sidecar.half_life is not None:
        check_span(frames, sidecar.half_life, what)
    sidecar = replace(sidecar, duration=duration)
    if frames.start[0] < 0:
        told = f"the first frame starts {-60 * frames.start[0]:g} s before InjectionStart; is one of the two wrong?"
        return _doubt(sidecar, fields, "FrameTimesStart", told)
    return sidecar


def _with_decay(sidecar: Sidecar, fields: Fields) -> Sidecar:
    corrected = fields.truth("ImageDecayCorrected")
    seconds = fields.number("ImageDecayCorrectionTime")
    if corrected is None:
        told = "ImageDecayCorrected is missing; the activity is taken to be decay-corrected to injection"
        return _doubt(sidecar, fields, "ImageDecayCorrected", told)
    time = 0.0 if seconds is None else seconds / 60.0 - sidecar.injection
    if sidecar.half_life is not None and abs(time) > LONGEST * sidecar.half_life:
        raise TimingError(
            f"{fields.source('ImageDecayCorrectionTime')}: ImageDecayCorrectionTime is {60 * time:g} s from injection, "
            f"{abs(time) / sidecar.half_life:.3g} half-lives; write seconds from TimeZero"
        )
    sidecar = replace(sidecar, decay_corrected=corrected, correction_time=time)
    if corrected and seconds is None:
        told = "ImageDecayCorrectionTime is missing; the activity is taken to be decay-corrected to injection"
        return _doubt(sidecar, fields, "ImageDecayCorrectionTime", told)
    return sidecar


def _with_factors(sidecar: Sidecar, fields: Fields) -> Sidecar:
    """Hold the decay correction factors, where they are told, against the radionuclide's decay over the frames."""
    field, frames, half_life = "DecayCorrectionFactor", sidecar.frames, sidecar.half_life
    if not fields.has(field) or frames is None or half_life is None:
        return sidecar
    try:
        factors = fields.numbers(field, "")
    except InputError as error:
        return _without(sidecar, fields, field, error)
    if factors.size != len(frames):
        return _doubt(sidecar, fields, field, f"{field} has length {factors.size}, but there are {len(frames)} frames")
    if not sidecar.decay_corrected:
        if np.all(np.abs(factors - 1) < FACTOR_TOLERANCE):
            return sidecar
        told = f"ImageDecayCorrected is false, but {field} goes to {factors.max():.3g}; mend whichever is wrong"
        return _doubt(sidecar, fields, field, told)
    ratio = factors * remaining(frames, half_life)
    if not np.all(ratio > 0) or ratio.max() / ratio.min() > 1 + FACTOR_TOLERANCE:
        told = (
            f"{field} is not the decay of a half-life of {half_life:g} min over these frames: over the decay "
            f"it is {ratio.min():.3g} to {ratio.max():.3g}; check TracerRadionuclide, the frame times and the factors"
        )
        return _doubt(sidecar, fields, field, told)
    level = float(np.exp(np.log(ratio).mean() + decay_constant(half_life) * sidecar.correction_time))
    if abs(np.log(level)) > np.log1p(FACTOR_TOLERANCE):
        by_factors = -np.log(ratio).mean() / decay_constant(half_life)
        told = (
            f"{field} is that of a correction to {60 * by_factors:.0f} s after injection, but ImageDecayCorrectionTime "
            f"(the injection, where missing) says {60 * sidecar.correction_time:.0f} s; if the factors are right, "
            f"the activity is taken to be {level:.3g} times what it was. Mend whichever is wrong"
        )
        return _doubt(sidecar, fields, field, told)
    return sidecar


def _with_amounts(sidecar: Sidecar, fields: Fields) -> Sidecar:
    amounts, doubts = read_amounts(fields)
    return replace(
        sidecar,
        injected_radioactivity=amounts.radioactivity,
        injected_mass=amounts.mass,
        molar_activity=amounts.molar_activity,
        body_weight=amounts.body_weight,
        findings=(*sidecar.findings, *doubts),
    )


def _without(sidecar: Sidecar, fields: Fields, field: str, error: InputError) -> Sidecar:
    return replace(sidecar, findings=(*sidecar.findings, fields.unused(field, error)))


def _doubt(sidecar: Sidecar, fields: Fields, field: str, told: str) -> Sidecar:
    source = fields.source(field)
    return replace(sidecar, findings=(*sidecar.findings, Finding("warning", source, field, f"{source}: {told}")))
