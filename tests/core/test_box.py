"""Boxes around a mask, and where what is cut out lies."""

from __future__ import annotations

import numpy as np
import pytest

from raphe.core.box import affine_of, box_of, put_back

AFFINE = np.array([[-2.0, 0, 0, 90], [0, 1.5, 0.5, -126], [0, -0.5, 2, -72], [0, 0, 0, 1]])


@pytest.mark.parametrize("room", [0, 2])
def test_a_part_of_a_grid_keeps_its_place(room):
    mask = np.zeros((9, 8, 7), dtype=bool)
    mask[3:6, 0:2, 6] = True
    box = box_of(mask, room)
    assert mask[box].sum() == mask.sum()
    assert mask[box].shape == ((3, 2, 1) if room == 0 else (7, 4, 3))
    whole_place = AFFINE @ [4, 1, 6, 1]
    within = [at - part.start for at, part in zip((4, 1, 6), box, strict=True)]
    np.testing.assert_allclose(affine_of(AFFINE, box) @ [*within, 1], whole_place)


def test_each_axis_has_its_own_room_and_no_box_leaves_the_volume():
    mask = np.zeros((9, 8, 7), dtype=bool)
    mask[4, 4, 1] = True
    assert box_of(mask, [1, 9, 2]) == (slice(3, 6), slice(0, 8), slice(0, 4))


def test_an_empty_mask_has_the_whole_volume():
    assert box_of(np.zeros((3, 4, 5), dtype=bool), 1) == (slice(0, 3), slice(0, 4), slice(0, 5))


def test_what_is_cut_out_is_put_back():
    values = np.arange(9 * 8 * 7, dtype=np.int16).reshape(9, 8, 7)
    box = (slice(3, 6), slice(0, 2), slice(6, 7))
    found = put_back(values[box], box, values.shape)
    inside = np.zeros(values.shape, dtype=bool)
    inside[3:6, :2, 6] = True
    assert found.dtype == values.dtype
    np.testing.assert_array_equal(found, np.where(inside, values, 0))
