"""Figure of a scan's carpets, with the movement of the head above them."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from raphe.core.frames import Frames
from raphe.data.carpet import Carpet
from raphe.data.concern import SETTLED
from raphe.report import svg
from raphe.report.png import data_uri
from raphe.report.slices import WIDE

Array = npt.NDArray[np.float64]

LIMIT = 0.25
"""Departure at which the colours end, the same in every report, so that scans can be compared."""

SHADES = 127
"""Shades to either side of white."""

LEFT, GAP, BAR = 112.0, 34.0, 78.0
"""px beside the first carpet, between carpets, and for the scale of colours."""

TOP, MOVED, SPACE, TALL = 20.0, 56.0, 12.0, 340.0
"""px above the movement, its height, that of the space under it, and the height of a carpet."""

LEAST_MOVED = 1.0
"""mm to which the scale of movement reaches at least."""

TICKS = (0.0, 1.0, 3.0, 10.0, 20.0, 40.0, 60.0, 90.0, 120.0, 180.0, 240.0)
"""min after injection that are marked where the scan has them."""

_DARK = ((0, 90, 160), (176, 70, 0))
"""Colours of too little and too much."""

PALETTE: npt.NDArray[np.uint8] = (
    np.concatenate(
        [
            [(217, 221, 225)],
            [255 + (np.array(_DARK[0]) - 255) * (1 - at / SHADES) for at in range(SHADES)],
            [(255, 255, 255)],
            [255 + (np.array(_DARK[1]) - 255) * (at + 1) / SHADES for at in range(SHADES)],
        ]
    )
    .round()
    .astype(np.uint8)
)
"""Colours of a departure by its place; 0 is not drawn."""


def carpets(found: Mapping[str, Carpet], frames: Frames, displacement: Array, aside: Mapping[str, str]) -> Markup:
    """Carpets side by side, one column a frame, under the framewise displacement.

    Parameters
    ----------
    found : mapping of str to Carpet
        By what was done to the image.
    frames : Frames
    displacement : ndarray, shape (n_frame,), mm
    aside : mapping of str to str
        Other words for kinds of tissue.
    """
    wide = (WIDE - LEFT - BAR - GAP * (len(found) - 1)) / len(found)
    top = TOP + MOVED + SPACE
    up = svg.scale([LEAST_MOVED, *displacement[frames.start >= SETTLED]], TOP + MOVED, TOP, pad=0.0, zero=True)
    parts = _kinds(next(iter(found.values())), top, aside)
    for number, (title, carpet) in enumerate(found.items()):
        left = LEFT + number * (wide + GAP)
        step = wide / len(frames)
        parts.append(svg.text(left + wide / 2, 11, title, anchor="middle"))
        parts.append(svg.y_axis(up, left, right=left + wide, most=3))
        parts += [
            svg.box(left + at * step, up.clipped(value), step, up(0) - up.clipped(value), "moved")
            for at, value in enumerate(displacement)
            if math.isfinite(value)
        ]
        parts.append(svg.picture(left, top, wide, TALL, data_uri(_pixels(carpet.departure), PALETTE)))
        parts += _borders(carpet, left, wide, top)
        parts += _times(frames, left, step, top + TALL)
    parts.append(svg.text(LEFT - 34, TOP + MOVED / 2, "mm", anchor="middle", turn=True))
    parts += _bar(WIDE - BAR + 16, top)
    label = f"{' and '.join(found)}: places of the brain over time, sorted by tissue, with framewise displacement above"
    return svg.drawing(WIDE, top + TALL + 34, parts, label)


def _pixels(departure: Array) -> npt.NDArray[np.uint8]:
    """Places in the palette, the highest place of each tissue at the top."""
    share = np.clip(np.nan_to_num(departure) / LIMIT, -1, 1)
    return np.where(np.isfinite(departure), 1 + SHADES + np.round(SHADES * share), 0).astype(np.uint8)


def _kinds(carpet: Carpet, top: float, aside: Mapping[str, str]) -> list[str]:
    """Names of the kinds of tissue beside their rows."""
    parts, y, tall = [], top, TALL / max(len(carpet.tissue), 1)
    for kind, n in carpet.kinds:
        parts.append(svg.text(LEFT - 30, y + tall * n / 2 + 3.5, aside.get(kind, kind), anchor="end"))
        y += tall * n
    return parts


def _borders(carpet: Carpet, left: float, wide: float, top: float) -> list[str]:
    """Lines between kinds of tissue, and a frame around all."""
    tall = TALL / max(len(carpet.tissue), 1)
    ends = np.cumsum([0, *(n for _, n in carpet.kinds)]) * tall + top
    return [svg.segments([(left - 4, float(y), left + wide, float(y)) for y in ends], "axis")]


def _times(frames: Frames, left: float, step: float, y: float) -> list[str]:
    """Marks where frames begin at round times."""
    parts, free = [], -math.inf
    for tick in TICKS:
        at = int(np.searchsorted(frames.start, tick - 1e-6))
        x = left + step * at
        if at >= len(frames) or x < free:
            continue
        parts.append(svg.segments([(x, y, x, y + 4)], "axis"))
        parts.append(svg.text(x, y + 15, f"{float(frames.start[at]):.3g}", anchor="middle"))
        free = x + 24
    parts.append(svg.text(left + step * len(frames), y + 29, "min after injection; one column a frame", anchor="end"))
    return parts


def _bar(left: float, top: float) -> list[str]:
    values = np.linspace(LIMIT, -LIMIT, 101)[:, None]
    up = svg.Scale(-LIMIT, LIMIT, top + TALL, top)
    parts = [svg.picture(left, top, 12, TALL, data_uri(_pixels(values), PALETTE))]
    for tick in (-LIMIT, -LIMIT / 2, 0.0, LIMIT / 2, LIMIT):
        words = f"{100 * tick:+.3g} %".replace("-", "\N{MINUS SIGN}") if tick else "0"
        parts.append(svg.text(left + 16, up(tick) + 3.5, words))
    return parts
