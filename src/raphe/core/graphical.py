"""Graphical analysis: plots whose late points lie on a line, with the error that each frame carries into its slope."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from raphe.core.integrals import RunningSum
from raphe.core.multilinear import Coefficients, on_curve, on_fixed

Array = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Plot:
    """Line through the points of each curve.

    Parameters
    ----------
    slope, intercept, slope_se : ndarray, shape (n_curve,)
        NaN of a curve without a line; the error also where it was not asked for.
    fitted : ndarray, shape (n_curve, n_row), kBq/mL
        Activity that would put every point on the line; of no curve where it was not asked for.
    wrss : ndarray, shape (n_curve,)
        Weighted sum of squared distances; likewise.
    divisible : ndarray of bool, shape (n_curve,)
        False where the plot would divide by a frame without activity; nothing of such a curve is to be used.
    singular : ndarray of bool, shape (n_curve,)
    activity : ndarray, shape (n_curve, n_frame), kBq/mL
    rows : ndarray of int, shape (n_row,)
        Frames that are fitted.
    delivered : ndarray, shape (n_row,), kBq/mL min
    steep : bool
        Whether the ordinate is the curve's integral over the curve; else it is the curve over the input.
    """

    slope: Array
    intercept: Array
    slope_se: Array
    fitted: Array
    wrss: Array
    divisible: npt.NDArray[np.bool_]
    singular: npt.NDArray[np.bool_]
    activity: Array
    rows: Numbers
    delivered: Array
    steep: bool

    @property
    def good(self) -> npt.NDArray[np.bool_]:
        """Whether a curve has a line, shape (n_curve,)."""
        return np.asarray(self.divisible & ~self.singular)

    @property
    def deviation(self) -> Array:
        """Distance of each point from the line along the ordinate, as a share of the line's value there.

        Returns
        -------
        ndarray, shape (n_curve, n_row)
        """
        curves, below = self.activity[:, self.rows], self.intercept[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.steep:
                line = self.slope[:, None] * self.delivered + below * curves  # times the curve
                return np.asarray(below * (self.fitted - curves) / line)
            return np.asarray((curves - self.fitted) / self.fitted)


def logan_plot(
    activity: Array, delivered: Array, integral: RunningSum, rows: Numbers, weights: Array, *, errors: bool = True,
    fitted: bool = True,
) -> Plot:  # fmt: skip
    r"""Line :math:`\int C / C = a D / C + b` of Logan et al. (1990), with D what was delivered until then.

    The curve stands on both sides, so the standard error carries the noise of every frame through both.

    Parameters
    ----------
    activity : ndarray, shape (n_curve, n_frame), kBq/mL
    delivered : ndarray, shape (n_row,), kBq/mL min
        Integral of the input at the fitted frames, or what stands for it.
    integral : RunningSum
        Map from the values of the frames to the curve's integral.
    rows : ndarray of int, shape (n_row,)
        Frames that are fitted.
    weights : ndarray, shape (n_curve, n_frame)
        1/variance of the frames up to a factor; applied to the points of the plot.
    errors : bool
        Whether the standard error is wanted.
    fitted : bool
        Whether the activity on the line is.
    """
    found = on_curve(activity, delivered, integral, rows, weights, errors=errors, fitted=fitted)
    return _plot(found, activity, rows, delivered, steep=True)


def patlak_plot(
    activity: Array, delivered: Array, divisor: Array, rows: Numbers, weights: Array, *, errors: bool = True,
    fitted: bool = True,
) -> Plot:  # fmt: skip
    r"""Line :math:`C / D = a \int D / D + b` of Patlak et al. (1983), with D the input.

    The curve stands on one side alone: the points are as independent as the frames, and the standard error holds
    whether or not the weights are the true 1/variance.

    Parameters
    ----------
    activity, rows, weights, errors, fitted
        As for :func:`logan_plot`.
    delivered : ndarray, shape (n_row,), kBq/mL min
        Integral of the input at the fitted frames.
    divisor : ndarray, shape (n_row,), kBq/mL
        The input at the fitted frames.
    """
    found = on_fixed(activity, (delivered, divisor), divisor, rows, weights, errors=errors, fitted=fitted)
    return _plot(found, activity, rows, delivered, steep=False)


def _plot(found: Coefficients, activity: Array, rows: Numbers, delivered: Array, *, steep: bool) -> Plot:
    slope, intercept = found.theta
    return Plot(
        slope, intercept, found.se(1, 0), found.fitted, found.wrss, found.divisible, found.singular, activity, rows,
        delivered, steep,
    )  # fmt: skip
