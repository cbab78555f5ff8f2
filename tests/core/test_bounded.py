"""Bounded least squares for many curves at once, against scipy's and closed forms."""

import numpy as np
import pytest
from scipy.optimize import least_squares, lsq_linear

from raphe.core.bounded import bounded_fit, covariance_of_free

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
