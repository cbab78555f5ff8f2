"""How a head moves in the scanner: a slow drift, sudden jumps, and where it lay at first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

NODE = 1.0
"""Minutes from one point of the drift to the next; it is linear between them."""

JUMP = 0.05
"""Minutes that a jump takes."""

STEP = 0.3
"""Movement, mm at the head's surface, that is resolved within a frame."""

MOST_POSES = 6
"""Poses within a frame at most."""


@dataclass(frozen=True)
class Restlessness:
    """How much the heads of a study move.

    Parameters
    ----------
    offset, turn : float, mm and degrees
        Standard deviation along, and about, each axis of where a head lies at first.
    drift : float, mm
        Standard deviation along each axis of how far it has drifted after an hour; as many degrees about each axis as
        ``turn`` has for ``offset``.
    jumps : float
        Mean number of jumps in an hour.
    jump : float, mm
        Standard deviation of a jump along each axis.
    """

    offset: float
    turn: float
    drift: float
    jumps: float
    jump: float


@dataclass(frozen=True, eq=False)
class Motion:
    """Pose of a head over time, linear between nodes.

    Parameters
    ----------
    time : ndarray, shape (n_node,), min from injection
    pose : ndarray, shape (n_node, 6)
        Translations along x, y, z (mm) and rotations about them (radians), from the head's own space to the
        scanner's.
    centre : ndarray, shape (3,), mm
        About which the head turns, in its own space; at the scanner's 0 without any translation.
    radius : float, mm
        Of the head.
    """

    time: Array
    pose: Array
    centre: Array
    radius: float

    def at(self, time: Array) -> Array:
        """Poses at times, shape (n_time, 6)."""
        return np.stack([np.interp(time, self.time, column) for column in self.pose.T], axis=1)

    def within(self, start: float, end: float) -> Array:
        """Poses that stand for a frame, evenly spread in time, as many as its movement asks for; (n_pose, 6)."""
        inner = self.time[(self.time > start) & (self.time < end)]
        path = self.at(np.concatenate([[start], inner, [end]]))
        moved = np.abs(np.diff(path, axis=0)) @ np.array([1, 1, 1, self.radius, self.radius, self.radius])
        n = int(np.clip(np.ceil(moved.sum() / STEP), 1, MOST_POSES))
        return self.at(start + (end - start) * (np.arange(n) + 0.5) / n)

    def matrix(self, pose: Array) -> Array:
        """Matrix, (4, 4), from places in the head's own space to places in the scanner, mm."""
        turn = np.eye(3)
        for axis, angle in enumerate(pose[3:]):
            one, other = (axis + 1) % 3, (axis + 2) % 3
            about = np.eye(3)
            about[one, one] = about[other, other] = np.cos(angle)
            about[one, other], about[other, one] = -np.sin(angle), np.sin(angle)
            turn = about @ turn
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = turn, pose[:3] - turn @ self.centre
        return matrix


def still(pose: Array, centre: Array, radius: float) -> Motion:
    """Pose that does not change."""
    return Motion(np.zeros(1), np.asarray(pose, dtype=float)[None], centre, radius)


def first_pose(restlessness: Restlessness, random: np.random.Generator) -> Array:
    """Draw where a head lies at first, shape (6,)."""
    size = np.repeat([restlessness.offset, np.deg2rad(restlessness.turn)], 3)
    return np.asarray(size * random.standard_normal(6))


def moving(
    start: Array, duration: float, restlessness: Restlessness, centre: Array, radius: float, random: np.random.Generator
) -> Motion:
    """Draw the motion of a head during a scan.

    Parameters
    ----------
    start : ndarray, shape (6,)
        Pose at injection.
    duration : float, min
    restlessness : Restlessness
    centre, radius
        Of :class:`Motion`.
    random : Generator
    """
    angle = np.deg2rad(restlessness.turn) / restlessness.offset if restlessness.offset > 0 else 0.0
    size = np.repeat([1.0, angle], 3)
    time = NODE * np.arange(int(np.ceil(duration / NODE)) + 1)
    walk = np.zeros((time.size, 6))
    walk[1:] = np.cumsum(random.standard_normal((time.size - 1, 6)), axis=0)
    pose = start + restlessness.drift * np.sqrt(NODE / 60) * size * walk
    n_jump = int(random.poisson(restlessness.jumps * duration / 60))
    when = np.sort(random.uniform(0, duration, n_jump))
    leap = restlessness.jump * size * random.standard_normal((n_jump, 6))
    nodes = np.unique(np.concatenate([time, when, when + JUMP]))
    at = np.stack([np.interp(nodes, time, column) for column in pose.T], axis=1)
    for moment, by in zip(when, leap, strict=True):
        at += np.clip((nodes - moment) / JUMP, 0, 1)[:, None] * by
    return Motion(nodes, at, centre, radius)
