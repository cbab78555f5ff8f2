"""The head of one person or animal: a common anatomy, scaled, smoothly deformed, and with its own loss of tissue."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from raphe.data.image import Grid
from raphe.simulate.anatomy import BRAIN, FLUID, Anatomy

Array = npt.NDArray[np.float64]

SPACING = 4
"""Voxels from one point of the lattice of displacements to the next."""

BLUR = 1.0
"""Standard deviation, in voxels, of the kernel by which the edge of the fluid is found between voxels."""


@dataclass(frozen=True)
class Spread:
    """How far heads of one species differ.

    Parameters
    ----------
    size : float
        Standard deviation of the logarithm of the head's size; each axis departs from that by a third of it.
    shift : float, mm
        Standard deviation of the displacement along each axis.
    smoothness : float, mm
        Standard deviation of the Gaussian kernel that makes the displacement smooth.
    atrophy : float, mm
        Standard deviation by which the fluid reaches further into the tissue, or less far.
    """

    size: float
    shift: float
    smoothness: float
    atrophy: float


def individual(anatomy: Anatomy, spread: Spread, random: np.random.Generator) -> Anatomy:
    """Draw the head of an individual.

    Parameters
    ----------
    anatomy : Anatomy
        Common to all.
    spread : Spread
    random : Generator

    Returns
    -------
    Anatomy
        On the same grid.
    """
    from raphe.simulate.paint import deformed  # numba, which is slow to import

    shared, *own = random.standard_normal(4)
    scale = np.exp(spread.size * (shared + np.array(own) / 3))
    zooms = anatomy.grid.zooms
    lattice = np.stack([_smooth(anatomy.grid, spread, zoom, random) for zoom in zooms])
    atrophy = spread.atrophy * random.standard_normal() / max(zooms)
    centre = (np.array(anatomy.labels.shape) - 1) / 2
    labels = deformed(anatomy.labels, scale, centre, lattice, float(SPACING))
    return _with_fluid(replace(anatomy, labels=labels), atrophy)


def _smooth(grid: Grid, spread: Spread, zoom: float, random: np.random.Generator) -> Array:
    """Displacement along the axis whose voxels have the edge ``zoom``, in voxels, at the points of the lattice."""
    points = [n // SPACING + 2 for n in grid.shape]
    sigma = [spread.smoothness / (edge * SPACING) for edge in grid.zooms]
    smooth = ndimage.gaussian_filter(random.standard_normal(points), sigma, mode="wrap")
    one = np.zeros(points)
    one[0, 0, 0] = 1
    share = np.sqrt((ndimage.gaussian_filter(one, sigma, mode="wrap") ** 2).sum())
    return np.asarray(smooth / share * spread.shift / zoom)


def _with_fluid(anatomy: Anatomy, reach: float) -> Anatomy:
    """Anatomy whose fluid reaches ``reach`` voxels further into the tissue; less far where that is negative.

    As many voxels change as the surface between the two and the reach ask for: those nearest to the other side.
    """
    if FLUID not in anatomy.names:
        return anatomy
    labels, fluid = anatomy.labels, anatomy.number(FLUID)
    wet = labels == fluid
    soft = np.isin(labels, [n for n, tissue in enumerate(anatomy.tissues) if tissue in BRAIN])
    faces = sum(
        np.count_nonzero(np.diff(wet.astype(np.int8), axis=axis) & (_both(wet | soft, axis))) for axis in range(3)
    )
    count = round(abs(reach) * faces)
    if count == 0:
        return anatomy
    edge = ndimage.gaussian_filter(wet.astype(np.float64), BLUR)
    side, order = (soft, -edge) if reach > 0 else (wet, edge)
    ranked = np.where(side, order, np.inf)
    count = min(count, int(np.count_nonzero(side)))
    changed = side & (ranked <= np.partition(ranked.ravel(), count - 1)[count - 1])
    if reach > 0:
        return replace(anatomy, labels=np.where(changed, np.uint8(fluid), labels))
    nearest = ndimage.distance_transform_edt(~soft, return_distances=False, return_indices=True)
    return replace(anatomy, labels=np.where(changed, labels[tuple(nearest)], labels))


def _both(flags: npt.NDArray[np.bool_], axis: int) -> npt.NDArray[np.bool_]:
    """Whether two voxels that are neighbours along an axis are both meant."""
    n = flags.shape[axis]
    return np.asarray(np.take(flags, range(n - 1), axis) & np.take(flags, range(1, n), axis))
