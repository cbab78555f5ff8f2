"""The MRI and the PET of a scan on each other: outlines of regions, and two layers to fade between."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from raphe.data.preprocessed import Preprocessed
from raphe.report.maps import FIRST, PALETTE
from raphe.report.simulated import Figure, Titled
from raphe.report.slices import Volume, slices

Floats = npt.NDArray[np.float32]

SHADES = 200
"""Shades of grey."""

ASIDE = 0.08
"""How far beside the middle is cut, over the width of the brain: through nuclei and not between the halves."""

MARGIN = 8.0
"""mm around the regions that are shown."""

BRIGHTEST = 99.5
"""Percentile of the voxels around all regions at which the shades end."""

FAINT = 0.12
"""Share of the brightest below which the PET is not drawn over the MRI."""


class Layers(NamedTuple):
    """Drawings of the same slices, one to lie over the other."""

    under: Markup
    over: Markup
    caption: str


def outlines(found: Preprocessed) -> Figure:
    """Outlines of the regions on the MRI and on the PET, which tell whether the two lie on each other."""
    images = {} if found.t1 is None else {"T1-weighted image": found.t1}
    images["PET, late mean"] = found.pet
    panels = []
    for name, values in images.items():
        greys = _greys(found, values)
        panels.append(Titled(name, _slices(found, greys, name)))
        title = f"{name}, with the outlines of the regions"
        panels.append(Titled(title, _slices(found, greys, title, found.labels)))
    where = "the T1-weighted image" if found.t1 is not None else "the PET alone"
    caption = (
        f"Regions, found in {where}, at the size of the PET's voxels. Where the outlines follow the edges of grey "
        "matter in the MRI but not those of the PET, the two do not lie on each other. L, R, P, A, I and S are left, "
        "right, back, front, below and above, by the header of the image."
    )
    return Figure(tuple(panels), caption, (), wide=True, title="Regions on the images")


def layers(found: Preprocessed) -> Layers | None:
    """The PET over the MRI; None where there is no MRI."""
    if found.t1 is None:
        return None
    under = _slices(found, _greys(found, found.t1), "T1-weighted image")
    share = np.clip(found.pet / _top(found, found.pet), 0, 1)
    place = np.where(share < FAINT, 0, FIRST + np.round(share * (len(PALETTE) - 1 - FIRST))).astype(np.float32)
    over = _slices(found, _volume(found, place, PALETTE), "PET, late mean, over the T1-weighted image")
    caption = (
        "Late mean of the PET in colours over the T1-weighted image in grey, in the same slices. Fade from one to the "
        "other, or let them flicker: what lies on each other stays where it is; what does not jumps. Look at the "
        "surface of the cortex, the ventricles and the cerebellum."
    )
    return Layers(under, over, caption)


def _slices(found: Preprocessed, volume: Volume, title: str, regions: npt.NDArray[np.int32] | None = None) -> Markup:
    inside = np.argwhere(found.labels > 0)
    places = inside * found.grid.zooms + found.grid.affine[:3, 3] if len(inside) else np.zeros((1, 3))
    within = (places.min(axis=0) - MARGIN, places.max(axis=0) + MARGIN)
    x, y, z = places.mean(axis=0).tolist()
    at = (x + ASIDE * float(places[:, 0].max() - places[:, 0].min()), y, z)
    return slices(volume, at, within, f"{title}: axial, coronal and sagittal slice", regions)


def _greys(found: Preprocessed, values: Floats) -> Volume:
    shade = np.clip(values / _top(found, values), 0, 1) * (SHADES - 2)
    greys = np.repeat(np.linspace(0, 255, SHADES)[:, None], 3, axis=1)
    return _volume(found, (1 + np.round(shade)).astype(np.float32), greys.round().astype(np.uint8))


def _volume(found: Preprocessed, drawn: Floats, colours: npt.NDArray[np.uint8]) -> Volume:
    x, y, z = found.grid.affine[:3, 3].tolist()
    return Volume(drawn, (x, y, z), found.grid.zooms, colours=colours)


def _top(found: Preprocessed, values: Floats) -> float:
    """Value at which the shades end."""
    where = np.nonzero(found.labels)
    within = values[tuple(slice(int(n.min()), int(n.max()) + 1) for n in where)] if where[0].size else values
    return max(float(np.percentile(within, BRIGHTEST)) if within.size else 1.0, 1e-9)
