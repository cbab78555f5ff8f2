r"""Two exponentials and a share of blood, by variable projection.

For two rates the best non-negative amplitudes, and the best share of blood within its bounds, are those of a quadratic
with three unknowns. What is left is a search over two rates (Golub & Pereyra 1973, SIAM J Numer Anal 10:413): from the
lowest valleys of a grid (:mod:`raphe.core.valleys`), by steps in the coordinate in which
:class:`raphe.core.responses.Responses` is tabulated (:mod:`raphe.core.projection`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from raphe.core.projection import followed, looked_up
from raphe.core.valleys import valleys

Array = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.intp]

LANES = 8
"""Rows are filled up with zeros to a multiple of it, so that sums over them leave no remainder."""


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
    bands: Numbers,
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
    curves, weights : ndarray, shape (n_curve, n_row)
    blood : ndarray, shape (n_row,)
    lowest_share, highest_share : float
        Bounds of the share of blood, as it stands before whole blood; equal where it is known.
    bands : ndarray of int, shape (n_band + 1,)
        Numbers in the grid that part the rates of the faster exponential. The search begins from the best pair of each
        band, for a fast exponential leaves valleys of its own that are narrower than the grid.

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
    basis = looked_up(value, slope, grid)
    begin = valleys(basis, first, curves, weights, blood, lowest_share, highest_share, bands)
    filled = [np.pad(table, ((0, 0), (0, -table.shape[1] % LANES))) for table in (value, slope, basis)]
    table = (filled[0], filled[1], grid)
    return followed(table, filled[2], begin, first, curves, weights, blood, lowest_share, highest_share)
