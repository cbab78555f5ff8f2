"""Kinds of contrast, and the way from a question to a contrast with adjusted p values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace

import numpy as np

from raphe.data.record import Step
from raphe.data.results import Contrast, ContrastRow
from raphe.errors import InputError, nearest
from raphe.stats.contrasts.adjust import ADJUSTMENTS, MAX_T, adjusted
from raphe.stats.contrasts.ancova import ancova
from raphe.stats.contrasts.answer import Answer
from raphe.stats.contrasts.correlation import correlation
from raphe.stats.contrasts.evidence import with_evidence
from raphe.stats.contrasts.extras import extras_of
from raphe.stats.contrasts.groups import groups
from raphe.stats.contrasts.interaction import interaction
from raphe.stats.contrasts.mixed import mixed
from raphe.stats.contrasts.paired import paired
from raphe.stats.contrasts.question import Material, Question
from raphe.stats.contrasts.resampling import with_bootstrap
from raphe.stats.contrasts.weighing import weighed
from raphe.stats.regional_permutation import Permutation

Kind = Callable[[Question, Material], Answer]

KINDS: dict[str, Kind] = {
    "paired": paired,
    "groups": groups,
    "ancova": ancova,
    "interaction": interaction,
    "mixed": mixed,
    "correlation": correlation,
}
"""Kinds that statistics alone answer."""

CITED: Mapping[str, tuple[str, ...]] = {
    "holm": ("holm1979",),
    "hochberg": ("hochberg1988",),
    "bh": ("benjamini1995",),
    MAX_T: ("westfall1993",),
}
"""References of each adjustment."""


def contrast_of(question: Question, material: Material, kinds: Mapping[str, Kind] = KINDS) -> tuple[Contrast, Step]:
    """Answer a question, adjust its p values over the regions, and say what a reader must know.

    Parameters
    ----------
    question : Question
    material : Material
    kinds : mapping of str to callable
        Those that are known; :data:`KINDS` or more.

    Returns
    -------
    Contrast
    Step
        What was done.

    Raises
    ------
    InputError
        If the kind or the adjustment is unknown, a permutation test is asked for that the kind or the question does not
        have, or as the kind says.
    """
    if question.kind not in kinds:
        raise InputError(f"there is no kind {question.kind!r} of contrast; {nearest(question.kind, kinds)}")
    if question.adjust not in ADJUSTMENTS:
        raise InputError(
            f"p values of contrast {question.name!r} cannot be adjusted by {question.adjust!r}; use "
            f"{', '.join(ADJUSTMENTS)}"
        )
    answer = kinds[question.kind](question, material)
    permutation = _permutation(question, answer)
    rows = answer.rows
    method = answer.method
    if permutation is not None and question.test == "permutation":
        rows = tuple(_permuted(row, at, answer, permutation) for at, row in enumerate(rows))
        how = "all" if permutation.exact else "random"
        method = (
            f"permutation of {answer.arrangement} ({how} {permutation.n} arrangements); intervals by {answer.method}"
        )
    rows = tuple(_resampled(with_evidence(row, question), question, answer) for row in rows)
    rows = adjusted(rows, question.adjust, permutation)
    contrast = Contrast(
        question.name,
        question.tracer,
        question.model,
        question.parameter,
        answer.first,
        answer.second,
        question.adjust,
        question.primary,
        rows,
        question.kind,
        question.scale,
        answer.unit,
        answer.what + (f", in arm {question.arm}" if question.arm else ""),
        method,
        answer.standardised,
        answer.groups,
        (*_about_arms(question, answer), *answer.notes),
        "primary" if question.primary else "secondary",
        question.sources,
        extras_of(question),
    )
    return contrast, _step(contrast, question, answer)


def _permutation(question: Question, answer: Answer) -> Permutation | None:
    if question.test != "permutation" and question.adjust != MAX_T:
        return None
    if weighed(question):
        raise InputError('people are weighted by their errors, for which there is no permutation test; take test = "t"')
    if answer.permuted is None:
        asked = 'test = "permutation"' if question.test == "permutation" else 'adjust = "maxt"'
        raise InputError(f"a {question.kind} contrast has no permutation test, so {asked} cannot be; take another")
    return answer.permuted()


def _permuted(row: ContrastRow, at: int, answer: Answer, permutation: Permutation) -> ContrastRow:
    """The row with the p of the permutation test, and the smallest that it could have been."""
    if not np.isfinite(row.p):
        return row
    least = answer.smallest(row) if answer.smallest is not None else permutation.p_least
    return replace(
        row,
        p=float(permutation.p[at]),
        p_smallest=max(least, 0.0 if permutation.exact else 1 / permutation.n),
    )


def _resampled(row: ContrastRow, question: Question, answer: Answer) -> ContrastRow:
    """The row with its interval by resampling people, where the plan asks for it."""
    statistic = None
    if question.bootstrap is not None and answer.statistic is not None and row.individual.size > 0:
        with suppress(InputError):  # too few people for the design, which the row says already
            statistic = answer.statistic(row)
    return with_bootstrap(row, question, statistic)


def _about_arms(question: Question, answer: Answer) -> tuple[str, ...]:
    """What a contrast that compares no arms does not say."""
    if len(question.arms) < 2 or answer.groups:
        return ()
    if question.arm:
        others = " and ".join(arm for arm in question.arms if arm != question.arm)
        return (f"within one arm: no comparison with {others}",)
    return ("all arms together: no comparison between arms",)


def _step(contrast: Contrast, question: Question, answer: Answer) -> Step:
    n_regions = len({row.pairs.region for row in contrast.rows})
    cited = CITED.get(question.adjust, ()) if n_regions > 1 else ()
    return Step(
        "contrast",
        {
            "name": contrast.name,
            "kind": contrast.kind,
            "tracer": contrast.tracer,
            "model": contrast.model,
            "parameter": contrast.parameter,
            "what": contrast.what,
            "method": contrast.method,
            "scale": contrast.scale,
            "adjust": contrast.adjust,
            "arm": question.arm,
            "seed": question.seed,
            "margin": question.margin,
            "primary": contrast.primary,
            "n_regions": n_regions,
            **{name.lower(): told for name, told in contrast.extras.items()},
        },
        citations=(
            *cited,
            *answer.citations,
            *(("schuirmann1987",) if question.margin else ()),
            *(("efron1987", "hesterberg2015") if question.bootstrap else ()),
        ),
    )
