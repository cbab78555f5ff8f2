"""Doubts that show when the regions of a scan are held against those of the other scans: one that is another's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

ENOUGH_SCANS, ENOUGH_REGIONS = 4, 4
"""Scans, and regions that all of them have, from which on they tell what is usual."""

FOLD, SCATTERS = 2.0, 6.0
"""Fold by which the activity of a region may depart from what the scan's other regions lead to expect, and that as
a multiple of its usual scatter; assumptions.

In the scans that this was tried on (DASB, MC1, PBR28 and simulated ones, half of them after a drug; 190 scans) no
region departs by both. What a drug takes away, in proportion to what binds in a region, is allowed for.
"""

FEW = 0.1
"""Share of the regions, and two of them, that may depart together: where more do, it is the tracer that differs."""


def odd_regions(scans: Sequence[Mapping[str, float]]) -> list[dict[str, float]]:
    """Tell for each scan which of its regions depart from what is usual, and how many fold.

    Parameters
    ----------
    scans : sequence of mapping of str to float
        Activity of each region of each scan, of about the same time in all.

    Returns
    -------
    list of dict of str to float
        For each scan, its activity over the expected one by region; empty for a scan like the others.
    """
    names = [name for name in (scans[0] if scans else ()) if all(scan.get(name, 0.0) > 0.0 for scan in scans)]
    if len(scans) < ENOUGH_SCANS or len(names) < ENOUGH_REGIONS:
        return [{} for _ in scans]
    logs = np.log([[scan[name] for name in names] for scan in scans])
    logs -= np.median(logs, axis=1, keepdims=True)
    usual = np.median(logs, axis=0)
    departures = np.array([_departures(own, usual) for own in logs])
    scatter = 1.4826 * np.median(np.abs(departures), axis=0)
    odd = np.abs(departures) > np.maximum(np.log(FOLD), SCATTERS * scatter)
    most = max(2, int(FEW * len(names)))
    return [
        {names[at]: float(np.exp(own[at])) for at in np.flatnonzero(which)} if which.sum() <= most else {}
        for own, which in zip(departures, odd, strict=True)
    ]


def _departures(own: Array, usual: Array) -> Array:
    """What is left of a scan's regions after the line over the usual ones that most pairs of regions agree upon.

    Its slope is the median over pairs, each weighted by how far its regions are usually apart (after Theil and Sen),
    and not below 0: nothing turns the order of regions round.
    """
    one, other = np.triu_indices(usual.size, 1)
    apart = usual[one] - usual[other]
    kept = apart != 0.0
    slopes = (own[one] - own[other])[kept] / apart[kept]
    order = np.argsort(slopes)
    weight = np.cumsum(np.abs(apart[kept])[order])
    slope = float(slopes[order][np.searchsorted(weight, weight[-1] / 2.0)]) if kept.any() else 1.0
    left: Array = own - max(slope, 0.0) * usual
    return left - np.median(left)
