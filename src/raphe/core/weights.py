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
    "residual": "1/variance as the residuals of all curves of the scan show it: relative to decay-corrected counts (or "
    "to the duration where no half-life is known), their mean square over the curves and neighbouring frames",
    "given": "given as 1/variance",
}
"""What each way of weighting is, in words, by its name."""


def uniform(frames: Frames) -> Array:
    """Every frame alike: ones, shape (n_frame,)."""
    return np.ones(len(frames))


def duration(frames: Frames) -> Array:
    """Weights in proportion to the length of the frame, shape (n_frame,), min."""
    return frames.duration.copy()


def decay(frames: Frames, half_life: float, activity: Array | float = 1.0, *, corrected: bool = True) -> Array:
    """Weights of counts: duration x remaining share of the nuclide / activity.

    For activity that is not corrected for decay, the variance is in proportion to activity / duration, and the share of
    the nuclide is left out. Inside raphe all activity is decay-corrected to injection.

    Parameters
    ----------
    frames : Frames
    half_life : float, min
    activity : ndarray, shape (..., n_frame), or float
        Activity that is expected in each frame, kBq/mL; values under :data:`ACTIVITY_FLOOR` of the highest are raised
        to it. A number stands for the same activity in every frame.
    corrected : bool
        Whether the activity is decay-corrected to injection.

    Returns
    -------
    ndarray, shape (..., n_frame)
    """
    share = frames.duration * (remaining(frames, half_life) if corrected else 1.0)
    if np.ndim(activity) == 0:
        return share
    expected = np.asarray(activity, dtype=float)
    highest = expected.max(axis=-1, keepdims=True)
    return np.asarray(share / np.maximum(expected / highest, ACTIVITY_FLOOR))


def residual(prior: Array, residuals: Array, rows: npt.NDArray[np.intp]) -> Array:
    r"""Weights from what a first fit leaves: the prior weights over the mean square of the residuals that they weigh.

    With the residuals r of curve c in frame i and prior weights w, each curve is first brought to a mean square of 1,
    :math:`z_{ci} = w_{ci} r_{ci}^2 / \overline{w_c r_c^2}`; then :math:`v_i`, the mean of z over curves and over the
    frames within two of i, says how far the variance of a frame is from what the prior expects, and the weights are
    :math:`w_{ci} / v_i`. One set of :math:`v_i` for the scan, for what makes a frame noisy (motion, counts) is common
    to its regions; of a single curve it is a rough guess.

    Parameters
    ----------
    prior : ndarray, shape (n_curve, n_frame)
    residuals : ndarray, shape (n_curve, n_row)
        Of the frames in ``rows``; a curve that is not finite counts for nothing.
    rows : ndarray of int, shape (n_row,)

    Returns
    -------
    ndarray, shape (n_curve, n_frame)
        Frames outside of ``rows`` keep the prior.
    """
    squares = prior[:, rows] * residuals**2
    mean = squares.mean(axis=-1, keepdims=True)
    known = np.isfinite(squares).all(axis=-1) & (mean[:, 0] > 0)
    if not known.any():
        return prior.copy()
    common = (squares[known] / mean[known]).mean(axis=0)
    index = np.arange(rows.size)
    near = (np.abs(index[:, None] - index) <= SMOOTHED).astype(float)
    variance = np.maximum(common @ (near / near.sum(axis=0)), LEAST_VARIANCE)
    weights = prior.copy()
    weights[:, rows] = prior[:, rows] / variance
    return weights


SMOOTHED = 2
"""Frames on either side over which the residuals' mean square is averaged for :func:`residual`."""

LEAST_VARIANCE = 0.05
"""Lowest variance, as a share of what the prior expects, that :func:`residual` believes; an assumption."""


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
    if is_shared(weights):
        return np.broadcast_to(scaled(weights[0], rows), weights.shape)
    if weights.ndim == 2 and weights.flags.f_contiguous:  # frame after frame: every pass is over whole frames
        total = np.zeros(len(weights))
        for row in rows:
            total += weights[:, row]
        return np.asarray(weights / (total / rows.size)[:, None])
    return np.asarray(weights / weights[..., rows].mean(axis=-1, keepdims=True))


def is_shared(weights: Array) -> bool:
    """Whether weights, shape (n_curve, n_frame), are one row in memory that stands for all curves."""
    return weights.ndim == 2 and weights.strides[0] == 0 and len(weights) > 0
