"""Correlations, against R, scipy, published figures and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from raphe.errors import InputError
from raphe.stats.bootstrap import bootstrap
from raphe.stats.correlation import from_t, of_z, partial, pearson, spearman

# Example of R's cor.test (Hollander and Wolfe 1973, p. 187): tuna lightness against panel score.
LIGHTNESS = np.array([44.4, 45.9, 41.9, 53.3, 44.7, 44.1, 50.7, 45.2, 60.1])
PANEL = np.array([2.6, 3.1, 2.5, 5.0, 3.6, 4.0, 5.2, 2.8, 3.8])
ORDER = np.array([1.0, 3, 2, 5, 4, 7, 6, 9, 8])
CLASS = np.array([0.0, 1, 0, 1, 1, 0, 1, 0, 1])


def with_correlation(r, n, seed=1):
    """Normal-looking x and y whose sample correlation is exactly r."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    x = (x - x.mean()) / np.linalg.norm(x - x.mean())
    e = rng.normal(size=n)
    e -= e.mean()
    e -= (e @ x) * x
    return x, r * x + math.sqrt(1 - r * r) * e / np.linalg.norm(e)


def test_pearson_of_r():
    """R 4.2.2: cor.test(x, y)."""
    found = pearson(LIGHTNESS, PANEL)
    assert found.r == pytest.approx(0.571181557564, rel=1e-10)
    assert found.p == pytest.approx(0.108173054349, rel=1e-9)
    assert (found.low, found.high) == pytest.approx((-0.149742633037, 0.895579461839), rel=1e-9)


@pytest.mark.parametrize(
    ("r", "n", "p", "low", "high"),
    [(-0.426, 30, 0.0189, -0.68, -0.08), (-0.644, 20, 0.0022, -0.85, -0.28)],
    ids=["severity", "improvement"],
)
def test_figures_of_tiger_2020(r, n, p, low, high):
    """Tiger et al. 2020 print r and p = 0.019 and 0.002; the intervals follow from Fisher's z."""
    found = pearson(*with_correlation(r, n))
    assert found.r == pytest.approx(r)
    assert found.p == pytest.approx(p, abs=5e-5)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.005)


def test_spearman_of_r():
    """R 4.2.2: cor.test(x, y, method = "spearman"), p exact."""
    found = spearman(LIGHTNESS, PANEL)
    assert found.r == pytest.approx(0.6)
    assert found.p == pytest.approx(0.0967978395062, rel=1e-9)
    # Bonett and Wright 2000: standard error sqrt((1 + 0.18) / 6) of z.
    half = 1.959963984540054 * math.sqrt(1.18 / 6)
    assert found.low == pytest.approx(math.tanh(math.atanh(0.6) - half))
    assert found.high == pytest.approx(math.tanh(math.atanh(0.6) + half))


def test_spearman_of_more_people_by_scipy_with_ties():
    rng = np.random.default_rng(1)
    x = rng.normal(size=24)
    y = np.round(x + rng.normal(size=24), 0)
    truth = stats.spearmanr(x, y)
    found = spearman(x, y)
    assert found.r == pytest.approx(truth.statistic)
    assert found.p == pytest.approx(truth.pvalue)


def test_exact_p_of_ranks_with_ties_is_a_share_of_all_orders():
    x, y = np.array([1.0, 1.0, 2.0, 3.0]), np.array([1.0, 2.0, 2.0, 4.0])
    found = spearman(x, y)
    truth = stats.permutation_test(
        (x,), lambda a: stats.spearmanr(a, y).statistic, permutation_type="pairings", n_resamples=np.inf
    )
    assert found.p == pytest.approx(min(1.0, truth.pvalue))
    assert (24 * found.p) == pytest.approx(round(24 * found.p))


def test_partial_correlation_is_that_of_the_regression_in_r():
    """R 4.2.2: cor(resid(lm(x ~ z + w)), resid(lm(y ~ z + w))), and p of x in lm(y ~ x + z + w)."""
    found = partial(LIGHTNESS, PANEL, np.column_stack([ORDER, CLASS]))
    assert found.r == pytest.approx(0.0859772234286, rel=1e-9)
    assert found.p == pytest.approx(0.8545794057908, rel=1e-9)
    assert found.df == 5
    half = 1.959963984540054 / math.sqrt(9 - 2 - 3)
    assert found.high == pytest.approx(math.tanh(math.atanh(found.r) + half))


def test_partial_rank_correlation_of_one_covariate_by_its_formula():
    found = partial(LIGHTNESS, PANEL, ORDER, method="spearman")
    xy, xz, yz = (stats.spearmanr(a, b).statistic for a, b in ((LIGHTNESS, PANEL), (LIGHTNESS, ORDER), (PANEL, ORDER)))
    assert found.r == pytest.approx((xy - xz * yz) / math.sqrt((1 - xz**2) * (1 - yz**2)))


def test_bca_interval_is_that_of_the_bootstrap_of_people():
    x, y = with_correlation(0.5, 30)
    truth = bootstrap(lambda who: stats.pearsonr(x[who], y[who]).statistic, 30, n_repeat=1000, seed=3)
    found = pearson(x, y, interval="bca", n_repeat=1000, seed=3)
    assert (found.low, found.high) == pytest.approx((truth.low, truth.high))
    assert found.interval == "bca"
    assert found.p == pearson(x, y).p


def test_units_and_signs_do_not_matter():
    one, other = pearson(LIGHTNESS, PANEL), pearson(1e6 * LIGHTNESS - 3, -PANEL)
    assert (other.r, other.p) == pytest.approx((-one.r, one.p))
    assert (other.low, other.high) == pytest.approx((-one.high, -one.low))


@pytest.mark.parametrize("method", ["pearson", "spearman", "partial"])
def test_intervals_cover_the_truth_of_twenty_people(method):
    rng = np.random.default_rng(7)
    rho = 0.6
    truth = 6 / math.pi * math.asin(rho / 2) if method == "spearman" else rho
    n, hits = 2000, 0
    for _ in range(n):
        x, e, z = rng.normal(size=(3, 20))
        y = rho * x + math.sqrt(1 - rho**2) * e
        if method == "partial":
            found = partial(x + z, y - 2 * z, z)
        else:
            found = pearson(x, y) if method == "pearson" else spearman(x, y)
        hits += found.low <= truth <= found.high
    error = 3 * math.sqrt(0.95 * 0.05 / n)
    # Bonett and Wright's interval errs to the safe side at this size and correlation.
    assert 0.95 - error <= hits / n <= 0.95 + error + (0.01 if method == "spearman" else 0.0)


def test_what_cannot_be_computed_says_why():
    flat = pearson([1.0, 1.0, 1.0, 1.0], [1.0, 2.0, 3.0, 5.0])
    assert math.isnan(flat.r)
    assert "same in all" in flat.why
    line = pearson([1.0, 2.0, 3.0, 4.0], [2.0, 4.0, 6.0, 8.0])
    assert (line.r, line.p) == (pytest.approx(1.0), 0.0)
    assert math.isnan(line.low)
    assert "line" in line.why
    three = pearson([1.0, 2.0, 4.0], [2.0, 1.0, 3.0])
    assert 0 < three.p < 1
    assert "four people" in three.why
    explained = partial([1.0, 2.0, 3.0, 4.0, 5.0], [2.0, 1.0, 3.0, 7.0, 4.0], [2.0, 4.0, 6.0, 8.0, 10.0])
    assert "explain" in explained.why
    # Of three people in perfect order two of six orders are as extreme.
    assert spearman([1.0, 2.0, 3.0], [1.0, 5.0, 7.0]).p == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: pearson([1.0, 2.0], [1.0, 2.0]), "at least three"),
        (lambda: pearson([1.0, 2.0, 3.0], [1.0, 2.0]), "shapes"),
        (lambda: pearson([1.0, 2.0, math.nan], [1.0, 2.0, 3.0]), "1 of 3 people"),
        (lambda: pearson([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], interval="wald"), "wald"),
        (lambda: partial(LIGHTNESS, PANEL, np.ones(9)), "constant"),
        (lambda: partial(LIGHTNESS, PANEL, np.column_stack([CLASS, 1 - CLASS])), "follows from"),
        (lambda: partial(LIGHTNESS, PANEL, np.where(CLASS > 0, math.nan, 1)), "5 of 9 people lack a covariate"),
        (lambda: partial(LIGHTNESS[:4], PANEL[:4], np.array([[1.0, 2], [3, 1], [0, 1], [2, 5]])), "fewer covariates"),
        (lambda: partial(LIGHTNESS, PANEL, ORDER, method="kendall"), "kendall"),
    ],
    ids=["two", "shapes", "missing", "interval", "constant", "confounded", "gap", "many", "method"],
)
def test_unusable_input_is_refused(call, words):
    with pytest.raises(InputError, match=words):
        call()


def test_helpers_are_what_they_say():
    assert from_t(0.5, 10) == pytest.approx(2 * stats.t.sf(0.5 * math.sqrt(10 / 0.75), 10))
    assert of_z(0.0, 0.5) == pytest.approx((-math.tanh(0.98), math.tanh(0.98)), abs=1e-4)
