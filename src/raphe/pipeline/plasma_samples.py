"""A few samples of the parent in plasma, for models that estimate the input and need its scale alone.

Nothing of the blood is modelled here, and one sample is enough: none of the demands on a whole input is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from raphe.blood.checks import NO_FRACTION, check_values
from raphe.core.piecewise import PiecewiseLinear
from raphe.data.blood import BloodSamples, PlasmaInput, Samples
from raphe.data.finding import Finding
from raphe.data.record import Parameter, Step
from raphe.data.tacs import TACs
from raphe.errors import InputError
from raphe.io.bids import ScanCurves
from raphe.io.blood_doubts import doubts_of_samples
from raphe.io.input_function import InputFunction
from raphe.io.recordings import SAME_TIME, Blood, file_of
from raphe.pipeline.blood_of import blood_of_files, blood_of_scan
from raphe.pipeline.choices import Analysis

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

STEP = "plasma_samples"
"""Name of the step."""


@dataclass(frozen=True, eq=False)
class PlasmaSamples:
    """Samples of the parent in plasma that give the scale of an estimated input, and how they came to be so.

    Parameters
    ----------
    samples : Samples, kBq/mL
        Those that are used, positive, within the times that the models take.
    steps : tuple of Step
        ``blood_read`` for recordings of blood, and ``plasma_samples``: how many, at which times (min), and how many
        were left out for which reason.
    findings : tuple of Finding
        Warnings.
    """

    samples: Samples
    steps: tuple[Step, ...]
    findings: tuple[Finding, ...]

    @property
    def plasma(self) -> PlasmaInput:
        """The samples as the knots of an input, as :func:`raphe.kinetics.fit.fit` takes them."""
        return PlasmaInput(PiecewiseLinear(self.samples.time, self.samples.value))


def samples_of_scan(table: ScanCurves, tacs: TACs, analysis: Analysis) -> PlasmaSamples:
    """Samples of a scan of a study, from its recordings of blood, or else from its input function.

    Raises
    ------
    InputError, UnitError
        If there is none to use, or a value cannot be right; the message names file, field and value.
    """
    found = blood_of_scan(table, analysis)
    if found is None:
        raise InputError(
            f"{table.scan.label} has no arterial blood (*_blood.tsv) and no input function (*_inputfunction.tsv), of "
            f"which {_wanting(analysis)} needs at least one sample of the parent in plasma; give it, name its data set "
            "with --derivatives, or choose a model with a reference region"
        )
    return _chosen(*found, tacs, analysis)


def samples_of_files(
    paths: Sequence[Path],
    tacs: TACs,
    analysis: Analysis,
    injection: float,
    half_life: float | None,
    unit: str | None = None,
) -> PlasmaSamples:
    """Samples that are named file by file; arguments as of :func:`raphe.pipeline.blood_of.blood_of_files`.

    Raises
    ------
    InputError, UnitError
        As :func:`samples_of_scan`.
    """
    return _chosen(blood_of_files(paths, analysis, injection, half_life, unit), paths[0], tacs, analysis)


def remarks_on_samples(found: Blood | InputFunction, path: Path) -> Iterator[Finding]:
    """Yield values that no plasma and no parent fraction can have, with the file."""
    for remark in check_values(_plasma_alone(found)):
        file = file_of(found.recordings, remark.field, path)
        yield Finding(remark.severity, file, remark.field, f"{file}: {remark.message}")


def with_samples(done: Sequence[Step], samples: PlasmaSamples | None) -> tuple[Step, ...]:
    """Steps of the arterial input, if any, and then those of samples that are not told yet."""
    told = {step.name for step in done}
    return (*done, *(step for step in (samples.steps if samples else ()) if step.name not in told))


def _wanting(analysis: Analysis) -> str:
    return " and ".join(kind.name for kind in analysis.kinds if "samples" in kind.needs)


def _plasma_alone(found: Blood | InputFunction) -> BloodSamples:
    """Plasma and parent fraction as they were sampled; of an input function, its own knots."""
    if isinstance(found, Blood):
        own = found.samples
        return BloodSamples(
            plasma=own.plasma, parent_fraction=own.parent_fraction, metabolite_corrected=own.metabolite_corrected
        )
    told = found.input
    share = None if "unit_parent" in found.step.parameters else told.parent_fraction
    plasma = told.parent if share is None or told.plasma is None else told.plasma
    return BloodSamples(
        plasma=Samples(plasma.time, plasma.value),
        parent_fraction=None if share is None else Samples(share.time, share.value),
        metabolite_corrected=share is None,
    )


def _chosen(found: Blood | InputFunction, path: Path, tacs: TACs, analysis: Analysis) -> PlasmaSamples:
    """Make samples of the parent of what was read, and keep those that the models use."""
    findings = [*found.findings]
    own = _plasma_alone(found)
    if own.plasma is None:
        raise InputError(
            f"{path}: there are no plasma samples (plasma_radioactivity), of which {_wanting(analysis)} needs at least "
            "one for the scale of the input; give one"
        )
    if own.parent_fraction is None and not own.metabolite_corrected:
        raise InputError(f"{path}: metabolite_parent_fraction: {NO_FRACTION} (the column AIF of an input function)")
    for doubt in remarks_on_samples(found, path):
        if doubt.severity == "error":
            raise InputError(doubt.message)
        findings.append(doubt)
    end = float(tacs.frames.end[-1])
    kinds = [kind for kind in analysis.kinds if "samples" in kind.needs]
    begin = max(float(getattr(kind, "sample_from", 0.0)) for kind in kinds)
    parent, known = _parent(own.plasma, own.parent_fraction)
    early, late = own.plasma.time < begin, own.plasma.time > end
    used = known & ~early & ~late & (parent > 0)
    left_out = {
        f"before {begin:g} min": early,
        f"after the end of the scan at {end:g} min": late,
        "outside the times of the parent fraction": ~known & ~early & ~late,
        "not above zero": known & ~early & ~late & ~(parent > 0),
    }
    if not used.any():
        raise InputError(_none_left(path, _wanting(analysis), begin, own.plasma, parent, left_out))
    kept = Samples(own.plasma.time[used], parent[used], tuple(np.array(own.plasma.source)[used]))
    for doubt in doubts_of_samples(file_of(found.recordings, "plasma", path), found, kept, tacs):
        raise InputError(doubt.message)
    if left_out["not above zero"].any():
        at = ", ".join(f"{time:.4g}" for time in own.plasma.time[left_out["not above zero"]])
        told = f"{path}: samples of plasma that are not above zero are left out (at {at} min)"
        findings.append(Finding("warning", path, "plasma", told))
    parameters: dict[str, Parameter] = {
        "n_samples": len(kept),
        "times": tuple(float(time) for time in kept.time),
        "parent": "metabolite-corrected plasma"
        if own.parent_fraction is None
        else "plasma times the parent fraction, which is drawn straight between its samples",
    }
    errors = [float(kind.sample_error) for kind in kinds if hasattr(kind, "sample_error")]
    if errors:
        parameters["assumed_error"] = max(errors)
    lost = tuple(f"{int(own.sum())} {why}" for why, own in left_out.items() if own.any())
    if lost:
        parameters["left_out"] = lost
    if isinstance(found, Blood):
        return PlasmaSamples(kept, (found.step, Step(STEP, parameters)), tuple(findings))
    get = found.step.parameters.get
    parameters |= {"parent": get("parent"), "format": get("format"), "decay_correction": get("decay_correction")}
    return PlasmaSamples(kept, (Step(STEP, parameters, inputs=found.step.inputs),), tuple(findings))


def _parent(plasma: Samples, fraction: Samples | None) -> tuple[Array, Flags]:
    """Parent at the times of the plasma samples, and where it is known."""
    if fraction is None:
        return plasma.value, np.ones(len(plasma), dtype=bool)
    known = (plasma.time >= fraction.time[0] - SAME_TIME) & (plasma.time <= fraction.time[-1] + SAME_TIME)
    return plasma.value * np.interp(plasma.time, fraction.time, fraction.value), known


def _none_left(
    path: Path, wanting: str, begin: float, plasma: Samples, parent: Array, left_out: dict[str, Flags]
) -> str:
    reasons = []
    for why, own in left_out.items():
        if own.any():
            last = np.flatnonzero(own)[-1]
            reasons.append(
                f"{int(own.sum())} {why} (the last: {parent[last]:.4g} kBq/mL at {plasma.time[last]:.4g} min)"
            )
    return (
        f"{path}: plasma: {wanting} needs at least one sample of the parent in plasma from {begin:g} min after "
        f"injection to the scan's end, for the scale of the input, but of the {len(plasma)} samples here none can be "
        f"used: {'; '.join(reasons)}; add a sample, check the unit of the times, or choose a model without blood"
    )
