"""Correlation of binding with a score."""

import math
from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from contrast_studies import answered, study
from raphe.data.people import People
from raphe.errors import InputError
from raphe.stats.contrasts.correlation import least_of_scores

RNG = np.random.default_rng(5)
WHO = [f"p{i}" for i in range(15)]
X = RNG.normal(2, 0.3, 15)
FIRST = RNG.normal(30, 5, 15)
LAST = FIRST - 10 + 15 * (X - 2) + RNG.normal(0, 3, 15)
PEOPLE = People(
    scores={
        "madrs:first": dict(zip(WHO, FIRST, strict=True)),
        "madrs:last": {**dict(zip(WHO, LAST, strict=True)), "p3": float("nan")},
    }
)
ROWS = study({"base": dict(zip(WHO, X, strict=True)), "post": dict(zip(WHO, X + RNG.normal(0, 0.1, 15), strict=True))})
ASKED = {"kind": "correlation", "x": ("base",), "score": "madrs", "score_sessions": ("first", "last")}
KEPT = [i for i in range(15) if i != 3]


def test_the_change_of_a_score_against_binding_is_scipys_correlation():
    found = answered(ROWS, PEOPLE, **ASKED)
    (row,) = found.rows
    right = stats.pearsonr(X[KEPT], (LAST - FIRST)[KEPT])
    interval = right.confidence_interval(0.95)
    assert (row.estimate, row.p, row.df) == pytest.approx((right.statistic, right.pvalue, 12))
    assert (row.ci_low, row.ci_high) == pytest.approx((interval.low, interval.high))
    assert [(one.participant, one.reason) for one in row.pairs.excluded] == [("p3", "no score madrs:last")]
    assert row.pairs.second == pytest.approx((LAST - FIRST)[KEPT])
    assert (found.unit, found.first) == ("", "BP_ND in base")


def test_ranks():
    (row,) = answered(ROWS, PEOPLE, **ASKED, method="spearman").rows
    right = stats.spearmanr(X[KEPT], (LAST - FIRST)[KEPT])
    assert (row.estimate, row.p) == pytest.approx((right.statistic, right.pvalue))


def test_given_the_first_score_it_is_the_correlation_of_residuals():
    found = answered(ROWS, PEOPLE, **ASKED, covariates=("madrs:first",))
    (row,) = found.rows
    assert found.what.endswith(", given madrs in first")
    assert row.given == ("madrs in first",)
    design = np.column_stack([np.ones(14), FIRST[KEPT]])
    left = [v - design @ np.linalg.lstsq(design, v)[0] for v in (X[KEPT], (LAST - FIRST)[KEPT])]
    r = np.corrcoef(*left)[0, 1]
    assert (row.estimate, row.df) == pytest.approx((r, 11))
    assert row.p == pytest.approx(2 * stats.t.sf(abs(r) * np.sqrt(11 / (1 - r**2)), 11))


def test_a_change_of_binding_and_one_visit():
    (row,) = answered(
        ROWS, PEOPLE, **{**ASKED, "x": ("base", "post"), "score_sessions": ("first",)}, scale="percent"
    ).rows
    values = {(one.participant, one.session): one.value for one in ROWS}
    change = [100 * (values[who, "post"] / values[who, "base"] - 1) for who in WHO]
    assert row.estimate == pytest.approx(np.corrcoef(change, FIRST)[0, 1])
    assert len(row.pairs) == 15


def test_a_permuted_score():
    (row,) = answered(ROWS, PEOPLE, **ASKED, test="permutation").rows
    right = stats.pearsonr(X[KEPT], (LAST - FIRST)[KEPT])
    assert row.p == pytest.approx(right.pvalue, abs=0.01)
    assert row.p_smallest == pytest.approx(1e-4)


def test_a_skipped_correlation_tells_its_outliers():
    values = dict(zip(WHO, np.where(np.arange(15) == 7, 9.0, X), strict=True))
    (row,) = answered(study({"base": values}), PEOPLE, **ASKED, method="skipped").rows
    assert "left out" in row.why


def test_two_people_have_no_correlation():
    rows = study({"base": {"p0": 1.0, "p1": 2.0}})
    (row,) = answered(rows, PEOPLE, **ASKED).rows
    assert np.isnan(row.estimate)
    assert row.why == "only p0, p1 have both values; a correlation needs three people"


def test_a_score_of_words_is_refused():
    people = People({"mood": dict.fromkeys(WHO, "low")})
    with pytest.raises(InputError, match="mood: a score must be a number"):
        answered(ROWS, people, kind="correlation", x=("base",), score="mood")


@pytest.mark.parametrize("method", ["pearson", "spearman"])
@pytest.mark.parametrize(
    ("x", "y"),
    [
        ([1.0, 2.0, 4.0, 9.0], [3.0, 1.0, 8.0, 2.0]),
        ([1.0, 2.0, 4.0, 9.0], [3.0, 3.0, 8.0, 2.0]),
        ([1.0, 1.0, 4.0, 9.0, 3.0], [5.0, 5.0, 7.0, 7.0, 7.0]),
        ([1.0, 2.0, 3.0, 4.0, 5.0], [5.0, 6.0, 1.0, 1.0, 1.0]),
    ],
)
def test_the_smallest_p_of_dealing_scores_anew_is_that_of_all_orders(x, y, method):
    """Scores of questionnaires are tied, so that many orders are one: the smallest p is not 1 / n!."""
    a, b = (np.array(values) if method == "pearson" else stats.rankdata(values) for values in (x, y))
    every = np.abs([np.corrcoef(a, b[list(order)])[0, 1] for order in permutations(range(len(b)))])
    right = np.mean(every >= every.max() - 1e-9)
    assert least_of_scores(np.array(x), np.array(y), method) == pytest.approx(right)
    assert right > 1 / math.factorial(len(x)) or (method == "pearson" and len(set(y)) == len(y))
