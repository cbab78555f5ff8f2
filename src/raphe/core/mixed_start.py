"""Where the search for a mixed model's covariance parameters begins."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from raphe.core.mixed_likelihood import Model

Array = npt.NDArray[np.float64]

SHARES = (0.1, 0.4, 0.8)
"""Shares of the variance that random intercepts have at the start."""

KEPT = 0.8
"""Factor of the correlations at the start."""

LEAST = 0.1
"""Least variance at the start, the residual's mean square being 1."""


def starts(model: Model, residual: Array) -> list[Array]:
    """Free parameters, shape (R,), worth a try, from ordinary residuals, shape (n,), of mean square about 1."""
    covariances = _by_visit(model, residual)
    if model.n_random == 0:
        return [np.concatenate([model.structure.start(covariance) for covariance in covariances])]
    found = []
    for share in SHARES:
        random = np.full(model.n_random, np.sqrt(share / model.n_random))
        groups = [model.structure.start((1 - share) * covariance) for covariance in covariances]
        found.append(np.concatenate([random, *groups]))
    return found


def _by_visit(model: Model, residual: Array) -> list[Array]:
    """Positive definite covariance of the visits in each group, without the known variances."""
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
    found = []
    for sums, counts in zip(total.reshape(G, size, size), pairs.reshape(G, size, size), strict=True):
        mean = sums / np.maximum(counts, 1)
        seen = np.diag(counts) > 0
        usual = max(float(np.diag(sums).sum() / np.diag(counts).sum()), LEAST)
        variance = np.where(seen, np.maximum(np.diag(mean), LEAST * usual), usual)
        sd = np.sqrt(variance)
        correlation = KEPT * np.clip(mean / np.outer(sd, sd), -1, 1)
        np.fill_diagonal(correlation, 1.0)
        values, vectors = np.linalg.eigh(correlation)
        correlation = (vectors * np.maximum(values, LEAST)) @ vectors.T
        found.append(correlation * np.outer(sd, sd))
    return found
