r"""Rigid motion in space: six numbers, and the matrix that they stand for.

A pose is (t_x, t_y, t_z, r_x, r_y, r_z): mm, and radians about the axes, x first. With a centre c it takes a place x to
:math:`R_z R_y R_x (x - c) + c + t`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def matrix(pose: npt.ArrayLike, centre: npt.ArrayLike) -> Array:
    """Matrix, shape (4, 4), mm to mm, of a pose, shape (6,), about a centre, shape (3,), mm."""
    values, middle = np.asarray(pose, dtype=float), np.asarray(centre, dtype=float)
    turn = np.eye(3)
    for axis, angle in enumerate(values[3:]):
        one, other = (axis + 1) % 3, (axis + 2) % 3
        about = np.eye(3)
        about[one, one] = about[other, other] = np.cos(angle)
        about[one, other], about[other, one] = -np.sin(angle), np.sin(angle)
        turn = about @ turn
    whole = np.eye(4)
    whole[:3, :3], whole[:3, 3] = turn, values[:3] + middle - turn @ middle
    return whole


def pose(rigid: Array, centre: npt.ArrayLike) -> Array:
    """Pose, shape (6,), of a rigid matrix, shape (4, 4), about a centre: the inverse of :func:`matrix`.

    Rotations about y are within a quarter turn.
    """
    turn, middle = rigid[:3, :3], np.asarray(centre, dtype=float)
    about_y = np.arcsin(np.clip(-turn[2, 0], -1.0, 1.0))
    about_x, about_z = np.arctan2(turn[2, 1], turn[2, 2]), np.arctan2(turn[1, 0], turn[0, 0])
    shift = rigid[:3, 3] - middle + turn @ middle
    return np.array([*shift, about_x, about_y, about_z])


def shifts(rigid: Array, places: Array) -> Array:
    """How far each place, shape (n, 3), is moved by a matrix, mm, shape (n,)."""
    return np.asarray(np.linalg.norm(places @ rigid[:3, :3].T + rigid[:3, 3] - places, axis=1))
