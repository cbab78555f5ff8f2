"""Radioactive decay."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from raphe.core.frames import Frames

Array = npt.NDArray[np.float64]


def decay_constant(half_life: float) -> float:
    """Decay constant ln 2 / half_life, 1/min, of a nuclide whose half-life is given in min."""
    return float(np.log(2.0) / half_life)


def remaining(frames: Frames, half_life: float) -> Array:
    """Share of the activity at injection that is left, averaged over each frame.

    Its inverse is the factor by which a frame's counts are multiplied to correct them to injection.

    Parameters
    ----------
    frames : Frames
    half_life : float, min

    Returns
    -------
    ndarray, shape (n_frame,), unitless, in (0, 1] for frames after injection
    """
    rate = decay_constant(half_life)
    x = rate * frames.duration
    return np.asarray(np.exp(-rate * frames.start) * -np.expm1(-x) / x)
