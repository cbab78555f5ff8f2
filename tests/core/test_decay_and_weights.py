import numpy as np
import pytest
from scipy.integrate import quad

from raphe.core import weights
from raphe.core.decay import decay_constant, remaining
from raphe.core.frames import Frames

FRAMES = Frames([-1.0, 0.0, 0.2, 5.0, 30.0], [1.0, 0.2, 1.0, 10.0, 60.0])


@pytest.mark.parametrize("half_life", [2.04, 20.364, 109.77, 1e6])
def test_remaining_is_the_mean_of_the_decay_over_the_frame(half_life):
    by_quadrature = [
        quad(lambda t: 2.0 ** (-t / half_life), a, a + d, epsabs=0, epsrel=1e-12)[0] / d
        for a, d in zip(FRAMES.start, FRAMES.duration, strict=True)
    ]
    np.testing.assert_allclose(remaining(FRAMES, half_life), by_quadrature, rtol=1e-11)


def test_decay_constant_halves_in_a_half_life():
    assert np.exp(-decay_constant(20.364) * 20.364) == pytest.approx(0.5, rel=1e-15)


def test_uniform_and_duration():
    np.testing.assert_array_equal(weights.uniform(FRAMES), np.ones(5))
    own = weights.duration(FRAMES)
    np.testing.assert_array_equal(own, FRAMES.duration)
    own[0] = 9  # a copy, not the schedule itself


def test_decay_weights_are_one_over_the_variance_of_decay_corrected_counts():
    """Counts N ~ Poisson(C d s) with s the share left; the corrected value N / (d s) has the variance C / (d s)."""
    activity = np.array([2.0, 4.0, 8.0, 6.0, 3.0])
    share = remaining(FRAMES, 20.364)
    rng = np.random.default_rng(3)
    scale = 1e4
    counts = rng.poisson(scale * activity * FRAMES.duration * share, size=(20_000, 5))
    variance = (counts / (scale * FRAMES.duration * share)).var(axis=0)
    product = weights.decay(FRAMES, 20.364, activity) * variance
    np.testing.assert_allclose(product / product.mean(), 1, atol=0.05)  # SD of a variance of 20,000 is 1 %


def test_frames_without_activity_get_the_floor_and_not_endless_weight():
    found = weights.decay(FRAMES, 20.364, np.array([0.0, -1.0, 100.0, 5.0, 10.0]))
    flat = weights.decay(FRAMES, 20.364)
    np.testing.assert_allclose(found / flat, [20, 20, 1, 20, 10], rtol=1e-12)  # 5 % of the highest is the floor


def test_decay_weights_of_many_curves_are_those_of_each():
    activity = np.random.default_rng(0).uniform(1, 10, (3, 5))
    found = weights.decay(FRAMES, 20.364, activity)
    for row, curve in zip(found, activity, strict=True):
        np.testing.assert_array_equal(row, weights.decay(FRAMES, 20.364, curve))


def test_scaled_weights_have_mean_one_over_the_fitted_frames():
    rows = np.array([1, 3, 4])
    found = weights.scaled(np.array([[1.0, 2, 3, 4, 5], [9.0, 1, 9, 1, 1]]), rows)
    np.testing.assert_allclose(found[:, rows].mean(axis=1), 1, rtol=1e-15)
    np.testing.assert_allclose(found[0] / found[0, 0], [1, 2, 3, 4, 5], rtol=1e-15)


def test_weights_of_activity_that_is_not_corrected_for_decay_leave_the_decay_out():
    """Corrected activity is the other over the remaining share, so its variance is that over the share squared."""
    frames, half_life = Frames(np.arange(0, 90, 10.0), np.full(9, 10.0)), 20.364
    share = remaining(frames, half_life)
    raw = np.linspace(30, 5, 9)
    plain = weights.decay(frames, half_life, raw, corrected=False)
    corrected = weights.decay(frames, half_life, raw / share)
    ratio = corrected / (plain * share**2)
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-12)


def test_residual_weights_find_the_frames_that_are_noisier_than_counts_say():
    rng = np.random.default_rng(4)
    n_curve, n_frame = 80, 40
    prior = rng.uniform(0.5, 2.0, (n_curve, 1)) * np.linspace(1, 3, n_frame)
    excess = np.ones(n_frame)
    excess[15:25] = 9.0
    residuals = rng.normal(size=(n_curve, n_frame)) * np.sqrt(excess / prior) * rng.uniform(0.2, 5, (n_curve, 1))
    found = weights.residual(prior, residuals, np.arange(n_frame))
    relative = (prior / found).mean(axis=0)
    inner, outer = relative[17:23].mean(), relative[[*range(12), *range(28, 40)]].mean()
    assert inner / outer == pytest.approx(9, rel=0.3)  # each curve's own level, from 40 frames, takes some of it
    np.testing.assert_allclose(prior / found, np.broadcast_to(relative, prior.shape), rtol=1e-12)


def test_residual_weights_leave_out_what_is_no_number_and_frames_that_are_not_fitted():
    prior = np.ones((3, 6))
    residuals = np.ones((3, 4))
    residuals[1, 2] = np.nan
    found = weights.residual(prior, residuals, np.array([0, 1, 3, 4]))
    np.testing.assert_allclose(found, 1)
    nothing = weights.residual(prior, np.full((3, 4), np.nan), np.array([0, 1, 3, 4]))
    np.testing.assert_array_equal(nothing, prior)


def test_scaled_weights_do_not_depend_on_how_they_lie_in_memory():
    rows = np.array([1, 3, 3, 4])
    own = np.random.default_rng(2).uniform(1, 9, (6, 5))
    expected = weights.scaled(own, rows)
    by_frame = weights.scaled(np.asfortranarray(own), rows)
    np.testing.assert_allclose(by_frame, expected, rtol=1e-15)
    assert by_frame.flags.f_contiguous
    shared = weights.scaled(np.broadcast_to(own[0], (7, 5)), rows)
    np.testing.assert_array_equal(shared, np.tile(expected[0], (7, 1)))
    assert weights.is_shared(shared)
