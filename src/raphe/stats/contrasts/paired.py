"""Change between two sessions of the same people."""

from __future__ import annotations

from collections.abc import Sequence

from raphe.data.results import ContrastRow
from raphe.stats.columns import Column
from raphe.stats.contrasts.answer import Answer, each_region
from raphe.stats.contrasts.covariates import columns_of
from raphe.stats.contrasts.one_sample import D_Z, flipped, least_of_flips, mean_row, percent_of_first
from raphe.stats.contrasts.question import Material, Question
from raphe.stats.contrasts.resampling import of_mean
from raphe.stats.contrasts.sample import Cell, Sample, changed, samples
from raphe.stats.contrasts.weighing import CITED, HOW, by_weight, change_errors, sure, weighed
from raphe.stats.contrasts.words import UNITS, change_words, covariate_words, two


def paired(question: Question, material: Material) -> Answer:
    """Test the mean change from the first of ``terms`` to the second, by a paired t test in each region.

    With d the n changes, t = mean(d) / (SD(d) / sqrt(n)) has n - 1 degrees of freedom if they are normal (Student 1908,
    Biometrika 6:1). With covariates it is the mean change at their mean. In per cent: the mean over participants of
    100 d / first. With ``weights`` people are weighted by the errors of their changes
    (:mod:`raphe.stats.contrasts.weighing`), in per cent too.

    Raises
    ------
    InputError
        As :func:`raphe.stats.contrasts.sample.samples`.
    """
    first, second = two(question.terms, "sessions")
    found = samples(question, material, [Cell(question.tracer, question.model, one) for one in (first, second)])

    def columns_in(people: Sequence[str]) -> Sequence[Column]:
        return columns_of(question.covariates, material.people, people)

    def answer(sample: Sample) -> Sequence[ContrastRow]:
        sample, change = changed(sure(question, sample, (0, 1)), question.scale, 0, 1)
        pairs = sample.pairs()
        columns = columns_in(sample.people) if change.size else ()
        se = change_errors(question, sample, 0, 1) if weighed(question) else None
        row = mean_row(pairs, change, columns, percent_of_first(question, pairs), se)
        return [by_weight(row) if question.scale == "difference" else row]

    rows = each_region(found, answer)
    adjusted = f" at the mean of {covariate_words(question)}" if question.covariates else ""
    return Answer(
        rows,
        first,
        second,
        f"mean over participants of the {change_words(question, first, second)}{adjusted}",
        f"random-effects linear model of the changes, {HOW}"
        if weighed(question)
        else "linear model of the changes"
        if question.covariates
        else "paired t test",
        standardised="" if question.covariates or weighed(question) else D_Z,
        unit=UNITS[question.scale],
        permuted=lambda: flipped(rows, question.covariates, question.seed),
        smallest=least_of_flips,
        statistic=lambda row: of_mean(row, columns_in(row.pairs.participants)),
        arrangement="the sign of each participant's change",
        citations=CITED if weighed(question) else (),
    )
