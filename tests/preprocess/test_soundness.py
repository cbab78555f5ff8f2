"""Images that hold nothing, too little, or not in every frame."""

import re

import numpy as np
import pytest

from raphe.core.frames import Frames
from raphe.data.image import Grid
from raphe.data.volume import DynamicImage, Volume
from raphe.errors import InputError
from raphe.preprocess.soundness import against_dose, sound_head, sound_scan

GRID = Grid((40, 40, 40), np.diag([5.0, 5.0, 5.0, 1.0]))
BRAIN = np.linalg.norm(np.indices(GRID.shape) - 19.5, axis=0) < 13.4  # 1.26 L
FRAMES = Frames(np.array([0.0, 1.0, 2.0, 4.0, 8.0]), np.array([1.0, 1.0, 2.0, 4.0, 8.0]))
NAME = "sub-01_pet.nii.gz"


def activity():
    noise = np.random.default_rng(2).standard_normal((5, *GRID.shape))
    return (BRAIN * np.array([2.0, 10, 20, 15, 8])[:, None, None, None] + 0.5 * noise).astype(np.float32)


def scan(values, grid=GRID, frames=FRAMES):
    return DynamicImage(grid, frames, np.asarray(values, dtype=np.float32), 20.4)


def with_sizes(factor):
    return Grid(GRID.shape, np.diag([5.0 * factor] * 3 + [1.0]))


def test_a_sound_scan_is_given_back_as_it_is():
    image = scan(activity())
    found, doubts = sound_scan(image, "human", NAME)
    assert found is image
    assert doubts == ()


@pytest.mark.parametrize(
    ("factor", "dose", "is_told"),
    [
        (1.0, 400.0, False),
        (1000.0, None, False),
        (1.0, 25.0, False),
        (1000.0, 400.0, True),
        (1e-3, 400.0, True),
        (1.0, 0.4, True),
    ],
)
def test_activity_in_another_unit_than_its_dose_is_told(factor, dose, is_told):
    """The brain holds 20 kBq/mL at most, in voxels of 0.125 mL."""
    found = against_dose(scan(factor * activity()), dose)
    assert len(found) == is_told
    if is_told:
        share, of = re.match(r"the image holds (\S+) % of the (\S+) MBq", found[0]).groups()
        assert float(share) == pytest.approx(100 * factor * BRAIN.sum() * 0.125 * 20 / 1000 / dose, rel=0.01)
        assert float(of) == dose
        assert "check Units and InjectedRadioactivity" in found[0]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (np.zeros((5, *GRID.shape)), "it is 0 in every voxel"),
        (np.full((5, *GRID.shape), np.nan), "no voxel of any of the 5 frames holds a number"),
        (np.full((5, *GRID.shape), np.inf), "no voxel of any of the 5 frames holds a number"),
        (-1.0 - BRAIN * np.ones((5, 1, 1, 1)), r"no voxel is above 0 \(from -2 to -1\)"),
        (np.full((5, *GRID.shape), 7.0), "every voxel is 7"),
        (np.ones(GRID.shape) * np.arange(1.0, 6.0)[:, None, None, None], r"frame 1 \(0 to 1 min\) is lost: every vox"),
        (np.where(np.arange(64000).reshape(GRID.shape) == 32020, 5.0, 0) * np.ones((5, 1, 1, 1)), "0.125 mL"),
    ],
    ids=["zeros", "NaN", "infinite", "negative", "constant", "constant frames", "one voxel"],
)
def test_a_scan_that_shows_nothing_is_refused_with_its_value(values, told):
    with pytest.raises(InputError, match=told) as error:
        sound_scan(scan(values), "human", NAME)
    assert str(error.value).startswith(NAME)


@pytest.mark.parametrize(
    ("value", "told"), [(0.0, "every voxel is 0"), (np.nan, "no voxel holds a number"), (-3.0, "every voxel is -3")]
)
@pytest.mark.parametrize("at", [1, 4])
def test_a_lost_frame_is_left_out_and_said(at, value, told):
    values = activity()
    values[at] = value
    found, doubts = sound_scan(scan(values), "human", NAME)
    kept = [one for one in range(5) if one != at]
    np.testing.assert_array_equal(found.activity, values[kept])
    np.testing.assert_array_equal(found.frames.start, FRAMES.start[kept])
    np.testing.assert_array_equal(found.frames.end, FRAMES.end[kept])
    (doubt,) = doubts
    assert doubt.startswith(f"frame {at + 1} ({FRAMES.start[at]:g} to {FRAMES.end[at]:g} min) is lost: {told}")


def test_an_image_whose_sign_is_wrong_is_refused():
    with pytest.raises(InputError, match="below 0 than above") as error:
        sound_scan(scan(-activity()), "human", NAME)
    told = re.search(r"mean is (\S+) kBq", str(error.value)).group(1)
    weights = FRAMES.duration / FRAMES.duration.sum()
    assert float(told) == pytest.approx(-np.tensordot(weights, activity().mean(axis=(1, 2, 3)), axes=1), rel=0.01)


def test_a_frame_that_is_a_copy_of_another_is_told_and_kept():
    values = activity()
    values[3] = values[1]
    found, doubts = sound_scan(scan(values), "human", NAME)
    assert len(found.activity) == 5
    assert len(doubts) == 1
    assert "frames 2 and 4 are the same in every voxel" in doubts[0]
    values[3, 0, 0, 0] += 1e-3
    assert sound_scan(scan(values), "human", NAME)[1] == ()


def test_zeros_before_the_activity_comes_are_no_lost_frames():
    values = activity()
    values[:2] = 0
    found, doubts = sound_scan(scan(values), "human", NAME)
    assert len(found.frames) == 5
    assert doubts == ()


def test_a_frame_of_which_a_part_is_missing_is_lost():
    values = activity()
    values[2, :8] = np.nan
    found, (doubt,) = sound_scan(scan(values), "human", NAME)
    assert len(found.frames) == 4
    assert "frame 3 (2 to 4 min) is lost: 20 % of its voxels hold no number" in doubt


def test_a_part_is_one_of_what_was_measured_at_all():
    """6 % of the image, but 12 % of the half that has numbers."""
    values = activity()
    values[:, :20] = np.nan
    values[2, 20:22, :, :] = np.nan
    values[2, 22, :16, :] = np.nan
    _, doubts = sound_scan(scan(values), "human", NAME)
    assert any("frame 3 (2 to 4 min) is lost: 12 % of its voxels hold no number" in doubt for doubt in doubts)


def test_single_values_that_are_no_number_are_their_neighbours():
    values = activity()
    expected = values.copy()
    values[:, 20, 20, 20] = np.inf  # in every frame
    values[3, 22, 20, 20] = np.nan
    values[1, 5, 5, 5] = -np.inf
    image = scan(values)
    found, (doubt,) = sound_scan(image, "human", NAME)
    assert doubt.startswith("7 values are infinite or no number")
    assert np.isfinite(found.activity).all()
    near = values[:, 19:22, 19:22, 19:22].copy()
    near[~np.isfinite(near)] = np.nan
    assert (found.activity[:, 20, 20, 20] >= np.nanmin(near, axis=(1, 2, 3))).all()
    assert (found.activity[:, 20, 20, 20] <= np.nanmax(near, axis=(1, 2, 3))).all()
    same = np.isfinite(values)
    np.testing.assert_array_equal(found.activity[same], expected[same])
    assert np.isinf(image.activity[0, 20, 20, 20])  # what was given is not changed


def test_what_was_never_measured_stays_so():
    values = activity()
    values[:, :, :, :10] = np.nan
    found, doubts = sound_scan(scan(values), "human", NAME)
    assert doubts == ()
    assert np.isnan(found.activity[:, :, :, :10]).all()


@pytest.mark.parametrize(
    ("factor", "told"),
    [(0.1, r"has 1\.\d+ mL, but the brain of a human has 900 mL .* 0.5 x 0.5 x 0.5 mm"), (10.0, "voxels of 50 x 50")],
)
@pytest.mark.parametrize("kind", ["PET", "T1w"])
def test_voxels_ten_times_too_small_or_large_are_refused(kind, factor, told):
    grid = with_sizes(factor)
    image = scan(activity(), grid) if kind == "PET" else Volume(grid, activity()[2])
    look = sound_scan if kind == "PET" else sound_head
    with pytest.raises(InputError, match=told) as error:
        look(image, "human", NAME)
    assert "unit of the header" in str(error.value)


def test_a_brain_that_fills_less_than_a_hundredth_of_the_field_of_view_is_no_fault():
    shape = (100, 100, 100)
    wide = np.zeros((5, *shape), dtype=np.float32)
    wide[:, 30:70, 30:70, 30:70] = activity()
    assert BRAIN.sum() / np.prod(shape) < 0.0105
    found, doubts = sound_scan(scan(wide, Grid(shape, GRID.affine)), "human", NAME)
    assert doubts == ()
    assert found.activity is not None


def test_the_brain_of_a_macaque_is_small_enough_for_its_own_species_alone():
    """The same image at 2 mm: 81 mL."""
    grid = with_sizes(0.4)
    assert sound_scan(scan(activity(), grid), "macaque", NAME)[1] == ()
    with pytest.raises(InputError, match="species of the plan"):
        sound_scan(scan(activity(), grid), "human", NAME)
    assert sound_scan(scan(activity(), with_sizes(0.1)), "rat", NAME)[1] == ()  # nothing is known of it


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (np.zeros(GRID.shape), "this T1-weighted image shows nothing: it is 0 in every voxel"),
        (np.full(GRID.shape, 300.0), "every voxel is 300"),
        (np.full(GRID.shape, -2.0), r"no voxel is above 0 \(from -2 to -2\)"),
    ],
    ids=["zeros", "constant", "negative"],
)
def test_a_head_that_shows_nothing_is_refused(values, told):
    with pytest.raises(InputError, match=told):
        sound_head(Volume(GRID, values.astype(np.float32)), "human", "sub-01_T1w.nii.gz")


def test_a_head_is_a_head():
    sound_head(Volume(GRID, activity()[2]), "human", "sub-01_T1w.nii.gz")
