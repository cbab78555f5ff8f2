"""The line of a graphical plot as a model's solution, and what its intercept says of the tissue."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from raphe.core.graphical import Plot
from raphe.kinetics.protocol import Solution
from raphe.quality import Quality

Array = npt.NDArray[np.float64]

CLEAR_OF_ZERO = 2.0
"""Standard errors by which a quantity that cannot be negative has to fall short of zero before it is implausible."""


def line_solution(
    plot: Plot,
    value: Array,
    fitted: Array,
    quality: npt.NDArray[np.int64] | int = 0,
) -> Solution:
    """Solution whose one parameter is the slope of a plot, up to a constant.

    Parameters
    ----------
    plot : Plot
    value : ndarray, shape (n_curve,)
        The parameter, made of the slope.
    fitted : ndarray, shape (n_curve, n_row), kBq/mL
    quality : ndarray of int, shape (n_curve,)
        Flags to be added.
    """
    flags = np.where(plot.divisible, 0, Quality.BAD_INPUT) | np.where(plot.singular, Quality.SINGULAR, 0) | quality
    return Solution(
        value[:, None], plot.slope_se[:, None], fitted, plot.wrss, plot.rows, np.asarray(flags, dtype=np.int64)
    )  # fmt: skip


def reversibility_quality(time_constant: Array, scan_end: float) -> npt.NDArray[np.int64]:
    """Flags of the time in which a tissue comes to equilibrium, as the regression on its own integral has it.

    Parameters
    ----------
    time_constant : ndarray, shape (n_curve,), min
        Minus the intercept of a Logan plot. No tissue has one that is not positive; one that is longer than the scan
        leaves the estimate to extrapolation. NaN where there is none, which has no flag.
    scan_end : float, min

    Returns
    -------
    ndarray of int, shape (n_curve,)
    """
    return np.asarray(
        np.where(time_constant <= 0, Quality.IMPLAUSIBLE, 0) | np.where(time_constant > scan_end, Quality.SLOW, 0),
        dtype=np.int64,
    )


def influx_quality(plot: Plot) -> npt.NDArray[np.int64]:
    """Flags of a Patlak slope, shape (n_curve,): one that is clearly negative is of no tissue that traps tracer."""
    negative = plot.good & (plot.slope < -CLEAR_OF_ZERO * plot.slope_se)
    return np.where(negative, Quality.IMPLAUSIBLE, 0).astype(np.int64)
