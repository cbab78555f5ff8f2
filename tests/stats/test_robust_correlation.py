"""Robust correlations, by their definition and by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from raphe.errors import InputError
from raphe.stats.robust_correlation import outliers, percentage_bend, skipped


def cloud(n=24, seed=1, rho=0.0):
    rng = np.random.default_rng(seed)
    x, e = rng.normal(size=(2, n))
    return x, rho * x + math.sqrt(1 - rho**2) * e


def test_outliers_by_the_definition_in_loops():
    """Wilcox's projections, written out: one line through each point, ideal fourths of the distances along it."""
    x, y = cloud()
    x[0], y[0] = 6.0, -5.0

    def fourths(values):
        values = sorted(values)
        n = len(values)
        j = int(n / 4 + 5 / 12)
        h = n / 4 + 5 / 12 - j
        return (1 - h) * values[j - 1] + h * values[j], (1 - h) * values[n - j] + h * values[n - j - 1]

    scaled = []
    for values in (x, y):
        low, high = fourths(values)
        scaled.append((values - np.median(values)) / (high - low))
    odd = set()
    for a, b in zip(*scaled, strict=True):
        length = math.hypot(a, b)
        distances = [abs(u * a + v * b) / length for u, v in zip(*scaled, strict=True)]
        low, high = fourths(distances)
        limit = np.median(distances) + math.sqrt(stats.chi2.ppf(0.975, 2)) * (high - low)
        odd |= {at for at, distance in enumerate(distances) if distance > limit}
    assert 0 in odd
    assert set(np.flatnonzero(outliers(x, y)).tolist()) == odd


def test_units_do_not_matter_and_repeats_are_told_apart():
    x, y = cloud()
    x[3] = 7.0
    both = outliers(np.stack([x, y]), np.stack([1000 * y + 5, x]))
    np.testing.assert_array_equal(both[0], outliers(x, y))
    np.testing.assert_array_equal(both[1], outliers(y, x))


@pytest.mark.parametrize(("method", "r"), [("spearman", stats.spearmanr), ("pearson", stats.pearsonr)])
def test_skipped_is_the_correlation_of_the_others(method, r):
    x, y = cloud(rho=0.6)
    x[0], y[0], x[1], y[1] = 6.0, -6.0, 5.0, -7.0
    found = skipped(x, y, method=method)
    kept = ~outliers(x, y)
    assert found.n_outlier == (~kept).sum() >= 2
    assert found.r == pytest.approx(r(x[kept], y[kept]).statistic)
    assert found.low < found.r < found.high
    assert found.r > 0.3 > r(x, y).statistic


def test_without_outliers_it_is_the_plain_correlation():
    x = np.arange(12.0)
    y = np.array([1.0, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10])
    found = skipped(x, y, method="pearson")
    assert found.n_outlier == 0
    assert found.r == pytest.approx(stats.pearsonr(x, y).statistic)
    assert found.p == pytest.approx(1 / 2001)  # no pairing is as large: the floor of 2000 repeats


def test_percentage_bend_by_hand():
    """x: median 4, five of six values within 3: scale |1 - 4| = 3 is the fifth distance; 30 is bent to 1."""
    x = np.array([1.0, 2.0, 3.0, 5.0, 6.0, 30.0])
    y = np.array([2.0, 1.0, 4.0, 3.0, 6.0, 5.0])
    # omega = |.| in order: 1, 1, 2, 2, 3, 26; m = floor(0.8 * 6 + 0.5) = 5, so 3. One above: centre (3 + 17) / 5 = 4.
    a = np.array([-1.0, -2 / 3, -1 / 3, 1 / 3, 2 / 3, 1.0])
    # y: median 3.5, distances .5, .5, 1.5, 1.5, 2.5, 2.5; the fifth is 2.5; none beyond: centre 3.5.
    b = (y - 3.5) / 2.5
    found = percentage_bend(x, y)
    r = a @ b / math.sqrt((a @ a) * (b @ b))
    assert found.r == pytest.approx(r)
    assert found.p == pytest.approx(2 * stats.t.sf(r * math.sqrt(4 / (1 - r * r)), 4))


def test_one_odd_person_does_not_decide():
    x, y = cloud(30, rho=0.7)
    x[0], y[0] = 20.0, -20.0
    assert stats.pearsonr(x, y).statistic < 0
    assert outliers(x, y)[0]
    assert skipped(x, y).r > 0.3
    assert percentage_bend(x, y).r > 0.3


@pytest.mark.slow
def test_level_of_skipped_without_correlation():
    n = 300
    false = sum(skipped(*cloud(20, seed=seed), n_repeat=299).p <= 0.05 for seed in range(n))
    assert false / n == pytest.approx(0.05, abs=3 * math.sqrt(0.05 * 0.95 / n))


@pytest.mark.slow
def test_level_of_percentage_bend_without_correlation():
    n = 200
    false = sum(percentage_bend(*cloud(20, seed=seed), n_repeat=200).p <= 0.05 for seed in range(n))
    assert false / n == pytest.approx(0.05, abs=3 * math.sqrt(0.05 * 0.95 / n))


def test_what_cannot_be_computed_says_why():
    x, y = np.array([1.0] * 7 + [3.0]), np.arange(8.0)
    assert "half of the people" in skipped(x, y).why
    assert "half of the people" in percentage_bend(x, y).why
    assert "line" in skipped(y, 2 * y).why
    assert percentage_bend(y, 2 * y).p == 0.0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: skipped(np.arange(5.0), np.arange(5.0)), "5 people"),
        (lambda: skipped(*cloud(), method="kendall"), "kendall"),
        (lambda: percentage_bend(*cloud(), beta=0.7), "0.7"),
        (lambda: percentage_bend(np.arange(5.0), np.arange(5.0)), "5 people"),
    ],
    ids=["few", "method", "share", "few-bent"],
)
def test_unusable_input_is_refused(call, words):
    with pytest.raises(InputError, match=words):
        call()
