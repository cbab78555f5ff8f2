"""The lowest point of a mixed model's criterion: Newton's method with exact derivatives, damped where it must be."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from raphe.core.mixed_likelihood import Model, Point

Array = npt.NDArray[np.float64]

MOST_STEPS = 200

ENOUGH = 1e-13
"""Fall of D that the next step promises, at or below which the search is at its end."""

NOISE = 1e-11
"""Rise of D, relative to 1 + abs(D), that rounding alone can make."""

MOST_IDLE = 3
"""Steps in a row without a fall of D beyond rounding, after which a search stops."""

GOOD_ENOUGH = 1e-8
"""Fall of D that is still promised, relative to 1 + abs(D), at or below which a search that stopped is at its end."""

FLATTEST = 1e-9
"""Least curvature, relative to the largest, by which a step is divided."""

VANISHED = 3e-4
"""Root of a variance, the outcome's residual having variance 1, at or below which the variance is tried at 0."""


class Lowest(NamedTuple):
    """Where a search ended: free parameters, shape (R,), the point there, whether it is a minimum, and the steps."""

    eta: Array
    point: Point
    converged: bool
    steps: int


def lowest(model: Model, eta: Array, point: Point) -> Lowest:
    """Minimise D from free parameters, shape (R,), and the point there.

    The Hessian's eigenvalues are taken by their size, so that every step goes down (Dauphin et al. 2014, NeurIPS 27);
    where a step does not lower D, its curvatures grow until it does (Levenberg 1944, Q Appl Math 2:164).
    """
    converged, steps, idle = False, 0, 0
    while not converged and steps < MOST_STEPS:
        gradient, hessian = _free(model, eta, point)
        values, vectors = np.linalg.eigh(hessian)
        slope = vectors.T @ gradient
        size = np.maximum(np.abs(values), FLATTEST * np.abs(values).max())
        promised = 0.5 * float((slope**2 / size).sum())
        moved = _lower(model, eta, point, vectors, slope, size)
        enough = GOOD_ENOUGH * (1 + abs(point.value)) if moved is None or idle >= MOST_IDLE else ENOUGH
        converged = promised <= enough and bool((values > 0).all())
        if moved is None or idle >= MOST_IDLE:
            break
        idle = idle + 1 if moved[1].value > point.value - NOISE * (1 + abs(point.value)) else 0
        eta, point = moved
        steps += 1
    eta, point = _without_vanished(model, eta, point)
    return Lowest(eta, point, converged and _sound(model, point), steps)


def free_hessian(model: Model, eta: Array, point: Point) -> Array:
    """Second derivatives of D by the free parameters, shape (R, R)."""
    return _free(model, eta, point)[1]


def _free(model: Model, eta: Array, point: Point) -> tuple[Array, Array]:
    _, slope, curvature = model.natural(eta)
    hessian = slope.T @ point.hessian @ slope + (point.gradient @ curvature.reshape(eta.size, -1)).reshape(
        curvature.shape[1:]
    )
    return slope.T @ point.gradient, (hessian + hessian.T) / 2


def _lower(
    model: Model, eta: Array, point: Point, vectors: Array, slope: Array, size: Array
) -> tuple[Array, Point] | None:
    damping = 0.0
    for _ in range(40):
        tried = eta - vectors @ (slope / (size + damping))
        found = model.at(model.natural(tried).theta)
        if found is not None and found.value <= point.value + NOISE * (1 + abs(point.value)):
            promised = 0.5 * float((slope**2 / (size + damping)).sum())
            if promised <= 1e3 * NOISE * (1 + abs(point.value)) or found.value < point.value - 1e-4 * promised:
                return tried, found
        damping = max(4 * damping, 0.01 * float(np.median(size)))
    return None


def _without_vanished(model: Model, eta: Array, point: Point) -> tuple[Array, Point]:
    """Variances that are all but 0 set to it, where D does not rise."""
    small = np.abs(eta) <= VANISHED
    if model.structure.linear and len(model.structure.powers) == 1:
        may = small
    else:
        may = small & (np.arange(eta.size) < model.n_random)
    if not may.any():
        return eta, point
    tried = np.where(may, 0.0, eta)
    found = model.at(model.natural(tried).theta)
    if found is not None and found.value <= point.value + NOISE * (1 + abs(point.value)):
        return tried, found
    return eta, point


def _sound(model: Model, point: Point) -> bool:
    """Whether no pattern's covariance is all but singular: there the likelihood may grow without end."""
    for inverse in point.inverses:
        each = np.arange(inverse.shape[1])
        if (np.abs(inverse[:, each, each]).max() / np.abs(inverse[:, each, each]).min()) ** 2 > 1e12:
            return False
    return True
