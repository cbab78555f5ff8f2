"""Whether a change differs between two tracers of the same people, or between two arms."""

from __future__ import annotations

from collections.abc import Sequence

from raphe.data.results import ContrastRow
from raphe.errors import InputError
from raphe.stats.contrasts.answer import NAN, Answer, each_region
from raphe.stats.contrasts.covariates import columns_of
from raphe.stats.contrasts.groups import difference_of_arms
from raphe.stats.contrasts.one_sample import D_Z, flipped, least_of_flips, mean_row
from raphe.stats.contrasts.question import Material, Question
from raphe.stats.contrasts.resampling import of_mean
from raphe.stats.contrasts.sample import Cell, Sample, changed, samples
from raphe.stats.contrasts.weighing import CITED, HOW, change_errors, sure, weighed
from raphe.stats.contrasts.words import UNITS, change_words, of_scale, two
from raphe.stats.weighted import se_of_change


def interaction(question: Question, material: Material) -> Answer:
    """Test the change between the sessions of ``terms`` in the second of ``levels`` minus that in the first.

    Levels are arms, whose people are compared as in :func:`raphe.stats.contrasts.groups.groups`, or tracers, of which
    each person has all four scans: then it is the mean of each person's difference of changes, by a t test of one
    sample. For two tracers the scale should be ``percent`` or ``log``: a difference of BP_ND means another share of
    the receptors for each of them.

    Raises
    ------
    InputError
        As :func:`raphe.stats.contrasts.sample.samples`.
    """
    sessions = two(question.terms, "sessions")
    levels = two(question.levels, "levels")
    if question.by == "arm":
        return difference_of_arms(question, material, levels, sessions)
    if question.by != "tracer":
        raise InputError(f"an interaction by {question.by!r} is not known; use tracer or arm")
    return _of_tracers(question, material, levels, sessions)


def _of_tracers(question: Question, material: Material, levels: tuple[str, str], sessions: tuple[str, str]) -> Answer:
    sources = question.sources or tuple((tracer, question.model) for tracer in levels)
    found = samples(question, material, [Cell(tracer, model, one) for tracer, model in sources for one in sessions])

    def percent(estimate: float) -> tuple[float, str]:
        return of_scale(question, estimate, NAN), ""

    def answer(sample: Sample) -> Sequence[ContrastRow]:
        sample, _ = changed(sure(question, sample, range(4)), question.scale, 0, 1)
        sample, second = changed(sample, question.scale, 2, 3)
        _, first = changed(sample, question.scale, 0, 1)
        columns = columns_of(question.covariates, material.people, sample.people) if second.size else ()
        errors = [change_errors(question, sample, at, at + 1) for at in (0, 2)] if weighed(question) else []
        se = se_of_change(*errors) if errors else None
        return [mean_row(sample.of(first, second), second - first, columns, percent, se)]

    rows = each_region(found, answer)
    return Answer(
        rows,
        levels[0],
        levels[1],
        f"mean over participants of the {change_words(question, *sessions, of=levels[1])}, less that of {levels[0]}",
        f"random-effects linear model of each participant's difference of changes, {HOW}"
        if weighed(question)
        else "linear model of each participant's difference of changes"
        if question.covariates
        else "one-sample t test of each participant's difference of changes",
        standardised="" if question.covariates or weighed(question) else D_Z,
        unit=UNITS[question.scale],
        notes=(
            ()
            if question.scale != "difference"
            else (
                "two tracers have different ranges of binding, so a difference of their changes compares unlike things",
            )
        ),
        permuted=lambda: flipped(rows, question.covariates, question.seed),
        smallest=least_of_flips,
        statistic=lambda row: of_mean(row, columns_of(question.covariates, material.people, row.pairs.participants)),
        arrangement="the sign of each participant's difference of changes",
        citations=CITED if weighed(question) else (),
    )
