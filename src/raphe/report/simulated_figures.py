"""Small drawings of a simulated study: quantities over time, ratings by visit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from raphe.report import svg

Array = npt.NDArray[np.float64]

WIDTH, HEIGHT = 300.0, 172.0


@dataclass(frozen=True, eq=False)
class Line:
    """One quantity over time, shape (n_time,).

    Parameters
    ----------
    kind : str
        Class of its colour, ``s0`` to ``s5``, with ``dashed``, ``thin`` or ``points`` where it is drawn so.
    x, y : ndarray
    low, high : ndarray, optional
        Ends of a band about it.
    """

    kind: str
    x: Array
    y: Array
    low: Array | None = None
    high: Array | None = None


class Window(NamedTuple):
    """A stretch of the axis of time that is shaded, with a word, and moments within it."""

    start: float
    end: float
    word: str
    moments: tuple[float, ...] = ()


def time_panel(
    lines: Sequence[Line],
    unit: str,
    across_unit: str,
    label: str,
    *,
    windows: Sequence[Window] = (),
    logarithmic: bool = False,
    rest: float | None = None,
    begin: float | None = None,
) -> Markup:
    """Quantities over time with their bands.

    Parameters
    ----------
    lines : sequence of Line
    unit, across_unit : str
        Words at the axes.
    label : str
        Text alternative.
    windows : sequence of Window
        Shaded behind the lines; those outside of the lines' times are left out.
    logarithmic : bool
        Axis of the quantity.
    rest : float, optional
        Value at which a dashed line is drawn, and which is on the scale.
    begin : float, optional
        Of the axis of time; where the first line begins, if it is not given.
    """
    values = [float(v) for line in lines for end in (line.y, line.low, line.high) if end is not None for v in end]
    values += [] if rest is None else [rest]
    bottom, top, right = HEIGHT - 36, 16.0, WIDTH - 6
    if logarithmic:
        up: svg.Scale = svg.log_scale(values, bottom, top, decades=2.5)
    else:
        up = svg.from_zero(values, bottom, top) if rest is None else svg.scale(values, bottom, top)
    left = 26 + svg.width_of(svg.number(tick) for tick in up.ticks(4))
    first = min(float(ln.x[0]) for ln in lines) if begin is None else begin
    across = svg.Scale(first, max(float(ln.x[-1]) for ln in lines), left, right)
    parts, free = [], left
    for window in windows:
        drawn, free = _window(window, across, (top, bottom), free)
        parts.append(drawn)
    parts += [svg.y_axis(up, left, right=right, most=4), svg.x_axis(across, bottom)]
    if rest is not None:
        parts.append(svg.segments([(left, up(rest), right, up(rest))], "zero"))
    parts += [_band(line, across, up) for line in lines]
    parts += [_line(line, across, up) for line in lines]
    parts.append(svg.text(right, bottom + 29, across_unit, anchor="end"))
    parts.append(svg.text(11, (top + bottom) / 2, unit, anchor="middle", turn=True))
    return svg.drawing(WIDTH, HEIGHT, parts, label)


def _window(window: Window, across: svg.Scale, ends: tuple[float, float], free: float) -> tuple[str, float]:
    """Draw a stretch whose word begins at ``free`` at the earliest; gives where the next may begin, px."""
    if window.end < across.low or window.start > across.high:
        return "", free
    top, bottom = ends
    start, end = across.clipped(window.start), across.clipped(window.end)
    inside = [across(moment) for moment in window.moments if across.holds(moment)]
    width = svg.width_of([window.word])
    place = max(free, (start + end - width) / 2)
    parts = [
        svg.box(start, top, max(end - start, 1.5), bottom - top, "when"),
        svg.segments([(x, bottom, x, bottom - 6) for x in inside], "moment"),
        svg.text(place, top - 5, window.word, "when"),
    ]
    return "".join(parts), place + width


def _band(line: Line, across: svg.Scale, up: svg.Scale) -> str:
    if line.low is None or line.high is None:
        return ""
    high, low = (
        [(across(float(x)), up.clipped(float(y))) for x, y in zip(line.x, end, strict=True)]
        for end in (line.high, line.low)
    )
    return svg.area(high, low, f"area {line.kind.split()[0]}")


def _line(line: Line, across: svg.Scale, up: svg.Scale) -> str:
    points = [
        (across(float(x)), up.clipped(float(y)) if math.isfinite(y) else math.nan)
        for x, y in zip(line.x, line.y, strict=True)
    ]
    return svg.dots(points, line.kind) if "points" in line.kind else svg.path(points, f"curve {line.kind}")


def by_visit(scores: Array, visits: Sequence[str], kind: str, highest: float, label: str) -> Markup:
    """Scores of each participant at each visit, with their mean and standard deviation.

    Parameters
    ----------
    scores : ndarray, shape (n_participant, n_visit)
        NaN where there is none.
    visits : sequence of str
    kind : str
        Class of the colour.
    highest : float
        Of the scale, which begins at 0.
    label : str
        Text alternative.
    """
    left, right, top, bottom = 44.0, WIDTH - 6, 8.0, HEIGHT - 26
    up = svg.Scale(0.0, highest, bottom, top)
    step = (right - left) / len(visits)
    places = [left + step * (number + 0.5) for number in range(len(visits))]
    parts = [svg.y_axis(up, left, right=right), svg.path([(left, bottom), (right, bottom)], "axis")]
    parts += [svg.text(x, bottom + 15, visit, anchor="middle") for x, visit in zip(places, visits, strict=True)]
    parts += [
        svg.path([(x, up(float(v))) for x, v in zip(places, row, strict=True)], f"curve thin {kind}") for row in scores
    ]
    for x, column in zip(places, scores.T, strict=True):
        found = column[np.isfinite(column)]
        if found.size > 1:
            mean, sd = float(found.mean()), float(found.std(ddof=1))
            parts.append(svg.segments([(x, up.clipped(mean - sd), x, up.clipped(mean + sd))], f"spread {kind}"))
            parts.append(svg.segments([(x - 8, up(mean), x + 8, up(mean))], f"mean {kind}"))
    parts.append(svg.text(11, (top + bottom) / 2, "points", anchor="middle", turn=True))
    return svg.drawing(WIDTH, HEIGHT, parts, label)
