"""Functions of a rate constant, tabulated once a scan for its regions and its voxels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Basis = Callable[[npt.NDArray[np.inexact]], npt.NDArray[np.inexact]]

KNOTS, STEPS, PER_GRID = 8.0, 4.0, 12
"""For each unit of the logarithm of the rate: rates at which the functions are computed, and rates of the search's
grid; and nodes of the table from one rate of the grid to the next."""

LANES = 8
"""Rows are filled up with zeros to a multiple of it, so that sums over them leave no remainder."""


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
        value, slope, fixed = (np.ascontiguousarray(filled(each.T).T) for each in (self.value, self.slope, fixed[None]))
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


def filled(rows: Array) -> Array:
    """Rows filled up with zeros to a multiple of :data:`LANES`."""
    out = np.zeros((len(rows) + -len(rows) % LANES, rows.shape[1]))
    out[: len(rows)] = rows
    return out


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
