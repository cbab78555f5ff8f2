"""Figures of the blood of one scan: the input, and the curves that it was made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from raphe.core.piecewise import PiecewiseLinear
from raphe.data.blood import Samples
from raphe.data.fit import Array
from raphe.report import svg
from raphe.report.wording import general, seconds

SIZE = (440.0, 250.0)
"""Width and height of a figure of the blood, px."""

AFTER = 1.1
"""Samples of a fraction are shown up to so many times the end of the scan."""

MOST = 400
"""So many points draw a curve at most."""


@dataclass(frozen=True, eq=False)
class Series:
    """One curve of the blood with the samples that are behind it.

    Parameters
    ----------
    name : str
        In words, for notes.
    kind : str
        Class of the style sheet that gives its colour.
    curve : PiecewiseLinear
    samples : Samples or None
        On the time axis of the curve.
    """

    name: str
    kind: str
    curve: PiecewiseLinear
    samples: Samples | None = None


def input_figure(series: Sequence[Series], begin: float, end: float, *, log: bool) -> Markup:
    """Activity in blood against time, manual samples as dots and those of an autosampler as points.

    Parameters
    ----------
    series : sequence of Series
        The first is drawn on top.
    begin, end : float, min
    log : bool
        Whether activity has a logarithmic axis.
    """
    lines = [outline(one.curve, begin, end) for one in series]
    shown = [_within(one.samples, begin, end) for one in series]
    values = [float(v) for _, value in lines for v in value] + [float(v) for s in shown if s for v in s.value]
    late = [float(v) for _, value in lines for v in value[value.argmax() :]]
    width, height = SIZE
    top, bottom, right = 8.0, height - 36, width - 10
    up = svg.log_scale([*late, max(values)], bottom, top) if log else svg.from_zero(values, bottom, top)
    frame = _Frame(up, svg.Scale(begin, end, _left(up), right), top)
    parts = frame.axes("kBq/mL" + (" (log)" if log else ""))
    for one, line, samples in reversed(list(zip(series, lines, shown, strict=True))):
        parts += [frame.line(line, one.kind), *frame.samples(samples, one.kind, one.name)]
    where = f"{begin:g} to {end:g} min"
    return svg.drawing(width, height, parts, f"Activity in blood and plasma from {where}")


def share_figure(curve: PiecewiseLinear, samples: Samples | None, end: float, name: str, *, whole: bool) -> Markup:
    """Fraction or ratio against time with its samples; ``whole`` puts the axis from 0 to 1.

    A sample that was taken while the scan ended, or up to a tenth of it later, is shown: the curve was fitted to it.
    """
    shown = _within(samples, 0.0, AFTER * end)
    if shown is not None:
        end = max(end, float(shown.time.max()))
    line = outline(curve, 0.0, end)
    values = [*line[1], *(shown.value if shown else ())]
    width, height = SIZE
    top, bottom, right = 8.0, height - 36, width - 10
    up = svg.from_zero([*values, 1.0], bottom, top) if whole else svg.scale(values, bottom, top)
    frame = _Frame(up, svg.Scale(0.0, end, _left(up), right), top)
    parts = [*frame.axes(name), frame.line(line, "s0"), *frame.samples(shown, "s0", name)]
    return svg.drawing(width, height, parts, f"{name} from injection to {end:g} min, with its samples")


@dataclass(frozen=True)
class _Frame:
    """Frame of a figure against time."""

    up: svg.Scale
    across: svg.Scale
    top: float

    def axes(self, name: str) -> list[str]:
        left, bottom = self.across.start, self.up.start
        return [
            svg.y_axis(self.up, left, right=self.across.end, most=6),
            svg.x_axis(self.across, bottom),
            svg.text(11, (self.top + bottom) / 2, name, anchor="middle", turn=True),
            svg.text(self.across.end, bottom + 30, "min after injection", anchor="end"),
        ]

    def line(self, points: tuple[Array, Array], kind: str) -> str:
        places = [(self.across(float(x)), self.up(float(y))) for x, y in zip(*points, strict=True)]
        return svg.path(places, f"curve {kind}")

    def samples(self, samples: Samples | None, kind: str, name: str) -> list[str]:
        if samples is None:
            return []
        automatic = np.array(samples.source) == "autosampler"
        places = [(self.across(float(x)), self.up(float(y))) for x, y in zip(samples.time, samples.value, strict=True)]
        many = [place for place, own in zip(places, automatic, strict=True) if own]
        return [svg.dots(many, f"tick {kind}")] + [
            svg.mark(*place, 3.0, f"sample {kind}", f"{name}, {seconds(float(t), 5)}: {general(float(v))}")
            for place, own, t, v in zip(places, automatic, samples.time, samples.value, strict=True)
            if not own
        ]


def outline(curve: PiecewiseLinear, begin: float, end: float) -> tuple[Array, Array]:
    """Points that draw a curve between two times: its knots, or where they are too many, evenly spaced ones."""
    inside = curve.time[(curve.time > begin) & (curve.time < end)]
    if inside.size > MOST:
        highest = inside[curve(inside).argmax()]
        inside = np.union1d(np.linspace(begin, end, MOST)[1:-1], [highest])
    time = np.concatenate([[begin], inside, [end]])
    return time, curve(time)


def _within(samples: Samples | None, begin: float, end: float) -> Samples | None:
    if samples is None:
        return None
    own = (samples.time >= begin) & (samples.time <= end)
    if not own.any():
        return None
    return Samples(samples.time[own], samples.value[own], tuple(np.array(samples.source)[own]))


def _left(up: svg.Scale) -> float:
    return 26 + svg.width_of(svg.number(tick) for tick in up.ticks(6))
