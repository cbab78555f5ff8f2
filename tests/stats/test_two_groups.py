"""Two groups, against R and by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from raphe.errors import InputError
from raphe.stats.two_groups import two_groups

# Student's sleep data (R: sleep), hours gained with two drugs.
FIRST = np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])
SECOND = np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])


@pytest.mark.parametrize(
    ("variances", "df", "p", "low", "high"),
    [
        ("welch", 17.7764735162, 0.0793941401874, -0.205483230712, 3.365483230712),
        ("pooled", 18.0, 0.0791867142159, -0.203874032288, 3.363874032288),
    ],
    ids=["welch", "pooled"],
)
def test_t_test_of_r(variances, df, p, low, high):
    """R 4.2.2: t.test(b, a) and t.test(b, a, var.equal = TRUE)."""
    found = two_groups(FIRST, SECOND, variances=variances)
    assert found.effect.t == pytest.approx(1.86081346749, rel=1e-10)
    assert (found.effect.df, found.effect.p) == pytest.approx((df, p), rel=1e-10)
    assert (found.effect.ci_low, found.effect.ci_high) == pytest.approx((low, high), rel=1e-10)
    assert found.effect.estimate == pytest.approx(1.58)
    # R 4.2.2: the noncentralities by uniroot on pt(t, 18, ncp), times sqrt(1/10 + 1/10).
    assert (found.g.low, found.g.high) == pytest.approx((-0.0954503982113, 1.7388168991), rel=1e-6)


def test_per_cent_interval_is_the_set_of_ratios_that_a_t_test_does_not_reject():
    """Fieller by its definition: mean(b) - q mean(a) over its standard error is t at both ends."""
    a, b = FIRST + 10, SECOND + 10
    found = two_groups(a, b)
    assert found.percent.value == pytest.approx(100 * (b.mean() / a.mean() - 1))
    for end in (found.percent.low, found.percent.high):
        q = 1 + end / 100
        se = math.sqrt(b.var(ddof=1) / 10 + q**2 * a.var(ddof=1) / 10)
        t = abs(b.mean() - q * a.mean()) / se
        assert t == pytest.approx(stats.t.ppf(0.975, found.effect.df), rel=1e-9)


@pytest.mark.slow
def test_welch_keeps_its_level_where_student_does_not():
    """20 people v 10 of four times the variance and no difference: 5 % by Welch, over 8 % by Student."""
    rng = np.random.default_rng(3)
    n, false = 600, {"welch": 0, "pooled": 0}
    for _ in range(n):
        a, b = rng.normal(0, 1, 20), rng.normal(0, 2, 10)
        for variances in false:
            false[variances] += two_groups(a, b, variances=variances).effect.p <= 0.05
    error = 3 * math.sqrt(0.05 * 0.95 / n)
    assert false["welch"] / n == pytest.approx(0.05, abs=error)
    assert false["pooled"] / n > 0.08


def test_what_cannot_be_computed_says_why():
    one = two_groups([1.0], [2.0, 3.0])
    assert one.effect.estimate == 1.5
    assert math.isnan(one.effect.p)
    assert "one person" in one.why
    flat = two_groups([1.0, 1.0], [2.0, 2.0])
    assert math.isnan(flat.g.value)
    assert "equal" in flat.why
    change = two_groups([-1.0, -2.0, 0.5], [0.3, 0.4, 1.0])
    assert math.isnan(change.percent.value)
    assert "not positive" in change.why
    unsure = two_groups([0.1, 2.0, -1.5], [1.0, 1.5, 2.0])
    assert math.isfinite(unsure.percent.value)
    assert math.isnan(unsure.percent.low)
    assert "may be 0" in unsure.why


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: two_groups([1.0, math.nan], [1.0, 2.0]), "1 of 2 people of the first group"),
        (lambda: two_groups([1.0, 2.0], []), "second group has shape"),
        (lambda: two_groups([1.0, 2.0], [1.0, 2.0], variances="equal"), "equal"),
    ],
    ids=["missing", "empty", "variances"],
)
def test_unusable_input_is_refused(call, words):
    with pytest.raises(InputError, match=words):
        call()
