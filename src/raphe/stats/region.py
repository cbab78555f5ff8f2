"""Planned comparisons, region by region."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import stats

from raphe.data.estimates import Estimates
from raphe.data.record import Step
from raphe.data.results import Contrast, ContrastRow, PairedValues
from raphe.errors import InputError
from raphe.stats.interval import alike, of_mean
from raphe.stats.multiplicity import holm
from raphe.stats.pairs import NONE, pair

Array = npt.NDArray[np.float64]

NAN = float("nan")

ADJUSTMENTS: dict[str, Callable[[Array], Array]] = {"holm": holm, "none": np.asarray}
"""Ways to adjust p values for the number of regions, by name."""


def paired(
    estimates: Estimates,
    *,
    name: str,
    tracer: str,
    model: str,
    parameter: str,
    first: str,
    second: str,
    regions: Sequence[str] = (),
    excluded: Mapping[tuple[str, str], str] = NONE,
    adjust: str = "holm",
    primary: bool = False,
) -> tuple[Contrast, Step]:
    """Test the change between two sessions of the same participants by a paired t test in each region.

    With d the n differences second minus first, t = mean(d) / (SD(d) / sqrt(n)) has n - 1 degrees of freedom if the
    differences are normal (Student 1908, Biometrika 6:1). The change in per cent is the mean over participants of
    100 d / first.

    Parameters
    ----------
    estimates, tracer, model, parameter, first, second, regions, excluded
        As in :func:`raphe.stats.pairs.pair`.
    name : str
        What the plan calls the comparison.
    adjust : str
        ``"holm"`` or ``"none"``: p values over the regions of this contrast.
    primary : bool
        Whether the plan names it as its primary question.

    Returns
    -------
    Contrast
        Where fewer than two participants have both values, or all differences are equal, the change stands without
        interval and p value and ``why`` says so; the per cent change is NaN where a first value is not positive.
    Step
        What was done.

    Raises
    ------
    InputError
        As :func:`raphe.stats.pairs.pair`, and for an unknown ``adjust``.
    """
    if adjust not in ADJUSTMENTS:
        raise InputError(
            f"p values of contrast {name!r} cannot be adjusted by {adjust!r}; use {' or '.join(ADJUSTMENTS)}"
        )
    pairs = pair(
        estimates,
        tracer=tracer,
        model=model,
        parameter=parameter,
        first=first,
        second=second,
        regions=regions,
        excluded=excluded,
    )
    rows = [_row(values) for values in pairs]
    adjusted = ADJUSTMENTS[adjust](np.array([row.p for row in rows], dtype=float))
    rows = [replace(row, p_adjusted=float(p)) for row, p in zip(rows, adjusted, strict=True)]
    contrast = Contrast(name, tracer, model, parameter, first, second, adjust, primary, tuple(rows))
    step = Step(
        "paired",
        {
            "name": name,
            "tracer": tracer,
            "model": model,
            "parameter": parameter,
            "first": first,
            "second": second,
            "adjust": adjust,
            "primary": primary,
            "n_regions": len(rows),
        },
        citations=("holm1979",) if adjust == "holm" else (),
    )
    return contrast, step


def _row(pairs: PairedValues) -> ContrastRow:
    n = len(pairs)
    row = ContrastRow(pairs, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN)
    if n == 0:
        return replace(row, why="no participant has a usable value in both sessions")
    change = pairs.second - pairs.first
    reasons = []
    row = replace(row, estimate=float(change.mean()))
    if n == 1:
        reasons.append("one participant allows no inference across people")
    elif alike(change, np.concatenate([pairs.first, pairs.second])):
        reasons.append(f"all {n} differences are equal, so nothing can be tested")
    else:
        row = _tested(row, change)
    if (pairs.first > 0).all():
        row = replace(row, percent=float(np.mean(100 * change / pairs.first)))
    else:
        reasons.append("a first value is not positive, so a change in per cent has no meaning")
    return replace(row, why="; ".join(reasons))


def _tested(row: ContrastRow, change: Array) -> ContrastRow:
    interval = of_mean(change)
    se = float(change.std(ddof=1) / np.sqrt(change.size))
    df = float(change.size - 1)
    p = float(2 * stats.t.sf(abs(interval.value) / se, df))
    return replace(row, se=se, df=df, ci_low=interval.low, ci_high=interval.high, p=p)
