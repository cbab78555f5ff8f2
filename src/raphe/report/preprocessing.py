"""The part of a scan's report that shows its preprocessing: movement, and regions on MRI and PET."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from raphe.data.preprocessed import Preprocessed
from raphe.report.simulated import Figure, Key, Titled
from raphe.report.simulated_figures import Line, time_panel
from raphe.report.slices import Volume, slices
from raphe.report.wording import count, general

SHADES = 200
"""Shades of grey of a picture with outlines."""

OUTLINE = (230, 120, 0)
"""Colour of outlines."""

ASIDE = 0.08
"""How far beside the middle is cut, over the width of the brain: through nuclei and not between the halves."""

MARGIN = 8.0
"""mm around the regions that are shown."""

BRIGHTEST = 99.5
"""Percentile of the voxels around all regions at which the shades end."""


class PreprocessingView(NamedTuple):
    """What the page shows."""

    doubts: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    figures: tuple[Figure, ...]


def preprocessing_view(found: Preprocessed) -> PreprocessingView:
    """Figures and words about one scan."""
    moved = np.nan_to_num(found.displacement)
    facts = [
        ("Largest movement between frames", f"{general(float(moved.max()), 2)} mm"),
        ("Largest movement within a frame", f"{general(float(np.nan_to_num(found.within).max()), 2)} mm"),
        ("Frames whose position is their neighbours'", f"{int(found.held.sum())} of {len(found.held)}"),
        *found.facts,
    ]
    return PreprocessingView(found.doubts, tuple(facts), (_motion(found), _overlay(found)))


def _motion(found: Preprocessed) -> Figure:
    time = found.frames.mid
    panels = [
        Titled(title, time_panel(lines, unit, "min after injection", f"{title} over time", rest=0.0))
        for title, unit, lines in (
            ("Translation", "mm", [Line(f"s{axis}", time, found.pose[:, axis]) for axis in range(3)]),
            ("Rotation", "degrees", [Line(f"s{axis}", time, np.rad2deg(found.pose[:, 3 + axis])) for axis in range(3)]),
            (
                "Movement of the brain", "mm",
                [
                    Line("s3", time, np.nan_to_num(found.displacement)),
                    Line("s4 dashed", time, np.nan_to_num(found.within)),
                ],
            ),
        )
    ]  # fmt: skip
    keys = (
        *(Key(f"along or about {name}", f"s{axis}") for axis, name in enumerate(("x (right)", "y (front)", "z (up)"))),
        Key("since the frame before", "s3"),
        Key("within the frame, by its neighbours", "s4", "dashed"),
    )
    held = int(found.held.sum())
    told = f" {count(held, 'frame')} told nothing of the position and lie as their neighbours do." if held else ""
    caption = (
        "Position of the head in each frame against that in the late frames: what was undone. Movement is the mean "
        "over "
        f"places of the brain.{told}"
    )
    return Figure(tuple(panels), caption, keys, title="Movement")


def _overlay(found: Preprocessed) -> Figure:
    """Outlines of the regions on the MRI and on the PET, which tell whether the two lie on each other."""
    inside = np.argwhere(found.labels > 0)
    corner, zooms = found.grid.affine[:3, 3], found.grid.zooms
    places = inside * zooms + corner if len(inside) else np.zeros((1, 3))
    within = (places.min(axis=0) - MARGIN, places.max(axis=0) + MARGIN)
    x, y, z = places.mean(axis=0).tolist()
    at = (x + ASIDE * float(places[:, 0].max() - places[:, 0].min()), y, z)
    edge = _edges(found.labels)
    images = {} if found.t1 is None else {"T1-weighted image": found.t1}
    images["PET, late mean"] = found.pet
    panels = []
    for name, values in images.items():
        for title, outline in ((name, np.zeros_like(edge)), (f"{name}, with the outlines of the regions", edge)):
            volume = _volume(found, values, outline)
            panels.append(Titled(title, slices(volume, at, within, f"{title}: axial, coronal and sagittal slice")))
    where = "the T1-weighted image" if found.t1 is not None else "the PET alone"
    caption = (
        f"Regions, found in {where}, at the size of the PET's voxels. Where the outlines follow the edges of grey "
        f"matter "
        "in the MRI but not those of the PET, the two do not lie on each other. L, R, P, A, I and S are left, right, "
        "back, front, below and above, by the header of the image."
    )
    return Figure(tuple(panels), caption, (), wide=True, title="Regions on the images")


def _volume(found: Preprocessed, values: npt.NDArray[np.float32], outline: npt.NDArray[np.bool_]) -> Volume:
    where = np.nonzero(found.labels)
    within = values[tuple(slice(int(n.min()), int(n.max()) + 1) for n in where)] if where[0].size else values
    top = float(np.percentile(within, BRIGHTEST)) if within.size else 1.0
    shade = np.clip(values / max(top, 1e-9), 0, 1) * (SHADES - 2)
    drawn = np.where(outline, SHADES, 1 + np.round(shade)).astype(np.float32)
    greys = np.repeat(np.linspace(0, 255, SHADES)[:, None], 3, axis=1)
    colours = np.concatenate([greys, [OUTLINE]]).round().astype(np.uint8)
    corner = found.grid.affine[:3, 3]
    return Volume(drawn, (float(corner[0]), float(corner[1]), float(corner[2])), found.grid.zooms, colours=colours)


def _edges(labels: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """Voxels of a region that have a neighbour of another, within the plane of any slice."""
    edge = np.zeros(labels.shape, dtype=bool)
    for axis in range(3):
        step = np.diff(labels, axis=axis) != 0
        first = [slice(None)] * 3
        first[axis] = slice(0, -1)
        edge[tuple(first)] |= step
    return edge & (labels > 0)
