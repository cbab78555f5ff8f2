"""Adjustment of p values for the number of tests."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def holm(p: Array) -> Array:
    """Adjust p values so that they control the family-wise error rate, whatever the dependence between the tests.

    The i-th smallest of m p values is multiplied by m - i + 1, raised to the largest adjusted value before it and cut
    at 1 (Holm 1979, Scand J Stat 6:65).

    Parameters
    ----------
    p : array_like of float, shape (n_test,)
        NaN where a test could not be made; such a test stays NaN and does not count.

    Returns
    -------
    ndarray, shape (n_test,)
    """
    p = np.asarray(p, dtype=float)
    adjusted = np.full(p.shape, np.nan)
    made = np.flatnonzero(~np.isnan(p))
    order = made[np.argsort(p[made], kind="stable")]
    steps = p[order] * np.arange(order.size, 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted
