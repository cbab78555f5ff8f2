"""Normalisation: from an individual's head to a template's, first affine, then nonlinear."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from raphe.core.resample import LINEAR, NEAREST, at_places, resample
from raphe.data.alignment import Field, Warp
from raphe.data.image import Grid
from raphe.data.volume import Labels, Volume
from raphe.preprocess.information import itk_images, matrix_of, search

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

COARSE, FINE = 20.0, 36.0
"""How many voxels a brain's edge has in the affine registration."""

STEP, LEAST = 1 / 12, 1 / 3000
"""First and last step of the rigid search before it, over the brain's edge."""

NONLINEAR = 56.0
"""How many voxels it has in the nonlinear one: 2 mm in people."""

ITERATIONS = (60, 40, 15)
"""Of the nonlinear registration, from coarse to fine."""

RADIUS = 3
"""Half-width in voxels of the window of the cross-correlation."""

SMOOTHNESS = 1.7
"""Standard deviation in voxels of the Gaussian by which steps of the field are smoothed."""

INVERSE = 0.01
"""Mean error, in voxels, at which a field counts as inverted while the registration goes on: 0.02 mm in people."""

TURNS = (0.0, 0.3, -0.3)
"""Radians about the axis through the ears from which the affine search begins."""

UPWARDS = (0.0, 0.25)
"""How much higher than the centre of the head the brain is looked for, as a share of the brain's edge."""


OUTSIDE = 1e6
"""mm: where a place is that a field does not reach."""


@dataclass(frozen=True)
class Nonlinear:
    """How the nonlinear registration is done.

    Parameters
    ----------
    voxels : float
        How many voxels a brain's edge has.
    iterations : tuple of int
        At each level, from coarse to fine.
    smoothness : float
        Standard deviation in voxels of the Gaussian by which steps of the field are smoothed.
    radius : int
        Half-width in voxels of the window of the cross-correlation.
    """

    voxels: float = NONLINEAR
    iterations: tuple[int, ...] = ITERATIONS
    smoothness: float = SMOOTHNESS
    radius: int = RADIUS


def affine(moving: Volume, fixed: Volume, brain: Flags) -> tuple[Array, float]:
    """Affine transform, mm to mm, from a head to a template's brain by mutual information, and the latter.

    Parameters
    ----------
    moving : Volume
        The individual: a whole head, or an image of the brain alone.
    fixed : Volume
        The template.
    brain : ndarray of bool, shape ``fixed.grid.shape``
    """
    import SimpleITK as sitk

    size = brain_edge(fixed.grid, brain)
    where = np.argwhere(brain).mean(axis=0)
    centre = fixed.grid.affine[:3, :3] @ where + fixed.grid.affine[:3, 3]
    middle = _head_centre(moving)
    first = itk_images(moving, fixed, brain, size / COARSE)
    found = []
    for turn in TURNS:
        for up in UPWARDS:
            start = sitk.Euler3DTransform()
            start.SetCenter(centre.tolist())
            start.SetRotation(turn, 0.0, 0.0)
            start.SetTranslation((middle - centre + [0, 0, up * size]).tolist())
            found.append(search(first, start, STEP * size, LEAST * size))
    _, rigid = min(found, key=lambda one: one[0])
    whole = sitk.AffineTransform(3)
    whole.SetCenter(rigid.GetCenter())
    whole.SetMatrix(rigid.GetMatrix())
    whole.SetTranslation(rigid.GetTranslation())
    _, whole = search(first, whole)
    value, whole = search(itk_images(moving, fixed, brain, size / FINE), whole)
    pull = matrix_of(whole)
    return np.asarray(np.linalg.inv(pull), dtype=np.float64), -value


def nonlinear(
    moving: Volume, fixed: Volume, brain: Flags, to_template: Array, name: str, how: Nonlinear | None = None
) -> Warp:
    """Warp between an individual and a template by symmetric diffeomorphic registration.

    Parameters
    ----------
    moving : Volume
        The individual's brain, 0 around it.
    fixed : Volume
        The template's brain.
    brain : ndarray of bool, shape ``fixed.grid.shape``
    to_template : ndarray, shape (4, 4), mm to mm
        Affine transform, from :func:`affine`.
    name : str
        Of the template's space.
    how : Nonlinear, optional
    """
    how = how or Nonlinear()
    voxel = brain_edge(fixed.grid, brain) / how.voxels
    grid = _box(fixed.grid, brain, voxel)
    static, carried = _on(fixed, grid, np.eye(4), voxel), _on(moving, grid, to_template, voxel)
    ahead, behind = displacement(static, carried, grid, how)
    own, back = places_of_grid(grid), np.linalg.inv(to_template)
    to_native = (own + ahead) @ back[:3, :3].T + back[:3, 3]
    carried_grid = Grid(grid.shape, back @ grid.affine)
    return Warp(name, Field(grid, to_native.astype(np.float32)), Field(carried_grid, own + behind))


def displacement(static: Floats, moving: Floats, grid: Grid, how: Nonlinear) -> tuple[Floats, Floats]:
    """Displacement between two images of one grid by symmetric diffeomorphic registration, and its inverse.

    Parameters
    ----------
    static, moving : ndarray of float32, shape ``grid.shape``
    grid : Grid
    how : Nonlinear

    Returns
    -------
    ahead, behind : ndarray of float32, shape (``*grid.shape``, 3), mm
        From places of ``static`` to those of ``moving``, and back.
    """
    from dipy.align.imwarp import SymmetricDiffeomorphicRegistration
    from dipy.align.metrics import CCMetric

    metric = CCMetric(3, sigma_diff=how.smoothness, radius=how.radius)
    search = SymmetricDiffeomorphicRegistration(metric, level_iters=list(how.iterations), inv_tol=INVERSE)
    search.verbosity = 0
    found = search.optimize(_scaled(static), _scaled(moving))
    own = places_of_grid(grid).astype(np.float64)
    ahead = [found.transform(own[..., axis], interpolation="linear") - own[..., axis] for axis in range(3)]
    behind = [found.transform_inverse(own[..., axis], interpolation="linear") - own[..., axis] for axis in range(3)]
    return np.stack(ahead, axis=-1).astype(np.float32), np.stack(behind, axis=-1).astype(np.float32)


def places_of(field: Field, grid: Grid, to_field: Array | None = None) -> npt.NDArray[np.float32]:
    """Places of a field for the voxels of another grid, between its own; far outside for those beyond it.

    Parameters
    ----------
    field : Field
    grid : Grid
    to_field : ndarray, shape (4, 4), mm to mm, optional
        From the space of ``grid`` to that of the field's grid, where they differ.
    """
    index = np.linalg.inv(field.grid.affine) @ (np.eye(4) if to_field is None else to_field) @ grid.affine
    return np.stack(
        [
            ndimage.affine_transform(
                np.ascontiguousarray(field.places[..., axis]),
                index[:3, :3],
                index[:3, 3],
                grid.shape,
                order=1,
                cval=OUTSIDE,
            )
            for axis in range(3)
        ],
        axis=-1,
    )


def drawn(labels: Labels, places: npt.NDArray[np.float32], grid: Grid) -> Labels:
    """Labels of another space, on a grid whose voxels lie at ``places`` there."""
    found = at_places(labels.values, labels.grid.affine, places, NEAREST)
    return Labels(grid, np.asarray(found, dtype=np.int32), labels.names)


def carried(image: Volume, places: npt.NDArray[np.float32], grid: Grid) -> Volume:
    """Image of another space, on a grid whose voxels lie at ``places`` there."""
    found = at_places(image.values, image.grid.affine, places, LINEAR)
    return Volume(grid, np.asarray(found, dtype=np.float32))


def brain_edge(grid: Grid, brain: Flags) -> float:
    """Edge of a cube of the brain's volume, mm."""
    return float((brain.sum() * abs(np.linalg.det(grid.affine[:3, :3]))) ** (1 / 3))


def places_of_grid(grid: Grid) -> Floats:
    """Place of each voxel, shape (``*grid.shape``, 3), mm."""
    index = np.moveaxis(np.indices(grid.shape, dtype=np.float32), 0, -1)
    return np.asarray(index @ grid.affine[:3, :3].T + grid.affine[:3, 3], dtype=np.float32)


def blurred_for(image: Volume, voxel: float) -> Floats:
    """Values smoothed as far as voxels of that edge, mm, ask for."""
    sigma = [0.4 * np.sqrt(max((voxel / zoom) ** 2 - 1, 0.0)) for zoom in image.grid.zooms]
    return np.asarray(ndimage.gaussian_filter(image.values, sigma), dtype=np.float32)


def _head_centre(moving: Volume) -> Array:
    """Centre of what is brighter than the mean."""
    bright = moving.values > moving.values.mean()
    at = np.array(ndimage.center_of_mass(bright))
    return np.asarray(moving.grid.affine[:3, :3] @ at + moving.grid.affine[:3, 3])


def _box(grid: Grid, brain: Flags, voxel: float) -> Grid:
    """Grid of that voxel along the axes of space, around the brain with room for its surroundings."""
    where = np.argwhere(brain) @ grid.affine[:3, :3].T + grid.affine[:3, 3]
    low, high = where.min(axis=0) - 5 * voxel, where.max(axis=0) + 5 * voxel
    shape = tuple(int(n) for n in np.ceil((high - low) / voxel) + 1)
    matrix = np.diag([voxel, voxel, voxel, 1.0])
    matrix[:3, 3] = low
    return Grid((shape[0], shape[1], shape[2]), matrix)


def _on(image: Volume, grid: Grid, to_grid: Array, voxel: float) -> Floats:
    smooth = blurred_for(image, voxel)
    return np.asarray(resample(smooth, image.grid.affine, to_grid, grid.shape, grid.affine), dtype=np.float32)


def _scaled(values: Floats) -> npt.NDArray[np.float64]:
    inside = values[values > 0]
    top = float(np.percentile(inside, 99)) if inside.size else 1.0
    return np.clip(values.astype(np.float64) / top, 0, 1.5)
