"""Confidence intervals that several answers share."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import stats

from raphe.data.results import Interval

Array = npt.NDArray[np.float64]

CONFIDENCE = 0.95
"""Level of every interval that raphe prints."""

TAILS = ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)
"""Lower and upper probability of a two-sided interval."""

RESOLUTION = 1e-9
"""Spread of values, as a share of the largest of them, under which they count as equal.

An assumption: estimates are written with nine significant digits, so a smaller spread is rounding.
"""


def unknown(value: float = float("nan")) -> Interval:
    """Value to which the data give no interval."""
    return Interval(value, float("nan"), float("nan"))


def alike(values: Array, scale: Array) -> bool:
    """Whether ``values`` differ by no more than rounding of numbers as large as those in ``scale``."""
    return bool(np.ptp(values) <= RESOLUTION * np.abs(scale).max())


def of_mean(values: Array) -> Interval:
    """Mean with its t interval: mean +- t(n - 1) SD / sqrt(n).

    Parameters
    ----------
    values : ndarray, shape (n,), n >= 2
        Independent draws from one normal distribution.
    """
    mean = float(values.mean())
    half = float(stats.t.ppf(TAILS[1], values.size - 1) * values.std(ddof=1) / np.sqrt(values.size))
    return Interval(mean, mean - half, mean + half)
