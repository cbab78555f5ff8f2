"""Sheets of grey matter, cortex and cerebellum, where an individual has them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from raphe.core.box import box_of
from raphe.data.volume import Labels, Volume

Flags = npt.NDArray[np.bool_]


def follow_grey(labels: Labels, ribbon: frozenset[int], grey: Volume, brain: Flags, reach: float) -> Labels:
    """Labels whose sheets lie where the individual's grey matter is.

    Parameters
    ----------
    labels : Labels
        As the atlas draws them.
    ribbon : frozenset of int
        Those that are sheets; what of them is not grey loses its label, and grey matter near them takes the nearest.
    grey : Volume
    brain : ndarray of bool
    reach : float, mm
    """
    box = box_of(brain, 2)
    part = labels.values[box]
    sheet = np.isin(part, list(ribbon))
    distance, nearest = ndimage.distance_transform_edt(~sheet, sampling=labels.grid.zooms, return_indices=True)
    is_grey = (grey.values[box] > 0.5) & (sheet | (part == 0)) & (distance <= reach)
    kept = np.where(sheet, 0, part)
    kept[is_grey] = part[tuple(axis[is_grey] for axis in nearest)]
    values = labels.values.copy()
    values[box] = kept
    return Labels(labels.grid, values, labels.names)
