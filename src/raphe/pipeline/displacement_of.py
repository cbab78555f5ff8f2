"""A change of binding read as endogenous ligand and as receptors: the contrast, and the table beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import numpy as np

from raphe.data.pharmacology import Displacement, Separated
from raphe.data.pharmacology_tables import LigandRow, LigandTable
from raphe.data.record import Step
from raphe.data.results import Contrast, ContrastRow, Interval
from raphe.errors import InputError
from raphe.pharmacology.competition import displacement
from raphe.pharmacology.separation import separate_by_depletion, separate_by_release
from raphe.pipeline.plan_schema import ContrastSection
from raphe.stats.contrasts.answer import NAN, NO_EFFECT, Answer, each_region, row_of
from raphe.stats.contrasts.question import Material, Question
from raphe.stats.contrasts.registry import Kind
from raphe.stats.contrasts.sample import Cell, Sample, samples
from raphe.stats.effect import Effect, effect

PAIR = "pair"

DESIGNS = {"release": separate_by_release, "depletion": separate_by_depletion}

INSEPARABLE = (
    "two scans with one tracer cannot tell a change of receptor number from one of endogenous ligand: the change may "
    "be either, or any mixture"
)

TOO_FEW = ("no participant has a usable value throughout", "one participant allows no inference across people")
"""Why nothing is told, by the number of participants."""

SECOND = {"release": "a releaser", "depletion": "depletion of the ligand"}


def kind_of(design: str | None) -> Kind:
    """The kind ``displacement`` for a design; None is a pair of scans."""
    return partial(_displacement, design=design or PAIR)


def _displacement(question: Question, material: Material, *, design: str) -> Answer:
    """Change of BP_ND by the ratio of means, or the change of receptor number that a design tells, in per cent.

    Raises
    ------
    InputError
        As :func:`raphe.stats.contrasts.sample.samples`, and if no region can be answered.
    """
    rows = each_region(_samples(question, material), partial(_answer, design=design))
    before, after = question.terms[:2]
    what = f"change of BP_ND from {before} to {after} in per cent of {before}, by the ratio of their means"
    if design != PAIR:
        what = (
            f"change of receptor number (B_max) from {before} to {after} in per cent, told apart from endogenous "
            f"ligand by {SECOND[design]} ({question.terms[2]} and {question.terms[3]})"
        )
    return Answer(
        rows,
        before,
        after,
        what,
        "Fieller's interval of a ratio of means of the same people",
        unit="%",
        notes=(INSEPARABLE,) if design == PAIR else (),
        citations=("laruelle2000", "fieller1954"),
    )


def ligand_of(
    contrast: Contrast, section: ContrastSection, question: Question, material: Material
) -> tuple[LigandTable, Step]:
    """What each region tells of endogenous ligand and of receptors.

    Returns
    -------
    LigandTable
        A region of which nothing can be told has a row that says why.
    Step
    """
    design = section.design or PAIR
    found = [_told(sample, section) for sample in _samples(question, material)]
    table = LigandTable(
        contrast.name,
        contrast.tracer,
        contrast.model,
        question.terms,
        design,
        NAN if section.theta0 is None else section.theta0,
        section.theta0_range or (),
        tuple(found),
    )
    done = {"contrast": contrast.name, "design": design, "theta0": section.theta0, "theta0_range": section.theta0_range}
    return table, Step("displacement", done, citations=("laruelle2000", "fieller1954"))


def _samples(question: Question, material: Material) -> list[Sample]:
    """People with every session, whose BP_ND are above 0 in all of them."""
    cells = [Cell(question.tracer, question.model, session) for session in question.terms]
    kept = []
    for sample in samples(question, material, cells):
        bad = [not (own > 0).all() for own in sample.values]
        why = "BP_ND is not above 0 in every session, and competition needs its reciprocal"
        kept.append(sample.without({person: why for person, is_bad in zip(sample.people, bad, strict=True) if is_bad}))
    return kept


def _separated(sample: Sample, design: str) -> Separated:
    a, b, c, d = sample.values.T
    return DESIGNS[design](a, b, c, d)[0]


def _answer(sample: Sample, design: str) -> Sequence[ContrastRow]:
    n, pairs = len(sample), sample.pairs()
    if n < 2:
        return [row_of(pairs, NO_EFFECT, why=[TOO_FEW[n]])]
    if design == PAIR:
        (found, _), p = displacement(pairs.first, pairs.second), _p_of_difference(pairs.second - pairs.first)
        changed = _changed(found.ratio, n, p if math.isfinite(found.ratio.high) else NAN)
        return [row_of(pairs, changed, changed.estimate, individual=100 * (pairs.second / pairs.first - 1))]
    told = _separated(sample, design)
    why = "" if math.isfinite(told.receptors.high) else told.statement
    changed = _changed(told.receptors, n, told.p_receptors)
    return [row_of(pairs, changed, changed.estimate, why=[why])]


def _changed(ratio: Interval, n: int, p: float) -> Effect:
    """A ratio as a change in per cent; ends are NaN where the data set none."""
    low, high = (100 * (end - 1) if math.isfinite(end) else NAN for end in (ratio.low, ratio.high))
    return Effect(100 * (ratio.value - 1), NAN, float(n - 1), low, high, p)


def _p_of_difference(change: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    """Two-sided p of the paired t test: below 0.05 where Fieller's interval of the ratio leaves 1 out."""
    se = float(change.std(ddof=1)) / math.sqrt(change.size)
    return effect(float(change.mean()), se, change.size - 1.0).p if se > 0 else NAN


def _told(sample: Sample, section: ContrastSection) -> LigandRow:
    n, found, why = len(sample), None, ""
    if n < 2:
        return LigandRow(sample.region, n, None, sample.excluded, TOO_FEW[n])
    try:
        found = _found(sample, section)
    except InputError as error:
        why = str(error)
    return LigandRow(sample.region, n, found, sample.excluded, why)


def _found(sample: Sample, section: ContrastSection) -> Displacement | Separated:
    if section.design is not None:
        return _separated(sample, section.design)
    ends = section.theta0_range
    return displacement(
        sample.values[:, 0],
        sample.values[:, 1],
        theta0=section.theta0,
        theta0_range=None if ends is None else (ends[0], ends[1]),
    )[0]
