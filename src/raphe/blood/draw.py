"""Draws a smooth curve as straight lines that are nowhere far from it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from raphe.core.piecewise import PiecewiseLinear

Array = npt.NDArray[np.float64]

TOLERANCE = 1e-5
"""Largest distance of the straight lines from the curve, as a share of the curve's largest absolute value."""

SHORTEST = 1e-6
"""Piece that is not halved any more, min; reached only where a curve is all but vertical."""

PROBES = np.array([0.25, 0.5, 0.75])
"""Places in each piece at which the distance is measured."""


def drawn(
    curve: Callable[[Array], Array], end: float, kinks: Array, start: float = 0.0, tolerance: float = TOLERANCE
) -> PiecewiseLinear:
    """Draw a continuous curve as straight lines.

    Pieces are halved until the curve at their quarters lies within ``tolerance`` of the straight line, so that a curve
    that is smooth between its kinks is within about that distance everywhere.

    Parameters
    ----------
    curve : callable
        Values at times (n,), min.
    end : float, min
    kinks : ndarray, min
        Times at which the curve bends sharply; those outside of start to end are left out.
    start : float, min
    tolerance : float
        Share of the curve's largest absolute value.
    """
    even = start + (end - start) * np.linspace(0, 1, 33)
    inside = kinks[(kinks > start) & (kinks < end)]
    knots = np.unique(np.concatenate([even, inside, start + (end - start) * np.geomspace(1e-4, 1, 33)]))
    knots = knots[np.append(True, np.diff(knots) > 1e-12 * (end - start))]
    value = curve(knots)
    allowed = tolerance * max(float(np.abs(value).max()), 1e-300)
    left = np.arange(knots.size - 1)
    while left.size:
        far = _far(curve, knots, value, left, allowed)
        middle = (knots[left[far]] + knots[left[far] + 1]) / 2
        where = left[far] + 1
        knots, value = np.insert(knots, where, middle), np.insert(value, where, curve(middle))
        first = left[far] + np.arange(far.sum())
        left = np.sort(np.concatenate([first, first + 1]))
    return PiecewiseLinear(knots, value)


def product(one: PiecewiseLinear, other: PiecewiseLinear, tolerance: float = TOLERANCE) -> PiecewiseLinear:
    """Product of two curves where both are known, on their joint knots and as many more as it bends between them."""
    start, end = max(one.time[0], other.time[0]), max(one.time[-1], other.time[-1])
    if start >= end:
        at = np.array([start])
        return PiecewiseLinear(at, one(at) * other(at))
    kinks = np.union1d(one.time, other.time)
    return drawn(lambda t: one(t) * other(t), end, kinks, start, tolerance)


def _far(
    curve: Callable[[Array], Array], knots: Array, value: Array, left: Array, allowed: float
) -> npt.NDArray[np.bool_]:
    width = knots[left + 1] - knots[left]
    times = knots[left, None] + PROBES * width[:, None]
    chord = value[left, None] + PROBES * (value[left + 1] - value[left])[:, None]
    distance = np.abs(curve(times.ravel()).reshape(times.shape) - chord).max(axis=-1)
    return np.asarray((distance > allowed) & (width > SHORTEST))
