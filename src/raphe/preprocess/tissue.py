"""Grey matter, white matter and fluid of a head, by brightness."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from raphe.data.volume import Volume
from raphe.preprocess.edges import densities

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

FEW = 20_000
"""Voxels by which the start of the mixture is chosen."""

MANY = 200_000
"""Voxels by which it is found."""

ROUNDS = 40
"""Turns of the mixture of tissues."""


def classify(t1: Volume, brain: Flags, priors: npt.NDArray[np.floating] | None) -> tuple[Volume, Volume, Volume]:
    """Probability that a voxel is of grey matter, white matter or fluid, at least in its larger part.

    A mixture of three normal distributions finds how bright each is; then voxels on edges, whose brightness lies
    between two of them, are told apart (:func:`raphe.preprocess.edges.densities`), so that sheets are as thick as they
    are.

    Parameters
    ----------
    t1 : Volume
    brain : ndarray of bool
    priors : ndarray, shape (3, n_voxel), or None
        Probability of grey, white and fluid that the template gives for each voxel of the brain.
    """
    values = t1.values[brain].astype(np.float64)
    given = np.ones((3, values.size)) if priors is None else priors.astype(np.float64) + 0.02
    given /= given.sum(axis=0)
    few, many = (slice(None, None, max(1, values.size // n)) for n in (FEW, MANY))
    starts = [np.percentile(values, [middle, high, low]) for low in (1, 8) for middle in (25, 50) for high in (75, 92)]
    tried = [_mixture(values[few], given[:, few], start) for start in starts]
    best = max(tried, key=lambda one: one[0])
    weight = _mixture(values[many], given[:, many], best[1])[2]
    bright = np.linalg.lstsq(weight @ weight.T, weight @ values[many], rcond=None)[0]
    share = np.broadcast_to(weight.mean(axis=1)[:, None], given.shape) if priors is None else given
    likely = share * densities(values, share, np.asarray(bright, dtype=float))
    likely /= np.maximum(likely.sum(axis=0), 1e-300)
    made = []
    for row in likely:
        whole = np.zeros(t1.grid.shape, dtype=np.float32)
        whole[brain] = row
        made.append(Volume(t1.grid, whole))
    return made[0], made[1], made[2]


def _mixture(values: Array, given: Array, mean: Array) -> tuple[float, Array, Array]:
    """Mean log likelihood, means, and weights, (3, n_voxel), of three normal distributions, by their priors.

    How much of each there is, beyond its prior, is found too (Ashburner and Friston 2005, NeuroImage 26:839).
    """
    spread = np.full(3, max(float(np.ptp(mean)) / 4, 1e-9))
    least = 1e-6 * float(np.abs(values).max()) ** 2 + 1e-18
    weight, fit, mixing = given, 0.0, np.full(3, 1 / 3)
    for _ in range(ROUNDS):
        prior = mixing[:, None] * given
        prior /= prior.sum(axis=0)
        likely = prior * np.exp(-0.5 * ((values - mean[:, None]) / spread[:, None]) ** 2) / spread[:, None]
        whole = np.maximum(likely.sum(axis=0), 1e-300)
        weight, fit = likely / whole, float(np.log(whole).mean())
        total = weight.sum(axis=1) + 1e-9
        mixing = total / (given / (mixing @ given)).sum(axis=1)
        mean = weight @ values / total
        spread = np.sqrt(np.maximum((weight * (values - mean[:, None]) ** 2).sum(axis=1) / total, least))
    return fit, mean, weight
