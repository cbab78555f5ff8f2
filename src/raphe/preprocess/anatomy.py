"""A head from its T1-weighted image: brain, tissue, and the regions of an atlas."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from raphe.core.box import Box, affine_of, box_of, put_back
from raphe.core.resample import at_places, resample
from raphe.data.alignment import Warp
from raphe.data.image import Grid
from raphe.data.record import Parameter, Step
from raphe.data.template import Template
from raphe.data.volume import Labels, Volume
from raphe.nomenclature import FLUID, OTHER_GREY, WHITE, region_key
from raphe.preprocess.bias_field import BIAS_ITERATIONS, correct_bias
from raphe.preprocess.likeness import likeness
from raphe.preprocess.outlines import follow_brightness
from raphe.preprocess.refine import refine
from raphe.preprocess.sheets import follow_grey
from raphe.preprocess.soundness import BRAINS
from raphe.preprocess.strip import strip
from raphe.preprocess.tissue import classify
from raphe.preprocess.warp import ITERATIONS, Nonlinear, affine, brain_edge, drawn, nonlinear, places_of

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

ROUND = 0.06
"""Width of the rim around the template's brain that registrations of the whole brain may see, over the brain's edge."""

BORDER = 6
"""Voxels of room around the rim in the part of an image that is looked at: as far as smoothing reaches."""

REACH = 0.04
"""How far from a sheet of the atlas grey matter still belongs to it, over the brain's edge: 5 mm in people."""

DEPTH = 0.06
"""How far within the template's brain voxels are counted that hold nothing, over the brain's edge; an assumption."""

EMPTY = 0.05
"""Share of those from which on the brain may be cut. Fluid may be 0 in an image, and is less; an assumption."""

FURTHER, FLAT = 0.055, 0.35
"""How far inwards of slices without a value, over the brain's edge (6 mm in people), and the share of the area there
from which on the brain ends flat. A ball has a seventh; an assumption."""

ROUGH = Nonlinear(iterations=(*ITERATIONS[:-1], 1))
"""The registration that only tells how bright each region and tissue is; what is finest is left to the next."""

WHOLE = Nonlinear(voxels=80, smoothness=2.4, radius=4)
"""The one of the whole brain against the template as the head would show it; as smooth, over the brain's edge."""


@dataclass(frozen=True, eq=False)
class Head:
    """What a T1-weighted image tells.

    Parameters
    ----------
    t1 : Volume
        Without bias field.
    brain : ndarray of bool, shape ``t1.grid.shape``
    grey, white, fluid : Volume
        Probability of each tissue, on the same grid; 0 outside the brain.
    warp : Warp
    labels : Labels
        Regions of the atlas, on the same grid.
    doubts : tuple of str
    """

    t1: Volume
    brain: Flags
    grey: Volume
    white: Volume
    fluid: Volume
    warp: Warp
    labels: Labels
    doubts: tuple[str, ...]


def prepare_anatomy(t1: Volume, template: Template) -> tuple[Head, tuple[Step, ...]]:
    """Find brain, tissue and regions of a head.

    A template of another contrast pulls the surfaces of nuclei away from where they are. So a first, rough
    registration only tells the brightness of regions and tissues, and the one that counts is done against the template
    as the head would show it (:func:`raphe.preprocess.likeness.likeness`), as is a finer one around the nuclei. A
    template without nuclei, or maps of tissue, is registered as it is.

    Parameters
    ----------
    t1 : Volume
        As it was measured, the head around the brain included or not.
    template : Template

    Returns
    -------
    Head
    tuple of Step
    """
    to_template, information = affine(t1, template.t1, template.brain)
    around = _placed(template, t1, to_template)
    size = brain_edge(t1.grid, around)
    voxel = min(t1.grid.zooms)
    rim = ndimage.binary_dilation(around, iterations=max(1, round(ROUND * size / voxel)))
    core = ndimage.binary_erosion(around, iterations=max(1, round(DEPTH * size / voxel)), border_value=1)
    flat = correct_bias(t1, rim, size)
    box = box_of(rim, BORDER)
    found = _inner(_part(flat, box), rim[box], template, to_template, size)
    brain = put_back(found.segmented.brain, box, t1.grid.shape)
    grey, white, fluid = (_whole(tissue.values, box, t1.grid) for tissue in found.segmented.tissues)
    labels = Labels(t1.grid, put_back(found.labels.values, box, t1.grid.shape), found.labels.names)
    doubts = (*_doubts(t1, brain, template), *_empty(t1.values[core]))
    steps = (
        Step("bias_field", {"iterations": BIAS_ITERATIONS}, ("tustison2010",)),
        Step(
            "normalise",
            {"template": template.space, "information": information, "iterations": ITERATIONS},
            ("avants2008",),
        ),
        *_nuclei_steps(template, found.unsure),
        _atlas_step(template, brain, t1, doubts),
    )
    return Head(flat, brain, grey, white, fluid, found.warp, labels, doubts), steps


@dataclass(frozen=True, eq=False)
class _Segmented:
    """Brain of a head, its grey, white and fluid, and the places of the head's voxels in the template, mm."""

    brain: Flags
    tissues: tuple[Volume, Volume, Volume]
    places: Floats


@dataclass(frozen=True, eq=False)
class _Inner:
    """What is found in the box around a brain; ``unsure`` is the error of the surfaces of nuclei, mm."""

    segmented: _Segmented
    warp: Warp
    labels: Labels
    unsure: float


def _inner(flat: Volume, rim: Flags, template: Template, to_template: Array, size: float) -> _Inner:
    """Brain, tissues and regions in the part of a head without bias field that holds the brain and its rim."""
    masked = Volume(flat.grid, np.where(rim, flat.values, 0).astype(np.float32))
    rough = ROUGH if template.nuclei else None
    warp = nonlinear(masked, template.t1, template.brain, to_template, template.space, rough)
    found = _segment(flat, rim, template, warp, size)
    if template.nuclei:
        warp = nonlinear(masked, _shown(template, flat, found), template.brain, to_template, template.space, WHOLE)
        found = _segment(flat, rim, template, warp, size)
        edge = brain_edge(template.t1.grid, template.brain)
        warp = refine(warp, masked, _shown(template, flat, found), template.only(template.nuclei), edge)
        found = replace(found, places=places_of(warp.to_template, flat.grid))
    labels = drawn(template.labels, found.places, flat.grid)
    labels, unsure = follow_brightness(labels, template, flat, found.brain, found.tissues, found.places, size)
    labels = follow_grey(labels, template.ribbon, found.tissues[0], found.brain, REACH * size)
    return _Inner(found, warp, labels, unsure)


def _part(image: Volume, box: Box) -> Volume:
    values = np.ascontiguousarray(image.values[box])
    return Volume(Grid((values.shape[0], values.shape[1], values.shape[2]), affine_of(image.grid.affine, box)), values)


def _whole(values: Floats, box: Box, grid: Grid) -> Volume:
    return Volume(grid, put_back(values, box, grid.shape))


def grey_only(labels: Labels, grey: Volume, least: float) -> Labels:
    """Regions without the voxels whose probability of grey matter is below ``least``; tissue keeps its own."""
    tissue = [number for number, name in labels.names.items() if name in (WHITE, FLUID)]
    kept = (grey.values >= least) | np.isin(labels.values, tissue)
    return Labels(labels.grid, np.where(kept, labels.values, np.int32(0)), labels.names)


def with_tissue(head: Head) -> Labels:
    """Regions of a head, and its white matter, other grey matter and fluid as regions of their own.

    Where the labels have one of these (:data:`raphe.nomenclature.WHITE`, ``FLUID``, ``OTHER_GREY``), they are so inside
    the brain, whatever the image tells; all else is what is most probable.
    """
    names = {number: name for number, name in head.labels.names.items() if name not in (WHITE, FLUID, OTHER_GREY)}
    top = max(names, default=0)
    kinds = {name: top + at for at, name in enumerate((WHITE, FLUID, OTHER_GREY), start=1)}
    values = head.labels.values.copy()
    free = head.brain & (values == 0)
    probable = np.stack([head.white.values, head.fluid.values, head.grey.values])
    values[free] = top + 1 + probable[:, free].argmax(axis=0)
    for number, name in head.labels.names.items():
        if number not in names:
            where = head.labels.values == number
            values[where] = np.where(head.brain[where], kinds[name], 0)
    return Labels(head.labels.grid, values, {**names, **{number: name for name, number in kinds.items()}})


def _placed(template: Template, t1: Volume, to_template: Array) -> Flags:
    """Brain of the template on a head, by the affine transform."""
    back = np.asarray(np.linalg.inv(to_template), dtype=np.float64)
    found = resample(template.brain.astype(np.float32), template.t1.grid.affine, back, t1.grid.shape, t1.grid.affine)
    return np.asarray(found, dtype=np.float32) > 0.5


def _inside(tissue: Volume, brain: Flags) -> Volume:
    return Volume(tissue.grid, np.where(brain, tissue.values, np.float32(0)))


def _segment(flat: Volume, rim: Flags, template: Template, warp: Warp, size: float) -> _Segmented:
    """Brain and tissues of a head without bias field, where a warp and the brightness have them."""
    places = places_of(warp.to_template, flat.grid)
    share = at_places(template.brain.astype(np.float32), template.t1.grid.affine, places[rim])
    brain = rim.copy()
    brain[rim] = np.asarray(share, dtype=np.float32) > 0.5
    brain = _largest(brain)
    within = places[brain]
    priors = [at_places(tissue.values, tissue.grid.affine, within) for tissue in template.tissues]
    grey, white, fluid = classify(flat, brain, np.stack(priors) if priors else None)
    brain = strip(brain, fluid, size)
    return _Segmented(brain, (_inside(grey, brain), _inside(white, brain), _inside(fluid, brain)), places)


def _shown(template: Template, flat: Volume, found: _Segmented) -> Volume:
    """The template as the head would show it."""
    return likeness(template, flat, drawn(template.labels, found.places, flat.grid), found.tissues)


def _largest(inside: Flags) -> Flags:
    labels, n = ndimage.label(inside)
    if n < 2:
        return inside
    return np.asarray(ndimage.binary_fill_holes(labels == 1 + np.bincount(labels.ravel())[1:].argmax()))


def _doubts(t1: Volume, brain: Flags, template: Template) -> tuple[str, ...]:
    volume = float(brain.sum() * abs(np.linalg.det(t1.grid.affine[:3, :3])))
    low, high = BRAINS.get(template.species, (0.0, np.inf))
    told = []
    if not low <= volume <= high:
        told.append(
            f"the brain mask holds {volume / 1000:.0f} mL; {low / 1000:.0f} to {high / 1000:.0f} were expected of a "
            f"{template.species} brain: look at its outline"
        )
    edges = [brain[0], brain[-1], brain[:, 0], brain[:, -1], brain[:, :, 0], brain[:, :, -1]]
    cut = sum(int(edge.sum()) for edge in edges) * float(np.prod(t1.grid.zooms)) ** (2 / 3)
    if cut > 0.02 * volume ** (2 / 3):
        told.append(f"the brain reaches the edge of the T1-weighted image over {cut / 100:.1f} cm2: it may be cut")
    bare = _bare_cut(t1, brain)
    if bare > 0.1 * volume ** (2 / 3):
        told.append(
            f"the brain ends over {bare / 100:.1f} cm2 where slices of the T1-weighted image begin that are 0 or no "
            "number: it may be cut"
        )
    return tuple(told)


def _bare_cut(t1: Volume, brain: Flags) -> float:
    """Area over which a brain ends flat where slices without any value begin, mm2.

    A masked brain tapers off where its last slice is; a cut one has there much of what it has a little further in.
    """
    area, inwards = 0.0, FURTHER * brain_edge(t1.grid, brain)
    for axis, zoom in enumerate(t1.grid.zooms):
        others = tuple(other for other in range(3) if other != axis)
        held = np.asarray(t1.values.any(axis=others))
        extent = brain.sum(axis=others) * float(np.prod(t1.grid.zooms)) / zoom
        for values, extents in ((held, extent), (held[::-1], extent[::-1])):
            first = int(np.argmax(values))
            further = min(first + max(1, round(inwards / zoom)), held.size - 1)
            if first > 0 and extents[first] > FLAT * extents[further]:
                area += float(extents[first])
    return area


def _empty(within: Floats) -> tuple[str, ...]:
    """Doubt a brain of which much has no value; a value that is no number was read as 0."""
    share = float((within == 0).mean()) if within.size else 0.0
    if share <= EMPTY:
        return ()
    return (
        f"the T1-weighted image is 0 or no number in {100 * share:.0f} % of where the brain should be: it may be cut, "
        "or masked too closely",
    )


def _nuclei_steps(template: Template, unsure: float) -> tuple[Step, ...]:
    if not template.nuclei:
        return ()
    regions = tuple(dict.fromkeys(region_key(template.labels.names[number])[0] for number in sorted(template.nuclei)))
    told: dict[str, Parameter] = {"regions": regions}
    if not math.isnan(unsure):  # the brain that is seen has none of them
        told["unsure"] = unsure
    return (Step("nuclei", told, ("puonti2016",)),)


def _atlas_step(template: Template, brain: Flags, t1: Volume, doubts: tuple[str, ...]) -> Step:
    parameters: dict[str, Parameter] = {
        "atlas": template.name,
        "other_regions": template.other_regions,
        "brain_ml": round(float(brain.sum() * abs(np.linalg.det(t1.grid.affine[:3, :3]))) / 1000, 1),
        "doubts": doubts,
    }
    return Step("atlas", parameters)
