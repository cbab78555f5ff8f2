"""The test of one linear combination."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from raphe.stats.effect import effect


def test_equals_the_one_sample_t_test_of_scipy():
    values = np.array([0.4, -0.1, 0.9, 1.3, 0.2, 0.5])
    truth = stats.ttest_1samp(values, 0.0)
    interval = truth.confidence_interval(0.95)
    found = effect(values.mean(), values.std(ddof=1) / np.sqrt(values.size), values.size - 1)
    assert found.p == pytest.approx(truth.pvalue, rel=1e-12)
    assert found.t == pytest.approx(truth.statistic, rel=1e-12)
    assert (found.ci_low, found.ci_high) == pytest.approx((interval.low, interval.high), rel=1e-12)


def test_df_need_not_be_whole():
    assert effect(1.0, 0.5, 7.3).p == pytest.approx(2 * stats.t.sf(2.0, 7.3))
