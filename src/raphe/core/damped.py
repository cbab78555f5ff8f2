"""What a bounded search does between two calls of its model, curve by curve, compiled.

Derivatives stand by parameter, shape (n_curve, n_par, n_row), so that sums over the rows run through memory.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.intp]

SHORT = 1e-10
"""Step in units of the parameters' own scale at which a search has settled."""

FLAT = 1e-11
"""Relative fall of the cost at which a search has settled."""

ORTHOGONAL = 1e-8
"""Cosine between the residuals and every free column of the Jacobian at which a search has settled."""

HOPELESS = 1e12
"""Damping at which a search is given up: no step lowers the cost."""

ALIKE = 1e-15
"""Pivot of a normal matrix of unit diagonal at or below which a parameter is a combination of others, and stays."""

compiled = njit(cache=True, error_model="numpy", fastmath={"reassoc", "contract", "arcp", "nsz"})


@compiled
def costs(target: Array, fitted: Array, weights: Array) -> Array:
    """Weighted sums of squared residuals, shape (n_curve,); infinite where one is not a number.

    Parameters
    ----------
    target, fitted, weights : ndarray, shape (n_curve, n_row)
    """
    found = np.empty(len(target))
    for c in range(len(target)):
        found[c] = _cost(target[c], fitted[c], weights[c])
    return found


@compiled
def steps(
    active: Numbers,
    theta: Array,
    fitted: Array,
    slopes: Array,
    cost: Array,
    damping: Array,
    target: Array,
    weights: Array,
    lower: Array,
    upper: Array,
) -> tuple[Array, Flags]:
    """Damped steps of some curves, on the parameters that no bound holds, cut off at the bounds.

    Parameters
    ----------
    active : ndarray of int, shape (m,)
        Numbers of the curves.
    theta : ndarray, shape (n_curve, n_par)
    fitted, target, weights : ndarray, shape (n_curve, n_row)
    slopes : ndarray, shape (n_curve, n_par, n_row)
        Derivatives of ``fitted`` by theta.
    cost, damping : ndarray, shape (n_curve,)
    lower, upper : ndarray, shape (n_par,)

    Returns
    -------
    trial : ndarray, shape (m, n_par)
        Where the steps lead.
    settled : ndarray of bool, shape (m,)
        Where nothing is left to gain, or the step is of no length.
    """
    n_par = theta.shape[1]
    trial, settled = np.empty((active.size, n_par)), np.zeros(active.size, dtype=np.bool_)
    normal, gradient, step = np.empty((n_par, n_par)), np.empty(n_par), np.empty(n_par)
    room, part = np.empty((n_par, n_par)), np.empty((2, n_par))
    free, moved = np.empty(n_par, dtype=np.bool_), np.empty(n_par, dtype=np.bool_)
    work = np.empty(target.shape[1])
    for k in range(active.size):
        c = active[k]
        here = theta[c]
        _normal(slopes[c], weights[c], target[c], fitted[c], normal, gradient, work)
        orthogonal = True
        for p in range(n_par):
            free[p] = not (
                _pushed(here[p], gradient[p], lower[p], upper[p]) or _idle(normal[p, p], cost[c], lower[p], upper[p])
            )
            if free[p] and not abs(gradient[p]) <= ORTHOGONAL * np.sqrt(normal[p, p] * cost[c]):
                orthogonal = False
        _step(normal, gradient, free, damping[c], here, lower, upper, step, moved, room, part)
        longest = 0.0
        for p in range(n_par):
            trial[k, p] = min(max(here[p] + step[p], lower[p]), upper[p])
            longest = max(longest, abs(trial[k, p] - here[p]) * np.sqrt(normal[p, p]))
        settled[k] = orthogonal or longest <= SHORT * np.sqrt(max(cost[c], 1e-300))
    return trial, settled


@compiled
def taken(
    active: Numbers,
    trial: Array,
    value: Array,
    slope: Array,
    theta: Array,
    fitted: Array,
    slopes: Array,
    cost: Array,
    damping: Array,
    growth: Array,
    target: Array,
    weights: Array,
    nothing: Array,
) -> Flags:
    """Take the steps that lower the cost, in place, and set the damping of the next.

    Parameters
    ----------
    active : ndarray of int, shape (m,)
        Numbers of the curves that have tried a step.
    trial, value, slope : ndarray, shape (m, n_par), (m, n_row) and (m, n_par, n_row)
        Where the steps have led, and the model there.
    theta, fitted, slopes, cost, damping, target, weights
        As in :func:`steps`.
    growth : ndarray, shape (n_curve,)
        Factor by which the damping rises if the next step is refused.
    nothing : ndarray, shape (n_curve,)
        Cost at which nothing is left to fit.

    Returns
    -------
    ndarray of bool, shape (m,)
        Where the search has settled.
    """
    settled = np.zeros(active.size, dtype=np.bool_)
    for k in range(active.size):
        c = active[k]
        new = _cost(target[c], value[k], weights[c])
        settled[k] = cost[c] <= nothing[c]
        if new < cost[c]:
            settled[k] = settled[k] or cost[c] - new <= FLAT * cost[c]
            theta[c], fitted[c], slopes[c], cost[c] = trial[k], value[k], slope[k], new
            damping[c] = max(damping[c] / 5, 1e-12)
            growth[c] = 2.0
        else:
            damping[c] *= growth[c]
            growth[c] *= 2
            settled[k] = settled[k] or damping[c] > HOPELESS
    return settled


@compiled
def held(
    theta: Array, fitted: Array, slopes: Array, cost: Array, target: Array, weights: Array, lower: Array, upper: Array
) -> Flags:
    """Parameters that lie at a bound and would go beyond, or have no effect there.

    Parameters
    ----------
    theta, fitted, slopes, cost, target, weights, lower, upper
        As in :func:`steps`.

    Returns
    -------
    ndarray of bool, shape (n_curve, n_par)
    """
    found = np.zeros(theta.shape, dtype=np.bool_)
    for c in range(len(theta)):
        for p in range(theta.shape[1]):
            if theta[c, p] <= lower[p] or theta[c, p] >= upper[p]:
                gradient = normal = 0.0
                for r in range(target.shape[1]):
                    weighted = slopes[c, p, r] * weights[c, r]
                    gradient += weighted * (target[c, r] - fitted[c, r])
                    normal += weighted * slopes[c, p, r]
                idle = gradient == 0 or _idle(normal, cost[c], lower[p], upper[p])
                found[c, p] = idle or _pushed(theta[c, p], gradient, lower[p], upper[p])
    return found


@compiled
def _cost(target: Array, fitted: Array, weights: Array) -> float:
    """Weighted sum of squared residuals of one curve; infinite where it is not a number."""
    total = 0.0
    for r in range(target.size):
        total += weights[r] * (target[r] - fitted[r]) ** 2
    return total if np.isfinite(total) else np.inf


@compiled
def _pushed(value: float, gradient: float, low: float, high: float) -> bool:
    """Whether a parameter lies at a bound and the gradient would take it beyond."""
    return (value <= low and gradient < 0) or (value >= high and gradient > 0)


@compiled
def _idle(normal: float, cost: float, low: float, high: float) -> bool:
    """Whether a parameter's whole range would not move the curve by as much as a step of no length: it stays."""
    return normal * (high - low) ** 2 <= SHORT * SHORT * cost


@compiled
def _normal(slope: Array, w: Array, y: Array, fitted: Array, normal: Array, gradient: Array, work: Array) -> None:
    """Normal matrix and gradient of one curve."""
    for p in range(len(slope)):
        for r in range(w.size):
            work[r] = w[r] * slope[p, r]
        total = 0.0
        for r in range(w.size):
            total += work[r] * (y[r] - fitted[r])
        gradient[p] = total
        for q in range(p + 1):
            total = 0.0
            for r in range(w.size):
                total += work[r] * slope[q, r]
            normal[p, q] = normal[q, p] = total


@compiled
def _step(
    normal: Array, gradient: Array, free: Flags, damping: float, here: Array, lower: Array, upper: Array,
    step: Array, moved: Flags, room: Array, part: Array,
) -> None:  # fmt: skip
    """Damped step of the free parameters; those that it would carry over a bound go to the bound, the others adapt."""
    n_par = gradient.size
    step[:], moved[:] = 0.0, free
    for _ in range(n_par):
        _solve(normal, gradient, damping, moved, step, room, part)
        over = False
        for p in range(n_par):
            if moved[p] and not lower[p] <= here[p] + step[p] <= upper[p]:
                step[p] = min(max(here[p] + step[p], lower[p]), upper[p]) - here[p]
                moved[p], over = False, True
        if not over:
            break


@compiled
def _solve(normal: Array, gradient: Array, damping: float, moved: Flags, step: Array, root: Array, part: Array) -> None:
    """Steps of the parameters that move, given those of the others: Cholesky's factors of a matrix of unit diagonal."""
    n_par = gradient.size
    size, right = part[0], part[1]
    for p in range(n_par):
        size[p] = 1 / np.sqrt(normal[p, p] * (1 + damping)) if moved[p] and normal[p, p] > 0 else 0.0
    for p in range(n_par):
        rest = gradient[p]
        for q in range(n_par):
            if not moved[q]:
                rest -= normal[p, q] * step[q]
        total = 1.0 if size[p] > 0 else 0.0
        right[p] = rest * size[p]
        for q in range(p):
            cross = normal[p, q] * size[p] * size[q]
            for k in range(q):
                cross -= root[p, k] * root[q, k]
            root[p, q] = cross / root[q, q] if root[q, q] > 0 else 0.0
            total -= root[p, q] * root[p, q]
            right[p] -= root[p, q] * right[q]
        root[p, p] = np.sqrt(total) if total > ALIKE else 0.0
        right[p] = right[p] / root[p, p] if root[p, p] > 0 else 0.0
    for p in range(n_par - 1, -1, -1):
        for q in range(p + 1, n_par):
            right[p] -= root[q, p] * right[q]
        right[p] = right[p] / root[p, p] if root[p, p] > 0 else 0.0
        if moved[p]:
            step[p] = right[p] * size[p]
