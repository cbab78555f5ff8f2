"""Samples of the parent in plasma, for a model that has them in place of an input function: a few, or one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from raphe.blood.checks import ABOVE_ONE
from raphe.core.piecewise import PiecewiseLinear
from raphe.data.blood import BloodSamples, PlasmaInput
from raphe.data.finding import Finding
from raphe.data.record import Step
from raphe.data.tacs import TACs
from raphe.errors import InputError, UnitError
from raphe.io.bids import ScanCurves, load_blood, load_input
from raphe.io.blood import is_blood, read_blood
from raphe.io.input_function import InputFunction, read_input_function
from raphe.io.recordings import Blood
from raphe.kinetics.protocol import KineticModel
from raphe.pipeline.choices import Analysis


@dataclass(frozen=True, eq=False)
class PlasmaSamples:
    """Samples of one scan.

    Parameters
    ----------
    plasma : PlasmaInput
        Its ``parent`` has a knot at every sample, and is not to be drawn between them.
    steps : tuple of Step
    findings : tuple of Finding
        Warnings of the files.
    """

    plasma: PlasmaInput
    steps: tuple[Step, ...]
    findings: tuple[Finding, ...]


def samples_of_scan(table: ScanCurves, analysis: Analysis, tacs: TACs) -> PlasmaSamples:
    """Samples of a scan of a study: those of its blood, or else the values of its input function.

    Parameters
    ----------
    table : ScanCurves
    analysis : Analysis
    tacs : TACs
        Its curves.

    Raises
    ------
    InputError, UnitError
        If there are none; the message names the file and the way out.
    """
    found = load_blood(table, unit=analysis.blood_unit, drop=analysis.blood_faults == "mend")
    if found is not None:
        return _taken(found, found.paths[0], analysis, tacs)
    ready = load_input(table, unit=analysis.blood_unit)
    if ready is not None:
        return _taken(ready, table.input_functions[0], analysis, tacs)
    wanting = " and ".join(kind.name for kind in analysis.kinds if "samples" in kind.needs)
    raise InputError(
        f"{table.scan.label} has no blood (*_blood.tsv) and no input function (*_inputfunction.tsv), but {wanting} "
        "needs a few samples of plasma, or one; give them, or choose a model with a reference region"
    )


def samples_of_files(
    paths: Sequence[Path],
    analysis: Analysis,
    tacs: TACs,
    injection: float,
    half_life: float | None,
    unit: str | None = None,
) -> PlasmaSamples:
    """Samples of files that are named: ``*_blood.tsv``, or a table of an input function with as few rows as one.

    Parameters
    ----------
    paths : sequence of Path
    analysis : Analysis
    tacs : TACs
        Curves of the scan.
    injection : float, min
        On the clock of the files.
    half_life : float, min, or None
    unit : str, optional
        Of a table which does not tell its own, where none is given for the blood.

    Raises
    ------
    InputError, UnitError
        As :func:`samples_of_scan`.
    """
    if all(is_blood(path) for path in paths):
        drop = analysis.blood_faults == "mend"
        found = read_blood(paths, injection=injection, half_life=half_life, unit=analysis.blood_unit, drop=drop)
        return _taken(found, paths[0], analysis, tacs)
    try:
        ready = read_input_function(paths, unit=analysis.blood_unit, injection=injection, half_life=half_life)
    except UnitError:
        if analysis.blood_unit is not None or unit is None:
            raise
        ready = read_input_function(paths, unit=unit, injection=injection, half_life=half_life)
    return _taken(ready, paths[0], analysis, tacs)


def _taken(found: Blood | InputFunction, path: Path, analysis: Analysis, tacs: TACs) -> PlasmaSamples:
    parent = _parent(found.samples, path) if isinstance(found, Blood) else found.input.parent
    if not parent.value.max() > 0:
        raise InputError(f"{path}: all samples of the parent in plasma are zero; mend them, or their unit")
    scan_end = float(tacs.frames.end[-1])
    first = max(_first(kind) for kind in analysis.kinds if "samples" in kind.needs)
    used = (parent.time >= first) & (parent.time <= scan_end) & (parent.value > 0)
    if not used.any():
        raise InputError(
            f"{path}: no sample of the parent in plasma lies from {60 * first:g} s after injection, which gives the "
            f"scale of the input, to the end of the scan at {60 * scan_end:g} s; they are from "
            f"{60 * parent.time[0]:g} to {60 * parent.time[-1]:g} s; add a later one, or check their times"
        )
    times = ", ".join(f"{time:.4g}" for time in parent.time[used])
    step = Step("plasma_samples", {"n_samples": int(used.sum()), "times": times})
    return PlasmaSamples(PlasmaInput(parent), (found.step, step), found.findings)


def _first(kind: type[KineticModel]) -> float:
    """Time from which on a model uses samples, min."""
    return float(getattr(kind, "sample_from", 0.0))


def _parent(samples: BloodSamples, path: Path) -> PiecewiseLinear:
    """The parent at the times of the plasma samples; of two at one time, their mean."""
    plasma, fraction = samples.plasma, samples.parent_fraction
    if plasma is None:
        raise InputError(f"{path}: there are no plasma samples (plasma_radioactivity); add them, with their times")
    time, value = plasma.time, plasma.value
    if not samples.metabolite_corrected:
        if fraction is None:
            raise InputError(
                f"{path}: plasma holds metabolites, and there are no samples of the parent fraction "
                "(metabolite_parent_fraction); add some, or say in the JSON that the plasma is metabolite-corrected"
            )
        for at in np.flatnonzero((fraction.value > 1 + ABOVE_ONE) | (fraction.value < -ABOVE_ONE))[:1]:
            raise InputError(
                f"{path}: the parent fraction is {fraction.value[at]:g} at {60 * fraction.time[at]:g} s, but must be "
                "from 0 to 1; mend it, or its unit"
            )
        inside = (time >= fraction.time[0]) & (time <= fraction.time[-1])
        time, value = time[inside], (value * np.interp(time, fraction.time, np.clip(fraction.value, 0, 1)))[inside]
    if not time.size:
        raise InputError(
            f"{path}: no plasma sample lies between the first and the last sample of the parent fraction; add some"
        )
    once = np.unique(time)
    return PiecewiseLinear(once, np.array([value[time == one].mean() for one in once]))
