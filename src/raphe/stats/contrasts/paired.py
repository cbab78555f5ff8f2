"""Change between two sessions of the same people."""

from __future__ import annotations

from collections.abc import Sequence

from raphe.data.results import ContrastRow
from raphe.stats.columns import Column
from raphe.stats.contrasts.answer import Answer, each_region
from raphe.stats.contrasts.covariates import columns_of
from raphe.stats.contrasts.one_sample import D_Z, flipped, least_of_flips, mean_row, percent_of_first
from raphe.stats.contrasts.question import Material, Question
from raphe.stats.contrasts.sample import Cell, Sample, changed, samples
from raphe.stats.contrasts.words import UNITS, change_words, two


def paired(question: Question, material: Material) -> Answer:
    """Test the mean change from the first of ``terms`` to the second, by a paired t test in each region.

    With d the n changes, t = mean(d) / (SD(d) / sqrt(n)) has n - 1 degrees of freedom if they are normal (Student 1908,
    Biometrika 6:1). With covariates it is the mean change at their mean. In per cent: the mean over participants of
    100 d / first.

    Raises
    ------
    InputError
        As :func:`raphe.stats.contrasts.sample.samples`.
    """
    first, second = two(question.terms, "sessions")
    found = samples(question, material, [Cell(question.tracer, question.model, one) for one in (first, second)])

    def answer(sample: Sample) -> Sequence[ContrastRow]:
        sample, change = changed(sample, question.scale, 0, 1)
        pairs = sample.pairs()
        columns: Sequence[Column] = (
            columns_of(question.covariates, material.people, sample.people) if change.size else ()
        )
        return [mean_row(pairs, change, columns, percent_of_first(question, pairs))]

    rows = each_region(found, answer)
    adjusted = f" at the mean of {', '.join(question.covariates)}" if question.covariates else ""
    return Answer(
        rows,
        first,
        second,
        f"mean over participants of the {change_words(question, first, second)}{adjusted}",
        "linear model of the changes" if question.covariates else "paired t test",
        standardised="" if question.covariates else D_Z,
        unit=UNITS[question.scale],
        permuted=lambda: flipped(rows, question.covariates, question.seed),
        smallest=least_of_flips,
        arrangement="the sign of each participant's change",
    )
