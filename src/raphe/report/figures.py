"""The figures of the reports, each an inline SVG."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from raphe.data.estimates import Estimate
from raphe.data.fit import KineticFit
from raphe.data.results import Agreement, AgreementRow, PairedValues
from raphe.report import svg
from raphe.report.wording import fixed, short

RESIDUAL_RANGE = 3.0
"""Least half-width of the axis of standardised residuals."""

Z = 1.96
"""Half-width of a 95 % interval in standard errors."""

PANEL = (300.0, 178.0)
"""Width and height of a small panel of the study's figures, px."""

ROW = 17.0
"""Height of a row of a figure by region, px."""

LONG = 40
"""More regions than this make a figure by region of two halves."""

WIDE = 900.0
"""Width of a figure by region, px."""


@dataclass(frozen=True)
class Point:
    """One estimate of a figure by region; ``low`` and ``high`` are the ends of its interval.

    NaN where unknown, infinite where there is no end.
    """

    region: str
    value: float
    low: float
    high: float
    usable: bool = True
    primary: bool = False


def fit_panel(fit: KineticFit, index: int) -> Markup:
    """Curve of one region with the model's values, the reference, and the residuals beneath."""
    frames, activity, fitted = fit.frames, fit.activity[index], fit.fitted[index]
    reference = np.full(len(frames), math.nan) if fit.reference is None else fit.reference
    width, left, right, top, middle, bottom = 300.0, 42.0, 294.0, 8.0, 138.0, 200.0
    across = svg.Scale(0.0, float(frames.end[-1]), left, right)
    up = svg.scale([*activity, *fitted, *reference], middle, top, zero=True)
    residual = standardised_residuals(fit, index)
    most = np.nanmax(np.abs(residual), initial=RESIDUAL_RANGE)
    level = svg.Scale(-most, most, bottom, middle + 14)
    times = [across(float(t)) for t in frames.mid]
    values = [(x, up(float(y))) for x, y in zip(times, activity, strict=True)]
    bars = [
        (across(float(a)), y, across(float(b)), y)
        for a, b, (_, y) in zip(frames.start, frames.end, values, strict=True)
    ]
    kind = "fitted" if fit.usable[index] else "fitted bad"
    parts = [
        svg.y_axis(up, left, right=right, most=4),
        svg.x_axis(across, middle, labels=False),
        svg.path([(x, up(float(y))) for x, y in zip(times, reference, strict=True)], "reference"),
        svg.segments(bars, "frame"),
        svg.dots([at for at, weight in zip(values, fit.weights[index], strict=True) if not weight > 0], "data out"),
        svg.dots([at for at, weight in zip(values, fit.weights[index], strict=True) if weight > 0], "data"),
        svg.path([(x, up(float(y))) for x, y in zip(times, fitted, strict=True)], kind),
        svg.segments([(left, level(0), right, level(0))], "zero"),
        svg.y_axis(level, left, most=4),
        svg.dots([(x, level(float(y))) for x, y in zip(times, residual, strict=True)], "data"),
        svg.x_axis(across, bottom),
        svg.text(11, (top + middle) / 2, "kBq/mL", anchor="middle", turn=True),
        svg.text(11, (middle + 14 + bottom) / 2, "resid.", anchor="middle", turn=True),
        svg.text(right, bottom + 27, "min after injection", anchor="end"),
    ]
    name = fit.names[index]
    label = f"{name}: measured and fitted activity over {frames.end[-1]:g} min, with standardised residuals"
    return svg.drawing(width, bottom + 32, parts, label)


def standardised_residuals(fit: KineticFit, index: int) -> svg.Array:
    """Residuals times the square root of their weight, over the root mean square of these; NaN where not fitted."""
    weights = fit.weights[index]
    weighted = np.sqrt(weights) * (fit.activity[index] - fit.fitted[index])
    rows = (weights > 0) & np.isfinite(weighted)
    scale = math.sqrt(float(np.mean(weighted[rows] ** 2))) if rows.any() else 0.0
    return np.where(rows, weighted / (scale or 1.0), math.nan)


def by_region(points: Sequence[Point], parameter: str, label: str, *, of: str = "", unit: str = "") -> list[Markup]:
    """Estimates with their intervals, one row a region; what may not be used is hollow and sets no scale.

    Parameters
    ----------
    points : sequence of Point
    parameter : str
        Symbol for the axis.
    label : str
        Text alternative of the figure.
    of : str
        What the axis is of, as in ``change in``; empty for the parameter itself.
    unit : str
        Of the parameter; empty for none.

    Returns
    -------
    list of Markup
        One drawing, or two halves on the same scale where there are more than :data:`LONG` regions.
    """
    good = [point for point in points if point.usable]
    limits = [v for point in good for v in (point.value, point.low, point.high)]
    halves = [points] if len(points) <= LONG else [points[: (len(points) + 1) // 2], points[(len(points) + 1) // 2 :]]
    left, right = svg.width_of(short(point.region) for point in points) + 22, WIDE / len(halves) - 16
    across = svg.scale(limits, left, right, zero=True)
    words = (f"{of} " if of else "", f", {unit}" if unit else "")
    return [_forest(half, across, parameter, label, words) for half in halves]


def _forest(points: Sequence[Point], across: svg.Scale, parameter: str, label: str, words: tuple[str, str]) -> Markup:
    left, right, top = across.start, across.end, 8.0
    bottom = top + ROW * len(points)
    parts = [svg.x_axis(across, bottom, top=top, most=max(3, round((right - left) / 70)))]
    if across.low < 0:
        parts.append(svg.segments([(across(0), top, across(0), bottom)], "zero"))
    for row, point in enumerate(points):
        parts.append(_row(point, short(point.region), across, top + ROW * (row + 0.5), left))
    parts.append(
        svg.symbol((left + right) / 2, bottom + 32, parameter, anchor="middle", before=words[0], after=words[1])
    )
    return svg.drawing(right + 16, bottom + 42, parts, label)


def _row(point: Point, name: str, across: svg.Scale, y: float, left: float) -> str:
    kind = "" if point.usable else " bad"
    parts = [svg.text(left - 10, y + 3.5, name, "primary" if point.primary else kind.strip(), anchor="end")]
    if not (math.isnan(point.low) or math.isnan(point.high)):
        ends = across.clipped(point.low), across.clipped(point.high)
        parts.append(svg.segments([(ends[0], y, ends[1], y)], "whisker" + kind))
    if math.isfinite(point.value):
        note = f"{point.region}: {fixed(point.value, 3)} ({fixed(point.low, 3)} to {fixed(point.high, 3)})"
        x = across.clipped(point.value)
        if across.holds(point.value):
            shape = svg.diamond if point.primary else svg.mark
            parts.append(shape(x, y, 5.5 if point.primary else 3.6, "estimate" + kind, note))
        else:
            arrow = "\N{BLACK RIGHT-POINTING TRIANGLE}" if x > across.start + 1 else "\N{BLACK LEFT-POINTING TRIANGLE}"
            parts.append(svg.text(x, y + 3.5, arrow, "bad", anchor="middle"))
    return "".join(parts)


def by_session(
    values: Mapping[str, Mapping[str, Sequence[Estimate]]],
    regions: Sequence[str],
    parameter: str,
    label: str,
    unit: str = "",
    *,
    named: bool = True,
) -> Markup:
    """Values of every participant with mean and standard deviation, by region and session.

    Where a session has one participant, the bar is the 95 % interval of that estimate.

    Parameters
    ----------
    values : mapping of session to mapping of region to sequence of Estimate
        Usable values only.
    regions : sequence of str
        Rows from top to bottom.
    parameter, label, unit : str
        Symbol for the axis; text alternative; unit of the parameter, empty for none.
    named : bool
        Whether a dot says whose it is when the pointer rests on it; without, the drawing is a fifth of the size.
    """
    names = [short(region) for region in regions]
    shown = [people for by_name in values.values() for region in regions if (people := by_name.get(region, ()))]
    ends = [end for people in shown if len(people) == 1 for end in _ends(people[0])]
    lane = 11.0
    height = lane * len(values) + 8
    left, right, top = svg.width_of(names) + 22, WIDE - 24, 8.0
    bottom = top + height * len(regions)
    across = svg.scale([*(row.value for people in shown for row in people), *ends], left, right, zero=True)
    parts = [svg.x_axis(across, bottom, top=top, most=8)]
    for row, (region, name) in enumerate(zip(regions, names, strict=True)):
        start = top + height * row
        if row % 2:
            parts.insert(0, svg.box(left, start, right - left, height, "stripe"))
        parts.append(svg.text(left - 10, start + height / 2 + 3.5, name, anchor="end"))
        for at, (session, by_name) in enumerate(values.items()):
            y = start + 4 + lane * (at + 0.5)
            where = f"{region}, {session}" if named else ""
            parts.append(_lane(by_name.get(region, ()), across, y, at, where))
    after = f", {unit}" if unit else ""
    parts.append(svg.symbol((left + right) / 2, bottom + 32, parameter, anchor="middle", after=after))
    return svg.drawing(WIDE, bottom + 42, parts, label)


def _ends(row: Estimate) -> tuple[float, float]:
    """Ends of the 95 % interval of one estimate; NaN where its standard error is not known."""
    return row.value - Z * row.se, row.value + Z * row.se


def _lane(people: Sequence[Estimate], across: svg.Scale, y: float, at: int, where: str) -> str:
    kind = f"s{at % 6}"
    parts = [
        svg.mark(across(row.value), y, 2.6, f"person {kind}", f"{where}, {row.participant}: {fixed(row.value, 3)}")
        for row in people
    ]
    if not where:
        parts = [svg.dots([(across(row.value), y) for row in people], f"people {kind}")]
    if len(people) == 1 and math.isfinite(people[0].se):
        low, high = _ends(people[0])
        parts.append(svg.segments([(across.clipped(low), y, across.clipped(high), y)], f"spread {kind}"))
    if len(people) > 1:
        found = np.array([row.value for row in people])
        mean, sd = float(found.mean()), float(found.std(ddof=1))
        parts.append(svg.segments([(across.clipped(mean - sd), y, across.clipped(mean + sd), y)], f"spread {kind}"))
        parts.append(svg.segments([(across(mean), y - 5, across(mean), y + 5)], f"mean {kind}"))
    return "".join(parts)


def bland_altman(row: AgreementRow, parameter: str, *, named: bool = True) -> Markup:
    """Difference of two scans against their mean, with bias, limits of agreement and their confidence bands.

    ``named`` says whether a dot tells whose it is when the pointer rests on it.
    """
    mean, difference = _mean_and_difference(row.pairs)
    lines = (row.limits_low, row.bias, row.limits_high)
    width, height = PANEL
    frame = _Differences(width, height, mean, [*difference, *(line.value for line in lines)])
    parts = []
    for line, kind in zip(lines, ("limit", "bias", "limit"), strict=True):
        if math.isfinite(line.low) and math.isfinite(line.high):
            high, low = frame.up.clipped(line.high), frame.up.clipped(line.low)
            parts.append(svg.box(frame.left, high, frame.right - frame.left, low - high, f"band {kind}"))
        if math.isfinite(line.value):
            y = frame.up(line.value)
            parts.append(svg.segments([(frame.left, y, frame.right, y)], f"line {kind}"))
    parts += frame.axes(parameter)
    parts += frame.people(row.pairs, row.pairs.participants if named else None)
    return svg.drawing(width, height, parts, f"{row.pairs.region}: difference of both scans against their mean")


def all_differences(agreement: Agreement, *, named: bool = True) -> Markup:
    """Difference of two scans against their mean for every participant and region, without limits."""
    both = [_mean_and_difference(row.pairs) for row in agreement.rows]
    frame = _Differences(
        WIDE, 300.0, [float(v) for mean, _ in both for v in mean], [float(v) for _, change in both for v in change]
    )
    parts = frame.axes(agreement.parameter)
    for row in agreement.rows:
        names = [f"{row.pairs.region}, {name}" for name in row.pairs.participants]
        parts += frame.people(row.pairs, names if named else None)
    return svg.drawing(WIDE, 300.0, parts, "Difference of both scans against their mean, all regions and participants")


class _Differences:
    """Frame of a plot of differences against means."""

    def __init__(self, width: float, height: float, mean: Iterable[float], difference: Iterable[float]) -> None:
        self.right, self.top, self.bottom = width - 6, 8.0, height - 36
        self.up = svg.scale(difference, self.bottom, self.top, pad=0.18, zero=True)
        self.left = 24 + svg.width_of(svg.number(tick) for tick in self.up.ticks())
        self.across = svg.scale(mean, self.left, self.right, pad=0.08)

    def axes(self, parameter: str) -> list[str]:
        middle = (self.left + self.right) / 2
        return [
            svg.y_axis(self.up, self.left, right=self.right),
            svg.x_axis(self.across, self.bottom, most=6),
            svg.segments([(self.left, self.up(0), self.right, self.up(0))], "zero"),
            svg.symbol(middle, self.bottom + 30, parameter, anchor="middle", after=", mean of both"),
            svg.text(11, (self.top + self.bottom) / 2, "difference", anchor="middle", turn=True),
        ]

    def people(self, pairs: PairedValues, names: Sequence[str] | None) -> list[str]:
        mean, difference = _mean_and_difference(pairs)
        if names is None:
            places = [(self.across(float(x)), self.up(float(y))) for x, y in zip(mean, difference, strict=True)]
            return [svg.dots(places, "people large s0")]
        return [
            svg.mark(
                self.across(float(x)), self.up(float(y)), 3.4, "person s0",
                f"{name}: mean {fixed(float(x), 3)}, difference {fixed(float(y), 3)}",
            )
            for name, x, y in zip(names, mean, difference, strict=True)
        ]  # fmt: skip


def _mean_and_difference(pairs: PairedValues) -> tuple[svg.Array, svg.Array]:
    return (pairs.first + pairs.second) / 2, pairs.second - pairs.first


def people_lines(pairs: PairedValues, parameter: str, first: str, second: str) -> Markup:
    """Each participant's two values, joined, with the mean of them in bold."""
    width, height = 220.0, PANEL[1]
    left, right, top, bottom = 48.0, width - 8, 8.0, height - 26
    up = svg.scale([*pairs.first, *pairs.second], bottom, top, pad=0.1)
    x1, x2 = left + 34, right - 34
    parts = [svg.y_axis(up, left, right=right), svg.path([(left, bottom), (right, bottom)], "axis")]
    parts += [svg.text(x, bottom + 15, short(name, 14), anchor="middle") for x, name in ((x1, first), (x2, second))]
    for name, a, b in zip(pairs.participants, pairs.first, pairs.second, strict=True):
        parts.append(svg.path([(x1, up(float(a))), (x2, up(float(b)))], "thread"))
        for x, value in ((x1, float(a)), (x2, float(b))):
            parts.append(svg.mark(x, up(value), 3.0, "person s0", f"{name}: {fixed(value, 3)}"))
    if len(pairs) > 1:
        means = [(x1, up(float(pairs.first.mean()))), (x2, up(float(pairs.second.mean())))]
        parts.append(svg.path(means, "average"))
    parts.append(svg.symbol(12, (top + bottom) / 2, parameter, anchor="middle", turn=True))
    return svg.drawing(width, height, parts, f"{pairs.region}: values of each participant in {first} and {second}")
