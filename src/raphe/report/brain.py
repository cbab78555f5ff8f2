"""A map of a statistic: what is highest anywhere along each line of sight, and slices over an image of the brain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from raphe.errors import InputError
from raphe.report import svg
from raphe.report.carpet import PALETTE, SHADES
from raphe.report.maps import FIRST, HIGHEST, upright
from raphe.report.outline import outline
from raphe.report.png import data_uri
from raphe.report.slices import GREYS
from raphe.report.wording import MINUS, fixed, general

Floats = npt.NDArray[np.floating]
Flags = npt.NDArray[np.bool_]
Array = npt.NDArray[np.float64]

Number = TypeVar("Number", bound=np.generic)

WIDE = 900.0
BAR = 84.0
"""Width of the scale of colours with its numbers, px."""

GAP, TOP, FOOT = 30.0, 24.0, 18.0
"""px between pictures, above them and under them."""

N_ACROSS = 4
"""Slices in a row."""

SHARES = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
"""How high in the mask slices are cut where no heights are given."""

BODY: npt.NDArray[np.uint8] = np.array([(255, 255, 255), (238, 240, 242)], dtype=np.uint8)
"""Colours beside and within the mask."""

VIEWS = ((0, 1, 2, "from the side"), (1, 0, 2, "from behind"), (2, 0, 1, "from above"))
"""Axis that is looked along, axis to the right, axis upwards, and words."""

SIDES = (("L", "R"), ("P", "A"), ("I", "S"))


@dataclass(frozen=True, eq=False)
class StatisticMap:
    """A statistic in every voxel, and which of its voxels are beyond what chance gives in the whole map.

    Parameters
    ----------
    values : ndarray, shape (x, y, z)
        NaN where there is none.
    affine : ndarray, shape (4, 4)
        Voxels to mm.
    mask : ndarray of bool, shape (x, y, z)
        Where the statistic was computed.
    threshold : float
        Least absolute value that is drawn, without correction for the number of voxels; 0 draws all.
    corrected : ndarray of bool, shape (x, y, z), optional
        Voxels that are significant after correction; they are outlined.
    background : ndarray, shape (x, y, z), optional
        Image under the slices.
    name : str
        Of the statistic.
    oriented : bool
        Whether the affine says where left is, and not only how large voxels are.

    Raises
    ------
    InputError
        If a volume is not on the grid of the values, or the mask is empty.
    """

    values: Floats
    affine: Array
    mask: Flags
    threshold: float = 0.0
    corrected: Flags | None = None
    background: Floats | None = None
    name: str = "t"
    oriented: bool = True

    def __post_init__(self) -> None:
        for what, other in (("mask", self.mask), ("corrected", self.corrected), ("background", self.background)):
            if other is not None and other.shape != self.values.shape:
                raise InputError(f"the {what} has shape {other.shape}, the map {self.values.shape}; use one grid")
        if not self.mask.any():
            raise InputError("the mask of the map is empty; there is nothing to draw")


class _Upright(NamedTuple):
    """A map with its axes to the right, to the front and up, cut to the mask."""

    values: Array
    mask: Flags
    corrected: Flags
    background: Floats | None
    zooms: tuple[float, float, float]
    corner: Array
    """Place of the first voxel, mm."""
    first: int
    """Index of the first slice in the whole volume."""
    limit: float
    """Absolute value at which the colours end."""
    threshold: float
    name: str
    oriented: bool


def glass_brain(found: StatisticMap, label: str) -> Markup:
    """Draw the largest absolute value along each line of sight, with its sign: from the side, from behind, from above.

    What is significant after correction is outlined.
    """
    drawn = _upright(found)
    sizes = [n * zoom for n, zoom in zip(drawn.values.shape, drawn.zooms, strict=True)]
    across = [sizes[right] for _, right, _, _ in VIEWS]
    ratio = (WIDE - BAR - GAP * 3) / sum(across)
    height = ratio * max(sizes[up] for _, _, up, _ in VIEWS)
    parts, left = [], GAP / 2
    for axis, right, up, words in VIEWS:
        layers = _Layers(
            projected(drawn.values, axis), _any(drawn.mask, axis), _any(drawn.corrected, axis), background=None
        )
        top = TOP + (height - ratio * sizes[up]) / 2
        parts.append(_picture(drawn, layers, (left, top), (ratio * sizes[right], ratio * sizes[up]), words, right))
        left += ratio * sizes[right] + GAP
    parts.append(_bar(drawn, WIDE - BAR + 6, TOP, min(height, 180.0)))
    return svg.drawing(WIDE, TOP + height + FOOT, parts, label, _in_words(found, drawn))


def axial_slices(found: StatisticMap, label: str, heights: Sequence[float] = ()) -> Markup:
    """Draw axial slices of the map over its background, from below upwards, the left of the head on the left.

    Parameters
    ----------
    found : StatisticMap
    label : str
        Text alternative.
    heights : sequence of float, mm
        Where to cut; without, evenly through the mask and through the largest absolute value.

    Raises
    ------
    InputError
        If a height lies outside the mask.
    """
    drawn = _upright(found)
    at = _indices(drawn, heights)
    n_x, n_y, _ = drawn.values.shape
    n_across = min(N_ACROSS, len(at))
    width = (WIDE - BAR - GAP * N_ACROSS) / N_ACROSS
    ratio = width / (n_x * drawn.zooms[0])
    height = ratio * n_y * drawn.zooms[1]
    parts = []
    for place, k in enumerate(at):
        down, along = divmod(place, n_across)
        back = None if drawn.background is None else drawn.background[:, :, k]
        layers = _Layers(drawn.values[:, :, k], drawn.mask[:, :, k], drawn.corrected[:, :, k], back)
        corner = GAP / 2 + along * (width + GAP), TOP + down * (height + TOP + 8)
        z = drawn.corner[2] + k * drawn.zooms[2]
        words = (
            f"z = {z:.0f} mm".replace("-", MINUS)
            if drawn.oriented
            else f"slice {drawn.first + k + 1} of {found.values.shape[2]}"
        )
        parts.append(_picture(drawn, layers, corner, (width, height), words, 0))
    n_down = -(-len(at) // n_across)
    total = TOP + n_down * (height + TOP + 8) - TOP
    parts.append(_bar(drawn, WIDE - BAR + 6, TOP, min(height, 180.0)))
    return svg.drawing(WIDE, total, parts, label, _in_words(found, drawn))


def projected(values: Array, axis: int) -> Array:
    """Value with the largest absolute value along an axis; 0 where there is none."""
    known = np.where(np.isfinite(values), values, 0.0)
    at = np.abs(known).argmax(axis=axis)
    found: Array = np.take_along_axis(known, np.expand_dims(at, axis), axis=axis).squeeze(axis)
    return found


def _any(flags: Flags, axis: int) -> Flags:
    return np.asarray(flags.any(axis=axis))


class _Layers(NamedTuple):
    """What lies on each other in one picture, first axis to the right and second one upwards."""

    values: Array
    mask: Flags
    corrected: Flags
    background: Floats | None


def _upright(found: StatisticMap) -> _Upright:
    affine = found.affine if found.oriented else np.diag([*np.linalg.norm(found.affine[:3, :3], axis=0), 1.0])
    none = np.zeros(found.mask.shape, dtype=bool)
    values, mask, placed = upright(np.asarray(found.values, dtype=float), found.mask, affine)
    back, corrected, _ = upright(
        np.zeros(found.mask.shape) if found.background is None else found.background,
        none if found.corrected is None else found.corrected,
        affine,
    )
    there = [np.flatnonzero(mask.any(axis=tuple(other for other in range(3) if other != axis))) for axis in range(3)]
    box = tuple(slice(max(int(n[0]) - 1, 0), int(n[-1]) + 2) for n in there)
    inside = np.abs(values[mask & np.isfinite(values)])
    limit = max(float(inside.max()) if inside.size else 1.0, found.threshold, 1e-9)
    zooms = np.linalg.norm(placed[:3, :3], axis=0)
    corner = placed[:3, 3] + np.diag(placed)[:3] * [part.start for part in box]
    return _Upright(
        np.where(mask, values, np.nan)[box], mask[box], (corrected & mask)[box],
        None if found.background is None else back[box], (float(zooms[0]), float(zooms[1]), float(zooms[2])), corner,
        box[2].start, limit, found.threshold, found.name, found.oriented,
    )  # fmt: skip


def _indices(drawn: _Upright, heights: Sequence[float]) -> list[int]:
    """Slices to cut, from below upwards."""
    n_z = drawn.values.shape[2]
    if heights:
        at = [round((height - float(drawn.corner[2])) / drawn.zooms[2]) for height in heights]
        for height, k in zip(heights, at, strict=True):
            if not 0 <= k < n_z:
                last = float(drawn.corner[2]) + (n_z - 1) * drawn.zooms[2]
                raise InputError(
                    f"there is no slice at {height:g} mm; the mask reaches from {drawn.corner[2]:g} to {last:g} mm"
                )
        return sorted(set(at))
    at = [round(share * (n_z - 1)) for share in SHARES]
    known = np.where(np.isfinite(drawn.values), np.abs(drawn.values), -1.0)
    return sorted({*at, int(known.max(axis=(0, 1)).argmax())})


def _picture(
    drawn: _Upright,
    layers: _Layers,
    corner: tuple[float, float],
    size: tuple[float, float],
    words: str,
    right: int,
) -> str:
    (left, top), (width, tall) = corner, size
    parts = [svg.picture(left, top, width, tall, _under(drawn, layers))]
    parts.append(svg.picture(left, top, width, tall, data_uri(_places(drawn, _turned(layers.values)), PALETTE)))
    n_down, n_across = _turned(layers.mask).shape
    sx, sy = width / n_across, tall / n_down
    for flags, kind in ((layers.mask, "contour"), (layers.corrected, "contour found")):
        lines = [(left + a * sx, top + b * sy, left + c * sx, top + d * sy) for a, b, c, d in outline(_turned(flags))]
        if lines and not (kind == "contour" and layers.background is not None):
            parts.append(svg.segments(lines, kind))
    parts.append(svg.text(left + width / 2, top - 8, words, anchor="middle"))
    if drawn.oriented:
        low, high = SIDES[right]
        parts.append(svg.text(left - 3, top + tall / 2 + 4, low, "side", anchor="end"))
        parts.append(svg.text(left + width + 3, top + tall / 2 + 4, high, "side"))
    return "".join(parts)


def _turned(flat: npt.NDArray[Number]) -> npt.NDArray[Number]:
    """Put the second axis downwards from its high end, as a picture has it."""
    return flat.T[::-1]


def _under(drawn: _Upright, layers: _Layers) -> str:
    if layers.background is None or drawn.background is None:
        return data_uri(_turned(layers.mask).astype(np.uint8), BODY)
    known = drawn.background[np.isfinite(drawn.background) & drawn.mask]
    high = max(float(np.percentile(known, HIGHEST)) if known.size else 1.0, 1e-9)
    share = np.clip(np.nan_to_num(layers.background) / high, 0, 1)
    place = np.where(layers.mask, FIRST + np.round(share * (len(GREYS) - 1 - FIRST)), 0).astype(np.uint8)
    return data_uri(_turned(place), GREYS)


def _places(drawn: _Upright, values: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
    """Places of values in the palette of two colours; 0, which is not drawn, below the threshold."""
    known = np.nan_to_num(np.asarray(values, dtype=float))
    place = 1 + SHADES + np.round(np.clip(known / drawn.limit, -1, 1) * SHADES)
    seen = (np.abs(known) >= drawn.threshold) & (known != 0)
    return np.where(seen, place, 0).astype(np.uint8)


def _bar(drawn: _Upright, left: float, top: float, tall: float) -> str:
    values = np.linspace(drawn.limit, -drawn.limit, 255)[:, None]
    up = svg.Scale(-drawn.limit, drawn.limit, top + tall, top)
    parts = [svg.picture(left, top, 12, tall, data_uri(_places(drawn, values), PALETTE))]
    parts += [svg.segments([(left + 12, up(tick), left + 15, up(tick)) for tick in up.ticks()], "axis")]
    parts += [svg.text(left + 18, up(tick) + 3.5, svg.number(tick)) for tick in up.ticks()]
    parts.append(svg.text(left, top - 8, drawn.name))
    return "".join(parts)


def _in_words(found: StatisticMap, drawn: _Upright) -> str:
    known = found.values[found.mask & np.isfinite(found.values)]
    if not known.size:
        return "No voxel has a value."
    told = (
        f"{drawn.name} from {fixed(float(known.min()), 2)} to {fixed(float(known.max()), 2)} in {known.size:,} voxels; "
    )
    told += f"{int((np.abs(known) >= found.threshold).sum()):,} reach {general(found.threshold)} without correction"
    if found.corrected is not None:
        told += f", {int((found.corrected & found.mask).sum()):,} are significant after correction"
    return told + "."
