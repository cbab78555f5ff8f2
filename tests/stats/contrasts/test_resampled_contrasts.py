"""Intervals by resampling people: the statistic is that of the contrast, whatever its kind."""

import math

import numpy as np
import pytest
from scipy import optimize, stats

from contrast_studies import answered, study
from raphe.data.people import People
from raphe.stats.bootstrap import bootstrap

RNG = np.random.default_rng(8)
N = 18
PEOPLE = [f"p{i}" for i in range(N)]
BEFORE = 2 + RNG.normal(0, 0.4, N)
AFTER = 0.7 * BEFORE + 0.6 + RNG.normal(0, 0.15, N)
SE_BEFORE, SE_AFTER = RNG.uniform(0.02, 0.2, (2, N))
AGE, SCORE = RNG.uniform(20, 60, N).round(), RNG.normal(0, 1, N) + AFTER
DRUG = np.arange(N) % 3 == 0
ARMS = ["drug" if one else "placebo" for one in DRUG]
SEX = np.where(np.arange(N) % 2 == 0, "f", "m")
KNOWN = People(
    {
        "age": dict(zip(PEOPLE, map(str, AGE), strict=True)),
        "sex": dict(zip(PEOPLE, map(str, SEX), strict=True)),
        "arm": dict(zip(PEOPLE, ARMS, strict=True)),
    },
    {"s": dict(zip(PEOPLE, map(float, SCORE), strict=True))},
)
ROWS = study(
    {"a": dict(zip(PEOPLE, BEFORE, strict=True)), "b": dict(zip(PEOPLE, AFTER, strict=True))},
    arms=dict(zip(PEOPLE, ARMS, strict=True)),
    se={"a": dict(zip(PEOPLE, SE_BEFORE, strict=True)), "b": dict(zip(PEOPLE, SE_AFTER, strict=True))},
)
CHANGE, SE = AFTER - BEFORE, np.hypot(SE_BEFORE, SE_AFTER)
OF_ARMS = {"terms": ("placebo", "drug"), "sessions": ("a", "b")}


def ols(y, *columns):
    return np.linalg.lstsq(np.column_stack([np.ones(len(y)), *columns]), y)[0]


def reml(y, s, *columns):
    """Coefficients at the maximum of the restricted likelihood, found by a search over tau."""
    X = np.column_stack([np.ones(len(y)), *columns])

    def fit(tau):
        w = 1 / (tau**2 + s**2)
        normal = X.T @ (w[:, None] * X)
        beta = np.linalg.solve(normal, X.T @ (w * y))
        return beta, np.log(w).sum() - np.linalg.slogdet(normal)[1] - (w * (y - X @ beta) ** 2).sum()

    grid = np.linspace(0, 3 * y.std() + 1e-9, 40)
    best = grid[np.argmax([fit(tau)[1] for tau in grid])]
    step = grid[1]
    found = optimize.minimize_scalar(
        lambda tau: -fit(tau)[1], bounds=(max(best - step, 0), best + step), method="bounded", options={"xatol": 1e-10}
    )
    return fit(found.x if -found.fun > fit(0.0)[1] else 0.0)[0]


def at_mean_of_classes(who):
    """Mean change at the mean age, both sexes counting alike."""
    b = ols(CHANGE[who], AGE[who], SEX[who] == "m")
    return b[0] + b[1] * AGE[who].mean() + b[2] / 2


def partial(who):
    left = [y - np.column_stack([np.ones(len(who)), AGE[who]]) @ ols(y, AGE[who]) for y in (BEFORE[who], SCORE[who])]
    return np.corrcoef(*left)[0, 1]


CASES = {
    "paired": ({"terms": ("a", "b")}, lambda who: CHANGE[who].mean(), False),
    "paired with covariates": ({"terms": ("a", "b"), "covariates": ("age", "sex")}, at_mean_of_classes, False),
    "groups": (
        {"kind": "groups", **OF_ARMS},
        lambda who: CHANGE[who][DRUG[who]].mean() - CHANGE[who][~DRUG[who]].mean(),
        True,
    ),
    "groups with a covariate": (
        {"kind": "groups", **OF_ARMS, "covariates": ("age",)},
        lambda who: ols(CHANGE[who], DRUG[who], AGE[who])[1],
        True,
    ),
    "ancova": ({"kind": "ancova", **OF_ARMS}, lambda who: ols(AFTER[who], BEFORE[who], DRUG[who])[2], True),
    "ancova by logarithms": (
        {"kind": "ancova", **OF_ARMS, "scale": "log"},
        lambda who: ols(np.log(AFTER[who]), np.log(BEFORE[who]), DRUG[who])[2],
        True,
    ),
    "interaction": (
        {"kind": "interaction", "by": "arm", "levels": ("placebo", "drug"), "terms": ("a", "b")},
        lambda who: CHANGE[who][DRUG[who]].mean() - CHANGE[who][~DRUG[who]].mean(),
        True,
    ),
    "correlation": (
        {"kind": "correlation", "x": ("a",), "score": "s"},
        lambda who: np.corrcoef(BEFORE[who], SCORE[who])[0, 1],
        False,
    ),
    "spearman": (
        {"kind": "correlation", "x": ("a",), "score": "s", "method": "spearman"},
        lambda who: stats.spearmanr(BEFORE[who], SCORE[who]).statistic,
        False,
    ),
    "partial": ({"kind": "correlation", "x": ("a",), "score": "s", "covariates": ("age",)}, partial, False),
}
WEIGHTED = {
    "paired": ({"terms": ("a", "b")}, lambda who: reml(CHANGE[who], SE[who])[0], False),
    "ancova": (
        {"kind": "ancova", **OF_ARMS},
        lambda who: reml(AFTER[who], SE_AFTER[who], BEFORE[who], DRUG[who])[2],
        True,
    ),
}


def check(question, statistic, of_arms, n_repeat, rel):
    (row,) = answered(ROWS, KNOWN, bootstrap=n_repeat, seed=3, **question).rows
    right = bootstrap(statistic, N, arm=ARMS if of_arms else None, n_repeat=n_repeat, seed=3)
    assert row.estimate == pytest.approx(right.value, rel=rel)
    assert (row.resampled.low, row.resampled.high, row.resampled.se) == pytest.approx(
        (right.low, right.high, right.se), rel=rel
    )


@pytest.mark.parametrize("case", CASES)
def test_the_interval_is_that_of_the_statistic_written_out(case):
    check(*CASES[case], 300, 1e-7)


@pytest.mark.parametrize("case", WEIGHTED)
def test_weighted_estimates_are_found_again_in_each_resampling(case):
    question, statistic, of_arms = WEIGHTED[case]
    check({**question, "weights": "se"}, statistic, of_arms, 200, 5e-3)  # some likelihoods have two summits


def test_the_standard_error_is_that_of_a_mean_of_resampled_people():
    (row,) = answered(ROWS, KNOWN, terms=("a", "b"), bootstrap=4000).rows
    assert row.resampled.se == pytest.approx(CHANGE.std() / math.sqrt(N), rel=0.04)


def test_too_few_people_have_no_interval_and_the_row_says_why():
    few = [row for row in ROWS if row.participant in PEOPLE[:3]]
    (row,) = answered(few, terms=("a", "b"), bootstrap=200).rows
    assert math.isnan(row.resampled.low)
    assert "no bootstrap interval: 3 people" in row.why
    assert np.isfinite(row.p)


def test_without_the_key_there_is_none():
    (row,) = answered(ROWS, terms=("a", "b")).rows
    assert row.resampled is None
    assert row.held is None
