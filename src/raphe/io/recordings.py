"""What the files of one scan hold of blood, each on its own clock, and how they are joined on that of injection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from raphe.core.decay import decay_constant
from raphe.data.blood import BloodSamples, Samples
from raphe.data.finding import Finding
from raphe.data.record import Parameter, Step
from raphe.errors import InputError
from raphe.io.provenance import sha256
from raphe.io.series import Series
from raphe.io.tables import shortened

FRACTIONS = frozenset({"parent_fraction", "plasma_to_blood"})
"""Quantities without a unit; all others are activity concentrations."""

SAME_TIME = 1e-9
"""Minutes within which two samples are at one time: the rounding of units of time."""


@dataclass(frozen=True, eq=False)
class Recording:
    """What one file holds of blood.

    Parameters
    ----------
    path : Path
    source : str
        How the samples were taken: ``manual`` or ``autosampler``.
    series : mapping of str to Series
        By quantity (``whole_blood``, ``plasma``, ``parent``, ``parent_fraction``, ``plasma_to_blood``): kBq/mL or a
        fraction, min from the zero of the file.
    units : mapping of str to str
        Unit of each quantity that was taken, as it was spelled.
    unit_sources : mapping of str to Path
        File that tells the unit of each.
    stated : mapping of str to str
        Units that the file states and that were overruled, by quantity.
    dispersion_corrected : bool
    sidecars : tuple of Path
    findings : tuple of Finding
    format : str
        The format in words.
    """

    path: Path
    source: str
    series: Mapping[str, Series]
    units: Mapping[str, str]
    unit_sources: Mapping[str, Path]
    stated: Mapping[str, str] = field(default_factory=dict)
    dispersion_corrected: bool = False
    sidecars: tuple[Path, ...] = ()
    findings: tuple[Finding, ...] = ()
    format: str = "BIDS"


def file_of(recordings: Sequence[Recording], quantity: str, otherwise: Path) -> Path:
    """The first table that holds a quantity; metabolite-corrected plasma is plasma too."""
    names = {quantity, "parent"} if quantity == "plasma" else {quantity}
    return next((one.path for one in recordings if names & set(one.series)), otherwise)


def unit_given(recordings: Sequence[Recording], unit: str) -> dict[str, Parameter]:
    """What a step says of a unit that was given, and of those that it overruled."""
    overruled = tuple(f"{name} {told}" for one in recordings for name, told in one.stated.items())
    return {"unit_given": unit, "units_overruled": overruled}


@dataclass(frozen=True, eq=False)
class Blood:
    """Blood of one scan as raphe uses it, and how it came to be so.

    Parameters
    ----------
    samples : BloodSamples
        kBq/mL decay-corrected to injection, min from injection.
    step : Step
        ``blood_read``: units, numbers of samples, time of injection in the files (min), decay correction, and the
        SHA-256 of each file.
    findings : tuple of Finding
        Warnings of the files.
    paths : tuple of Path
        The tables.
    recordings : tuple of Recording
        What each of them holds, on its own clock.
    """

    samples: BloodSamples
    step: Step
    findings: tuple[Finding, ...]
    paths: tuple[Path, ...]
    recordings: tuple[Recording, ...] = ()


def join(
    recordings: Sequence[Recording],
    *,
    injection: float = 0.0,
    half_life: float | None = None,
    unit: str | None = None,
    zero: str = "TimeZero",
) -> Blood:
    """Join what the files of one scan hold, in the order of time; of two samples at one time, the manual one is kept.

    Parameters
    ----------
    recordings : sequence of Recording
    injection : float, min
        Time of injection on the clock of the files.
    half_life : float, min, optional
        Needed where injection is not at their time zero.
    unit : str, optional
        Unit that was given for every activity, for the step.
    zero : str
        What the time zero of the files is called.

    Raises
    ------
    InputError
        If there is none, two samples of one source are at the same time, total and metabolite-corrected plasma are both
        there, or the activity has to be moved to injection and the half-life is not known.
    """
    if not recordings:
        raise InputError("no file of blood samples was given")
    scale, correction = moved_to_injection(injection, half_life, recordings[0].path, zero)
    quantities = dict.fromkeys(name for one in recordings for name in one.series)
    if {"plasma", "parent"} <= set(quantities):
        files = shortened([str(one.path) for one in recordings if {"plasma", "parent"} & set(one.series)], 4)
        raise InputError(f"{files}: both total and metabolite-corrected plasma are given; leave one of them out")
    joined = {name: _joined(name, recordings, injection, scale) for name in quantities}
    by_machine = [one for one in recordings if one.source == "autosampler"]
    samples = BloodSamples(
        whole_blood=joined.get("whole_blood"),
        plasma=joined.get("plasma", joined.get("parent")),
        parent_fraction=joined.get("parent_fraction"),
        plasma_to_blood=joined.get("plasma_to_blood"),
        metabolite_corrected="parent" in joined,
        dispersion_corrected=all(one.dispersion_corrected for one in by_machine or recordings),
    )
    findings = tuple(finding for one in recordings for finding in one.findings)
    step = _step(recordings, joined, {"injection": injection, "decay_correction": correction}, samples, unit)
    return Blood(samples, step, findings, tuple(one.path for one in recordings), tuple(recordings))


def moved_to_injection(injection: float, half_life: float | None, path: Path, zero: str) -> tuple[float, str]:
    """Tell the factor from activity that is decay-corrected to time zero to that at injection, and how in words.

    Raises
    ------
    InputError
        If it is not 1 and the half-life is unknown.
    """
    if injection == 0.0:
        return 1.0, f"taken to be to {zero} in the file, which is injection"
    if half_life is None:
        raise InputError(
            f"{path}: injection is {60 * injection:g} s after {zero}, to which blood is decay-corrected; moving it to "
            "injection needs the half-life (TracerRadionuclide in the PET sidecar, or --half-life)"
        )
    factor = float(np.exp(-decay_constant(half_life) * injection))
    return factor, f"taken to be to {zero} in the file, moved to injection with a half-life of {half_life:g} min"


def _joined(quantity: str, recordings: Sequence[Recording], injection: float, scale: float) -> Samples:
    """Put the samples of one quantity in the order of time; the manual one where two are at the same time."""
    own = [one for one in recordings if quantity in one.series]
    time = np.concatenate([one.series[quantity].time for one in own]) - injection
    value = np.concatenate([one.series[quantity].value for one in own])
    if quantity not in FRACTIONS:
        value = value * scale
    files = [one for one in own for _ in one.series[quantity].lines]
    order = np.lexsort((np.array([one.source != "manual" for one in files]), time))
    keep = np.ones(order.size, dtype=bool)
    for at in np.flatnonzero(np.diff(time[order]) <= SAME_TIME):
        first, second = (files[index] for index in order[at : at + 2])
        if first.source == second.source:
            raise InputError(
                f"{second.path}: {second.series[quantity].column!r} has a sample {60 * time[order[at]]:g} s after "
                f"injection, and so has {first.path}; both are of {first.source} samples: keep one of them"
            )
        keep[at + 1 if first.source == "manual" else at] = False
    kept = order[keep]
    return Samples(time[kept], value[kept], tuple(files[index].source for index in kept))


def _step(
    recordings: Sequence[Recording],
    joined: Mapping[str, Samples],
    zero: Mapping[str, Parameter],
    samples: BloodSamples,
    unit: str | None,
) -> Step:
    parameters: dict[str, Parameter] = {
        "format": recordings[0].format,
        "recordings": tuple(dict.fromkeys(one.source for one in recordings)),
        **zero,
        "dispersion_corrected": samples.dispersion_corrected,
    }
    for name, kept in joined.items():
        units = tuple(dict.fromkeys(one.units[name] for one in recordings if name in one.units))
        parameters |= {f"n_{name}": len(kept), f"unit_{name}": units}
        there = sum(len(one.series[name].lines) for one in recordings if name in one.series)
        if there > len(kept):
            parameters[f"n_{name}_left_out_for_a_manual_one"] = there - len(kept)
    if lines := sum(len({line for own in one.series.values() for line in own.dropped}) for one in recordings):
        parameters["n_lines_out_of_order"] = lines
    if unit is not None:
        parameters |= unit_given(recordings, unit)
    files = [file for one in recordings for file in (one.path, *one.sidecars)]
    return Step("blood_read", parameters, inputs={str(file): sha256(file) for file in dict.fromkeys(files)})
