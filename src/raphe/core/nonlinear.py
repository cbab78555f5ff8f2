"""Least squares with one rate constant among the parameters, by variable projection.

For a model that is linear in all parameters but one rate constant k, the linear ones are solved for every k, and what
is left to search is the weighted residual sum of squares as a function of k alone (:mod:`raphe.core.one_rate`). The
model's functions are tabulated once a scan, and serve its regions and its voxels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from raphe.core import shared_rate
from raphe.core.bounded import Curve
from raphe.core.rate_table import Basis, RateTable, filled
from raphe.core.weights import ACTIVITY_FLOOR

Array = npt.NDArray[np.float64]

COMPLEX_STEP = 1e-30


@dataclass(frozen=True, eq=False)
class ProfileFit:
    """Best rate constant and linear parameters of each curve, their covariance, and how the search ended.

    Parameters
    ----------
    rate : ndarray, shape (n_curve,), 1/min
    theta : ndarray, shape (n_curve, n_linear)
    covariance : ndarray, shape (n_curve, n_linear + 1, n_linear + 1)
        Of the linear parameters and, last, the rate, from the Jacobian at the minimum; NaN where it is singular, or not
        wanted.
    fitted : ndarray, shape (n_curve, n_row)
    wrss : ndarray, shape (n_curve,)
        Weighted sum of squared residuals.
    at_bound, converged, singular : ndarray of bool, shape (n_curve,)
    """

    rate: Array
    theta: Array
    covariance: Array
    fitted: Array
    wrss: Array
    at_bound: npt.NDArray[np.bool_]
    converged: npt.NDArray[np.bool_]
    singular: npt.NDArray[np.bool_]


def profile_fit(
    table: RateTable,
    curves: Array,
    weights: Array,
    errors: bool = True,
    counts: Array | None = None,
    drawn: bool = True,
) -> ProfileFit:
    """Weighted least-squares fit of curve = sum of theta_p basis_p(rate), for each curve.

    The covariance is of the kind HC3 (:func:`raphe.core.linear.covariance`).

    Parameters
    ----------
    table : RateTable
    curves : ndarray, shape (n_curve, n_row)
    weights : ndarray, shape (n_curve, n_row)
        1/variance up to a factor.
    errors : bool
        Whether the covariance is wanted.
    counts : ndarray, shape (n_row,), optional
        Where given, ``weights`` are provisional, and each curve's own are these over its activity as a first fit under
        the provisional ones expects it: :func:`raphe.core.weights.decay` at once, for maps.
    drawn : bool
        Whether the fitted curves are wanted; they are left out, (0, n_row), where they are not. If the weights are
        common to all curves as well, the search ends where the table's own interpolation has its summit, a thousandth
        of the standard error or less away, and ``wrss`` is not a number.

    Returns
    -------
    ProfileFit
        A curve whose lowest cost lies at an end of the table's range is marked ``at_bound``.
    """
    from raphe.core import one_rate  # numba, which is slow to import

    n_row = curves.shape[1]
    by_row, by_weight = np.ascontiguousarray(curves.T), _by_row(weights)
    shared = by_weight.shape[1] == 1
    if shared and counts is None and not drawn:
        place, theta, spread, singular = shared_rate.lowest(table, by_row, by_weight[:n_row, 0], errors)
        fitted, wrss = np.empty((n_row, 0)), np.full(len(place), np.nan)
        at_bound = (place <= 0) | (place >= len(table.value) - 1)
        settled = np.ones(len(place), dtype=bool)
    else:
        if shared:
            start, unsure = shared_rate.starts(table, by_row, by_weight[:n_row, 0])
        else:
            start = one_rate.starts(table.rows, table.grid, by_row, by_weight)
            unsure = np.zeros(len(start), dtype=bool)
        own = np.empty(0) if counts is None else filled(counts[:, None])[:, 0]
        place, theta, fitted, wrss, spread, at_bound, settled, singular = one_rate.solved(
            table.rows, table.grid, start, unsure, by_row, by_weight, own, ACTIVITY_FLOOR,
            errors, drawn,
        )  # fmt: skip
    rate, first = table.rate(place), 0 if table.fixed is not None else 1
    if errors:
        low, high = np.log(table.bounds)
        by_place = rate * (high - low) / (len(table.value) - 1)
        spread[2] *= by_place
        spread[:, 2] *= by_place
    else:
        spread = np.broadcast_to(np.nan, (3, 3, len(rate)))
    covariance = np.moveaxis(spread[first:, first:], -1, 0)
    return ProfileFit(rate, theta[first:].T, covariance, fitted.T, wrss, at_bound, settled, singular)


def separable(basis: Basis) -> Curve:
    """Model for :func:`raphe.core.bounded.bounded_fit`: the linear parameters of :func:`profile_fit`, then the rate."""

    def curve(theta: Array, index: npt.NDArray[np.intp]) -> tuple[Array, Array]:
        found = basis(theta[:, -1] + 1j * COMPLEX_STEP)
        value, slope = np.real(found), np.imag(found) / COMPLEX_STEP
        amount = theta[:, None, :-1]
        by_theta = np.concatenate([value, amount @ slope], axis=1)
        return (amount @ value)[:, 0], by_theta.transpose(0, 2, 1)

    return curve


def _by_row(weights: Array) -> Array:
    """Weights, (n_filled_row, n_curve), or one column where they are the same for all curves."""
    shared = weights.strides[0] == 0 or len(weights) == 1 or bool((weights == weights[:1]).all())
    return filled(np.ascontiguousarray((weights[:1] if shared else weights).T))
