"""The search over one rate constant against scipy's least squares in all parameters at once."""

import numpy as np
import pytest
from scipy.optimize import least_squares

from raphe.core import linear
from raphe.core.nonlinear import profile_fit
from raphe.core.rate_table import rate_table

TIME = np.linspace(0.5, 60, 25)
BOUNDS = (1e-3, 3.0)


def basis(rate):
    fade = np.exp(-np.asarray(rate)[:, None] * TIME)
    return np.stack([np.broadcast_to(1.0 + 0.01 * TIME, fade.shape), fade], axis=1)


def model(theta, rate):
    return theta[0] * (1 + 0.01 * TIME) + theta[1] * np.exp(-rate * TIME)


def noisy(n_curve=20, seed=4):
    rng = np.random.default_rng(seed)
    rate = np.exp(rng.uniform(np.log(0.01), np.log(0.8), n_curve))
    theta = rng.uniform([1, -5], [4, 5], (n_curve, 2))
    curves = np.array([model(t, k) for t, k in zip(theta, rate, strict=True)])
    return curves + 0.05 * rng.normal(size=curves.shape), rng.uniform(0.2, 4, curves.shape)


def test_minimum_is_that_of_scipy():
    curves, weights = noisy()
    found = profile_fit(rate_table(basis, BOUNDS), curves, weights)
    n_inside = 0
    for i, (curve, weight) in enumerate(zip(curves, weights, strict=True)):
        if found.at_bound[i]:
            continue
        n_inside += 1

        def residual(p, curve=curve, weight=weight):
            return np.sqrt(weight) * (model(p[:2], np.exp(p[2])) - curve)

        starts = [[1.0, 1.0, np.log(k)] for k in (0.003, 0.03, 0.3, 2.0)]
        best = min(
            (least_squares(residual, s, method="lm", xtol=1e-13, ftol=1e-13, gtol=1e-13) for s in starts),
            key=lambda fit: fit.cost,
        )
        assert found.wrss[i] == pytest.approx(2 * best.cost, rel=1e-8)
        assert found.rate[i] == pytest.approx(np.exp(best.x[2]), rel=1e-6)
        np.testing.assert_allclose(found.theta[i], best.x[:2], rtol=1e-6)
        np.testing.assert_allclose(found.fitted[i], model(best.x[:2], np.exp(best.x[2])), rtol=1e-6)
    assert n_inside > 15
    assert found.converged.all()
    assert not found.singular.any()


def test_covariance_is_the_sandwich_of_the_whole_jacobian():
    near = linear.NEIGHBOURS
    weights = noisy(3)[1]
    curves = np.array([model((2.0, 3.0), k) for k in (0.02, 0.05, 0.1)])
    curves += 0.05 * np.random.default_rng(1).normal(size=curves.shape)
    found = profile_fit(rate_table(basis, BOUNDS), curves, weights)
    for theta, rate, curve, w, fitted, spread in zip(
        found.theta, found.rate, curves, weights, found.fitted, found.covariance, strict=True
    ):
        jacobian = np.stack([1 + 0.01 * TIME, np.exp(-rate * TIME), -theta[1] * TIME * np.exp(-rate * TIME)], axis=-1)
        inverse = np.linalg.inv(jacobian.T @ (w[:, None] * jacobian))
        influence = inverse @ (jacobian * w[:, None]).T
        leverage = np.einsum("rp,pr->r", jacobian, influence)
        squares = w * ((curve - fitted) / (1 - leverage)) ** 2
        variance = np.array([squares[max(0, i - near) : i + near + 1].mean() for i in range(TIME.size)]) / w
        np.testing.assert_allclose(spread, influence @ np.diag(variance) @ influence.T, rtol=1e-5)


def test_noise_free_curves_give_back_the_truth():
    rate = np.array([0.002, 0.05, 1.5])
    curves = np.array([model((2.0, 3.0), k) for k in rate])
    found = profile_fit(rate_table(basis, BOUNDS), curves, np.ones_like(curves))
    np.testing.assert_allclose(found.rate, rate, rtol=1e-6)
    np.testing.assert_allclose(found.theta, [[2.0, 3.0]] * 3, rtol=1e-5)
    assert found.converged.all()
    assert not found.at_bound.any()


def test_a_rate_beyond_the_range_is_marked_at_its_bound():
    curves = np.array([model((2.0, 3.0), k) for k in (1e-5, 0.05, 8.0)])
    curves += 1e-6 * np.random.default_rng(0).normal(size=curves.shape)
    found = profile_fit(rate_table(basis, BOUNDS), curves, np.ones_like(curves))
    np.testing.assert_array_equal(found.at_bound, [True, False, True])
    np.testing.assert_allclose(found.rate[[0, 2]], BOUNDS)
    for i in (0, 2):  # the linear parameters are the best at the bound, not beyond it
        design = basis(found.rate[i : i + 1])[0].T
        best = np.linalg.lstsq(design, curves[i], rcond=None)[0]
        np.testing.assert_allclose(found.theta[i], best, rtol=1e-6)
        np.testing.assert_allclose(found.fitted[i], design @ best, rtol=1e-6)
        assert found.wrss[i] == pytest.approx(((curves[i] - design @ best) ** 2).sum(), rel=1e-6)


def test_each_curve_is_fitted_as_if_alone():
    curves, weights = noisy()
    together = profile_fit(rate_table(basis, BOUNDS), curves, weights)
    for i in (0, 7, 19):
        alone = profile_fit(rate_table(basis, BOUNDS), curves[i : i + 1], weights[i : i + 1])
        assert alone.rate[0] == pytest.approx(together.rate[i], rel=1e-7)
        np.testing.assert_allclose(alone.covariance[0], together.covariance[i], rtol=1e-5)


def test_a_curve_that_says_nothing_of_the_rate_is_not_passed_for_a_fit():
    """The second basis function has no part in the curve, so every rate fits alike."""
    curves = np.array([model((2.0, 0.0), 0.05)])
    found = profile_fit(rate_table(basis, BOUNDS), curves, np.ones_like(curves))
    assert found.singular[0] or found.at_bound[0] or not found.converged[0]


@pytest.mark.parametrize("bounds", [(1e-4, 2.0), (1e-6, 100.0), (0.01, 0.5)], ids=str)
def test_the_table_is_the_function_whatever_its_range(bounds):
    """Which a polynomial of a fixed degree would not be: between 1e-6 and 100 per minute it is off by a thousandth."""
    table = rate_table(basis, bounds)
    place = np.random.default_rng(0).uniform(0, len(table.value) - 1, 300)
    found = np.empty((place.size, TIME.size))
    for row, at in zip(found, place, strict=True):
        left = min(int(at), len(table.value) - 2)
        s, rise = at - left, table.value[left + 1] - table.value[left]
        first, last = table.slope[left], table.slope[left + 1]
        row[:] = table.value[left] + s * (first + s * (3 * rise - 2 * first - last + s * (first + last - 2 * rise)))
    exact = basis(table.rate(place))[:, 1]
    assert np.abs(found - exact).max() < 1e-8
