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
