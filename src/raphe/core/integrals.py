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

BEFORE, AFTER = 2, 1
"""Frames before and after a row's own in the band: the edges of a frame, and of the one before, lie on lines between
neighbouring frames' values (:mod:`raphe.core.sampling`)."""


@dataclass(frozen=True, eq=False)
class RunningSum:
    """A square matrix as the running sum of a band.

    Parameters
    ----------
    step : ndarray, shape (n_frame, 4)
        Differences of the matrix's rows: column o of row i stands before frame i - :data:`BEFORE` + o, and is 0 where
        there is no such frame.
    squares : ndarray, shape (n_frame, 4)
        The same for the matrix of its squared elements.
    """

    step: Array
    squares: Array


@lru_cache(maxsize=8)
def running_integral(sampling: Sampling) -> RunningSum:
    """Integral of a schedule as a running sum; kept for the last few."""
    return running_sum(sampling.integral)


def running_sum(matrix: Array) -> RunningSum:
    """Differences of rows in the band; what is outside of it has to be 0 but for rounding.

    Parameters
    ----------
    matrix : ndarray, shape (n, n)
    """
    n = len(matrix)
    at = np.arange(n)[:, None] + np.arange(-BEFORE, AFTER + 1)
    inside, at = (at >= 0) & (at < n), np.clip(at, 0, n - 1)
    step, squares = (
        np.where(inside, np.take_along_axis(np.diff(each, axis=0, prepend=0), at, axis=1), 0)
        for each in (matrix, matrix**2)
    )
    return RunningSum(step, squares)
