"""The fit that the compartment models behind plasma share: exponentials, the share of blood, bounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from raphe.core import compartments
from raphe.core.bounded import BoundedFit, covariance_of_free
from raphe.core.compartments import Exponentials, Start, begin_alone, fit_within, tissue_with_blood
from raphe.core.responses import responses
from raphe.errors import ModelError
from raphe.kinetics.protocol import Problem, Solution, propagated
from raphe.kinetics.surface import Functions, Surface
from raphe.quality import Quality

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Index = npt.NDArray[np.intp]
Range = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Tissue:
    """Rate constants of each curve, found within bounds.

    Parameters
    ----------
    theta : ndarray, shape (n_curve, n_rate + 1)
        Rate constants and, last, the share of blood V_B.
    covariance : ndarray, shape (n_curve, n_rate + 1, n_rate + 1), or None
        0 for what is known or held by a bound; None where errors are not wanted.
    held : ndarray of bool, shape (n_curve, n_rate + 1)
        What a bound holds.
    fitted : ndarray, shape (n_curve, n_row)
    wrss : ndarray, shape (n_curve,)
        Weighted sum of squared residuals.
    converged, singular : ndarray of bool, shape (n_curve,)
    """

    theta: Array
    covariance: Array | None
    held: Flags
    fitted: Array
    wrss: Array
    converged: Flags
    singular: Flags

    def solution(self, problem: Problem, value: Array, gradient: Array, at_bound: Flags) -> Solution:
        """Solution of the problem: rate constants, V_B and functions of them.

        Parameters
        ----------
        problem : Problem
        value : ndarray, shape (n_curve, n_function)
            Functions of theta that follow it in the model's ``parameters``.
        gradient : ndarray, shape (n_curve, n_function, n_rate + 1)
            Their derivatives by theta.
        at_bound : ndarray of bool, shape (n_curve,)
            Where the bound that holds a parameter is the answer's, and not the data's.
        """
        quality = (
            np.where(at_bound, Quality.AT_BOUND, 0)
            | np.where(self.converged, 0, Quality.NOT_CONVERGED)
            | np.where(self.singular, Quality.SINGULAR, 0)
        )
        both = np.concatenate([self.theta, value], axis=1)
        if self.covariance is None:
            se = np.broadcast_to(np.nan, both.shape)
        else:
            own = np.sqrt(np.maximum(np.einsum("cpp->cp", self.covariance), 0))
            of_functions = propagated(gradient, self.covariance)
            of_functions[(of_functions == 0) & self.held.any(axis=1, keepdims=True)] = np.nan  # of what a bound holds
            se = np.concatenate([np.where(self.held, np.nan, own), of_functions], axis=1)
        return Solution(both, se, self.fitted, self.wrss, problem.rows, quality.astype(np.int64))


def fit_tissue(
    problem: Problem,
    exponentials: Callable[[Array], Exponentials],
    begin: Callable[[Start], Array],
    bounds: Sequence[Range],
    V_B: float | None,
    V_B_bounds: Range,
    slow_is_zero: bool = False,
    near: Solution | None = None,
    none_is_an_answer: int | None = None,
) -> Tissue:
    """Fit a sum of exponentials behind plasma, from the best combinations of a grid.

    Parameters
    ----------
    problem : Problem
    exponentials : callable
        One of :mod:`raphe.core.compartments`.
    begin : callable
        Rate constants of a start, shape (n_curve, n_rate).
    bounds : sequence of (float, float)
        Of each rate constant.
    V_B : float or None
        Share of blood; None to estimate it.
    V_B_bounds : (float, float)
    slow_is_zero : bool
        Whether the slower exponential does not fade.
    near : Solution, optional
        Answer whose first parameters are the rate constants near which the best are.
    none_is_an_answer : int, optional
        Number of a rate constant that may be 0 in truth: where its estimate is, the covariance has what it may be by
        the data all the same.
    """
    answers = responses(problem.sampling, problem.parent).rows(problem.rows)
    blood = problem.whole_blood[problem.rows] * (V_B != 0)
    curves, weights = problem.row_activity, problem.row_weights
    limits = np.array([*bounds, *([V_B_bounds] if V_B is None else [])])
    few = _without_repeats(weights)
    if len(bounds) == 2:
        start = begin_alone(answers, curves, few, blood, V_B, V_B_bounds, bounds[1])
    else:
        fastest = min(high for _, high in bounds[1:])
        rates = None if near is None else exponentials(near.value[:, : len(bounds)]).rate
        start = compartments.begin(
            answers, curves, few, blood, V_B, V_B_bounds, fastest, slow_is_zero=slow_is_zero, near=rates
        )
    k = begin(start) if V_B is not None else np.column_stack([begin(start), start.V_B])
    theta, beyond = np.clip(k, *limits.T), _beyond(start, k, limits)
    held, converged = (theta <= limits[:, 0]) | (theta >= limits[:, 1]), start.converged.copy()
    fitted, cost = start.fitted, start.cost.copy()
    if beyond.size:
        end = fit_within(answers, blood, V_B, k[beyond], curves[beyond], weights[beyond], limits)
        theta[beyond], fitted[beyond], cost[beyond] = end.theta, end.fitted, end.cost
        held[beyond], converged[beyond] = end.held, end.converged
    n, spread, singular = len(curves), None, np.zeros(len(curves), dtype=bool)
    if problem.errors:
        slopes = tissue_with_blood(answers, exponentials, blood, V_B)(theta, np.arange(n))[1]
        fixed = held.copy()
        if none_is_an_answer is not None:
            fixed[:, none_is_an_answer] &= theta[:, none_is_an_answer] > 0
        found = BoundedFit(theta, fitted, slopes, cost, fixed, converged)
        spread, singular = covariance_of_free(found, curves, weights)
    if V_B is not None:
        theta = np.column_stack([theta, np.full(n, V_B)])
        held = np.column_stack([held, np.zeros(n, dtype=bool)])
        spread = None if spread is None else np.pad(spread, ((0, 0), (0, 1), (0, 1)))
    return Tissue(theta, spread, held, fitted, cost, converged, singular)


def _without_repeats(weights: Array) -> Array:
    """Weights of the curves, or the one row of them that is the same for all."""
    same = len(weights) > 0 and bool((weights == weights[0]).all())
    return weights[:1] if same else weights


def _beyond(start: Start, k: Array, limits: Array) -> Index:
    """Curves whose rate constants are not within bounds, or were not found."""
    moved = (k < limits[:, 0]) | (k > limits[:, 1])
    if len(limits) > 3:
        single = (start.amplitude <= 0).any(axis=1)
        moved[single, 3] = False  # k4 has no effect where there is one exponential
    return np.flatnonzero(moved.any(axis=1) | start.at_edge | ~np.isfinite(start.cost))


def tissue_surface(
    problem: Problem,
    value: Array,
    exponentials: Callable[[Array], Exponentials],
    functions: Functions,
    bounds: Sequence[Range],
    V_B: float | None,
    V_B_bounds: Range,
) -> Surface:
    """Surface of a sum of exponentials behind plasma, for a model whose parameters begin with rate constants and V_B.

    Parameters
    ----------
    problem, exponentials, bounds, V_B, V_B_bounds
        As in :func:`fit_tissue`.
    value : ndarray, shape (n_curve, n_par)
        Estimates of the model's parameters.
    functions : callable
        Functions of rate constants and V_B, shape (m, n_rate + 1), that follow them, (m, n_function), and their
        derivatives, (m, n_function, n_rate + 1).
    """
    answers = responses(problem.sampling, problem.parent).rows(problem.rows)
    lower, upper = np.array([*bounds, *([V_B_bounds] if V_B is None else [])]).T
    n_free = len(lower)

    def parameters(theta: Array) -> tuple[Array, Array]:
        full = theta if V_B is None else np.column_stack([theta, np.full(len(theta), V_B)])
        derived, gradient = functions(full)
        own = np.broadcast_to(np.eye(full.shape[1]), (len(full), full.shape[1], full.shape[1]))
        slopes = np.concatenate([own, gradient], axis=1)
        return np.concatenate([full, derived], axis=1), slopes[..., :n_free]

    curve = tissue_with_blood(answers, exponentials, problem.whole_blood[problem.rows], V_B)
    return Surface(curve, value[:, :n_free], lower, upper, parameters)


def check_assumptions(model: str, V_B: float | None, bounds: Sequence[tuple[str, Range]]) -> None:
    """Refuse a share of blood or bounds that cannot be.

    Raises
    ------
    ModelError
    """
    if V_B is not None and not 0 <= V_B < 1:
        raise ModelError(f"{model}: the share of blood V_B is {V_B!r}; it must be from 0 to below 1, or be estimated")
    for name, (low, high) in bounds:
        if not 0 <= low < high < np.inf or (name == "V_B" and high > 1):
            raise ModelError(
                f"{model}: the bounds of {name} are {low!r} and {high!r}; give two ascending numbers from 0"
            )
