"""A Gaussian inside a mask and HYPR-LR against closed forms: constants, a point, the composite."""

import numpy as np
import pytest

from raphe.core.smoothing import FWHM, composite, hypr, hypr_gain, kernel, smoothed
from raphe.errors import InputError

VOXEL = (2.0, 2.0, 3.0)


def ball(n=21, radius=7.0):
    axes = np.meshgrid(*[np.arange(n) - n // 2] * 3, indexing="ij")
    return np.sqrt(sum(axis**2 for axis in axes)) < radius


def test_a_constant_stays_constant_up_to_the_edge_whatever_is_outside():
    mask = ball()
    for outside in (0.0, 1e6, np.nan):
        found = smoothed(np.where(mask, 3.0, outside), kernel(mask, 6.0, VOXEL))
        np.testing.assert_allclose(found[mask], 3.0, rtol=1e-12)
        assert np.isnan(found[~mask]).all()


def test_a_point_becomes_the_gaussian_in_mm():
    mask = np.ones((41, 41, 41), dtype=bool)
    point = np.zeros(mask.shape)
    point[20, 20, 20] = 1.0
    found = smoothed(point, kernel(mask, 8.0, VOXEL))
    x, y, z = np.meshgrid(*[(np.arange(41) - 20) * size for size in VOXEL], indexing="ij")
    expected = np.exp(-(x**2 + y**2 + z**2) / 2 / (8.0 / FWHM) ** 2)
    np.testing.assert_allclose(found, expected / expected.sum(), atol=2e-3 * found.max())
    assert found[22, 20, 20] / found[20, 20, 20] == pytest.approx(0.5, rel=2e-3)  # 4 mm, half of the width


def test_a_straight_slope_is_kept_far_from_the_edge():
    slope = np.arange(31.0)[:, None, None] * np.ones((31, 31, 31))
    found = smoothed(slope, kernel(np.ones(slope.shape, dtype=bool), 5.0, VOXEL))
    np.testing.assert_allclose(found[13:18], slope[13:18], rtol=1e-9)


def test_a_voxel_that_is_not_a_number_takes_no_part_and_stays():
    mask = ball()
    volume = np.full(mask.shape, 2.0)
    volume[10, 10, 10] = np.nan
    found = smoothed(volume, kernel(mask, 6.0, VOXEL))
    assert np.isnan(found[10, 10, 10])
    mask[10, 10, 10] = False
    np.testing.assert_allclose(found[mask], 2.0, rtol=1e-12)


@pytest.mark.parametrize(
    ("mask", "fwhm", "voxel", "says"),
    [
        (ball(), 0.0, VOXEL, "0 mm"),
        (ball(), np.nan, VOXEL, "nan mm"),
        (ball(), 5.0, (2.0, 2.0, 0.0), "three positive sizes"),
        (np.zeros((5, 5, 5), dtype=bool), 5.0, VOXEL, "0 voxels"),
    ],
)
def test_what_cannot_be_a_kernel_is_said(mask, fwhm, voxel, says):
    with pytest.raises(InputError, match=says):
        kernel(mask, fwhm, voxel)


def test_another_grid_is_said_with_both_shapes():
    with pytest.raises(InputError, match=r"\(4, 4, 4\), the mask \(21, 21, 21\)"):
        smoothed(np.zeros((4, 4, 4)), kernel(ball(), 5.0, VOXEL))


def frames(mask, n_frame=6, seed=0):
    rng = np.random.default_rng(seed)
    return [np.where(mask, rng.uniform(1, 3, mask.shape), np.nan) for _ in range(n_frame)], rng.uniform(1, 5, n_frame)


def by_hypr(images, duration, inside):
    gain = hypr_gain(composite(images, duration), inside)
    return [hypr(image, gain, inside) for image in images]


def test_hypr_keeps_the_composite():
    mask = ball()
    images, duration = frames(mask)
    found = by_hypr(images, duration, kernel(mask, 6.0, VOXEL))
    np.testing.assert_allclose(composite(found, duration), composite(images, duration), rtol=1e-12)


def test_hypr_leaves_images_whose_voxels_have_one_shape_in_time():
    mask = ball()
    images, duration = frames(mask)
    images = [factor * images[0] for factor in (0.1, 1.0, 3.0)]
    found = by_hypr(images, duration[:3], kernel(mask, 6.0, VOXEL))
    np.testing.assert_allclose(found, images, rtol=1e-12)


def test_hypr_smooths_where_the_composite_is_near_zero():
    mask = ball(31, 15)
    images = [np.where(mask, 1.0, 0.0) for _ in range(2)]
    hole = ball(31, 9)
    for image, sign in zip(images, (1, -1), strict=True):
        image[hole] = sign * 1e-3
    inside = kernel(mask, 4.0, VOXEL)
    found = by_hypr(images, np.ones(2), inside)
    assert found[0][15, 15, 15] == smoothed(images[0], inside)[15, 15, 15]
    assert np.nanmax(np.abs(found)) < 10


def test_a_schedule_of_another_length_is_said():
    images, duration = frames(ball())
    for wrong in (duration[:-1], np.append(duration, 1.0)):
        with pytest.raises(InputError, match="6 frames"):
            composite(images, wrong)
