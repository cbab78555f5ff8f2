"""What a row of a contrast says besides: two one-sided tests within a margin, a Bayes factor, a posterior."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from raphe.data.extras import Held
from raphe.data.results import ContrastRow, Equivalent
from raphe.stats.bayes import Prior, bayes_factor_r, bayes_factor_t, posterior
from raphe.stats.contrasts.question import Question
from raphe.stats.contrasts.weighing import weighed
from raphe.stats.effect import Effect
from raphe.stats.equivalence import equivalence
from raphe.stats.interval import alike
from raphe.stats.two_groups import two_groups

NAN = float("nan")


def with_evidence(row: ContrastRow, question: Question) -> ContrastRow:
    """Row with the test of equivalence and the posterior, where the plan asks for them, and the Bayes factor if any."""
    return replace(
        row,
        equivalent=_within(row, question.margin),
        bayes_factor=_bayes_factor(row, question),
        held=_held(row, question.prior),
    )


def _within(row: ContrastRow, margin: float | None) -> Equivalent | None:
    """Two one-sided t tests of the estimate; None where no margin is named or nothing can be tested."""
    if margin is None or not (row.se > 0 and row.df > 0):
        return None
    found = equivalence(_effect(row), margin)
    return Equivalent(margin, found.ci_low, found.ci_high, found.p)


def _held(row: ContrastRow, prior: Prior | None) -> Held | None:
    """Posterior of the estimate; None where no prior is stated or nothing can be tested."""
    if prior is None or not (row.se > 0 and row.df > 0):
        return None
    found = posterior(_effect(row), prior)
    return Held(found.mean, found.low, found.high, found.above_zero)


def _effect(row: ContrastRow) -> Effect:
    return Effect(row.estimate, row.se, row.df, row.ci_low, row.ci_high, row.p)


def _bayes_factor(row: ContrastRow, question: Question) -> float:
    """Of an effect over none: of a plain t test, or of Pearson's correlation; NaN with covariates or weights.

    Of two arms it is that of Student's t, for its prior takes their spread to be one.
    """
    if question.covariates or weighed(question) or not math.isfinite(row.estimate) or not math.isfinite(row.p):
        return NAN
    values = np.asarray(row.individual, dtype=float)
    if question.kind == "correlation" and question.method == "pearson":
        return bayes_factor_r(row.estimate, len(row.pairs)) if abs(row.estimate) < 1 else NAN
    if question.kind not in ("paired", "groups", "interaction") or values.size < 2 or alike(values, values):
        return NAN
    if not row.groups:
        return bayes_factor_t(float(values.mean() / (values.std(ddof=1) / math.sqrt(values.size))), values.size)
    arms = np.array(row.groups)
    names = list(dict.fromkeys(row.groups))
    if len(names) != 2:
        return NAN
    one, other = (values[arms == name] for name in names)
    if min(one.size, other.size) < 2:
        return NAN
    student = two_groups(one, other, variances="pooled").effect
    return bayes_factor_t((other.mean() - one.mean()) / student.se, one.size, other.size)
