"""The search for one rate constant under weights that are common to all curves: what depends on the scan, made once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from raphe.core.linear import RANK_TOLERANCE
from raphe.core.rate_table import PER_GRID, RateTable, filled

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Singles = npt.NDArray[np.float32]

RANK = 1e-9
"""Singular value, as a share of the largest, below which what the functions have in common under one set of weights is
left out of the search. A thousand times as much moved the rates of one noisy voxel in a hundred by over 1e-5."""

AT_ONCE = 4
"""Numbers of 64 bits that a processor takes at once. Twice as many gain nothing, for more are zeros."""


def starts(table: RateTable, curves: Array, weights: Array) -> tuple[Array, Flags]:
    """Places of the lowest costs, and where other weights may well prefer others, shape (n_curve,) each.

    Parameters
    ----------
    table : RateTable
    curves : ndarray, shape (n_row, n_curve)
    weights : ndarray, shape (n_row,)
        1/variance up to a factor.
    """
    from raphe.core.summits import squares  # numba, which is slow to import

    parts = _own_parts(table, weights.tobytes())
    within = parts.basis @ curves
    total = squares(curves, weights) - within[-1] ** 2
    place, _, unsure = _summits(parts, within, total)
    return place, unsure


def lowest(table: RateTable, curves: Array, weights: Array, errors: bool) -> tuple[Array, Array, Array, Flags]:
    """Places of the lowest costs, with the linear parameters there and their covariance.

    The places are a thousandth of the distance of two nodes away from where a search in the frames would end, or less.

    Parameters
    ----------
    table, curves, weights
        As for :func:`starts`.
    errors : bool
        Whether the covariance is wanted; it is of the kind HC3.

    Returns
    -------
    place : ndarray, shape (n_curve,)
    theta : ndarray, shape (2, n_curve)
    covariance : ndarray, shape (3, 3, n_curve), or (3, 3, 0)
        Of theta and the place.
    singular : ndarray of bool, shape (n_curve,)
    """
    from raphe.core.summits import parameters_at  # numba, which is slow to import

    parts = _own_parts(table, weights.tobytes())
    within = parts.basis @ curves
    place, product, _ = _summits(parts, within, np.empty(0))
    theta, covariance = parameters_at(
        place, product, within[-1], parts.scalars, *parts.in_frames, parts.fixed_length, curves, np.sqrt(weights),
        errors,
    )  # fmt: skip
    left = np.minimum(place.astype(np.intp), len(parts.sound) - 2)
    singular = ~(parts.sound[left] & parts.sound[left + 1] & np.isfinite(theta[1]) & (theta[1] != 0))
    if singular.any():
        covariance[..., singular[: covariance.shape[-1]]] = np.nan
    return place, theta, covariance, singular


@dataclass(frozen=True, eq=False)
class _OwnParts:
    """Unit vectors h of what the function of the rate has to itself, under one set of weights.

    Parameters
    ----------
    basis : ndarray, shape (n_rank + 1, n_row)
        Orthonormal under the weights, whose roots it holds, so that a curve's products with it are what the curve has
        there; last, the other function's unit vector likewise.
    unit, slope : ndarray, shape (n_node, n_rank)
        h in it, and its derivative by the place.
    coarse : ndarray of float32, shape (n_grid, n_rank)
        Every :data:`PER_GRID`-th of these.
    fixed_length : float
        The other function's length; 0 where there is none.
    in_frames : tuple of ndarray of float32
        h and its derivative in the frames, (n_node, n_filled_row), and the other function's unit vector.
    scalars : ndarray, shape (3, 2, n_node)
        As :func:`raphe.core.summits.parameters_at` takes them.
    sound : ndarray of bool, shape (n_node,)
        Where the function, the other one and its derivative are linearly independent.
    """

    basis: Array
    unit: Array
    slope: Array
    coarse: Singles
    fixed_length: float
    in_frames: tuple[Singles, Singles, Singles]
    scalars: Array
    sound: Flags


def _summits(parts: _OwnParts, within: Array, total: Array) -> tuple[Array, Array, Flags]:
    from raphe.core import summits

    height = parts.coarse @ within[:-1].astype(np.float32)
    found: tuple[Array, Array, Flags] = summits.summits(parts.unit, parts.slope, height, PER_GRID, within[:-1], total)
    return found


@lru_cache(maxsize=8)
def _own_parts(table: RateTable, weights: bytes) -> _OwnParts:
    root = np.sqrt(np.frombuffer(weights))
    n_row = root.size
    root = filled(root[:, None])[:, 0]
    whole, change, fixed = (each * root for each in table.rows)
    fixed_length = float(np.linalg.norm(fixed))
    side = fixed / fixed_length if fixed_length > 0 else fixed
    cross, lean = whole @ side, change @ side
    own, turn = whole, change
    for _ in range(2):  # once is not enough where they are nearly parallel
        own, turn = (each - np.outer(each @ side, side) for each in (own, turn))
    length = np.linalg.norm(own, axis=1)
    by = np.divide(1, length, out=np.zeros_like(length), where=length > 0)[:, None]
    unit, slope = own * by, turn * by
    along = np.einsum("nr,nr->n", unit, slope)
    for _ in range(2):
        slope -= unit * np.einsum("nr,nr->n", unit, slope)[:, None]
    pace = np.linalg.norm(slope, axis=1)
    sound = (length > RANK_TOLERANCE * np.linalg.norm(whole, axis=1)) & (length > 0)
    sound &= pace * length > RANK_TOLERANCE * np.linalg.norm(change, axis=1)
    u, s, _ = np.linalg.svd(unit.T, full_matrices=False)
    kept = _filled_up(u[:, s > RANK * s[0]])
    in_it, by_place = (np.ascontiguousarray(each @ kept) for each in (unit, slope))
    in_frames = unit.astype(np.float32), slope.astype(np.float32), side.astype(np.float32)
    return _OwnParts(
        np.ascontiguousarray((np.vstack([kept.T, side]) * root)[:, :n_row]), in_it, by_place,
        in_it[::PER_GRID].astype(np.float32), fixed_length, in_frames,
        np.array([(length, along * length), (cross, lean), (pace, np.gradient(pace))]), sound,
    )  # fmt: skip


def _filled_up(columns: Array) -> Array:
    """Columns filled up with zeros to a multiple of :data:`AT_ONCE`."""
    return np.pad(columns, ((0, 0), (0, -columns.shape[1] % AT_ONCE)))
