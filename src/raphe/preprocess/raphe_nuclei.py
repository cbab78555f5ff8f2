"""The dorsal raphe, which no MRI shows, where the tracer shows it: the shape of the atlas, displaced.

Around the midbrain the late mean image is taken for a sum of regions, each blurred and with an activity of its own, and
one of them the raphe. Displacements of the raphe on a lattice are weighed by how well the sum then fits, and by how far
they are from the atlas; their mean is taken. An image that tells too little leaves the raphe where the atlas has it.
Shape and volume stay: what is searched for are three numbers, where the brightest voxels would be as many as there are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from raphe.core.box import Box, box_of
from raphe.data.image import Grid
from raphe.data.record import Step
from raphe.data.volume import Labels, Volume
from raphe.nomenclature import region_key
from raphe.preprocess.extract import region_shares
from raphe.preprocess.pvc.blur import FWHM_TO_SIGMA, blur_of

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Width = tuple[float, float, float]

NAME, AROUND = "dorsal raphe", "midbrain"

SPREAD = 0.018
"""Standard deviation, along each axis, of the raphe's place around that of the atlas, over the brain's edge.

2 mm in people, for errors of the registrations and differences between heads. An assumption.
"""

FARTHEST = 3.0
"""Displacements are tried up to so many of these standard deviations."""

STEPS = 6
"""Displacements along an axis, from 0 to the farthest."""

WINDOW = 0.07
"""Distance from the raphe up to which the image is looked at, over the brain's edge: 8 mm in people.

Further away, what the atlas's regions are wrong by is taken for the raphe (tried with 6 to 16 mm on simulated scans).
"""

FINER = 2
"""Voxels along each edge of one of the PET's on which the raphe is blurred before it is displaced."""

SOFT = 0.7
"""Standard deviation of the blur of the drawn shape, in voxels, by which it is displaced by parts of a voxel."""

BLIND = 0.9
"""Uncertainty that is left, over that of the atlas alone, from which the raphe stays where the atlas has it."""

FAR = 2.0
"""Displacement, in standard deviations of the atlas, from which a person should look."""


@dataclass(frozen=True, eq=False)
class Displacement:
    """Where the raphe is, against the atlas.

    Parameters
    ----------
    mean, sd : ndarray, shape (3,), mm
        Along the axes of the PET's space; mean and standard deviation of the posterior.
    contrast : float
        Activity at that place above that of the regions around it, over the median near it; 0 or more.
    """

    mean: Array
    sd: Array
    contrast: float


def raphe_on_pet(
    pet: Volume, labels: Labels, to_pet: Array, size: float, fwhm: Width
) -> tuple[Labels, Step, tuple[str, ...]]:
    """Labels with the dorsal raphe where the PET and the atlas together have it.

    Parameters
    ----------
    pet : Volume
        Late mean image of a tracer that binds more in the raphe than around it.
    labels : Labels
        Regions of a head, tissue among them.
    to_pet : ndarray, shape (4, 4), mm to mm
        From the space of the labels to that of the PET; rigid.
    size : float, mm
        Edge of the brain.
    fwhm : tuple of float, length 3, mm
        Resolution of the PET along its axes.

    Returns
    -------
    Labels
        As they were given where they have no dorsal raphe.
    Step
    tuple of str
        Doubts.
    """
    own = _raphe_of(labels)
    if not own.any():
        return labels, Step("raphe_region", {"found": False}), ()
    found = displacement(pet, labels, to_pet, size, fwhm)
    usual = SPREAD * size
    left = float(np.sqrt((found.sd**2).mean()))
    blind = left > BLIND * usual
    shift = np.zeros(3) if blind else np.linalg.inv(to_pet[:3, :3]) @ found.mean
    distance = float(np.linalg.norm(shift))
    doubts = []
    if blind:
        doubts.append(f"the PET does not tell where the {NAME} is, so it stays where the atlas has it")
    if distance > FAR * usual:
        doubts.append(
            f"the PET shows the {NAME} {distance:.1f} mm from where the atlas has it: look at both, and at the "
            'registration; raphe = "atlas" in [preprocess] takes the atlas alone'
        )
    step = Step(
        "raphe_region",
        {
            "found": True, "shift": distance, "left": left, "usual": usual, "contrast": found.contrast,
            "doubts": tuple(doubts),
        },
        ("beliveau2015",),
    )  # fmt: skip
    return labels if blind else _displaced(labels, shift), step, tuple(doubts)


def displacement(pet: Volume, labels: Labels, to_pet: Array, size: float, fwhm: Width) -> Displacement:
    r"""Posterior of the displacement of the raphe.

    With the residual sum of squares S(d) of the least-squares fit of all regions, the raphe displaced by d and not
    darker than what is around it, the noise unknown and n independent values among the voxels, the weight of d is
    :math:`S(d)^{-n/2} \exp(-|d|^2 / 2 s^2)`. n is the volume that is looked at over that of noise as wide as the
    resolution (a Gaussian autocorrelation), an assumption.

    Parameters are those of :func:`raphe_on_pet`; the labels must have a dorsal raphe.
    """
    own = _raphe_of(labels)
    index = np.argwhere(own).mean(axis=0)
    centre = _at(to_pet, _at(labels.grid.affine, index))
    box, part = _around(pet.grid, centre, WINDOW * size, fwhm)
    places = _at(box.affine, np.argwhere(np.ones(box.shape, dtype=bool)))
    near = np.linalg.norm(places - centre, axis=1) <= WINDOW * size
    seen = np.nan_to_num(pet.values[part].reshape(-1)[near].astype(np.float64))
    basis = np.linalg.qr(_surroundings(labels, own, box, to_pet, fwhm)[near])[0]
    tried = _lattice(SPREAD * size)
    shapes = _shapes(Labels(labels.grid, own.astype(np.int32), {1: NAME}), box, to_pet, fwhm, places[near], tried)
    left = seen - basis @ (basis.T @ seen)
    alone = shapes - (shapes @ basis) @ basis.T
    power = np.maximum((alone**2).sum(axis=1), 1e-12)
    height = np.maximum(alone @ left / power, 0.0)
    squares = np.maximum(left @ left - height**2 * power, 1e-30)
    log = -_independent(int(near.sum()), box, fwhm) / 2 * np.log(squares)
    log -= (tried**2).sum(axis=1) / (2 * (SPREAD * size) ** 2)
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    mean = weight @ tried
    there = int(np.argmin(np.linalg.norm(tried - mean, axis=1)))
    usual = max(float(np.median(seen)), 1e-12)
    return Displacement(mean, np.sqrt(weight @ (tried - mean) ** 2), float(height[there]) / usual)


def _raphe_of(labels: Labels) -> Flags:
    return np.isin(labels.values, [number for number, name in labels.names.items() if region_key(name)[0] == NAME])


def _at(affine: npt.NDArray[np.floating], points: npt.ArrayLike) -> Array:
    return np.asarray(np.asarray(points, dtype=np.float64) @ affine[:3, :3].T + affine[:3, 3])


def _around(grid: Grid, centre: Array, radius: float, fwhm: Width) -> tuple[Grid, Box]:
    """Part of a grid around a place, with what blurs into it."""
    middle = _at(np.linalg.inv(grid.affine), centre)
    reach = (radius + 2 * np.array(fwhm)) / np.array(grid.zooms)
    low = np.clip(np.floor(middle - reach).astype(int), 0, np.array(grid.shape) - 1)
    high = np.clip(np.ceil(middle + reach).astype(int) + 1, low + 1, grid.shape)
    x, y, z = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    affine = grid.affine.copy()
    affine[:3, 3] = _at(grid.affine, low)
    nx, ny, nz = (high - low).tolist()
    return Grid((nx, ny, nz), affine), (x, y, z)


def _surroundings(labels: Labels, own: Flags, box: Grid, to_pet: Array, fwhm: Width) -> Array:
    """Blurred regions without the raphe, whose place the nearest others take; (n_voxel, n_region)."""
    part = box_of(own, 3)
    nearest = ndimage.distance_transform_edt(
        own[part], sampling=labels.grid.zooms, return_distances=False, return_indices=True
    )
    values = labels.values.copy()
    values[part] = labels.values[part][tuple(nearest)]
    shares, _ = region_shares(Labels(labels.grid, values, labels.names), box, to_pet)
    blur = blur_of(box, fwhm)
    rows = [blur(row.reshape(box.shape)).reshape(-1) for row in shares.shares.toarray() if row.any()]
    return np.array(rows, dtype=np.float64).T


def _lattice(spread: float) -> Array:
    """Displacements that are tried, mm, shape (n, 3)."""
    line = np.linspace(-FARTHEST, FARTHEST, 2 * STEPS + 1)
    every = np.stack(np.meshgrid(line, line, line, indexing="ij"), axis=-1).reshape(-1, 3)
    return np.asarray(spread * every[(every**2).sum(axis=1) <= FARTHEST**2 + 1e-9])


def _shapes(raphe: Labels, box: Grid, to_pet: Array, fwhm: Width, places: Array, tried: Array) -> Array:
    """Blurred raphe at some places after each displacement, shape (n_displacement, n_place)."""
    affine = box.affine.copy()
    affine[:3, :3] /= FINER
    affine[:3, 3] -= box.affine[:3, :3] @ np.full(3, 0.5 - 0.5 / FINER)
    nx, ny, nz = box.shape
    fine = Grid((FINER * nx, FINER * ny, FINER * nz), affine)
    shares, _ = region_shares(raphe, fine, to_pet)
    blurred = blur_of(fine, fwhm)(shares.shares.toarray().reshape(fine.shape))
    back = np.linalg.inv(affine)
    return np.array([ndimage.map_coordinates(blurred, _at(back, places - one).T, order=1) for one in tried])


def _independent(n_voxel: int, box: Grid, fwhm: Width) -> float:
    """How many independent values there are among the voxels."""
    alike = float(np.prod(np.sqrt(4 * np.pi) * FWHM_TO_SIGMA * np.array(fwhm)))
    return n_voxel * min(1.0, float(np.prod(box.zooms)) / alike)


def _displaced(labels: Labels, shift: Array) -> Labels:
    """Labels with the raphe elsewhere, as many voxels of it; ``shift`` in mm of their own space."""
    own = _raphe_of(labels)
    steps = np.linalg.inv(labels.grid.affine[:3, :3]) @ shift
    part = box_of(own, 4 + int(np.ceil(np.abs(steps).max())))
    inside, values = own[part], labels.values[part]
    zooms = labels.grid.zooms
    outer = ndimage.distance_transform_edt(inside, sampling=zooms, return_distances=False, return_indices=True)
    inner = ndimage.distance_transform_edt(~inside, sampling=zooms, return_distances=False, return_indices=True)
    soft = ndimage.gaussian_filter(inside.astype(np.float64), SOFT)
    there = ndimage.shift(soft, steps, order=3).reshape(-1)
    kept = np.zeros(there.size, dtype=bool)
    kept[np.argsort(-there, kind="stable")[: int(inside.sum())]] = True
    side = ndimage.shift(values[tuple(inner)], steps, order=0, mode="nearest")
    whole = labels.values.copy()
    whole[part] = np.where(kept.reshape(inside.shape), side, values[tuple(outer)])
    return Labels(labels.grid, whole, labels.names)
