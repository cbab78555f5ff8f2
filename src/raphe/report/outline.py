"""Outlines of what is marked in a picture, or of its regions, along the edges of its pixels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Marked = npt.NDArray[np.bool_] | npt.NDArray[np.integer]


def outline(marked: Marked) -> list[tuple[float, float, float, float]]:
    """Straight lines x1, y1, x2, y2 between pixels of different marks, in pixels from the upper left corner.

    Parameters
    ----------
    marked : ndarray of bool or int, shape (height, width)
        Flags, or numbers of regions; around it all is 0. The first row is the upper one.
    """
    lines = [(float(a), float(y), float(b), float(y)) for y, a, b in _runs(marked)]
    return lines + [(float(x), float(a), float(x), float(b)) for x, a, b in _runs(marked.T)]


def _runs(marked: Marked) -> list[tuple[int, int, int]]:
    """Edges between rows: how far down they are, and where along the row they begin and end."""
    padded = np.pad(marked, ((1, 1), (1, 1)))
    edge = padded[1:] != padded[:-1]
    step = np.diff(edge.astype(np.int8), axis=1)
    begin, end = np.argwhere(step == 1), np.argwhere(step == -1)
    return [(int(row), int(a), int(b)) for (row, a), (_, b) in zip(begin, end, strict=True)]
