"""Regions of a further atlas, brought to a template whose head is another average of the same form."""

import numpy as np
import pytest

from phantom_head import grid, places, tissues
from raphe.data.alignment import Field, Warp
from raphe.data.image import Grid
from raphe.data.template import Template
from raphe.data.volume import Labels, Volume
from raphe.errors import InputError
from raphe.nomenclature import region_key
from raphe.preprocess.supplement import brought_to, supplemented

GRID = grid(3.0, (54, 64, 52))
AT = places(GRID)
OFF = np.array([2.0, -3.0, 1.5])
"""How far the further atlas's head lies off the template's, mm; besides, it is 3 % larger."""


def shown(at, brightness):
    shares = tissues(at, 1.0)
    image = np.where(shares.sum(axis=0) > 0.5, np.tensordot(brightness, shares, axes=1), 0)
    return np.asarray(100 * image, dtype=np.float32)


def in_template(at):
    """Place of the template for a place of the further atlas."""
    return (at - OFF) / 1.03


def nuclei(at):
    """Two small balls in the striatum, 1 left and 2 right."""
    ball = np.linalg.norm(np.abs(at) * [1, 0, 0] + at * [0, 1, 1] - [20.0, 4.0, -4.0], axis=-1) < 6.0
    return np.where(ball, np.where(at[..., 0] < 0, 1, 2), 0).astype(np.int32)


NAMES = {1: "left_ventral_pallidum", 2: "right_ventral_pallidum"}


def template(labels=None):
    image = Volume(GRID, shown(AT, [0.7, 0.8, 1.0, 0.2]))
    if labels is None:
        labels = Labels(GRID, np.where(tissues(AT)[1] > 0.5, 4, 0).astype(np.int32), {4: "putamen"})
    return Template("Main", "Main", "human", image, image.values > 0, (), labels, frozenset(), frozenset())


@pytest.mark.slow
def test_regions_come_to_where_the_same_place_of_the_template_is():
    """The atlas's own grid is another one, mirrored, and its labels have a box of their own."""
    affine = GRID.affine @ np.diag([-1.0, 1, 1, 1])
    affine[0, 3] = -GRID.affine[0, 3]
    own = Grid(GRID.shape, affine)
    t1 = Volume(own, shown(in_template(places(own)), [0.75, 0.8, 1.0, 0.25]))
    box = grid(2.0, (50, 30, 24))
    labels = Labels(box, nuclei(in_template(places(box))), NAMES)
    brought = brought_to(template(), t1, labels)
    true = nuclei(AT)
    for number in NAMES:
        found = np.argwhere(brought.labels.values == number).mean(axis=0)
        wanted = np.argwhere(true == number).mean(axis=0)
        assert 3.0 * np.linalg.norm(found - wanted) < 1.0  # mm; they are 4 mm apart as they are
        volume = brought.labels.volumes[NAMES[number]]
        assert volume == pytest.approx(4 / 3 * np.pi * 6.0**3, rel=0.2)
    assert brought.overlap > 0.95
    assert 2.5 < brought.moved < 5.5


def test_an_image_that_is_no_brain_is_refused(monkeypatch):
    """A slab passes for no head, wherever a registration puts it."""
    field = Field(GRID, AT.astype(np.float32))
    monkeypatch.setattr("raphe.preprocess.supplement.affine", lambda *_: (np.eye(4), 0.0))
    monkeypatch.setattr("raphe.preprocess.supplement.nonlinear", lambda *_: Warp("Main", field, field))
    slab = np.zeros(GRID.shape, dtype=np.float32)
    slab[:, :, :20] = np.random.default_rng(1).uniform(50, 100, (*GRID.shape[:2], 20))
    labels = Labels(GRID, nuclei(AT), NAMES)
    with pytest.raises(InputError, match=r"overlaps with that of the template Main by 0\.\d\d .* without skull"):
        brought_to(template(), Volume(GRID, slab), labels)


@pytest.fixture
def with_own():
    """A template whose ventral pallidum is elsewhere, with a ribbon and nuclei."""
    values = np.where(tissues(AT)[1] > 0.5, 4, 0).astype(np.int32)
    values[10:13, 30:33, 25:28] = 7
    labels = Labels(GRID, values, {4: "putamen", 7: "left_ventral_pallidum", 9: "frontal"})
    made = template(labels)
    return Template(
        made.name, made.space, made.species, made.t1, made.brain, (), labels, frozenset({9}), frozenset({4, 7}),
        {"ventral pallidum": "an ellipsoid, an assumption", "midbrain": "an ellipsoid, an assumption"},
    )  # fmt: skip


def test_regions_replace_those_of_their_name_and_lie_over_the_others(with_own):
    added = Labels(GRID, nuclei(AT), NAMES)
    found = supplemented(with_own, added, "Further, someone2000")
    number = {name: n for n, name in found.labels.names.items()}
    assert set(number) == {"putamen", "frontal", "left_ventral_pallidum", "right_ventral_pallidum"}
    for n, name in NAMES.items():
        np.testing.assert_array_equal(found.labels.values == number[name], added.values == n)
    np.testing.assert_array_equal(
        found.labels.values == number["putamen"], (with_own.labels.values == 4) & (added.values == 0)
    )
    assert dict(found.sources) == {
        "ventral pallidum": "Further, someone2000",
        "midbrain": "an ellipsoid, an assumption",
    }
    assert "ventral pallidum (Further, someone2000)" in found.other_regions
    assert found.ribbon == {9}
    named = {region_key(found.labels.names[n])[0] for n in found.nuclei}
    assert named == {"putamen", "ventral pallidum"}  # it was a nucleus before, so it is one now


def test_a_region_of_another_name_is_added(with_own):
    added = Labels(GRID, nuclei(AT), {1: "left_habenula", 2: "right_habenula"})
    found = supplemented(with_own, added, "Further")
    names = set(found.labels.names.values())
    assert names == {"putamen", "left_ventral_pallidum", "frontal", "left_habenula", "right_habenula"}
    assert found.nuclei == with_own.nuclei
