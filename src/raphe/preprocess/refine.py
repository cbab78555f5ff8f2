"""A warp made finer around the nuclei."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from raphe.core.resample import LINEAR, at_places, resample
from raphe.data.alignment import Field, Warp
from raphe.data.image import Grid
from raphe.data.volume import Labels, Volume
from raphe.preprocess.warp import Nonlinear, blurred_for, displacement, places_of, places_of_grid

Floats = npt.NDArray[np.float32]

HOW = Nonlinear(voxels=100, iterations=(20, 20), smoothness=1.7, radius=2)
"""With voxels of 1.2 mm in people."""

MARGIN = 0.07
"""Room around the nuclei, over the brain's edge."""

FADE = 4
"""Voxels over which the refinement fades to nothing at the faces of its box."""


def refine(warp: Warp, individual: Volume, likeness: Volume, nuclei: Labels, size: float) -> Warp:
    """Register again, around some regions, what a warp leaves apart.

    Parameters
    ----------
    warp : Warp
    individual : Volume
        Brain of the individual.
    likeness : Volume
        The template as the individual would show it (:func:`raphe.preprocess.likeness.likeness`).
    nuclei : Labels
        In the template's space; the regions that are to lie better.
    size : float, mm
        Edge of the template's brain.

    Returns
    -------
    Warp
        On the grids of the given one.
    """
    voxel = size / HOW.voxels
    grid = _box(nuclei, MARGIN * size, voxel)
    static = resample(blurred_for(likeness, voxel), likeness.grid.affine, np.eye(4), grid.shape, grid.affine)
    moving = at_places(blurred_for(individual, voxel), individual.grid.affine, places_of(warp.to_native, grid), LINEAR)
    ahead, back = displacement(np.asarray(static, dtype=np.float32), np.asarray(moving, dtype=np.float32), grid, HOW)
    fade = _fade(grid.shape)[..., None]
    own = places_of_grid(warp.to_native.grid)
    to_native = _pull(warp.to_native, own + _values(grid, ahead * fade, own))
    there = warp.to_template.places
    to_template = there + _values(grid, back * fade, there)
    return Warp(warp.template, Field(warp.to_native.grid, to_native), Field(warp.to_template.grid, to_template))


def _box(nuclei: Labels, margin: float, voxel: float) -> Grid:
    grid = nuclei.grid
    places = np.argwhere(np.isin(nuclei.values, list(nuclei.names))) @ grid.affine[:3, :3].T + grid.affine[:3, 3]
    low, high = places.min(axis=0) - margin, places.max(axis=0) + margin
    shape = tuple(int(n) for n in np.ceil((high - low) / voxel) + 1)
    matrix = np.diag([voxel, voxel, voxel, 1.0])
    matrix[:3, 3] = low
    return Grid((shape[0], shape[1], shape[2]), matrix)


def _fade(shape: tuple[int, int, int]) -> Floats:
    """1 inside, down to 0 at the faces."""
    depth = ndimage.distance_transform_edt(np.pad(np.ones(shape, dtype=bool), 1))[1:-1, 1:-1, 1:-1] - 1
    return np.asarray(np.clip(depth / FADE, 0, 1), dtype=np.float32)


def _values(grid: Grid, shift: Floats, places: Floats) -> Floats:
    """Displacement at places; none beyond the grid."""
    found = [at_places(np.ascontiguousarray(shift[..., axis]), grid.affine, places) for axis in range(3)]
    return np.stack(found, axis=-1).astype(np.float32)


def _pull(field: Field, places: Floats) -> Floats:
    """Where a field leads from places between its voxels."""
    index = np.linalg.inv(field.grid.affine)
    at = np.moveaxis(places @ index[:3, :3].T + index[:3, 3], -1, 0)
    found = [
        ndimage.map_coordinates(np.ascontiguousarray(field.places[..., axis]), at, order=1, mode="nearest")
        for axis in range(3)
    ]
    return np.stack(found, axis=-1).astype(np.float32)
