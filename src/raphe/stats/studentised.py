"""Studentised statistics of many arrangements of the same data at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Statistic = Callable[[Array], Array]


def one_sample(signs: Array, table: Array) -> Array:
    """Student's t of flipped differences, shape (n_arrangement, n_region); sums of squares do not depend on signs."""
    filled = np.nan_to_num(table)
    n = (~np.isnan(table)).sum(axis=0)
    squares = (filled**2).sum(axis=0)
    usable = (n >= 2) & (squares > 0)
    total = signs @ filled
    share = np.minimum(total**2 / np.where(usable, n * squares, 1.0), 1.0)
    rest = np.where(1 - share > 1e-13, 1 - share, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.sign(total) * np.sqrt((n - 1) * share / rest)
    return np.asarray(np.where(usable, t, np.nan))


def two_samples(table: Array, pooled: bool) -> Statistic:
    """Function that gives t of second minus first for labels 0 and 1, shape (n_arrangement, n)."""
    there = (~np.isnan(table)).astype(float)
    count = np.maximum(there.sum(axis=0), 1)
    centred = np.nan_to_num(table - np.nansum(table, axis=0) / count)
    scale = np.sqrt((centred**2).sum(axis=0) / count)
    centred = centred / np.where(scale > 0, scale, 1.0)

    def statistic(labels: Array) -> Array:
        parts = []
        for part in (labels, 1 - labels):
            n = part @ there
            mean = part @ centred / np.maximum(n, 1)
            squares = np.maximum(part @ centred**2 - n * mean**2, 0.0)
            parts.append((n, mean, np.where(squares > 1e-12 * n, squares, 0.0)))
        (n2, mean2, ss2), (n1, mean1, ss1) = parts
        least = np.minimum(n1, n2)
        with np.errstate(divide="ignore", invalid="ignore"):
            if pooled:
                variance = (ss1 + ss2) / (n1 + n2 - 2) * (1 / n1 + 1 / n2)
            else:
                variance = ss1 / (n1 * (n1 - 1)) + ss2 / (n2 * (n2 - 1))
            t = (mean2 - mean1) / np.sqrt(variance)
        return np.asarray(np.where((least >= 2) & (scale > 0), t, np.nan))

    return statistic


def correlated(table: Array) -> Statistic:
    """Function that gives Pearson's r with each region for scores, shape (n_arrangement, n)."""
    there = (~np.isnan(table)).astype(float)
    n = there.sum(axis=0)
    centred = np.nan_to_num(table - np.nansum(table, axis=0) / np.maximum(n, 1))
    spread = (centred**2).sum(axis=0)

    def statistic(scores: Array) -> Array:
        total = scores @ there
        own = scores**2 @ there - total**2 / np.maximum(n, 1)
        product = np.where((n >= 3) & (spread > 0), own * spread, 0.0)
        sound = product > 1e-12 * np.maximum((scores**2).sum(axis=1), 1e-300)[:, None] * spread
        return np.asarray(np.where(sound, scores @ centred / np.sqrt(np.where(sound, product, 1.0)), np.nan))

    return statistic
