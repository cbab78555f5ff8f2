import math

import numpy as np
import pytest
from scipy import stats

from raphe.data.estimates import Estimate, Estimates
from raphe.errors import InputError
from raphe.quality import Quality
from raphe.stats.region import paired

WANTED = {
    "name": "change",
    "tracer": "DASB",
    "model": "SRTM",
    "parameter": "BP_ND",
    "first": "before",
    "second": "after",
}

# Student 1908, Biometrika 6:1, section IX: hours of sleep gained by ten patients from each of two drugs.
DEXTRO = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
LAEVO = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]


def study(**regions):
    return Estimates(
        tuple(
            Estimate(f"{i:02d}", session, "DASB", "", "", region, "SRTM", "BP_ND", value, 0.1, Quality.GOOD)
            for region, sessions in regions.items()
            for session, values in zip(("before", "after"), sessions, strict=True)
            for i, value in enumerate(values)
        )
    )


def test_students_sleep_data():
    """The paper's mean difference is 1.58; R documents t = 4.0621, df = 9, p = 0.002833, 95 % CI 0.70 to 2.46."""
    (row,) = paired(study(a=(DEXTRO, LAEVO)), **WANTED)[0].rows
    assert row.estimate == pytest.approx(1.58)
    assert row.estimate / row.se == pytest.approx(4.0621, abs=5e-5)
    assert row.df == 9
    assert row.p == pytest.approx(0.002833, abs=5e-7)
    assert (row.ci_low, row.ci_high) == pytest.approx((0.7001142, 2.4598858), abs=1e-6)
    assert math.isnan(row.percent)
    assert "not positive" in row.why


def test_agrees_with_scipy_and_adjusts_over_the_regions_of_the_contrast():
    rng = np.random.default_rng(2)
    regions = {f"r{i}": (rng.normal(2, 0.2, 8), rng.normal(2 + i / 10, 0.2, 8)) for i in range(5)}
    contrast, step = paired(study(**regions), **WANTED, primary=True)
    assert (contrast.name, contrast.first, contrast.second, contrast.primary) == ("change", "before", "after", True)
    assert (step.name, step.parameters["kind"]) == ("contrast", "paired")
    assert step.citations == ("holm1979",)
    assert step.parameters["n_regions"] == 5
    p = []
    for row, (first, second) in zip(contrast.rows, regions.values(), strict=True):
        expected = stats.ttest_rel(second, first)
        interval = expected.confidence_interval(0.95)
        assert (row.p, row.ci_low, row.ci_high) == pytest.approx((expected.pvalue, *interval))
        assert row.percent == pytest.approx(np.mean((second - first) / first) * 100)
        p.append(expected.pvalue)
    smallest = int(np.argmin(p))
    assert contrast.rows[smallest].p_adjusted == pytest.approx(min(1, 5 * p[smallest]))
    unadjusted, _ = paired(study(**regions), **WANTED, adjust="none")
    assert [r.p_adjusted for r in unadjusted.rows] == pytest.approx(p)


def test_one_participant_has_a_change_and_no_inference():
    (row,) = paired(study(a=([2.0], [1.5])), **WANTED)[0].rows
    assert (row.estimate, row.percent) == (-0.5, -25.0)
    assert all(math.isnan(v) for v in (row.se, row.df, row.ci_low, row.ci_high, row.p, row.p_adjusted))
    assert row.why == "one participant allows no inference across people"


def test_no_participant():
    (row,) = paired(study(a=([2.0], [math.nan])), **WANTED)[0].rows
    assert math.isnan(row.estimate)
    assert row.why == "no participant has a usable value in both sessions"


def test_equal_differences_are_not_significance():
    (row,) = paired(study(a=([1.1, 1.7, 2.3], [1.4, 2.0, 2.6])), **WANTED)[0].rows
    assert row.estimate == pytest.approx(0.3)
    assert math.isnan(row.p)
    assert "differences are equal" in row.why


def test_a_region_that_cannot_be_tested_does_not_count_in_the_adjustment():
    rng = np.random.default_rng(4)
    first, second = rng.normal(2, 0.2, 5), rng.normal(2.2, 0.2, 5)
    bad = np.full(5, math.nan)
    good, empty = paired(study(a=(first, second), b=(first, bad)), **WANTED)[0].rows
    assert good.p_adjusted == pytest.approx(good.p)
    assert math.isnan(empty.p_adjusted)


def test_unknown_adjustment():
    with pytest.raises(InputError, match="cannot be adjusted by 'fdr'; use holm, hochberg, bh"):
        paired(study(a=([1.0], [2.0])), **WANTED, adjust="fdr")
