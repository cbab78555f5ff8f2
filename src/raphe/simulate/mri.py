"""The T1-weighted image of a head."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from raphe.data.image import Grid
from raphe.simulate.anatomy import AIR, Anatomy
from raphe.simulate.motion import Motion
from raphe.simulate.tissues import tissues

Array = npt.NDArray[np.float64]

NOISE = 0.02
"""Noise of each of the two channels, as a share of the signal of white matter; an assumption."""

BIAS = 0.08
"""Standard deviation of each of the terms of the logarithm of the receiver's field; an assumption."""

WHITE_SIGNAL = 1000.0
"""Signal of white matter in the numbers of the image."""

MARGIN = 12.0
"""Air around the head, mm, as far as it may lie off the centre."""

FINER = 2
"""Points along each edge of a voxel at which the anatomy is looked up."""


def mri_grid(anatomy: Anatomy, size: float) -> Grid:
    """Grid of an image that holds the head, its centre at 0."""
    extent = np.abs(anatomy.grid.affine[:3, :3]) @ np.array(anatomy.grid.shape) + 2 * MARGIN
    n = [2 * int(np.ceil(edge / 2 / size)) for edge in extent]
    affine = np.diag([size, size, size, 1.0])
    affine[:3, 3] = [-(count - 1) / 2 * size for count in n]
    return Grid((n[0], n[1], n[2]), affine)


def t1_image(anatomy: Anatomy, grid: Grid, pose: Motion, random: np.random.Generator) -> Array:
    """Signal in each voxel: tissue, a smooth field of the receiver, and noise of a magnitude image (Rice).

    Parameters
    ----------
    anatomy : Anatomy
    grid : Grid
        Of the image.
    pose : Motion
        Of the head; its first pose counts.
    random : Generator
    """
    from raphe.simulate.paint import painted  # numba, which is slow to import

    signal = np.array([_signal(*one) for one in zip(anatomy.names, anatomy.tissues, strict=True)])
    clean = painted(anatomy.labels, to_labels(anatomy, grid, pose), grid.shape, FINER, WHITE_SIGNAL * signal)
    clean *= np.exp(_field(grid, random))
    first, second = (NOISE * WHITE_SIGNAL * random.standard_normal(grid.shape) for _ in range(2))
    return np.asarray(np.sqrt((clean + first) ** 2 + second**2))


def _signal(name: str, tissue: str) -> float:
    if tissue == AIR:
        return 0.0
    known = tissues()[tissue]
    return known.T1_regions.get(name, known.T1).value


def labels_on(anatomy: Anatomy, grid: Grid, pose: Motion) -> npt.NDArray[np.uint8]:
    """Parcel at the centre of each voxel of an image."""
    from raphe.simulate.paint import relabelled  # numba, which is slow to import

    return np.asarray(relabelled(anatomy.labels, to_labels(anatomy, grid, pose), grid.shape))


def to_labels(anatomy: Anatomy, grid: Grid, pose: Motion) -> Array:
    """Matrix, (3, 4), from indices of an image's voxels to indices of the labels."""
    to_head = np.linalg.inv(anatomy.grid.affine) @ np.linalg.inv(pose.matrix(pose.pose[0]))
    return np.ascontiguousarray((to_head @ grid.affine)[:3])


def _field(grid: Grid, random: np.random.Generator) -> Array:
    """Logarithm of a field that is a polynomial of the second order of the place."""
    x, y, z = np.meshgrid(*(np.linspace(-1, 1, n) for n in grid.shape), indexing="ij", sparse=True)
    terms = (x, y, z, x * y, y * z, x * z, x * x, y * y, z * z)
    return np.asarray(sum(BIAS * random.standard_normal() * term for term in terms))
