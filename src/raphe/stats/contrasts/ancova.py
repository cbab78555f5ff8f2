"""Two arms after treatment, adjusted for the baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from raphe.data.results import ContrastRow
from raphe.stats.adjusted_permutation import Adjusted, exchange_adjusted
from raphe.stats.columns import Covariate, Factor
from raphe.stats.contrasts.answer import Answer, each_region
from raphe.stats.contrasts.covariates import columns_of, numbers_of
from raphe.stats.contrasts.model_row import OF_RESIDUALS, model_row
from raphe.stats.contrasts.question import Material, Question
from raphe.stats.contrasts.sample import CHANGES, Cell, Sample, changed, samples
from raphe.stats.contrasts.two_sample import least_of_arms
from raphe.stats.contrasts.words import UNITS, of_scale, two
from raphe.stats.linear import ancova as fit_ancova
from raphe.stats.regional_permutation import Permutation

Array = npt.NDArray[np.float64]


def ancova(question: Question, material: Material) -> Answer:
    """Compare the second of ``terms`` (arms) with the first in the last of two ``sessions``, adjusted for the first.

    The value after treatment is regressed on that before, the arm and covariates
    (:func:`raphe.stats.linear.ancova`). On the scale ``percent`` the outcome is the change in per cent of the
    baseline, on ``log`` the logarithm of the value, and so is the baseline. In per cent: of the mean baseline of both
    arms, on the scale ``difference``.

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
        sample, change = changed(sample, question.scale, 0, 1)
        baseline, outcome = _outcome(question, sample.values[:, 0], sample.values[:, 1])
        arms = tuple(arm_of[person] for person in sample.people)
        others = columns_of(question.covariates, material.people, sample.people)
        model = fit_ancova(
            outcome, Covariate(name, baseline), Factor("arm", arms, terms), others, subject=sample.people
        )
        estimate = model.difference({"arm": terms[1]}, {"arm": terms[0]}).estimate
        mean = float(sample.values[:, 0].mean())
        share = of_scale(question, estimate, 100 * estimate / mean if mean > 0 else float("nan"))
        return [model_row(sample.pairs(), model, terms, arms, change, share)]

    rows = each_region(found, answer, arm_of)

    of = {"difference": "", "percent": ", as change in per cent of it,", "log": ", by logarithms,"}[question.scale]
    return Answer(
        rows,
        before,
        after,
        f"{question.parameter} in {after}{of} of arm {terms[1]} minus that of arm {terms[0]}, adjusted for "
        f"{', '.join([name, *question.covariates])}",
        "analysis of covariance",
        standardised=OF_RESIDUALS,
        unit=UNITS[question.scale],
        groups=terms,
        permuted=lambda: _permuted(question, material, rows, arm_of, terms[1]),
        smallest=least_of_arms,
        citations=("senn2006",),
        arrangement="who is in which arm, baselines and covariates staying with their people",
    )


def _outcome(question: Question, baseline: Array, after: Array) -> tuple[Array, Array]:
    """Baseline and outcome on the scale of the question."""
    if question.scale == "log":
        return np.log(baseline), np.log(after)
    return baseline, CHANGES["percent"](baseline, after) if question.scale == "percent" else after


def _permuted(
    question: Question, material: Material, rows: Sequence[ContrastRow], arm_of: Mapping[str, str], second: str
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
    return exchange_adjusted(regions, {who: arm == second for who, arm in arm_of.items()}, seed=question.seed)
