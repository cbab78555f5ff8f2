"""Weights of frames for the curves of a scan: by name, as given, or as a first fit tells them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from raphe.core import weights as weighting
from raphe.core.bounded import plain
from raphe.core.frames import Frames
from raphe.core.weights import is_shared
from raphe.errors import InputError
from raphe.kinetics.protocol import Problem, Solution

Array = npt.NDArray[np.float64]

WEIGHTS = ("decay", "duration", "uniform", "residual")
"""Named weights; see :mod:`raphe.core.weights`."""

WEIGHT_DIGITS = 12
"""Powers of ten by which weights may differ: beyond, no digits are left to compute with."""


def first_weights(weights: str | Array, frames: Frames, n_curve: int, half_life: float | None) -> tuple[Array, str]:
    """Weights to begin with, shape (n_curve, n_frame), and what to call them.

    Parameters
    ----------
    weights : str or ndarray of shape (n_frame,) or (n_curve, n_frame)
        One of :data:`WEIGHTS`, or relative 1/variance.
    frames : Frames
    n_curve : int
    half_life : float, min, or None

    Raises
    ------
    InputError
        If the name is unknown, the half-life is needed and not known, or the weights do not fit the curves.
    """
    shape = (n_curve, len(frames))
    if isinstance(weights, str):
        if weights not in WEIGHTS:
            raise InputError(f"unknown weights {weights!r}; there are {', '.join(WEIGHTS)}, or a file or array")
        if weights == "uniform":
            return np.broadcast_to(weighting.uniform(frames), shape), weights
        if weights == "duration" or (weights == "residual" and half_life is None):
            return np.broadcast_to(weighting.duration(frames), shape), weights
        if half_life is None:
            raise InputError(
                "weights 'decay' need the half-life of the radionuclide; give it (--half-life MIN, or "
                "TracerRadionuclide in the PET sidecar) or choose other weights"
            )
        if not (np.isfinite(half_life) and half_life > 0):
            raise InputError(f"the half-life is {half_life:g} min; weights 'decay' need a positive one")
        return np.broadcast_to(weighting.decay(frames, half_life), shape), weights
    array = np.asarray(weights, dtype=float)
    if array.shape not in ((shape[1],), shape):
        raise InputError(
            f"the weights have shape {array.shape}, but there are {shape[1]} frames and {shape[0]} curves to fit; give "
            "one weight a frame, or a row of them for each curve"
        )
    if not np.isfinite(array).all() or (array < 0).any():
        frame = int(np.flatnonzero(~(np.isfinite(array) & (array >= 0)).reshape(-1, shape[1]).all(axis=0))[0])
        raise InputError(f"the weight of frame {frame + 1} is negative or not finite; weights are 1/variance")
    counted = array[array > 0]
    if counted.size and np.ptp(np.log10(counted)) > WEIGHT_DIGITS:
        raise InputError(
            f"the weights reach from {counted.min():g} to {counted.max():g}, too far apart to compute with; give 0 to "
            "frames that are not to count"
        )
    return np.broadcast_to(array, shape), "given"


def expected_weights(problem: Problem, first: Solution, half_life: float | None) -> Array:
    """Decay weights with the activity that a first fit predicts; a curve that it did not fit keeps its own.

    Returns
    -------
    ndarray, shape (n_curve, n_frame)
        In the order in memory of the activity, in which a whole image has frame after frame.
    """
    from raphe.core.count_weights import decay_weights  # numba, which is slow to import

    assert half_life is not None
    activity = problem.activity
    at = np.full(activity.shape[1], -1)
    at[first.rows] = np.arange(first.rows.size)
    prior = problem.weights[:1] if is_shared(problem.weights) else problem.weights
    share = weighting.decay(problem.sampling.frames, half_life)
    weights = np.empty(activity.shape[::-1])
    by_frame, fitted, prior = (plain(each.T) for each in (activity, first.fitted, prior))
    decay_weights(by_frame, fitted, at, prior, share, weighting.ACTIVITY_FLOOR, weights)
    return weights.T if activity.flags.f_contiguous else np.ascontiguousarray(weights.T)


def taken_over(problem: Problem, shared: Array) -> Array:
    """Weights that another fit found, where it has any, and the problem's own for the other curves."""
    known = np.isfinite(shared).all(axis=-1) & (shared[:, problem.rows] > 0).all(axis=-1)
    weights = np.array(problem.weights)
    weights[known] = shared[known]
    return weights
