"""Regions of a PET image without an MRI, by way of the image that the tracer is expected to give."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from raphe.catalog import Tracer
from raphe.core.resample import NEAREST, resample
from raphe.data.alignment import Warp
from raphe.data.record import Step
from raphe.data.template import Template
from raphe.data.volume import Labels, Volume
from raphe.nomenclature import region_key
from raphe.preprocess.warp import Nonlinear, affine, brain_edge, drawn, nonlinear, places_of

USUAL = 0.5
"""BP_ND of a region of which the catalog knows none; an assumption."""

WHITE = 0.6
"""Uptake of what no region holds, over that of the reference; an assumption."""

ITERATIONS = (40, 20)
"""Of the nonlinear registration, which the blurred image bears on coarse voxels alone."""

SMOOTHNESS = 3.0
"""Of its field, in voxels."""

EDGE = 20.0
"""Blur of the expected image: the brain's edge over it."""


def regions_of_pet(pet: Volume, template: Template, tracer: Tracer | None) -> tuple[Labels, Warp, Step]:
    """Regions of the atlas in the space of a PET image.

    The template's regions are filled with what the catalog expects the tracer to leave in them late in a scan,
    1 + BP_ND over the reference, and blurred; the PET is registered to that.

    Parameters
    ----------
    pet : Volume
        Late mean image.
    template : Template
    tracer : Tracer or None
        None: all grey matter is expected to take up alike.
    """
    expected = _expected(template, tracer)
    to_template, information = affine(pet, expected, template.brain)
    how = Nonlinear(iterations=ITERATIONS, smoothness=SMOOTHNESS)
    warp = nonlinear(pet, expected, template.brain, to_template, template.space, how)
    labels = drawn(template.labels, places_of(warp.to_template, pet.grid), pet.grid)
    step = Step(
        "regions_from_pet",
        {
            "atlas": template.name, "other_regions": template.other_regions, "tracer": tracer.name if tracer else "",
            "usual": USUAL, "white": WHITE, "information": information,
        },
        ("avants2008",),
    )  # fmt: skip
    return labels, warp, step


def _expected(template: Template, tracer: Tracer | None) -> Volume:
    grid = template.t1.grid
    values = np.where(template.brain, np.float32(WHITE), np.float32(0))
    labels = resample(
        template.labels.values, template.labels.grid.affine, np.eye(4), grid.shape, grid.affine, NEAREST
    )  # fmt: skip
    entry = tracer.species.get(template.species) if tracer else None
    for number, name in template.labels.names.items():
        values[labels == number] = 1 + (_binding(name, entry) if entry else 0.0)
    size = brain_edge(grid, template.brain)
    sigma = [size / EDGE / 2.355 / zoom for zoom in grid.zooms]
    return Volume(grid, np.asarray(ndimage.gaussian_filter(values, sigma), dtype=np.float32))


def _binding(name: str, entry: object) -> float:
    plain = region_key(name)[0]
    if plain.startswith("cerebell"):
        return 0.0
    try:
        return float(entry.binding(plain).BP_ND[0].value)  # type: ignore[attr-defined]
    except KeyError:
        return USUAL
