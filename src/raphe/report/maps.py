"""Slices through parametric maps, as pictures within the page."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from raphe.report.wording import general, unit

Floats = npt.NDArray[np.floating]

ANCHORS = (
    (68, 1, 84), (72, 40, 120), (62, 74, 137), (49, 104, 142), (38, 130, 142), (31, 158, 137), (53, 183, 121),
    (110, 206, 88), (181, 222, 43), (253, 231, 37),
)  # fmt: skip
"""Colours from low to high, evenly spaced, between which it is mixed: viridis of van der Walt and Smith (CC0)."""

HIGHEST = 99.0
"""Percentile of the values at which the scale of colours ends."""

SHARE = (0.45, 0.5, 0.55)
"""Where along an axis, between the first and the last voxel with a value, slices are cut across."""

WIDE = 640
"""Least width of a picture in pixels, to which voxels are enlarged."""


class MapView(NamedTuple):
    """What the page shows of one map."""

    model: str
    parameter: str
    picture: Markup
    low: str
    high: str
    unit: str
    bar: Markup
    n_voxel: str
    """Voxels with a usable estimate."""


def map_view(model: str, parameter: str, values: Floats, zooms: tuple[float, float, float]) -> MapView:
    """Slices across the three axes of one map.

    Parameters
    ----------
    model, parameter : str
    values : ndarray, shape (x, y, z)
        NaN where there is none.
    zooms : tuple of float, mm
        Sizes of the voxels along the axes.
    """
    there = np.isfinite(values)
    known = values[there]
    low = min(0.0, float(np.percentile(known, 100 - HIGHEST))) if known.size else 0.0
    high = max(float(np.percentile(known, HIGHEST)), low + 1e-9) if known.size else 1.0
    pictures = []
    for axis in (2, 1, 0):
        others = tuple(other for other in range(3) if other != axis)
        inside = np.flatnonzero(there.any(axis=others)) if known.size else np.arange(values.shape[axis])
        for share in SHARE:
            slab = values.take(int(inside[0] + share * (inside[-1] - inside[0])), axis=axis)
            pictures.append(_even(np.flipud(slab.T), zooms[others[1]] / zooms[others[0]]))
    height = max(each.shape[0] for each in pictures)
    row = np.concatenate([_padded(each, height) for each in pictures], axis=1)
    row = row.repeat(factor := max(1, -(-WIDE // row.shape[1])), axis=0).repeat(factor, axis=1)
    bar = np.linspace(low, high, 256)[None].repeat(8, axis=0)
    what = f"{model}, {parameter}: slices across z, y and x"
    return MapView(
        model, parameter, _picture(row, low, high, what), general(low), general(high), unit(parameter),
        _picture(bar, low, high, "scale of colours"), f"{known.size:,}",
    )  # fmt: skip


def _even(slab: Floats, ratio: float) -> Floats:
    """Slice whose voxels are as high as wide: rows repeated or left out, nothing mixed."""
    height = max(1, round(slab.shape[0] * ratio))
    return np.asarray(slab[np.minimum((np.arange(height) / ratio).astype(np.intp), slab.shape[0] - 1)])


def _padded(slab: Floats, height: int) -> Floats:
    above = (height - slab.shape[0]) // 2
    edges = ((above, height - slab.shape[0] - above), (2, 2))
    return np.pad(slab, edges, constant_values=np.nan)


def _picture(values: Floats, low: float, high: float, what: str) -> Markup:
    return Markup('<img alt="{}" src="{}">').format(what, data_uri(coloured(values, low, high, ANCHORS)))


def coloured(values: Floats, low: float, high: float, anchors: Sequence[tuple[int, int, int]]) -> npt.NDArray[np.uint8]:
    """Pixels, (height, width, 4), of values: colours mixed between ``anchors``; see-through where there is none."""
    place = np.clip((np.nan_to_num(values) - low) / (high - low), 0, 1) * (len(anchors) - 1)
    left = np.minimum(place.astype(np.intp), len(anchors) - 2)
    colours = np.array(anchors, dtype=float)
    share = (place - left)[..., None]
    mixed = (1 - share) * colours[left] + share * colours[left + 1]
    return np.concatenate([np.round(mixed), 255.0 * np.isfinite(values)[..., None]], axis=-1).astype(np.uint8)


def data_uri(pixels: npt.NDArray[np.uint8]) -> str:
    """Picture with four channels, shape (height, width, 4), as it stands within a page."""
    return f"data:image/png;base64,{base64.b64encode(_png(pixels)).decode()}"


def _png(pixels: npt.NDArray[np.uint8]) -> bytes:
    """File of a picture with four channels, shape (height, width, 4)."""
    height, width, _ = pixels.shape
    lines = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, -1)], axis=1)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines.tobytes(), 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body
