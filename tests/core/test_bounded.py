"""Bounded least squares for many curves at once, against scipy's and closed forms."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import least_squares, lsq_linear

from raphe.core.bounded import BoundedFit, bounded_fit, covariance_of_free
from raphe.core.linear import covariance
from raphe.core.linear import least_squares as linear

TIME = np.linspace(0.5, 30, 24)


def decay(theta, index):
    """a exp(-k t) + c and its derivatives."""
    a, k, c = (column[:, None] for column in theta.T)
    fade = np.exp(-k * TIME)
    return a * fade + c, np.stack([fade, -a * TIME * fade, np.ones_like(fade)], axis=-1)


def noisy(n, seed=0, level=0.02):
    rng = np.random.default_rng(seed)
    truth = np.column_stack([rng.uniform(1, 9, n), rng.uniform(0.03, 0.6, n), rng.uniform(0, 1, n)])
    weights = rng.uniform(0.5, 2, (n, TIME.size))
    return truth, decay(truth, None)[0] + level * rng.normal(size=(n, TIME.size)), weights


LOWER, UPPER = np.array([0.0, 0.001, 0.0]), np.array([20.0, 2.0, 5.0])


def test_ends_where_scipy_does():
    truth, curves, weights = noisy(40)
    found = bounded_fit(decay, np.full_like(truth, 0.5), curves, weights, LOWER, UPPER)
    assert found.converged.all()
    for row in range(len(truth)):
        root = np.sqrt(weights[row])

        def rest(theta, row=row, root=root):
            return root * (decay(theta[None], None)[0][0] - curves[row])

        best = least_squares(rest, truth[row], bounds=(LOWER, UPPER), xtol=1e-14, ftol=1e-14, gtol=1e-14)
        assert found.wrss[row] <= 2 * best.cost * (1 + 1e-9)
        np.testing.assert_allclose(found.theta[row], best.x, rtol=2e-5, atol=1e-5)


def test_without_noise_the_truth_is_found_to_the_last_digits():
    truth, curves, weights = noisy(40, level=0)
    found = bounded_fit(decay, np.full_like(truth, 0.5), curves, weights, LOWER, UPPER)
    np.testing.assert_allclose(found.theta, truth, rtol=1e-7, atol=1e-9)


def test_bounds_hold_as_in_a_linear_problem_with_bounds():
    rng = np.random.default_rng(5)
    design = rng.normal(size=(30, 4))
    curves = rng.normal(size=(60, 30))

    def line(theta, index):
        return theta @ design.T, np.broadcast_to(design, (len(theta), *design.shape))

    low, high = np.full(4, -0.1), np.array([0.05, 0.2, 0.1, 0.3])
    found = bounded_fit(line, np.zeros((60, 4)), curves, np.ones((60, 30)), low, high)
    for row, curve in enumerate(curves):
        best = lsq_linear(design, curve, (low, high), tol=1e-13, method="bvls")
        np.testing.assert_allclose(found.theta[row], best.x, atol=1e-7)
        at = np.isclose(best.x, low, atol=1e-9) | np.isclose(best.x, high, atol=1e-9)
        np.testing.assert_array_equal(found.at_bound[row], at)
    assert found.at_bound.any()


def test_each_curve_is_fitted_as_if_alone():
    truth, curves, weights = noisy(12)
    start = np.full_like(truth, 0.5)
    together = bounded_fit(decay, start, curves, weights, LOWER, UPPER)
    for row in range(12):
        alone = bounded_fit(
            lambda theta, index: decay(theta, None), start[[row]], curves[[row]], weights[[row]], LOWER, UPPER
        )
        np.testing.assert_array_equal(alone.theta[0], together.theta[row])


def test_the_better_of_two_searches_is_taken_curve_by_curve():
    truth, curves, weights = noisy(6)
    good = bounded_fit(decay, truth, curves, weights, LOWER, UPPER)
    stopped = bounded_fit(decay, np.full_like(truth, 1.9), curves, weights, LOWER, UPPER, most=1)
    best = stopped.better(good)
    np.testing.assert_array_equal(best.theta, good.theta)
    np.testing.assert_array_equal(best.converged, good.converged)


def test_covariance_is_of_what_no_bound_holds():
    truth, curves, weights = noisy(5)
    tight = np.array([20.0, 2.0, 0.0])
    found = bounded_fit(decay, truth, curves, weights, np.array([0.0, 0.001, -1.0]), tight)
    held = found.at_bound[:, 2]
    assert held.any()
    spread, singular = covariance_of_free(found, curves, weights)
    assert not singular.any()
    assert (spread[held][:, 2] == 0).all()
    assert (np.einsum("cpp->cp", spread)[:, :2] > 0).all()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_step_into_what_cannot_be_computed_is_refused(value):
    def cliff(theta, index):
        fitted, slope = decay(theta, index)
        return np.where(theta[:, :1] > 12, value, fitted), slope

    truth, curves, weights = noisy(8)
    found = bounded_fit(cliff, np.full_like(truth, 11.9), curves, weights, LOWER, UPPER)
    assert np.isfinite(found.theta).all()
    assert np.isfinite(found.wrss).all()


def test_random_curved_problems_end_where_scipy_does_with_parameters_at_bounds():
    """Sums of two exponentials with bounds that cut many of them off."""
    rng = np.random.default_rng(11)
    lower, upper = np.array([0.5, 0.05, 0.5, 0.3]), np.array([4.0, 0.2, 3.0, 0.9])
    n = 60

    def two(theta, index):
        a, k, b, m = (column[:, None] for column in theta.T)
        slow, fast = np.exp(-k * TIME), np.exp(-m * TIME)
        return a * slow + b * fast, np.stack([slow, -a * TIME * slow, fast, -b * TIME * fast], axis=-1)

    truth = np.column_stack([rng.uniform(low, high, n) for low, high in [(0, 5), (0, 0.3), (0, 4), (0.2, 1.2)]])
    weights = rng.uniform(0.5, 2, (n, TIME.size))
    curves = two(truth, None)[0] + 0.05 * rng.normal(size=(n, TIME.size))
    begun = np.broadcast_to((lower + upper) / 2, (n, 4))
    found = bounded_fit(two, begun, curves, weights, lower, upper)
    assert found.converged.all()
    assert (found.at_bound.sum(axis=1) >= 2).any()
    for row in range(n):

        def rest(theta, row=row):
            return np.sqrt(weights[row]) * (two(theta[None], None)[0][0] - curves[row])

        best = least_squares(rest, begun[row], bounds=(lower, upper), xtol=1e-13, ftol=1e-13, gtol=1e-13)
        assert found.wrss[row] <= 2 * best.cost * (1 + 1e-7)


def test_what_has_no_effect_stays_and_hinders_nothing():
    """The rate of a decay that is absent: its column is rounding error, and no step may be made of it."""
    truth, curves, weights = noisy(20)

    def spare(theta, index):
        fitted, slope = decay(theta[:, :3], index)
        return fitted, np.concatenate([slope, np.full((*fitted.shape, 1), 1e-17)], axis=-1)

    lower, upper = np.append(LOWER, 0.01), np.append(UPPER, 5.0)
    alone = bounded_fit(decay, np.full_like(truth, 0.5), curves, weights, LOWER, UPPER)
    for begun in (0.01, 2.0, 5.0):
        start = np.column_stack([np.full_like(truth, 0.5), np.full(20, begun)])
        found = bounded_fit(spare, start, curves, weights, lower, upper)
        np.testing.assert_allclose(found.wrss, alone.wrss, rtol=1e-9)
        np.testing.assert_array_equal(found.theta[:, 3], begun)
        np.testing.assert_array_equal(found.at_bound[:, 3], begun != 2.0)


def test_two_parameters_that_do_the_same_are_no_hindrance():
    truth, curves, weights = noisy(20)

    def doubled(theta, index):
        fitted, slope = decay(np.column_stack([theta[:, :2], theta[:, 2] + theta[:, 3]]), index)
        return fitted, np.concatenate([slope, slope[..., 2:]], axis=-1)

    lower, upper = np.append(LOWER, 0.0), np.append(UPPER, 5.0)
    alone = bounded_fit(decay, np.full_like(truth, 0.5), curves, weights, LOWER, UPPER)
    found = bounded_fit(doubled, np.full((20, 4), 0.5), curves, weights, lower, upper)
    np.testing.assert_allclose(found.wrss, alone.wrss, rtol=1e-9)
    _, singular = covariance_of_free(found, curves, weights)
    np.testing.assert_array_equal(singular, ~found.at_bound[:, 2:].any(axis=1))


@pytest.mark.parametrize("alike", [0.0, 1e-3, 1e-7, 1e-10])
def test_covariance_is_that_of_a_linear_solution_of_the_free_columns(alike):
    """Columns that are more and more alike, until they count as singular."""
    rng = np.random.default_rng(4)
    n, n_row = 30, 40
    jacobian = rng.normal(size=(n, n_row, 4)) * [1.0, 100.0, 1e-3, 5.0]
    if alike:
        jacobian[..., 1] = 100 * jacobian[..., 0] + alike * jacobian[..., 1]
    weights, fitted = rng.uniform(0.1, 3, (n, n_row)), rng.normal(size=(n, n_row))
    target, held = fitted + rng.normal(size=(n, n_row)), rng.random((n, 4)) < 0.2
    held[0] = True
    wrss = (weights * (target - fitted) ** 2).sum(axis=1)
    fit = BoundedFit(np.zeros((n, 4)), fitted, jacobian, wrss, held, np.ones(n, dtype=bool))
    found, singular = covariance_of_free(fit, target, weights)
    for row in range(n):
        free = np.flatnonzero(~held[row])
        if not free.size:
            assert not found[row].any()
            continue
        own = jacobian[[row]][..., free]
        solved = linear(own, (target - fitted)[[row]], weights[[row]])
        assert singular[row] == solved.singular[0]
        expected = np.zeros((4, 4))
        left = replace(solved, residual=(target - fitted)[[row]])
        expected[np.ix_(free, free)] = covariance(left, own, weights[[row]])[0]
        size = np.sqrt(np.diag(expected))
        scale = np.where(size > 0, size, 1.0)
        scaled = (found[row] - expected) / (scale[:, None] * scale)
        limit = 1e-10 if alike in (0.0, 1e-3) else 1e-7  # what rounding leaves grows with the condition
        np.testing.assert_allclose(scaled, np.where(np.isnan(expected), np.nan, 0.0), atol=limit)
    assert singular.any() == (alike == 1e-10)


def test_to_name_a_model_does_not_compile_anything():
    """Numba takes a second to import; a fit imports it, a list of models or a profile's module does not."""
    named = "raphe.cli, raphe.core.bounded, raphe.kinetics.profile, raphe.kinetics.models.lpntpet"
    told = subprocess.run(
        [sys.executable, "-c", f"import sys, {named}; print('numba' in sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert told.stdout.strip() == "False"
