import numpy as np
import pytest

from phantom_head import curves, grid, places, tissues
from raphe.core import rigid
from raphe.data.image import Grid
from raphe.data.volume import Volume
from raphe.preprocess.blockwise import explained
from raphe.preprocess.register import register_rigid

T1 = np.array([0.7, 0.75, 1.0, 0.2])


def mri(flip=False):
    own = grid(2.0, (88, 104, 88))
    shares = tissues(places(own) * ([-1, 1, 1] if flip else [1, 1, 1]))
    noise = 0.02 * np.random.default_rng(1).standard_normal(own.shape)
    return Volume(own, (1000 * (np.tensordot(T1, shares, axes=1) + noise)).astype(np.float32)), shares.sum(axis=0) > 0.5


def pet(matrix, noise=0.5, size=1.0):
    """PET of the head, moved by a matrix from the MRI's space."""
    own, back = grid(), np.linalg.inv(matrix)
    shares = tissues((places(own) @ back[:3, :3].T + back[:3, 3]) / size, 3.0)
    late = np.tensordot(curves()[:, -1], shares, axes=1)
    return Volume(own, (late + noise * np.random.default_rng(2).standard_normal(own.shape)).astype(np.float32))


@pytest.mark.parametrize("seed", range(3))
def test_a_head_far_away_and_turned_is_found(seed):
    random = np.random.default_rng(seed)
    shift, turn = random.uniform(-17, 17, 3), np.deg2rad(random.uniform(-17, 17, 3))
    true = rigid.matrix([*shift, *turn], (0, 0, 0))
    fixed, brain = mri()
    moving = pet(rigid.matrix(np.zeros(6), (0, 0, 0)))
    moving = Volume(Grid(moving.grid.shape, true @ moving.grid.affine), moving.values)
    found, step = register_rigid(moving, fixed, brain)
    at = np.argwhere(brain)[::997] @ fixed.grid.affine[:3, :3].T + fixed.grid.affine[:3, 3]
    assert (
        np.median(rigid.shifts(found.matrix @ true, at)) < 2.0
    )  # this head is nearly a ball, so turns are hard to see
    assert not any("explains" in doubt for doubt in found.doubts)
    assert found.score == pytest.approx(explained(moving, fixed, brain, found.matrix), abs=1e-6)
    assert step.parameters["score"] == found.score


def test_an_mri_with_left_and_right_exchanged_is_told():
    fixed, brain = mri(flip=True)
    found, _ = register_rigid(pet(np.eye(4)), fixed, brain)
    assert any("left and right" in doubt for doubt in found.doubts)


def test_noise_instead_of_a_head_is_told():
    fixed, brain = mri()
    nothing = Volume(grid(), np.abs(np.random.default_rng(3).standard_normal(grid().shape)).astype(np.float32))
    found, _ = register_rigid(nothing, fixed, brain)
    assert any("explains" in doubt for doubt in found.doubts)


def test_a_field_of_view_that_cuts_the_head_does_not_move_it():
    """Three centimetres are missing below; what is seen decides, with or without the empty slices."""
    fixed, brain = mri()
    whole = pet(np.eye(4))
    lost = 14
    affine = whole.grid.affine.copy()
    affine[2, 3] += 4.0 * lost
    nx, ny, nz = whole.grid.shape
    short = Volume(Grid((nx, ny, nz - lost), affine), np.ascontiguousarray(whole.values[..., lost:]))
    seen = np.ones(whole.grid.shape, dtype=bool)
    seen[..., :lost] = False
    empty = Volume(whole.grid, np.where(seen, whole.values, np.float32(0)))
    at = np.argwhere(brain)[::997] @ fixed.grid.affine[:3, :3].T + fixed.grid.affine[:3, 3]
    at = at[at[:, 2] > -20]
    for image, where in ((short, None), (empty, seen)):
        found, _ = register_rigid(image, fixed, brain, where)
        assert np.median(rigid.shifts(found.matrix, at)) < 2.0
        assert not any("explains" in doubt for doubt in found.doubts)


def test_the_head_of_another_person_is_doubted():
    """A smaller one, whose folds lie elsewhere."""
    fixed, brain = mri()
    own, _ = register_rigid(pet(np.eye(4)), fixed, brain)
    other, _ = register_rigid(pet(np.eye(4), size=0.85), fixed, brain)
    assert own.doubts == ()
    assert other.score < own.score - 0.03
    assert other.doubts
