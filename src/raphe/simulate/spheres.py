"""A phantom of spheres whose blur by a Gaussian is known in closed form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import erf

from raphe.data.image import Grid

Array = npt.NDArray[np.float64]

FWHM_TO_SIGMA = float(1 / np.sqrt(8 * np.log(2)))

REACH = 6.0
"""Standard deviations beyond which a blurred edge is the sharp one."""


@dataclass(frozen=True)
class Sphere:
    """A ball, or a shell around what ``without`` leaves out.

    Parameters
    ----------
    centre : tuple of float, length 3, mm
    radius : float, mm
    without : tuple of Sphere
        Spheres inside it that are no part of it.
    """

    centre: tuple[float, float, float]
    radius: float
    without: tuple[Sphere, ...] = ()


def sphere_image(sphere: Sphere, grid: Grid, fwhm: float = 0.0, samples: int = 7) -> Array:
    """Mean over each voxel of a sphere of activity 1 after the blur.

    Parameters
    ----------
    sphere : Sphere
    grid : Grid
    fwhm : float, mm
        Of the Gaussian; 0 for none.
    samples : int
        Points along each axis of a voxel over which the closed form is averaged.

    Returns
    -------
    ndarray, shape ``grid.shape``
        Without blur: the share of each voxel that is inside.
    """
    sigma = fwhm * FWHM_TO_SIGMA
    affine = grid.affine
    index = np.moveaxis(np.indices(grid.shape), 0, -1).reshape(-1, 3)
    places = index @ affine[:3, :3].T + affine[:3, 3] - np.array(sphere.centre)
    distance = np.linalg.norm(places, axis=1)
    edge = np.linalg.norm(grid.zooms) / 2 + REACH * sigma
    image = (distance < sphere.radius).astype(float)
    near = np.flatnonzero(np.abs(distance - sphere.radius) <= edge)
    line = (np.arange(samples) + 0.5) / samples - 0.5
    total = np.zeros(near.size)
    for offset in np.stack(np.meshgrid(line, line, line), axis=-1).reshape(-1, 3):
        total += blurred_sphere(np.linalg.norm(places[near] + affine[:3, :3] @ offset, axis=1), sphere.radius, sigma)
    image[near] = total / samples**3
    whole: Array = image.reshape(grid.shape)
    for hole in sphere.without:
        whole = whole - sphere_image(hole, grid, fwhm, samples)
    return np.asarray(whole)


def blurred_sphere(distance: Array, radius: float, sigma: float) -> Array:
    """Activity of a sphere of activity 1 after a Gaussian, at a distance from its centre.

    The Gaussian's integral over the sphere, whose angles are done first; what is left is elementary.

    Parameters
    ----------
    distance : ndarray, mm
    radius, sigma : float, mm
        ``sigma`` is the standard deviation along each axis; 0 for none.

    Returns
    -------
    ndarray, shape of ``distance``
    """
    if sigma == 0:
        return np.asarray((distance < radius).astype(float))
    r = np.maximum(distance, 1e-3 * sigma)
    inner, outer = (radius - r) / sigma, (radius + r) / sigma
    edges = (np.exp(-(inner**2) / 2) - np.exp(-(outer**2) / 2)) * sigma / (r * np.sqrt(2 * np.pi))
    return np.asarray((erf(inner / np.sqrt(2)) + erf(outer / np.sqrt(2))) / 2 - edges)


def head_of_spheres() -> Mapping[str, tuple[Sphere, float]]:
    """Spheres as large as nuclei in warm white matter under a shell of cortex, with the activity of each, kBq/mL.

    Fluid has none, as Mueller-Gaertner has it.
    """
    nuclei: dict[str, tuple[Sphere, float]] = {
        "putamen": (Sphere((-16.3, 4.2, 1.1), 10.0), 8.0),
        "hippocampus": (Sphere((15.4, -13.7, -4.6), 8.0), 5.0),
        "nucleus_accumbens": (Sphere((12.1, 14.8, 3.3), 5.0), 9.0),
        "fluid": (Sphere((1.7, 0.6, 20.9), 6.0), 0.0),
    }
    inside = Sphere((0.0, 0.0, 0.0), 34.0)
    white = Sphere(inside.centre, inside.radius, tuple(sphere for sphere, _ in nuclei.values()))
    cortex = Sphere(inside.centre, 39.0, (inside,))
    return {**nuclei, "white": (white, 2.0), "cortex": (cortex, 6.0)}
