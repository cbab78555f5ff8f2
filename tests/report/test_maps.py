"""Pictures of maps: the same person looks the same, however the file has its axes."""

from itertools import permutations

import numpy as np
import pytest

from raphe.report.maps import map_view

SIZES = (2.0, 3.0, 4.0)


@pytest.fixture
def upright():
    """Map, mask and affine with axes to the right, to the front and up, slightly turned."""
    values = np.random.default_rng(3).uniform(0.5, 2.0, (7, 8, 9))
    values[0, 1, 2] = np.nan
    mask = np.ones(values.shape, dtype=bool)
    mask[:, :, 0] = False
    values[~mask] = np.nan
    affine = np.eye(4)
    affine[:3, :3] = np.diag(SIZES) @ np.array([[1, 0.1, 0], [-0.1, 1, 0.05], [0, -0.05, 1]])
    affine[:3, 3] = -6, -12, -20
    return values, mask, affine


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("turned", [(), (0,), (1,), (0, 2), (0, 1, 2)])
def test_a_map_looks_the_same_whatever_the_order_of_its_axes(upright, order, turned):
    values, mask, affine = upright
    moved = affine.copy()
    for axis in turned:
        moved[:3, 3] += moved[:3, axis] * (values.shape[axis] - 1)
        moved[:3, axis] *= -1
    moved[:3, :3] = moved[:3, order]
    others = [np.flip(whole, turned).transpose(order) for whole in (values, mask)]
    assert map_view("SRTM", "BP_ND", *others, moved) == map_view("SRTM", "BP_ND", values, mask, affine)


def test_slices_say_where_they_are(upright):
    axial, coronal, sagittal = map_view("SRTM", "BP_ND", *upright).rows
    assert (axial.plane, coronal.plane, sagittal.plane) == ("Axial, front up", "Coronal, top up", "Sagittal, top up")
    assert [(row.slices[0].left, row.slices[0].right) for row in (axial, coronal, sagittal)] == [
        ("L", "R"), ("L", "R"), ("P", "A"),
    ]  # fmt: skip
    assert axial.slices[-1].place == "z = 3 mm"
    assert axial.slices[0].place == "z = \N{MINUS SIGN}13 mm"


def test_where_the_header_does_not_say_left_nothing_is_called_left(upright):
    values, mask, affine = upright
    view = map_view("SRTM", "BP_ND", values, mask, affine, oriented=False)
    assert not view.oriented
    assert [row.plane for row in view.rows] == [f"Across axis {axis} of the image" for axis in (3, 2, 1)]
    assert {(one.left, one.right) for row in view.rows for one in row.slices} == {("", "")}
    assert view.rows[0].slices[0].place == "slice 3 of 9"


def test_voxels_are_counted_and_the_scale_has_a_zero(upright):
    values, mask, affine = upright
    view = map_view("SRTM", "BP_ND", values, mask, affine)
    assert (view.n_voxel, view.n_unusable) == ("447", "1")
    assert [place for _, place in view.ticks] == ["0", "50", "100"]
    view = map_view("SRTM", "BP_ND", values - 1.2, mask, affine)
    assert view.ticks[1][0] == "0"
    assert 20 < float(view.ticks[1][1]) < 80


@pytest.mark.parametrize("fill", [np.nan, 0.0, 1.5])
def test_a_map_of_nothing_or_of_one_value_is_drawn(fill):
    values = np.full((3, 4, 5), fill)
    view = map_view("SRTM", "BP_ND", values, np.zeros(values.shape, dtype=bool), np.eye(4))
    assert len(view.rows) == 3
