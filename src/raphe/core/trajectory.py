"""Most likely positions of a head over time, given what each moment tells and how heads move."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

TURNS = 15
"""How often the weights of the steps are found anew."""


def likely_poses(poses: Array, information: Array, usual: Array) -> Array:
    """Weigh poses against the thought that heads mostly move little, and rarely far.

    The cost of a step between neighbours has the tails of Cauchy's distribution: with s the root mean square of its six
    numbers over what is usual, 3 log(1 + s^2). So a jump that is seen clearly costs little, and one that noise makes is
    smoothed away. The least cost is sought by weights again and again, from the poses that are told and from a head
    that does not move; of the two ends the likelier one is taken.

    Parameters
    ----------
    poses : ndarray, shape (n, 6)
        As each moment tells by itself: shifts in mm, turns in radians.
    information : ndarray, shape (n, 6, 6)
        Inverse covariance of their errors; 0 where nothing is told.
    usual : ndarray, shape (6,)
        Size of a usual step.

    Returns
    -------
    ndarray, shape (n, 6)
    """
    ends = [_near(poses, information, usual, start) for start in (poses, np.zeros_like(poses))]
    return min(ends, key=lambda end: end[0])[1]


def _near(poses: Array, information: Array, usual: Array, found: Array) -> tuple[float, Array]:
    """Least cost near a start, and the poses that have it."""
    n, prior = len(poses), np.diag(usual**-2)
    for _ in range(TURNS):
        weight = 1 / (1 + _size(found, usual) ** 2)
        matrix, right = np.zeros((6 * n, 6 * n)), np.zeros(6 * n)
        for at in range(n):
            own = slice(6 * at, 6 * at + 6)
            matrix[own, own] += information[at]
            right[own] += information[at] @ poses[at]
            if at:
                before = slice(6 * at - 6, 6 * at)
                link = weight[at - 1] * prior
                matrix[own, own] += link
                matrix[before, before] += link
                matrix[own, before] -= link
                matrix[before, own] -= link
        matrix += 1e-9 * np.eye(6 * n) * np.trace(prior)
        found = np.asarray(np.linalg.solve(matrix, right).reshape(n, 6), dtype=np.float64)
    away = found - poses
    told = float(np.einsum("ni,nij,nj->", away, information, away)) / 2
    return told + float(3 * np.log1p(_size(found, usual) ** 2).sum()), found


def _size(poses: Array, usual: Array) -> Array:
    """Root mean square of each step over what is usual, shape (n - 1,)."""
    return np.asarray(np.sqrt(((np.diff(poses, axis=0) / usual) ** 2).mean(axis=1)))
