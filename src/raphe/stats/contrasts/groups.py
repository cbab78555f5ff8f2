"""Two arms compared, by a value or by its change."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from raphe.data.results import ContrastRow
from raphe.errors import InputError
from raphe.stats.columns import Column
from raphe.stats.contrasts.answer import NAN, Answer, each_region
from raphe.stats.contrasts.blocks import blocks_of, told_of_blocks
from raphe.stats.contrasts.covariates import columns_of
from raphe.stats.contrasts.model_row import OF_RESIDUALS
from raphe.stats.contrasts.question import Material, Question
from raphe.stats.contrasts.resampling import of_difference
from raphe.stats.contrasts.sample import Cell, Sample, changed, samples
from raphe.stats.contrasts.two_sample import G, Percent, exchanged, groups_row, least_of_arms
from raphe.stats.contrasts.weighing import CITED, HOW, by_weight, change_errors, sure, weighed
from raphe.stats.contrasts.words import UNITS, change_words, covariate_words, of_scale, two
from raphe.stats.two_groups import GroupDifference


def groups(question: Question, material: Material) -> Answer:
    """Test the second of ``terms`` (arms) minus the first, in the one session or the change between the two.

    Without covariates by Welch's t test (:func:`raphe.stats.two_groups.two_groups`), with them by a linear model that
    has one variance. In per cent: of the first arm's mean, where one session is compared; of changes, the difference
    of the arms' mean changes in per cent of each person's first value. With ``weights`` people are weighted by their
    errors (:mod:`raphe.stats.contrasts.weighing`): without covariates each arm has a spread of its own, with them both
    have one.

    Raises
    ------
    InputError
        As :func:`raphe.stats.contrasts.sample.samples`, and if one subject is left in an arm.
    """
    terms = two(question.terms, "arms")
    if len(question.sessions) not in (1, 2):
        raise InputError(f"{len(question.sessions)} sessions are named; name one for its value, or two for the change")
    return difference_of_arms(question, material, terms, question.sessions)


def difference_of_arms(
    question: Question, material: Material, terms: tuple[str, str], sessions: Sequence[str]
) -> Answer:
    """Answer for two arms, in one session or in the change between two."""
    cells = [Cell(question.tracer, question.model, session) for session in sessions]
    found = samples(question, material, cells, arms=terms)
    arm_of = material.arms()

    def columns_in(people: Sequence[str]) -> Sequence[Column]:
        return columns_of(question.covariates, material.people, people)

    def answer(sample: Sample) -> Sequence[ContrastRow]:
        sample = sure(question, sample, range(len(sessions)))
        if len(sessions) == 1:
            values = sample.values[:, 0]
            pairs = sample.of(np.full(len(sample), np.nan), values)
        else:
            sample, values = changed(sample, question.scale, 0, 1)
            pairs = sample.pairs()
        arms = tuple(arm_of[person] for person in sample.people)
        percent, se = _percent(question, sample, arms, terms), None
        if weighed(question):
            se = sample.se[:, 0] if len(sessions) == 1 else change_errors(question, sample, 0, 1)
        row = groups_row(pairs, values, arms, terms, columns_in(sample.people), percent, se)
        return [by_weight(row, terms) if question.scale == "difference" else row]

    rows = each_region(found, answer, arm_of)
    one, blocks = len(sessions) == 1, blocks_of(question, material)
    what = f"{question.parameter} in {sessions[0]}" if one else change_words(question, *sessions)
    adjusted = f", adjusted for {covariate_words(question)}" if question.covariates else ""
    return Answer(
        rows,
        terms[0] if one else sessions[0],
        terms[1] if one else sessions[1],
        f"mean {what} of arm {terms[1]} minus that of arm {terms[0]}{adjusted}",
        _method(question),
        standardised="" if weighed(question) else OF_RESIDUALS if question.covariates else G,
        unit=None if one else UNITS[question.scale],
        groups=terms,
        notes=told_of_blocks(question, rows, blocks),
        permuted=lambda: exchanged(rows, arm_of, terms[1], question.covariates, question.seed, blocks),
        smallest=lambda row: least_of_arms(row, blocks),
        statistic=lambda row: of_difference(row, terms, columns_in(row.pairs.participants)),
        arrangement="who is in which arm" + (f", within blocks ({question.blocks})" if question.blocks else ""),
        citations=CITED if weighed(question) else () if question.covariates else ("welch1947",),
    )


def _method(question: Question) -> str:
    if weighed(question):
        spread = "one tau for both arms" if question.covariates else "a tau for each arm and Welch's degrees of freedom"
        return f"random-effects linear model, {HOW}, {spread}"
    return "linear model with one variance" if question.covariates else "Welch's t test"


def _percent(question: Question, sample: Sample, arms: tuple[str, ...], terms: tuple[str, str]) -> Percent:
    def percent(estimate: float, difference: GroupDifference | None) -> tuple[float, str]:
        if sample.values.shape[1] == 1:
            mean = sample.values[[arm == terms[0] for arm in arms], 0].mean()
            known = difference.percent.value if difference else 100 * estimate / mean if mean > 0 else NAN
            why = "the mean of the first arm is not positive, so a per cent of it has no meaning"
            return float(known), "" if known == known else why
        if question.scale != "difference":
            return of_scale(question, estimate, NAN), ""
        if not (sample.values[:, 0] > 0).all():
            return NAN, "a first value is not positive, so a change in per cent has no meaning"
        share = 100 * (sample.values[:, 1] - sample.values[:, 0]) / sample.values[:, 0]
        a, b = (share[[arm == term for arm in arms]].mean() for term in terms)
        return float(b - a), ""

    return percent
