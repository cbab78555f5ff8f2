"""Graphical analysis: plots whose late points lie on a line, with the error that each frame carries into its slope."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from raphe.core.linear import LeastSquares, covariance, covariance_both_sides, least_squares

Array = npt.NDArray[np.float64]

LEAST_SHARE = 1e-3
"""Share of a curve's highest activity that a fitted frame must exceed where the plot divides by it."""


@dataclass(frozen=True, eq=False)
class Plot:
    """Line through the points of each curve.

    Parameters
    ----------
    slope, intercept, slope_se : ndarray, shape (n_curve,)
    fitted : ndarray, shape (n_curve, n_row), kBq/mL
        Activity that would put every point on the line.
    deviation : ndarray, shape (n_curve, n_row)
        Distance of each point from the line along the ordinate, as a share of the line's value there.
    wrss : ndarray, shape (n_curve,)
        Weighted sum of squared distances.
    divisible : ndarray of bool, shape (n_curve,)
        False where the plot would divide by a frame without activity; nothing of such a curve is to be used.
    singular : ndarray of bool, shape (n_curve,)
    """

    slope: Array
    intercept: Array
    slope_se: Array
    fitted: Array
    deviation: Array
    wrss: Array
    divisible: npt.NDArray[np.bool_]
    singular: npt.NDArray[np.bool_]

    @property
    def good(self) -> npt.NDArray[np.bool_]:
        """Whether a curve has a line, shape (n_curve,)."""
        return np.asarray(self.divisible & ~self.singular)


def logan_plot(
    activity: Array,
    delivered: Array,
    integral: Array,
    rows: npt.NDArray[np.intp],
    weights: Array,
    variance: Array,
) -> Plot:
    r"""Line :math:`\int C / C = a D / C + b` of Logan et al. (1990), with D what was delivered until then.

    The curve stands on both sides, so the standard error carries the noise of every frame through both.

    Parameters
    ----------
    activity : ndarray, shape (n_curve, n_frame), kBq/mL
    delivered : ndarray, shape (n_row,), kBq/mL min
        Integral of the input at the fitted frames, or what stands for it.
    integral : ndarray, shape (n_row, n_frame), min
        Map from the values of the frames to the integral at the fitted ones.
    rows : ndarray of int, shape (n_row,)
        Frames that are fitted.
    weights : ndarray, shape (n_curve, n_row)
        Of the fitted frames, 1/variance up to a factor; applied to the points of the plot.
    variance : ndarray, shape (n_curve, n_frame)
        Relative variance of every frame.
    """
    divisible = _above_least(activity[:, rows], activity)
    curves = np.where(divisible[:, None], activity[:, rows], 1.0)
    area = activity @ integral.T
    design = np.stack(np.broadcast_arrays(delivered / curves, np.ones_like(curves)), axis=-1)
    solved = least_squares(design, area / curves, weights)
    slope, intercept = solved.theta.T
    select = np.eye(activity.shape[-1])[rows]
    noise = (integral - intercept[:, None, None] * select) / curves[..., None]
    spread = covariance_both_sides(solved, design, weights, noise, variance)
    with np.errstate(divide="ignore", invalid="ignore"):
        fitted = (area - slope[:, None] * delivered) / intercept[:, None]
    return _plot(solved, design, spread, fitted, divisible)


def patlak_plot(curves: Array, delivered: Array, divisor: Array, weights: Array) -> Plot:
    r"""Line :math:`C / D = a \int D / D + b` of Patlak et al. (1983), with D the input.

    The curve stands on one side alone: the points are as independent as the frames, and the standard error holds
    whether or not the weights are the true 1/variance.

    Parameters
    ----------
    curves : ndarray, shape (n_curve, n_row), kBq/mL
        At the fitted frames.
    delivered : ndarray, shape (n_row,), kBq/mL min
        Integral of the input at the fitted frames.
    divisor : ndarray, shape (n_row,), kBq/mL
        The input at the fitted frames.
    weights : ndarray, shape (n_curve, n_row)
        Of the fitted frames, 1/variance up to a factor; applied to the points of the plot.
    """
    divisible = np.broadcast_to(_above_least(divisor, divisor), len(curves))
    below = divisor if divisible.all() else np.ones_like(divisor)
    design = np.broadcast_to(np.stack([delivered / below, np.ones_like(below)], axis=-1), (*curves.shape, 2))
    solved = least_squares(design, curves / below, weights)
    in_activity = replace(solved, influence=solved.influence / below, residual=solved.residual * below)
    spread = covariance(in_activity, design * below[:, None], weights)
    return _plot(solved, design, spread, curves - in_activity.residual, divisible)


def _above_least(at_rows: Array, whole: Array) -> npt.NDArray[np.bool_]:
    highest = whole.max(axis=-1, keepdims=True)
    return np.asarray(np.all(at_rows > LEAST_SHARE * np.maximum(highest, 0), axis=-1))


def _plot(solved: LeastSquares, design: Array, spread: Array, fitted: Array, divisible: npt.NDArray[np.bool_]) -> Plot:
    slope, intercept = solved.theta.T
    line = (design @ solved.theta[..., None])[..., 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        deviation = solved.residual / line
    slope_se = np.sqrt(np.maximum(spread[:, 0, 0], 0))  # rounding may leave less than nothing
    return Plot(slope, intercept, slope_se, fitted, deviation, solved.wrss, divisible, solved.singular)
