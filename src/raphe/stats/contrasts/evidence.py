"""What a row of a contrast says about no effect: two one-sided tests within a margin, and a Bayes factor."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from scipy import stats

from raphe.data.results import ContrastRow, Equivalent
from raphe.stats.bayes import bayes_factor_r, bayes_factor_t
from raphe.stats.contrasts.question import Question
from raphe.stats.effect import Effect
from raphe.stats.equivalence import equivalence
from raphe.stats.interval import alike

NAN = float("nan")


def with_evidence(row: ContrastRow, question: Question) -> ContrastRow:
    """Row with the test of equivalence, where the plan names a margin, and the Bayes factor, where there is one."""
    return replace(row, equivalent=_within(row, question.margin), bayes_factor=_bayes_factor(row, question))


def _within(row: ContrastRow, margin: float | None) -> Equivalent | None:
    """Two one-sided t tests of the estimate; None where no margin is named or nothing can be tested."""
    if margin is None or not (row.se > 0 and row.df > 0):
        return None
    found = equivalence(Effect(row.estimate, row.se, row.df, row.ci_low, row.ci_high, row.p), margin)
    return Equivalent(margin, found.ci_low, found.ci_high, found.p)


def _bayes_factor(row: ContrastRow, question: Question) -> float:
    """Of an effect over none: of a t test without covariates, or of Pearson's correlation; NaN for the others.

    Of two arms it is that of Student's t, for its prior takes their spread to be one.
    """
    if question.covariates or not math.isfinite(row.estimate) or not math.isfinite(row.p):
        return NAN
    values = np.asarray(row.individual, dtype=float)
    if question.kind == "correlation" and question.method == "pearson":
        return bayes_factor_r(row.estimate, len(row.pairs)) if abs(row.estimate) < 1 else NAN
    if question.kind not in ("paired", "groups", "interaction") or values.size < 2 or alike(values, values):
        return NAN
    if not row.groups:
        return bayes_factor_t(float(stats.ttest_1samp(values, 0.0).statistic), values.size)
    arms = np.array(row.groups)
    names = list(dict.fromkeys(row.groups))
    if len(names) != 2:
        return NAN
    one, other = (values[arms == name] for name in names)
    if min(one.size, other.size) < 2:
        return NAN
    return bayes_factor_t(float(stats.ttest_ind(one, other).statistic), one.size, other.size)
