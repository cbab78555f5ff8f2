"""What of an image's edges is not noise."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from raphe.core import rigid
from raphe.core.block_alignment import normal_equations, orthonormal, shared_edges, value_and_slopes

SHAPE = (24, 26, 22)
TO_INDEX = np.linalg.inv(np.array([[2.0, 0, 0, -24], [0, 2, 0, -26], [0, 0, 2, -22], [0, 0, 0, 1]]))
CENTRE = np.array([1.0, -2, 3])


def smooth(seed, sigma=3.0, shape=SHAPE):
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(shape), sigma)
    return (noise / noise.std()).astype(np.float32)


def places(step=2):
    at = np.stack(np.meshgrid(*(np.arange(4, n - 4, step) + 0.3 for n in SHAPE), indexing="ij"), axis=-1).reshape(-1, 3)
    back = np.linalg.inv(TO_INDEX)
    return at @ back[:3, :3].T + back[:3, 3]


def test_values_and_slopes_are_those_of_the_moved_image():
    image, at = smooth(1), places()
    motion = rigid.matrix([0.6, -0.8, 0.4, 0.04, -0.03, 0.05], CENTRE)
    found = value_and_slopes(image, TO_INDEX, at, motion)

    def sampled(where):
        whole = TO_INDEX @ motion
        return ndimage.map_coordinates(image, whole[:3, :3] @ where.T + whole[:3, 3:], order=1)

    np.testing.assert_allclose(found[0], sampled(at), atol=1e-5)
    for axis in range(3):
        shift = np.zeros(3)
        shift[axis] = 0.01
        slope = (sampled(at + shift) - sampled(at - shift)) / 0.02
        assert np.median(np.abs(found[1 + axis] - slope)) < 2e-3


def test_shared_edges_of_an_image_with_itself_are_the_second_derivative():
    image, at = smooth(2), places()
    edges = np.array([0, 150, 300, len(at)])
    told = value_and_slopes(image, TO_INDEX, at, np.eye(4))
    basis = orthonormal(np.stack([np.ones(len(at)), told[0]], axis=1), edges)
    _, _, hessian = normal_equations(image, TO_INDEX, at, basis, edges, np.eye(4), CENTRE)
    shared = shared_edges(image, TO_INDEX, at, basis, edges, np.eye(4), CENTRE, told)
    np.testing.assert_allclose(shared, hessian, rtol=1e-6, atol=1e-6 * np.abs(hessian).max())


def test_noise_of_its_own_adds_nothing_to_shared_edges():
    """The second derivative grows with the noise; what is shared with a reference does not."""
    signal, at = smooth(3), places()
    edges = np.array([0, 150, 300, len(at)])
    told = value_and_slopes(signal, TO_INDEX, at, np.eye(4))
    basis = orthonormal(np.stack([np.ones(len(at)), told[0]], axis=1), edges)
    _, _, clean = normal_equations(signal, TO_INDEX, at, basis, edges, np.eye(4), CENTRE)
    whole, shared = [], []
    for seed in range(60):
        noisy = (signal + smooth(100 + seed, 1.0)).astype(np.float32)
        whole.append(normal_equations(noisy, TO_INDEX, at, basis, edges, np.eye(4), CENTRE)[2])
        shared.append(shared_edges(noisy, TO_INDEX, at, basis, edges, np.eye(4), CENTRE, told))
    size = np.diag(clean)
    assert (np.diag(np.mean(whole, axis=0)) > 3 * size).all()
    error = np.diag(np.std(shared, axis=0)) / np.sqrt(60)
    assert (np.abs(np.diag(np.mean(shared, axis=0)) - size) < 4 * error + 0.05 * size).all()
