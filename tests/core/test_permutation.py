import numpy as np
import pytest
from scipy import stats

from raphe.core import permutation
from raphe.core.exchange import exchanges, flips
from raphe.core.permutation import family_wise, max_t, observed_map, over_maps, turn
from raphe.core.shuffled import freedman_lane, held
from raphe.core.smoothing import kernel, smoothed
from raphe.errors import InputError


def ols(y, x, c):
    """Effect, t and residual variance of each column of y by the normal equations."""
    inverse = np.linalg.inv(x.T @ x)
    beta = inverse @ x.T @ y
    variance = ((y - x @ beta) ** 2).sum(axis=0) / (len(x) - x.shape[1])
    return c @ beta, c @ beta / np.sqrt(variance * (c @ inverse @ c)), variance


def slow_freedman_lane(y, x, c, shuffles):
    """t maps of every shuffle: residuals of the nuisance shuffled, its fit added, the whole model fitted again."""
    beta_free = np.linalg.svd(c[None])[2][1:].T  # columns span the coefficients that the contrast does not see
    z = x @ beta_free
    fit = z @ np.linalg.pinv(z) @ y
    found = []
    for order, sign in zip(shuffles.order, shuffles.sign, strict=True):
        moved = np.empty_like(y)
        moved[order] = sign[:, None] * (y - fit)
        found.append(ols(moved + fit, x, c)[1])
    return np.array(found)


def slow_held(y, x, column, taken, covariates=None):
    """t maps with one column of the design replaced, voxel by voxel where there is a covariate by voxel."""
    found = np.empty((len(taken), y.shape[1]))
    for i, values in enumerate(taken):
        for v in range(y.shape[1]):
            own = x.copy()
            own[:, column] = values
            if covariates is not None:
                own = np.column_stack([own, *(c[:, v] for c in covariates)])
            found[i, v] = ols(y[:, [v]], own, np.eye(own.shape[1])[column])[1][0]
    return found


def designs():
    """Design, contrast and shuffles of each kind, n = 12 or 30."""
    rng = np.random.default_rng(8)
    age, group, pairs = rng.normal(size=12), np.repeat([0.0, 1.0], 6), np.repeat(np.arange(6), 2)
    one, time = np.ones(12), np.tile([0.0, 1.0], 6)
    two = np.column_stack([group, one])
    adjusted = np.column_stack([one, group, age])
    difference = np.column_stack([1 - group, group, age, rng.normal(size=12)])
    within = np.column_stack([time, np.eye(6)[pairs]])
    big = np.column_stack([np.arange(30.0) < 20, np.ones(30), rng.normal(size=(30, 2))])
    of_rows = np.unique(within, axis=0, return_inverse=True)[1].ravel()
    return {
        "one sample": (one[:, None], np.ones(1), flips(12, 200, 1)),
        "one sample, adjusted": (np.column_stack([one, age]), np.eye(2)[0], flips(12, 200, 1)),
        "two groups": (two, np.eye(2)[0], exchanges(group, 200, 1)),
        "two groups, adjusted": (adjusted, np.eye(3)[1], exchanges(np.arange(12), 200, 1)),
        "cell means": (difference, np.array([-1.0, 1, 0, 0]), exchanges(np.arange(12), 200, 1)),
        "within pairs": (within, np.eye(7)[0], exchanges(of_rows, 100, 1, pairs)),
        "whole pairs": (np.column_stack([one, group, time]), np.eye(3)[1], exchanges(
            2 * group + time, 100, 1, pairs, within=False, whole=True)),
        "thirty scans": (big, np.eye(4)[0], exchanges(np.arange(30), 200, 1)),
    }  # fmt: skip


DESIGNS = designs()


@pytest.mark.parametrize("kind", [np.float32, np.float64], ids=["single", "double"])
@pytest.mark.parametrize("name", DESIGNS)
def test_observed_values_are_those_of_least_squares(name, kind):
    x, c, shuffles = DESIGNS[name]
    y = (np.random.default_rng(1).normal(size=(len(x), 600)) + 3).astype(kind)
    turned = turn(y, freedman_lane(x, c, shuffles))
    effect, t, _ = ols(y.astype(float), x, c)
    np.testing.assert_allclose(turned.effect, effect, rtol=1e-8, atol=1e-11)
    np.testing.assert_allclose(turned.t, t, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("name", DESIGNS)
def test_every_shuffle_is_that_of_a_slow_freedman_lane(name):
    x, c, shuffles = DESIGNS[name]
    y = np.random.default_rng(2).normal(size=(len(x), 300)) + np.linspace(0, 1, 300)
    model = freedman_lane(x, c, shuffles)
    turned = turn(y, model)
    slow = slow_freedman_lane(y, x, c, shuffles)
    maps, _ = over_maps(turned, model, lambda values: values.tolist())
    np.testing.assert_allclose(maps, slow, rtol=2e-5, atol=2e-5)
    found = max_t(turned, model)
    most = np.abs(slow).max(axis=1)
    np.testing.assert_allclose(found.most, most, rtol=1e-5)
    observed = np.abs(slow[0])
    np.testing.assert_allclose(found.p, (np.abs(slow) >= observed - 1e-5).mean(axis=0), atol=1.01 / len(slow))
    np.testing.assert_allclose(found.p_fwe, (most[:, None] >= observed - 1e-5).mean(axis=0), atol=1.01 / len(slow))


@pytest.mark.parametrize("n_covariate", [0, 1, 2])
def test_an_allocation_is_exchanged_and_all_else_held(n_covariate):
    rng = np.random.default_rng(3)
    group = np.repeat([0.0, 1.0], 7)
    x = np.column_stack([np.ones(14), group, rng.normal(size=14)])
    y = rng.normal(size=(14, 40))
    covariates = [rng.normal(size=(14, 40)) for _ in range(n_covariate)]
    taken = group[exchanges(group, 100, 1).order]
    model = held(x, np.eye(3)[1], taken, 3432, False, n_covariate)
    assert model.df == 14 - 3 - n_covariate
    turned = turn(y, model, covariates)
    slow = slow_held(y, x, 1, taken, covariates)
    np.testing.assert_allclose(turned.t, slow[0], rtol=1e-8)
    maps, _ = over_maps(turned, model, lambda values: values.tolist())
    np.testing.assert_allclose(maps, slow, rtol=2e-5, atol=2e-5)
    np.testing.assert_allclose(max_t(turned, model).most, np.abs(slow).max(axis=1), rtol=1e-5)
    own = np.column_stack([x, *(c[:, 0] for c in covariates)])
    np.testing.assert_allclose(turned.effect[0], ols(y[:, [0]], own, np.eye(own.shape[1])[1])[0][0], rtol=1e-9)


def test_a_contrast_turned_round_turns_effect_and_t():
    rng = np.random.default_rng(4)
    group = np.repeat([0.0, 1.0], 6)
    x, y = np.column_stack([np.ones(12), group]), rng.normal(size=(12, 5))
    taken = group[exchanges(group, 50, 1).order]
    one, other = (turn(y, held(x, np.array([0.0, w]), taken, 924, False)) for w in (1.0, -2.0))
    np.testing.assert_allclose(other.t, -one.t, rtol=1e-12)
    np.testing.assert_allclose(other.effect, -2 * one.effect, rtol=1e-12)
    assert one.t[0] * one.effect[0] > 0


def test_four_animals_have_a_floor_of_an_eighth():
    model = freedman_lane(np.ones((4, 1)), np.ones(1), flips(4, 5000, 0))
    assert (model.smallest, model.complete, model.possible, model.df) == (0.125, True, 16, 3)
    y = np.full((4, 50), 5.0) + np.random.default_rng(1).normal(size=(4, 50)) * 0.01
    found = max_t(turn(y, model), model)
    np.testing.assert_array_equal(found.p, 0.125)
    assert found.p_fwe.min() == 0.125


def test_floors_of_groups():
    for sizes, floor in (((5, 5), 2 / 252), ((4, 6), 1 / 210)):
        group = np.repeat([0.0, 1.0], sizes)
        model = freedman_lane(np.column_stack([np.ones(10), group]), np.eye(2)[1], exchanges(group, 5000, 0))
        assert model.smallest == pytest.approx(floor)


def test_a_p_value_is_uniform_where_all_shuffles_are_listed():
    """Of 6 values all 64 flips; scipy has the same test of one sample."""
    y = np.random.default_rng(5).normal(size=(6, 20)) + 0.4
    model = freedman_lane(np.ones((6, 1)), np.ones(1), flips(6, 64, 0))
    found = max_t(turn(y, model), model).p
    for v in range(20):
        theirs = stats.permutation_test(
            (y[:, v],), np.mean, permutation_type="samples", n_resamples=np.inf, alternative="two-sided"
        )
        assert found[v] == pytest.approx(theirs.pvalue, abs=1e-12)


@pytest.mark.parametrize("name", ["two groups, adjusted", "thirty scans"])
def test_neither_threads_nor_tiles_change_a_digit(name):
    x, c, shuffles = DESIGNS[name]
    y = np.random.default_rng(6).normal(size=(len(x), 2000)).astype(np.float32)
    model = freedman_lane(x, c, shuffles)
    turned = turn(y, model)
    one, two = (max_t(turned, model, threads) for threads in (1, 2))
    for a, b in zip((one.most, one.p, one.p_fwe), (two.most, two.p, two.p_fwe), strict=True):
        np.testing.assert_array_equal(a, b)
    maps = [
        over_maps(turned, model, lambda v: (v.min(), v.max()), threads=k, bar=np.ones(2000, np.float32)) for k in (1, 3)
    ]
    np.testing.assert_array_equal(maps[0][0], maps[1][0])
    np.testing.assert_array_equal(maps[0][1], maps[1][1])
    parts = [max_t(turn(y[:, part], model), model) for part in (slice(0, 777), slice(777, 2000))]
    np.testing.assert_array_equal(np.maximum(parts[0].most, parts[1].most), one.most)
    np.testing.assert_array_equal(np.concatenate([part.p for part in parts]), one.p)


@pytest.mark.parametrize("allocated", [False, True], ids=["residuals", "allocation"])
def test_pseudo_t_is_made_of_the_smoothed_variance(allocated):
    rng = np.random.default_rng(7)
    mask = rng.random((6, 5, 4)) < 0.9
    y = rng.normal(size=(8, mask.sum())) * rng.uniform(0.5, 2, mask.sum())
    group = np.repeat([0.0, 1.0], 4)
    x, c = np.column_stack([np.ones(8), group, rng.normal(size=8)]), np.eye(3)[1]
    if allocated:
        taken = group[exchanges(group, 50, 1).order]
        model, slow = held(x, c, taken, 70, False), [ols(y, np.column_stack([x[:, 0], g, x[:, 2]]), c) for g in taken]
        inverse = [
            np.linalg.inv(np.column_stack([x[:, 0], g, x[:, 2]]).T @ np.column_stack([x[:, 0], g, x[:, 2]]))
            for g in taken
        ]
    else:
        model, slow, inverse = (
            freedman_lane(x, c, exchanges(np.arange(8), 50, 1)),
            [ols(y, x, c)],
            [np.linalg.inv(x.T @ x)],
        )
    gauss = kernel(mask, 5.0, (2.0, 2.0, 3.0))
    maps, _ = over_maps(turn(y, model), model, lambda values: values.tolist(), variance=gauss)
    np.testing.assert_array_equal(observed_map(turn(y, model), model, gauss), maps[0].astype(np.float32))
    for found, (effect, _, variance), inv in zip(maps, slow, inverse, strict=False):
        volume = np.zeros(mask.shape)
        volume[mask] = variance
        pseudo = effect / np.sqrt(smoothed(volume, gauss)[mask] * (c @ inv @ c))
        np.testing.assert_allclose(found, pseudo, rtol=1e-5, atol=1e-6)


def test_no_more_than_a_few_maps_are_held():
    import tracemalloc

    x, c, shuffles = DESIGNS["thirty scans"]
    y = np.random.default_rng(9).normal(size=(30, 20_000)).astype(np.float32)
    model = freedman_lane(x, c, shuffles)
    turned = turn(y, model)
    max_t(turned, model)
    tracemalloc.start()
    max_t(turned, model)
    over_maps(turned, model, lambda values: (values.max(),))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.3 * len(model.rows) * 20_000 * 4


def test_voxels_without_variation_have_no_value():
    y = np.random.default_rng(10).normal(size=(12, 4)) + 5
    y[:, 1] = 7.3
    x, c, shuffles = DESIGNS["two groups"]
    y[:, 2] = 2 + 3 * x[:, 0]
    turned = turn(y, freedman_lane(x, c, shuffles))
    assert turned.usable.tolist() == [True, False, False, True]
    found = max_t(turned, freedman_lane(x, c, shuffles))
    assert np.isnan(found.p_fwe).tolist() == [False, True, True, False]


def test_family_wise_counts_ties():
    np.testing.assert_allclose(
        family_wise(np.array([1.0, 2, 5, np.nan]), np.array([1.0, 2, 3, 4])), [1, 0.75, 0, np.nan]
    )


def test_precision_follows_the_degrees_of_freedom():
    y = np.ones((12, 3), dtype=np.float32) * np.arange(12, dtype=np.float32)[:, None]
    x, c, shuffles = DESIGNS["two groups"]
    assert turn(y, freedman_lane(x, c, shuffles)).tiles.dtype == (
        np.float32 if permutation.ENOUGH <= 10 else np.float64
    )
    x, c, shuffles = DESIGNS["two groups, adjusted"]
    assert turn(y, freedman_lane(x, c, shuffles)).tiles.dtype == np.float64


ONE = np.ones((5, 1))
TWO = np.column_stack([np.ones(6), np.repeat([0.0, 1.0], 3)])
GROUP, FIRST, SECOND = TWO[:, 1], np.eye(2)[0], np.eye(2)[1]
FLIPPED = freedman_lane(TWO, SECOND, flips(6, 10, 0))
ZEROS = np.zeros((6, 3))
BAD = {
    "same": (
        lambda: freedman_lane(ONE, np.ones(1), exchanges(np.zeros(5), 10, 0)),
        "permutations give the same t value",
    ),
    "one scan": (lambda: freedman_lane(np.ones((1, 1)), np.ones(1), flips(1, 10, 0)), "leave no degree of freedom"),
    "saturated": (lambda: freedman_lane(np.eye(3), np.ones(3), flips(3, 10, 0)), "3 scans and 3 parameters leave no"),
    "mixed": (lambda: freedman_lane(np.ones((5, 2)), FIRST, flips(5, 10, 0)), "the 2 columns .* say only 1 different"),
    "shapes": (
        lambda: freedman_lane(TWO, np.ones(3), flips(6, 10, 0)),
        r"design has shape \(6, 2\), the contrast \(3,\)",
    ),
    "zero": (lambda: freedman_lane(TWO, np.zeros(2), flips(6, 10, 0)), "all numbers of the contrast are 0"),
    "nan": (lambda: freedman_lane(TWO * np.nan, np.ones(2), flips(6, 10, 0)), "not a finite number"),
    "two columns": (lambda: held(TWO, np.ones(2), GROUP[None], 1, False), "contrast is of 2; give it one number"),
    "in the nuisance": (
        lambda: held(TWO, SECOND, np.stack([GROUP, np.ones(6)]), 2, False),
        "allocation 2 of 2 says nothing",
    ),
    "covariates": (lambda: held(TWO, SECOND, GROUP[None], 1, False, 4), "4 covariates by voxel leave no degree"),
    "one allocation": (lambda: held(TWO, SECOND, GROUP[None], 1, False), "all 1 permutations give the same t"),
    "data": (lambda: turn(np.zeros((5, 3)), FLIPPED), r"data has shape \(5, 3\), but the design has 6 scans"),
    "nan data": (lambda: turn(ZEROS * np.nan, FLIPPED), "not a finite number; leave that voxel out"),
    "not held": (lambda: turn(ZEROS, FLIPPED, [ZEROS]), "needs a scheme that exchanges the allocation"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_said(name):
    call, message = BAD[name]
    with pytest.raises(InputError, match=message):
        call()


@pytest.mark.parametrize("n", range(3, 12))
@pytest.mark.parametrize("grouped", [False, True], ids=["flips", "groups"])
def test_sums_made_once_are_those_of_the_maps(n, grouped):
    """Weights of two values take another way, in lists of five scans: numbers of scans about the edges of lists."""
    y = np.random.default_rng(n).normal(size=(n, 300)) + 0.5
    if grouped:
        group = (np.arange(n) < max(n // 3, 1)).astype(float)
        model = freedman_lane(np.column_stack([group, np.ones(n)]), np.eye(2)[0], exchanges(group, 33, 1))
    else:
        model = freedman_lane(np.ones((n, 1)), np.ones(1), flips(n, 33, 1))
    assert model.two_weights() is not None
    turned = turn(y, model)
    maps, _ = over_maps(turned, model, lambda values: np.abs(values).tolist())
    found = max_t(turned, model)
    np.testing.assert_allclose(found.most, maps.max(axis=1), rtol=1e-6)
    np.testing.assert_array_equal(found.p, (maps >= maps[0] * (1 - 1e-6)).mean(axis=0))


def test_a_covariate_has_weights_of_more_values():
    x, c, shuffles = DESIGNS["two groups, adjusted"]
    assert freedman_lane(x, c, shuffles).two_weights() is None
