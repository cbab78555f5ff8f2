"""Linear least squares against numpy.linalg.lstsq; its covariances against loops by hand and against repeated noise."""

import numpy as np
import pytest

from raphe.core import linear
from raphe.core.frames import Frames
from raphe.core.sampling import sampling


def problem(n_curve=4, n_row=15, n_par=3, seed=0):
    rng = np.random.default_rng(seed)
    design = rng.normal(size=(n_curve, n_row, n_par)) * np.array([1.0, 1e4, 1e-5])[:n_par]
    left = rng.normal(size=(n_curve, n_row))
    return design, left, rng.uniform(0.1, 5, size=(n_curve, n_row))


def test_theta_is_that_of_lstsq():
    design, left, weights = problem()
    found = linear.least_squares(design, left, weights)
    for x, y, w, theta, residual, wrss in zip(
        design, left, weights, found.theta, found.residual, found.wrss, strict=True
    ):
        expected = np.linalg.lstsq(x * np.sqrt(w)[:, None], y * np.sqrt(w), rcond=None)[0]
        np.testing.assert_allclose(theta, expected, rtol=1e-9)
        np.testing.assert_allclose(residual, y - x @ expected, atol=1e-10)
        assert wrss == pytest.approx((w * (y - x @ expected) ** 2).sum(), rel=1e-10)
    assert not found.singular.any()


def test_influence_is_the_derivative_of_theta_by_the_left_side():
    design, left, weights = problem()
    found = linear.least_squares(design, left, weights)
    for row in (0, 7):
        moved = left.copy()
        moved[:, row] += 1
        by_row = linear.least_squares(design, moved, weights).theta - found.theta
        np.testing.assert_allclose(found.influence[:, :, row], by_row, rtol=1e-8, atol=1e-12)


def test_singular_designs_are_marked_and_harm_no_other():
    design, left, weights = problem()
    alone = linear.least_squares(design[:1], left[:1], weights[:1])
    design[1, :, 2] = 3 * design[1, :, 0]
    design[2, :, 1] = 0
    found = linear.least_squares(design, left, weights)
    np.testing.assert_array_equal(found.singular, [False, True, True, False])
    assert np.isnan(found.theta[1:3]).all()
    np.testing.assert_array_equal(found.theta[0], alone.theta[0])
    spread = linear.covariance(found, design, weights)
    assert np.isnan(spread[1:3]).all()
    assert np.isfinite(spread[[0, 3]]).all()


def test_the_design_as_its_own_instruments_gives_least_squares():
    design, left, weights = problem()
    plain, found = linear.least_squares(design, left, weights), linear.instrumental(design, design, left, weights)
    for name in ("theta", "influence", "residual", "wrss"):
        np.testing.assert_allclose(getattr(found, name), getattr(plain, name), rtol=1e-8, atol=1e-11)


def test_instruments_solve_their_moment_equations():
    design, left, weights = problem()
    instruments = design + np.random.default_rng(1).normal(size=design.shape) * np.array([0.3, 3e3, 3e-6])
    found = linear.instrumental(design, instruments, left, weights)
    for z, x, y, w, theta in zip(instruments, design, left, weights, found.theta, strict=True):
        np.testing.assert_allclose(theta, np.linalg.solve(z.T @ (w[:, None] * x), z.T @ (w * y)), rtol=1e-8)


def test_instruments_undo_what_noise_in_the_regressors_does():
    rng = np.random.default_rng(3)
    true = rng.normal(size=(200, 40, 2))
    theta = np.array([2.0, -1.0])
    seen = true + 0.5 * rng.normal(size=true.shape)
    left, ones = true @ theta, np.ones((200, 40))
    biased = linear.least_squares(seen, left, ones).theta.mean(axis=0)
    found = linear.instrumental(seen, true, left, ones).theta
    np.testing.assert_allclose(biased, theta / 1.25, rtol=0.02)  # attenuation: variance over variance and noise
    np.testing.assert_allclose(found.mean(axis=0), theta, atol=4 * found.std(axis=0).max() / np.sqrt(200))


def test_instruments_that_tell_nothing_are_marked():
    design, left, weights = problem()
    instruments = design.copy()
    instruments[1, :, 2] = instruments[1, :, 0]
    instruments[2, :, 1] = 0
    found = linear.instrumental(design, instruments, left, weights)
    np.testing.assert_array_equal(found.singular, [False, True, True, False])
    assert np.isnan(found.theta[1:3]).all()


def hc3(x, y, w, neighbours):
    """Covariance of theta by the sums of MacKinnon and White (1985), squares averaged over neighbouring rows."""
    inverse = np.linalg.inv(x.T @ np.diag(w) @ x)
    residual = y - x @ inverse @ x.T @ (w * y)
    scaled = [w[i] * (residual[i] / (1 - w[i] * x[i] @ inverse @ x[i])) ** 2 for i in range(len(y))]
    meat = np.zeros_like(inverse)
    for i in range(len(y)):
        near = scaled[max(0, i - neighbours) : i + neighbours + 1]
        variance = sum(near) / len(near) / w[i]
        meat += w[i] ** 2 * variance * np.outer(x[i], x[i])
    return inverse @ meat @ inverse


@pytest.mark.parametrize("neighbours", [0, 3])
def test_covariance_is_hc3(neighbours, monkeypatch):
    monkeypatch.setattr(linear, "NEIGHBOURS", neighbours)
    design, left, weights = problem()
    found = linear.covariance(linear.least_squares(design, left, weights), design, weights)
    for x, y, w, spread in zip(design, left, weights, found, strict=True):
        np.testing.assert_allclose(spread, hc3(x, y, w, neighbours), rtol=1e-8)


def test_covariance_of_a_frame_that_a_parameter_has_to_itself_is_finite():
    design, left, weights = problem(n_par=2)
    design[:, :, 1] = 0
    design[:, 4, 1] = 1
    spread = linear.covariance(linear.least_squares(design, left, weights), design, weights)
    assert np.isfinite(spread).all()
    assert (spread[:, 1, 1] > 0).all()


N = 40
FRAMES = Frames(np.arange(N) * 1.5, np.full(N, 1.5))


def two_sided(noise_sd, n_repeat, rows):
    """Fits of C = a B - k (integral of C), the data on both sides, to noisy repeats of one true curve."""
    L = sampling(FRAMES).integral
    source = 10 * FRAMES.mid * np.exp(-0.1 * FRAMES.mid)
    a, k = 1.3, 0.05
    truth = np.linalg.solve(np.eye(N) + k * L, a * source)
    curves = truth + noise_sd * np.random.default_rng(7).normal(size=(n_repeat, N))
    weights = np.broadcast_to(1 / noise_sd[rows] ** 2, (n_repeat, rows.size))
    design = np.stack([np.broadcast_to(source[rows], weights.shape), curves @ L[rows].T], axis=-1)
    solved = linear.least_squares(design, curves[:, rows], weights)
    select = np.eye(N)[rows]
    noise = select - solved.theta[:, 1, None, None] * L[rows]
    spread = linear.covariance_both_sides(
        solved, design, weights, noise, np.broadcast_to(1e3 * noise_sd**2, curves.shape)
    )
    return solved, spread, linear.covariance(solved, design, weights)


@pytest.mark.parametrize("first", [0, 8])
def test_covariance_with_data_on_both_sides_is_that_of_repeated_noise(first):
    """2,000 repeats know a variance to 3 %; HC3 errs to the wide by about the mean leverage, here 5 %."""
    noise_sd = 0.05 * np.linspace(1, 3, N)
    solved, spread, one_sided = two_sided(noise_sd, 2000, np.arange(first, N))
    found, scatter = spread.mean(axis=0), np.cov(solved.theta.T)
    np.testing.assert_allclose(found, scatter, rtol=0.12)
    ratio = np.diagonal(one_sided.mean(axis=0)) / np.diagonal(scatter)
    assert (np.abs(ratio - 1) > 0.3).any()  # taking the regressors for known would not do


def test_covariance_with_data_on_both_sides_survives_equations_that_cannot_be_inverted():
    design, left, weights = problem(n_curve=2, n_row=6, n_par=2)
    solved = linear.least_squares(design, left, weights)
    noise = np.broadcast_to(np.eye(6), (2, 6, 6)).copy()
    noise[1, 2] = 0
    found = linear.covariance_both_sides(solved, design, weights, noise, 1 / weights)
    np.testing.assert_allclose(found[0], linear.covariance(solved, design, weights)[0], rtol=1e-9)
    assert np.isfinite(found[1]).all()
