"""Regions of a further atlas on a template: its own average head registered to the template's, once."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from raphe.data.record import Parameter, Step
from raphe.data.template import Template
from raphe.data.volume import Labels, Volume
from raphe.errors import InputError
from raphe.nomenclature import region_key
from raphe.preprocess.refine import refine
from raphe.preprocess.warp import affine, brain_edge, carried, drawn, nonlinear, places_of

LEAST_OVERLAP = 0.85
"""Dice of the two brains below which they are not taken for two averages of one species; an assumption."""


class Brought(NamedTuple):
    """Regions that were brought to a template."""

    labels: Labels
    overlap: float
    """Dice of the two brains after registration."""
    moved: float
    """How far the registration moved the centre of a region at most, mm."""


def brought_to(template: Template, t1: Volume, labels: Labels) -> Brought:
    """Bring regions to the grid of a template's labels.

    Parameters
    ----------
    template : Template
    t1 : Volume
        The average brain on which the regions were drawn, 0 around it, in nearly the template's space or another.
    labels : Labels
        Regions in the space of ``t1``.

    Returns
    -------
    Brought

    Raises
    ------
    InputError
        If the two brains do not overlap after registration, or nothing is left of a region.
    """
    to_template, _ = affine(t1, template.t1, template.brain)
    warp = nonlinear(t1, template.t1, template.brain, to_template, template.space)
    if template.nuclei:  # without this, the coarse field swells small nuclei by half where there is little contrast
        size = brain_edge(template.t1.grid, template.brain)
        warp = refine(warp, t1, template.t1, template.only(template.nuclei), size)
    grid = template.t1.grid
    inside = Volume(t1.grid, ndimage.binary_fill_holes(t1.values > 0).astype(np.float32))
    found = carried(inside, places_of(warp.to_native, grid), grid).values > 0.5
    overlap = float(2 * (found & template.brain).sum() / (found.sum() + template.brain.sum()))
    if overlap < LEAST_OVERLAP:
        raise InputError(
            f"the brain of the image overlaps with that of the template {template.space} by {overlap:.2f} (Dice) after "
            f"registration, where {LEAST_OVERLAP:g} or more was expected; name the T1-weighted image of an average "
            f"{template.species} brain without skull"
        )
    moved = drawn(labels, places_of(warp.to_native, template.labels.grid), template.labels.grid)
    lost = [name for name, volume in moved.volumes.items() if volume == 0]
    if lost:
        raise InputError(f"nothing of {lost[0]} is left on the template {template.space}; leave the region out")
    return Brought(moved, overlap, max(_apart(labels, moved)))


def supplemented(template: Template, labels: Labels, source: str) -> Template:
    """Template whose regions are replaced by others of the same names, or get others besides.

    Parameters
    ----------
    template : Template
    labels : Labels
        On the grid of the template's labels. Where they lie, nothing else does; what is left of a region that they
        replace has no label.
    source : str
        What to call the source of these regions.
    """
    plain = {region_key(name)[0] for name in labels.names.values()}
    old = {number for number, name in template.labels.names.items() if region_key(name)[0] in plain}
    names = {number: name for number, name in template.labels.names.items() if number not in old}
    first = max(template.labels.names, default=0)
    values = np.where(np.isin(template.labels.values, list(old)), np.int32(0), template.labels.values)
    values = np.where(labels.values > 0, (labels.values + first).astype(np.int32), values)
    names |= {number + first: name for number, name in labels.names.items()}
    kept = {region_key(template.labels.names[number])[0] for number in template.nuclei & old}
    added = {number + first for number, name in labels.names.items() if region_key(name)[0] in kept}
    return replace(
        template,
        labels=Labels(template.labels.grid, values, names),
        ribbon=template.ribbon - old,
        nuclei=(template.nuclei - old) | added,
        sources={**template.sources, **dict.fromkeys(sorted(plain), source)},
    )


def step_of(name: str, source: str, brought: Brought) -> Step:
    """Record of how regions came to a template."""
    regions = tuple(dict.fromkeys(region_key(one)[0] for one in brought.labels.names.values()))
    told: dict[str, Parameter] = {"atlas": name, "regions": regions, "overlap": brought.overlap, "moved": brought.moved}
    return Step("supplement", told, (source, "avants2008"))


def _apart(one: Labels, other: Labels) -> list[float]:
    """Distances between the centres of each region in two images, mm."""
    return [float(np.linalg.norm(_centre(one, number) - _centre(other, number))) for number in one.names]


def _centre(labels: Labels, number: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    index = np.argwhere(labels.values == number).mean(axis=0)
    return np.asarray(labels.grid.affine[:3, :3] @ index + labels.grid.affine[:3, 3])
