"""Change over several sessions by a mixed model of repeated measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from raphe.data.results import ContrastRow, PairedValues
from raphe.errors import InputError
from raphe.stats.columns import Column, Covariate, Factor
from raphe.stats.contrasts.answer import NAN, Answer, each_region, row_of
from raphe.stats.contrasts.covariates import columns_of
from raphe.stats.contrasts.model_row import with_overlap
from raphe.stats.contrasts.question import Material, Question
from raphe.stats.contrasts.sample import Cell, Sample, samples
from raphe.stats.contrasts.words import UNITS, covariate_words, of_scale, two
from raphe.stats.design import design_of
from raphe.stats.effect import Effect
from raphe.stats.linear import fit_least_squares
from raphe.stats.longitudinal import fit_mixed
from raphe.stats.model import FittedModel

Array = npt.NDArray[np.float64]

BASELINE = "baseline"


def mixed(question: Question, material: Material) -> Answer:
    """Answer by a model of all sessions of ``terms``, of which people may lack some.

    Without ``levels``: least-squares mean of the last session minus that of the first; rows of the sessions between
    are secondary. With ``levels``, two arms: second minus first at the last session, adjusted for the value at the
    first by a slope of each session's own (MMRM; Mallinckrodt et al. 2001, J Biopharm Stat 11:9), which is the
    difference of their changes from it; rows of the other sessions are secondary. A person without the first session
    takes no part then. With one session after it that is an analysis of covariance.

    Raises
    ------
    InputError
        As :func:`raphe.stats.contrasts.sample.samples` and :func:`raphe.stats.longitudinal.fit_mixed`.
    """
    if len(set(question.terms)) < 2:
        raise InputError(f"a mixed contrast needs two different sessions, but terms are {', '.join(question.terms)}")
    if question.scale == "percent":
        raise InputError('a mixed model has no scale "percent"; use "difference" or "log"')
    arms = two(question.levels, "arms") if question.levels else ()
    cells = [Cell(question.tracer, question.model, session) for session in question.terms]
    found = samples(question, material, cells, arms=arms, gaps=True)
    arm_of = material.arms() if arms else {}

    def answer(sample: Sample) -> Sequence[ContrastRow]:
        sample = _on_scale(question, sample)
        if arms:
            absent = np.isnan(sample.values[:, 0])
            sample = sample.without(
                {
                    person: f"no usable value in session {question.terms[0]}, for which others are adjusted"
                    for person, missing in zip(sample.people, absent, strict=True)
                    if missing
                }
            )
        return _rows(question, material, sample, arms, arm_of)

    rows = each_region(found, answer, arm_of if arms else None)
    first, last = question.terms[0], question.terms[-1]
    log = "logarithm of " if question.scale == "log" else ""
    also = f", {covariate_words(question)}" if question.covariates else ""
    if arms:
        what = f"{log}{question.parameter} in {last} of arm {arms[1]} minus that of arm {arms[0]}, adjusted for {first}"
    else:
        what = f"least-squares mean of {log}{question.parameter} in {last} minus that in {first}"
        also = f", adjusted for {also[2:]}" if also else ""
    return Answer(
        rows,
        first,
        last,
        what + also,
        _method(question, arms),
        unit=UNITS[question.scale],
        groups=arms,
        citations=_citations(question, arms),
    )


def _method(question: Question, arms: Sequence[str]) -> str:
    if arms and len(question.terms) == 2:
        return "analysis of covariance, for there is one session after the first"
    return f"mixed model of repeated measures, {question.covariance} covariance, {question.df} degrees of freedom"


def _citations(question: Question, arms: Sequence[str]) -> tuple[str, ...]:
    if arms and len(question.terms) == 2:
        return ("senn2006",)
    return ("mallinckrodt2001", *(("kenward1997",) if question.df == "kenward-roger" else ()))


def _on_scale(question: Question, sample: Sample) -> Sample:
    if question.scale == "difference":
        return sample
    bad = [bool((row <= 0).any()) for row in sample.values]
    sample = sample.without(
        {
            person: "a logarithm needs positive values"
            for person, is_bad in zip(sample.people, bad, strict=True)
            if is_bad
        }
    )
    return Sample(sample.region, sample.people, np.log(sample.values), sample.se / sample.values, sample.excluded)


def _rows(
    question: Question, material: Material, sample: Sample, arms: tuple[str, ...], arm_of: Mapping[str, str]
) -> list[ContrastRow]:
    sessions = question.terms
    measured = np.argwhere(~np.isnan(sample.values))
    if arms:
        measured = measured[measured[:, 1] > 0]
    who = [int(at) for at, _ in measured]
    people = [sample.people[at] for at in who]
    values = sample.values[measured[:, 0], measured[:, 1]]
    covariates = columns_of(question.covariates, material.people, people)
    modelled = sessions[1:] if arms else sessions
    when = tuple(sessions[int(place)] for _, place in measured)
    columns: list[Column] = [*covariates]
    terms: list[tuple[str, ...]] = [(column.name,) for column in covariates]
    visit = Factor("session", when, modelled) if len(modelled) > 1 else None
    if visit is not None:
        columns.append(visit)
        terms.append(("session",))
    groups: tuple[str, ...] = ()
    if arms:
        groups = tuple(arm_of[person] for person in sample.people)
        columns += [Factor("arm", tuple(groups[at] for at in who), arms), Covariate(BASELINE, sample.values[who, 0])]
        terms += [("arm",), (BASELINE,)]
        terms += [("session", "arm"), ("session", BASELINE)] if visit else []
    design = design_of(columns, terms)
    if visit is None:
        model = fit_least_squares(values, design, subject=people)
    else:
        model = fit_mixed(
            values,
            design,
            people,
            visit=None if question.covariance == "independent" else visit,
            covariance=question.covariance,
            between=("arm",) if arms else (),
            df=question.df,
        )
    return [
        _row(question, sample, groups, session, _effect(model, session, sessions[0], arms, visit is not None), model)
        for session in (*sessions[:0:-1],)
    ]


def _effect(model: FittedModel, session: str, first: str, arms: tuple[str, ...], several: bool) -> Effect:
    if not arms:
        return model.difference({"session": session}, {"session": first})
    when = {"session": session} if several else {}
    return model.difference({"arm": arms[1], **when}, {"arm": arms[0], **when})


def _row(
    question: Question,
    sample: Sample,
    groups: tuple[str, ...],
    session: str,
    effect: Effect,
    model: FittedModel,
) -> ContrastRow:
    place = question.terms.index(session)
    pairs: PairedValues = sample.pairs(0, place)
    mean = float(np.nanmean(sample.values[:, 0])) if np.isfinite(sample.values[:, 0]).any() else NAN
    percent = of_scale(question, effect.estimate, 100 * effect.estimate / mean if mean > 0 else NAN)
    row = row_of(
        pairs,
        effect,
        percent,
        why=model.why,
        groups=groups,
        individual=pairs.second - pairs.first,
        term=session,
        secondary=session != question.terms[-1],
    )
    name = f"{question.parameter} in {question.terms[0]}"
    return with_overlap(row, name, sample.values[:, 0]) if groups else row
