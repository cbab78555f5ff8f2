"""Forest plot: estimates with their intervals beside their numbers, one row a region or a contrast."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

from raphe.report import svg
from raphe.report.wording import count, decimals, fixed, listed, probability, short, span

NAN = float("nan")

WIDE = 900.0
"""px across."""

ROW, LINE = 17.0, 13.0
"""Height of a row, and of a further line of words in it, px."""

TOP = 26.0
"""Height of the heads of the columns, px."""

MOST = 40
"""Rows of one drawing; more make a second one with the same scale, so that a printed page can break between them."""

WIDEST = 5.0
"""An interval that is more often as wide as the median one does not set the scale: it is cut, and an arrow says so."""

GAP = 14.0
"""px between columns."""

ARROWS = ("\N{BLACK LEFT-POINTING TRIANGLE}", "\N{BLACK RIGHT-POINTING TRIANGLE}")


@dataclass(frozen=True)
class ForestRow:
    """One row: NaN where a number is unknown.

    ``low`` and ``high`` are the ends of the 95 % interval of ``estimate``, infinite where there is no end; ``percent``
    is the estimate in per cent with its interval; ``n`` how many people it rests on; ``why`` says in words what could
    not be computed and is empty otherwise. ``places`` are decimals; by the width of the interval if not given.
    """

    name: str
    estimate: float
    low: float
    high: float
    n: int
    p: float = NAN
    p_adjusted: float = NAN
    percent: float = NAN
    percent_low: float = NAN
    percent_high: float = NAN
    primary: bool = False
    why: str = ""
    places: int | None = None


class _Column(NamedTuple):
    head: str
    texts: tuple[str, ...]
    end: float
    """Place of its right edge, px."""


def forest(
    rows: Sequence[ForestRow],
    symbol: str,
    label: str,
    *,
    before: str = "change in ",
    unit: str = "",
    margin: tuple[float, float] | None = None,
) -> list[Markup]:
    """Draw estimates with their 95 % intervals and, in columns, what the figure shows as numbers.

    A column that no row has a number for is left out. A primary row is a diamond and bold; a row that could not be
    computed says why.

    Parameters
    ----------
    rows : sequence of ForestRow
        From top to bottom.
    symbol : str
        What the axis is of, e.g. ``BP_ND``.
    label : str
        Text alternative.
    before : str
        Words before the symbol under the axis.
    unit : str
        Of the axis; empty for none.
    margin : tuple of float, optional
        Changes between which none matters, named before the data were seen; a band.

    Returns
    -------
    list of Markup
        One drawing for every :data:`MOST` rows, all on the same scale.
    """
    columns = _columns(rows)
    left = svg.width_of(short(row.name) for row in rows) + 22
    right = WIDE - sum(_width(column) + GAP for column in columns) - 6
    across = svg.scale(_limits(rows, margin), left, right, zero=True)
    drawings = []
    for start in range(0, max(len(rows), 1), MOST):
        part = slice(start, start + MOST)
        own = [column._replace(texts=column.texts[part]) for column in columns]
        words = (before, f", {unit}" if unit else "")
        drawings.append(_drawing(rows[part], own, across, symbol, words, label, margin))
    return drawings


def not_computed(rows: Sequence[ForestRow]) -> str:
    """Sentence that names the rows without an estimate, by reason; empty where there is none."""
    reasons: dict[str, list[str]] = {}
    for row in rows:
        if not math.isfinite(row.estimate):
            reasons.setdefault(row.why or "no reason is known", []).append(row.name)
    if not reasons:
        return ""
    told = "; ".join(f"{listed(names)} ({why})" for why, names in reasons.items())
    return f"Not computed: {told}."


def _columns(rows: Sequence[ForestRow]) -> list[_Column]:
    """Columns that have something to show, from left to right, each with the place of its right edge."""
    known = {
        "estimate, 95 % CI": [_value(row) for row in rows],
        "in per cent": [_percent(row) for row in rows],
        "n": [str(row.n) for row in rows],
        "p": ["" if math.isnan(row.p) else probability(row.p) for row in rows],
        "adjusted p": ["" if math.isnan(row.p_adjusted) else probability(row.p_adjusted) for row in rows],
    }
    columns: list[_Column] = []
    end = WIDE - 6
    for head, texts in reversed(known.items()):
        if any(texts):
            columns.insert(0, _Column(head, tuple(texts), end))
            end -= _width(columns[0]) + GAP
    return columns


def _value(row: ForestRow) -> str:
    places = decimals((row.high - row.low) / 4) if row.places is None else row.places
    limits = span(row.low, row.high, places)
    value = fixed(row.estimate, places, sign=True)
    return f"{value} ({limits})" if limits else value if math.isfinite(row.estimate) else ""


def _percent(row: ForestRow) -> str:
    if not math.isfinite(row.percent):
        return ""
    limits = span(row.percent_low, row.percent_high, 1)
    value = fixed(row.percent, 1, sign=True)
    return f"{value} ({limits})" if limits else value


def _width(column: _Column) -> float:
    return svg.width_of((column.head, *column.texts))


def _limits(rows: Sequence[ForestRow], margin: tuple[float, float] | None) -> list[float]:
    """Values that the scale holds."""
    widths = np.array([row.high - row.low for row in rows], dtype=float)
    finite = widths[np.isfinite(widths)]
    most = WIDEST * float(np.median(finite)) if finite.size else math.inf
    narrow = [row for row, width in zip(rows, widths, strict=True) if not width > most]
    return [*(margin or ()), *(v for row in narrow for v in (row.estimate, row.low, row.high))]


def _drawing(
    rows: Sequence[ForestRow],
    columns: Sequence[_Column],
    across: svg.Scale,
    symbol: str,
    words: tuple[str, str],
    label: str,
    margin: tuple[float, float] | None,
) -> Markup:
    left, right = across.start, across.end
    reasons = [svg.wrapped(row.why, WIDE - left - 6) if row.why else [] for row in rows]
    heights = [_height(row, why) for row, why in zip(rows, reasons, strict=True)]
    bottom = TOP + sum(heights)
    parts = []
    if margin is not None:
        parts.append(svg.box(across(margin[0]), TOP, across(margin[1]) - across(margin[0]), bottom - TOP, "margin"))
    parts.append(svg.x_axis(across, bottom, top=TOP, most=max(3, round((right - left) / 70))))
    if across.low < 0 < across.high:
        parts.append(svg.segments([(across(0), TOP, across(0), bottom)], "zero"))
    parts += [svg.text(column.end, TOP - 9, column.head, "head", anchor="end") for column in columns]
    top = TOP
    for at, (row, why, height) in enumerate(zip(rows, reasons, heights, strict=True)):
        if row.primary:
            parts.insert(0, svg.box(0, top, WIDE, height, "chosen"))
        parts += _row(row, [(column.end, column.texts[at]) for column in columns], why, across, top)
        top += height
    middle = (left + right) / 2
    parts.append(svg.symbol(middle, bottom + 32, symbol, anchor="middle", before=words[0], after=words[1]))
    return svg.drawing(WIDE, bottom + 42, parts, label, _in_words(rows))


def _height(row: ForestRow, why: Sequence[str]) -> float:
    """Height of a row: its mark, where there is one, and the reasons under it."""
    beside = not math.isfinite(row.estimate)
    return ROW + LINE * max(len(why) - beside, 0)


def _row(
    row: ForestRow, cells: Sequence[tuple[float, str]], why: Sequence[str], across: svg.Scale, top: float
) -> list[str]:
    y = top + ROW / 2
    computed = math.isfinite(row.estimate)
    kind = "primary" if row.primary else "" if computed else "bad"
    parts = [svg.text(across.start - 10, y + 3.5, short(row.name), kind, anchor="end")]
    first = y + 3.5 + (ROW - 2 if computed else 0)
    for at, line in enumerate(why):
        parts.append(svg.text(across.start + 6, first + LINE * at, ("" if at else "not computed: ") + line
                              if not computed else line, "why"))  # fmt: skip
    if computed:
        parts += _mark(row, across, y)
        parts += [svg.text(end, y + 3.5, words, kind, anchor="end") for end, words in cells if words]
    return parts


def _mark(row: ForestRow, across: svg.Scale, y: float) -> list[str]:
    parts = []
    if not (math.isnan(row.low) or math.isnan(row.high)):
        parts.append(svg.segments([(across.clipped(row.low), y, across.clipped(row.high), y)], "whisker"))
        for end, arrow, place in zip((row.low, row.high), ARROWS, (across.start, across.end), strict=True):
            if not across.holds(end):
                parts.append(svg.text(place, y + 3.5, arrow, "arrow", anchor="middle"))
    if across.holds(row.estimate):
        shape = svg.diamond if row.primary else svg.mark
        note = f"{row.name}: {_value(row)}"
        parts.append(shape(across(row.estimate), y, 5.5 if row.primary else 3.6, "estimate", note))
    elif math.isnan(row.low) or math.isnan(row.high):
        beyond = row.estimate > across.high
        parts.append(svg.text(across.clipped(row.estimate), y + 3.5, ARROWS[beyond], "arrow", anchor="middle"))
    return parts


def _in_words(rows: Sequence[ForestRow]) -> str:
    computed = [row for row in rows if math.isfinite(row.estimate)]
    told = "; ".join(f"{row.name} {_value(row)}" for row in computed)
    return " ".join(filter(None, (f"{count(len(computed), 'estimate')}: {told}." if told else "", not_computed(rows))))
