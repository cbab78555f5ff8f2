import numpy as np
import pytest

from raphe.core.midline import moved, to_midline
from raphe.core.mirror import mirrored
from raphe.errors import InputError


def grid(first, step=2.0, axis=0):
    affine = np.zeros((4, 4))
    order = [axis, *(other for other in range(3) if other != axis)]
    for world, own in enumerate(order):
        affine[world, own] = step if world == 0 else 1.5
    affine[:, 3] = first, -3, -4, 1
    return affine


@pytest.mark.parametrize("step", [2.0, -2.0, 0.853849])
@pytest.mark.parametrize("first", [-5.0, -4.9, -4.51, -4.3, 0.37])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_new_grid_has_a_mirror_and_lies_within_a_quarter_of_a_voxel(first, step, axis):
    affine = grid(first, step, axis)
    move = to_midline(affine)
    assert abs(move.voxels) <= 0.25
    assert move.axis == axis
    assert move.mm == pytest.approx(move.affine[0, 3] - affine[0, 3])
    mirrored(np.zeros((6, 6, 6)), move.affine, tolerance=1e-9)


@pytest.mark.parametrize("step", [2.0, -2.0])
@pytest.mark.parametrize("first", [-4.7, -4.4])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_what_is_linear_in_x_is_what_the_new_places_have(first, step, axis):
    affine = grid(first, step, axis)
    volume = np.moveaxis(np.broadcast_to((5 + 0.3 * (step * np.arange(7) + first))[:, None, None], (7, 3, 2)), 0, axis)
    move = to_midline(affine)
    found = np.moveaxis(moved(volume, move), axis, 0)
    expected = 5 + 0.3 * (step * np.arange(7) + move.affine[0, 3])
    known = np.isfinite(found[:, 0, 0])
    assert known.sum() == 6
    np.testing.assert_allclose(found[known], np.broadcast_to(expected[known, None, None], (6, 3, 2)), rtol=1e-12)


def test_a_missing_value_stays_missing_and_reaches_one_neighbour():
    volume = np.ones((6, 1, 1), dtype=np.float32)
    volume[2] = np.nan
    move = to_midline(grid(-4.7))
    found = moved(volume, move)[:, 0, 0]
    assert found.dtype == np.float32
    assert np.isnan(found).sum() == 3  # itself, its neighbour, and the edge


def test_a_grid_that_lies_evenly_is_left_as_it_is():
    volume = np.random.default_rng(0).normal(size=(6, 2, 2))
    move = to_midline(grid(-5.0))
    assert move.voxels == 0
    assert moved(volume, move) is volume


def test_a_turned_grid_is_refused():
    affine = grid(-5.0)
    affine[1, 0] = 0.2
    with pytest.raises(InputError, match="none of its axes runs along x"):
        to_midline(affine)
