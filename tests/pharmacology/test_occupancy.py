import math

import numpy as np
import pytest

from raphe.data.results import PairedValues
from raphe.errors import InputError
from raphe.pharmacology.occupancy import mean_interval, occupancy


def pairs(first, second, first_se=None, second_se=None, region="putamen"):
    n = len(first)
    unknown = [math.nan] * n
    arrays = (np.array(values, dtype=float) for values in (first, second, first_se or unknown, second_se or unknown))
    return PairedValues(region, tuple(f"{at:02}" for at in range(n)), *arrays)


def test_one_participant_by_hand():
    (row,), step = occupancy([pairs([2.0], [0.5], [0.1], [0.05])])
    assert row.value[0] == pytest.approx(0.75)
    # delta method: var(y / x) = (sy^2 + (y / x)^2 sx^2) / x^2
    assert row.se[0] == pytest.approx(math.sqrt(0.05**2 + 0.25**2 * 0.1**2) / 2)
    for end in (row.low[0], row.high[0]):
        r = 1 - end
        assert abs(0.5 - r * 2.0) / math.sqrt(0.05**2 + r**2 * 0.1**2) == pytest.approx(1.959964, rel=1e-6)
    assert math.isnan(row.mean.low)
    assert "two participants" in row.remark
    assert step.name == "occupancy"


def test_the_interval_covers_where_the_baseline_is_poor_and_the_delta_method_does_not():
    """BP_ND 0.3 with an error of 0.1: 4,000 scans, Monte-Carlo error 0.35 points."""
    random = np.random.default_rng(0)
    x, y = random.normal(0.3, 0.1, 4000), random.normal(0.06, 0.1, 4000)
    good = x > 0
    (row,), _ = occupancy([pairs(x[good], y[good], [0.1] * good.sum(), [0.1] * good.sum())])
    covered = np.mean((row.low <= 0.8) & (row.high >= 0.8))
    assert 0.95 - 4 * 0.0035 < covered < 0.95 + 4 * 0.0035
    delta = np.mean(np.abs(row.value - 0.8) <= 1.96 * row.se)
    assert abs(delta - 0.95) > 4 * 0.0035
    assert np.isinf(row.high[x[good] < 0.15]).all()


def test_the_mean_of_participants_and_the_ratio_of_means():
    first, second = [2.0, 1.6, 2.4, 1.8], [1.0, 0.7, 1.3, 0.8]
    (row,), _ = occupancy([pairs(first, second)])
    shares = 1 - np.array(second) / first
    half = 3.182446305284263 * shares.std(ddof=1) / 2  # t of 97.5 %, 3 df
    assert (row.mean.value, row.mean.low, row.mean.high) == pytest.approx(
        (shares.mean(), shares.mean() - half, shares.mean() + half)
    )
    assert row.of_means.value == pytest.approx(1 - sum(second) / sum(first))
    spread = np.cov(second, first) / 4
    for end in (row.of_means.low, row.of_means.high):
        r = 1 - end
        error = math.sqrt(spread[0, 0] - 2 * r * spread[0, 1] + r**2 * spread[1, 1])
        assert abs(np.mean(second) - r * np.mean(first)) / error == pytest.approx(3.182446305284263)
    assert row.why == ("a standard error is not known, so there is no interval",) * 4


def test_a_baseline_that_is_not_above_zero_gives_nothing_and_says_so():
    (row,), _ = occupancy([pairs([2.0, -0.1, 1.5], [1.0, 0.1, 0.6], [0.1] * 3, [0.1] * 3)])
    assert math.isnan(row.value[1])
    assert "not above 0" in row.why[1]
    assert row.mean.value == pytest.approx((0.5 + 0.6) / 2)
    assert "1 of 3 participants" in row.remark


def test_no_pair_is_an_error():
    with pytest.raises(InputError, match="no participant"):
        occupancy([pairs([], [])])


def test_the_mean_of_nothing_is_nothing():
    assert math.isnan(mean_interval([math.nan]).value)
    assert mean_interval([0.5, math.nan]).value == 0.5
