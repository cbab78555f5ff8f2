import numpy as np
import pytest

from raphe.core import rigid
from raphe.core.frames import Frames
from raphe.data.image import Grid
from raphe.data.volume import DynamicImage, Labels
from raphe.errors import InputError
from raphe.preprocess.extract import extract_curves, merged, region_shares

FINE = Grid((60, 60, 60), np.array([[1.0, 0, 0, -29.5], [0, 1, 0, -29.5], [0, 0, 1, -29.5], [0, 0, 0, 1]]))
COARSE = Grid((20, 20, 20), np.array([[3.0, 0, 0, -28.5], [0, 3, 0, -28.5], [0, 0, 3, -28.5], [0, 0, 0, 1]]))
FRAMES = Frames(np.array([0.0, 1.0]), np.array([1.0, 2.0]))


def boxes():
    """Two boxes with edges off the coarse voxels, and a name without voxels."""
    values = np.zeros(FINE.shape, dtype=np.int32)
    values[10:31, 12:40, 20:41] = 5
    values[31:50, 12:40, 20:41] = 9
    return Labels(FINE, values, {5: "left_a", 9: "b", 12: "nothing"})


def test_shares_are_those_of_the_volume_of_each_voxel():
    shares, _ = region_shares(boxes(), COARSE, np.eye(4))
    dense = shares.shares.toarray().reshape(3, *COARSE.shape)
    count = boxes().values.reshape(20, 3, 20, 3, 20, 3)
    for row, number in enumerate((5, 9, 12)):
        np.testing.assert_allclose(dense[row], (count == number).mean(axis=(1, 3, 5)), atol=1e-12)
    np.testing.assert_allclose(shares.seen[:2], 1)
    assert np.isnan(shares.seen[2])


def test_means_are_exact_for_a_linear_image_and_any_rigid_transform():
    move = rigid.matrix([2, -1, 3, 0.1, -0.2, 0.15], (0, 0, 0))
    moved = Grid(COARSE.shape, move @ COARSE.affine)
    shares, _ = region_shares(boxes(), moved, move)
    index = np.moveaxis(np.indices(COARSE.shape), 0, -1)
    own = index @ COARSE.affine[:3, :3].T + COARSE.affine[:3, 3]
    image = DynamicImage(moved, FRAMES, np.stack([own[..., 0], 10 + own[..., 2]]).astype(np.float32), 20.0)
    tacs, _ = extract_curves(image, shares)
    np.testing.assert_allclose(tacs.activity[0], [-9.5, 10 + 0.5], atol=0.02)  # centre of x 10..30, of z 20..40
    assert np.isnan(tacs.activity[2]).all()
    np.testing.assert_allclose(tacs.volumes[:2], [21 * 28 * 21, 19 * 28 * 21])


def test_what_lies_beyond_the_field_of_view_is_counted():
    half = Grid((20, 20, 10), COARSE.affine)
    shares, _ = region_shares(boxes(), half, np.eye(4))
    np.testing.assert_allclose(shares.seen[:2], 10 / 21, atol=1e-6)


def test_regions_are_joined():
    half = Grid((20, 20, 10), COARSE.affine)
    shares, _ = region_shares(boxes(), half, np.eye(4))
    whole = shares.joined({"both": ("left_a", "b"), "b": ("b",), "none": ("nothing",)})
    assert whole.names == ("both", "b", "none")
    np.testing.assert_allclose(whole.volumes, [40 * 28 * 21, 19 * 28 * 21, 0])
    np.testing.assert_allclose(whole.seen, [10 / 21, 10 / 21, np.nan], atol=1e-6)
    np.testing.assert_allclose(whole.shares.toarray()[0], shares.shares.toarray()[:2].sum(axis=0))


def test_values_that_are_no_numbers_are_left_out():
    shares, _ = region_shares(boxes(), COARSE, np.eye(4))
    activity = np.full((2, *COARSE.shape), 7.0, dtype=np.float32)
    activity[0, 5, 6, 8] = np.nan
    tacs, _ = extract_curves(DynamicImage(COARSE, FRAMES, activity, 20.0), shares)
    np.testing.assert_allclose(tacs.activity[:2], 7.0)


def test_another_grid_is_refused():
    shares, _ = region_shares(boxes(), COARSE, np.eye(4))
    other = Grid((20, 20, 10), COARSE.affine)
    with pytest.raises(InputError, match="not on the grid"):
        extract_curves(DynamicImage(other, FRAMES, np.zeros((2, 20, 20, 10), np.float32), 20.0), shares)


def test_regions_may_be_made_of_others():
    whole = merged(boxes(), {"both": ("left_a", "b", "absent")})
    assert set(whole.names.values()) == {"both", "nothing"}
    assert whole.volumes["both"] == 40 * 28 * 21
