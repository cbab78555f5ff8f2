import math

import numpy as np
import pytest
from scipy import stats

from raphe.errors import InputError
from raphe.pharmacology.flow import flow_check, flow_check_of_arms

FIRST = np.array([1.02, 0.95, 1.10, 1.00, 0.98, 1.05])


def test_the_ratio_is_that_of_a_paired_t_test_of_logarithms():
    second = FIRST * np.array([1.03, 0.99, 1.05, 0.97, 1.02, 1.04])
    found, step = flow_check(FIRST, second)
    plain = stats.ttest_rel(np.log(second), np.log(FIRST))
    ends = plain.confidence_interval(0.95)
    assert found.p == pytest.approx(plain.pvalue)
    assert (found.ratio.low, found.ratio.high) == pytest.approx((math.exp(ends.low), math.exp(ends.high)))
    ends = plain.confidence_interval(0.90)
    assert (found.equivalence.low, found.equivalence.high) == pytest.approx((math.exp(ends.low), math.exp(ends.high)))
    change = np.log(second / FIRST)
    one_sided = [
        stats.ttest_1samp(change, -math.log(1.1), alternative="greater").pvalue,
        stats.ttest_1samp(change, math.log(1.1), alternative="less").pvalue,
    ]
    assert found.p_equivalence == pytest.approx(max(one_sided))
    assert "schuirmann1987" in step.citations


@pytest.mark.parametrize(
    ("factors", "equivalent", "told"),
    [
        ([1.01, 0.99, 1.02, 0.98, 1.00, 1.01], True, "is shown to be the same"),
        ([1.30, 0.75, 1.20, 0.80, 1.25, 0.85], False, "neither is its absence"),
        ([1.30, 1.25, 1.28, 1.32, 1.27, 1.31], False, "may come from it"),
        ([1.03, 1.04, 1.05, 1.03, 1.04, 1.05], True, "less than the margin"),
        ([1.0] * 6, True, "is shown to be the same"),
        ([1.5] * 6, False, "may come from it"),
    ],
)
def test_the_sentence_tells_not_shown_from_shown_not(factors, equivalent, told):
    found, _ = flow_check(FIRST, FIRST * np.array(factors))
    assert found.equivalent is equivalent
    assert told in found.statement


def test_the_sentence_has_the_p_of_the_table_with_as_many_decimals():
    factors = np.array([1.03, 0.98, 1.05, 1.00, 1.02, 0.99])
    found, _ = flow_check(FIRST, FIRST * factors)
    assert f"p = {stats.ttest_1samp(np.log(factors), 0).pvalue:.3f})" in found.statement
    clear, _ = flow_check(FIRST, FIRST * np.array([1.30, 1.25, 1.28, 1.32, 1.27, 1.31]))
    assert "p < 0.001)" in clear.statement


def test_equivalence_is_claimed_in_five_of_a_hundred_at_the_margin():
    """2,000 studies whose ratio is the margin itself: Monte-Carlo error 0.49 points."""
    random = np.random.default_rng(0)
    claimed = 0
    for _ in range(2000):
        first = np.exp(0.1 * random.normal(size=8))
        claimed += flow_check(first, first * 1.1 * np.exp(0.05 * random.normal(size=8)))[0].equivalent
    assert abs(claimed / 2000 - 0.05) < 4 * 0.0049


@pytest.mark.parametrize(
    ("first", "second", "said", "told"),
    [
        ([1.0, 1.1], [1.0], {}, "same participants"),
        ([1.0], [1.0], {}, "needs two participants"),
        ([1.0, -1.0], [1.0, 1.0], {}, "has to be above 0"),
        ([1.0, 1.0], [1.0, math.nan], {}, "participant 2 in the second"),
        ([1.0, 1.0], [1.0, 1.0], {"margin": 0.9}, "above 1"),
        ([1.0, 1.0], [1.0, 1.0], {"parameter": "BP_ND"}, "not by 'BP_ND'"),
    ],
)
def test_what_cannot_be_used_is_refused(first, second, said, told):
    with pytest.raises(InputError, match=told):
        flow_check(first, second, **said)


IN_SECOND = np.array([False, False, False, True, True, True, True])
BEFORE = np.array([1.02, 0.95, 1.10, 1.00, 0.98, 1.05, 0.9])
AFTER = BEFORE * np.array([1.03, 0.99, 1.05, 1.17, 1.32, 1.24, 1.2])


def of_arms(after=AFTER, **how):
    return flow_check_of_arms(BEFORE, after, IN_SECOND, arms=("placebo", "drug"), **how)


def test_two_arms_are_compared_by_welch_on_logarithms():
    found, step = of_arms()
    change = np.log(AFTER / BEFORE)
    plain = stats.ttest_ind(change[IN_SECOND], change[~IN_SECOND], equal_var=False)
    assert found.p == pytest.approx(plain.pvalue)
    for interval, level in ((found.ratio, 0.95), (found.equivalence, 0.90)):
        ends = plain.confidence_interval(level)
        assert (interval.low, interval.high) == pytest.approx((math.exp(ends.low), math.exp(ends.high)))
    sides = [
        stats.ttest_ind(change[IN_SECOND] + shift, change[~IN_SECOND], equal_var=False, alternative=side).pvalue
        for shift, side in ((math.log(1.1), "greater"), (-math.log(1.1), "less"))
    ]
    assert found.p_equivalence == pytest.approx(max(sides))
    assert found.n == 7
    assert "in arm drug relative to arm placebo" in found.statement
    assert "may come from it" in found.statement
    assert step.citations == ("schuirmann1987", "welch1947")


def test_arms_that_change_alike_are_shown_to():
    found, _ = of_arms(BEFORE * np.array([1.31, 1.29, 1.30, 1.30, 1.31, 1.29, 1.3]))
    assert found.equivalent
    assert "shown to change alike in both arms" in found.statement


def test_an_arm_of_one_cannot_be_compared():
    with pytest.raises(InputError, match="two participants in each, and drug has 1"):
        flow_check_of_arms(BEFORE, AFTER, [False] * 6 + [True], arms=("placebo", "drug"))
