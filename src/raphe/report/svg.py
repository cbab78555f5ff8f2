"""Drawings as SVG text: scales, axes and marks, each of them a short string.

A drawing is written by hand rather than by a plotting library, so that a page with a hundred panels stays small, is
made in a fraction of a second, has the same bytes for the same input, and shows its text in the page's own font.
Colours and line widths are classes of the page's style sheet. Whatever text comes in is escaped here.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from markupsafe import Markup, escape

from raphe.report.wording import printable

Array = npt.NDArray[np.float64]

CHARACTER = 6.1
"""Mean width of a character of axis text, px; an assumption, since SVG does not tell the width of its text."""

LEAST = 1e-100
"""Size below which a value counts as 0 on a scale, so that its ticks can be computed."""


@dataclass(frozen=True)
class Scale:
    """Linear map from values ``low`` to ``high`` to places ``start`` to ``end`` in px."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Give the place of ``value``, px."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def clipped(self, value: float) -> float:
        """Place of ``value``, or of the end of the scale that it lies beyond."""
        return self(min(max(value, self.low), self.high))

    def holds(self, value: float) -> bool:
        """Whether ``value`` lies on the scale."""
        return self.low <= value <= self.high

    def ticks(self, most: int = 5) -> list[float]:
        """At most about ``most`` round values on the scale."""
        step = _round_step((self.high - self.low) / most)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [float(f"{i * step:.12g}") for i in range(first, last + 1)]


def scale(values: Iterable[float], start: float, end: float, *, pad: float = 0.05, zero: bool = False) -> Scale:
    """Scale that holds the finite ones of ``values``, with a margin of ``pad`` of their range at either end.

    Parameters
    ----------
    values : iterable of float
        None finite gives the scale 0 to 1.
    start, end : float, px
    pad : float
    zero : bool
        Whether 0 belongs on the scale.
    """
    finite = [float(v) if abs(v) > LEAST else 0.0 for v in values if math.isfinite(v)]
    if zero or not finite:
        finite.append(0.0)
    low, high = min(finite), max(finite)
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        width = abs(high) / 2 or 1.0
        low, high = (low - width, high + width) if not zero else (min(low, 0.0), high or 1.0)
    margin = pad * (high - low)
    return Scale(low - margin, high + margin, start, end)


@dataclass(frozen=True)
class LogScale(Scale):
    """Map of the logarithm of values; ``low`` is above 0, and what lies below it is put at its place."""

    def __call__(self, value: float) -> float:
        """Give the place of ``value``, px."""
        if not value > self.low:
            return self.start if value <= self.low else math.nan
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self, most: int = 5) -> list[float]:
        """Powers of ten on the scale; with 2 and 5 times these, or 3 times, where ``most`` leaves room."""
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        found: list[float] = []
        for steps in ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0)):
            denser = [float(f"{step * 10.0**power:.12g}") for power in range(first, last + 1) for step in steps]
            denser = [tick for tick in denser if self.low <= tick <= self.high]
            if found and len(denser) > most:
                break
            found = denser
        return found or [self.low, self.high]


def from_zero(values: Iterable[float], start: float, end: float, *, pad: float = 0.05) -> Scale:
    """Scale that begins at 0 where no value is negative, with a margin of ``pad`` beyond the highest."""
    found = scale(values, start, end, pad=pad, zero=True)
    return Scale(0.0, found.high, start, end) if found.low > -2 * pad * found.high else found


def log_scale(values: Iterable[float], start: float, end: float, *, decades: float = 3.0) -> LogScale:
    """Scale of logarithms that holds the highest of ``values``, and those that are no more than ``decades`` below it.

    Parameters
    ----------
    values : iterable of float
        None positive gives the scale 1 to 10.
    start, end : float, px
    decades : float
    """
    positive = [float(v) for v in values if math.isfinite(v) and v > LEAST]
    high = max(positive, default=10.0)
    low = max(min(positive, default=1.0), high / 10**decades)
    return LogScale(min(low, high / 2) / 1.2, high * 1.2, start, end)


def drawing(width: float, height: float, parts: Iterable[str], label: str, description: str = "") -> Markup:
    """Put parts into one SVG element with a text alternative and, for who cannot see it, what it shows in words."""
    told = f"<desc>{_text(description)}</desc>" if description else ""
    return Markup(
        f'<svg viewBox="0 0 {_n(width)} {_n(height)}" role="img" aria-label="{_text(label)}" '
        f'style="--wide:{_n(width)}px">{told}{"".join(parts)}</svg>'
    )


def path(points: Sequence[tuple[float, float]], kind: str) -> str:
    """Line through points (px), broken where one is not finite."""
    commands, pen = [], "M"
    for x, y in points:
        if not (math.isfinite(x) and math.isfinite(y)):
            pen = "M"
            continue
        commands.append(f"{pen}{_n(x)} {_n(y)}")
        pen = "L"
    return f'<path class="{kind}" d="{"".join(commands)}"/>' if commands else ""


def area(upper: Sequence[tuple[float, float]], lower: Sequence[tuple[float, float]], kind: str) -> str:
    """Surface between two lines through points (px) of the same places across; nothing where one is not finite."""
    both = [*upper, *reversed(lower)]
    if not both or not all(math.isfinite(x) and math.isfinite(y) for x, y in both):
        return ""
    return f'<path class="{kind}" d="M{"L".join(f"{_n(x)} {_n(y)}" for x, y in both)}Z"/>'


def picture(x: float, y: float, width: float, height: float, data: str) -> str:
    """Pixels, as a data URI, stretched over a rectangle; none is mixed with its neighbours."""
    return (
        f'<image x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" preserveAspectRatio="none" '
        f'class="pixels" href="{_text(data)}"/>'
    )


def dots(points: Sequence[tuple[float, float]], kind: str) -> str:
    """Many round dots as one element: lines of no length with round caps; the class gives the width."""
    commands = "".join(f"M{_n(x)} {_n(y)}h0" for x, y in points if math.isfinite(x) and math.isfinite(y))
    return f'<path class="{kind}" d="{commands}"/>' if commands else ""


def segments(pairs: Sequence[tuple[float, float, float, float]], kind: str) -> str:
    """Many straight lines x1, y1, x2, y2 (px) as one element."""
    commands = "".join(
        f"M{_n(x1)} {_n(y1)}" + (f"H{_n(x2)}" if y1 == y2 else f"L{_n(x2)} {_n(y2)}")
        for x1, y1, x2, y2 in pairs
        if math.isfinite(x1 + y1 + x2 + y2)
    )
    return f'<path class="{kind}" d="{commands}"/>' if commands else ""


def mark(x: float, y: float, radius: float, kind: str, note: str = "") -> str:
    """Circle with a note that shows when the pointer rests on it."""
    title = f"<title>{_text(note)}</title>" if note else ""
    return f'<circle class="{kind}" cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}">{title}</circle>'


def diamond(x: float, y: float, radius: float, kind: str, note: str = "") -> str:
    """Square on its corner."""
    title = f"<title>{_text(note)}</title>" if note else ""
    points = f"{_n(x - radius)},{_n(y)} {_n(x)},{_n(y - radius)} {_n(x + radius)},{_n(y)} {_n(x)},{_n(y + radius)}"
    return f'<polygon class="{kind}" points="{points}">{title}</polygon>'


def box(x: float, y: float, width: float, height: float, kind: str) -> str:
    """Fill a rectangle."""
    return f'<rect class="{kind}" x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}"/>'


def text(x: float, y: float, words: str, kind: str = "", *, anchor: str = "start", turn: bool = False) -> str:
    """One line of text; ``anchor`` is start, middle or end; ``turn`` reads upwards."""
    turned = f' transform="rotate(-90 {_n(x)} {_n(y)})"' if turn else ""
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}"{turned}>{_text(words)}</text>'


def symbol(
    x: float, y: float, name: str, *, anchor: str = "start", before: str = "", after: str = "", turn: bool = False
) -> str:
    """Name of a quantity as the field writes it, ``BP_ND`` in italics with its index set low, between other words."""
    stem, _, index = name.partition("_")
    low = f'<tspan dy="3" class="sub">{_text(index)}</tspan>' if index else ""
    up = ' dy="-3"' if index else ""
    rest = f"<tspan{up}>{_text(after)}</tspan>" if after else ""
    turned = f' transform="rotate(-90 {_n(x)} {_n(y)})"' if turn else ""
    return (
        f'<text x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}"{turned}>{_text(before)}'
        f'<tspan font-style="italic">{_text(stem)}</tspan>{low}{rest}</text>'
    )


def x_axis(along: Scale, y: float, *, top: float | None = None, most: int = 5, labels: bool = True) -> str:
    """Axis at height ``y`` with round ticks; grid lines up to ``top`` where that is given."""
    ticks = along.ticks(most)
    parts = [path([(along.start, y), (along.end, y)], "axis")]
    if top is not None:
        parts.insert(0, segments([(along(t), y, along(t), top) for t in ticks], "grid"))
    parts.append(segments([(along(t), y, along(t), y + 3) for t in ticks], "axis"))
    if labels:
        parts += [text(along(t), y + 14, number(t), anchor="middle") for t in ticks]
    return "".join(parts)


def y_axis(along: Scale, x: float, *, right: float | None = None, most: int = 5) -> str:
    """Axis at place ``x`` with round ticks; grid lines up to ``right`` where that is given."""
    ticks = along.ticks(most)
    parts = [path([(x, along.start), (x, along.end)], "axis")]
    if right is not None:
        parts.insert(0, segments([(x, along(t), right, along(t)) for t in ticks], "grid"))
    parts.append(segments([(x - 3, along(t), x, along(t)) for t in ticks], "axis"))
    parts += [text(x - 6, along(t) + 3.5, number(t), anchor="end") for t in ticks]
    return "".join(parts)


def number(value: float) -> str:
    """Label a tick, with a true minus sign."""
    return f"{value:.6g}".replace("-", "\N{MINUS SIGN}")


def width_of(words: Iterable[str]) -> float:
    """About the width of the longest of some texts, px."""
    return CHARACTER * max((len(word) for word in words), default=0)


def wrapped(words: str, width: float) -> list[str]:
    """Break a text into lines of at most about ``width`` px; a word that is longer is cut."""
    most = max(int(width / CHARACTER), 1)
    return textwrap.wrap(printable(words), most) or [""]


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return power * next(step for step in (1, 2, 5, 10) if step * power >= rough * (1 - 1e-9))


def _n(value: float) -> str:
    """Write a place in px, to a tenth."""
    return f"{value:.1f}".removesuffix(".0")


def _text(words: str) -> str:
    return str(escape(printable(words)))
