"""Heads whose face was removed, and images that cut the brain."""

import numpy as np
import pytest

from phantom_head import grid, places, tissues
from raphe.data.template import Template
from raphe.data.volume import Labels, Volume
from raphe.preprocess.anatomy import prepare_anatomy

OWN = grid(3.0, (66, 76, 70))
SIGNAL = np.array([0.7, 0.75, 1.0, 0.2])
SIZE = 0.94
"""Of the person's head, over the template's."""

SMALL = 0.42
"""Of a macaque's head, over a person's."""

pytestmark = pytest.mark.slow


def drawn(at):
    shares = tissues(at)
    return np.select([shares[0] > 0.5, shares[1] > 0.5], [1, 2], 0).astype(np.int32)


def template_on(of, species):
    """The phantom's own head, on a grid that is as much smaller as the species' head is."""
    shares = tissues(places(OWN))
    brain = shares.sum(axis=0) > 0.5
    t1 = Volume(of, (1000 * np.tensordot(SIGNAL, shares, axes=1) * brain).astype(np.float32))
    maps = tuple(Volume(of, one.astype(np.float32)) for one in (shares[0] + shares[1], shares[2], shares[3]))
    labels = Labels(of, drawn(places(OWN)), {1: "cortex", 2: "nuclei"})
    return Template("phantom", "phantom", species, t1, brain, maps, labels, frozenset({1}), frozenset())


@pytest.fixture(scope="module")
def template():
    return template_on(OWN, "human")


def head(of=OWN, face=True):
    """A brain in a skull, with a scalp, and below and before it a face."""
    at = places(of) / SIZE
    brain = np.tensordot(SIGNAL, tissues(at), axes=1)
    r = np.sqrt((at[..., 0] / 66) ** 2 + (at[..., 1] / 82) ** 2 + (at[..., 2] / 62) ** 2)
    scalp = 0.8 * ((r > 1.12) & (r < 1.22))
    below = (at[..., 2] < -30) & (at[..., 1] > 20) & (np.abs(at[..., 0]) < 45) & (r > 1.12) & (r < 1.6)
    whole = brain + np.where(below, 0.6, scalp)
    if not face:
        whole = np.where((at[..., 2] < -10) & (at[..., 1] > 10) & (r > 1.1), 0.0, whole)
    noise = 0.02 * np.random.default_rng(1).standard_normal(of.shape)
    return Volume(of, np.maximum(1000 * (whole + noise * (whole > 0)), 0).astype(np.float32))


def overlap(found, at, number):
    one, other = found.labels.values == number, drawn(at / SIZE) == number
    return 2 * (one & other).sum() / (one.sum() + other.sum())


def test_a_face_is_not_needed(template):
    """The other test has one."""
    found, _ = prepare_anatomy(head(face=False), template)
    assert not any("edge" in doubt or "cut" in doubt for doubt in found.doubts)
    assert overlap(found, places(OWN), 1) > 0.85
    assert overlap(found, places(OWN), 2) > 0.8


def test_a_brain_that_the_image_cuts_is_told_and_what_is_there_is_found(template):
    """The crown is missing: slices above 30 mm, where the brain reaches to 58."""
    top = int(np.searchsorted(places(OWN)[0, 0, :, 2], 30.0))
    of = type(OWN)((*OWN.shape[:2], top), OWN.affine)
    found, steps = prepare_anatomy(head(of), template)
    assert any("reaches the edge of the T1-weighted image" in doubt and "cut" in doubt for doubt in found.doubts)
    assert found.doubts == steps[-1].parameters["doubts"]
    assert overlap(found, places(of), 2) > 0.75


def test_a_brain_of_which_a_part_holds_nothing_is_told(template):
    """The cerebellum's side is 0, as slices without a number are read, though the image goes on below."""
    whole = head()
    low = places(OWN)[0, 0, :, 2] < -20.0
    values = whole.values.copy()
    values[:, :, low] = 0
    found, _ = prepare_anatomy(Volume(OWN, values), template)
    assert len([doubt for doubt in found.doubts if "where the brain should be" in doubt]) == 1
    assert len([doubt for doubt in found.doubts if "brain ends over" in doubt and "may be cut" in doubt]) == 1


@pytest.mark.parametrize(("share", "species"), [(1.0, "human"), (SMALL, "macaque")])
def test_a_thin_cut_is_told_whatever_the_size_of_the_brain(share, species):
    """The crown is 0 from 54 mm up, where the brain reaches to 58, or as much less in a smaller head."""
    of = grid(3.0 * share, OWN.shape)
    values = head().values.copy()
    values[:, :, places(OWN)[0, 0, :, 2] > 54.0] = 0
    found, _ = prepare_anatomy(Volume(of, values), template_on(of, species))
    assert len([doubt for doubt in found.doubts if "brain ends over" in doubt and "may be cut" in doubt]) == 1
