"""Occupancy against dose or concentration, drawn: the scans with their intervals, the curve with its band."""

from __future__ import annotations

import math

from markupsafe import Markup

from raphe.data.pharmacology_tables import DosePoint, DoseRow, DoseTable, on_log_axis
from raphe.report import svg
from raphe.report.simulated import Figure, Titled
from raphe.report.wording import count, general

WIDTH, HEIGHT = 420.0, 290.0
LEFT, RIGHT, TOP, BOTTOM = 48.0, 410.0, 12.0, 244.0
"""Edges of the plot in its drawing, px."""

MOST = 4
"""So many regions are drawn."""


def dose_figure(table: DoseTable, first: str) -> Figure:
    """Every region with a curve, one drawing each, that of ``first`` in front; :data:`MOST` at most."""
    rows = sorted((row for row in table.rows if row.fit is not None), key=lambda row: row.region != first)
    rest = len(rows) - MOST
    panels = tuple(Titled(row.region, dose_plot(table, row)) for row in rows[:MOST])
    told = [
        f"Occupancy against {table.exposure}, one dot a scan with its own 95 % interval where that is known; the "
        "curve with its 95 % band, which is of the mean curve and not of a new person."
    ]
    if any(on_log_axis(row.points) and any(point.exposure == 0 for point in row.points) for row in rows[:MOST]):
        told.append(f"Scans with a {table.kind} of 0 stand at the left edge.")
    if rest > 0:
        told.append(f"{count(rest, 'further region stands', 'further regions stand')} in the table.")
    return Figure(panels, " ".join(told), halves=True)


def dose_plot(table: DoseTable, row: DoseRow) -> Markup:
    """Plot of one region, its axis logarithmic where doses span more than tenfold."""
    across, up = _scales(row)
    parts = [svg.y_axis(up, LEFT, right=RIGHT), svg.x_axis(across, BOTTOM, top=TOP), _level(up)]
    if row.curve is not None:
        places = [across(float(dose)) for dose in row.curve.dose]
        value, low, high = (
            [(x, up.clipped(100 * float(y))) for x, y in zip(places, values, strict=True)]
            for values in (row.curve.value, row.curve.low, row.curve.high)
        )
        parts += [svg.area(high, low, "spanned"), svg.path(value, "fitted")]
    for point in row.points:
        parts += _dot(point, across, up, table.unit)
    unit = f" ({table.unit})" if table.unit else ""
    parts += [
        svg.text((LEFT + RIGHT) / 2, BOTTOM + 32, f"{table.exposure}{unit}", anchor="middle"),
        svg.text(12, (TOP + BOTTOM) / 2, "occupancy (%)", anchor="middle", turn=True),
    ]
    label = f"Occupancy of {row.region} against {table.exposure}, {count(len(row.points), 'scan')}"
    return svg.drawing(WIDTH, HEIGHT, parts, label)


def _scales(row: DoseRow) -> tuple[svg.Scale, svg.Scale]:
    doses = [] if row.curve is None else [float(dose) for dose in row.curve.dose]
    doses += [point.exposure for point in row.points]
    across: svg.Scale = svg.from_zero(doses, LEFT, RIGHT, pad=0.02)
    if on_log_axis(row.points):
        across = svg.log_scale(doses, LEFT, RIGHT, decades=6.0)
    values = [100 * point.occupancy for point in row.points]
    values += [0.0] if row.curve is None else [100 * float(value) for value in row.curve.value]
    return across, svg.scale([*values, 100.0], BOTTOM, TOP, pad=0.05, zero=True)


def _level(up: svg.Scale) -> str:
    return svg.segments([(LEFT, up(0), RIGHT, up(0))], "zero")


def _dot(point: DosePoint, across: svg.Scale, up: svg.Scale, unit: str) -> list[str]:
    x, y = across(point.exposure), up(100 * point.occupancy)
    parts = []
    if math.isfinite(point.low) and math.isfinite(point.high):
        parts.append(svg.segments([(x, up.clipped(100 * point.low), x, up.clipped(100 * point.high))], "whisker"))
    who = " ".join(filter(None, (point.participant, point.session)))
    note = f"{who}: {general(point.exposure)}{f' {unit}' if unit else ''}, {100 * point.occupancy:.0f} %"
    return [*parts, svg.mark(x, y, 3.6, "estimate", note)]
