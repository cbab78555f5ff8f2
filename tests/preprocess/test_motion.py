import numpy as np
import pytest

from phantom_head import FRAMES, curves, grid, places, tissues
from raphe.core import rigid
from raphe.core.block_alignment import normal_equations, orthonormal
from raphe.core.frames import Frames
from raphe.data.volume import DynamicImage
from raphe.preprocess.motion import correct_motion, estimate_motion, mean_image, no_motion

HALF_LIFE = 20.364
BRAIN = np.array([[x, y, z] for x in (-40, 0, 40) for y in (-50, 0, 50) for z in (-35, 0, 35)], dtype=float)


def moved(poses, frames=FRAMES, noise=0.0, seed=0):
    """Image whose head has moved by each pose, and the matrices from the head's first place to the frame's."""
    own, random = grid(), np.random.default_rng(seed)
    matrices = [rigid.matrix(pose, (0, 0, 0)) for pose in poses]
    level = curves(frames)
    images = []
    for at, matrix in enumerate(matrices):
        back = np.linalg.inv(matrix)
        shares = tissues(places(own) @ back[:3, :3].T + back[:3, 3], 3.0)
        clean = np.tensordot(level[:, at], shares, axes=1)
        images.append(clean + noise * random.standard_normal(own.shape) * np.sqrt(10 / frames.duration[at]))
    return DynamicImage(own, frames, np.array(images, dtype=np.float32), HALF_LIFE), np.array(matrices)


def errors(motion, matrices, late):
    """mm, (n_frame, n_place): where places of the head end, against their mean in the late frames."""
    ends = np.array(
        [BRAIN @ (e @ m)[:3, :3].T + (e @ m)[:3, 3] for e, m in zip(motion.matrices, matrices, strict=True)]
    )
    return np.linalg.norm(ends - ends[late].mean(axis=0), axis=2)


def walk(seed):
    random = np.random.default_rng(seed)
    poses = np.zeros((len(FRAMES), 6))
    poses[:, :3] = np.cumsum(0.4 * random.standard_normal((len(FRAMES), 3)), axis=0)
    poses[:, 3:] = np.cumsum(0.006 * random.standard_normal((len(FRAMES), 3)), axis=0)
    poses[7:, 0] += 4.0
    poses[10:, 3] += 0.03
    return poses


@pytest.mark.parametrize("seed", [1, 2])
def test_motion_is_found_although_the_distribution_changes(seed):
    image, matrices = moved(walk(seed), noise=0.6, seed=seed)
    late = FRAMES.start >= 20
    motion, step = estimate_motion(image)
    after = errors(motion, matrices, late)
    assert np.median(after[FRAMES.start >= 5]) < 0.5
    assert np.quantile(after[FRAMES.start >= 5], 0.95) < 1.0
    still = errors(no_motion(image), matrices, late)
    assert np.median(after[3:]) < 0.4 * np.median(still[3:])
    assert step.parameters["estimated"]
    steps = np.linalg.norm(np.diff([BRAIN @ m[:3, :3].T + m[:3, 3] for m in matrices], axis=0), axis=2).mean(axis=1)
    np.testing.assert_allclose(motion.displacement[4:], steps[3:], atol=0.6)
    assert motion.within[6:8].max() > 1.5  # the jump of 4 mm


def test_frames_without_counts_lie_where_their_neighbours_do():
    image, _ = moved(walk(3), noise=0.3)
    image.activity[0] = 0
    image.activity[1] = np.nan
    motion, _ = estimate_motion(image)
    assert motion.held[:2].all()
    assert not motion.held[4:].any()
    np.testing.assert_allclose(motion.matrices[0], motion.matrices[2], atol=0.05)


def test_the_same_image_gives_the_same_digits():
    image, _ = moved(walk(4), noise=0.5)
    first, second = (estimate_motion(image)[0].matrices for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_one_frame_is_left_alone():
    frames = Frames(np.array([40.0]), np.array([60.0]))
    image, _ = moved(np.zeros((1, 6)), frames)
    motion, step = estimate_motion(image)
    np.testing.assert_array_equal(motion.matrices, np.eye(4)[None])
    assert step.parameters == {"estimated": False, "n_frames": 1}


def test_an_image_of_nothing_is_left_alone():
    image = DynamicImage(grid(), FRAMES, np.zeros((len(FRAMES), *grid().shape), np.float32), HALF_LIFE)
    motion, _ = estimate_motion(image)
    np.testing.assert_array_equal(motion.matrices, np.repeat(np.eye(4)[None], len(FRAMES), axis=0))


def test_correcting_by_the_true_motion_gives_the_head_at_rest():
    image, matrices = moved(walk(5))
    motion = no_motion(image)
    motion.matrices[:] = np.linalg.inv(matrices)
    still = correct_motion(image, motion, order=3)
    rest, _ = moved(np.zeros((len(FRAMES), 6)))
    inside = np.s_[10:-10, 10:-10, 10:-10]
    apart = np.abs(still.activity - rest.activity)[(slice(None), *inside)]
    assert np.quantile(apart, 0.95) < 0.03 * rest.activity.max()
    by_place = correct_motion(image, motion, grid(), places(grid()).astype(np.float32), order=1)
    linear = correct_motion(image, motion, order=1)
    np.testing.assert_allclose(
        by_place.activity[(slice(None), *inside)], linear.activity[(slice(None), *inside)], atol=0.05
    )


def test_mean_is_weighted_by_duration():
    image, _ = moved(np.zeros((len(FRAMES), 6)))
    want = np.average(image.activity, axis=0, weights=FRAMES.duration)
    np.testing.assert_allclose(mean_image(image), want, rtol=1e-4, atol=1e-4)


def test_gradient_is_that_of_the_cost():
    """By differences, about a motion that is no optimum."""
    image, _ = moved(walk(6)[:2], Frames(FRAMES.start[:2], FRAMES.duration[:2]))
    values = np.ascontiguousarray(image.activity[1], dtype=np.float32)
    at = places(grid())[12:30:2, 12:36:2, 12:30:2].reshape(-1, 3) + 0.37
    edges = np.array([0, 300, 700, len(at)])
    basis = orthonormal(np.stack([np.ones(len(at)), at[:, 0] ** 2], axis=1), edges)
    motion, centre = rigid.matrix([1, -2, 0.5, 0.05, 0.02, -0.04], (0, 0, 0)), np.array([3.0, -5, 8])
    to_index = np.linalg.inv(grid().affine)
    _, gradient, hessian = normal_equations(values, to_index, at, basis, edges, motion, centre)
    for number in range(6):
        step = np.zeros(6)
        step[number] = 1e-4 if number < 3 else 1e-6
        ends = [
            normal_equations(values, to_index, at, basis, edges, motion @ rigid.matrix(s * step, centre), centre)[0]
            for s in (1, -1)
        ]
        assert gradient[number] == pytest.approx((ends[0] - ends[1]) / (4 * step[number]), rel=2e-2, abs=1.0)
    assert np.linalg.eigvalsh(hessian).min() > 0


@pytest.mark.parametrize("n", [2, 3])
def test_few_frames_are_held_against_each_other(n):
    """A head that has moved by 4 mm before the last frame."""
    frames = Frames(np.arange(n) * 20.0 + 20, np.full(n, 20.0))
    poses = np.zeros((n, 6))
    poses[:-1, 0] = 4.0
    image, matrices = moved(poses, frames, noise=0.2)
    motion, step = estimate_motion(image)
    assert step.parameters["estimated"]
    first, last = (motion.matrices[at] @ matrices[at] for at in (0, -1))
    assert np.median(rigid.shifts(np.linalg.inv(last) @ first, BRAIN)) < 0.6
    assert not motion.held.any()


def test_noise_does_not_pass_for_motion():
    """A head that lies still in frames whose noise is as high as their contrast."""
    image, matrices = moved(np.zeros((len(FRAMES), 6)), noise=12.0, seed=6)
    motion, _ = estimate_motion(image)
    after = errors(motion, matrices, FRAMES.start >= 20)
    assert np.median(after) < 0.15
    assert after.max() < 0.5


def test_an_image_without_edges_along_two_axes_is_no_hindrance():
    """Plates across one axis: shifts along the others, and turns about it, cannot be told."""
    own = grid()
    at = places(own)[..., 0]
    waves = np.random.default_rng(7).uniform(1, 3, (len(FRAMES), 2))
    plates = np.array([10 + a * np.sin(at / 6) + b * np.sin(at / 4) for a, b in waves], dtype=np.float32)
    image = DynamicImage(own, FRAMES, plates, HALF_LIFE)
    motion, _ = estimate_motion(image)
    assert np.isfinite(motion.matrices).all()
    assert np.abs(motion.matrices[:, 1:3, 3]).max() < 0.5
