"""The Lassen plot, and the line through 0 of BP_ND, of one participant; its numbers in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from raphe.data.pharmacology import OccupancyLine
from raphe.data.results import Interval
from raphe.report import svg
from raphe.report.wording import NOTHING, count, fixed, general

WIDTH, HEIGHT = 420.0, 300.0
LEFT, RIGHT, TOP, BOTTOM = 52.0, 412.0, 12.0, 248.0
"""Edges of the plot in its drawing, px."""

DOT = 4.0
"""Half of a dot with its rim, px."""

Box = tuple[float, float, float, float]
"""Left, upper, right and lower edge, px."""

LABELLED = 16
"""So many regions have their names beside the dots; the pointer tells the names of more."""


def lassen_figure(line: OccupancyLine) -> Markup:
    """Baseline minus blocked against baseline; the line, the regions, and V_ND with its interval on the axis."""
    used, lassen = line.used, line.parameter == "V_T"
    V_ND, fitted_end = line.V_ND, max(max(region.fitted_baseline, region.baseline) for region in used)
    shown = [region.baseline for region in used]
    if lassen:
        shown += [end for end in (V_ND.value, V_ND.low, V_ND.high) if math.isfinite(end) and abs(end) < 2 * fitted_end]
    across = svg.from_zero(shown, LEFT, RIGHT, pad=0.08)
    up = svg.scale([region.baseline - region.blocked for region in used], BOTTOM, TOP, pad=0.1, zero=True)
    zero = V_ND.value if lassen and math.isfinite(V_ND.value) else 0.0
    ends = [max(min(zero, across.high), across.low), across.high]
    drawn = [(across(x), up.clipped(line.occupancy.value * (x - zero))) for x in ends]
    parts = [
        svg.x_axis(across, BOTTOM, top=TOP),
        svg.y_axis(up, LEFT, right=RIGHT),
        svg.segments([(LEFT, up(0), RIGHT, up(0))], "zero"),
        svg.path(drawn, "fitted"),
    ]
    if lassen and math.isfinite(V_ND.value):
        low, high = across.clipped(V_ND.low), across.clipped(V_ND.high)
        parts.append(svg.segments([(low, up(0), high, up(0))], "whisker"))
        if across.holds(V_ND.value):
            note = f"V_ND {general(V_ND.value)} ({ends_of(V_ND, 3)})"
            parts.append(svg.diamond(across(V_ND.value), up(0), 5, "estimate", note))
    places = []
    for region in used:
        x, y = across(region.baseline), up(region.baseline - region.blocked)
        odd = region.p_outlier < 0.05
        note = f"{region.name}: {general(region.baseline)} before, {general(region.blocked)} under the drug"
        parts.append(svg.mark(x, y, 3.6, "estimate bad" if odd else "estimate", note))
        places.append((x, y, region.name))
    if len(used) <= LABELLED:
        parts += _names(places)
    unit = " (mL/cm\N{SUPERSCRIPT THREE})" if lassen else ""
    middle = (TOP + BOTTOM) / 2
    parts += [
        svg.symbol((LEFT + RIGHT) / 2, BOTTOM + 32, line.parameter, anchor="middle", after=f" at baseline{unit}"),
        svg.symbol(12, middle, line.parameter, anchor="middle", before="fall of ", after=unit, turn=True),
    ]
    label = f"Fall of {line.parameter} under the drug against its baseline, {count(len(used), 'region')}, with the line"
    return svg.drawing(WIDTH, HEIGHT - 14, parts, label)


def _names(places: Sequence[tuple[float, float, str]]) -> list[str]:
    """Names beside the dots, each where it hides the least of dots and earlier names; at best up and to the left."""
    taken = [(x - DOT, y - DOT, x + DOT, y + DOT) for x, y, _ in places]
    parts = []
    for x, y, name in places:
        wide = svg.width_of([name])
        spots = [
            (left, base, (x - 6 - wide if left else x + 6, base - 9, x - 6 if left else x + 6 + wide, base + 2))
            for base in (y - 4, y + 12, y + 4)
            for left in (True, False)
        ]
        inside = [spot for spot in spots if spot[2][0] > LEFT and spot[2][2] < WIDTH and TOP - 6 < spot[2][1]] or spots
        left, base, box = min(inside, key=lambda spot: sum(_shared(spot[2], other) for other in taken))
        taken.append(box)
        parts.append(svg.text(x - 6 if left else x + 6, base, name, anchor="end" if left else "start"))
    return parts


def _shared(one: Box, other: Box) -> float:
    """Area that two boxes share, square px."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return max(wide, 0.0) * max(high, 0.0)


def share_of(interval: Interval) -> str:
    """A share with its interval, in per cent with one decimal."""
    if math.isnan(interval.value):
        return NOTHING
    low, high = (fixed(100 * end, 1) if math.isfinite(end) else "no limit" for end in (interval.low, interval.high))
    known = not (math.isnan(interval.low) or math.isnan(interval.high))
    return f"{fixed(100 * interval.value, 1)} %" + (f" ({low} to {high} %)" if known else "")


def ends_of(interval: Interval, digits: int) -> str:
    """Ends of an interval in words; empty where it is not known."""
    if math.isnan(interval.low) or math.isnan(interval.high):
        return ""
    low, high = (general(end, digits) if math.isfinite(end) else "no limit" for end in (interval.low, interval.high))
    return f"{low} to {high}"
