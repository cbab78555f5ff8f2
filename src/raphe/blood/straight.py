"""Curves that are drawn through samples by straight lines, without a fit."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from raphe.blood.protocol import Solution
from raphe.core.piecewise import PiecewiseLinear
from raphe.data.blood import Samples

Array = npt.NDArray[np.float64]


def from_zero(samples: Samples) -> PiecewiseLinear:
    """Activity as straight lines between samples, from 0 at injection to the first, held after the last.

    As kinfitr and bloodstream draw it. Where the first sample was taken at or before injection, the curve begins there.
    """
    if samples.time[0] > 0:
        return PiecewiseLinear(np.append(0.0, samples.time), np.append(0.0, samples.value))
    return PiecewiseLinear(samples.time, samples.value)


def drawn_through(curve: PiecewiseLinear, at: Array, measured: Array) -> Solution:
    """Solution of a model that draws ``curve`` and has no free parameters that could be told from samples.

    Parameters
    ----------
    curve : PiecewiseLinear
    at : ndarray, shape (n_sample,), min
    measured : ndarray, shape (n_sample,)
    """
    fitted = curve(at)
    nothing = np.empty(0)
    wrss = float(((measured - fitted) ** 2).sum())
    return Solution(nothing, np.empty((0, 0)), fitted, wrss, float(at.size), 0, curve, curve.time)
