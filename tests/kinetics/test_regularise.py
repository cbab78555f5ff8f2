"""Maps of a fit after averaging: scale, flags and order of voxels."""

import numpy as np
import pytest

from raphe.errors import InputError
from raphe.kinetics.regularise import regularise
from raphe.kinetics.voxelwise import VoxelFit
from raphe.quality import Quality

N = 16
VOXEL = (2.0, 2.0, 2.0)
NAMES = ("BP_ND", "R1", "k2_prime", "K_i")


def made(seed=0, size=0.2):
    rng = np.random.default_rng(seed)
    mask = rng.uniform(size=(N, N, N)) > 0.1
    n = int(mask.sum())
    error = size * rng.normal(size=(4, n))
    value = np.stack([3 * np.exp(error[0]) - 1, 0.9 * np.exp(error[1]), np.full(n, 0.1), error[3] - 0.01])
    se = np.stack([size * (value[0] + 1), size * value[1], np.full(n, np.nan), np.full(n, size)])
    quality = np.zeros(n, dtype=np.uint8)
    return VoxelFit(NAMES, value.astype(np.float32), se.astype(np.float32), quality), mask


def test_constant_truth_is_met_within_its_standard_error():
    fit, mask = made()
    found = regularise(fit, mask, VOXEL)
    for row, truth in ((0, 2.0), (1, 0.9), (3, -0.01)):
        assert found.se[row].mean() < 0.5 * fit.se[row].mean()
        z = (found.value[row] - truth) / found.se[row]
        assert 0.8 < z.std() < 1.2
    np.testing.assert_array_equal(found.value[2], fit.value[2])
    assert np.isnan(found.se[2]).all()


def test_maps_without_noise_stay():
    fit, mask = made(size=1e-5)
    rng = np.random.default_rng(1)
    fit.value[0] += rng.uniform(0, 2, fit.value.shape[1]).astype(np.float32)
    np.testing.assert_allclose(regularise(fit, mask, VOXEL).value[0], fit.value[0], rtol=1e-5)


def test_voxels_that_are_not_usable_take_no_part_and_keep_their_flags():
    fit, mask = made(2)
    fit.quality[:50] = int(Quality.IMPRECISE)
    fit.value[:, :50] = 1e6
    fit.quality[50:60] = int(Quality.BAD_INPUT)
    fit.value[:, 50:60] = np.nan
    fit.se[:, 50:60] = np.nan
    found = regularise(fit, mask, VOXEL)
    np.testing.assert_array_equal(found.quality, fit.quality)
    np.testing.assert_allclose(found.value[0, :50], 2.0, atol=1.0)
    assert np.isnan(found.value[0, 50:60]).all()
    assert np.isfinite(found.value[0, 60:]).all()


def test_the_fit_that_is_given_stays_as_it_was():
    fit, mask = made(3)
    before = fit.value.copy()
    regularise(fit, mask, VOXEL)
    np.testing.assert_array_equal(fit.value, before)


def test_another_mask_is_said_with_both_numbers():
    fit, mask = made()
    with pytest.raises(InputError, match=f"the mask has {N**3} voxels, the fit {int(mask.sum())}"):
        regularise(fit, np.ones_like(mask), VOXEL)
