r"""People weighted by how sure their estimates are: errors of what each person adds, and what weighting says.

The error of a change follows from those of its two scans, which are taken as independent: with the values a and b and
their standard errors, by the first derivatives (delta method),

.. math::

    s(b - a) = \sqrt{s_a^2 + s_b^2}, \quad
    s(100 (b - a) / a) = 100 \sqrt{(s_b / a)^2 + (b s_a / a^2)^2}, \quad
    s(\ln(b / a)) = \sqrt{(s_a / a)^2 + (s_b / b)^2}.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from raphe.data.extras import Weighting
from raphe.data.results import ContrastRow
from raphe.errors import InputError
from raphe.stats.contrasts.question import Question
from raphe.stats.contrasts.sample import Sample
from raphe.stats.weighted import Weighted, se_of_change

Array = npt.NDArray[np.float64]

SE = "se"

HOW = "people weighted by 1 / (tau² + SE²), tau by REML, Knapp and Hartung's errors with the bound of 1"
"""What is done, in a method."""

CITED = ("hartung2001", "knapp2003")

ERRORS: dict[str, Callable[[Array, Array, Array, Array], Array]] = {
    "difference": lambda a, b, sa, sb: se_of_change(sa, sb),
    "percent": lambda a, b, sa, sb: np.asarray(100 * np.hypot(sb / a, b * sa / a**2)),
    "log": lambda a, b, sa, sb: np.asarray(np.hypot(sa / a, sb / b)),
}
"""Standard error of a change on each scale, from both values and their errors."""


def weighed(question: Question) -> bool:
    """Whether people are weighted."""
    return question.weights == SE


def sure(question: Question, sample: Sample, cells: Sequence[int]) -> Sample:
    """Sample of those whose values have a standard error, where people are weighted by it.

    Parameters
    ----------
    question : Question
    sample : Sample
    cells : sequence of int
        Whose errors are needed.

    Raises
    ------
    InputError
        If an error is missing or 0 and ``missing`` is ``error``.
    """
    if not weighed(question):
        return sample
    errors = sample.se[:, list(cells)]
    lacks = [who for who, own in zip(sample.people, errors, strict=True) if not (np.isfinite(own) & (own > 0)).all()]
    if lacks and question.missing == "error":
        raise InputError(
            f"the standard error of {', '.join(lacks)} is missing or 0, so people cannot be weighted by it; leave them "
            'out by missing = "exclude", or leave weights out'
        )
    return sample.without(dict.fromkeys(lacks, "no standard error to be weighted by"))


def change_errors(question: Question, sample: Sample, first: int, second: int) -> Array:
    """Standard error of each person's change between two cells, on the scale of the question."""
    values, errors = sample.values, sample.se
    return ERRORS[question.scale](values[:, first], values[:, second], errors[:, first], errors[:, second])


def weighting_of(found: Weighted, arms: Sequence[int] = ()) -> Weighting | None:
    """What weighting says of the spread; None where nothing could be weighted.

    Parameters
    ----------
    found : Weighted
    arms : sequence of int
        People of each arm, where each has a spread of its own.
    """
    if not found.tau:
        return None
    share = np.asarray(arms if len(found.tau) > 1 else [1], dtype=float)
    pooled = float(np.sqrt((share * np.square(found.tau)).sum() / share.sum()))
    return Weighting(found.tau, pooled, found.share)


def by_weight(row: ContrastRow, terms: Sequence[str] = ()) -> ContrastRow:
    """Row whose per cent of an estimate on the scale ``difference`` weighs people as the estimate does.

    Parameters
    ----------
    row : ContrastRow
        As found; it is given back as it is where nothing was weighted.
    terms : sequence of str
        First and second arm; empty where none are compared.
    """
    if row.weighting is None or not np.isfinite(row.percent):
        return row
    spread = dict(zip(terms, row.weighting.tau, strict=False)) if len(row.weighting.tau) > 1 else {}
    tau = np.array([spread[arm] for arm in row.groups]) if spread else row.weighting.tau[0]
    weight = 1 / (tau**2 + row.individual_se**2)
    first, second = row.pairs.first, row.pairs.second
    if np.isnan(first).all():
        inside = np.array([arm == terms[0] for arm in row.groups])
        mean = float(np.average(second[inside], weights=weight[inside]))
        return replace(row, percent=100 * row.estimate / mean if mean > 0 else float("nan"))
    share = 100 * (second - first) / first
    if not row.groups:
        return replace(row, percent=float(np.average(share, weights=weight)))
    inside = np.array([arm == terms[1] for arm in row.groups])
    a, b = (float(np.average(share[which], weights=weight[which])) for which in (~inside, inside))
    return replace(row, percent=b - a)
