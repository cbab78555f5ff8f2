r"""The integral of a curve as a running sum over its frames.

What a frame shows of the drawn curve's integral (:attr:`raphe.core.sampling.Sampling.integral`, L) differs from what
the frame before shows by the activity near the two alone: the differences of the rows of L are a band. So L is a
running sum of a band, :math:`L = T D` with T the lower triangle of ones, which makes an integral as quick as a sum, and
a system with L among its terms one of a band (:mod:`raphe.core.lanes`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from raphe.core.sampling import Sampling

Array = npt.NDArray[np.float64]

ROUNDING = 1e-11
"""Share of the largest value in its column up to which a difference of two rows is taken for rounding."""


@dataclass(frozen=True, eq=False)
class RunningSum:
    """A square matrix as the running sum of a band.

    Parameters
    ----------
    step : ndarray, shape (n_frame, n_band)
        Differences of the matrix's rows: column o of row i stands before frame i - below + o, and is 0 where there is
        no such frame.
    squares : ndarray, shape (n_frame, n_band)
        The same for the matrix of its squared elements.
    below : int
        Frames before the row's own in the band.
    """

    step: Array
    squares: Array
    below: int


@lru_cache(maxsize=8)
def running_integral(sampling: Sampling) -> RunningSum:
    """Integral of a schedule as a running sum; kept for the last few."""
    return running_sum(sampling.integral)


def running_sum(matrix: Array) -> RunningSum:
    """Take the differences of rows, in a band as wide as they need, of one frame before each row's own at least.

    Parameters
    ----------
    matrix : ndarray, shape (n, n)
    """
    n = len(matrix)
    step, squares = (np.diff(each, axis=0, prepend=0) for each in (matrix, matrix**2))
    row, column = np.nonzero(np.abs(step) > ROUNDING * np.abs(matrix).max(axis=0))
    below = max(1, int((row - column).max(initial=0)))
    above = max(0, int((column - row).max(initial=0)))
    at = np.arange(n)[:, None] + np.arange(-below, above + 1)
    inside = (at >= 0) & (at < n)
    step, squares = (
        np.where(inside, np.take_along_axis(each, np.clip(at, 0, n - 1), axis=1), 0) for each in (step, squares)
    )
    return RunningSum(step, squares, below)
