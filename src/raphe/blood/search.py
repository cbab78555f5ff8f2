"""Weighted least squares of few samples with bounds, from many starts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.optimize import OptimizeResult, least_squares, nnls

from raphe.blood.protocol import Curve, Parameter, Problem, Solution
from raphe.quality import Quality

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

N_POLISHED = 7
"""Starts, the best of all that were compared, from which the search goes to its end."""

N_AGREED = 3
"""Searches that end at the same lowest minimum, after which no other start is followed."""

ALIKE = 1e-7
"""Relative difference of two sums of squares that count as the same."""

ROUNDING = 1e-20
"""Sum of squares, in units of the largest sample's, of a fit that is exact."""

MOST_EVALUATIONS = 300
"""Steps after which a search counts as not converged."""

STILL = 1e-11
"""Relative change of cost, parameters or slope at which a search ends."""

STEP = float(np.finfo(float).eps ** (1 / 3))
"""Half of the difference by which slopes are found, over the coordinate or 1."""

CLOSE = 1e-2
"""Share of the searched range within which the end itself is tried."""

NEAR_BOUND = 1e-6
"""Share of the searched range within which an estimate counts as being at its end."""

DETERMINED = 1e-6
"""Smallest to largest singular value of the Jacobian, columns scaled alike, at or below which it counts as singular."""


def search(model: Curve, problem: Problem) -> Solution:
    r"""Fit a model with an equation.

    The starts that the model proposes are compared, the best :data:`N_POLISHED` are followed to a minimum by a bounded
    trust region, and the lowest minimum is taken. Nothing is random. The covariance is
    :math:`\sigma^2 (J' W J)^{-1}` over the parameters that are not at a bound.
    """
    scale = _scale(model.parameters, problem)
    used = problem.weights > 0
    part = Problem(problem.time[used], problem.value[used], problem.weights[used])
    best = _lowest(model, part, scale)
    theta = model.ordered(scale.back(best.x))
    fitted = model.curve(theta, problem.time)
    residual = part.value - fitted[used]
    wrss = float((part.weights * residual**2).sum())
    at_low, at_high = scale.at_bounds(theta)
    at = np.where(at_low, scale.low, np.where(at_high, scale.high, scale.forward(theta)))
    small = 1e-6 * np.maximum(np.abs(at), 1e-2)
    jacobian = _jacobian(lambda z: model.curve(scale.back(z), part.time), at, scale, small)
    free = ~(at_low | at_high)
    covariance, singular = _covariance(jacobian, part, wrss, free, scale.slope(theta))
    quality = (
        (Quality.NOT_CONVERGED if best.status <= 0 else Quality.GOOD)
        | (Quality.SINGULAR if singular else Quality.GOOD)
        | (Quality.AT_BOUND if scale.at_end_of_search(at_low, at_high) else Quality.GOOD)
    )
    kinks = np.asarray(model.kinks(theta), dtype=float)
    return Solution(theta, covariance, fitted, wrss, len(theta), int(quality), lambda t: model.curve(theta, t), kinks)


def linear_starts(nonlinear: Array, basis: Callable[[Array], Array], problem: Problem, *, positive: bool) -> Array:
    """Best amplitudes at each set of the other parameters.

    Parameters
    ----------
    nonlinear : ndarray, shape (n_start, n_nonlinear)
    basis : callable
        Takes ``nonlinear`` and gives the terms that the amplitudes multiply, (n_start, n_linear, n_sample).
    problem : Problem
    positive : bool
        Whether no amplitude may be negative.

    Returns
    -------
    ndarray, shape (n_start, n_linear)
    """
    root = np.sqrt(problem.weights)
    left = root * problem.value / problem.peak
    found = []
    for terms in basis(nonlinear):
        design = (root * terms).T
        found.append(nnls(design, left)[0] if positive else np.linalg.lstsq(design, left, rcond=1e-10)[0])
    return np.array(found) * problem.peak


class _Scale:
    """Search coordinates: logarithms, or shares of the samples' peak."""

    def __init__(self, parameters: tuple[Parameter, ...], peak: float) -> None:
        self.parameters = parameters
        self.log = np.array([p.logarithmic for p in parameters], dtype=bool)
        self.unit = np.array([peak if p.of_peak else 1.0 for p in parameters])
        ends = np.array([(p.low, p.high) for p in parameters], dtype=float)
        self.low, self.high = (np.where(self.log, np.log(np.where(self.log, e, 1.0)), e) for e in ends.T)

    def forward(self, theta: Array) -> Array:
        ratio = theta / self.unit
        return np.where(self.log, np.log(np.where(self.log, np.maximum(ratio, 1e-300), 1.0)), ratio)

    def back(self, z: Array) -> Array:
        return np.asarray(np.where(self.log, np.exp(np.where(self.log, z, 0.0)), z) * self.unit)

    def slope(self, theta: Array) -> Array:
        """Derivative of the parameters by the search coordinates."""
        return np.where(self.log, theta, self.unit)

    def at_bounds(self, theta: Array) -> tuple[Flags, Flags]:
        z, near = self.forward(theta), NEAR_BOUND * (self.high - self.low)
        return z <= self.low + near, z >= self.high - near

    def at_end_of_search(self, at_low: Flags, at_high: Flags) -> bool:
        return any(
            (low and not p.low_is_physical) or (high and not p.high_is_physical)
            for p, low, high in zip(self.parameters, at_low, at_high, strict=True)
        )


def _scale(parameters: tuple[Parameter, ...], problem: Problem) -> _Scale:
    return _Scale(parameters, problem.peak)


def _lowest(model: Curve, problem: Problem, scale: _Scale) -> OptimizeResult:
    root = np.sqrt(problem.weights / problem.weights.mean()) / problem.peak
    starts = np.clip(scale.forward(model.starts(problem)), scale.low, scale.high)
    cost = ((root * (problem.value - model.curve(scale.back(starts), problem.time))) ** 2).sum(axis=-1)

    def drawn(z: Array) -> Array:
        return np.asarray(model.curve(scale.back(z), problem.time))

    def residual(z: Array) -> Array:
        return np.asarray(root * (problem.value - drawn(z)))

    def slopes(z: Array) -> Array:
        return np.asarray(-root[:, None] * _jacobian(drawn, z, scale, STEP * np.maximum(np.abs(z), 1.0)))

    picked, n_kinks = _picked(model, scale.back(starts), cost)
    found: list[OptimizeResult] = []
    for i in picked:
        found.append(_polished(residual, slopes, starts[i], scale))
        if len(found) >= n_kinks and len(_alike(found)) >= N_AGREED:
            break
    return min(_alike(found), key=lambda result: (result.status <= 0, float(result.cost)))


def _alike(found: list[OptimizeResult]) -> list[OptimizeResult]:
    """Those that ended at the lowest minimum."""
    lowest = min(result.cost for result in found)
    return [result for result in found if result.cost <= lowest * (1 + ALIKE) + ROUNDING]


def _picked(model: Curve, starts: Array, cost: Array) -> tuple[list[int], int]:
    """Starts to follow: first the best for each place of the kinks, in which the cost is not smooth, then the rest.

    Returns them and the number of the former.
    """
    order = [int(i) for i in np.argsort(cost, kind="stable")]
    first: dict[tuple[float, ...], int] = {}
    for i in order:
        first.setdefault(tuple(np.asarray(model.kinks(starts[i])).tolist()), i)
    own = set(first.values())
    return [*first.values(), *(i for i in order if i not in own)][:N_POLISHED], min(len(first), N_POLISHED)


def _polished(
    residual: Callable[[Array], Array], slopes: Callable[[Array], Array], start: Array, scale: _Scale
) -> OptimizeResult:
    """Minimum from one start; a parameter that ends close to a bound is tried at it.

    The trust region that reflects at bounds finds its way from afar, but never quite arrives at one.
    """

    def minimum(x: Array, method: str) -> OptimizeResult:
        return least_squares(
            residual, x, jac=slopes, bounds=(scale.low, scale.high), method=method, x_scale="jac",
            xtol=STILL, ftol=STILL, gtol=STILL, max_nfev=MOST_EVALUATIONS,
        )  # fmt: skip

    found = minimum(start, "trf")
    share = (found.x - scale.low) / (scale.high - scale.low)
    snapped = np.where(share < CLOSE, scale.low, np.where(share > 1 - CLOSE, scale.high, found.x))
    if (snapped != found.x).any():
        again = minimum(snapped, "dogbox")
        if again.cost <= found.cost * (1 + 1e-9):
            return again
    return found


def _jacobian(curve: Callable[[Array], Array], z: Array, scale: _Scale, step: Array) -> Array:
    """Derivative of the curve by the search coordinates, shape (n_sample, n_par), by central differences.

    All curves are drawn in one call, shape (2 n_par, n_sample). At a bound the difference is of one side.
    """
    up, down = np.minimum(z + step, scale.high), np.maximum(z - step, scale.low)
    own = np.eye(z.size, dtype=bool)
    found = curve(np.concatenate([np.where(own, up, z), np.where(own, down, z)]))
    return np.asarray(((found[: z.size] - found[z.size :]) / (up - down)[:, None]).T)


def _covariance(jacobian: Array, problem: Problem, wrss: float, free: Flags, slope: Array) -> tuple[Array, bool]:
    n_sample, n_par = jacobian.shape
    covariance = np.full((n_par, n_par), np.nan)
    if n_sample <= n_par:
        return covariance, True
    scaled = np.sqrt(problem.weights)[:, None] * jacobian[:, free]
    norm = np.linalg.norm(scaled, axis=0)
    if not free.any():
        return covariance, False
    if (norm == 0).any():
        return covariance, True
    _, s, vt = np.linalg.svd(scaled / norm, full_matrices=False)
    if s[-1] <= DETERMINED * s[0]:
        return covariance, True
    root = vt.T / s / norm[:, None] * slope[free][:, None]
    covariance[np.ix_(free, free)] = wrss / (n_sample - n_par) * (root @ root.T)
    return covariance, False
