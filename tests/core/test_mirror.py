import numpy as np
import pytest

from raphe.core.mirror import averaged, mirrored
from raphe.errors import InputError

VOLUME = np.arange(5 * 3 * 2, dtype=float).reshape(5, 3, 2)


def grid(x, size=2.0):
    return np.array([[size, 0, 0, x], [0, 2.0, 0, -3], [0, 0, 2.0, 7], [0, 0, 0, 1]])


@pytest.mark.parametrize("affine", [grid(-4), grid(4, -2.0)], ids=["RAS", "LAS"])
def test_a_grid_even_about_zero_is_reversed(affine):
    np.testing.assert_array_equal(mirrored(VOLUME, affine), VOLUME[::-1])
    np.testing.assert_array_equal(averaged(VOLUME, affine), (VOLUME + VOLUME[::-1]) / 2)


def test_left_and_right_may_be_any_axis():
    affine = np.array([[0, 0, -2.0, 1], [2, 0, 0, 5], [0, 2, 0, 5], [0, 0, 0, 1]])
    np.testing.assert_array_equal(mirrored(VOLUME, affine), VOLUME[..., ::-1])


def test_a_place_whose_mirror_is_outside_has_no_value():
    found = mirrored(VOLUME, grid(-6))  # x = -6 -4 -2 0 2
    assert np.isnan(found[:2]).all()
    np.testing.assert_array_equal(found[2:], VOLUME[4:1:-1])
    assert np.isnan(averaged(VOLUME, grid(-6))[0]).all()


def test_mirroring_twice_is_nothing():
    np.testing.assert_array_equal(mirrored(mirrored(VOLUME, grid(-4)), grid(-4)), VOLUME)


def test_how_far_a_grid_is_off_is_said():
    with pytest.raises(InputError, match=r"up to 0\.6 mm beside the nearest voxel, and 0\.1 mm are allowed"):
        mirrored(VOLUME, grid(-4.3))
    np.testing.assert_array_equal(mirrored(VOLUME, grid(-4.04)), VOLUME[::-1])


def test_a_tilted_grid_is_refused_by_its_corners():
    turn = np.deg2rad(5)
    tilt = np.array(
        [[np.cos(turn), -np.sin(turn), 0, 0], [np.sin(turn), np.cos(turn), 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    )
    with pytest.raises(InputError, match="cannot be mirrored at x = 0"):
        mirrored(VOLUME, tilt @ grid(-4))


def test_what_is_no_volume_is_refused():
    with pytest.raises(InputError, match="cannot be mirrored"):
        mirrored(np.zeros((2, 2)), grid(0))
