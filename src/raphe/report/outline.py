"""Outlines of what is marked in a picture, along the edges of its pixels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Flags = npt.NDArray[np.bool_]


def outline(marked: Flags) -> list[tuple[float, float, float, float]]:
    """Straight lines x1, y1, x2, y2 between marked pixels and others, in pixels from the upper left corner.

    Parameters
    ----------
    marked : ndarray of bool, shape (height, width)
        The first row is the upper one.
    """
    lines = [(float(a), float(y), float(b), float(y)) for y, a, b in _runs(marked)]
    return lines + [(float(x), float(a), float(x), float(b)) for x, a, b in _runs(marked.T)]


def _runs(marked: Flags) -> list[tuple[int, int, int]]:
    """Edges between rows: how far down they are, and where along the row they begin and end."""
    padded = np.pad(marked, ((1, 1), (1, 1)))
    edge = padded[1:] != padded[:-1]
    step = np.diff(edge.astype(np.int8), axis=1)
    begin, end = np.argwhere(step == 1), np.argwhere(step == -1)
    return [(int(row), int(a), int(b)) for (row, a), (_, b) in zip(begin, end, strict=True)]
