"""Nuclei of a head whose brightness is not the template's, under a known deformation."""

import numpy as np
import pytest
from scipy import ndimage

from phantom_head import grid, places, tissues
from raphe.data.alignment import Field, Warp
from raphe.data.template import Template
from raphe.data.volume import Labels, Volume
from raphe.preprocess.likeness import NEAR, brightness_of, likeness
from raphe.preprocess.refine import refine
from raphe.preprocess.warp import brain_edge, drawn, places_of

GRID = grid(2.0, (76, 90, 76))
AT = places(GRID)
WIDTH = 0.5
SHARES = tissues(AT, WIDTH)
BRAIN = SHARES.sum(axis=0) > 0.5
NUCLEI = SHARES[1] > 0.5
NUMBERS = (NUCLEI & (AT[..., 0] > 0)) * 1 + (NUCLEI & (AT[..., 0] <= 0)) * 2
OWN = np.array([0.7, 0.8, 1.0, 0.2])
"""Brightness of cortex, nuclei, white matter and fluid in the individual; the template shows no nuclei."""


def shift(at):
    """Of a place of the template to that of the individual, mm."""
    bump = np.exp(-np.sum((at / [45.0, 45.0, 35.0]) ** 2, axis=-1))
    return bump[..., None] * np.array([2.5, -3.0, 2.0])


def to_template(at):
    """Inverse of the deformation, by fixed points."""
    found = at.copy()
    for _ in range(30):
        found = at - shift(found)
    return found


@pytest.fixture(scope="module")
def template():
    shown = np.tensordot([0.7, 1.0, 1.0, 0.2], SHARES, axes=1)
    tissue = tuple(
        Volume(GRID, part.astype(np.float32)) for part in (SHARES[0] + SHARES[1], SHARES[2], SHARES[3])
    )  # fmt: skip
    labels = Labels(GRID, NUMBERS.astype(np.int32), {1: "right_putamen", 2: "left_putamen"})
    image = Volume(GRID, np.where(BRAIN, shown, 0).astype(np.float32))
    return Template("Phantom", "Phantom", "human", image, BRAIN, tissue, labels, frozenset(), frozenset({1, 2}))


@pytest.fixture(scope="module")
def head():
    """Image without noise beyond 2 %, its tissues, and where its nuclei truly are."""
    shares = tissues(to_template(AT), WIDTH)
    noise = 0.02 * np.random.default_rng(3).standard_normal(GRID.shape)
    image = Volume(GRID, np.maximum(1000 * (np.tensordot(OWN, shares, axes=1) + noise), 0).astype(np.float32))
    parts = tuple(Volume(GRID, part.astype(np.float32)) for part in (shares[0] + shares[1], shares[2], shares[3]))
    return image, parts, shares[1] > 0.5


def none():
    field = Field(GRID, AT.astype(np.float32))
    return Warp("Phantom", field, field)


def test_the_template_is_painted_with_the_brightness_of_the_individual(template, head):
    image, parts, _ = head
    painted = likeness(template, image, drawn(template.labels, AT.astype(np.float32), GRID), parts)
    assert np.median(painted.values[NUCLEI]) == pytest.approx(800, rel=0.02)
    assert np.median(painted.values[SHARES[2] > 0.99]) == pytest.approx(1000, rel=0.02)
    assert not painted.values[~BRAIN].any()


def test_places_near_the_nuclei_are_painted_as_one_tissue_and_others_as_the_average(template, head):
    image, parts, _ = head
    painted = likeness(template, image, drawn(template.labels, AT.astype(np.float32), GRID), parts)
    bright = brightness_of(image.values, parts)
    maps = np.stack([part.values for part in template.tissues])
    mixed = (maps.max(axis=0) > 0.55) & (maps.max(axis=0) < 0.9) & BRAIN & ~NUCLEI
    away = ndimage.distance_transform_edt(~NUCLEI, sampling=GRID.zooms) / brain_edge(GRID, BRAIN)
    near, far = mixed & (away < 0.9 * NEAR), mixed & (away > 1.1 * NEAR)
    assert near.sum() > 50
    assert far.sum() > 50
    one, average = bright[maps.argmax(axis=0)] * maps.sum(axis=0), np.tensordot(bright, maps, axes=1)
    np.testing.assert_allclose(painted.values[near], one[near], rtol=1e-5)
    np.testing.assert_allclose(painted.values[far], average[far], rtol=1e-5)


@pytest.fixture(scope="module")
def refined(template, head):
    """Warp from none, after the template was painted as the head would show it."""
    image, parts, _ = head
    painted = likeness(template, image, drawn(template.labels, AT.astype(np.float32), GRID), parts)
    return refine(none(), image, painted, template.only(template.nuclei), brain_edge(GRID, BRAIN))


def test_nuclei_that_the_template_does_not_show_are_found(template, head, refined):
    true = head[2]
    labels = drawn(template.labels, places_of(none().to_template, GRID), GRID)
    moved = drawn(template.labels, places_of(refined.to_template, GRID), GRID)

    def dice(one):
        return 2 * (true & (one.values > 0)).sum() / (true.sum() + (one.values > 0).sum())

    assert dice(labels) < 0.88
    assert dice(moved) > 0.91


def test_the_refined_warp_and_its_inverse_are_the_true_ones_at_the_nuclei(head, refined):
    true = head[2]
    surface = NUCLEI & (SHARES[1] < 0.9)
    ahead = np.linalg.norm(refined.to_native.places - AT - shift(AT), axis=-1)[surface]
    back = np.linalg.norm(refined.to_template.places - to_template(AT), axis=-1)[true]
    before = np.median(np.linalg.norm(shift(AT), axis=-1)[surface])
    assert np.median(ahead) < 0.6 * before
    assert np.median(back) < 0.6 * before


def test_far_from_the_nuclei_nothing_changes(refined):
    far = np.abs(AT[..., 2]) > 60
    np.testing.assert_allclose(refined.to_native.places[far], AT[far], atol=1e-3)
    np.testing.assert_allclose(refined.to_template.places[far], AT[far], atol=1e-3)
