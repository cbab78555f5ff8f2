"""Doubts about blood that can be read: units and clocks that cannot be, with the evidence.

Blood is held against the tissue of its own scan. Over a whole scan the area under the tissue's curve is about that
under the blood's (0.5 to 2.5 times in the scans that this was tried on: MC1, PS13, PBR28); it cannot be a hundredth of
it, as vessels alone fill a few hundredths of the tissue, nor a hundred times as much for any tracer of the brain.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from raphe.core.piecewise import PiecewiseLinear
from raphe.data.blood import Samples
from raphe.data.finding import Finding
from raphe.data.scan import Scan
from raphe.data.tacs import TACs
from raphe.errors import RapheError
from raphe.io.amounts import POSSIBLE_DOSE
from raphe.io.bids import load_blood, read_input
from raphe.io.blood import read_recording
from raphe.io.blood_clocks import doubts_of_clock
from raphe.io.doubts import Reading
from raphe.io.input_function import InputFunction
from raphe.io.recordings import FRACTIONS, Blood
from raphe.io.units import concentration

POSSIBLE_AREA = (0.01, 100.0)
"""Area under the tissue (median region) over that under blood or plasma between which units are possible."""

POSSIBLE_AREA_PARENT = (0.01, 1000.0)
"""As :data:`POSSIBLE_AREA` for the unchanged tracer alone, which may be a small part of plasma."""

USUAL_AREA = (0.05, 20.0)
"""The same ratio between which a mended unit is said to fit; an assumption."""

POSSIBLE_RATIO = (0.02, 50.0)
"""Plasma over whole blood, or manual samples over an autosampler's, between which their units may be right."""

USUAL_RATIO = (0.2, 5.0)
"""Plasma over whole blood between which it is not doubted; an assumption (0.5 to 2 in the scans named above)."""

USUAL_APART = (0.6, 1.7)
"""Manual samples over an autosampler's, where both were sampled, between which neither is doubted; an assumption."""

LEAST_PARENT = 0.05
"""Highest parent fraction of a scan below which its unit is doubted: a share said to be per cent is a hundredth."""

LEAP = 5.0
"""Fold by which a sample may depart from both of its neighbours, once blood falls, before it is doubted."""

POSSIBLE_PEAK = (0.1, 1000.0)
"""Peak of blood as standardised uptake (activity times body weight over dose) that is possible; an assumption.

A bolus peaks between 1 and 100, an infusion lower.
"""

LATEST_PEAK = 10.0
"""Time of the highest sample, min, after which it is not that of the bolus and says nothing of the dose."""

BLOOD_VOLUME = 5.0
"""Litres of blood in an adult, roughly, to say what a peak would come to; nothing is decided by it."""


class _Curve(NamedTuple):
    """Activity against time, where its unit stands, and how to call it."""

    quantity: str
    curve: PiecewiseLinear
    unit: str
    source: Path
    field: str

    @property
    def name(self) -> str:
        return {"parent": "metabolite-corrected plasma"}.get(self.quantity, self.quantity.replace("_", " "))


def doubts_of_blood(blood: Blood, tacs: TACs, scan: Scan) -> Iterator[Finding]:
    """Yield errors about units and clock of blood samples, and a warning if they do not fit the dose.

    Parameters
    ----------
    blood : Blood
    tacs : TACs
        Tissue of the same scan.
    scan : Scan
        For dose and body weight; both may be unknown.
    """
    sampled = blood.samples
    plasma = "parent" if sampled.metabolite_corrected else "plasma"
    curves = []
    for quantity, samples in (("whole_blood", sampled.whole_blood), (plasma, sampled.plasma)):
        own = [one for one in blood.recordings if quantity in one.series]
        if samples is not None and own:
            field = own[0].series[quantity].column
            curve = PiecewiseLinear(samples.time, samples.value)
            curves.append(_Curve(quantity, curve, own[0].units[quantity], own[0].unit_sources[quantity], field))
    manual = [one for one in blood.recordings if one.source == "manual"] or blood.recordings
    last = max((series.time[-1] for one in manual for series in one.series.values()), default=0.0)
    clock = list(doubts_of_clock(blood.paths[-1], float(last), [one.curve for one in curves], tacs))
    yield from clock
    if not any(finding.severity == "error" for finding in clock):
        apart = list(_recordings_apart(blood))
        yield from apart
        if not any(finding.severity == "error" for finding in apart):
            yield from _units(curves, tacs, scan)
        yield from _fractions(blood)
        yield from _leaps(blood)


def doubts_of_input(path: Path, found: InputFunction, tacs: TACs, scan: Scan) -> Iterator[Finding]:
    """Yield errors about units and clock of an input function from ``path``, as :func:`doubts_of_blood`."""
    told = found.input
    curves = []
    for quantity, curve in (("whole_blood", told.whole_blood), ("plasma", told.plasma), ("parent", told.parent)):
        own = next((one for one in found.recordings if quantity in one.series), None)
        if curve is not None and own is not None:
            field, source = own.series[quantity].column, own.unit_sources[quantity]
            curves.append(_Curve(quantity, curve, own.units[quantity], source, field))
    clock = list(doubts_of_clock(path, float(told.parent.time[-1]), [one.curve for one in curves], tacs))
    yield from clock
    if not any(finding.severity == "error" for finding in clock):
        yield from _units(curves, tacs, scan)


def doubts_of_samples(path: Path, found: Blood | InputFunction, parent: Samples, tacs: TACs) -> Iterator[Finding]:
    """Yield an error about the unit of a few samples of the parent in plasma that the tissue contradicts.

    Parameters
    ----------
    path : Path
        File that messages name.
    found : Blood or InputFunction
        What the samples were read from.
    parent : Samples
        Positive, within the scan.
    tacs : TACs
        Tissue of the same scan.
    """
    frames = tacs.frames
    at = np.clip(np.searchsorted(frames.start, parent.time, side="right") - 1, 0, None)
    ratio = float(np.median(np.median(tacs.activity, axis=0)[at] / parent.value))
    low, high = POSSIBLE_AREA_PARENT
    if not ratio > 0 or low <= ratio <= high:
        return
    message = (
        f"{path}: the tissue (median region) is {_three(ratio)} times the parent in plasma at the times of the samples "
        f"({parent.value[-1]:.4g} kBq/mL at {parent.time[-1]:.4g} min), where {low:g} to {high:g} is possible; mend "
        "the Units of the plasma or of the curves, whichever are wrong, or tell raphe the unit (--blood-unit)"
    )
    yield Finding("error", path, "plasma", message)


def inspect_blood(reading: Reading, unit: str | None = None) -> Iterator[Finding]:
    """Yield everything that is wrong or doubtful about blood samples and input functions of one scan.

    Parameters
    ----------
    reading : Reading
        One of the scan's tables of curves.
    unit : str, optional
        Unit of every activity of blood, whatever the files say (``--blood-unit``).
    """
    table, tacs = reading.table, reading.tacs
    faults = [*_faults(table.blood, unit)]
    yield from faults
    if not faults:
        try:
            blood = load_blood(table, unit=unit)
        except RapheError as error:
            yield Finding("error", table.blood[0], "", str(error))
        else:
            if blood is not None:
                yield from blood.findings
                yield from doubts_of_blood(blood, tacs, table.scan)
    for path in table.input_functions:
        try:
            found = read_input(table, path, unit=None if table.blood else unit)  # beside blood it is not used
        except RapheError as error:
            yield Finding("error", path, "", str(error))
        else:
            yield from found.findings
            yield from doubts_of_input(path, found, tacs, table.scan)


def _faults(paths: Sequence[Path], unit: str | None) -> Iterator[Finding]:
    """Yield what keeps each table of blood from being read."""
    for path in paths:
        try:
            read_recording(path, unit=unit)
        except RapheError as error:
            yield Finding("error", path, "", str(error))


def _units(curves: Sequence[_Curve], tacs: TACs, scan: Scan) -> Iterator[Finding]:
    against_tissue = [finding for one in curves for finding in _against_tissue(one, tacs, scan)]
    yield from against_tissue
    if against_tissue:
        return
    by_name = {one.quantity: one for one in curves}
    if {"plasma", "whole_blood"} <= set(by_name):
        yield from _against_whole_blood(by_name["plasma"], by_name["whole_blood"])
    for one in curves[:1]:
        yield from _against_dose(one, scan)


def _against_tissue(blood: _Curve, tacs: TACs, scan: Scan) -> Iterator[Finding]:
    frames = tacs.frames
    start, end = max(blood.curve.time[0], frames.start[0]), min(blood.curve.time[-1], frames.end[-1])
    ratio, late = _ratio(blood.curve, tacs, start, end), _ratio(blood.curve, tacs, (start + end) / 2, end)
    low, high = POSSIBLE_AREA_PARENT if blood.quantity == "parent" else POSSIBLE_AREA
    if ratio is None or low <= ratio <= high:
        return
    fit = next((f for f in (1e3, 1e-3) if USUAL_AREA[0] <= ratio / f <= USUAL_AREA[1]), None)
    mended = None if fit is None else _spelled(blood.unit, fit)
    hint = "no factor of 1000 would make it fit"
    if fit is not None:
        hint = f"a factor of 1000 would make it fit, {mended or 'another unit'} for {blood.unit}"
    late_told = "" if late is None else f" ({_three(late)} in the later half)"
    message = (
        f"{blood.source}: {blood.field} is taken in {blood.unit}, but then the area under the tissue (median "
        f"region) is {_three(ratio)} times that under {blood.name} from {start:.3g} to {end:.3g} min{late_told}, where "
        f"{low:g} to {high:g} is possible{_share(blood.curve, scan)}; {hint}. Mend Units of {blood.field}, "
        f"or tell raphe the unit (--blood-unit {mended or 'U'}); or mend Units of the curves, if these are wrong"
    )
    yield Finding("error", blood.source, blood.field, message)


def _ratio(curve: PiecewiseLinear, tacs: TACs, start: float, end: float) -> float | None:
    """Area under the median region over that under a curve, from ``start`` to ``end`` min; None if there is none."""
    frames = tacs.frames
    overlap = np.clip(np.minimum(frames.end, end) - np.maximum(frames.start, start), 0.0, None)
    tissue = float(np.median(tacs.activity, axis=0) @ overlap)
    blood = float(curve.integral(end) - curve.integral(start)) if end > start else 0.0
    return tissue / blood if tissue > 0 and blood > 0 else None


def _share(curve: PiecewiseLinear, scan: Scan) -> str:
    """Tell what the peak would come to in all of the blood, as evidence, where the dose is known and can be."""
    dose = scan.injected_radioactivity
    if dose is None or not POSSIBLE_DOSE[0] <= dose <= POSSIBLE_DOSE[1]:
        return ""
    peak = float(curve.value.max())
    whole = f"{BLOOD_VOLUME * peak:.3g} MBq in {BLOOD_VOLUME:g} L of blood"
    return f", and its peak of {peak:.3g} kBq/mL would come to {whole} after an injection of {dose:.3g} MBq"


def _spelled(unit: str, times: float) -> str | None:
    """Unit that is ``times`` as large, in the usual spelling."""
    wanted = concentration(unit) * times
    return next((one for one in ("Bq/mL", "kBq/mL", "MBq/mL") if np.isclose(concentration(one), wanted)), None)


def _against_whole_blood(plasma: _Curve, blood: _Curve) -> Iterator[Finding]:
    ratio = _level(plasma.curve, blood.curve)
    if ratio is None or USUAL_RATIO[0] <= ratio <= USUAL_RATIO[1]:
        return
    impossible = not POSSIBLE_RATIO[0] <= ratio <= POSSIBLE_RATIO[1]
    (low, high), what = (POSSIBLE_RATIO, "possible") if impossible else (USUAL_RATIO, "usual")
    message = (
        f"{plasma.source}: plasma is {_three(ratio)} times whole blood (median of the samples), where {low:g} to "
        f"{high:g} is {what}; their units are {plasma.unit} and {blood.unit}: mend whichever is wrong"
    )
    yield Finding("error" if impossible else "warning", plasma.source, plasma.field, message)


def _level(one: PiecewiseLinear, other: PiecewiseLinear) -> float | None:
    """Median ratio of two curves at the knots of the first within the second; None where they do not overlap."""
    within = (one.time >= other.time[0]) & (one.time <= other.time[-1])
    first, second = one.value[within], other(one.time[within])
    seen = (first > 0) & (second > 0)
    return float(np.median(first[seen] / second[seen])) if seen.any() else None


def _recordings_apart(blood: Blood) -> Iterator[Finding]:
    """Doubt the units of two recordings of one quantity that are far apart where both were sampled."""
    for quantity in dict.fromkeys(name for one in blood.recordings for name in one.series):
        own = [one for one in blood.recordings if quantity in one.series]
        if quantity in FRACTIONS or len(own) < 2:
            continue
        manual, other = sorted(own, key=lambda one: one.source != "manual")[:2]
        curves = [PiecewiseLinear(one.series[quantity].time, one.series[quantity].value) for one in (manual, other)]
        ratio = _level(curves[0], curves[1])
        if ratio is not None and not USUAL_APART[0] <= ratio <= USUAL_APART[1]:
            impossible = not POSSIBLE_RATIO[0] <= ratio <= POSSIBLE_RATIO[1]
            source, column = other.unit_sources[quantity], other.series[quantity].column
            message = (
                f"{source}: {column} of {manual.path} ({manual.units[quantity]}) is {_three(ratio)} times that of "
                f"{other.path} ({other.units[quantity]}) where both were sampled; mend the unit "
                f"{'that' if impossible else 'or the calibration, whichever'} is wrong"
            )
            yield Finding("error" if impossible else "warning", source, column, message)


def _fractions(blood: Blood) -> Iterator[Finding]:
    """Doubt the unit of a parent fraction that is never more than a few per cent."""
    for one in blood.recordings:
        series = one.series.get("parent_fraction")
        if series is not None and (highest := float(series.value.max())) < LEAST_PARENT:
            message = (
                f"{one.path}: {series.column} is at most {highest:.2g}, a share of {100 * highest:.2g} % unchanged "
                "tracer; is its unit right (Units in the JSON: unitless for 0 to 1, % for 0 to 100)?"
            )
            yield Finding("warning", one.path, series.column, message)


def _leaps(blood: Blood) -> Iterator[Finding]:
    """Doubt a sample that stands far from those before and after it, once blood falls."""
    for one in blood.recordings:
        for quantity in (name for name in one.series if name not in FRACTIONS):
            series = one.series[quantity]
            value = series.value
            before, own, after = value[:-2], value[1:-1], value[2:]
            low, high = np.minimum(before, after), np.maximum(before, after)
            falling = np.arange(1, len(value) - 1) > value.argmax() + 1
            for at in np.flatnonzero(falling & (low > 0) & ((own > LEAP * high) | (LEAP * own < low)))[:1]:
                message = (
                    f"{one.path}: {series.column} leaps to {own[at]:.4g} kBq/mL at {60 * series.time[at + 1]:.4g} s "
                    f"after injection, between {before[at]:.4g} and {after[at]:.4g}; is the sample right?"
                )
                yield Finding("warning", one.path, series.column, message)


def _against_dose(blood: _Curve, scan: Scan) -> Iterator[Finding]:
    if blood.curve.time[blood.curve.value.argmax()] > LATEST_PEAK:
        return
    dose, weight, peak = scan.injected_radioactivity, scan.body_weight, float(blood.curve.value.max())
    if dose and weight and peak > 0 and not POSSIBLE_PEAK[0] <= peak * weight / dose <= POSSIBLE_PEAK[1]:
        message = (
            f"{blood.source}: {blood.name} peaks at {peak:.3g} kBq/mL, a standardised uptake of "
            f"{peak * weight / dose:.2g} after {dose:g} MBq in {weight:g} kg; check Units, InjectedRadioactivity and "
            "BodyWeight, each with its unit"
        )
        yield Finding("warning", blood.source, blood.field, message)


def _three(value: float) -> str:
    """Three digits, written out: 1790, not 1.79e+03."""
    return f"{float(f'{value:.3g}'):g}"
