"""Parametric maps with less noise: every voxel averaged with neighbours that are the same but for their errors."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from raphe.core.adaptive_weights import regularised
from raphe.errors import InputError
from raphe.kinetics.voxelwise import VoxelFit
from raphe.quality import Quality, usable

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

LOGARITHM_OF: dict[str, float] = {
    "BP_ND": 1.0,
    **dict.fromkeys(("R1", "k2", "k2_prime", "k2a", "K1", "k3", "k4", "V_T", "V_ND", "SUVR"), 0.0),
}
"""Parameters that are averaged as the logarithm of their value plus this, on which scale errors are nearly normal and
of one size: log(1 + BP_ND) is that of the ratio of two clearances. All others, which may be negative, as they are."""


def regularise(
    fit: VoxelFit,
    mask: Flags,
    voxel: tuple[float, float, float],
    *,
    reach: float | None = None,
    workers: int = 1,
) -> VoxelFit:
    """Maps averaged over neighbours that do not differ by more than noise, each parameter by itself.

    See :func:`raphe.core.adaptive_weights.regularised`. As parameters are averaged one by one, they fulfil the model's
    equations (BP_ND = k2 / k2a - 1) only up to noise.

    Parameters
    ----------
    fit : VoxelFit
        Voxels of the mask, in the order of ``numpy.flatnonzero(mask)``.
    mask : ndarray of bool, shape (x, y, z)
    voxel : tuple of float, mm
        Size of a voxel along each axis.
    reach : float, mm, optional
        Longest distance of voxels that are averaged; about three voxels by default.
    workers : int
        Threads; digits do not depend on them.

    Returns
    -------
    VoxelFit
        With the standard errors of the means and the quality of the voxels as it was. A voxel that is not usable takes
        no part; where it had been fitted at all (not ``bad_input``), it gets the value of its neighbours, and keeps its
        flags. A parameter without standard errors, such as a k2_prime that was given, stays as it is.

    Raises
    ------
    InputError
        If the mask has not as many voxels as the fit.
    """
    if int(mask.sum()) != fit.quality.size:
        raise InputError(f"the mask has {int(mask.sum())} voxels, the fit {fit.quality.size}")
    at = np.flatnonzero(mask)
    good = usable(fit.quality)
    wanted = _volume(mask.shape, at, (fit.quality & int(Quality.BAD_INPUT)) == 0)
    value, se = fit.value.copy(), fit.se.copy()
    for row, name in enumerate(fit.parameters):
        shift = LOGARITHM_OF.get(name)
        own, error = fit.value[row].astype(float), fit.se[row].astype(float)
        if shift is not None:
            positive = own + shift > 0
            base = np.where(positive, own + shift, np.nan)
            own, error = np.log(base), error / base
        part = good & np.isfinite(own) & (error > 0) & (error < np.inf)
        if not part.any():
            continue
        found = regularised(
            _volume(mask.shape, at, own), _volume(mask.shape, at, error), _volume(mask.shape, at, part),
            wanted, voxel, reach=reach, workers=workers,
        )  # fmt: skip
        own, error = found.value.ravel()[at], found.se.ravel()[at]
        if shift is not None:
            base = np.exp(own)
            own, error = base - shift, error * base
        value[row], se[row] = own, error
    return dataclasses.replace(fit, value=value, se=se)


def _volume(shape: tuple[int, ...], at: npt.NDArray[np.intp], values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Values on the grid of the mask; 0, or False, outside."""
    volume = np.zeros(int(np.prod(shape)), dtype=values.dtype)
    volume[at] = values
    return volume.reshape(shape)
