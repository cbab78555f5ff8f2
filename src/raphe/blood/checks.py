"""What is wrong or doubtful with the samples of one scan's blood, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from raphe.blood.join import AUTOSAMPLER
from raphe.data.blood import BloodSamples, Samples

Array = npt.NDArray[np.float64]

ABOVE_ONE = 0.02
"""Excess over 1, or shortfall under 0, of a parent fraction that is taken as noise; an assumption."""

RISE = (0.03, 0.15)
"""Rises of the parent fraction above its lowest value so far that are worth a remark, and that are refused.

An assumption from real data: of 58 scans at hand, the largest rises are 0.113 (after a drug that displaced the tracer)
and 0.110 (noise).
"""

EARLIEST_END = 0.9
"""Share of the scan that plasma and whole blood must cover; an assumption."""

FRACTION_END = 0.5
"""Share of the scan that the parent fraction must cover, which changes more slowly than activity; an assumption."""

HELD = 1.0
"""Time before the end of the scan for which a last value is held without a remark, min; an assumption."""

LONGEST_GAP = 1 / 3
"""Longest gap between samples, as a share of the scan; an assumption."""

BELOW_ZERO = (0.01, 0.05)
"""Shares of the peak below zero that are worth a remark, and that are refused; an assumption."""

LATE_FIRST = 1.0
"""Time of a first sample that is also the peak, min, after which too little is known of the bolus; an assumption."""


class Remark(NamedTuple):
    """One remark about the samples, which the reader of the file puts its place before."""

    severity: Literal["error", "warning"]
    field: str
    """``whole_blood``, ``plasma``, ``parent_fraction`` or ``plasma_to_blood``."""
    message: str


def check_values(samples: BloodSamples) -> tuple[Remark, ...]:
    """Look for values that no plasma and no parent fraction can have, whatever of an input was not sampled."""
    remarks: list[Remark] = []
    if samples.plasma is not None:
        remarks += _values("plasma", "plasma", samples.plasma)
    if samples.parent_fraction is not None:
        remarks += _shares(samples.parent_fraction)
    return tuple(remarks)


def check_samples(samples: BloodSamples, scan_end: float, fitted_end: float | None = None) -> tuple[Remark, ...]:
    """Look for what no arterial blood can be, and for what is missing.

    Parameters
    ----------
    samples : BloodSamples
    scan_end : float, min
    fitted_end : float, min, optional
        End of the last frame that is fitted, where not all of the scan is.
    """
    end = scan_end if fitted_end is None else fitted_end
    remarks = list(_incomplete(samples))
    for field, own in (("whole_blood", samples.whole_blood), ("plasma", samples.plasma)):
        if own is not None:
            remarks += _activity(field, own, samples, scan_end, end)
    if samples.parent_fraction is not None:
        remarks += _fraction(samples.parent_fraction, scan_end, end)
    if samples.plasma_to_blood is not None:
        remarks += _ratio(samples.plasma_to_blood)
    return tuple(remarks)


NO_PLASMA = (
    "there are no plasma samples and no ratio of plasma to whole blood; give either, or a ratio with its parameters "
    "and source"
)
NO_FRACTION = (
    "plasma holds metabolites, and there are no samples of the parent fraction; give some, or a fraction with its "
    "parameters and source, or say that the plasma is metabolite-corrected"
)


def _incomplete(samples: BloodSamples) -> Iterator[Remark]:
    if samples.plasma is None and (samples.whole_blood is None or samples.plasma_to_blood is None):
        yield Remark("error", "plasma", NO_PLASMA)
    if samples.parent_fraction is None and not samples.metabolite_corrected:
        yield Remark("error", "parent_fraction", NO_FRACTION)


def _activity(field: str, own: Samples, samples: BloodSamples, scan_end: float, fitted_end: float) -> Iterator[Remark]:
    word = field.replace("_", " ")
    top = int(own.value.argmax())
    yield from _values(field, word, own)
    if not own.value[top] > 0:
        return
    if top == 0 and own.time[0] > 0 and len(own) > 1 and not _by_autosampler(field, samples):
        late = own.time[0] > LATE_FIRST
        yield Remark(
            "error" if late else "warning",
            field,
            f"the first sample of {word}, at {_s(own.time[0])}, is the highest, so that the peak may have been missed "
            "and the rise is a straight line from injection; add earlier samples or those of an autosampler",
        )
    if not _continued(field, samples, scan_end):
        yield from _end(field, word, own, fitted_end)
        yield from _gaps(field, word, own, scan_end, "error")


def _values(field: str, word: str, own: Samples) -> Iterator[Remark]:
    peak = own.value.max()
    if peak > 0:
        yield from _negative(field, word, own, peak)
    else:
        yield Remark("error", field, f"{word} holds no activity in any of its {len(own)} samples; check the column")


def _negative(field: str, word: str, own: Samples, peak: float) -> Iterator[Remark]:
    low = int(own.value.argmin())
    share = -own.value[low] / peak
    if share > BELOW_ZERO[0]:
        refused = share > BELOW_ZERO[1]
        yield Remark(
            "error" if refused else "warning",
            field,
            f"{word} is {own.value[low]:.4g} kBq/mL at {_s(own.time[low])}, {100 * share:.1f} % of the peak below zero"
            + ("; an activity cannot be negative: mend or remove the sample" if refused else ""),
        )


def _end(field: str, word: str, own: Samples, scan_end: float) -> Iterator[Remark]:
    last = own.time[-1]
    if last < EARLIEST_END * scan_end:
        yield Remark(
            "error",
            field,
            f"the last sample of {word} is at {_s(last)}, but the scan ends at {_s(scan_end)}; blood has to reach "
            f"{EARLIEST_END:.0%} of the scan. Fit the frames up to the last sample only, or add samples",
        )
    elif last < scan_end - HELD:
        yield Remark(
            "warning",
            field,
            f"the last sample of {word} is at {_s(last)}; its value is held to the end of the scan at {_s(scan_end)}",
        )


def _gaps(
    field: str, word: str, own: Samples, scan_end: float, severity: Literal["error", "warning"]
) -> Iterator[Remark]:
    time = np.append(0.0, own.time[own.time > 0])
    gap = np.diff(time[time <= scan_end])
    for index in np.flatnonzero(gap > LONGEST_GAP * scan_end):
        yield Remark(
            severity,
            field,
            f"{word} has no sample between {_s(time[index])} and {_s(time[index + 1])}, more than a third of the "
            f"scan of {_s(scan_end)}; what lies between is a straight line or a model's guess. Check whether rows are "
            "missing",
        )


def _fraction(own: Samples, scan_end: float, fitted_end: float) -> Iterator[Remark]:
    field, word = "parent_fraction", "the parent fraction"
    yield from _shares(own)
    if not own.value.max() > 0:
        return
    if own.time[-1] < EARLIEST_END * fitted_end:
        early = own.time[-1] < FRACTION_END * fitted_end
        yield Remark(
            "error" if early else "warning",
            field,
            f"the last sample of {word} is at {_s(own.time[-1])}, but the scan ends at {_s(fitted_end)}; from there on "
            "the fraction is a model's guess" + ("; add samples, or fit the frames up to there only" if early else ""),
        )
    # Only a warning: between two samples a fraction that does not rise can be nowhere but between their values.
    yield from _gaps(field, word, own, scan_end, "warning")


def _shares(own: Samples) -> Iterator[Remark]:
    field, word = "parent_fraction", "the parent fraction"
    for index in np.flatnonzero(own.value > 1 + ABOVE_ONE)[:1]:
        yield Remark(
            "error",
            field,
            f"{word} is {own.value[index]:.4g} at {_s(own.time[index])}, but cannot exceed 1; check the unit, and "
            "whether it is of the parent and not of plasma to blood",
        )
    low = int(own.value.argmin())
    if own.value[low] < 0:
        yield Remark(
            "error" if own.value[low] < -ABOVE_ONE else "warning",
            field,
            f"{word} is {own.value[low]:.4g} at {_s(own.time[low])}, but cannot be negative; mend or remove the sample",
        )
    if own.value.max() > 0:
        yield from _rise(own)
    else:
        yield Remark("error", field, f"{word} is 0 in each of its {len(own)} samples; check the column")


def _rise(own: Samples) -> Iterator[Remark]:
    lowest = np.minimum.accumulate(own.value)
    rise = own.value - lowest
    worst = int(rise.argmax())
    if rise[worst] <= RISE[0]:
        return
    before = int(own.value[: worst + 1].argmin())
    refused = rise[worst] > RISE[1]
    yield Remark(
        "error" if refused else "warning",
        "parent_fraction",
        f"the parent fraction rises from {own.value[before]:.4g} at {_s(own.time[before])} to "
        f"{own.value[worst]:.4g} at {_s(own.time[worst])}, but a tracer is not made again from its metabolites"
        + (
            "; check whether samples were interchanged, and mend or remove the wrong one"
            if refused
            else "; as noise it is no hindrance, and every model but interpolation draws a curve that does not rise"
        ),
    )


def _ratio(own: Samples) -> Iterator[Remark]:
    for index in np.flatnonzero(own.value <= 0)[:1]:
        yield Remark(
            "error",
            "plasma_to_blood",
            f"the ratio of plasma to blood is {own.value[index]:.4g} at {_s(own.time[index])}, but must be positive; "
            "mend or remove the sample",
        )


def _by_autosampler(field: str, samples: BloodSamples) -> bool:
    """Whether the peak of manual plasma comes from the autosampler's whole blood."""
    whole = samples.whole_blood
    return field == "plasma" and whole is not None and AUTOSAMPLER in whole.source


def _continued(field: str, samples: BloodSamples, scan_end: float) -> bool:
    """Whether whole blood that ends early goes on as plasma divided by their ratio."""
    plasma = samples.plasma
    if field != "whole_blood" or plasma is None or samples.metabolite_corrected:
        return False
    return _by_autosampler("plasma", samples) and bool(plasma.time[-1] >= EARLIEST_END * scan_end)


def _s(minutes: float) -> str:
    return f"{60 * minutes:.6g} s"
