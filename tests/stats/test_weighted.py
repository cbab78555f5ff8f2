"""Weighting people by how sure their estimates are."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from raphe.errors import InputError
from raphe.stats.weighted import se_of_change, weighted_difference, weighted_mean

# BCG vaccine trials (Colditz et al. 1994, JAMA 271:698; metafor's dat.bcg): cases and others, vaccinated and not.
BCG = np.array(
    [
        [4, 119, 11, 128],
        [6, 300, 29, 274],
        [3, 228, 11, 209],
        [62, 13536, 248, 12619],
        [33, 5036, 47, 5761],
        [180, 1361, 372, 1079],
        [8, 2537, 10, 619],
        [505, 87886, 499, 87892],
        [29, 7470, 45, 7232],
        [17, 1699, 65, 1600],
        [186, 50448, 141, 27197],
        [5, 2493, 3, 2338],
        [27, 16886, 29, 17825],
    ],
    float,
)


def test_log_risk_ratios_of_the_bcg_trials():
    """metafor's documentation, rma(yi, vi, data = dat): -0.7145, tau2 0.3132; Hartung-Knapp error written out in R."""
    a, b, c, d = BCG.T
    ratio = np.log(a / (a + b)) - np.log(c / (c + d))
    se = np.sqrt(1 / a - 1 / (a + b) + 1 / c - 1 / (c + d))
    found = weighted_mean(ratio, se)
    assert found.effect.estimate == pytest.approx(-0.7145, abs=5e-5)
    assert found.effect.se == pytest.approx(0.180791744088, rel=1e-6)
    assert found.tau[0] ** 2 == pytest.approx(0.3132, abs=5e-5)
    assert found.effect.df == 12


def test_restricted_likelihood_of_r():
    """R 4.2.2: -log restricted likelihood written out and minimised by optimize()."""
    found = weighted_mean([0.3, 0.5, -0.1, 0.9, 0.7, 0.2], [0.1, 0.3, 0.2, 0.4, 0.15, 0.25])
    assert found.tau[0] ** 2 == pytest.approx(0.0651096393688, rel=1e-5)
    assert found.effect.estimate == pytest.approx(0.37422056578, rel=1e-6)
    assert found.effect.se == pytest.approx(0.137402379918, rel=1e-6)
    assert found.effect.p == pytest.approx(0.0415992044131, rel=1e-6)


def test_equal_errors_give_the_plain_t_tests():
    rng = np.random.default_rng(1)
    a, b = rng.normal(0, 1, 20), rng.normal(1, 2, 10)
    one = weighted_mean(b, np.full(10, 0.1))
    truth = stats.ttest_1samp(b, 0)
    assert (one.effect.t, one.effect.p) == pytest.approx((truth.statistic, truth.pvalue), rel=1e-8)
    assert one.tau[0] ** 2 == pytest.approx(b.var(ddof=1) - 0.01)
    assert one.share == pytest.approx(0.01 / b.var(ddof=1))
    for pooled in (False, True):
        two = weighted_difference(a, np.full(20, 0.1), b, np.full(10, 0.1), pooled=pooled)
        truth = stats.ttest_ind(b, a, equal_var=pooled)
        assert (two.effect.t, two.effect.p) == pytest.approx((truth.statistic, truth.pvalue), rel=1e-8)
        assert two.effect.df == pytest.approx(truth.df)


def test_a_person_without_certainty_hardly_counts():
    sure = weighted_mean([1.0, 1.2, 0.9, 1.1], [0.1] * 4).effect
    unsure = weighted_mean([1.0, 1.2, 0.9, 1.1, 50.0], [0.1] * 4 + [1000.0]).effect
    assert unsure.estimate == pytest.approx(sure.estimate, abs=1e-3)


def test_no_spread_beyond_the_errors_gives_tau_of_zero():
    found = weighted_mean([1.0, 1.01, 0.99], [0.5, 0.5, 0.5])
    assert found.tau == (0.0,)
    assert found.share == 1.0


@pytest.mark.parametrize("groups", [False, True], ids=["mean", "difference"])
def test_level_and_coverage_with_unlike_errors(groups):
    """Twelve people (or 20 v 10) whose errors differ tenfold, as those of small regions do."""
    rng = np.random.default_rng(6)
    n, hits, sizes = 1500, 0, []
    for _ in range(n):
        s = rng.uniform(0.2, 2.0, 30)
        y = 1.0 + rng.normal(0, 0.5, 30) + s * rng.normal(size=30)
        if groups:
            found = weighted_difference(y[:20], s[:20], y[20:], s[20:]).effect
            hits += found.ci_low <= 0 <= found.ci_high
        else:
            found = weighted_mean(y[:12], s[:12]).effect
            hits += found.ci_low <= 1 <= found.ci_high
            sizes.append((found.estimate, y[:12].mean()))
    assert hits / n == pytest.approx(0.95, abs=0.02)
    if not groups:
        spread = np.std(sizes, axis=0)
        assert spread[0] < 0.8 * spread[1]  # what weighting is for


def test_errors_of_a_change_add_in_quadrature():
    np.testing.assert_allclose(se_of_change([0.3, 0.0], [0.4, 0.1]), [0.5, 0.1])


def test_what_cannot_be_computed_says_why():
    assert "one person" in weighted_mean([1.0], [0.1]).why
    assert "equal" in weighted_mean([1.0, 1.0], [0.1, 0.2]).why
    assert "one person" in weighted_difference([1.0], [0.1], [1.0, 2.0], [0.1, 0.1]).why
    assert math.isnan(weighted_difference([1.0, 1.0], [0.1, 0.1], [1.0, 2.0], [0.1, 0.1]).effect.p)


@pytest.mark.parametrize(
    ("value", "se", "words"),
    [
        ([1.0, 2.0], [0.1], "shapes"),
        ([1.0, math.nan], [0.1, 0.1], "1 of 2 people"),
        ([1.0, 2.0], [0.1, 0.0], "1 of 2 standard errors"),
        ([1.0, 2.0], [math.nan, 0.1], "1 of 2 standard errors"),
    ],
    ids=["shapes", "value", "zero", "unknown"],
)
def test_unusable_input_is_refused(value, se, words):
    with pytest.raises(InputError, match=words):
        weighted_mean(value, se)
