"""The arterial input of one scan: found, read, held against the tissue, modelled, and brought to the tissue's time."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from raphe.blood.checks import EARLIEST_END, HELD, check_samples
from raphe.blood.dispersion import undispersed
from raphe.blood.input import make_input
from raphe.core.frames import Frames
from raphe.data.blood import BloodSamples, PlasmaInput, Samples
from raphe.data.blood_fit import BloodFit
from raphe.data.finding import Finding
from raphe.data.record import Parameter, Step
from raphe.data.scan import Scan
from raphe.data.tacs import TACs
from raphe.errors import InputError, RapheError
from raphe.io.bids import ScanCurves, load_blood, load_curves
from raphe.io.blood_doubts import doubts_of_blood, doubts_of_input
from raphe.io.input_function import InputFunction
from raphe.io.place import located
from raphe.io.recordings import Blood, Recording, file_of
from raphe.kinetics.delay import estimate_delay
from raphe.pipeline.blood_of import blood_of_files, blood_of_scan
from raphe.pipeline.choices import MEND, Analysis
from raphe.pipeline.plasma_samples import remarks_on_samples


@dataclass(frozen=True, eq=False)
class Source:
    """Blood of a scan as its files tell it: samples, or an input function that is there ready-made.

    Parameters
    ----------
    found : Blood or InputFunction
    path : Path
        The file that messages name.
    n_frames : int
        Frames of the scan that the blood covers.
    findings : tuple of Finding
        Warnings.
    """

    found: Blood | InputFunction
    path: Path
    n_frames: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True, eq=False)
class Arterial:
    """Arterial input of a scan, and how it came to be so.

    Parameters
    ----------
    plasma : PlasmaInput
    fits : tuple of BloodFit
        Models of the blood; empty for an input function that was given.
    steps : tuple of Step
    n_frames : int
        Frames of the scan that the input covers.
    """

    plasma: PlasmaInput
    fits: tuple[BloodFit, ...]
    steps: tuple[Step, ...]
    n_frames: int


def source_of_scan(table: ScanCurves, tacs: TACs, analysis: Analysis) -> Source:
    """Blood of a scan of a study; sampled blood goes before an input function that was made of it.

    Raises
    ------
    InputError, UnitError
        If there is neither, or what there is cannot be right; the message names file, field and value.
    """
    found = blood_of_scan(table, analysis)
    if found is not None:
        return _checked(*found, tacs, table.scan, analysis)
    raise InputError(
        f"{table.scan.label} has no arterial blood (*_blood.tsv) and no input function (*_inputfunction.tsv), which "
        f"{' and '.join(kind.name for kind in analysis.kinds if 'plasma' in kind.needs)} need; give it, name its data "
        "set with --derivatives, or choose a model with a reference region"
    )


def source_of_files(
    paths: Sequence[Path],
    tacs: TACs,
    scan: Scan,
    analysis: Analysis,
    injection: float,
    half_life: float | None,
    unit: str | None = None,
) -> Source:
    """Blood that is named file by file; arguments as of :func:`raphe.pipeline.blood_of.blood_of_files`.

    Raises
    ------
    InputError, UnitError
        As :func:`source_of_scan`.
    """
    found = blood_of_files(paths, analysis, injection, half_life, unit)
    return _checked(found, paths[0], tacs, scan, analysis)


def arterial_input(source: Source, tacs: TACs, analysis: Analysis, half_life: float | None) -> Arterial:
    """Model what was sampled, and move it to the time at which the tissue sees it.

    Parameters
    ----------
    source : Source
    tacs : TACs
        Every curve of the scan.
    analysis : Analysis
        A delay that is not chosen is estimated for sampled blood, and 0 for an input function that is there
        ready-made: that is taken as it is.
    half_life : float, min, or None

    Raises
    ------
    InputError
        If the samples make no input, or the delay cannot be told.
    """
    found, fits = source.found, tuple[BloodFit, ...]()
    steps = [found.step]
    end = float(tacs.frames.end[source.n_frames - 1])
    if source.n_frames < len(tacs.frames):
        steps.append(Step("blood_cut", {"n_frames": source.n_frames, "end": end}))
    if isinstance(found, Blood):
        with located(source.path):
            plasma, made, fits = make_input(
                found.samples,
                scan_end=end,
                parent_fraction=analysis.parent_fraction,
                plasma_ratio=analysis.plasma_ratio,
                arterial=analysis.arterial,
                half_life=half_life,
            )
        steps += made
    else:
        plasma = found.input
    plasma, timing = _timed(plasma, isinstance(found, Blood), source, tacs, analysis, half_life)
    return Arterial(plasma, fits, (*steps, timing), source.n_frames)


def _timed(
    plasma: PlasmaInput, sampled: bool, source: Source, tacs: TACs, analysis: Analysis, half_life: float | None
) -> tuple[PlasmaInput, Step]:
    """Bring an input to the time of the tissue, and take out its dispersion where that is asked for."""
    chosen = analysis.delay if analysis.delay is not None else "fit" if sampled else 0.0
    if analysis.dispersion is not None:
        with located(source.path):
            _check_dispersed(source)
    if isinstance(analysis.dispersion, float):
        plasma = undispersed(plasma, analysis.dispersion)
    if chosen != "fit":
        value = float(chosen)
        known: dict[str, Parameter] = {"value": value, "source": analysis.origin.get("delay", "default")}
        if isinstance(analysis.dispersion, float):
            known["tau"] = analysis.dispersion
        return (plasma.shifted(value) if value else plasma), Step("delay", known)
    with located(source.path):
        delay, step = estimate_delay(
            plasma,
            tacs,
            half_life=half_life,
            convention=analysis.convention,
            dispersion=analysis.dispersion == "fit",
        )
    plasma = undispersed(plasma, delay.tau) if delay.tau else plasma
    return plasma.shifted(delay.value), step


def _check_dispersed(source: Source) -> None:
    found = source.found
    if not isinstance(found, Blood):
        raise InputError("an input function is taken as it is; leave --dispersion out, or give the blood samples")
    samples = found.samples
    if samples.dispersion_corrected:
        raise InputError("DispersionCorrected is true in its JSON: nothing is left to correct; leave --dispersion out")
    if samples.whole_blood is None or "autosampler" not in samples.whole_blood.source:
        raise InputError("no whole blood is of an autosampler, so there is no dispersion; leave --dispersion out")


def remarks_on_blood(tables: Sequence[ScanCurves], samples_alone: Collection[str] = ()) -> Iterator[Finding]:
    """Yield what no arterial blood can be, of every scan that has any, whether or not an analysis needs it.

    What cannot be read is passed over, for the check of the data set tells it.

    Parameters
    ----------
    tables : sequence of ScanCurves
    samples_alone : collection of str
        Labels of scans whose models need a few samples and no whole input, so that nothing is missing.
    """
    first = {table.blood: table for table in reversed(tables) if table.blood}
    for table in reversed(first.values()):
        try:
            found, frames = load_blood(table), load_curves(table).tacs.frames
        except RapheError:
            continue
        if found is not None and table.scan.label in samples_alone:
            yield from remarks_on_samples(found, found.paths[0])
        elif found is not None:
            yield from _remarks(found.samples, found.recordings, found.paths[0], frames, len(frames))


def _checked(found: Blood | InputFunction, path: Path, tacs: TACs, scan: Scan, analysis: Analysis) -> Source:
    """Raise what cannot be right about the blood, and keep what is doubtful."""
    findings = [*found.findings]
    samples = found.samples if isinstance(found, Blood) else _knots(found.input)
    n_frames = len(tacs.frames)
    if analysis.blood_faults == MEND:
        n_frames = _covered(samples, tacs.frames)
    if n_frames < len(tacs.frames):
        told = (
            f"{path}: the blood ends before the scan; models that need it are fitted to the first {n_frames} of "
            f"{len(tacs.frames)} frames, up to {tacs.frames.end[n_frames - 1]:g} min"
        )
        findings.append(Finding("warning", path, "time", told))
    doubts = (
        doubts_of_blood(found, tacs, scan) if isinstance(found, Blood) else doubts_of_input(path, found, tacs, scan)
    )
    for doubt in (*doubts, *_remarks(samples, found.recordings, path, tacs.frames, n_frames)):
        if doubt.severity == "error":
            raise InputError(doubt.message)
        findings.append(doubt)
    return Source(found, path, n_frames, tuple(findings))


def _covered(samples: BloodSamples, frames: Frames) -> int:
    """Frames up to the last sample of activity, at least one; all, where that is near enough to the scan's end."""
    last = min(float(one.time[-1]) for one in (samples.plasma, samples.whole_blood) if one is not None)
    if last >= EARLIEST_END * frames.end[-1]:
        return len(frames)
    return max(int((frames.end <= last + HELD).sum()), 1)


def _remarks(
    samples: BloodSamples, recordings: Sequence[Recording], path: Path, frames: Frames, n_frames: int
) -> Iterator[Finding]:
    """Yield what :func:`raphe.blood.checks.check_samples` says, with the file; ``path`` where no file holds it."""
    last = n_frames - 1
    for remark in check_samples(samples, float(frames.end[-1]), float(frames.end[last])):
        ways = "; or say --blood-faults mend" if remark.severity == "error" and "last sample" in remark.message else ""
        file = file_of(recordings, remark.field, path)
        yield Finding(remark.severity, file, remark.field, f"{file}: {remark.message}{ways}")


def _knots(plasma: PlasmaInput) -> BloodSamples:
    """Knots of an input function as if they were samples, so that the same checks hold for it."""
    whole, fraction = plasma.whole_blood, plasma.parent_fraction
    return BloodSamples(
        whole_blood=None if whole is None else Samples(whole.time, whole.value),
        plasma=Samples(plasma.parent.time, plasma.parent.value),
        parent_fraction=None if fraction is None else Samples(fraction.time, fraction.value),
        metabolite_corrected=True,
    )
