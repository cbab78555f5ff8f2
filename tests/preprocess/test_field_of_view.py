import numpy as np
import pytest

from raphe.core import rigid
from raphe.core.frames import Frames
from raphe.data.image import Grid
from raphe.data.volume import DynamicImage, Labels
from raphe.preprocess.extract import extract_curves, region_shares
from raphe.preprocess.field_of_view import always_seen
from raphe.preprocess.motion import correct_motion, no_motion

GRID = Grid((16, 18, 20), np.diag([3.0, 3.0, 3.0, 1.0]))
FRAMES = Frames(np.array([0.0, 5.0, 10.0]), np.array([5.0, 5.0, 5.0]))
HALF_LIFE = 20.4


def image(value=10.0):
    activity = np.full((3, *GRID.shape), value, dtype=np.float32)
    return DynamicImage(GRID, FRAMES, activity, HALF_LIFE)


def at_rest(of):
    return no_motion(of)


def test_a_head_at_rest_is_seen_wherever_something_was_measured():
    assert always_seen(image(), at_rest(image())).all()


def test_what_a_frame_does_not_see_is_not_seen():
    """A shift of 6 mm upwards, from the frame to the reference position: the lowest two slices are of no use."""
    motion = at_rest(image())
    motion.matrices[1] = rigid.matrix([0, 0, 6, 0, 0, 0], (0, 0, 0))
    seen = always_seen(image(), motion)
    assert not seen[:, :, :2].any()
    assert seen[:, :, 2:].all()


def test_slices_without_values_are_not_seen_but_single_zeros_are():
    made = image()
    made.activity[:, :, :, :5] = 0
    made.activity[0, :, :, :5] = np.nan
    made.activity[:, 8, 8, 12] = 0
    made.activity[2, :, :, 10:] = 0
    seen = always_seen(made, at_rest(made))
    assert not seen[:, :, :5].any()
    assert seen[:, :, 5:].all()


def test_unmeasured_slices_move_with_the_head():
    made = image()
    made.activity[..., -4:] = 0
    motion = at_rest(made)
    motion.matrices[1] = rigid.matrix([0, 0, -6, 0, 0, 0], (0, 0, 0))
    seen = always_seen(made, motion)
    assert not seen[:, :, -6:].any()
    assert seen[:, :, :-6].all()


@pytest.mark.parametrize("order", [1, 3])
def test_the_mean_of_a_region_at_the_edge_is_of_what_is_seen(order):
    """Before, slices that moved out of the field of view counted as 0."""
    motion = at_rest(image())
    motion.matrices[1] = rigid.matrix([0, 0, 6, 0, 0, 0], (0, 0, 0))
    still = correct_motion(image(), motion, order=order)
    lower = Grid((16, 18, 30), GRID.affine @ rigid.matrix([0, 0, -10, 0, 0, 0], (0, 0, 0)))
    values = np.zeros(lower.shape, dtype=np.int32)
    values[4:10, 4:10, 10:16] = 1
    shares, _ = region_shares(Labels(lower, values, {1: "low"}), GRID, np.eye(4))
    diluted, _ = extract_curves(still, shares)
    assert diluted.activity[0, 1] < 8
    part = shares.within(always_seen(image(), motion))
    whole, _ = extract_curves(still, part)
    np.testing.assert_allclose(whole.activity[0], 10, rtol=1e-5)
    np.testing.assert_allclose(part.seen, 4 / 6)
    np.testing.assert_array_equal(part.volumes, shares.volumes)
