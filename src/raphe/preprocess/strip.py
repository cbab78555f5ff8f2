"""What lies around a brain and is as bright: meninges, muscle, marrow.

A warp knows where a brain ends to a millimetre or two, so its mask holds some of what is beyond. Between that and the
brain lies what is dark, fluid and bone. What is joined to the brain by thin bridges at most is not brain.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from raphe.core.box import box_of
from raphe.data.volume import Volume

Flags = npt.NDArray[np.bool_]

THIN = 0.012
"""Half the thickness of a bridge that does not join, over the brain's edge: 1.5 mm in people."""

LARGE = 0.05
"""Share of the inner part of the brain from which a piece of its own (a cerebellum, a hemisphere) belongs to it."""


def strip(brain: Flags, fluid: Volume, size: float) -> Flags:
    """Brain without what is as bright as it and lies around it.

    The part of the tissue (what is not fluid) that is deeper than :data:`THIN` is grown again twice as far, within the
    tissue. Fluid stays.

    Parameters
    ----------
    brain : ndarray of bool, shape ``fluid.grid.shape``
    fluid : Volume
        Probability of fluid.
    size : float, mm
        Edge of the brain.

    Returns
    -------
    ndarray of bool
        Of the same shape. Where voxels are larger than such a bridge, only small pieces that nothing joins are left
        out.
    """
    box = box_of(brain, 1)
    tissue = brain[box] & (fluid.values[box] < 0.5)
    zooms = fluid.grid.zooms
    depth = ndimage.distance_transform_edt(np.pad(tissue, 1), sampling=zooms)[1:-1, 1:-1, 1:-1]
    pieces, n = ndimage.label(depth > THIN * size)
    if not n:
        return brain
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    inner = np.isin(pieces, np.flatnonzero(sizes >= LARGE * sizes.sum()))
    grown = ndimage.binary_dilation(inner, iterations=math.ceil(2 * THIN * size / min(zooms)), mask=tissue)
    kept = brain.copy()
    kept[box] &= ~tissue | grown
    return kept
