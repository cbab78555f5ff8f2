import math

import numpy as np
import pytest
from scipy import stats

from raphe.errors import InputError
from raphe.pharmacology.flow import flow_check

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
