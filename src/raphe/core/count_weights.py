"""Weights of counts for the curves of a whole image in one pass, compiled."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.intp]

LANES = 64
"""Curves that are taken side by side; a full set always, so that a curve's digits do not depend on its place."""

compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "arcp", "nsz"})


@compiled
def decay_weights(
    activity: Array, fitted: Array, at: Numbers, prior: Array, share: Array, floor: float, out: Array
) -> None:
    """Weights of :func:`raphe.core.weights.decay` with the activity that a fit expects, written to ``out``.

    Parameters
    ----------
    activity : ndarray, shape (n_frame, n_curve), kBq/mL
    fitted : ndarray, shape (n_row, n_curve), kBq/mL
        What the fit expects in the frames that it fitted.
    at : ndarray of int, shape (n_frame,)
        The row of ``fitted`` for each frame; negative where the activity itself is expected.
    prior : ndarray, shape (n_frame, n_curve) or (n_frame, 1)
        Weights of a curve that the fit left without a number, or without any activity.
    share : ndarray, shape (n_frame,), min
        Duration times the remaining share of the nuclide.
    floor : float
        Least share of the highest activity that is expected anywhere.
    out : ndarray, shape (n_frame, n_curve)
    """
    n_frame, n_curve = activity.shape
    apart = prior.shape[1] > 1
    expected, highest, total = np.zeros((n_frame, LANES)), np.empty(LANES), np.empty(LANES)
    for first in range(0, n_curve, LANES):
        n_lane = min(LANES, n_curve - first)
        highest[:] = -np.inf
        total[:] = 0
        for i in range(n_frame):
            source, row = (fitted, at[i]) if at[i] >= 0 else (activity, i)
            for v in range(n_lane):
                expected[i, v] = source[row, first + v]
            for v in range(LANES):
                total[v] += 0 * expected[i, v]  # 0, or no number where one is not finite
                highest[v] = max(highest[v], expected[i, v])
        for i in range(n_frame):
            for v in range(LANES):
                expected[i, v] = share[i] / max(expected[i, v] / highest[v], floor)
            for v in range(n_lane):
                usable = total[v] == 0 and highest[v] > 0
                out[i, first + v] = expected[i, v] if usable else prior[i, (first + v) if apart else 0]
