"""Brightness of voxels of one class, and of those on edges between two."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

Array = npt.NDArray[np.float64]
Bins = npt.NDArray[np.intp]

TOLD = 0.01
"""Weight of what is known of a tissue's brightness from the head, in voxels over those that are looked at."""

ROUNDS = 10
"""Turns of the mixture."""


BINS = 400
"""Steps of brightness that are told apart."""

FEW = 40_000
"""Voxels by which brightness is found."""


class _Looks(NamedTuple):
    """Brightness of each class, its standard deviation, common to all, and the share of voxels on edges of two."""

    mean: Array
    sd: float
    edge: float


def densities(values: Array, prior: Array, known: Array) -> Array:
    """Density of the brightness of each voxel, for each class of which it may be, alone or in the larger part.

    All classes scatter alike, by the noise of the image. A voxel on an edge has a brightness between two of them.

    Parameters
    ----------
    values : ndarray, shape (n_voxel,)
    prior : ndarray, shape (n_class, n_voxel)
        Probability of each class.
    known : ndarray, shape (n,)
        Brightness of the last classes, the tissues, as far as it is known from the head.

    Returns
    -------
    ndarray, shape (n_class, n_voxel)
        To be multiplied by the priors.
    """
    low, high = np.percentile(values, [0.5, 99.5])
    bins = np.linspace(low, high, BINS)
    at = np.clip(np.searchsorted(bins, values), 0, BINS - 1)
    few = slice(None, None, max(1, values.size // FEW))
    now = _fitted(values[few], prior[:, few], at[few], bins, known)
    return np.asarray(_pure(now, bins)[:, at] + _edges(now, prior, at, bins))


def _fitted(values: Array, prior: Array, at: Bins, bins: Array, known: Array) -> _Looks:
    """Expectation and maximisation. Voxels on edges tell of their number alone.

    What is known of the tissues, the last classes, keeps one that is nearly absent from taking other voxels.
    """
    least = 1e-3 * float(np.ptp(bins)) + 1e-9
    each = prior.sum(axis=1)
    mean = prior @ values / np.maximum(each, 1e-9)
    mean[-known.size :] = known
    start, beside = mean, np.full(mean.size, 1e-3)
    beside[-known.size :] = TOLD * values.size
    away = np.abs(values - mean[prior.argmax(axis=0)])
    now = _Looks(mean, max(1.4826 * float(np.median(away)), least), 0.1)
    for _ in range(ROUNDS):
        pure = prior * _pure(now, bins)[:, at]
        pure /= np.maximum(pure.sum(axis=0) + (prior * _edges(now, prior, at, bins)).sum(axis=0), 1e-300)
        each = pure.sum(axis=1)
        mean = (pure @ values + beside * start) / (each + beside)
        variance = float((pure * (values - mean[:, None]) ** 2).sum() / max(float(each.sum()), 1.0))
        edge = float(np.clip(1 - each.sum() / values.size, 0.01, 0.9))
        now = _Looks(mean, max(float(np.sqrt(variance)), least), edge)
    return now


def _pure(now: _Looks, bins: Array) -> Array:
    """Density of brightness of voxels of one class alone, shape (n_class, n_bin)."""
    away = (bins - now.mean[:, None]) / now.sd
    return np.asarray((1 - now.edge) * np.exp(-0.5 * away**2) / (now.sd * np.sqrt(2 * np.pi)))


def _edges(now: _Looks, prior: Array, at: Bins, bins: Array) -> Array:
    """Density of brightness of voxels that are of one class in the larger part, the rest of others by their priors.

    All parts from a half to the whole are alike likely, so brightness is even from the middle of two to the one.
    """
    found = np.zeros_like(prior)
    for one, mean in enumerate(now.mean):
        rest = np.maximum(prior.sum(axis=0) - prior[one], 1e-9)
        for other, its in enumerate(now.mean):
            if other == one:
                continue
            ends = np.sort([mean, (mean + its) / 2])
            width = max(float(ends[1] - ends[0]), 0.1 * now.sd)
            middle = ends.mean()
            from_, to = middle - width / 2, middle + width / 2
            table = now.edge * (ndtr((bins - from_) / now.sd) - ndtr((bins - to) / now.sd)) / width
            found[one] += prior[other] / rest * table[at]
    return found
