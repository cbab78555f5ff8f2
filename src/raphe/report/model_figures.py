"""Figures of two models of the same curves."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from raphe.data.fit import Array
from raphe.report import svg
from raphe.report.wording import fixed, unit

SIZE = (300.0, 300.0)
"""Width and height, px."""


def against(names: Sequence[str], x: Array, y: Array, parameter: str, first: str, second: str) -> Markup:
    """Estimates of one model against those of another, one dot a region, with the line on which both are equal.

    Parameters
    ----------
    names : sequence of str, length n
        Regions.
    x, y : ndarray, shape (n,)
        Estimates of the parameter by the first model and by the second.
    parameter, first, second : str
        Symbol, and names of the models.
    """
    values = [*x, *y]
    (width, height), top = SIZE, 8.0
    right, bottom = width - 8, height - 44
    up = svg.from_zero(values, bottom, top)
    left = 34 + svg.width_of(svg.number(tick) for tick in up.ticks())
    across = svg.from_zero(values, left, right)
    parts = [
        svg.y_axis(up, left, right=right),
        svg.x_axis(across, bottom, top=top, most=4),
        svg.segments([(across(across.low), up(up.low), across(across.high), up(up.high))], "zero"),
    ]
    parts += [
        svg.mark(
            across(float(a)), up(float(b)), 3.2, "person s0",
            f"{name}: {first} {fixed(float(a), 3)}, {second} {fixed(float(b), 3)}",
        )
        for name, a, b in zip(names, x, y, strict=True)
    ]  # fmt: skip
    words = f", {unit(parameter)}" if unit(parameter) else ""
    parts += [
        svg.symbol((left + right) / 2, bottom + 32, parameter, anchor="middle", after=f" by {first}{words}"),
        svg.symbol(12, (top + bottom) / 2, parameter, anchor="middle", after=f" by {second}{words}", turn=True),
    ]
    label = f"{parameter} by {second} against {parameter} by {first}, one dot a region"
    return svg.drawing(width, height, parts, label)
