"""Permutation tests of regions, against enumeration by hand and by scipy."""

from __future__ import annotations

from itertools import combinations, permutations, product

import numpy as np
import pytest
from scipy import stats

from raphe.errors import InputError
from raphe.stats.arrangements import permuted_blocks
from raphe.stats.regional_permutation import (
    exchange,
    permute_correlation,
    rerandomise,
    sign_flip,
)

# Changes of four animals in one region, all of one sign: no arrangement is more extreme than theirs.
ANIMALS = np.array([0.31, 0.12, 0.25, 0.08])


def t_of(values):
    return stats.ttest_1samp(values, 0.0).statistic


def welch(values, second):
    return stats.ttest_ind(values[second == 1], values[second == 0], equal_var=False).statistic


def test_four_animals_of_one_sign_reach_the_floor_and_no_lower():
    found = sign_flip(ANIMALS)
    assert found.p[0] == found.p_least == 0.125
    assert (found.n, found.exact) == (16, True)
    assert found.statistic[0] == pytest.approx(t_of(ANIMALS))


def test_sign_flips_by_enumeration_of_all():
    rng = np.random.default_rng(2)
    values = rng.normal(0.4, 1.0, 7)
    every = [abs(t_of(values * s)) for s in product((1, -1), repeat=7)]
    assert sign_flip(values).p[0] == pytest.approx(np.mean(np.array(every) >= abs(t_of(values)) - 1e-9))
    truth = stats.permutation_test((values,), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert sign_flip(values).p[0] == pytest.approx(truth.pvalue)


def test_rows_of_one_person_flip_together():
    values = np.array([0.5, 0.4, 0.3, 0.9, -0.1, 0.6])
    together = ["a", "a", "b", "b", "c", "c"]
    every = [abs(t_of(values * np.repeat(s, 2))) for s in product((1, -1), repeat=3)]
    found = sign_flip(values, together=together)
    assert found.p[0] == pytest.approx(np.mean(np.array(every) >= abs(t_of(values)) - 1e-9))
    assert found.p_least == 0.25


@pytest.mark.parametrize(("pooled", "n_second"), [(False, 3), (True, 3), (False, 4)], ids=["welch", "pooled", "even"])
def test_exchange_of_groups_by_enumeration_of_all(pooled, n_second):
    rng = np.random.default_rng(4)
    values = rng.normal(size=8)
    second = np.arange(8) < n_second
    every = []
    for chosen in combinations(range(8), n_second):
        label = np.isin(np.arange(8), chosen)
        every.append(abs(stats.ttest_ind(values[label], values[~label], equal_var=pooled).statistic))
    seen = abs(stats.ttest_ind(values[second], values[~second], equal_var=pooled).statistic)
    found = exchange(values, second, pooled=pooled)
    assert found.p[0] == pytest.approx(np.mean(np.array(every) >= seen - 1e-9))
    assert abs(found.statistic[0]) == pytest.approx(seen)
    assert found.n == len(every)
    assert found.p_least == pytest.approx((2 if n_second == 4 else 1) / len(every))


def test_exchange_keeps_within_blocks():
    rng = np.random.default_rng(5)
    values = rng.normal(size=8) + np.repeat([0.0, 5.0], 4)
    second = np.array([1, 0, 0, 1, 1, 0, 1, 0])
    blocks = ["x"] * 4 + ["y"] * 4
    every = []
    for first, last in product(combinations(range(4), 2), combinations(range(4, 8), 2)):
        label = np.isin(np.arange(8), first + last).astype(int)
        every.append(abs(welch(values, label)))
    found = exchange(values, second, blocks=blocks)
    assert found.n == 36
    assert found.p_least == pytest.approx(2 / 36)
    assert found.p[0] == pytest.approx(np.mean(np.array(every) >= abs(welch(values, second)) - 1e-9))


def test_drawn_arrangements_agree_with_all_within_their_error():
    rng = np.random.default_rng(6)
    values = rng.normal(size=(12, 2)) + np.where(np.arange(12) < 6, 0.9, 0.0)[:, None]
    second = np.arange(12) < 6
    every, drawn = exchange(values, second), exchange(values, second, most=100, n_draw=9_999, seed=3)
    assert every.exact
    assert not drawn.exact
    assert drawn.n == 10_000
    error = 4 * np.sqrt(every.p * (1 - every.p) / 10_000)
    assert (abs(every.p - drawn.p) < error).all()
    assert drawn.p_least == pytest.approx(2 / 924)  # of all arrangements; more than one in 10,000


def test_a_drawn_p_is_never_zero():
    values = np.arange(40) + np.where(np.arange(40) < 20, 1000.0, 0.0)
    found = exchange(values, np.arange(40) < 20, n_draw=99)
    assert found.p[0] == found.p_least == 0.01


def test_all_allocations_that_were_likely():
    """Three people, 1:2 in one block, twice: 9 allocations, each as likely."""
    block = [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
    every = np.array([a + b for a, b in product(block, block)])
    values = np.array([3.0, 0.1, 0.4, 2.5, -0.2, 0.3])
    found = rerandomise(values, every[0], every)
    sizes = np.array([abs(welch(values, label)) for label in every])
    assert found.p[0] == pytest.approx(np.mean(sizes >= sizes[0] - 1e-9))
    assert found.p_least == pytest.approx(1 / 9)
    with pytest.raises(InputError, match="none of those"):
        rerandomise(values, [1, 1, 0, 0, 0, 0], every)


def test_permuted_blocks_deal_two_to_one_and_rerandomise_uses_them():
    allocate = permuted_blocks(30, (True, True, False))
    drawn = np.array([allocate(np.random.default_rng(seed)) for seed in range(200)])
    assert (drawn.reshape(200, 10, 3).sum(axis=2) == 2).all()
    assert abs(drawn.mean(axis=0) - 2 / 3).max() < 4 * np.sqrt(2 / 9 / 200)
    rng = np.random.default_rng(8)
    false = 0
    for study in range(200):
        values = rng.normal(size=30)
        false += rerandomise(values, allocate(rng), allocate, n_draw=99, seed=study).p[0] <= 0.05
    assert false / 200 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_correlation_by_enumeration_of_all(method):
    rng = np.random.default_rng(7)
    x, y = rng.normal(size=6), rng.normal(size=6)
    r = stats.pearsonr if method == "pearson" else stats.spearmanr
    every = [abs(r(x[list(order)], y).statistic) for order in permutations(range(6))]
    found = permute_correlation(x, y, method=method)
    assert found.p[0] == pytest.approx(np.mean(np.array(every) >= abs(r(x, y).statistic) - 1e-9))
    assert found.statistic[0] == pytest.approx(r(x, y).statistic)
    assert (found.n, found.p_least) == (720, pytest.approx(1 / 720))


def test_correlation_within_blocks():
    x = np.array([1.0, 2.0, 3.0, 11.0, 12.0, 13.0])
    y = np.array([1.0, 3.0, 2.0, 9.0, 7.0, 8.0])
    every = []
    for a, b in product(permutations(range(3)), permutations(range(3, 6))):
        every.append(abs(stats.pearsonr(x[list(a + b)], y).statistic))
    found = permute_correlation(x, y, blocks=[0, 0, 0, 1, 1, 1])
    assert found.n == 36
    assert found.p[0] == pytest.approx(np.mean(np.array(every) >= abs(stats.pearsonr(x, y).statistic) - 1e-9))


def test_adjusted_p_by_the_definition_of_the_step_down_maximum():
    rng = np.random.default_rng(9)
    table = rng.normal(size=(6, 4)) + np.array([0.0, 1.0, 0.5, 2.0])
    sizes = np.array([[abs(t_of(column)) for column in (table * np.array(s)[:, None]).T] for s in
                      product((1, -1), repeat=6)])  # fmt: skip
    seen = sizes[0]
    order = np.argsort(-seen)
    truth, before = np.empty(4), 0.0
    for at, region in enumerate(order):
        rest = sizes[:, order[at:]].max(axis=1)
        before = max(before, np.mean(rest >= seen[region] - 1e-9))
        truth[region] = before
    found = sign_flip(table)
    np.testing.assert_allclose(found.p_adjusted, truth)
    assert (found.p_adjusted >= found.p).all()


@pytest.mark.slow
def test_step_down_keeps_the_family_wise_error_and_the_test_its_own():
    rng = np.random.default_rng(10)
    n, family, single = 1000, 0, 0
    for _ in range(n):
        table = rng.normal(size=(8, 5)) + rng.normal(size=(8, 1))
        found = sign_flip(table)
        family += (found.p_adjusted <= 0.05).any()
        single += found.p[0] <= 0.05
    bound = 3 * np.sqrt(0.05 * 0.95 / n)
    assert family / n <= 0.05 + bound
    # 12 of 256 arrangements may be counted: the level is 12/256.
    assert single / n == pytest.approx(12 / 256, abs=bound)


def test_a_missing_value_leaves_the_others_of_its_region():
    table = np.column_stack([ANIMALS, ANIMALS])
    table[3, 1] = np.nan
    found = sign_flip(table)
    assert found.p[1] == pytest.approx(sign_flip(ANIMALS[:3]).p[0]) == 0.25
    assert found.statistic[1] == pytest.approx(t_of(ANIMALS[:3]))
    second = np.array([1, 1, 1, 0, 0, 0, 0])
    values = np.array([2.0, 3.0, 2.5, 1.0, 0.5, np.nan, 1.5])
    assert exchange(values, second).statistic[0] == pytest.approx(
        welch(values[[0, 1, 2, 3, 4, 6]], second[[0, 1, 2, 3, 4, 6]])
    )
    x = np.arange(7.0)
    kept = ~np.isnan(values)
    assert permute_correlation(x, values).statistic[0] == pytest.approx(stats.pearsonr(x[kept], values[kept]).statistic)


def test_a_region_without_spread_is_nan_with_a_reason_and_does_not_count():
    table = np.column_stack([ANIMALS, np.zeros(4)])
    found = sign_flip(table)
    assert np.isnan(found.p[1])
    assert np.isnan(found.p_adjusted[1])
    assert found.why == ("", "too few values, or all alike")
    assert found.p_adjusted[0] == 0.125
    assert np.isnan(exchange(np.ones(6), [0, 0, 0, 1, 1, 1]).p[0])
    assert np.isnan(permute_correlation(np.arange(5.0), np.ones(5)).p[0])


def test_equal_differences_are_as_extreme_as_can_be():
    assert sign_flip(np.full(5, 0.2)).p[0] == 2 / 32


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: sign_flip([0.1]), "at least two people"),
        (lambda: sign_flip([0.1, np.inf]), "infinite"),
        (lambda: sign_flip([0.1, 0.2], together=["a"]), "1 labels for 2 rows"),
        (lambda: exchange([1.0, 2.0, 3.0], [0, 0, 1]), "each needs at least two"),
        (lambda: exchange(np.arange(4.0), [0, 0, 1, 1], blocks="aabb"), "nobody can be exchanged"),
        (lambda: exchange(np.arange(4.0), [0, 0, 1, 2]), "True or False"),
        (lambda: permute_correlation([1.0, 2.0], [1.0, 2.0]), "at least three"),
        (lambda: permute_correlation([1.0, np.nan, 2.0], [1.0, 2.0, 3.0]), "gaps"),
        (lambda: permute_correlation(np.arange(3.0), np.arange(3.0), method="kendall"), "kendall"),
        (lambda: rerandomise(np.arange(4.0), [0, 0, 1, 1], np.zeros((2, 3))), "one row an allocation"),
    ],
    ids=["one", "infinite", "labels", "small", "blocks", "third", "two", "gaps", "method", "shape"],
)
def test_unusable_input_is_refused_in_words(call, words):
    with pytest.raises(InputError, match=words):
        call()
