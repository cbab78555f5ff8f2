r"""Equations that are linear in a curve and its integral, solved for many curves at once, with their standard errors.

Of one family are the multilinear models, :math:`C = \sum_p \theta_p F_p + \theta \int C` with columns F that all curves
share; the Logan plots, :math:`\int C = \theta_1 D + \theta_2 C`, each equation divided by C; and the Patlak plots,
without the integral. The standard errors are those of :func:`raphe.core.linear.covariance_both_sides` and
:func:`raphe.core.linear.covariance`; no matrix is inverted for them (:mod:`raphe.core.lanes`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from raphe.core.bounded import plain
from raphe.core.integrals import RunningSum
from raphe.core.linear import LEAST_FREEDOM, NEIGHBOURS, RANK_TOLERANCE
from raphe.core.weights import is_shared

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.intp]

LEAST_SHARE = 1e-3
"""Share of a curve's highest activity that a fitted frame must exceed where its equation is divided by it."""

SURE = 1e-7
"""What a column has beside the others, as a share of its square, that sums of products tell well enough."""


@dataclass(frozen=True, eq=False)
class Coefficients:
    """What solves the equations of each curve.

    Parameters
    ----------
    theta : ndarray, shape (n_par, n_curve)
        Of the columns that all curves share, then of the curve's own.
    covariance : ndarray, shape (n_par, n_par, n_curve), or None
        None where errors were not asked for.
    fitted : ndarray, shape (n_curve, n_row), kBq/mL
        Activity that would put each equation right; of no curve where it was not asked for.
    wrss : ndarray, shape (n_curve,)
        Weighted sum of squared residuals of the equations; likewise.
    singular : ndarray of bool, shape (n_curve,)
        Whether the columns are not independent. All else is NaN there, and where the curve is not divisible.
    divisible : ndarray of bool, shape (n_curve,)
        False where the equations were to be divided by a frame without activity.
    """

    theta: Array
    covariance: Array | None
    fitted: Array
    wrss: Array
    singular: Flags
    divisible: Flags

    def se(self, *gradient: Array | float) -> Array:
        """Standard error of a function of the coefficients by the delta method, shape (n_curve,); NaN where not known.

        Parameters
        ----------
        *gradient : ndarray of shape (n_curve,), or float
            Derivative of the function by each coefficient.
        """
        if self.covariance is None:
            return np.full(self.singular.shape, np.nan)
        variance = np.zeros(self.singular.shape)
        at = [p for p, slope in enumerate(gradient) if isinstance(slope, np.ndarray) or slope != 0]
        for p in at:
            for q in at:
                if q <= p:
                    variance += (1.0 if p == q else 2.0) * gradient[p] * gradient[q] * self.covariance[p, q]
        return np.asarray(np.sqrt(np.maximum(variance, 0)))  # rounding may leave less than nothing


def on_integral(
    curves: Array, fixed: Sequence[Array], integral: RunningSum, rows: Numbers, weights: Array, *, errors: bool = True,
    fitted: bool = True,
) -> Coefficients:  # fmt: skip
    r"""Coefficients of :math:`C = \sum_p \theta_p F_p + \theta \int C`.

    Parameters
    ----------
    curves : ndarray, shape (n_curve, n_frame), kBq/mL
        Quickest where frame lies after frame in memory (Fortran's order).
    fixed : sequence of ndarray, shape (n_row,)
        Columns that all curves share.
    integral : RunningSum
    rows : ndarray of int, shape (n_row,)
        Frames that are fitted.
    weights : ndarray, shape (n_curve, n_frame)
        1/variance up to a factor; one row in memory may stand for all.
    errors : bool
        Whether the covariance is wanted.
    fitted : bool
        Whether the activity that the equations put at the frames is wanted, and the sum of squares. Without these and
        the errors the estimate is quickest.
    """
    return _regressed("ON_INTEGRAL", curves, fixed, integral, rows, weights, np.ones(rows.size), errors, fitted)


def on_curve(
    curves: Array, delivered: Array, integral: RunningSum, rows: Numbers, weights: Array, *, errors: bool = True,
    fitted: bool = True,
) -> Coefficients:  # fmt: skip
    r"""Coefficients of :math:`\int C / C = \theta_1 D / C + \theta_2`.

    Parameters
    ----------
    curves, integral, rows, weights, errors, fitted
        As for :func:`on_integral`; the weights are those of the points.
    delivered : ndarray, shape (n_row,), kBq/mL min
        D.
    """
    return _regressed("ON_CURVE", curves, [delivered], integral, rows, weights, np.ones(rows.size), errors, fitted)


def on_fixed(
    curves: Array, fixed: Sequence[Array], divisor: Array, rows: Numbers, weights: Array, *, errors: bool = True,
    fitted: bool = True,
) -> Coefficients:  # fmt: skip
    r"""Coefficients of :math:`C / G = \sum_p \theta_p F_p / G`.

    Parameters
    ----------
    curves, fixed, rows, weights, errors, fitted
        As for :func:`on_integral`; the weights are those of the points.
    divisor : ndarray, shape (n_row,)
        G, the same for all curves; without activity in a frame, no curve has an answer.
    """
    divisible = bool(np.all(divisor > LEAST_SHARE * max(divisor.max(), 0)))
    n_frame = curves.shape[1]
    none = RunningSum(np.zeros((n_frame, 4)), np.zeros((n_frame, 4)))
    factor = divisor**-2.0 if divisible else np.full(rows.size, np.nan)
    found = _regressed("ON_NEITHER", curves, fixed, none, rows, weights, factor, errors, fitted)
    if divisible:
        return found
    none_is = np.zeros(len(curves), dtype=bool)
    return replace(found, singular=none_is, divisible=none_is)


def in_line(frames: npt.NDArray[np.floating]) -> tuple[npt.NDArray[np.floating], int]:
    """Frames one after another in one dimension, which is what :mod:`raphe.core.moments` takes, and how far apart.

    Parameters
    ----------
    frames : ndarray, shape (n_frame, n_curve)
        Copied only where what belongs to a frame does not lie together in memory.
    """
    if frames.strides[1] != frames.itemsize or frames.strides[0] < frames.shape[1] * frames.itemsize:
        frames = np.ascontiguousarray(frames)
    apart = frames.strides[0] // frames.itemsize
    size = (len(frames) - 1) * apart + frames.shape[1]
    return np.lib.stride_tricks.as_strided(frames, (size,), (frames.itemsize,)), apart


def _regressed(
    kind: str, curves: Array, fixed: Sequence[Array], integral: RunningSum, rows: Numbers, weights: Array,
    factor: Array, errors: bool, fitted: bool,
) -> Coefficients:  # fmt: skip
    columns = np.array([np.broadcast_to(each, rows.shape) for each in fixed], dtype=float)
    if not errors and is_shared(weights):
        found = _from_sums(kind, curves, columns, integral, rows, weights[0], factor, fitted)
        if found is not None:
            return found
    return _in_full(kind, curves, columns, integral, rows, weights, factor, errors, fitted)


def _in_full(
    kind: str, curves: Array, columns: Array, integral: RunningSum, rows: Numbers, weights: Array, factor: Array,
    errors: bool, with_fitted: bool,
) -> Coefficients:  # fmt: skip
    from raphe.core import lanes  # numba, which is slow to import

    n_curve, n_par = len(curves), len(columns) + (kind != "ON_NEITHER")
    theta, wrss = np.empty((n_par, n_curve)), np.empty(n_curve)
    fitted = np.empty((rows.size, n_curve if with_fitted else 0))
    covariance = np.empty((n_par, n_par, n_curve if errors else 0))
    singular, divisible = np.zeros(n_curve, dtype=bool), np.ones(n_curve, dtype=bool)
    lanes.regressed(
        plain(curves.T), plain((weights[:1] if is_shared(weights) else weights).T),
        getattr(lanes, kind), columns, factor, rows, integral.step, integral.squares, errors,
        2 * RANK_TOLERANCE, LEAST_SHARE, LEAST_FREEDOM, NEIGHBOURS, theta, fitted, wrss, covariance, singular,
        divisible,
    )  # fmt: skip
    return Coefficients(theta, covariance if errors else None, fitted.T, wrss, singular, divisible)


def _from_sums(
    kind: str, curves: Array, columns: Array, integral: RunningSum, rows: Numbers, weights: Array, factor: Array,
    with_fitted: bool,
) -> Coefficients | None:  # fmt: skip
    """Coefficients without errors from sums of products; None where the equations are not of the form for it.

    What needs a design that is known to be independent: the columns that all curves share here, the curve's own by what
    the sums say it has beside them. Curves of which that is too little are solved in full.
    """
    from raphe.core import moments  # numba, as above

    n_curve, n_frame = curves.shape
    divided = kind == "ON_CURVE"
    shared = np.ones((1, rows.size)) if divided else columns
    own = weights[rows] * factor
    if len(shared) > 2 or not (np.all(own > 0) and np.all(rows[1:] > rows[:-1])):
        return None
    q, triangle = np.zeros((len(shared), n_frame)), np.zeros((len(shared), len(shared)))
    w, delivered = np.zeros(n_frame), np.zeros(n_frame)
    if not moments.orthonormal(shared, own, rows, SURE, q, triangle):
        return None
    w[rows], delivered[rows] = own, columns[0]
    theta, beside = np.empty((len(shared) + 1, n_curve)), np.empty(n_curve)
    n_told = n_curve if with_fitted else 0
    fitted, wrss = np.empty((rows.size, n_told)), np.empty(n_told)
    moments.solved(
        *in_line(curves.T), getattr(moments, kind), q, triangle, w, delivered, integral.step, LEAST_SHARE,
        with_fitted, theta, beside, fitted, wrss,
    )  # fmt: skip
    theta = theta[::-1] if divided else theta[: len(theta) - (kind == "ON_NEITHER")]
    good, bad = np.ones(n_curve, dtype=bool), np.zeros(n_curve, dtype=bool)
    found = Coefficients(theta, None, fitted.T, wrss, bad, good)
    unsure = np.flatnonzero(~(beside > SURE))
    if unsure.size:
        again = np.broadcast_to(weights, (unsure.size, n_frame))
        exact = _in_full(kind, curves[unsure], columns, integral, rows, again, factor, False, with_fitted)
        for name in ("theta", "singular", "divisible", *(("wrss",) if with_fitted else ())):
            getattr(found, name)[..., unsure] = getattr(exact, name)
        if with_fitted:
            found.fitted[unsure] = exact.fitted
    return found
