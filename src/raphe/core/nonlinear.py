"""Least squares with one rate constant among the parameters, by variable projection.

For a model that is linear in all parameters but one rate constant k, the linear ones are solved for every k, and what
is left to search is the weighted residual sum of squares as a function of k alone (:mod:`raphe.core.one_rate`). The
model's functions are tabulated once a scan, and serve its regions and its voxels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from raphe.core import linear
from raphe.core.bounded import Curve
from raphe.core.weights import ACTIVITY_FLOOR

Array = npt.NDArray[np.float64]
Basis = Callable[[npt.NDArray[np.inexact]], npt.NDArray[np.inexact]]

COMPLEX_STEP = 1e-30

KNOTS, STEPS, PER_GRID = 8.0, 4.0, 12
"""For each unit of the logarithm of the rate: rates at which the functions are computed, and rates of the search's
grid; and nodes of the table from one rate of the grid to the next."""

LANES = 8
"""Rows are filled up with zeros to a multiple of it, so that sums over them leave no remainder."""

RANK = 1e-6
"""Singular value, as a share of the largest, below which what the functions have in common under one set of weights is
left out of the search."""


@dataclass(frozen=True, eq=False)
class RateTable:
    """Functions of a rate constant, tabulated evenly in its logarithm; made by :func:`rate_table`.

    Parameters
    ----------
    bounds : tuple of float, 1/min
    value, slope : ndarray, shape (n_node, n_row)
        Of the function that depends on the rate, and its derivative by the number of the node.
    fixed : ndarray, shape (n_row,), or None
        The function that does not.
    """

    bounds: tuple[float, float]
    value: Array
    slope: Array
    fixed: Array | None

    def rate(self, place: Array) -> Array:
        """Rate constants, 1/min, at places: numbers of nodes, not whole."""
        low, high = np.log(self.bounds)
        return np.asarray(np.clip(np.exp(low + place * (high - low) / (len(self.value) - 1)), *self.bounds))

    @property
    def grid(self) -> Array:
        """Nodes at which a search looks for the lowest valley, as numbers."""
        return np.arange(0, len(self.value), PER_GRID, dtype=float)

    @cached_property
    def rows(self) -> tuple[Array, Array, Array]:
        """The table for :mod:`raphe.core.one_rate`, rows filled up."""
        fixed = np.zeros(self.value.shape[1]) if self.fixed is None else self.fixed
        value, slope, fixed = (
            np.ascontiguousarray(_filled(each.T).T) for each in (self.value, self.slope, fixed[None])
        )
        return value, slope, fixed[0]


def rate_table(basis: Basis, bounds: tuple[float, float]) -> RateTable:
    """Tabulate the functions of a model.

    They are computed at the nodes of Chebyshev, and the polynomial through these, in the logarithm of the rate, is
    tabulated for cubic interpolation; both are within 1e-9 of the functions where these change no faster with the rate
    than an exponential over a scan does.

    Parameters
    ----------
    basis : callable
        Takes rate constants of shape (n_rate,), 1/min, and gives the linear basis functions, (n_rate, n_linear, n_row),
        one or two, of which the last alone depends on the rate.
    bounds : tuple of float, 1/min
        Range of the search.
    """
    low, high = np.log(bounds)
    n_knot, n_node = int(np.ceil(KNOTS * (high - low))), PER_GRID * int(np.ceil(STEPS * (high - low))) + 1
    knots = np.cos(np.pi * (np.arange(n_knot) + 0.5) / n_knot)
    at_knots = np.asarray(basis(np.exp((low + high) / 2 + (high - low) / 2 * knots)), dtype=float)
    value, slope = (through @ at_knots[:, -1] for through in _chebyshev(n_knot, n_node))
    fixed = np.ascontiguousarray(at_knots[0, 0]) if at_knots.shape[1] > 1 else None
    return RateTable(bounds, value, slope, fixed)


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
        Whether the covariance is wanted. Where neither it nor the fitted curves are, and the weights are common to all
        curves, the search ends where the table's own interpolation has its summit, a thousandth of the standard error
        or less away.
    counts : ndarray, shape (n_row,), optional
        Where given, ``weights`` are provisional, and each curve's own are these over its activity as a first fit under
        the provisional ones expects it: :func:`raphe.core.weights.decay` at once, for maps.
    drawn : bool
        Whether the fitted curves are wanted; they are left out, (0, n_row), where they are not.

    Returns
    -------
    ProfileFit
        A curve whose lowest cost lies at an end of the table's range is marked ``at_bound``.
    """
    from raphe.core import one_rate  # numba, which is slow to import

    n_row = curves.shape[1]
    by_row, roots = _filled(np.ascontiguousarray(curves.T)), _roots(weights)
    if roots.shape[1] == 1 and not (errors or drawn) and counts is None:
        return _values(table, by_row, roots, n_row)
    start, unsure = _starts(table, by_row, roots)
    own = np.empty(0) if counts is None else _filled(counts[:, None])[:, 0]
    near_frames = linear.NEIGHBOURS if errors else -1
    place, theta, fitted, wrss, spread, at_bound, settled, singular = one_rate.solved(
        table.rows, table.grid, start, unsure, by_row, roots, own, ACTIVITY_FLOOR, n_row, near_frames, linear.HC3, drawn
    )
    rate, first = table.rate(place), 0 if table.fixed is not None else 1
    if errors:
        low, high = np.log(table.bounds)
        by_place = rate * (high - low) / (len(table.value) - 1)
        spread[:, 2] *= by_place[:, None]
        spread[:, :, 2] *= by_place[:, None]
    else:
        spread = np.broadcast_to(np.nan, (len(rate), 3, 3))
    covariance = spread[:, first:, first:]
    return ProfileFit(rate, theta[:, first:], covariance, fitted.T, wrss, at_bound, settled, singular)


def separable(basis: Basis) -> Curve:
    """Model for :func:`raphe.core.bounded.bounded_fit`: the linear parameters of :func:`profile_fit`, then the rate."""

    def curve(theta: Array, index: npt.NDArray[np.intp]) -> tuple[Array, Array]:
        found = basis(theta[:, -1] + 1j * COMPLEX_STEP)
        value, slope = np.real(found), np.imag(found) / COMPLEX_STEP
        amount = theta[:, None, :-1]
        by_theta = np.concatenate([value, amount @ slope], axis=1)
        return (amount @ value)[:, 0], by_theta.transpose(0, 2, 1)

    return curve


def _values(table: RateTable, curves: Array, roots: Array, n_row: int) -> ProfileFit:
    """Rates and linear parameters alone, from products in few dimensions, under one set of weights."""
    parts, of_fixed, place, product, total = _summits(table, curves, roots)[:5]
    left = np.minimum(place.astype(np.intp), len(table.value) - 2)
    share = place - left
    length, shared = (_between(each, by, left, share) for each, by in (parts.length, parts.cross))
    amount = product / length
    theta = amount[:, None]
    if table.fixed is not None:
        theta = np.stack([(of_fixed - amount * shared) / parts.fixed_length, amount], axis=-1)
    at_bound = (place <= 0) | (place >= len(table.value) - 1)
    nothing = np.broadcast_to(np.nan, (len(place), theta.shape[1] + 1, theta.shape[1] + 1))
    ones = np.ones(len(place), dtype=bool)
    return ProfileFit(
        table.rate(place), theta, nothing, np.empty((0, n_row)), np.maximum(total - product**2, 0), at_bound, ones,
        ~np.isfinite(amount) | (amount == 0),
    )  # fmt: skip


def _between(value: Array, slope: Array, left: npt.NDArray[np.intp], share: Array) -> Array:
    """Cubic Hermite interpolation between nodes."""
    low, m_low, m_high = value[left], slope[left], slope[left + 1]
    rise = value[left + 1] - low
    a, b = 3 * rise - 2 * m_low - m_high, m_low + m_high - 2 * rise
    return np.asarray(low + share * (m_low + share * (a + share * b)))


def _starts(table: RateTable, curves: Array, roots: Array) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Places near the lowest cost of each curve, and where other weights may well prefer others."""
    if roots.shape[1] > 1:
        from raphe.core import one_rate

        return one_rate.starts(table.rows, table.grid, curves, roots), np.zeros(curves.shape[1], dtype=bool)
    _, _, place, _, _, unsure = _summits(table, curves, roots)
    return place, unsure


def _summits(
    table: RateTable, curves: Array, roots: Array
) -> tuple[_OwnParts, Array, Array, Array, Array, npt.NDArray[np.bool_]]:
    """Own parts of the function, the fixed one's products, and places, products, costs and doubts of every curve."""
    from raphe.core import one_rate

    parts = _own_parts(table, roots.tobytes())
    within, of_fixed = parts.basis.T @ curves, parts.fixed @ curves
    total = (roots[:, 0] ** 2) @ curves**2 - of_fixed**2
    height = parts.unit[::PER_GRID] @ within
    found = one_rate.summits(parts.unit, parts.slope, height, PER_GRID, within, total)
    return parts, of_fixed, found[0], found[1], total, found[2]


@dataclass(frozen=True, eq=False)
class _OwnParts:
    """Unit vectors of what the function of the rate has to itself, under one set of weights, in few dimensions.

    Parameters
    ----------
    basis : ndarray, shape (n_filled_row, n_rank)
        Orthonormal under the weights, whose roots it holds: what a curve's products with it are.
    unit, slope : ndarray, shape (n_node, n_rank)
        The unit vectors in it, and their derivatives by the place.
    fixed : ndarray, shape (n_filled_row,)
        The other function's unit vector, with the roots of the weights: what a curve's product with it is.
    fixed_length : float
        Its length before; 0 where there is none.
    length, cross : (ndarray, ndarray), each of shape (n_node,)
        Length of what the function has to itself, and its product with ``fixed``, with their derivatives by the place.
    """

    basis: Array
    unit: Array
    slope: Array
    fixed: Array
    fixed_length: float
    length: tuple[Array, Array]
    cross: tuple[Array, Array]


@lru_cache(maxsize=8)
def _own_parts(table: RateTable, roots: bytes) -> _OwnParts:
    root = np.frombuffer(roots)
    value, slope, fixed = (each * root for each in table.rows)
    fixed_length = float(np.linalg.norm(fixed))
    side = fixed / fixed_length if fixed_length > 0 else fixed
    cross = value @ side, slope @ side
    value, slope = (each - np.outer(each @ side, side) for each in (value, slope))
    size = np.linalg.norm(value, axis=1, keepdims=True)
    by = np.divide(1, size, out=np.zeros_like(size), where=size > 0)
    unit, slope = value * by, slope * by
    along = np.einsum("nr,nr->n", unit, slope)
    slope -= unit * along[:, None]
    u, s, _ = np.linalg.svd(unit.T, full_matrices=False)
    kept = u[:, s > RANK * s[0]]
    within = [np.ascontiguousarray(each @ kept) for each in (unit, slope)]
    length = size[:, 0], along * size[:, 0]
    return _OwnParts(kept * root[:, None], within[0], within[1], side * root, fixed_length, length, cross)


def _roots(weights: Array) -> Array:
    """Roots of the weights, (n_filled_row, n_curve), or one column where they are the same for all curves."""
    shared = weights.strides[0] == 0 or len(weights) == 1 or bool((weights == weights[:1]).all())
    return _filled(np.ascontiguousarray(np.sqrt(weights[:1] if shared else weights).T))


@lru_cache(maxsize=4)
def _chebyshev(n_knot: int, n_node: int) -> tuple[Array, Array]:
    """Maps from values at the nodes of Chebyshev to those at the table's, and to their derivatives by its places."""
    node, order = np.arange(n_knot) + 0.5, np.arange(n_knot)
    share = np.where(order > 0, 2.0, 1.0)[:, None] / n_knot
    coefficient = share * np.cos(np.pi / n_knot * order[:, None] * node)
    at = np.linspace(-1, 1, n_node)
    chebyshev = np.polynomial.chebyshev
    value = chebyshev.chebval(at, coefficient)
    slope = chebyshev.chebval(at, chebyshev.chebder(coefficient)) * 2 / (n_node - 1)
    return np.ascontiguousarray(value.T), np.ascontiguousarray(slope.T)


def _filled(rows: Array) -> Array:
    """Rows filled up with zeros to a multiple of :data:`LANES`."""
    out = np.zeros((len(rows) + -len(rows) % LANES, rows.shape[1]))
    out[: len(rows)] = rows
    return out
