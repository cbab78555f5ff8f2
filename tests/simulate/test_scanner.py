import itertools

import numpy as np
import pytest
from scipy.special import ndtr

from raphe.core.frames import Frames
from raphe.data.image import Grid
from raphe.simulate.anatomy import Anatomy
from raphe.simulate.curves import noise_level, noise_sd
from raphe.simulate.motion import Motion, Restlessness, moving, still
from raphe.simulate.scanner import FWHM, Scanner, expected, frames_of, largest

HALF_LIFE = 20.364


def grid(n=40, edge=2.0):
    affine = np.diag([edge, edge, edge, 1.0])
    affine[:3, 3] = -(n - 1) / 2 * edge
    return Grid((n, n, n), affine)


def scanner(**changes):
    usual = {"fwhm": 5.0, "fwhm_off_centre": 5.0, "radius": 100.0, "grain": 4.0, "scatter": 0.0, "randoms": 0.0}
    return Scanner(grid(), **{**usual, **changes})


def ball(radius=28.0):
    box = grid(80, 1.0)
    at = np.indices(box.shape) - (box.shape[0] - 1) / 2
    labels = (np.sqrt((at**2).sum(axis=0)) <= radius).astype(np.uint8)
    return Anatomy(box, labels, ("air", "putamen"), ("air", "grey"))


LYING = still(np.zeros(6), np.zeros(3), 30.0)
FRAMES = Frames(np.array([0.0, 1.0, 5.0, 30.0]), np.array([1.0, 4.0, 25.0, 60.0]))
ACTIVITY = np.array([[0.0] * 4, [2.0, 20.0, 15.0, 8.0]])


def frames(one, alpha, seed=0, motion=LYING, anatomy=None):
    streams = (np.random.default_rng((seed, i)) for i in itertools.count())
    made = frames_of(one, anatomy or ball(), ACTIVITY, FRAMES, motion, HALF_LIFE, alpha, streams)
    return [image for image, _ in made]


@pytest.mark.parametrize("fwhm", [3.0, 6.0, 9.0])
def test_a_point_is_as_wide_as_the_resolution_says(fwhm):
    point = np.zeros((41, 41, 41))
    point[20, 20, 20] = 1
    seen = Scanner(grid(41), fwhm, fwhm, 100.0, 1.0, 0.0, 0.0).blurred(point)
    assert seen.sum() == pytest.approx(1, abs=1e-12)
    at = 2.0 * (np.arange(41) - 20)
    for axis in range(3):
        other = tuple(set(range(3)) - {axis})
        assert FWHM * np.sqrt((seen.sum(axis=other) * at**2).sum()) == pytest.approx(fwhm, rel=0.02)


def test_resolution_is_lost_off_the_centre():
    points = np.zeros((41, 41, 41))
    points[20, 20, 20] = points[36, 20, 20] = 1  # 32 mm off the axis
    seen = Scanner(grid(41), 4.0, 8.0, 32.0, 1.0, 0.0, 0.0).blurred(points)
    assert seen[20, 20, 20] > 3 * seen[36, 20, 20]


def test_without_noise_a_uniform_head_has_its_activity_inside_and_none_outside():
    found = frames(scanner(), 0.0)
    for index, image in enumerate(found):
        assert image[20, 20, 20] == pytest.approx(ACTIVITY[1, index], rel=1e-6)
        assert abs(image[0, 0, 0]) < 1e-12


def test_noise_of_a_region_is_that_of_its_curve():
    """The mean over a volume varies from scan to scan as a curve of that volume does, in the last frame."""
    one = scanner()
    reference = ACTIVITY[1]
    alpha = noise_level(FRAMES, HALF_LIFE, reference, 5.0)
    inside = np.zeros(one.grid.shape, dtype=bool)
    inside[14:26, 14:26, 14:26] = True  # 24 mm, several times the grain
    found = np.array([[image[inside].mean() for image in frames(one, alpha, seed)] for seed in range(60)])
    asked = noise_sd(FRAMES, HALF_LIFE, reference[None], np.array([inside.sum() * 8.0]), alpha)[0]
    ratio = found.std(axis=0, ddof=1) / asked
    # 60 repeats tell an SD to 9 %; the edges of the volume share noise with what is outside, which lowers it a little
    assert ratio == pytest.approx(np.ones(4), abs=0.3)
    assert found.mean(axis=0) == pytest.approx(reference, abs=5 * asked.max() / np.sqrt(60))


def test_noise_of_neighbours_is_alike_as_the_grain_says():
    fine, coarse = (frames(scanner(grain=grain), 1.0, anatomy=ball(38.0))[3] for grain in (0.5, 8.0))

    def likeness(image):
        middle = image[12:28, 12:28, 12:28] - ACTIVITY[1, 3]
        return np.corrcoef(middle[:-1].ravel(), middle[1:].ravel())[0, 1]

    assert abs(likeness(fine)) < 0.1
    sigma = 8.0 / FWHM / 2.0
    assert likeness(coarse) == pytest.approx(np.exp(-1 / (4 * sigma**2)), abs=0.05)


def test_scatter_and_randoms_add_noise_to_early_frames_and_to_air():
    alpha = noise_level(FRAMES, HALF_LIFE, ACTIVITY[1], 5.0)
    plain, dirty = (frames(scanner(scatter=s, randoms=r), alpha) for s, r in ((0.0, 0.0), (0.4, 1.0)))
    assert plain[1][:4, :4, :4].std() < 1e-9
    assert dirty[1][:4, :4, :4].std() > 0
    inside = slice(12, 28)
    early, late = ((dirty[i][inside, inside, inside].std() / plain[i][inside, inside, inside].std()) for i in (1, 3))
    assert early > late


def test_hardly_any_voxel_exceeds_the_largest():
    alpha = noise_level(FRAMES, HALF_LIFE, ACTIVITY[1], 5.0)
    one = scanner(scatter=0.3, randoms=0.5)
    bar = largest(one, ACTIVITY, FRAMES, HALF_LIFE, alpha)
    found = frames(one, alpha)
    assert max(image.max() for image in found) < bar


def test_a_head_that_moves_is_smeared_and_one_that_is_shifted_is_elsewhere():
    one, anatomy = scanner(fwhm=0.0, fwhm_off_centre=0.0), ball()
    shifted = still(np.array([10.3, 0, 0, 0, 0, 0]), np.zeros(3), 30.0)
    image = expected(one, anatomy, ACTIVITY[:, 1], FRAMES, 1, shifted)
    x = one.grid.affine[0, 3] + 2.0 * np.arange(40)
    assert (image.sum(axis=(1, 2)) * x).sum() / image.sum() == pytest.approx(10.3, abs=0.3)
    drifting = Motion(np.array([0.0, 10.0]), np.array([[0.0] * 6, [20.0, 0, 0, 0, 0, 0]]), np.zeros(3), 30.0)
    smeared = expected(one, anatomy, ACTIVITY[:, 1], FRAMES, 1, drifting)  # 1 to 5 min: 2 to 10 mm
    assert (smeared.sum(axis=(1, 2)) * x).sum() / smeared.sum() == pytest.approx(6, abs=0.6)
    lying = expected(one, anatomy, ACTIVITY[:, 1], FRAMES, 1, LYING)
    assert ((smeared > 0) & (smeared < 19.9)).sum() > ((lying > 0) & (lying < 19.9)).sum()


def test_a_pose_turns_about_the_centre_of_the_head():
    centre = np.array([1.0, -20.0, 8.0])
    motion = still(np.zeros(6), centre, 60.0)
    matrix = motion.matrix(np.array([3.0, -2.0, 1.0, 0.1, -0.2, 0.3]))
    np.testing.assert_allclose(matrix[:3, :3] @ matrix[:3, :3].T, np.eye(3), atol=1e-12)
    assert np.linalg.det(matrix[:3, :3]) == pytest.approx(1)
    np.testing.assert_allclose(matrix @ [*centre, 1], [3, -2, 1, 1], atol=1e-12)
    about_x = motion.matrix(np.array([0, 0, 0, np.pi / 2, 0, 0]))[:3, :3]
    np.testing.assert_allclose(about_x @ [0, 1, 0], [0, 0, 1], atol=1e-12)


def test_drift_and_jumps_are_as_large_as_they_are_said_to_be():
    restless = Restlessness(offset=3.0, turn=3.0, drift=1.0, jumps=0.0, jump=1.0)
    ends = np.array(
        [moving(np.zeros(6), 60.0, restless, np.zeros(3), 80.0, np.random.default_rng(i)).pose[-1] for i in range(300)]
    )
    assert ends[:, :3].std() == pytest.approx(1.0, rel=0.1)
    assert np.rad2deg(ends[:, 3:].std()) == pytest.approx(1.0, rel=0.1)
    jumpy = Restlessness(offset=3.0, turn=3.0, drift=0.0, jumps=4.0, jump=2.0)
    steps = [
        np.abs(np.diff(moving(np.zeros(6), 60.0, jumpy, np.zeros(3), 80.0, np.random.default_rng(i)).pose[:, 0]))
        for i in range(200)
    ]
    assert np.mean([(step > 1e-9).sum() for step in steps]) == pytest.approx(4, abs=0.5)
    assert np.sqrt(np.mean(np.concatenate([step[step > 1e-9] for step in steps]) ** 2)) == pytest.approx(2, rel=0.15)
    none = moving(np.ones(6), 60.0, Restlessness(3, 3, 0, 0, 0), np.zeros(3), 80.0, np.random.default_rng(0))
    np.testing.assert_allclose(none.pose, 1)
    assert len(none.within(10, 70)) == 1


@pytest.mark.parametrize("fwhm", [2.5, 3.0])
def test_an_edge_within_a_voxel_is_as_soft_as_the_resolution_says_on_coarse_voxels(fwhm):
    """Against the exact mean over each voxel; a Gaussian that is looked up at the voxels is off by twice as much."""
    sigma, zoom, at = fwhm / FWHM, 2.0, 2.0 * (np.arange(41) - 20)
    one = Scanner(grid(41), fwhm, fwhm, 100.0, 1.0, 0.0, 0.0)

    def integral(x):
        return x * ndtr(x / sigma) + sigma**2 * np.exp(-0.5 * (x / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))

    apart = []
    for edge in np.linspace(-1, 1, 9):
        share = np.clip((at - edge) / zoom + 0.5, 0, 1)
        seen = one.blurred(np.broadcast_to(share[:, None, None], (41, 41, 41)))[12:29, 20, 20]
        right = (integral(at + zoom / 2 - edge) - integral(at - zoom / 2 - edge)) / zoom
        apart.append(seen - right[12:29])
    assert np.abs(apart).max() < 0.04
    assert abs(np.mean(apart)) < 1e-3
