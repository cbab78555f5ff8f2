"""Viewers of the parametric maps of a scan."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from raphe.report.maps import HIGHEST
from raphe.report.viewer import Choice, Statistic, Viewers, viewers
from raphe.report.volume import Array, Floats

MOST = 4_000_000
"""Characters that viewers may add to the page of a scan; maps that do not fit are shown as pictures only."""

USABLE = Choice(
    "values",
    f"Every voxel with a usable estimate, over the mean PET. The colours end at the {HIGHEST:.0f}th percentile.",
)


def map_viewers(
    shown: Sequence[tuple[str, str, Floats]], activity: Floats, affine: Array, oriented: bool = True
) -> Viewers | None:
    """Make viewers of the maps that fit on a page; None where there is none, or nobody knows where left is.

    Parameters
    ----------
    shown : sequence of (str, str, ndarray of shape (x, y, z))
        Model, parameter and values, NaN where there is none.
    activity : ndarray, shape (x, y, z)
        Image under the maps.
    affine : ndarray, shape (4, 4), mm
    oriented : bool
        Whether the affine says where left is.
    """
    if not oriented:
        return None
    found = []
    for model, parameter, values in shown:
        known = np.abs(values[np.isfinite(values)])
        if known.size:
            limit = max(float(np.percentile(known, HIGHEST)), 1e-9)
            title = f"{parameter} by {model}"
            place = "coordinates of the image"
            found.append(
                Statistic(
                    title, parameter, place, values, affine, 0.0, (), (), activity, USABLE, limit, "no usable estimate"
                )
            )  # fmt: skip
    return viewers(found, MOST)
