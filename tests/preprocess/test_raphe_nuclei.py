"""The dorsal raphe in a phantom of the midbrain, whose raphe is where the test puts it."""

import dataclasses
import functools

import numpy as np
import pytest
from scipy import ndimage

from raphe.core import rigid
from raphe.data.image import Grid
from raphe.data.volume import Labels, Volume
from raphe.nomenclature import FLUID, WHITE, region_key
from raphe.pipeline.preprocess_choices import Preprocessing
from raphe.pipeline.raphe_choice import raphe_is_shown
from raphe.preprocess.extract import region_shares
from raphe.preprocess.pvc.blur import blur_of
from raphe.preprocess.raphe_nuclei import NAME, SPREAD, raphe_on_pet

SIZE = 112.0
"""Edge of the brain, mm."""

FWHM = (4.0, 4.0, 4.0)
HEAD = Grid((60, 60, 60), np.array([[1.0, 0, 0, -29.5], [0, 1, 0, -29.5], [0, 0, 1, -29.5], [0, 0, 0, 1]]))
TO_PET = rigid.matrix([3.0, -2.0, 1.5, 0.12, -0.08, 0.2], (0, 0, 0))
PET = Grid((30, 30, 30), np.array([[2.0, 0, 0, -29], [0, 2, 0, -29], [0, 0, 2, -29], [0, 0, 0, 1]]))
ACTIVITY = {WHITE: 3.0, "midbrain": 6.0, FLUID: 1.0, "thalamus": 8.0}


def head(centre=(0.0, -4.0, 0.0), sided=True):
    """White matter, thalamus, midbrain, aqueduct and the raphe around a place, mm."""
    x, y, z = np.moveaxis(np.moveaxis(np.indices(HEAD.shape), 0, -1) + HEAD.affine[:3, 3], -1, 0)
    names = {1: WHITE, 2: "midbrain", 3: FLUID, 4: "thalamus", 7: "left_dorsal_raphe", 8: "right_dorsal_raphe"}
    values = np.ones(HEAD.shape, dtype=np.int32)
    values[(x / 14) ** 2 + (y / 9) ** 2 + (z / 10) ** 2 < 1] = 2
    values[(x**2 + (y + 7) ** 2 < 1.5) & (np.abs(z) < 14)] = 3
    values[(np.abs(x) > 4) & (np.abs(x) < 14) & (z > 9) & (z < 18)] = 4
    a, b, c = centre
    raphe = ((x - a) / 2) ** 2 + ((y - b) / 3.5) ** 2 + ((z - c) / 6.5) ** 2 < 1
    values[raphe] = np.where(x[raphe] < a, 7, 8)
    return Labels(HEAD, values, names)


@functools.cache
def clean(at, excess):
    """Late mean without noise, the raphe ``at`` a displacement from where ``head()`` has it."""
    labels = head(tuple(np.array([0.0, -4.0, 0.0]) + at))
    shares, _ = region_shares(labels, PET, TO_PET)
    level = np.array([ACTIVITY.get(name, ACTIVITY["midbrain"] + excess) for name in shares.names])
    return blur_of(PET, FWHM)((level @ shares.shares).reshape(PET.shape))


def scan(at=(0.0, 0.0, 0.0), excess=6.0, noise=0.0, seed=0):
    grain = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(PET.shape), 0.8)
    return Volume(PET, (clean(at, excess) + noise * grain / grain.std()).astype(np.float32))


def raphe_of(labels):
    return np.isin(labels.values, [n for n, name in labels.names.items() if region_key(name)[0] == NAME])


def moved_by(labels):
    return np.argwhere(raphe_of(labels)).mean(axis=0) - np.argwhere(raphe_of(head())).mean(axis=0)


@pytest.mark.parametrize("at", [(0.0, 0.0, 0.0), (0.0, 3.0, 0.0), (1.5, -1.0, 2.5), (-1.0, 0.0, -3.0)])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_raphe_is_found_where_it_binds_under_noise(at, seed):
    found, step, _ = raphe_on_pet(scan(at, noise=0.3, seed=seed), head(), TO_PET, SIZE, FWHM)
    assert np.linalg.norm(moved_by(found) - at) < 1.0
    assert step.parameters["shift"] == pytest.approx(np.linalg.norm(moved_by(found)), abs=0.3)


def test_the_contrast_is_what_the_raphe_has_above_its_surroundings():
    _, step, doubts = raphe_on_pet(scan(), head(), TO_PET, SIZE, FWHM)
    near = float(step.parameters["contrast"])
    twice = raphe_on_pet(scan(excess=12.0), head(), TO_PET, SIZE, FWHM)[1].parameters["contrast"]
    assert 0.8 < near < 1.6  # an excess of 6, the median between 3 (white matter) and 6 (midbrain)
    assert twice == pytest.approx(2 * near, rel=0.15)
    assert doubts == ()


def test_size_and_sides_stay_and_other_regions_close_the_gap():
    at = (1.5, -1.0, 2.5)
    found, _, _ = raphe_on_pet(scan(at), head(), TO_PET, SIZE, FWHM)
    assert raphe_of(found).sum() == raphe_of(head()).sum()
    assert found.names == head().names
    assert (found.values > 0).all()
    left, right = (np.argwhere(found.values == number) for number in (7, 8))
    assert left[:, 0].mean() < right[:, 0].mean()
    left_behind = raphe_of(head()) & ~raphe_of(found)
    assert set(np.unique(found.values[left_behind])) <= {2, 3}


def test_no_scale_matters():
    one, _, _ = raphe_on_pet(scan((0.0, 3.0, 0.0)), head(), TO_PET, SIZE, FWHM)
    image = scan((0.0, 3.0, 0.0))
    louder = dataclasses.replace(image, values=1000 * image.values)
    np.testing.assert_array_equal(raphe_on_pet(louder, head(), TO_PET, SIZE, FWHM)[0].values, one.values)


def test_a_scan_without_contrast_leaves_the_raphe_to_the_atlas_and_picks_no_noise():
    true, by_atlas, chosen, doubted = ACTIVITY["midbrain"], [], [], 0
    for seed in range(6):
        image = scan(excess=0.0, noise=0.6, seed=seed)
        found, _, doubts = raphe_on_pet(image, head(), TO_PET, SIZE, FWHM)
        doubted += any("does not tell" in doubt for doubt in doubts)
        for labels, into in ((head(), by_atlas), (found, chosen)):
            shares, _ = region_shares(labels, PET, TO_PET)
            whole = np.asarray(shares.rows(("left_dorsal_raphe", "right_dorsal_raphe")).shares.sum(axis=0)).ravel()
            into.append(float(whole @ image.values.reshape(-1) / whole.sum()))
        assert np.linalg.norm(moved_by(found)) < 1.5 * SPREAD * SIZE
    assert doubted >= 5
    assert np.mean(chosen) - np.mean(by_atlas) < 0.04 * true


def test_a_raphe_far_from_the_atlas_is_doubted():
    _, _, doubts = raphe_on_pet(scan((0.0, 2.0, 4.5)), head(), TO_PET, SIZE, FWHM)
    assert len(doubts) == 1
    assert "mm from where the atlas has it" in doubts[0]


def test_labels_without_a_raphe_are_as_they_were():
    labels = head()
    bare = Labels(HEAD, np.where(labels.values > 4, 2, labels.values).astype(np.int32), {1: WHITE, 2: "midbrain"})
    found, step, doubts = raphe_on_pet(scan(), bare, TO_PET, SIZE, FWHM)
    assert found is bare
    assert not step.parameters["found"]
    assert doubts == ()


@pytest.mark.parametrize(
    ("choices", "tracer", "shown"),
    [
        (Preprocessing(), "DASB", True),
        (Preprocessing(species="macaque"), "[11C]AZ10419369", True),
        (Preprocessing(raphe="atlas"), "DASB", False),
        (Preprocessing(), "a tracer of which nothing is known", False),
        (Preprocessing(species="rat"), "DASB", False),
    ],
)
def test_the_pet_may_say_it_where_tracer_and_plan_allow(choices, tracer, shown):
    assert raphe_is_shown(choices, tracer) is shown
