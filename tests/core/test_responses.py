"""The table of answers against the exact convolution that it interpolates."""

import numpy as np
import pytest

from raphe.core.frames import Frames
from raphe.core.piecewise import PiecewiseLinear
from raphe.core.responses import answers, responses
from raphe.core.sampling import CONVENTIONS, sampling

INPUT = PiecewiseLinear([0.2, 0.5, 0.8, 1.5, 4.0, 20.0, 95.0], [0.0, 90.0, 60.0, 20.0, 9.0, 4.0, 1.0])
FRAMES = Frames(np.concatenate([np.arange(0, 3, 0.25), np.arange(3, 93, 5)]), [0.25] * 12 + [5.0] * 18)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_any_rate_is_answered_as_the_exact_convolution_does(convention):
    sampled = sampling(FRAMES, convention)
    rate = np.concatenate([[0.0, 1e-9, 1e-6, 39.9], np.exp(np.random.default_rng(1).uniform(-9, 3.5, 400))])
    value, by_rate = responses(sampled, INPUT).at(rate)
    exact = sampled.convolve(INPUT, rate + 1e-30j)
    np.testing.assert_allclose(value, exact.real, rtol=0, atol=1e-9 * np.abs(exact.real).max())
    slope = exact.imag / 1e-30
    np.testing.assert_allclose(by_rate, slope, rtol=0, atol=1e-6 * np.abs(slope).max())


def test_rates_of_any_shape_and_places_are_inverse():
    table = responses(sampling(FRAMES), INPUT)
    rate = np.array([[0.001, 0.1], [1.0, 10.0], [0.0, 0.3]])
    assert table.at(rate)[0].shape == (3, 2, len(FRAMES))
    np.testing.assert_allclose(table.rate(table.place(rate)), rate, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("delay", [-0.4, 0.3])
def test_a_delay_is_that_of_the_input(convention, delay):
    sampled = sampling(FRAMES, convention)
    rate = np.array([0.0, 0.02, 0.5])
    later = answers(INPUT).seen(sampled, delay).at(rate)[0]
    np.testing.assert_allclose(later, responses(sampled, INPUT.shifted(delay)).at(rate)[0], rtol=1e-8, atol=1e-8)


def test_some_frames_alone():
    table = responses(sampling(FRAMES), INPUT)
    rows = np.array([3, 7, 7, 20])
    np.testing.assert_array_equal(table.rows(rows).at(np.array([0.07]))[0], table.at(np.array([0.07]))[0][:, rows])


def test_one_table_serves_equal_curves_and_schedules():
    once = responses(sampling(FRAMES), INPUT)
    assert responses(sampling(Frames(FRAMES.start, FRAMES.duration)), PiecewiseLinear(INPUT.time, INPUT.value)) is once
    assert responses(sampling(FRAMES), INPUT.scaled(1.01)) is not once
    assert responses(sampling(FRAMES, "midframe"), INPUT) is not once
