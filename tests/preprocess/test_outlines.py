"""Outlines of a ball between white matter and fluid whose voxels hold known shares of each."""

import numpy as np
import pytest
from scipy import ndimage

from phantom_head import grid, places
from raphe.data.template import Template
from raphe.data.volume import Labels, Volume
from raphe.preprocess.outlines import follow_brightness

GRID = grid(1.0, (44, 44, 44))
AT = places(GRID)
RADIUS = 9.0
FINER = (np.arange(5) - 2) / 5
BRAIN = np.linalg.norm(AT, axis=-1) < 19
SIZE = 111.0
NAMES = {1: "left_hippocampus", 2: "left_midbrain"}


def ball(radius, centre=(0.0, 0.0, 0.0)):
    """Share of each voxel that a ball has."""
    inside = [
        np.linalg.norm(AT + np.array([x, y, z]) - centre, axis=-1) < radius
        for x in FINER for y in FINER for z in FINER
    ]  # fmt: skip
    return np.mean(inside, axis=0)


SHARE = ball(RADIUS)
TRUE = SHARE > 0.5
WHITE, FLUID = AT[..., 0] > 0, AT[..., 0] < 0


def image(nucleus, noise=0.02):
    """Brightness 1 of white matter, 0.2 of fluid."""
    around = np.where(WHITE, 1.0, 0.2)
    clean = SHARE * nucleus + (1 - SHARE) * around + noise * np.random.default_rng(4).standard_normal(GRID.shape)
    return Volume(GRID, (1000 * np.where(BRAIN, clean, 0)).astype(np.float32))


def template(labels, grey=SHARE):
    parts = (grey, (1 - grey) * WHITE, (1 - grey) * FLUID)
    tissue = tuple(Volume(GRID, np.where(BRAIN, part, 0).astype(np.float32)) for part in parts)
    return Template("Phantom", "Phantom", "human", image(1.0), BRAIN, tissue, labels, frozenset(), frozenset({1}))


def outlined(values, shown, grey=SHARE):
    """Outlines where the warp draws ``values``; ``grey`` is what the template has there."""
    labels = Labels(GRID, values.astype(np.int32), NAMES)
    found, _ = followed(labels, shown, grey)
    return found.values


def followed(labels, shown, grey=SHARE):
    own, of_head = template(labels, grey), template(labels).tissues
    return follow_brightness(labels, own, shown, BRAIN, of_head, AT.astype(np.float32), SIZE)


def dice(found):
    return 2 * (TRUE & (found == 1)).sum() / (TRUE.sum() + (found == 1).sum())


@pytest.mark.parametrize("radius", [8.0, 10.0])
def test_a_nucleus_that_is_drawn_too_small_or_too_large_gets_its_size(radius):
    """The template's maps of tissue are displaced with the drawn shape, as where a registration is wrong."""
    wrong = ball(radius, (0.4, 0.5, -0.4))
    found = outlined(wrong > 0.5, image(0.75), grey=wrong)
    assert dice(wrong > 0.5) < 0.92
    assert dice(found) > 0.96
    assert (found == 1).sum() == pytest.approx(TRUE.sum(), rel=0.07)


def test_a_nucleus_as_bright_as_its_surroundings_stays_where_the_warp_has_it():
    wrong = ball(8.0) > 0.5
    found = outlined(wrong, image(1.0), grey=np.zeros(GRID.shape))
    beside_white = AT[..., 0] > 3
    kept, before = (found == 1)[beside_white], wrong[beside_white]
    assert kept.sum() == pytest.approx(before.sum(), rel=0.1)
    assert 2 * (kept & before).sum() / (kept.sum() + before.sum()) > 0.93


def test_what_is_no_nucleus_keeps_its_voxels():
    values = np.where(ball(8.0) > 0.5, 1, 0)
    values[TRUE & (values == 0) & (AT[..., 2] > 3)] = 2
    found = outlined(values, image(0.75), grey=ball(8.0))
    np.testing.assert_array_equal(found == 2, values == 2)
    assert (found == 1).sum() > (values == 1).sum()


def test_grey_matter_further_from_what_is_drawn_than_a_warp_errs_is_not_taken():
    centre = (-3.0, 0.0, 0.0)
    values = np.where(ball(5.0, centre) > 0.5, 1, 0)
    found = outlined(values, image(0.75))
    far = np.linalg.norm(AT - centre, axis=-1) > 5.0 + 3.5
    assert not found[far].any()
    assert (found == 1).sum() == pytest.approx((values == 1).sum(), rel=0.25)


@pytest.mark.parametrize("seed", [7, 8])
def test_how_unsure_surfaces_are_is_found(seed):
    """Drawn surfaces off the true one by a smooth random field, whose size is measured along the radius.

    Some of a large error goes to the template's least shares of tissue, so it is found a third too small.
    """
    distance = np.linalg.norm(AT, axis=-1)
    true, found = [], []
    for size in (0.6, 1.0, 1.4):
        random = np.random.default_rng(seed)
        field = [ndimage.gaussian_filter(random.standard_normal(GRID.shape), 3.0, mode="wrap") for _ in range(3)]
        away = AT + size * np.stack([one / one.std() for one in field], axis=-1)
        inside = np.linalg.norm(away, axis=-1) < RADIUS
        last, first = inside & ~ndimage.binary_erosion(inside), ndimage.binary_dilation(inside) & ~inside
        true.append(np.concatenate([distance[last], distance[first]]).std())
        labels = Labels(GRID, inside.astype(np.int32), NAMES)
        found.append(followed(labels, image(0.75), grey=inside.astype(float))[1])
    assert np.all(np.diff(found) > 0.1)
    assert np.all((found > 0.6 * np.array(true)) & (found < 1.1 * np.array(true)))


def test_a_head_without_its_nuclei_in_the_brain_stays_as_it_is():
    values = np.where(np.linalg.norm(AT - 21, axis=-1) < 2, 1, 0)
    np.testing.assert_array_equal(outlined(values, image(0.75)), values)
