"""A PET image that another program has put into the space of the T1-weighted image: judged, and not moved again."""

from __future__ import annotations

import numpy as np

from raphe.data.alignment import Registration
from raphe.data.record import Step
from raphe.data.volume import Volume
from raphe.preprocess.blockwise import (
    Flags,
    View,
    climb,
    doubts_of_score,
    extent_of,
    inverse,
    mirror_of,
    pair_of,
    share_of,
)

METRIC = "identity, for the image is in the space of the T1-weighted image"


def judge_in_space(moving: Volume, fixed: Volume, brain: Flags, seen: Flags | None = None) -> tuple[Registration, Step]:
    """Take an image as it lies on the T1-weighted image, and say where that is doubtful.

    Parameters
    ----------
    moving : Volume
        The PET: a mean over frames.
    fixed : Volume
        The MRI.
    brain : ndarray of bool, shape ``fixed.grid.shape``
        Brain of the fixed image.
    seen : ndarray of bool, shape ``moving.grid.shape``, optional
        Where the PET was measured; everywhere by default.

    Returns
    -------
    Registration
        Its matrix is the identity; its score is that of :func:`raphe.preprocess.register.register_rigid`.
    Step
        ``in_space``.
    """
    extent = extent_of(fixed, brain)
    still = np.eye(4)
    view = View(np.ones(moving.grid.shape, dtype=bool) if seen is None else seen, still)
    pair = pair_of(moving, fixed, brain, extent, view=view)
    score = share_of(pair, still)[0]
    better = inverse(climb(pair, still)[1])
    apart = extent.apart(better, still)
    mirrored = climb(pair_of(moving, *mirror_of(fixed, brain), extent, view=view), still)[0]
    doubts = doubts_of_score(score, mirrored)
    if apart > extent.limit:
        doubts.append(
            f"the PET was put into the space of the T1-weighted image by another program, but the blockwise fit ends "
            f"{apart:.1f} mm from there (median over the brain; more than {extent.limit:.1f} mm is a doubt): is that "
            "program's T1-weighted image another one? Look at the overlay"
        )
    told = tuple(doubts)
    step = Step("in_space", {"score": score, "apart": apart, "mirrored": mirrored, "doubts": told})
    return Registration(still, METRIC, score, told), step
