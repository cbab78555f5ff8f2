r"""Weights of frames: 1/variance up to a factor that no estimate depends on.

For counts that are decay-corrected to injection, the variance of frame :math:`i` is
:math:`\sigma^2\, C_i\, e^{\lambda t_i} / d_i` with activity :math:`C_i`, mid-time :math:`t_i`, duration :math:`d_i` and
decay constant :math:`\lambda` (Poisson counting; see e.g. Logan et al. 2001, J Cereb Blood Flow Metab 21:307).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from raphe.core.decay import remaining
from raphe.core.frames import Frames

Array = npt.NDArray[np.float64]

ACTIVITY_FLOOR = 0.05
"""Activity, as a share of the curve's highest, below which :func:`decay` takes the counts of a frame as this share.

An assumption: frames before the tracer arrives hold randoms and scatter, so their variance is not zero, and where the
tracer arrives a few seconds later in one region than in another no model holds for them.
"""

FORMULAS: Mapping[str, str] = {
    "decay": "1/variance of decay-corrected counts, duration x remaining share of the nuclide / activity, with the "
    "activity that a first fit predicts",
    "duration": "in proportion to the duration of the frame",
    "uniform": "equal",
    "given": "given as 1/variance",
}
"""What each way of weighting is, in words, by its name."""


def uniform(frames: Frames) -> Array:
    """Every frame alike: ones, shape (n_frame,)."""
    return np.ones(len(frames))


def duration(frames: Frames) -> Array:
    """Weights in proportion to the length of the frame, shape (n_frame,), min."""
    return frames.duration.copy()


def decay(frames: Frames, half_life: float, activity: Array | float = 1.0) -> Array:
    """Weights of decay-corrected counts: duration x remaining share of the nuclide / activity.

    Parameters
    ----------
    frames : Frames
    half_life : float, min
    activity : ndarray, shape (..., n_frame), or float
        Activity that is expected in each frame, kBq/mL; values under :data:`ACTIVITY_FLOOR` of the highest are raised
        to it. A number stands for the same activity in every frame.

    Returns
    -------
    ndarray, shape (..., n_frame)
    """
    share = frames.duration * remaining(frames, half_life)
    if np.ndim(activity) == 0:
        return share
    expected = np.asarray(activity, dtype=float)
    highest = expected.max(axis=-1, keepdims=True)
    return np.asarray(share / np.maximum(expected / highest, ACTIVITY_FLOOR))


def scaled(weights: Array, rows: npt.NDArray[np.intp]) -> Array:
    """Weights with mean 1 over the frames that are fitted.

    Parameters
    ----------
    weights : ndarray, shape (..., n_frame)
    rows : ndarray of int, shape (n_row,)
        Frames that are fitted.

    Returns
    -------
    ndarray, shape (..., n_frame)
    """
    return np.asarray(weights / weights[..., rows].mean(axis=-1, keepdims=True))
