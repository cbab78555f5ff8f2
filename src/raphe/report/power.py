"""Figure of the power of a design."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from raphe.report import svg

WIDTH, HEIGHT, TOP, BOTTOM = 640.0, 280.0, 34.0, 232.0

STYLE = (
    "<style>text{font-size:11px;font-family:sans-serif;fill:#333}path{fill:none}.axis{stroke:#555}.grid{stroke:#e8eaec}"
    ".curve{stroke:#26c;stroke-width:1.6}.wanted{stroke:#c52;stroke-dasharray:5 3}</style>"
)

Curve = tuple[Sequence[float], Sequence[float]]


def power_curves(
    by_change: Sequence[Curve], by_n: Sequence[Curve], wanted: float, titles: tuple[str, str], axes: tuple[str, str]
) -> str:
    """Power against the true change and against the number of people, as a file of its own.

    Parameters
    ----------
    by_change, by_n : sequence of (places, powers)
        One curve a region.
    wanted : float
        Power at which a dashed line is drawn.
    titles, axes : tuple of str
        Of the left and the right panel.
    """
    parts = [f'<rect width="{WIDTH:g}" height="{HEIGHT:g}" fill="#fff"/>', STYLE]
    for curves, left, title, axis in zip((by_change, by_n), (50.0, 370.0), titles, axes, strict=True):
        across = svg.from_zero((x for places, _ in curves for x in places), left, left + 250, pad=0)
        up = svg.Scale(0.0, 1.0, BOTTOM, TOP)
        parts += [svg.x_axis(across, BOTTOM, top=TOP), svg.y_axis(up, left, right=left + 250)]
        parts.append(svg.path([(left, up(wanted)), (left + 250, up(wanted))], "wanted"))
        for places, powers in curves:
            parts.append(svg.path([(across(x), up(y)) for x, y in zip(places, powers, strict=True)], "curve"))
        parts.append(svg.text(left, 18, title))
        parts.append(svg.text(left + 125, BOTTOM + 34, axis, anchor="middle"))
    parts.append(svg.text(16, (TOP + BOTTOM) / 2, "power", anchor="middle", turn=True))
    drawn: Markup = svg.drawing(WIDTH, HEIGHT, parts, "Power against change and number of people")
    return str(drawn).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1) + "\n"
