"""Position of the head in one frame against a mean of others, weighed against how heads move.

Motions are matrices, poses turn about a centre. ``radius`` is the root mean square distance of the brain from it, mm,
which makes turns and shifts alike.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from raphe.core import rigid
from raphe.core.block_alignment import normal_equations, orthonormal, shared_edges, value_and_slopes
from raphe.core.trajectory import likely_poses
from raphe.preprocess.levels import Level

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

STEP = 0.1
"""mm and, at the surface of the brain, turned to mm: how far a head is thought to move from frame to frame; an
assumption. Larger steps cost no more than the logarithm of their size."""

STEPS = 12
"""Steps of Gauss and Newton at most, in one alignment."""

DONE = 0.005
"""mm, at the surface of the brain: a shorter step is not made."""


def fitted_position(
    level: Level, at: int, reference: npt.NDArray[np.floating], start: Array, centre: Array, radius: float
) -> tuple[float, Array, Array]:
    """Position of one frame against a mean of others: its cost, motion, and information.

    With S the second derivative of the cost and H that part of it which is not of noise, errors of the position have
    the variance H^-1 S H^-1 (the sandwich of Huber 1967), so the information is H S^-1 H.
    """
    image, whole = level.images[at], np.asarray(reference, dtype=np.float64)
    basis = orthonormal(np.stack([np.ones(len(level.places)), whole[0]], axis=1), level.edges)
    cost, motion, hessian = _newton(level, image, basis, start, centre, radius)
    noise = cost / max(len(level.places) - 2 * (level.edges.size - 1), 1)
    if not noise > 0 or not np.trace(hessian) > 0:
        return cost, motion, np.zeros((6, 6))
    edges = shared_edges(image, level.to_index, level.places, basis, level.edges, motion, centre, whole)
    unit = np.outer(*[np.array([1.0, 1, 1, radius, radius, radius])] * 2)
    size, way = np.linalg.eigh(edges / unit)
    edges = (way * np.maximum(size, 0.0)) @ way.T
    told = edges @ np.linalg.pinv(hessian / unit, hermitian=True) @ edges * unit
    return cost, motion, told * level.independent / noise


def sampled_at(level: Level, image: Floats, motion: Array) -> Floats:
    """Value and slopes at the places, shape (4, n_place)."""
    return value_and_slopes(image, level.to_index, level.places, motion).astype(np.float32)


def smoothed_positions(motion: Array, information: Array, centre: Array, radius: float) -> Array:
    """Most likely positions of all frames, given what each tells and how heads move."""
    poses = np.array([rigid.pose(one, centre) for one in motion])
    return np.array([rigid.matrix(pose, centre) for pose in likely_poses(poses, information, _usual(radius))])


def prior_information(radius: float) -> Array:
    """Information on a position that its neighbour gives before any frame is looked at, shape (6, 6)."""
    return np.diag(_usual(radius) ** -2)


def _newton(
    level: Level, image: Floats, basis: Array, start: Array, centre: Array, radius: float
) -> tuple[float, Array, Array]:
    """Least cost from a start: its value, the motion, and half of the second derivative."""
    motion, damping = start, 1e-3
    cost, gradient, hessian = _cost(level, image, basis, motion, centre)
    scale = np.diag([1.0, 1, 1, radius**2, radius**2, radius**2])
    for _ in range(STEPS):
        size = np.trace(hessian[:3, :3]) / 3
        if not size > 0:
            break
        step = -np.linalg.solve(hessian + damping * size * scale, gradient)
        if np.linalg.norm(step[:3]) + radius * np.linalg.norm(step[3:]) < DONE:
            break
        trial = motion @ rigid.matrix(step, centre)
        new = _cost(level, image, basis, trial, centre)
        if new[0] < cost:
            motion, (cost, gradient, hessian), damping = trial, new, max(damping / 5, 1e-6)
        else:
            damping *= 10
    return cost, motion, hessian


def _cost(level: Level, image: Floats, basis: Array, motion: Array, centre: Array) -> tuple[float, Array, Array]:
    return normal_equations(image, level.to_index, level.places, basis, level.edges, motion, centre)


def _usual(radius: float) -> Array:
    return np.array([1, 1, 1, 1 / radius, 1 / radius, 1 / radius]) * STEP
