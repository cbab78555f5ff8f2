"""Rows tell whether an effect lies within a margin, and the Bayes factor of an effect over none."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from contrast_studies import answered, study
from raphe.stats.bayes import Prior

RNG = np.random.default_rng(3)
PEOPLE = [f"p{i}" for i in range(10)]
BEFORE = {who: 2 + RNG.normal(0, 0.3) for who in PEOPLE}
AFTER = {who: BEFORE[who] + RNG.normal(0.05, 0.1) for who in PEOPLE}
ROWS = study({"before": BEFORE, "after": AFTER})
CHANGE = np.array([AFTER[who] - BEFORE[who] for who in PEOPLE])


def test_two_one_sided_tests_are_those_of_scipy():
    (row,) = answered(ROWS, kind="paired", terms=("before", "after"), margin=0.15).rows
    low = stats.ttest_1samp(CHANGE, -0.15, alternative="greater")
    high = stats.ttest_1samp(CHANGE, 0.15, alternative="less")
    ends = stats.ttest_1samp(CHANGE, 0.0).confidence_interval(0.90)
    assert row.equivalent.p == pytest.approx(max(low.pvalue, high.pvalue), rel=1e-9)
    assert (row.equivalent.low, row.equivalent.high) == pytest.approx((ends.low, ends.high), rel=1e-9)
    assert row.equivalent.margin == 0.15


def test_without_a_margin_nothing_is_said_of_one():
    (row,) = answered(ROWS, kind="paired", terms=("before", "after")).rows
    assert row.equivalent is None


def jzs(t, n, df):
    """Bayes factor of Rouder et al. 2009, equation 1, with the scale 0.707."""

    def under(g):
        spread = 1 + n * g * 0.5
        prior = (2 * np.pi) ** -0.5 * g**-1.5 * np.exp(-1 / (2 * g))
        return spread**-0.5 * (1 + t**2 / (spread * df)) ** (-(df + 1) / 2) * prior

    return integrate.quad(under, 0, np.inf, epsabs=1e-13)[0] / (1 + t**2 / df) ** (-(df + 1) / 2)


def test_the_bayes_factor_of_a_change_is_that_of_rouder():
    (row,) = answered(ROWS, kind="paired", terms=("before", "after")).rows
    t = stats.ttest_1samp(CHANGE, 0.0).statistic
    assert row.bayes_factor == pytest.approx(jzs(t, 10, 9), rel=1e-3)


def test_the_bayes_factor_of_two_arms_is_that_of_students_t():
    arms = {who: "drug" if i % 2 else "placebo" for i, who in enumerate(PEOPLE)}
    rows = study({"before": BEFORE, "after": AFTER}, arms=arms)
    (row,) = answered(rows, kind="groups", terms=("placebo", "drug"), sessions=("before", "after")).rows
    drug, placebo = (
        np.array([AFTER[who] - BEFORE[who] for who in PEOPLE if arms[who] == arm]) for arm in ("drug", "placebo")
    )
    t = stats.ttest_ind(drug, placebo).statistic
    assert row.bayes_factor == pytest.approx(jzs(t, 25 / 10, 8), rel=1e-3)


def test_a_change_that_is_alike_in_all_has_none():
    same = {who: value + 0.25 for who, value in BEFORE.items()}
    (row,) = answered(
        study({"before": BEFORE, "after": same}), kind="paired", terms=("before", "after"), margin=1.0
    ).rows
    assert math.isnan(row.bayes_factor)
    assert row.equivalent is None
    assert row.why


@pytest.mark.parametrize("prior", [Prior(0.0, 0.05), Prior(0.02, 0.1, 3.0)])
def test_the_posterior_of_a_change_is_likelihood_times_prior(prior):
    contrast = answered(ROWS, kind="paired", terms=("before", "after"), prior=prior)
    (row,) = contrast.rows
    se = CHANGE.std(ddof=1) / math.sqrt(10)
    before = stats.norm if math.isinf(prior.df) else stats.t(prior.df)

    def density(x):
        likelihood = stats.t.pdf((x - CHANGE.mean()) / se, 9)
        return likelihood * before.pdf((x - prior.location) / prior.scale)

    def integral(f, low=-2.0, high=2.0):
        return integrate.quad(f, low, high, points=[CHANGE.mean(), 0.0], limit=400)[0]

    whole = integral(density)
    assert row.held.mean == pytest.approx(integral(lambda x: x * density(x)) / whole, rel=1e-4)
    assert row.held.above_zero == pytest.approx(
        integrate.quad(density, 0, 2, points=[CHANGE.mean()])[0] / whole, rel=1e-4
    )
    assert integral(density, -2.0, row.held.low) / whole == pytest.approx(0.025, abs=2e-4)
    assert integral(density, row.held.high, 2.0) / whole == pytest.approx(0.025, abs=2e-4)
    assert "chosen by the plan: an assumption" in contrast.extras["Prior"]
