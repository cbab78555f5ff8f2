import numpy as np
import pytest

from phantom_head import grid, places, tissues
from raphe.data.alignment import Field
from raphe.data.image import Grid
from raphe.data.volume import Labels, Volume
from raphe.preprocess.anatomy import grey_only
from raphe.preprocess.bias_field import correct_bias
from raphe.preprocess.reference_region import apart, cerebellar_reference
from raphe.preprocess.sheets import follow_grey
from raphe.preprocess.tissue import classify
from raphe.preprocess.warp import carried, drawn, places_of

GRID = grid(2.5, (72, 84, 72))
SHARES = tissues(places(GRID))
BRAIN = SHARES.sum(axis=0) > 0.5
SIGNAL = np.array([0.7, 0.75, 1.0, 0.2])


def image(noise=0.02):
    random = np.random.default_rng(1)
    clean = 1000 * (np.tensordot(SIGNAL, SHARES, axes=1) + noise * random.standard_normal(GRID.shape))
    return Volume(GRID, np.maximum(clean, 0).astype(np.float32))


@pytest.mark.parametrize("shares", [(0.48, 0.42, 0.10), (0.35, 0.35, 0.30), (0.60, 0.37, 0.03)])
def test_tissues_are_told_by_their_brightness(shares):
    """Whatever part of the brain each of them is, without priors."""
    random = np.random.default_rng(2)
    own = Grid((40, 40, 40), np.eye(4))
    true = random.choice(3, own.shape, p=shares)
    values = np.array([700.0, 1000.0, 200.0])[true] + 60 * random.standard_normal(own.shape)
    brain = np.zeros(own.shape, dtype=bool)
    brain[2:-2, 2:-2, 2:-2] = True
    grey, white, fluid = classify(Volume(own, values.astype(np.float32)), brain, None)
    found = np.stack([one.values for one in (grey, white, fluid)])
    assert (found.argmax(axis=0) == true)[brain].mean() > 0.97
    np.testing.assert_allclose(found.sum(axis=0)[brain], 1, atol=1e-5)
    assert not found[:, ~brain].any()


def test_a_slow_change_of_brightness_is_taken_away():
    x = places(GRID)[..., 0]
    field = np.exp(0.3 * x / 90)
    flat = correct_bias(Volume(GRID, (image().values * field).astype(np.float32)), BRAIN, 110.0)
    white = SHARES[2] > 0.95
    left = np.log(flat.values[white] / image(0).values[white])
    before = np.log(field[white])
    assert left.std() < 0.35 * before.std()


def labelled(values):
    return Labels(GRID, values.astype(np.int32), {1: "cortex", 2: "nuclei"})


def test_sheets_follow_the_grey_matter_and_nuclei_stay():
    atlas = np.where(SHARES[1] > 0.5, 2, 0)
    outer = np.linalg.norm(places(GRID) / [70, 86, 66], axis=-1)
    atlas = np.where((atlas == 0) & (outer < 1.0) & (outer > 0.8), 1, atlas)
    grey = Volume(GRID, np.clip(SHARES[0] + SHARES[1], 0, 1).astype(np.float32))
    found = follow_grey(labelled(atlas), frozenset({1}), grey, BRAIN, 6.0)
    cortex = SHARES[0] > 0.5
    dice = [2 * (cortex & (one == 1)).sum() / (cortex.sum() + (one == 1).sum()) for one in (atlas, found.values)]
    assert dice[1] > 0.95 > dice[0]
    np.testing.assert_array_equal(found.values == 2, atlas == 2)


def test_only_grey_matter_is_kept():
    grey = Volume(GRID, np.where(places(GRID)[..., 0] > 0, 0.8, 0.2).astype(np.float32))
    found = grey_only(labelled(np.ones(GRID.shape)), grey, 0.5)
    np.testing.assert_array_equal(found.values == 1, grey.values > 0.5)


def test_a_field_leads_where_its_places_say():
    """A field of a shift, on a coarser grid: labels and images are those of the places."""
    coarse = Grid((36, 42, 36), GRID.affine @ np.diag([2, 2, 2, 1.0]))
    shift = np.array([5.0, -7.5, 2.5])
    field = Field(coarse, (places(coarse) + shift).astype(np.float32))
    source = Volume(GRID, places(GRID)[..., 1].astype(np.float32))
    inner = np.s_[6:-6, 6:-6, 6:-6]
    at = places_of(field, GRID)
    found = carried(source, at, GRID).values[inner]
    np.testing.assert_allclose(found, (places(GRID)[..., 1] + shift[1])[inner], atol=1e-3)
    halves = Labels(GRID, (places(GRID)[..., 0] > 0).astype(np.int32), {1: "right"})
    moved = drawn(halves, at, GRID).values[inner]
    np.testing.assert_array_equal(moved, (places(GRID)[..., 0] + shift[0] > 0)[inner])


def test_the_reference_leaves_vermis_and_rim_to_the_cortex_out():
    at = places(GRID)
    values = np.zeros(GRID.shape, dtype=np.int32)
    values[(np.abs(at[..., 0]) < 45) & (at[..., 2] < -20) & (at[..., 2] > -50) & (np.abs(at[..., 1]) < 25)] = 1
    values[(at[..., 2] > -20) & (at[..., 2] < -12) & (np.abs(at[..., 1]) < 25)] = 2
    labels = Labels(GRID, values, {1: "cerebellar_grey", 2: "ctx_lh_lateraloccipital"})
    found, step, doubts = cerebellar_reference(labels, 110.0)
    assert found is not None
    kept = at[found.values == 1]
    assert np.abs(kept[:, 0]).min() > 0.05 * 110 - 2.5
    assert kept[:, 2].max() < -20 - 0.07 * 110 + 2.5
    assert (values[found.values == 1] == 1).all()
    assert step.parameters["share"] == pytest.approx((found.values == 1).sum() / (values == 1).sum())
    assert doubts == ()


def test_what_is_of_the_reference_becomes_a_region_of_its_own():
    values = np.zeros(GRID.shape, dtype=np.int32)
    values[10:20], values[20:30], values[30:40] = 1, 2, 3
    labels = Labels(GRID, values, {1: "left_cerebellar_grey", 2: "right_cerebellar_grey", 3: "occipital"})
    inside = np.zeros(GRID.shape, dtype=np.int32)
    inside[15:30] = 1
    found, wholes, parts = apart(labels, Labels(GRID, inside, {1: "cerebellar_grey"}))
    assert list(wholes) == ["left_cerebellar_grey", "right_cerebellar_grey", "occipital"]
    number = {name: one for one, name in found.names.items()}
    np.testing.assert_array_equal(np.isin(found.values, [number[name] for name in parts]), inside > 0)
    for own, name in labels.names.items():
        whole = np.isin(found.values, [number[part] for part in wholes[name]])
        np.testing.assert_array_equal(whole, values == own)
    assert len(wholes["left_cerebellar_grey"]) == 2
    assert wholes["right_cerebellar_grey"] == parts[1:]
    assert apart(labels, None) == (labels, {name: (name,) for name in labels.names.values()}, ())


def test_a_head_without_cerebellum_is_told():
    found, _, doubts = cerebellar_reference(labelled(np.ones(GRID.shape)), 110.0)
    assert found is None
    assert "no cerebellar grey" in doubts[0]
