"""A coarse head, painted from its geometry, so that a phantom needs nothing that does not come with raphe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from raphe import catalog
from raphe.catalog import Species
from raphe.data.image import Grid
from raphe.nomenclature import region_key
from raphe.simulate.anatomy import AIR, BLOOD, BONE, FLUID, GREY, SOFT, WHITE, Anatomy, Labels
from raphe.simulate.geometry import Ellipsoid, Geometry, Part

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

MARGIN = 2.0
"""Air around the head, mm."""

FINER = 3.0
"""How much closer the folds of a folded part are than those of the cortex."""


@dataclass(frozen=True, eq=False)
class _Canvas:
    """Places of the voxels along each axis, mm, as they broadcast, and the labels that are painted."""

    x: Array
    y: Array
    z: Array
    labels: Labels
    voxel: float
    """mm3."""


def coarse_head(geometry: Geometry, regions: Sequence[str], size: float) -> Anatomy:
    """Paint a head.

    Volumes of structures are those of the species' catalog where it has them, as far as no later structure takes of
    their place; else those of their ellipsoids.

    Parameters
    ----------
    geometry : Geometry
    regions : sequence of str
        Structures that are within others and are painted nevertheless. All that are not within others are there.
    size : float, mm
        Edge of a voxel.
    """
    species = catalog.species(geometry.species)
    names = [AIR, *(lobe.name for lobe in geometry.lobes), WHITE, FLUID, BONE, SOFT, BLOOD]
    tissues = [AIR, *(GREY for _ in geometry.lobes), WHITE, FLUID, BONE, SOFT, BLOOD]
    wanted = {region_key(name)[0] for name in regions}
    parts = [part for part in geometry.parts if not part.within or part.name in wanted]
    for part in parts:
        if part.tissue == GREY:
            names.append(part.name)
            tissues.append(GREY)
    number = {name: index for index, name in enumerate(names)}
    canvas, grid = _canvas(geometry, size)
    inside = _paint_cerebrum(canvas, geometry, species, number)
    for part in parts:
        _paint_part(canvas, geometry, species, part, number, inside)
    _paint_sinus(canvas, geometry, number[BLOOD])
    return Anatomy(grid, canvas.labels, tuple(names), tuple(tissues))


def _canvas(geometry: Geometry, size: float) -> tuple[_Canvas, Grid]:
    centre, axes = (np.array(each) for each in (geometry.brain.centre, geometry.brain.axes))
    around = geometry.shells.bone + geometry.shells.soft + MARGIN
    low, high = centre - axes - around, centre + axes + around
    shape = tuple(int(n) for n in 2 * np.ceil((high - low) / 2 / size).astype(int))
    first = (low + high) / 2 - (np.array(shape) - 1) / 2 * size
    x, y, z = (first[axis] + size * np.arange(shape[axis]) for axis in range(3))
    affine = np.diag([size, size, size, 1.0])
    affine[:3, 3] = first
    canvas = _Canvas(
        x[:, None, None], y[None, :, None], z[None, None, :], np.zeros(shape, dtype=np.uint8), size**3
    )  # fmt: skip
    return canvas, Grid((shape[0], shape[1], shape[2]), affine)


def _paint_cerebrum(canvas: _Canvas, geometry: Geometry, species: Species, number: dict[str, int]) -> Flags:
    """Paint shells, fluid, cortex and white matter; the value is where the brain is."""
    depth = _depth(canvas, geometry.brain)
    labels, shells, folds = canvas.labels, geometry.shells, geometry.folds
    labels[depth > -shells.bone - shells.soft] = number[SOFT]
    labels[depth > -shells.bone] = number[BONE]
    inside = depth > 0
    below = np.maximum(folds.fissure - canvas.z, 0)  # the fissure between the hemispheres ends above the callosum
    surface = np.minimum(depth, np.sqrt(canvas.x**2 + below**2) + folds.fluid / 2)
    folded = surface + folds.depth * _gyroid(canvas, folds.wavelength)
    labels[inside] = number[WHITE]
    labels[inside & (folded < folds.fluid)] = number[FLUID]
    hulls = [part for part in geometry.parts if part.folded]
    free = inside & (folded >= folds.fluid)
    for hull in hulls:
        free &= ~(_radius(canvas, hull) < 1)
    volume = sum(species.volume(lobe.name).value for lobe in geometry.lobes)
    cortex = _lowest(np.where(free, folded, np.inf), volume / canvas.voxel)
    at = np.nonzero(cortex)
    place = np.stack([np.abs(canvas.x[at[0], 0, 0]), canvas.y[0, at[1], 0], canvas.z[0, 0, at[2]]], axis=1)
    nearest, least = np.zeros(len(place), dtype=np.uint8), np.full(len(place), np.inf)
    for lobe in geometry.lobes:
        for seed in lobe.seeds:
            distance = ((place - seed) ** 2).sum(axis=1)
            nearer = distance < least
            nearest[nearer], least[nearer] = number[lobe.name], distance[nearer]
    labels[at] = nearest
    return inside


def _paint_part(
    canvas: _Canvas, geometry: Geometry, species: Species, part: Part, number: dict[str, int], inside: Flags
) -> None:
    """Paint one structure, both sides."""
    radius = _radius(canvas, part)
    label = number[part.name if part.tissue == GREY else part.tissue]
    if part.tissue != BLOOD:
        radius = np.where(inside, radius, np.inf)
    try:
        count = species.volume(part.name).value / canvas.voxel
    except KeyError:
        count = float((radius < 1).sum())
    if not part.folded:
        canvas.labels[_lowest(radius, count)] = label
        return
    hull = radius < 1
    canvas.labels[hull] = number[WHITE]
    bark = _depth(canvas, part) + geometry.folds.depth / FINER * _gyroid(canvas, geometry.folds.wavelength / FINER)
    canvas.labels[_lowest(np.where(hull, bark, np.inf), count)] = label


def _paint_sinus(canvas: _Canvas, geometry: Geometry, label: int) -> None:
    """Paint the superior sagittal sinus along the upper and hinder edge of the brain."""
    width, brain = geometry.sinus.width, geometry.brain
    depth = _depth(canvas, brain)
    narrow = np.abs(canvas.x) < width / 2 * (1 - depth / width)
    above = (canvas.z > brain.centre[2]) & (canvas.y < brain.centre[1] + 0.7 * brain.axes[1])
    canvas.labels[(depth > 0) & (depth < width) & narrow & above] = label


def _radius(canvas: _Canvas, shape: Ellipsoid) -> Array:
    """Distance from the centre in half-lengths; of both sides where it is off the midline."""
    x, y, z = _about(canvas, shape)
    a, b, c = shape.axes
    return np.asarray(np.sqrt((x / a) ** 2 + (y / b) ** 2 + (z / c) ** 2))


def _depth(canvas: _Canvas, shape: Ellipsoid) -> Array:
    """Distance from the surface inwards, mm, to first order."""
    x, y, z = _about(canvas, shape)
    a, b, c = shape.axes
    radius = np.sqrt((x / a) ** 2 + (y / b) ** 2 + (z / c) ** 2)
    steep = np.sqrt((x / a**2) ** 2 + (y / b**2) ** 2 + (z / c**2) ** 2)
    return np.asarray((1 - radius) * radius / np.maximum(steep, 1e-9))


def _about(canvas: _Canvas, shape: Ellipsoid) -> tuple[Array, Array, Array]:
    """Places about the centre, in the ellipsoid's own axes."""
    x0, y0, z0 = shape.centre
    x = np.abs(canvas.x) - x0 if x0 > 0 else canvas.x - x0
    y, z = canvas.y - y0, canvas.z - z0
    turn = np.deg2rad(shape.tilt)
    return x, np.cos(turn) * y + np.sin(turn) * z, np.cos(turn) * z - np.sin(turn) * y


def _gyroid(canvas: _Canvas, wavelength: float) -> Array:
    """Periodic surface of Schoen, between about -1 and 1."""
    sine, cosine = ([f(2 * np.pi / wavelength * u) for u in (canvas.x, canvas.y, canvas.z)] for f in (np.sin, np.cos))
    return np.asarray((sine[0] * cosine[1] + sine[1] * cosine[2] + sine[2] * cosine[0]) / 1.5)


def _lowest(values: Array, count: float) -> Flags:
    """Where the so many lowest finite values are."""
    finite = values[np.isfinite(values)]
    n = min(round(count), finite.size)
    if n <= 0:
        return np.zeros(values.shape, dtype=bool)
    return np.asarray(values <= np.partition(finite, n - 1)[n - 1])
