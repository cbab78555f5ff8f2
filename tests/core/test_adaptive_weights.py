"""Averaging over neighbours that are the same: truth is constant, stepped or sloped, and noise is drawn."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from raphe.core.adaptive_weights import correlation_of_neighbours, regularised
from raphe.errors import InputError

N = 24
VOXEL = (2.0, 2.0, 2.0)
WHOLE = np.ones((N, N, N), dtype=bool)
STEP = np.where(np.arange(N) < N // 2, 0.0, 1.0)[:, None, None] * np.ones((N, N, N))
SLOPE = np.linspace(0, 1, N)[:, None, None] * np.ones((N, N, N))


def noise(seed, sigma=0.0):
    drawn = np.random.default_rng(seed).normal(size=(N + 20,) * 3)
    if sigma:
        drawn = gaussian_filter(drawn, sigma, mode="wrap")
    return (drawn / drawn.std())[10:-10, 10:-10, 10:-10]


def regular(value, se, part=WHOLE, wanted=WHOLE, voxel=VOXEL, **options):
    return regularised(value, np.broadcast_to(se, value.shape), part, wanted, voxel, **options)


def test_a_map_whose_errors_are_small_beside_what_differs_stays_as_it_is():
    value = np.random.default_rng(0).normal(size=WHOLE.shape)
    found = regular(value, 1e-6)
    np.testing.assert_allclose(found.value, value, rtol=1e-14)
    np.testing.assert_allclose(found.se, 1e-6, rtol=1e-9)


def test_a_constant_stays_constant():
    np.testing.assert_allclose(regular(np.full(WHOLE.shape, 3.0), 0.5).value, 3.0, rtol=1e-12)


def test_a_step_of_many_errors_stays_a_step():
    found = regular(STEP + 0.1 * noise(1), 0.1)
    profile = found.value.mean(axis=(1, 2))
    np.testing.assert_allclose(profile, STEP[:, 0, 0], atol=0.02)
    assert (found.value - STEP).std() < 0.04


def scores(truth, size, sigma=0.0):
    found = [regular(truth + size * noise(seed, sigma), size) for seed in range(4)]
    return np.array([(each.value - truth) / each.se for each in found]), found[0]


@pytest.mark.parametrize("sigma", [0.0, 0.7, 1.06])
def test_standard_errors_hold_where_the_truth_is_constant(sigma):
    z, found = scores(1.0, 1.0, sigma)
    assert 0.9 < z.std() < 1.1
    assert found.se.mean() < 0.75
    assert found.correlation == pytest.approx(3 * [np.exp(-1 / (4 * sigma**2)) if sigma else 0.0], abs=0.1)


def test_standard_errors_hold_when_they_differ_from_place_to_place():
    z, _ = scores(1.0, 0.05 * np.exp(2 * SLOPE))
    assert 0.9 < z.std() < 1.1


def test_correlation_bears_steps_and_slopes():
    for truth in (STEP, SLOPE):
        value = truth + 0.1 * noise(3, 1.06)
        found = correlation_of_neighbours(value, np.full(value.shape, 0.01), WHOLE)
        assert found == pytest.approx(3 * [0.8], abs=0.06)


def test_a_voxel_that_takes_no_part_gets_the_value_of_its_neighbours_and_harms_none():
    value = 2 + 0.1 * noise(4)
    part = WHOLE.copy()
    part[5, 6, 7] = False
    spoilt = value.copy()
    spoilt[5, 6, 7] = np.nan
    found, other = regular(spoilt, 0.1, part), regular(np.where(part, value, 1e9), 0.1, part)
    np.testing.assert_array_equal(found.value, other.value)
    assert found.value[5, 6, 7] == pytest.approx(2, abs=0.1)
    assert np.isfinite(found.se).all()


def test_nan_where_not_wanted_and_where_nobody_is_near():
    part, wanted = WHOLE.copy(), WHOLE.copy()
    part[:10] = False
    wanted[20:] = False
    found = regular(1 + noise(5), 1.0, part, wanted)
    assert np.isnan(found.value[:6]).all()
    assert np.isfinite(found.value[9:20]).all()
    assert np.isnan(found.value[20:]).all()
    np.testing.assert_array_equal(np.isnan(found.value), np.isnan(found.se))
    assert np.isnan(regular(noise(5), 1.0, ~WHOLE).value).all()


def test_what_is_outside_does_not_enter():
    inside = WHOLE.copy()
    inside[:, :8] = False
    one, two = noise(6), noise(6)
    two[~inside] = 1e6
    np.testing.assert_array_equal(regular(one, 1.0, inside, inside).value, regular(two, 1.0, inside, inside).value)


def test_digits_do_not_depend_on_workers():
    value = STEP + 0.3 * noise(7, 1.0)
    one, three = regular(value, 0.3), regular(value, 0.3, workers=3)
    np.testing.assert_array_equal(one.value, three.value)
    np.testing.assert_array_equal(one.se, three.se)


def test_the_reach_is_in_mm():
    value = noise(8)
    near, far = regular(value, 1.0, reach=2.5), regular(value, 1.0, reach=7.0)
    assert far.value.std() < near.value.std() < 0.8
    flat = regular(value, 1.0, voxel=(2.0, 2.0, 50.0))  # neighbours along z are out of reach
    moved = value.copy()
    moved[:, :, N // 2 :] += 3
    other = regular(moved, 1.0, voxel=(2.0, 2.0, 50.0), correlation=flat.correlation)
    inner = (slice(None), slice(None), slice(0, N // 2 - 5))
    np.testing.assert_allclose(flat.value[inner], other.value[inner], rtol=1e-12)


def test_what_cannot_be_averaged_is_said():
    value = noise(9)
    with pytest.raises(InputError, match="no value, or no positive standard error"):
        regular(value, 0.0)
    with pytest.raises(InputError, match="must be positive"):
        regular(value, 1.0, reach=-1.0)
    with pytest.raises(InputError, match="one 3D grid"):
        regularised(value, value[1:], WHOLE, WHOLE, VOXEL)
