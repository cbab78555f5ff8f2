"""Parameters that follow from the coefficients of a multilinear equation, as a model's solution."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from raphe.core.multilinear import Coefficients
from raphe.kinetics.protocol import Solution
from raphe.quality import Quality

Array = npt.NDArray[np.float64]


def coefficient_solution(
    found: Coefficients,
    rows: npt.NDArray[np.intp],
    parameters: Sequence[tuple[Array, Callable[[], Sequence[Array | float]]]],
) -> Solution:
    """Solution whose parameters are functions of coefficients.

    Parameters
    ----------
    found : Coefficients
    rows : ndarray of int, shape (n_row,)
        Frames that were fitted.
    parameters : sequence of (ndarray of shape (n_curve,), callable)
        Each parameter's value, and what gives its derivative by every coefficient where errors are wanted.
    """
    value = np.stack([value for value, _ in parameters])
    known = found.covariance is not None
    se = np.stack([found.se(*each()) for _, each in parameters]) if known else np.broadcast_to(np.nan, value.shape)
    return Solution(
        value.T,
        se.T,
        found.fitted,
        found.wrss,
        rows,
        np.where(found.singular, Quality.SINGULAR, 0).astype(np.int64),
    )
