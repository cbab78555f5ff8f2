import numpy as np
import pytest

from phantom_head import curves, grid, places, tissues
from raphe.data.volume import Volume
from raphe.preprocess.in_space import judge_in_space

OWN = grid(2.0, (88, 104, 88))
SIGNAL = np.array([0.7, 0.75, 1.0, 0.2])


def head(at, level, width=1.5):
    return np.tensordot(level, tissues(at, width), axes=1).astype(np.float32)


@pytest.fixture(scope="module")
def mri():
    noise = 0.02 * np.random.default_rng(1).standard_normal(OWN.shape).astype(np.float32)
    return Volume(OWN, 1000 * (head(places(OWN), SIGNAL) + noise)), tissues(places(OWN)).sum(axis=0) > 0.5


def pet(move=(0, 0, 0), mirror=False):
    """PET of the head on its own grid, after a movement in the space of the MRI."""
    of = grid(3.0, (58, 68, 58))
    at = (places(of) - move) * ([-1, 1, 1] if mirror else [1, 1, 1])
    noise = 0.5 * np.random.default_rng(2).standard_normal(of.shape).astype(np.float32)
    return Volume(of, head(at, curves()[:, -1], 3.0) + noise)


def test_an_image_on_the_t1_stays_where_it_is(mri):
    found, step = judge_in_space(pet(), *mri)
    np.testing.assert_array_equal(found.matrix, np.eye(4))
    assert found.doubts == ()
    assert "identity" in found.metric
    assert step.name == "in_space"
    assert step.parameters["score"] == found.score > 0.5
    assert step.parameters["apart"] < 2.0


def test_an_image_that_lies_elsewhere_stays_and_is_doubted(mri):
    found, step = judge_in_space(pet((7, -6, 5)), *mri)
    np.testing.assert_array_equal(found.matrix, np.eye(4))
    assert any("another program" in doubt and "mm from there" in doubt for doubt in found.doubts)
    assert step.parameters["doubts"] == found.doubts
    assert step.parameters["apart"] > 5.0


def test_an_image_with_left_and_right_exchanged_is_doubted(mri):
    found, _ = judge_in_space(pet(mirror=True), *mri)
    assert any("left and right" in doubt for doubt in found.doubts)
