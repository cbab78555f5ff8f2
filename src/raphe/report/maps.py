"""Slices through parametric maps, as pictures within the page."""

from __future__ import annotations

from itertools import permutations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from raphe.core.box import Box, box_of
from raphe.report.png import data_uri
from raphe.report.wording import fixed, general, unit

Floats = npt.NDArray[np.floating]
Flags = npt.NDArray[np.bool_]
Pixels = npt.NDArray[np.uint8]

ANCHORS = (
    (68, 1, 84), (72, 40, 120), (62, 74, 137), (49, 104, 142), (38, 130, 142), (31, 158, 137), (53, 183, 121),
    (110, 206, 88), (181, 222, 43), (253, 231, 37),
)  # fmt: skip
"""Colours from low to high, evenly spaced, between which it is mixed: viridis of van der Walt and Smith (CC0)."""

NOTHING, GREY, FIRST = 0, 1, 2
"""Places in the palette: outside of the mask, a voxel of it without a usable estimate, the lowest value."""

PALETTE: Pixels = np.concatenate(
    [
        [(255, 255, 255), (217, 221, 225)],
        np.transpose([np.interp(np.linspace(0, 9, 256 - FIRST), range(10), one) for one in np.transpose(ANCHORS)]),
    ]
).round().astype(np.uint8)  # fmt: skip
"""Colours of the pictures, red, green and blue."""

HIGHEST = 99.0
"""Percentile of the values at which the scale of colours ends."""

SHARES = (0.2, 0.35, 0.5, 0.65, 0.8)
"""Where along an axis, between the first and the last voxel of the mask, slices are cut."""

PLANES = (("Axial", 2, "front"), ("Coronal", 1, "top"), ("Sagittal", 0, "top"))
"""Name of each plane, the axis that it is cut across (to the right, to the front, up), and what is up in it."""

ENDS = (("L", "R"), ("P", "A"), ("I", "S"))
"""Letters for the two ends of each of these axes."""

WIDTH = 86.0
"""Share of the page's width that the widest row of slices takes, %."""


class Slice(NamedTuple):
    """One slice: its picture, where it is, how wide it stands (%), and what is on its left and right."""

    picture: Markup
    place: str
    width: str
    left: str
    right: str


class Row(NamedTuple):
    """Slices of one plane."""

    plane: str
    slices: tuple[Slice, ...]


class MapView(NamedTuple):
    """What the page shows of one map."""

    model: str
    parameter: str
    rows: tuple[Row, ...]
    bar: Markup
    ticks: tuple[tuple[str, str], ...]
    """Numbers along the bar, each with its place (%)."""
    unit: str
    n_voxel: str
    """Voxels with a usable estimate."""
    n_unusable: str
    """Voxels of the mask without; empty where there is none."""
    oriented: bool

    @property
    def title(self) -> str:
        """Parameter and model."""
        return f"{self.parameter} by {self.model}"


def map_view(
    model: str, parameter: str, values: Floats, mask: Flags, affine: npt.NDArray[np.float64], oriented: bool = True
) -> MapView:
    """Slices across the three axes of one map.

    Parameters
    ----------
    model, parameter : str
    values : ndarray, shape (x, y, z)
        NaN where there is none.
    mask : ndarray of bool, shape (x, y, z)
        Where voxels were mapped.
    affine : ndarray, shape (4, 4), mm
        From indices to places: to the right, to the front, up.
    oriented : bool
        Whether the affine says so, and not only how large voxels are.
    """
    known = values[np.isfinite(values)]
    low = min(0.0, float(np.percentile(known, 100 - HIGHEST))) if known.size else 0.0
    high = max(float(np.percentile(known, HIGHEST)), low + 1e-9) if known.size else 1.0
    drawn = _Drawn(*upright(values, mask, affine if oriented else np.diag([*_sizes(affine), 1.0])), low, high, oriented)
    n_lost = int(mask.sum()) - known.size
    bar = np.arange(FIRST, len(PALETTE), dtype=np.uint8)[None]
    return MapView(
        model, parameter, _rows(drawn, f"{model}, {parameter}"), _picture(bar, "scale of colours"),
        _ticks(low, high), unit(parameter), f"{known.size:,}", f"{n_lost:,}" if n_lost else "", oriented,
    )  # fmt: skip


class _Drawn(NamedTuple):
    """A map with its axes in order, and how it is drawn."""

    values: Floats
    mask: Flags
    affine: npt.NDArray[np.float64]
    low: float
    high: float
    oriented: bool

    def place(self, axis: int, at: int, box: Box) -> str:
        """Where a slice is, in words."""
        if not self.oriented:
            return f"slice {at + 1} of {self.values.shape[axis]}"
        middle = [(part.start + part.stop - 1) / 2 for part in box]
        middle[axis] = at
        return f"{'xyz'[axis]} = {fixed(float((self.affine @ [*middle, 1.0])[axis]), 0)} mm"


def _rows(drawn: _Drawn, what: str) -> tuple[Row, ...]:
    """Slices of every plane, all at one scale."""
    box, sizes = box_of(drawn.mask, 1), _sizes(drawn.affine)
    extent = [(part.stop - part.start) * size for part, size in zip(box, sizes, strict=True)]
    each = WIDTH / (len(SHARES) * max(extent[0], extent[1]))
    rows = []
    for name, axis, up in PLANES:
        across, along = (other for other in range(3) if other != axis)
        plane = f"{name}, {up} up" if drawn.oriented else f"Across axis {axis + 1} of the image"
        left, right = ENDS[across] if drawn.oriented else ("", "")
        span = box[axis].stop - 1 - box[axis].start
        slices = []
        for at in dict.fromkeys(round(box[axis].start + share * span) for share in SHARES):
            cut = tuple(slice(at, at + 1) if other == axis else box[other] for other in range(3))
            values, mask = drawn.values[cut].squeeze(axis).T[::-1], drawn.mask[cut].squeeze(axis).T[::-1]
            place = drawn.place(axis, at, box)
            shape = f"aspect-ratio: {extent[across]:.4g} / {extent[along]:.4g}"
            picture = _picture(_coloured(values, mask, drawn.low, drawn.high), f"{what}: {plane}, {place}", shape)
            slices.append(Slice(picture, place, f"{each * extent[across]:.3g}", left, right))
        rows.append(Row(plane, tuple(slices)))
    return tuple(rows)


def _ticks(low: float, high: float) -> tuple[tuple[str, str], ...]:
    """Ends of the scale, and between them 0 where it is not too near to either, else the middle."""
    zero = -low / (high - low)
    share = zero if 0.2 < zero < 0.8 else 0.5
    at = {0.0: low, share: low + share * (high - low) if share != zero else 0.0, 1.0: high}
    return tuple((general(value, 3), f"{100 * place:.3g}") for place, value in at.items())


def upright(
    values: Floats, mask: Flags, affine: npt.NDArray[np.float64]
) -> tuple[Floats, Flags, npt.NDArray[np.float64]]:
    """Map, mask and affine with axes to the right, to the front and up, as nearly as quarter turns allow."""
    steps = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    axes = max(permutations(range(3)), key=lambda order: float(np.abs(steps[range(3), order]).sum()))
    placed = affine.copy()
    placed[:3, :3] = affine[:3, axes]
    values, mask = values.transpose(axes), mask.transpose(axes)
    for axis in range(3):
        if placed[axis, axis] < 0:
            values, mask = np.flip(values, axis), np.flip(mask, axis)
            placed[:3, 3] += placed[:3, axis] * (values.shape[axis] - 1)
            placed[:3, axis] *= -1
    return values, mask, placed


def _sizes(affine: npt.NDArray[np.float64]) -> list[float]:
    sizes: list[float] = np.linalg.norm(affine[:3, :3], axis=0).tolist()
    return sizes


def _coloured(values: Floats, mask: Flags, low: float, high: float) -> Pixels:
    """Places of a slice in the :data:`PALETTE`."""
    known = np.isfinite(values)
    share = np.clip((np.where(known, values, low) - low) / (high - low), 0, 1)
    colour = FIRST + np.round(share * (len(PALETTE) - 1 - FIRST))
    return np.where(known, colour, np.where(mask, GREY, NOTHING)).astype(np.uint8)


def _picture(pixels: Pixels, what: str, style: str = "") -> Markup:
    how = Markup(' style="{}"').format(style) if style else ""
    return Markup('<img alt="{}"{} src="{}">').format(what, how, data_uri(pixels, PALETTE))
