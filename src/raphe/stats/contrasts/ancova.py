"""Two arms after treatment, adjusted for the baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from raphe.data.results import ContrastRow
from raphe.stats.adjusted_permutation import Adjusted, exchange_adjusted
from raphe.stats.bootstrap import OfPeople
from raphe.stats.columns import Covariate, Factor
from raphe.stats.contrasts.answer import Answer, each_region
from raphe.stats.contrasts.blocks import blocks_of, told_of_blocks
from raphe.stats.contrasts.covariates import columns_of, numbers_of
from raphe.stats.contrasts.model_row import OF_RESIDUALS, model_row, random_effects_row, with_overlap
from raphe.stats.contrasts.question import Material, Question
from raphe.stats.contrasts.resampling import of_model
from raphe.stats.contrasts.sample import CHANGES, Cell, Sample, changed, samples
from raphe.stats.contrasts.two_sample import least_of_arms, of_arms
from raphe.stats.contrasts.weighing import CITED, HOW, sure, weighed
from raphe.stats.contrasts.words import UNITS, covariate_words, of_scale, two
from raphe.stats.linear import ancova as fit_ancova
from raphe.stats.regional_permutation import Permutation

Array = npt.NDArray[np.float64]


def ancova(question: Question, material: Material) -> Answer:
    """Compare the second of ``terms`` (arms) with the first in the last of two ``sessions``, adjusted for the first.

    The value after treatment is regressed on that before, the arm and covariates
    (:func:`raphe.stats.linear.ancova`). On the scale ``percent`` the outcome is the change in per cent of the
    baseline, on ``log`` the logarithm of the value, and so is the baseline. In per cent: of the mean baseline of both
    arms, on the scale ``difference``. With ``weights`` it is a random-effects linear model in which people are weighted
    by the standard error of the value after treatment; that of the baseline, which is held as it was measured, is not
    modelled. It makes the slope of the baseline smaller, as in every analysis of covariance, but no difference between
    arms that were allotted at random.

    Raises
    ------
    InputError
        As :func:`raphe.stats.contrasts.sample.samples`; if one subject is left in an arm, terms are confounded, or
        there are more parameters than people.
    """
    terms, (before, after) = two(question.terms, "arms"), two(question.sessions, "sessions")
    found = samples(
        question, material, [Cell(question.tracer, question.model, one) for one in (before, after)], arms=terms
    )
    arm_of = material.arms()
    name = f"{question.parameter} in {before}"

    def answer(sample: Sample) -> Sequence[ContrastRow]:
        sample, change = changed(sure(question, sample, (1,)), question.scale, 0, 1)
        baseline, outcome = _outcome(question, sample.values[:, 0], sample.values[:, 1])
        arms = tuple(arm_of[person] for person in sample.people)
        others = columns_of(question.covariates, material.people, sample.people)

        def percent(estimate: float) -> float:
            mean = float(sample.values[:, 0].mean())
            return of_scale(question, estimate, 100 * estimate / mean if mean > 0 else float("nan"))

        if weighed(question):
            design = of_arms(arms, terms, [Covariate(name, baseline), *others])
            sure_of = outcome, _outcome_se(question, sample)
            row = random_effects_row(sample.pairs(), design, terms, arms, change, sure_of, percent)
            return [with_overlap(row, name, baseline)]
        model = fit_ancova(
            outcome, Covariate(name, baseline), Factor("arm", arms, terms), others, subject=sample.people
        )
        estimate = model.difference({"arm": terms[1]}, {"arm": terms[0]}).estimate
        row = model_row(sample.pairs(), model, terms, arms, change, percent(estimate))
        return [with_overlap(row, name, baseline)]

    def statistic(row: ContrastRow) -> OfPeople:
        baseline, outcome = _outcome(question, row.pairs.first, row.pairs.second)
        others = columns_of(question.covariates, material.people, row.pairs.participants)
        design = of_arms(row.groups, terms, [Covariate(name, baseline), *others])
        between = design.difference({"arm": terms[1]}, {"arm": terms[0]})
        return of_model(outcome, design, between, row.individual_se)

    rows = each_region(found, answer, arm_of)
    blocks = blocks_of(question, material)
    of = {"difference": "", "percent": ", as change in per cent of it,", "log": ", by logarithms,"}[question.scale]
    return Answer(
        rows,
        before,
        after,
        f"{question.parameter} in {after}{of} of arm {terms[1]} minus that of arm {terms[0]}, adjusted for "
        + ", ".join(filter(None, (name, covariate_words(question)))),
        f"analysis of covariance by a random-effects linear model, {HOW}"
        if weighed(question)
        else "analysis of covariance",
        standardised="" if weighed(question) else OF_RESIDUALS,
        unit=UNITS[question.scale],
        groups=terms,
        notes=told_of_blocks(question, rows, blocks),
        permuted=lambda: _permuted(question, material, rows, {who: arm == terms[1] for who, arm in arm_of.items()}),
        smallest=lambda row: least_of_arms(row, blocks),
        statistic=statistic,
        citations=("senn2006", *(CITED if weighed(question) else ())),
        arrangement="who is in which arm"
        + (f" within blocks ({question.blocks})" if question.blocks else "")
        + ", baselines and covariates staying with their people",
    )


def _outcome(question: Question, baseline: Array, after: Array) -> tuple[Array, Array]:
    """Baseline and outcome on the scale of the question."""
    if question.scale == "log":
        return np.log(baseline), np.log(after)
    return baseline, CHANGES["percent"](baseline, after) if question.scale == "percent" else after


def _outcome_se(question: Question, sample: Sample) -> Array:
    """Standard error of the outcome on the scale of the question, the baseline being held as it was measured."""
    baseline, after, se = sample.values[:, 0], sample.values[:, 1], sample.se[:, 1]
    by: Mapping[str, Array | float] = {"difference": 1.0, "percent": baseline / 100, "log": after}
    return np.asarray(se / by[question.scale])


def _permuted(
    question: Question, material: Material, rows: Sequence[ContrastRow], second: Mapping[str, bool]
) -> Permutation:
    """Permutation test of the rows; a row that could not be fitted has no people."""
    regions = []
    for row in rows:
        if not row.individual.size:
            regions.append(Adjusted((), np.empty(0), np.empty((0, 0))))
            continue
        baseline, outcome = _outcome(question, row.pairs.first, row.pairs.second)
        others = columns_of(question.covariates, material.people, row.pairs.participants)
        regions.append(Adjusted(row.pairs.participants, outcome, numbers_of([Covariate("", baseline), *others])))
    return exchange_adjusted(regions, second, blocks=blocks_of(question, material), seed=question.seed)
