"""Occupancy from the change of BP_ND, region by region."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import stats

from raphe.core.ratio import fieller, standard_error
from raphe.data.pharmacology import RegionOccupancy
from raphe.data.record import Step
from raphe.data.results import Interval, PairedValues
from raphe.errors import InputError

Array = npt.NDArray[np.float64]

CONFIDENCE = 0.95

NAN = float("nan")


def occupancy(pairs: Sequence[PairedValues]) -> tuple[tuple[RegionOccupancy, ...], Step]:
    """Occupancy 1 - BP_ND(drug) / BP_ND(baseline) of each participant and region, with its uncertainty.

    The standard error is the delta method's; the interval is Fieller's, which holds its level where a baseline is not
    many errors from 0 (Fieller 1954, J R Stat Soc B 16:175). Both rest on the standard errors of the two fits, taken as
    independent; what differs from scan to scan and is not in these (positioning, reference region) they do not know.
    The group's mean has a t interval over participants, which does.

    Parameters
    ----------
    pairs : sequence of PairedValues
        One a region; first is the baseline, second under the drug.

    Returns
    -------
    tuple of RegionOccupancy
        In the order of ``pairs``. Where a baseline is not positive, the occupancy is NaN and ``why`` says so.
    Step

    Raises
    ------
    InputError
        If there is no region, or none of them has a participant with both scans.
    """
    if not any(len(one) for one in pairs):
        raise InputError(
            "no participant has a usable BP_ND at baseline and under the drug in any region; look at the tables"
        )
    rows = tuple(_row(one) for one in pairs)
    step = Step(
        "occupancy",
        {"parameter": "BP_ND", "n_regions": len(rows), "n": max(len(one) for one in pairs)},
        citations=("fieller1954",),
    )
    return rows, step


def mean_interval(values: npt.ArrayLike) -> Interval:
    """Mean over participants with its 95 % t interval; NaN ends for fewer than two finite values."""
    known = np.asarray(values, dtype=float)
    known = known[np.isfinite(known)]
    if known.size == 0:
        return Interval(NAN, NAN, NAN)
    mean = float(known.mean())
    if known.size == 1:
        return Interval(mean, NAN, NAN)
    half = quantile(known.size - 1) * float(known.std(ddof=1)) / math.sqrt(known.size)
    return Interval(mean, mean - half, mean + half)


def quantile(df: float = math.inf) -> float:
    """Half-width of a 95 % interval in standard errors."""
    return float(stats.t.ppf((1 + CONFIDENCE) / 2, df))


def _row(pairs: PairedValues) -> RegionOccupancy:
    cells = [_one(*values) for values in zip(pairs.first, pairs.second, pairs.first_se, pairs.second_se, strict=True)]
    value, se, low, high = (np.array([cell[at] for cell in cells], dtype=float) for at in range(4))
    mean, of_means = mean_interval(value), _of_means(pairs)
    known = int(np.isfinite(value).sum())
    reasons = []
    if known < len(pairs):
        reasons.append(f"{len(pairs) - known} of {len(pairs)} participants have no baseline above 0 and are left out")
    if known < 2:
        reasons.append("an interval of the group needs two participants")
    return RegionOccupancy(
        pairs, value, se, low, high, tuple(cell[4] for cell in cells), mean, of_means, "; ".join(reasons)
    )


def _one(before: float, after: float, before_se: float, after_se: float) -> tuple[float, float, float, float, str]:
    if not before > 0:
        return NAN, NAN, NAN, NAN, f"the baseline of {before:.3g} is not above 0, so nothing can be occupied"
    variances = after_se**2, before_se**2
    se = standard_error(after, before, *variances)
    low, high = fieller(after, before, *variances, 0.0, quantile())
    why = ""
    if math.isnan(se):
        why = "a standard error is not known, so there is no interval"
    elif math.isinf(high):
        why = "the baseline cannot be told from 0, so the occupancy has no limits"
    return 1 - after / before, se, 1 - high, 1 - low, why


def _of_means(pairs: PairedValues) -> Interval:
    n = len(pairs)
    if n == 0 or not pairs.first.mean() > 0:
        return Interval(NAN, NAN, NAN)
    top, bottom = float(pairs.second.mean()), float(pairs.first.mean())
    if n == 1:
        return Interval(1 - top / bottom, NAN, NAN)
    spread = np.cov(pairs.second, pairs.first) / n
    low, high = fieller(top, bottom, spread[0, 0], spread[1, 1], spread[0, 1], quantile(n - 1))
    return Interval(1 - top / bottom, 1 - high, 1 - low)
