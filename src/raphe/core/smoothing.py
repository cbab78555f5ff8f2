"""Less noise in images before a fit: a Gaussian that stays inside a mask, and HYPR-LR.

Both take one volume at a time, so that a dynamic image can stream through them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from raphe.errors import InputError

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.floating]

FWHM = float(2 * np.sqrt(2 * np.log(2)))
"""Full width at half maximum of a Gaussian, in its standard deviations."""

LEAST_COMPOSITE = 0.01
"""Smoothed composite, as a share of its mean inside the mask, up to which HYPR-LR does not divide by it."""


@dataclass(frozen=True, eq=False)
class Kernel:
    """A Gaussian inside a mask.

    Parameters
    ----------
    mask : ndarray of bool, shape (x, y, z)
    sigma : tuple of float
        Standard deviation along each axis, voxels.
    share : ndarray, shape (x, y, z)
        What of the Gaussian about each voxel lies inside the mask.
    """

    mask: Flags
    sigma: tuple[float, ...]
    share: Array


def kernel(mask: Flags, fwhm: float, voxel: tuple[float, float, float]) -> Kernel:
    """Gaussian of a width inside a mask, prepared once for all volumes.

    Parameters
    ----------
    mask : ndarray of bool, shape (x, y, z)
    fwhm : float, mm
    voxel : tuple of float, mm
        Size of a voxel along each axis: the zooms of the image's affine.

    Raises
    ------
    InputError
        If the width or a size is not positive and finite, or the mask is empty or not of three dimensions.
    """
    if not 0 < fwhm < np.inf:
        raise InputError(f"the width of the smoothing kernel is {fwhm:g} mm; give a positive number")
    if len(voxel) != 3 or not all(0 < size < np.inf for size in voxel):
        raise InputError(f"a voxel has three positive sizes in mm, but these are {voxel}")
    if mask.ndim != 3 or not mask.any():
        raise InputError(f"a mask of shape {mask.shape} with {int(mask.sum())} voxels cannot hold a smoothing kernel")
    sigma = tuple(fwhm / FWHM / size for size in voxel)
    return Kernel(mask, sigma, gaussian_filter(mask.astype(float), sigma, mode="constant"))


def smoothed(volume: Floats, inside: Kernel) -> Array:
    """Mean of the volume under the Gaussian, over what of it lies inside the mask.

    Nothing from outside the mask enters, and nothing is lost to it: a constant stays constant up to the edge.

    Parameters
    ----------
    volume : ndarray, shape (x, y, z)
        A value in the mask that is not a finite number takes no part.
    inside : Kernel

    Returns
    -------
    ndarray, shape (x, y, z)
        NaN outside the mask, and where the volume is not a finite number.

    Raises
    ------
    InputError
        If the volume and the mask differ in shape.
    """
    if volume.shape != inside.mask.shape:
        raise InputError(f"the volume has shape {volume.shape}, the mask {inside.mask.shape}")
    part = inside.mask & np.isfinite(volume)
    whole = np.array_equal(part, inside.mask)
    share = inside.share if whole else gaussian_filter(part.astype(float), inside.sigma, mode="constant")
    total = gaussian_filter(np.where(part, volume, 0.0).astype(float), inside.sigma, mode="constant")
    mean: Array = np.divide(total, share, out=np.full(part.shape, np.nan), where=part)
    return mean


def composite(volumes: Iterable[Floats], duration: Floats) -> Array:
    """Mean of the frames by their duration, (x, y, z).

    Parameters
    ----------
    volumes : iterable of ndarray, shape (x, y, z)
        Frame by frame.
    duration : ndarray, shape (n_frame,), min

    Raises
    ------
    InputError
        If there is not one volume for each duration.
    """
    total: Array | None = None
    n_frame = 0
    for volume in volumes:
        if n_frame < len(duration):
            here = np.asarray(volume, dtype=float) * (duration[n_frame] / np.sum(duration))
            total = here if total is None else total + here
        n_frame += 1
    if total is None or n_frame != len(duration):
        raise InputError(f"the image has {n_frame} frames, its schedule {len(duration)}")
    return total


def hypr_gain(mean: Array, inside: Kernel) -> Array:
    """Composite over the smoothed composite, by which HYPR-LR multiplies every smoothed frame.

    Parameters
    ----------
    mean : ndarray, shape (x, y, z)
        The :func:`composite`.
    inside : Kernel

    Returns
    -------
    ndarray, shape (x, y, z)
        1 where the smoothed composite is no more than :data:`LEAST_COMPOSITE` of the mean inside the mask, or negative:
        there frames are smoothed and nothing else. NaN outside the mask.
    """
    below = smoothed(mean, inside)
    least = LEAST_COMPOSITE * abs(float(np.nanmean(below)))
    gain = np.divide(mean, below, out=np.ones(mean.shape), where=below > least)
    return np.where(np.isfinite(below), gain, np.nan)


def hypr(volume: Floats, gain: Array, inside: Kernel) -> Array:
    """One frame by HYPR-LR: the smoothed frame times the gain (Christian et al. 2010, J Nucl Med 51:1147).

    ``composite * smoothed(frame) / smoothed(composite)``: the detail of the composite, and of the frame what is coarser
    than the kernel. As smoothing is linear, the composite stays what it was.

    Parameters
    ----------
    volume : ndarray, shape (x, y, z)
    gain : ndarray, shape (x, y, z)
        Of :func:`hypr_gain`, the same for all frames.
    inside : Kernel

    Returns
    -------
    ndarray, shape (x, y, z)
        NaN outside the mask.
    """
    return smoothed(volume, inside) * gain
