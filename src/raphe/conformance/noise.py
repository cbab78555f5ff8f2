"""The noise of decay-corrected counts, as every package that takes part is to add it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

FLOOR = 0.05
"""Activity, as a share of the curve's highest, below which the counts of a frame are taken as this share."""

LATE = 10.0
"""Time, min, from which on the level of the noise is stated."""


def decay_weights(curve: Array, edges: Array, half_life: float) -> Array:
    """1/variance of the frames up to a factor: duration x remaining share of the nuclide / activity.

    Parameters
    ----------
    curve : ndarray, shape (..., n_frame), kBq/mL
        Without noise, decay-corrected to injection.
    edges : ndarray, shape (n_frame + 1,), min
        Start of the first frame and the end of every one.
    half_life : float, min

    Returns
    -------
    ndarray, shape (..., n_frame)
    """
    rate = np.log(2.0) / half_life
    counts = -np.diff(np.exp(-rate * edges)) / rate  # duration x mean remaining share
    highest = curve.max(axis=-1, keepdims=True)
    return np.asarray(counts / np.maximum(curve, FLOOR * highest))


def noise_sd(curve: Array, edges: Array, half_life: float, level: float) -> Array:
    """SD of every frame, shape (n_frame,), kBq/mL.

    In proportion to the root of the variance of :func:`decay_weights`, and such that its mean over the frames whose
    middle is after :data:`LATE` is ``level`` times the curve's mean over the same frames.
    """
    shape = 1 / np.sqrt(decay_weights(curve, edges, half_life))
    late = (edges[:-1] + edges[1:]) / 2 > LATE
    return np.asarray(level * shape * curve[late].mean() / shape[late].mean())
