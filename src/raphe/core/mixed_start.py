"""Where the search for a mixed model's covariance parameters begins."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from raphe.core.mixed_likelihood import Model

Array = npt.NDArray[np.float64]

SHARES = (0.1, 0.4, 0.8)
"""Shares of the variance that random intercepts have at the start."""

KEPT = (0.8, 0.98, 0.9999)
"""Factors of the correlations at the start."""

LEAST = 0.1
"""Least variance at the start, the residual's mean square being 1."""


def starts(model: Model, residual: Array) -> list[Array]:
    """Free parameters, shape (R,), worth a try, from ordinary residuals, shape (n,), of mean square about 1."""
    means, counts = _by_visit(model, residual)
    correlated = len(model.structure.powers) > 1
    found = []
    for kept in KEPT if correlated else KEPT[:1]:
        covariances = [_definite(mean, count, kept) for mean, count in zip(means, counts, strict=True)]
        for share in SHARES if model.n_random else (0.0,):
            random = np.full(model.n_random, np.sqrt(share / max(model.n_random, 1)))
            groups = [model.structure.start((1 - share) * covariance) for covariance in covariances]
            found.append(np.concatenate([random, *groups]))
    return found


def _by_visit(model: Model, residual: Array) -> tuple[Array, Array]:
    """Mean product of residuals for each pair of visits, without the known variances, and its n, shape (G, T, T)."""
    G = model.n_group
    size = model.structure.matrix(np.ones(len(model.structure.powers)) * 0.5).shape[0]
    total, pairs = np.zeros(G * size**2), np.zeros(G * size**2)
    for blocks in model.blocks:
        values = residual[blocks.rows]
        products = values[:, :, None] * values[:, None, :]
        each = np.arange(values.shape[1])
        products[:, each, each] -= blocks.known[blocks.pattern]
        weight = blocks.weight[blocks.pattern]
        used = weight > 0
        ratio = np.where(used, products / np.where(used, weight, 1.0), 0.0)
        place = blocks.place[blocks.pattern].ravel()
        total += np.bincount(place, ratio.ravel(), total.size)
        pairs += np.bincount(place, used.ravel().astype(float), total.size)
    shape = (G, size, size)
    return (total / np.maximum(pairs, 1)).reshape(shape), pairs.reshape(shape)


def _definite(mean: Array, count: Array, kept: float) -> Array:
    """Positive definite matrix near to mean products, shape (T, T), with correlations times a factor."""
    n = np.diag(count)
    usual = max(float((np.diag(mean) * n).sum() / n.sum()), LEAST)
    sd = np.sqrt(np.where(n > 0, np.maximum(np.diag(mean), LEAST * usual), usual))
    correlation = kept * np.clip(mean / np.outer(sd, sd), -1, 1)
    np.fill_diagonal(correlation, 1.0)
    values, vectors = np.linalg.eigh(correlation)
    correlation = (vectors * np.maximum(values, (1 - kept) / 2)) @ vectors.T
    return np.asarray(correlation * np.outer(sd, sd))
