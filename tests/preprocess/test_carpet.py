import numpy as np
import pytest
from scipy import sparse

from raphe.core.frames import Frames
from raphe.data.image import Grid
from raphe.data.volume import DynamicImage
from raphe.preprocess.carpet import KINDS, ROWS, carpet, kinds_of
from raphe.preprocess.extract import RegionShares

SHAPE = (6, 5, 40)
FRAMES = Frames(np.arange(10.0), np.ones(10))
CURVES = np.array([np.linspace(1, 4, 10), np.linspace(5, 1, 10)])


def grid(flip=False):
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    if flip:
        affine[2, 2], affine[2, 3] = -2.0, 2.0 * (SHAPE[2] - 1)
    return Grid(SHAPE, affine)


def image(activity, flip=False):
    return DynamicImage(grid(flip), FRAMES, np.asarray(activity, dtype=np.float32), 20.0)


@pytest.fixture
def kind():
    """Grey matter in one half, white matter in the other, and voxels of neither."""
    found = np.zeros(SHAPE, dtype=np.int32)
    found[:3], found[3:5] = 1, 2
    return found.ravel()


def test_tissue_that_keeps_to_its_curve_departs_nowhere(kind):
    """Whatever the size of each voxel's curve: binding that differs in size alone is no concern."""
    size = np.random.default_rng(1).uniform(0.5, 2.0, SHAPE)
    of_kind = np.where(kind.reshape(SHAPE)[None] == 1, *(curve[:, None, None, None] for curve in CURVES))
    found = carpet(image(of_kind * size), kind)
    np.testing.assert_allclose(found.departure, 0, atol=1e-5)
    assert [name for name, _ in found.kinds] == ["grey matter", "white matter"]
    assert found.departure.shape == (len(found.tissue), 10)
    assert len(found.tissue) == pytest.approx(ROWS, abs=1)
    assert dict(found.kinds)["grey matter"] == pytest.approx(ROWS * 3 / 5, abs=1)


def test_a_step_of_the_head_is_an_edge_in_its_frame_and_nowhere_else(kind):
    size = 1 + 0.5 * np.sin(np.arange(SHAPE[2]) / 3)
    activity = np.broadcast_to(CURVES[0][:, None, None, None], (10, *SHAPE)) * size
    activity[6:] = np.roll(activity[6:], 2, axis=-1)
    found = carpet(image(activity), kind).departure
    change = np.abs(np.diff(found, axis=1)).mean(axis=0)
    assert change.argmax() == 5
    assert change[5] > 0.1
    assert change[[0, 1, 2, 3, 4, 6, 7, 8]].max() < 1e-5


@pytest.mark.parametrize("flip", [False, True])
def test_rows_go_from_below_to_above_by_the_header(kind, flip):
    activity = np.broadcast_to(CURVES[0][:, None, None, None], (10, *SHAPE)).copy()
    low = slice(-4, None) if flip else slice(0, 4)
    activity[5, :, :, low] *= 3
    found = carpet(image(activity, flip), kind)
    grey = found.departure[[name == "grey matter" for name in found.tissue], 5]
    tenth = len(grey) // 10
    assert grey[:tenth].min() > 0.5
    assert grey[tenth + 1 :].max() < 0


def test_frames_in_which_a_tissue_has_no_activity_tell_nothing(kind):
    activity = np.ones((10, *SHAPE))
    activity[:2] = 0
    found = carpet(image(activity), kind).departure
    assert np.isnan(found[:, :2]).all()
    assert np.isfinite(found[:, 2:]).all()


def test_few_voxels_are_rows_of_their_own_and_none_are_no_rows():
    kind = np.zeros(int(np.prod(SHAPE)), dtype=np.int32)
    kind[:7] = 3
    assert carpet(image(np.ones((10, *SHAPE))), kind).kinds == (("fluid", 7),)
    assert carpet(image(np.ones((10, *SHAPE))), 0 * kind).departure.shape == (0, 10)


def test_kinds_of_voxels():
    def shares(**rows):
        values = np.zeros((len(rows), int(np.prod(SHAPE))))
        for at, row in enumerate(rows.values()):
            values[at, : len(row)] = row
        return RegionShares(grid(), tuple(rows), sparse.csr_array(values), np.ones(len(rows)), np.ones(len(rows)))

    tissue = shares(
        thalamus=[0.4, 0.0, 0.0, 0.9, 0.3],
        other_grey=[0.3, 0, 0, 0, 0.1],
        white=[0.3, 0.8, 0, 0.1, 0.3],
        fluid=[0, 0, 0.7],
    )
    assert kinds_of(tissue, None)[:6].tolist() == [1, 2, 3, 1, 0, 0]
    reference = shares(cerebellum=[0.2, 0, 0, 0.6])
    assert kinds_of(tissue, reference)[:6].tolist() == [1, 2, 3, KINDS.index("reference") + 1, 0, 0]
