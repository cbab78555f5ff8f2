"""Positions of a head over time."""

from __future__ import annotations

import numpy as np
from scipy import optimize

from raphe.core.trajectory import likely_poses

USUAL = np.array([0.1, 0.1, 0.1, 0.002, 0.002, 0.002])


def cost(found, poses, information):
    away = found - poses
    size = (((np.diff(found, axis=0)) / USUAL) ** 2).mean(axis=1)
    return 0.5 * np.einsum("ni,nij,nj->", away, information, away) + 3 * np.log1p(size).sum()


def test_the_cost_is_least_there():
    random = np.random.default_rng(1)
    poses = USUAL * random.standard_normal((5, 6)) * 3
    root = random.standard_normal((5, 6, 6)) / USUAL[None, :, None]
    information = root @ root.transpose(0, 2, 1)
    found = likely_poses(poses, information, USUAL)
    best = optimize.minimize(
        lambda x: cost(x.reshape(5, 6) * USUAL, poses, information), (found / USUAL).ravel(), options={"gtol": 1e-6}
    )
    assert cost(found, poses, information) <= best.fun + 1e-4
    np.testing.assert_allclose(found, best.x.reshape(5, 6) * USUAL, atol=5e-3 * USUAL.max())


def test_noise_is_smoothed_away_and_a_jump_that_is_seen_stays():
    random = np.random.default_rng(2)
    truth = np.zeros((40, 6))
    truth[20:, 0] = 4.0
    noise = USUAL * random.standard_normal((40, 6)) * 5
    poses = truth + noise
    found = likely_poses(poses, np.repeat(np.diag((5 * USUAL) ** -2)[None], 40, axis=0), USUAL)
    error = np.abs(found - truth)[:, :3]
    assert np.median(error) < 0.5 * np.median(np.abs(noise[:, :3]))
    assert error[[17, 18, 21, 22]].max() < 0.5


def test_a_moment_that_tells_nothing_lies_between_its_neighbours():
    poses = np.zeros((3, 6))
    poses[:, 1] = [0.05, 9.0, 0.15]
    information = np.repeat(np.diag(USUAL**-2)[None] * 1e6, 3, axis=0)
    information[1] = 0
    np.testing.assert_allclose(likely_poses(poses, information, USUAL)[1, 1], 0.1, atol=1e-3)
