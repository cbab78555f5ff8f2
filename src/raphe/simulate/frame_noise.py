"""How much curves jump from frame to frame, whatever model they follow: one estimator for real and simulated curves."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from raphe.core import weights
from raphe.core.frames import Frames
from raphe.data.tacs import TACs
from raphe.simulate.curves import NOISE_VOLUME

Array = npt.NDArray[np.float64]

ORDER = 3
"""Order of the differences. They vanish where four frames lie on a parabola, so that what is left is not the curve."""


def frame_to_frame(tacs: TACs, half_life: float) -> tuple[Array, Array]:
    r"""Noise level of each curve around each four neighbouring frames.

    The third divided difference of activity over the middles of the frames, divided by the standard deviation that it
    would have if that of a frame were :math:`\sqrt{C_i / (d_i r_i)}`, with activity C, duration d and share r of the
    nuclide that is left. Its mean square is that of the factor alpha of :func:`raphe.simulate.curves.noise_sd`, if
    frames vary independently and the curve is smooth; it takes no model of the tracer. Deviations that last for several
    frames are not seen, and in the first two minutes the curve itself is not smooth enough.

    Parameters
    ----------
    tacs : TACs
    half_life : float, min

    Returns
    -------
    time : ndarray, shape (n_frame - 3,), min
        Mean middle of the four frames.
    level : ndarray, shape (n_curve, n_frame - 3), sqrt(kBq/mL min)
        With a sign; NaN where a frame has no activity.
    """
    middle, left = tacs.frames.mid, weights.decay(tacs.frames, half_life)
    starts = range(len(tacs.frames) - ORDER)
    time = np.array([middle[start : start + ORDER + 1].mean() for start in starts])
    level = np.full((len(tacs.names), time.size), np.nan)
    for start in starts:
        four = slice(start, start + ORDER + 1)
        factor = _divided(middle[four])
        activity = tacs.activity[:, four]
        seen = (activity > 0).all(axis=1)
        sd = np.sqrt((activity[seen] / left[four]) @ factor**2)
        level[seen, start] = activity[seen] @ factor / sd
    return time, level


def noise_percent(level: Array, frames: Frames, half_life: float, peak: float, volume: Array) -> Array:
    """Noise of a scan as a plan states it, per cent.

    Parameters
    ----------
    level : ndarray, shape (n_curve, ...), sqrt(kBq/mL min)
        Factors alpha of curves, as :func:`frame_to_frame` gives them.
    frames : Frames
    half_life : float, min
    peak : float, kBq/mL
        Activity of the reference in its highest frame.
    volume : ndarray, shape (n_curve,), mm3

    Returns
    -------
    ndarray, shape of ``level``
        What :func:`raphe.simulate.curves.noise_level` takes, as far as noise goes with one over the root of the volume.
    """
    last = weights.decay(frames, half_life)[-1]
    size = np.sqrt(volume / NOISE_VOLUME).reshape(-1, *(1,) * (level.ndim - 1))
    return np.asarray(100 * level * size / np.sqrt(peak * last))


def _divided(middle: Array) -> Array:
    """Factors of the divided difference over some times."""
    return np.array([1 / np.prod([own - other for other in middle if other != own]) for own in middle])
