r"""Two exponentials and a share of blood, by variable projection.

For two rates the best non-negative amplitudes, and the best share of blood within its bounds, are those of a quadratic
with three unknowns. What is left is a search over two rates (Golub & Pereyra 1973, SIAM J Numer Anal 10:413): from the
best pair of a grid (:mod:`raphe.core.valleys`), by steps in the coordinate in which
:class:`raphe.core.responses.Responses` is tabulated, and from there to other valleys as long as one is deeper
(:mod:`raphe.core.projection`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from raphe.core.projection import LANES, ROUGH, SETTLED, followed, looked_up
from raphe.core.reduced import Reduced
from raphe.core.valleys import valleys

Array = npt.NDArray[np.float64]


def search(
    value: Array,
    slope: Array,
    grid: Array,
    first: int,
    curves: Array,
    weights: Array,
    blood: Array,
    lowest_share: float,
    highest_share: float,
    near: Array | None = None,
    reduced: Reduced | None = None,
) -> tuple[Array, Array, Array, Array]:
    """Best two exponentials of each curve.

    Parameters
    ----------
    value, slope : ndarray, shape (n_node, n_row)
        Table of the answers and of their derivative by the node's number.
    grid : ndarray, shape (n_grid,)
        Places in the table (numbers of nodes, not whole) at which exponentials are tried, ascending; the first and the
        last are the bounds of the search.
    first : int
        1 if the slower exponential stays at the first place of the grid, else 0.
    curves : ndarray, shape (n_curve, n_row)
    weights : ndarray, shape (n_curve, n_row) or, where they are the same for all curves, (1, n_row)
    blood : ndarray, shape (n_row,)
    lowest_share, highest_share : float
        Bounds of the share of blood, as it stands before whole blood; equal where it is known.
    near : ndarray, shape (n_curve, 2), optional
        Places near which the best are known to be, the slower first.
    reduced : Reduced, optional
        Space in which to look for them, where the weights are the same for all curves.

    Returns
    -------
    place : ndarray, shape (n_curve, 2)
        Of the two exponentials in the table, the slower first.
    amplitude : ndarray, shape (n_curve, 3)
        Before the two exponentials and before blood.
    cost : ndarray, shape (n_curve,)
    converged : ndarray, shape (n_curve,)
        1 where the search has settled.
    """
    basis, shares = looked_up(value, slope, grid), (lowest_share, highest_share)
    found = near is None and reduced is not None
    if near is None and reduced is not None:
        seen, beyond = reduced.coordinates(curves)
        grid_seen, ones = looked_up(reduced.value, reduced.slope, grid), np.ones((1, seen.shape[1]))
        begin = _begun(grid_seen, grid, first, seen, ones, reduced.blood, shares)
        table = (reduced.value, reduced.slope, grid)
        near = followed(table, grid_seen, begin, first, seen, ones, reduced.blood, *shares, beyond, True, ROUGH)[0]
    if near is None:
        begin = _begun(basis, grid, first, curves, weights, blood, shares)
    else:
        begin = np.ascontiguousarray(near[:, None])
    filled = [np.pad(table, ((0, 0), (0, -table.shape[1] % LANES))) for table in (value, slope, basis)]
    beyond = np.zeros(len(curves))
    table = (filled[0], filled[1], grid)
    return followed(table, filled[2], begin, first, curves, weights, blood, *shares, beyond, not found, SETTLED)


def _begun(
    basis: Array, grid: Array, first: int, curves: Array, weights: Array, blood: Array, shares: tuple[float, float]
) -> Array:
    """Places of the pairs to begin from, NaN where there is none."""
    pairs = valleys(basis, first, curves, weights, blood, *shares)
    return np.where(pairs >= 0, grid[pairs], np.nan)
