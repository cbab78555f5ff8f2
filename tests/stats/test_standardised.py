"""Standardised differences, against R and by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from raphe.stats.standardised import d_av, d_z, g_of_groups, hedges_factor, noncentralities

FIRST = np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])
SECOND = np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])


def test_d_z_of_student_sleep_data():
    """R 4.2.2: t = 4.06212768338, noncentralities by uniroot on pt(t, 9, ncp), over sqrt(10)."""
    found = d_z(SECOND - FIRST)
    assert found.value == pytest.approx(4.06212768338 / math.sqrt(10) * hedges_factor(9), rel=1e-9)
    assert (found.low, found.high) == pytest.approx((0.41462775638, 2.11801651398), rel=1e-6)


def test_hedges_factor_is_near_its_usual_approximation_and_known_at_two():
    assert hedges_factor(2) == pytest.approx(1 / math.sqrt(math.pi), rel=1e-12)  # gamma(1) / (1 * gamma(1/2))
    assert hedges_factor(18) == pytest.approx(1 - 3 / 71, abs=2e-4)
    assert hedges_factor(1e6) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(("t", "df"), [(0.0, 3), (2.1, 3), (-5.0, 19), (60.0, 29), (200.0, 5)])
def test_noncentralities_give_back_the_tails(t, df):
    """P(T <= t) by integration over the chi-square, independent of scipy's noncentral t."""
    low, high = noncentralities(t, df)
    share = (np.arange(200_000) + 0.5) / 200_000
    scale = np.sqrt(stats.chi2.ppf(share, df) / df)
    for ncp, tail in ((low, 0.975), (high, 0.025)):
        assert np.mean(stats.norm.cdf(t * scale - ncp)) == pytest.approx(tail, abs=2e-4)


@pytest.mark.slow
@pytest.mark.parametrize("which", ["g", "d_z", "d_av"])
def test_intervals_cover_and_estimates_are_unbiased(which):
    rng = np.random.default_rng(5)
    n, hits, total = 800, 0, 0.0
    correlation = 0.8
    truth = {"g": 0.8, "d_z": 0.8 / math.sqrt(2 * (1 - correlation)), "d_av": 0.8}[which]
    for _ in range(n):
        people = rng.normal(0, math.sqrt(correlation), 12)
        a, b = (people + rng.normal(0, math.sqrt(1 - correlation), 12) for _ in range(2))
        if which == "g":
            found = g_of_groups(rng.normal(size=20), rng.normal(0.8, 1, 10))
        else:
            found = d_z(b + 0.8 - a) if which == "d_z" else d_av(a, b + 0.8)
        hits += found.low <= truth <= found.high
        total += found.value
    # d_av's degrees of freedom hold the correlation that was seen, so its interval is an approximation.
    assert hits / n == pytest.approx(0.95, abs=3 * math.sqrt(0.95 * 0.05 / n) + (0.01 if which == "d_av" else 0))
    assert total / n == pytest.approx(truth, abs=0.05)
