"""How exact samples of blood are, relative to each other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from raphe.errors import InputError

Array = npt.NDArray[np.float64]

NAMES = ("counts", "proportional", "uniform")
"""Named weights."""

FLOOR = 0.01
"""Share of the peak below which a sample is taken to be as exact as one at it; an assumption.

Without it, a sample of background before the bolus would count as exact.
"""


def sample_weights(
    weights: str | npt.ArrayLike, time: Array, value: Array, half_life: float | None = None
) -> tuple[Array, str]:
    r"""Weights 1/variance of the samples, mean 1 over those that count, and what to call them.

    Parameters
    ----------
    weights : {"counts", "proportional", "uniform"} or array_like, shape (n_sample,)
        ``"counts"``: the variance of a decay-corrected activity C from a fixed time of counting is proportional to
        :math:`C e^{\lambda t}`. ``"proportional"``: the standard deviation is proportional to C. ``"uniform"``: all
        alike. In the first two, C is at least :data:`FLOOR` of the largest.
    time : ndarray, shape (n_sample,), min
    value : ndarray, shape (n_sample,)
    half_life : float, min, optional
        Needed for ``"counts"``.

    Raises
    ------
    InputError
    """
    if isinstance(weights, str):
        given, name = _named(weights, time, value, half_life), weights
    else:
        given, name = np.asarray(weights, dtype=float), "given"
        if given.shape != time.shape:
            raise InputError(f"there are {given.size} weights for {time.size} samples of blood; give one a sample")
        if not np.isfinite(given).all() or (given < 0).any() or not (given > 0).any():
            raise InputError("weights of blood samples are 1/variance: finite, not negative, and not all 0")
    return np.asarray(given / given[given > 0].mean()), name


def _named(name: str, time: Array, value: Array, half_life: float | None) -> Array:
    if name not in NAMES:
        raise InputError(f"unknown weights {name!r} of blood samples; there are {', '.join(NAMES)}, or an array")
    level = np.maximum(np.abs(value), FLOOR * np.abs(value).max())
    if name == "uniform":
        return np.ones_like(value)
    if name == "proportional":
        return np.asarray(level**-2.0)
    if half_life is None or not half_life > 0:
        raise InputError(
            "weights 'counts' of blood samples need the half-life of the radionuclide (min); give it, or choose "
            "weights 'proportional'"
        )
    return np.asarray(np.exp(-np.log(2) / half_life * np.maximum(time, 0.0)) / level)
