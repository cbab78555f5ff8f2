"""Slices through images of a head, with places in mm, sides and a scale of colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from raphe.report import svg
from raphe.report.maps import FIRST, PALETTE
from raphe.report.outline import outline
from raphe.report.png import data_uri
from raphe.report.wording import MINUS

Floats = npt.NDArray[np.floating]

GREYS = np.repeat(np.r_[0, 0, np.linspace(0, 255, 256 - FIRST)].round().astype(np.uint8)[:, None], 3, axis=1)
"""Shades from black to white at the places of the :data:`PALETTE`."""

WIDE = 900.0
GAP = 34.0
TOP = 32.0
"""Height at which the tallest slice begins, px."""

BAR = 76.0
"""Width of the scale of colours with its numbers, px."""

PLANES = ((2, 0, 1, "axial", "z"), (1, 0, 2, "coronal", "y"), (0, 1, 2, "sagittal", "x"))
"""Axis that is cut across, axis to the right, axis upwards, the plane's name and its coordinate's."""

SIDES = {0: ("L", "R"), 1: ("P", "A"), 2: ("I", "S")}
"""Words at the low and at the high end of an axis that runs to the right, forwards, and upwards."""


@dataclass(frozen=True, eq=False)
class Volume:
    """An image of which slices are shown.

    Parameters
    ----------
    values : ndarray, shape (x, y, z)
        Whole numbers where there are ``colours``; axes run to the right, forwards and upwards.
    corner, zooms : tuple of float, mm
        Centre of the first voxel, and the voxels' edges.
    low, high : float
        Ends of the scale of colours.
    unit : str
    grey : bool
        Shades of grey instead of colours.
    colours : ndarray of uint8, shape (n, 3), optional
        Of labels by their number, of which 0 is not drawn; there is no scale then.
    """

    values: Floats
    corner: tuple[float, float, float]
    zooms: tuple[float, float, float]
    low: float = 0.0
    high: float = 1.0
    unit: str = ""
    grey: bool = False
    colours: npt.NDArray[np.uint8] | None = None


def slices(
    volume: Volume,
    at: tuple[float, float, float],
    within: tuple[Floats, Floats],
    label: str,
    regions: npt.NDArray[np.integer] | None = None,
) -> Markup:
    """Slices across the three axes of an image through one place, the left of the head on the left.

    Parameters
    ----------
    volume : Volume
    at : tuple of float, mm
        Place through which is cut.
    within : tuple of ndarray, shape (3,), mm
        Lowest and highest corner of what is shown.
    label : str
        Text alternative.
    regions : ndarray of int, shape of the image, optional
        Numbers of regions whose outlines are drawn.
    """
    sizes = within[1] - within[0]
    across = [float(sizes[right]) for _, right, _, _, _ in PLANES]
    ratio = (WIDE - BAR - GAP * len(PLANES)) / sum(across)
    height = ratio * max(float(sizes[up]) for _, _, up, _, _ in PLANES)
    foot = TOP + height + 24
    parts, left = [], GAP / 2
    for plane, wide in zip(PLANES, across, strict=True):
        parts.append(_slice(volume, plane, at, within, left, ratio, height, regions))
        left += ratio * wide + GAP
    if volume.colours is None:
        parts.append(_bar(volume, left, TOP, height))
    parts.append(_ruler(GAP / 2, foot, ratio))
    return svg.drawing(WIDE, foot + 10, parts, label)


def _slice(
    volume: Volume,
    plane: tuple[int, int, int, str, str],
    at: tuple[float, float, float],
    within: tuple[Floats, Floats],
    left: float,
    ratio: float,
    height: float,
    regions: npt.NDArray[np.integer] | None,
) -> str:
    axis, right, up, name, letter = plane
    index = _index(volume, axis, at[axis])
    shown = [slice(None)] * 3
    for other in (right, up):
        first, last = (_index(volume, other, float(end[other])) for end in within)
        shown[other] = slice(first, last + 1)
    slab, marked = (
        None if whole is None else np.flipud(whole[tuple(shown)].take(index, axis=axis).T)
        for whole in (volume.values, regions)
    )
    assert slab is not None
    width = ratio * volume.zooms[right] * slab.shape[1]
    tall = ratio * volume.zooms[up] * slab.shape[0]
    top = TOP + (height - tall) / 2
    place = volume.corner[axis] + index * volume.zooms[axis]
    (low, high), (below, above) = SIDES[right], SIDES[up]
    return "".join(
        [
            svg.picture(left, top, width, tall, _drawn(volume, slab)),
            "" if marked is None else _outlines(marked, left, top, width, tall),
            svg.text(left + width / 2, 11, f"{name}, {letter} = {place:.1f} mm".replace("-", MINUS), anchor="middle"),
            svg.text(left - 4, top + tall / 2 + 4, low, "side", anchor="end"),
            svg.text(left + width + 4, top + tall / 2 + 4, high, "side"),
            svg.text(left + width / 2, top - 4, above, "side", anchor="middle"),
            svg.text(left + width / 2, top + tall + 12, below, "side", anchor="middle"),
        ]
    )


def _outlines(marked: npt.NDArray[np.integer], left: float, top: float, width: float, tall: float) -> str:
    sx, sy = width / marked.shape[1], tall / marked.shape[0]
    lines = [(left + a * sx, top + b * sy, left + c * sx, top + d * sy) for a, b, c, d in outline(marked)]
    return svg.segments(lines, "outline") if lines else ""


def _index(volume: Volume, axis: int, place: float) -> int:
    found = round((place - volume.corner[axis]) / volume.zooms[axis])
    return int(np.clip(found, 0, volume.values.shape[axis] - 1))


def _drawn(volume: Volume, slab: Floats) -> str:
    if volume.colours is not None:
        return data_uri(slab.astype(np.uint8), volume.colours)
    share = np.clip((slab - volume.low) / (volume.high - volume.low), 0, 1)
    place = (FIRST + np.round(share * (len(PALETTE) - 1 - FIRST))).astype(np.uint8)
    return data_uri(place, GREYS if volume.grey else PALETTE)


def _bar(volume: Volume, left: float, top: float, tall: float) -> str:
    values = np.linspace(volume.high, volume.low, 128)[:, None]
    up = svg.Scale(volume.low, volume.high, top + tall, top)
    parts = [svg.picture(left, top, 12, tall, _drawn(volume, values))]
    parts += [svg.segments([(left + 12, up(tick), left + 15, up(tick)) for tick in up.ticks()], "axis")]
    parts += [svg.text(left + 18, up(tick) + 3.5, svg.number(tick)) for tick in up.ticks()]
    parts.append(svg.text(left, top - 8, volume.unit))
    return "".join(parts)


def _ruler(left: float, y: float, ratio: float) -> str:
    length = 50.0 if ratio * 50 < 200 else 10.0
    end = left + ratio * length
    return svg.segments([(left, y, end, y), (left, y - 3, left, y + 3), (end, y - 3, end, y + 3)], "axis") + svg.text(
        end + 6, y + 4, f"{length:g} mm"
    )


def label_colours(n: int, pale: Sequence[int]) -> npt.NDArray[np.uint8]:
    """Colours of labels by their number, shape (n, 3); those in ``pale`` are shades of grey."""
    table = np.zeros((n, 3), dtype=np.uint8)
    hue = 0.0
    for number in range(1, n):
        if number in pale:
            table[number] = 120 + 110 * list(pale).index(number) // max(1, len(pale))
            continue
        hue = (hue + 0.618034) % 1.0
        table[number] = _colour(hue, 0.62 + 0.2 * (number % 2))
    return table


def _colour(hue: float, light: float) -> tuple[int, int, int]:
    """Red, green and blue of a hue, 0 to 1, with so much light, 0 to 1."""
    red, green, blue = (
        round(255 * light * (1 - 0.8 * min(max(2 - abs((hue * 6 - shift) % 6 - 3), 0.0), 1.0))) for shift in (3, 5, 1)
    )
    return red, green, blue
