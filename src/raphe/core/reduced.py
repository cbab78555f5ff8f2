"""Coordinates in which the answers of a scan are few: the space that they span under common weights."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from numba import njit

from raphe.core.responses import Responses

Array = npt.NDArray[np.float64]

LANES = 8
"""The number of axes is a multiple of it, so that sums over them leave no remainder."""

EXACT = 1e-6
"""Share of any answer, by its weighted length, that may be left out."""

_EVERY = 4


@dataclass(frozen=True, eq=False)
class Reduced:
    """Answers to one input in the coordinates of the space that they span with blood; made by :func:`reduced`.

    Sums of products over the coordinates are the weighted sums over the frames, but for what curves have beyond the
    space, which no combination of answers changes.

    Parameters
    ----------
    axes : ndarray, shape (n_row, n_axis)
        Coordinates of each frame, times the root of its weight.
    weights : ndarray, shape (n_row,)
    value, slope : ndarray, shape (n_node, n_axis)
        As those of :class:`raphe.core.responses.Responses`.
    blood : ndarray, shape (n_axis,)
    """

    axes: Array
    weights: Array
    value: Array
    slope: Array
    blood: Array

    def coordinates(self, curves: Array) -> tuple[Array, Array]:
        """Coordinates of curves, and the weighted sum of squares of what they have beyond the space.

        Parameters
        ----------
        curves : ndarray, shape (n_curve, n_row)

        Returns
        -------
        ndarray, shape (n_curve, n_axis)
        ndarray, shape (n_curve,)
        """
        return _coordinates(curves, self.axes, self.weights)


def reduced(responses: Responses, weights: Array, blood: Array) -> Reduced:
    """Space of the answers and blood under weights; the last few are kept.

    Parameters
    ----------
    responses : Responses
        At the fitted frames.
    weights, blood : ndarray, shape (n_row,)
    """
    return _kept(responses, weights.tobytes(), blood.tobytes())


@lru_cache(maxsize=8)
def _kept(responses: Responses, weights: bytes, blood: bytes) -> Reduced:
    """Space of weights and blood that are given by their bytes."""
    own, seen = np.frombuffer(weights), np.frombuffer(blood)
    root = np.sqrt(own)
    spanned = np.vstack([responses.value[::_EVERY], seen]) * root
    length = np.linalg.norm(spanned, axis=1, keepdims=True)
    spanned /= np.where(length > 0, length, 1.0)
    axes = np.linalg.svd(spanned, full_matrices=False)[2].T
    axes = np.pad(axes, ((0, 0), (0, -axes.shape[1] % LANES)))
    n_axis = LANES
    while np.linalg.norm(spanned - spanned @ axes[:, :n_axis] @ axes[:, :n_axis].T, axis=1).max() > EXACT:
        n_axis += LANES
    axes = np.ascontiguousarray(root[:, None] * axes[:, :n_axis])
    return Reduced(axes, own, responses.value @ axes, responses.slope @ axes, seen @ axes)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "arcp", "nsz"})
def _coordinates(curves: Array, axes: Array, weights: Array) -> tuple[Array, Array]:
    """Sums over the rows of each curve with the axes, and what is left of its weighted sum of squares."""
    found, beyond = np.zeros((len(curves), axes.shape[1])), np.empty(len(curves))
    for c in range(len(curves)):
        for r in range(len(axes)):
            for a in range(axes.shape[1]):
                found[c, a] += curves[c, r] * axes[r, a]
        rest = 0.0
        for r in range(len(axes)):
            rest += weights[r] * curves[c, r] * curves[c, r]
        for a in range(axes.shape[1]):
            rest -= found[c, a] * found[c, a]
        beyond[c] = max(rest, 0.0)
    return found, beyond
