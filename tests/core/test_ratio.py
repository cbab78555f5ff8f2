import math

import numpy as np
import pytest

from raphe.core.ratio import fieller, standard_error


@pytest.mark.parametrize("covariance", [0.0, 0.006, -0.01])
def test_at_the_ends_the_difference_is_just_so_many_errors_from_zero(covariance):
    top, bottom, var_top, var_bottom = 0.8, 2.0, 0.02, 0.03
    low, high = fieller(top, bottom, var_top, var_bottom, covariance, 1.96)
    for r in (low, high):
        error = math.sqrt(var_top - 2 * r * covariance + r**2 * var_bottom)
        assert abs(top - r * bottom) / error == pytest.approx(1.96)
    assert low < top / bottom < high


def test_with_a_bottom_that_is_known_it_is_the_plain_interval():
    assert fieller(1.0, 2.0, 0.04, 0.0, 0.0, 2.0) == pytest.approx((0.3, 0.7))


def test_a_bottom_that_may_be_zero_sets_no_limits():
    assert fieller(1.0, 0.5, 0.01, 0.09, 0.0, 1.96) == (-math.inf, math.inf)
    assert math.isnan(fieller(1.0, 0.5, math.nan, math.nan, 0.0, 1.96)[0])


def test_the_interval_of_small_errors_is_that_of_the_delta_method():
    low, high = fieller(0.8, 2.0, 2e-8, 3e-8, 1e-8, 1.96)
    assert (high - low) / 2 == pytest.approx(1.96 * standard_error(0.8, 2.0, 2e-8, 3e-8, 1e-8), rel=1e-4)


def test_the_error_of_a_ratio_is_that_of_simulation():
    random = np.random.default_rng(0)
    spread = np.array([[0.0004, 0.0001], [0.0001, 0.0009]])
    top, bottom = random.multivariate_normal([1.0, 2.0], spread, size=200_000).T
    expected = standard_error(1.0, 2.0, 0.0004, 0.0009, 0.0001)
    assert np.std(top / bottom) == pytest.approx(expected, rel=0.01)  # Monte-Carlo error 0.16 %
    assert math.isnan(standard_error(1.0, 0.0, 1.0, 1.0))
