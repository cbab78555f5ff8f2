"""Two exponentials and blood: valleys and searches against scipy's bounded linear least squares over all pairs."""

from itertools import combinations

import numpy as np
import pytest
from scipy.optimize import lsq_linear

from raphe.core.compartments import begin, begin_alone, tissue_with_blood, tried, two_tissue
from raphe.core.exponentials import search
from raphe.core.frames import Frames
from raphe.core.piecewise import PiecewiseLinear
from raphe.core.reduced import reduced
from raphe.core.responses import responses
from raphe.core.sampling import sampling
from raphe.core.valleys import valleys

PLASMA = PiecewiseLinear([0.2, 0.5, 0.8, 1.5, 4.0, 20.0, 95.0], [0.0, 90.0, 60.0, 20.0, 9.0, 4.0, 1.0])
FRAMES = Frames(np.concatenate([np.arange(0, 3, 0.25), np.arange(3, 93, 5)]), [0.25] * 12 + [5.0] * 18)
SAMPLED = sampling(FRAMES)
TABLE = responses(SAMPLED, PLASMA)
BLOOD = SAMPLED.seen(PLASMA.scaled(0.8))
SHARES = [(0.0, 0.5), (0.05, 0.05), (0.0, 0.0)]


def measured(n, level, seed=1, k3=(0.0, 0.2)):
    rng = np.random.default_rng(seed)
    rates = [rng.uniform(*ends, n) for ends in [(0.05, 0.6), (0.05, 0.4), k3, (0.02, 0.1), (0, 0.1)]]
    clean = tissue_with_blood(TABLE, two_tissue, BLOOD, None)(np.column_stack(rates), None)[0]
    sd = level * clean.mean(axis=1, keepdims=True) * np.ones_like(clean)
    return clean + sd * rng.normal(size=clean.shape), rng.uniform(0.2, 2, clean.shape)


def best(functions, y, w, share):
    """Lowest cost, and the amplitudes, of functions that are not subtracted and a share of blood within its bounds."""
    root, (low, high) = np.sqrt(w), share
    columns, left, ends = list(functions), y, ([0.0] * len(functions), [np.inf] * len(functions))
    if low < high:
        columns, ends = [*columns, BLOOD], ([*ends[0], low], [*ends[1], high])
    else:
        left = y - low * BLOOD
    found = lsq_linear((np.array(columns) * root).T, root * left, ends, method="bvls", tol=1e-14)
    return 2 * found.cost, found.x


@pytest.mark.parametrize("share", SHARES)
def test_the_search_begins_from_the_best_pair(share):
    rates = np.geomspace(1e-3, 3, 9)
    basis = TABLE.at(rates)[0]
    curves, weights = measured(12, 0.1)
    found = valleys(basis, 0, curves, weights, BLOOD, *share)
    checked = 0
    for y, w, told in zip(curves, weights, found, strict=True):
        pairs = {pair: best(basis[list(pair)], y, w, share) for pair in combinations(range(9), 2)}
        both = {pair: cost for pair, (cost, x) in pairs.items() if (x[:2] > 1e-9).all()}
        if not both:
            alone = {one: best(basis[[one]], y, w, share)[0] for one in range(1, 9)}
            assert tuple(told[0]) == (0, min(alone, key=alone.get))
            continue
        loose = {pair: best(basis[list(pair)], y, w, (-9.0, 9.0) if share[0] < share[1] else share) for pair in both}
        top = min(loose, key=lambda pair: loose[pair][0])
        if share[0] == share[1] or 0 <= loose[top][1][2] <= 0.5:
            assert tuple(told[0]) == min(both, key=both.get)
            checked += 1
        if told[1, 0] == 0:
            edge = {pair: cost for pair, cost in both.items() if pair[0] == 0}
            assert tuple(told[1]) == min(edge, key=edge.get)
    assert checked > 3


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize(("level", "k3"), [(0.02, (0.0, 0.2)), (0.1, (0.0, 0.2)), (0.1, (0.0, 0.0)), (0.3, (0.0, 0.0))])
def test_no_pair_of_a_fine_grid_is_better(share, level, k3):
    """Among them curves of one compartment, beside which a second exponential of small amplitude may help."""
    curves, weights = measured(4, level, seed=5, k3=k3)
    grid = TABLE.place(tried(5.0))
    place, amplitude, cost, _ = search(TABLE.value, TABLE.slope, grid, 0, curves, weights, BLOOD, *share)
    assert (amplitude[:, :2] >= 0).all()
    assert (place[:, 0] <= place[:, 1]).all()
    fine = TABLE.at(np.geomspace(1e-5, 5, 60))[0]
    for row, (y, w) in enumerate(zip(curves, weights, strict=True)):
        lowest = min(best(fine[list(pair)], y, w, share)[0] for pair in combinations(range(60), 2))
        assert cost[row] <= lowest * (1 + 1e-9)


def test_a_curve_is_searched_as_if_alone():
    curves, weights = measured(9, 0.05)
    together = begin(TABLE, curves, weights, BLOOD, None, (0.0, 0.5), 5.0)
    for row in range(9):
        alone = begin(TABLE, curves[[row]], weights[[row]], BLOOD, None, (0.0, 0.5), 5.0)
        np.testing.assert_array_equal(alone.rate[0], together.rate[row])
        np.testing.assert_array_equal(alone.amplitude[0], together.amplitude[row])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_curve_that_is_no_number_harms_no_other(value):
    curves, weights = measured(3, 0.05)
    spoilt = curves.copy()
    spoilt[1, 4] = value
    good, beside = (begin(TABLE, y, weights, BLOOD, None, (0.0, 0.5), 5.0) for y in (curves, spoilt))
    np.testing.assert_array_equal(beside.rate[[0, 2]], good.rate[[0, 2]])


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("level", [0.0, 0.02, 0.1])
def test_common_weights_give_what_weights_for_each_curve_give(share, level):
    curves, weights = measured(300, level)
    grid, row = TABLE.place(tried(5.0)), weights[:1]
    each = np.repeat(row, len(curves), axis=0)
    one, other = (
        search(TABLE.value, TABLE.slope, grid, 0, curves, w, BLOOD, *share, None, space)
        for w, space in ((row, reduced(TABLE, row[0], BLOOD)), (each, None))
    )
    size = (row * curves**2).sum(axis=1)
    assert (np.abs(one[2] - other[2]) <= 1e-9 * other[2] + 1e-20 * size).mean() > 0.996
    same = np.abs(one[2] - other[2]) <= 1e-9 * other[2]
    both = same & (other[1][:, :2] > 1e-3).all(axis=1)
    np.testing.assert_allclose(one[0][both], other[0][both], rtol=1e-5)


def test_a_search_ends_in_the_same_place_from_nearby_and_from_another_valley():
    curves, weights = measured(300, 0.05)
    grid = TABLE.place(tried(5.0))
    anew = search(TABLE.value, TABLE.slope, grid, 0, curves, weights, BLOOD, 0.0, 0.5)
    other = search(TABLE.value, TABLE.slope, grid, 0, curves, weights[::-1].copy(), BLOOD, 0.0, 0.5)[0]
    for near in (np.clip(anew[0] * 1.02, grid[0], grid[-1]), other):
        found = search(TABLE.value, TABLE.slope, grid, 0, curves, weights, BLOOD, 0.0, 0.5, near)
        assert (np.abs(found[2] - anew[2]) <= 1e-9 * anew[2]).mean() > 0.99


def test_the_space_of_a_scan_holds_every_answer():
    weights = np.random.default_rng(1).uniform(0.2, 2, len(FRAMES))
    space = reduced(TABLE, weights, BLOOD)
    assert space.axes.shape[1] <= len(FRAMES) + 2
    assert reduced(TABLE, weights.copy(), BLOOD.copy()) is space
    answers = np.vstack([TABLE.at(np.geomspace(1e-5, 10, 50))[0], BLOOD])
    coordinates, beyond = space.coordinates(answers)
    size = (weights * answers**2).sum(axis=1)
    assert (beyond <= 1e-11 * size).all()
    np.testing.assert_allclose((coordinates**2).sum(axis=1), size, rtol=1e-10)


def test_a_curve_that_fits_exactly_changes_nothing_for_those_after_it():
    curves, weights = measured(20, 0.1)
    exact, _ = measured(1, 0.0)
    row = weights[:1]
    alone = begin(TABLE, curves, row, BLOOD, None, (0.0, 0.5), 5.0)
    after = begin(TABLE, np.vstack([exact, curves]), row, BLOOD, None, (0.0, 0.5), 5.0)
    np.testing.assert_array_equal(after.rate[1:], alone.rate)
    np.testing.assert_array_equal(after.cost[1:], alone.cost)


def test_one_exponential_is_the_best_of_a_fine_grid():
    curves, weights = measured(20, 0.1)
    fine = TABLE.at(np.geomspace(1e-5, 5, 200))[0]
    for share in SHARES:
        V_B = None if share[0] < share[1] else share[0]
        found = begin_alone(TABLE, curves, weights, BLOOD, V_B, share, (1e-5, 5.0))
        assert (found.amplitude >= 0).all()
        for y, w, cost in zip(curves, weights, found.cost, strict=True):
            assert cost <= min(best(one[None], y, w, share)[0] for one in fine) * (1 + 1e-9)
        np.testing.assert_allclose((weights * (curves - found.fitted) ** 2).sum(axis=1), found.cost, rtol=1e-9)
