"""Planned comparisons of two sessions, region by region, by one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from raphe.data.estimates import Estimates
from raphe.data.record import Step
from raphe.data.results import Contrast
from raphe.stats.contrasts.question import Material, Question
from raphe.stats.contrasts.registry import contrast_of
from raphe.stats.pairs import NONE


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

    See :func:`raphe.stats.contrasts.paired.paired`; :mod:`raphe.stats.contrasts` has the other kinds.

    Parameters
    ----------
    estimates, tracer, model, parameter, first, second, regions, excluded
        As in :func:`raphe.stats.pairs.pair`.
    name : str
        What the plan calls the comparison.
    adjust : str
        One of :data:`raphe.stats.contrasts.adjust.ADJUSTMENTS`: p values over the regions of this contrast.
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
    question = Question(
        name,
        tracer,
        model,
        parameter,
        terms=(first, second),
        regions=tuple(regions),
        adjust=adjust,
        primary=primary,
    )
    return contrast_of(question, Material(estimates, aside={tracer: excluded}))
