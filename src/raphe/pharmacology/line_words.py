"""What the line of an occupancy plot does and does not tell, in words."""

from __future__ import annotations

import math

from raphe.data.pharmacology import LineRegion, OccupancyLine
from raphe.data.results import Interval

LEVEL = 0.05

LEAST_SPAN = 3.0
"""Spread of the baseline over regions, in errors, under which a line is not trusted (benchmarks/occupancy.py)."""

SWAY = 1.0
"""Half-widths of an interval by which one region alone may move an estimate without being named."""

RESOLUTION = 1e-8
"""Half-width of an interval, as a share of the value, under which it is of rounding; tables have nine digits."""

FEW = 5
"""Regions under which the scatter about the line is known so poorly that intervals are wide for that alone."""


def statements(line: OccupancyLine) -> tuple[str, ...]:
    """Sentences on what is determined, which regions stand out, and what the numbers cannot be; none if all is well."""
    told = [*_determined(line), *_impossible(line), *_regions(line)]
    if line.p_fit < LEVEL:
        told.append(
            f"the regions scatter about the line by more than the known errors allow (p = {line.p_fit:.2g}): one "
            "occupancy and one V_ND do not hold for all of them, or the errors are larger than was said"
        )
    if line.method != "ml":
        told.append(
            f"{line.method} takes the error of the baseline wrongly and is biased; it is here for comparison with "
            "other programs"
        )
    return tuple(told)


def _determined(line: OccupancyLine) -> list[str]:
    told = []
    n = len(line.used)
    lassen = line.parameter == "V_T"
    if not line.determined:
        what = "the occupancy and V_ND" if lassen and not _bounded(line.occupancy) else "V_ND" if lassen else ""
        why = (
            "an occupancy of 0 cannot be ruled out, and without a change there is no point where specific binding ends"
            if _bounded(line.occupancy)
            else "the baseline differs too little from region to region"
        )
        told.append(
            f"these {n} regions do not determine {what or 'the occupancy'}: {why}; add regions of high and of low "
            "binding, or a larger dose"
        )
    elif lassen and line.span < LEAST_SPAN:
        told.append(
            f"the spread of the baseline over regions is only {line.span:.1f} times its error (at least "
            f"{LEAST_SPAN:g} is wanted): the intervals may be too narrow; add regions of high and of low binding"
        )
    if n < FEW and not line.noise.endswith("known size"):
        told.append(f"with {n} regions the scatter about the line is hardly known, so that the intervals are wide")
    return told


def _impossible(line: OccupancyLine) -> list[str]:
    told = []
    if line.occupancy.value < 0:
        told.append(
            f"the occupancy of {100 * line.occupancy.value:.0f} % is negative: binding was higher under the drug than "
            "at baseline; see whether the scans are swapped"
        )
    if line.occupancy.value > 1:
        told.append(f"the occupancy of {100 * line.occupancy.value:.0f} % is above 100 %")
    if line.parameter == "V_T":
        lowest = min(line.used, key=lambda region: region.fitted_baseline)
        if line.V_ND.value <= 0:
            told.append(f"V_ND is {line.V_ND.value:.3g}, and cannot be below 0: the model or a region does not fit")
        elif line.V_ND.value > lowest.fitted_baseline:
            told.append(
                f"V_ND of {line.V_ND.value:.3g} lies above V_T of {lowest.name} ({lowest.fitted_baseline:.3g}): that "
                "region would have less than no specific binding"
            )
    return told


def _regions(line: OccupancyLine) -> list[str]:
    told = []
    for region in line.used:
        if region.p_outlier < LEVEL:
            told.append(
                f"{region.name} does not lie on the line of the other regions (adjusted p = {region.p_outlier:.2g}); "
                f"its target or its non-displaceable uptake may differ; without it {_without(line, region)}"
            )
        elif _sways(line.occupancy, region.occupancy_without) or _sways(line.V_ND, region.V_ND_without):
            told.append(f"much hangs on {region.name} alone: without it {_without(line, region)}")
    return told


def _without(line: OccupancyLine, region: LineRegion) -> str:
    text = f"the occupancy is {100 * region.occupancy_without:.1f} %"
    return text + (f" and V_ND {region.V_ND_without:.3g}" if line.parameter == "V_T" else "")


def _sways(whole: Interval, without: float) -> bool:
    half = (whole.high - whole.low) / 2
    return RESOLUTION * abs(whole.value) < half < math.inf and abs(without - whole.value) > SWAY * half


def _bounded(interval: Interval) -> bool:
    return math.isfinite(interval.low) and math.isfinite(interval.high)
