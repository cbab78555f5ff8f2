"""Two one-sided tests, and the words for what was and was not shown."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from scipy import stats

from raphe.errors import InputError
from raphe.stats.correlation import pearson
from raphe.stats.effect import Effect, effect
from raphe.stats.equivalence import (
    correlation_equivalence,
    equivalence,
    group_equivalence,
    paired_equivalence,
    sentence,
)
from raphe.stats.robust_correlation import percentage_bend

D = np.array([0.4, -0.1, 0.9, -0.3, 0.2, -0.5, 0.1, 0.3])
NAN = float("nan")


def test_paired_by_two_one_sided_t_tests_of_scipy():
    found = paired_equivalence(D, (-0.5, 0.6))
    assert found.p_low == pytest.approx(stats.ttest_1samp(D, -0.5, alternative="greater").pvalue)
    assert found.p_high == pytest.approx(stats.ttest_1samp(D, 0.6, alternative="less").pvalue)
    assert found.p == max(found.p_low, found.p_high)
    interval = stats.ttest_1samp(D, 0).confidence_interval(0.90)
    assert (found.ci_low, found.ci_high) == pytest.approx(tuple(interval))


def test_groups_by_two_one_sided_welch_tests_of_scipy():
    rng = np.random.default_rng(1)
    a, b = rng.normal(0, 1, 20), rng.normal(0, 2, 10)
    found = group_equivalence(a, b, 1.0)
    assert found.p_low == pytest.approx(stats.ttest_ind(b + 1, a, equal_var=False, alternative="greater").pvalue)
    assert found.p_high == pytest.approx(stats.ttest_ind(b - 1, a, equal_var=False, alternative="less").pvalue)


def test_correlation_by_hand():
    """r = 0 exactly of 28 people: z over 1 / 5 is atanh(0.3) * 5 = 1.5476 from either end."""
    x = np.tile([1.0, -1.0, 1.0, -1.0], 7)
    y = np.tile([1.0, 1.0, -1.0, -1.0], 7)
    found = correlation_equivalence(pearson(x, y), 0.3)
    assert found.p_low == found.p_high == pytest.approx(stats.norm.sf(1.5476), abs=1e-5)
    assert (found.ci_low, found.ci_high) == pytest.approx((-math.tanh(0.328971), math.tanh(0.328971)), abs=1e-6)


@pytest.mark.parametrize(("margin", "estimate"), list(product([0.2, 0.5, (-0.1, 0.9)], [-0.3, 0.0, 0.15, 0.4])))
def test_equivalent_where_the_ninety_per_cent_interval_lies_within_the_margin(margin, estimate):
    found = equivalence(effect(estimate, 0.1, 12), margin)
    low, high = found.margin
    assert found.equivalent == (low < found.ci_low and found.ci_high < high)


@pytest.mark.parametrize("df", [3, 28])
def test_a_change_at_the_margin_is_called_equivalent_in_five_per_cent(df):
    rng = np.random.default_rng(2)
    n, false = 4000, 0
    for _ in range(n):
        d = rng.normal(1.0, 0.2, df + 1)
        false += paired_equivalence(d, 1.0).equivalent
    assert false / n == pytest.approx(0.05, abs=3 * math.sqrt(0.05 * 0.95 / n))


SHOWN, UNSHOWN = effect(0.5, 0.1, 20), effect(0.05, 0.1, 20)
CASES = {
    "shown": sentence(SHOWN),
    "not shown": sentence(UNSHOWN),
    "both": sentence(equivalence(SHOWN, 1.0)),
    "equivalent": sentence(equivalence(UNSHOWN, 0.5)),
    "shown, not equivalent": sentence(equivalence(SHOWN, 0.55)),
    "neither": sentence(equivalence(UNSHOWN, 0.1)),
    "untested": sentence(paired_equivalence([0.1], 1.0)),
    "untested effect": sentence(Effect(0.1, NAN, NAN, NAN, NAN, NAN), why="one person"),
    "untested margin": sentence(correlation_equivalence(pearson([1.0, 2.0, 4.0], [1.0, 3.0, 2.0]), 0.5)),
}


@pytest.mark.parametrize("case", CASES)
def test_no_sentence_takes_absence_of_evidence_for_evidence_of_absence(case):
    words = CASES[case].lower()
    for claim in ("no effect", "no change", "no difference", "unchanged", "did not", "has no", "absence", "zero"):
        assert claim not in words
    assert words.endswith(".")


def test_sentences_say_what_is_shown_and_what_remains_possible():
    assert CASES["shown"] == "A change is shown (estimate 0.5, 95 % interval 0.291 to 0.709, p < 0.001)."
    assert "A change is not shown" in CASES["not shown"]
    assert "compatible with anything in this interval" in CASES["not shown"]
    assert "-0.159 to 0.259" in CASES["not shown"]
    assert "is shown (" in CASES["both"]
    assert "too small to matter" in CASES["both"]
    assert "whatever it is, it is shown to lie within the margin of -0.5 to 0.5" in CASES["equivalent"]
    assert "that it lies within the margin of -0.55 to 0.55 is not shown" in CASES["shown, not equivalent"]
    assert "the data do not decide" in CASES["neither"]
    assert CASES["untested"] == "A change could not be tested: one person allows no inference."
    assert CASES["untested effect"] == "A change could not be tested: one person."


def test_sentence_names_what_was_looked_for_and_its_unit():
    words = sentence(equivalence(UNSHOWN, 0.5), what="a difference between ketamine and placebo", unit=" %")
    assert words.startswith("A difference between ketamine and placebo is not shown (estimate 0.05 %,")
    assert "-0.5 to 0.5 %" in words


def test_what_cannot_be_computed_says_why():
    found = paired_equivalence([0.2, 0.2, 0.2], 1.0)
    assert math.isnan(found.p)
    assert not found.equivalent
    assert not found.differs
    assert "equal" in found.why
    assert "one person" in group_equivalence([1.0], [1.0, 2.0], 1.0).why


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: equivalence(SHOWN, (0.1, 0.5)), "does not hold 0"),
        (lambda: equivalence(SHOWN, 0.0), "does not hold 0"),
        (lambda: equivalence(SHOWN, math.nan), "does not hold 0"),
        (lambda: paired_equivalence([0.1, math.nan], 1.0), "gaps"),
        (lambda: correlation_equivalence(pearson(D, D**2), 1.5), "inside -1 to 1"),
        (lambda: correlation_equivalence(percentage_bend(D, D**2, n_repeat=200), 0.3), "no formula"),
    ],
    ids=["beside", "nothing", "unknown", "gap", "correlation", "bend"],
)
def test_unusable_input_is_refused(call, words):
    with pytest.raises(InputError, match=words):
        call()
