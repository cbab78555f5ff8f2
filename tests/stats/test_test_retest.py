import math

import numpy as np
import pytest
from scipy import stats

from raphe.data.estimates import Estimate, Estimates
from raphe.errors import InputError
from raphe.quality import Quality
from raphe.stats.intraclass import FORMS, absolute_agreement, intraclass, mean_squares
from raphe.stats.test_retest import (
    absolute_variability,
    agreement,
    limits_of_agreement,
    mean_range_df,
    people_for_ten_per_cent,
    smallest_detectable_difference,
    within_subject_cv,
)

WANTED = {"tracer": "DASB", "model": "SRTM", "parameter": "BP_ND", "first": "test", "second": "retest"}

# Shrout and Fleiss 1979, Psychol Bull 86:420, table 2: four judges (columns) rate six targets.
SHROUT = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float)

# Bland and Altman 1986, Lancet 1:307, table 1: peak flow (l/min) by two meters, first readings.
WRIGHT = np.array([494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427], float)
MINI = np.array([512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451], float)

# Three standard errors of a coverage of 95 % in 4000 simulations.
LOW, HIGH = 0.95 - 3 * math.sqrt(0.95 * 0.05 / 4000), 0.95 + 3 * math.sqrt(0.95 * 0.05 / 4000)


def study(first, second, quality=Quality.GOOD):
    return Estimates(
        tuple(
            Estimate(f"{i:02d}", session, "DASB", "", "", "a", "SRTM", "BP_ND", value, 0.1, quality)
            for session, values in (("test", first), ("retest", second))
            for i, value in enumerate(values)
        )
    )


def only_row(first, second):
    (row,) = agreement(study(first, second), **WANTED)[0].rows
    return row


def test_mean_squares_of_shrout_and_fleiss():
    """Their table 3: between targets 11.24, between judges 32.49, residual 1.02; ICC(1,1) .17 and ICC(3,1) .71."""
    msr, msc, mse = mean_squares(SHROUT)
    assert (msr, msc, mse) == pytest.approx((11.24, 32.49, 1.02), abs=0.005)
    within = (3 * msc + 15 * mse) / 18
    assert within == pytest.approx(6.26, abs=0.005)
    assert (msr - within) / (msr + 3 * within) == pytest.approx(0.17, abs=0.005)
    assert (msr - mse) / (msr + 3 * mse) == pytest.approx(0.71, abs=0.005)


def test_icc_of_shrout_and_fleiss():
    """ICC(2,1) = .29 in the paper; R's psych prints 0.29 with the McGraw-Wong interval 0.019 to 0.76."""
    icc = absolute_agreement(SHROUT)
    assert icc.value == pytest.approx(0.29, abs=0.005)
    assert icc.low == pytest.approx(0.019, abs=0.0005)
    assert icc.high == pytest.approx(0.76, abs=0.005)


@pytest.mark.parametrize("n", [6, 17])
def test_icc_interval_covers_the_truth(n):
    """Two-way random model with k = 2 and no session effect; an approximate interval, which errs to the safe side."""
    rng = np.random.default_rng(11)
    truth = 0.8
    hits = 0
    for _ in range(1500):
        people = rng.normal(0, math.sqrt(truth), (n, 1))
        icc = absolute_agreement(people + rng.normal(0, math.sqrt(1 - truth), (n, 2)))
        hits += icc.low <= truth <= icc.high
    assert 0.93 <= hits / 1500 <= 0.985


def test_icc_limits_enclose_the_estimate_even_when_it_is_negative():
    rng = np.random.default_rng(3)
    for _ in range(200):
        icc = absolute_agreement(rng.normal(size=(3, 2)))
        assert -1 <= icc.low <= icc.value <= icc.high <= 1


@pytest.mark.parametrize("k", [2, 3])
def test_no_icc_is_lower_than_a_correlation_of_k_measurements_can_be(k):
    """People who are alike but for what they do in turn: the formula of absolute agreement gives -3 for two scans."""
    turned = np.array([[1.0, 2.0, 3.0], [2.0, 3.0, 1.0], [3.0, 1.0, 2.0]])
    if k == 2:
        turned = np.array([[1.0, 2.0], [2.0, 1.0], [1.5, 1.5]])
    least = -1 / (k - 1)
    for form in ("1", "C,1", "A,1"):
        found = intraclass(turned, form)
        assert (found.value, found.low) == pytest.approx((least, least))
        assert found.low <= found.value <= found.high
    assert intraclass(turned, "A,k").low == -math.inf


def test_limits_of_bland_and_altman():
    """The paper: bias -2.1 (95 % CI -22.0 to 17.8), SD 38.8."""
    bias, low, high = limits_of_agreement(WRIGHT - MINI)
    assert bias.value == pytest.approx(-2.1, abs=0.05)
    assert (bias.low, bias.high) == pytest.approx((-22.0, 17.8), abs=0.1)
    assert (high.value - low.value) / (2 * 1.96) == pytest.approx(38.8, abs=0.05)
    assert low.low < low.value < low.high < bias.value < high.low < high.value < high.high
    assert (low.value - low.low) > (low.high - low.value)


def test_limits_interval_against_the_classical_tolerance_factor():
    """One-sided tolerance limit by its definition: P(mean + K s covers 97.5 % of the population) = 0.975.

    For n = 43, 90 % coverage and 99 % confidence, the NIST/SEMATECH handbook (section 7.2.6.3) gives K = 1.8740 by the
    noncentral t distribution: this fixes the parametrisation used here.
    """
    assert stats.nct.ppf(0.99, 42, stats.norm.ppf(0.9) * math.sqrt(43)) / math.sqrt(43) == pytest.approx(
        1.8740, abs=5e-5
    )
    difference = np.random.default_rng(0).normal(size=43)
    _, _, high = limits_of_agreement(difference)
    factor = stats.nct.ppf(0.975, 42, 1.96 * math.sqrt(43)) / math.sqrt(43)
    assert (high.high - difference.mean()) / difference.std(ddof=1) == pytest.approx(factor)


@pytest.mark.parametrize("n", [2, 4, 15])
def test_limits_interval_covers_the_truth(n):
    rng = np.random.default_rng(8)
    truth = (0.3 - 1.96 * 0.7, 0.3 + 1.96 * 0.7)
    hits = np.zeros(2)
    for _ in range(4000):
        _, low, high = limits_of_agreement(rng.normal(0.3, 0.7, n))
        hits += [low.low <= truth[0] <= low.high, high.low <= truth[1] <= high.high]
    assert ((hits / 4000 >= LOW) & (hits / 4000 <= HIGH)).all()


@pytest.mark.parametrize(("n", "published"), [(1, 1.0), (2, 1.9), (3, 2.8), (4, 3.7), (5, 4.6), (10, 9.0)])
def test_degrees_of_freedom_of_the_mean_range(n, published):
    """The column for samples of two in the d2* tables of Duncan 1955 (Quality Control and Industrial Statistics)."""
    assert mean_range_df(n) == pytest.approx(published, abs=0.05)


def test_variability_by_hand():
    first, second = np.array([1.0, 2.0]), np.array([1.2, 1.5])
    relative = np.array([0.2 / 1.1, 0.5 / 1.75])
    assert absolute_variability(first, second).value == pytest.approx(100 * relative.mean())
    assert within_subject_cv(first, second).value == pytest.approx(100 * math.sqrt((relative**2).mean() / 2))


@pytest.mark.parametrize("n", [2, 4, 8, 17])
def test_relative_intervals_cover_the_truth(n):
    """Relative differences normal around zero with SD 0.1: TRV = 10 sqrt(2 / pi) %, wSCV = 10 / sqrt(2) %."""
    rng = np.random.default_rng(6)
    trv, wscv = 10 * math.sqrt(2 / math.pi), 10 / math.sqrt(2)
    hits = np.zeros(2)
    for _ in range(4000):
        mean, relative = rng.uniform(1, 3, n), rng.normal(0, 0.1, n)
        pair = mean * (1 - relative / 2), mean * (1 + relative / 2)
        for index, (interval, truth) in enumerate(
            ((absolute_variability(*pair), trv), (within_subject_cv(*pair), wscv))
        ):
            hits[index] += interval.low <= truth <= interval.high
    assert ((hits / 4000 >= LOW) & (hits / 4000 <= HIGH)).all()


def test_agreement_holds_what_its_parts_give():
    rng = np.random.default_rng(1)
    first = rng.normal(2, 0.3, 8)
    second = first + rng.normal(0, 0.1, 8)
    row = only_row(first, second)
    assert row.why == ""
    assert (row.bias, row.limits_low, row.limits_high) == limits_of_agreement(second - first)
    assert row.icc == absolute_agreement(np.column_stack([first, second]))
    assert row.trv == absolute_variability(first, second)
    assert row.wscv == within_subject_cv(first, second)


def test_one_participant():
    row = only_row([2.0], [2.2])
    assert row.bias.value == pytest.approx(0.2)
    assert row.trv.value == pytest.approx(100 * 0.2 / 2.1)
    assert row.wscv.value == pytest.approx(100 * 0.2 / 2.1 / math.sqrt(2))
    for interval in (row.bias, row.trv, row.wscv, row.limits_low, row.icc):
        assert math.isnan(interval.low)
        assert math.isnan(interval.high)
    assert math.isnan(row.limits_high.value)
    assert math.isnan(row.icc.value)
    assert "one participant" in row.why


def test_two_participants():
    row = only_row([2.0, 1.5], [2.2, 1.4])
    assert math.isfinite(row.limits_low.low)
    assert math.isnan(row.icc.value)
    assert "at least three" in row.why


def test_no_participant():
    (row,) = agreement(study([2.0], [2.2], Quality.AT_BOUND), **WANTED)[0].rows
    assert math.isnan(row.bias.value)
    assert "no participant" in row.why


def test_a_copied_scan_is_no_perfect_agreement():
    row = only_row([2.0, 1.5, 1.1], [2.0, 1.5, 1.1])
    assert math.isnan(row.icc.value)
    assert math.isnan(row.limits_low.value)
    assert (row.trv.value, row.bias.value) == (0, 0)
    assert math.isnan(row.trv.high)
    assert "a copied scan has that" in row.why


@pytest.mark.parametrize("low", [-0.02, 0.0])
def test_values_that_are_not_positive_have_no_variability_in_per_cent(low):
    row = only_row([0.1, 0.2, low], [0.15, 0.1, 0.1])
    assert math.isnan(row.trv.value)
    assert math.isnan(row.wscv.value)
    assert math.isfinite(row.icc.value)
    assert "not positive" in row.why


@pytest.mark.parametrize(
    ("form", "value", "low", "high"),
    [
        ("1", 0.17, -0.133, 0.72),
        ("A,1", 0.29, 0.019, 0.76),
        ("C,1", 0.71, 0.342, 0.95),
        ("k", 0.44, -0.884, 0.91),
        ("A,k", 0.62, 0.071, 0.93),
        ("C,k", 0.91, 0.676, 0.99),
    ],
)
def test_all_forms_of_shrout_and_fleiss(form, value, low, high):
    """Their table 4; intervals as R's psych prints them in the example of ICC()."""
    found = intraclass(SHROUT, form)
    assert (found.value, found.high) == pytest.approx((value, high), abs=0.005)
    assert found.low == pytest.approx(low, abs=0.0005)


@pytest.mark.parametrize("form", ["1", "C,1", "C,k"])
def test_exact_intervals_of_the_other_forms_cover_the_truth(form):
    rng = np.random.default_rng(12)
    shift = np.array([0.0, 2.0]) if form.startswith("C") else np.zeros(2)
    truth = 2 * 0.8 / 1.8 if form.endswith("k") else 0.8
    hits = 0
    for _ in range(4000):
        table = rng.normal(0, math.sqrt(0.8), (8, 1)) + shift + rng.normal(0, math.sqrt(0.2), (8, 2))
        found = intraclass(table, form)
        hits += found.low <= truth <= found.high
    assert LOW <= hits / 4000 <= HIGH


def test_unknown_form_is_refused():
    with pytest.raises(InputError, match="3,1"):
        intraclass(SHROUT, "3,1")
    assert set(FORMS) == {"1", "A,1", "C,1", "k", "A,k", "C,k"}


def test_smallest_detectable_difference_is_that_of_two_errors_of_measurement():
    found = smallest_detectable_difference(MINI - WRIGHT)
    # Bland and Altman 1986: SD of the differences 38.8 l/min.
    assert found.value == pytest.approx(1.96 * 38.8, abs=0.1)
    rng = np.random.default_rng(13)
    hits = 0
    for _ in range(4000):
        one = smallest_detectable_difference(rng.normal(3.0, 1.0, 8))
        hits += one.low <= 1.96 <= one.high
    assert LOW <= hits / 4000 <= HIGH


def test_people_for_ten_per_cent():
    """R 4.2.2: power.t.test(delta = 10, sd = 6 * sqrt(2), power = 0.8, type = "paired")$n = 7.8: 8 people."""
    assert people_for_ten_per_cent(6.0) == 8
    assert math.isnan(people_for_ten_per_cent(math.nan))
    assert math.isnan(people_for_ten_per_cent(1e5))


def test_row_holds_the_other_figures():
    row = only_row(WRIGHT, MINI)
    assert row.sdd == smallest_detectable_difference(MINI - WRIGHT)
    assert row.icc_consistency == intraclass(np.column_stack([WRIGHT, MINI]), "C,1")
    assert row.icc_one_way == intraclass(np.column_stack([WRIGHT, MINI]), "1")
    assert row.n_ten == people_for_ten_per_cent(row.wscv.value)
    alone = only_row([1.0], [1.1])
    assert math.isnan(alone.sdd.value)
    assert math.isnan(alone.n_ten), "two scans of one person tell nobody how many people a study needs"
