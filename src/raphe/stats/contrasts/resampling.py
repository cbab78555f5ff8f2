"""Estimates of a contrast found again among resampled people, and their intervals by bootstrap."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from raphe.data.extras import Resampled
from raphe.data.results import ContrastRow
from raphe.errors import InputError
from raphe.stats.bootstrap import Index, OfPeople, bootstrap
from raphe.stats.columns import Column
from raphe.stats.contrasts.one_sample import at_mean
from raphe.stats.contrasts.question import Question
from raphe.stats.contrasts.two_sample import of_arms
from raphe.stats.design import Design
from raphe.stats.weighted import random_effects

Array = npt.NDArray[np.float64]

NAN = float("nan")


def with_bootstrap(row: ContrastRow, question: Question, statistic: OfPeople | None) -> ContrastRow:
    """Row with the BCa interval of its estimate by resampling people within their arms, or why there is none."""
    if question.bootstrap is None:
        return row
    gap = replace(row, resampled=Resampled(NAN, NAN, NAN))
    if statistic is None or not math.isfinite(row.estimate):
        return gap
    try:
        found = bootstrap(
            statistic, len(row.pairs), arm=row.groups or None, n_repeat=question.bootstrap, seed=question.seed
        )
    except InputError as error:
        return _without(gap, str(error))
    if found.why:
        return _without(gap, found.why)
    return replace(row, resampled=Resampled(found.low, found.high, found.se))


def _without(row: ContrastRow, why: str) -> ContrastRow:
    return replace(row, why="; ".join(part for part in (row.why, f"no bootstrap interval: {why}") if part))


def of_mean(row: ContrastRow, columns: Sequence[Column]) -> OfPeople:
    """Mean of what people add, weighted where the row is; at the mean of covariates where there are some."""
    if columns:
        design = at_mean(columns)
        moving = [design.names.index(column.name) for column in design.covariates]
        return of_model(row.individual, design, design.ls_mean(), row.individual_se, moving)
    return lambda who: _mean(row.individual, row.individual_se, who)


def of_difference(row: ContrastRow, terms: tuple[str, str], columns: Sequence[Column]) -> OfPeople:
    """Second arm minus first, by their means or by a linear model with covariates."""
    if columns:
        design = of_arms(row.groups, terms, columns)
        between = design.difference({"arm": terms[1]}, {"arm": terms[0]})
        return of_model(row.individual, design, between, row.individual_se)
    second = np.array([arm == terms[1] for arm in row.groups])

    def value(who: Index) -> float:
        a, b = (_mean(row.individual, row.individual_se, who[second[who] == arm]) for arm in (False, True))
        return b - a

    return value


def of_model(
    outcome: Array, design: Design, combination: Array, se: Array, at_their_mean: Sequence[int] = ()
) -> OfPeople:
    """Combination of the coefficients of a linear model, fitted again to the people who are drawn.

    Parameters
    ----------
    outcome : ndarray, shape (n,)
    design : Design
    combination : ndarray, shape (p,)
    se : ndarray, shape (n,)
        By which people are weighted; empty where they are not.
    at_their_mean : sequence of int
        Columns whose coefficient is taken at the mean of those who are drawn.
    """
    matrix = np.asarray(design.matrix)

    def value(who: Index) -> float:
        rows, y = matrix[who], outcome[who]
        beta, _, rank, _ = np.linalg.lstsq(rows, y)
        if rank < rows.shape[1] or len(rows) <= rows.shape[1]:
            return NAN
        if se.size:
            beta = random_effects(y, rows, se[who])[0]
        taken = combination.copy()
        taken[list(at_their_mean)] = rows[:, list(at_their_mean)].mean(axis=0)
        return float(taken @ beta)

    return value


def of_correlation(x: Array, y: Array, covariates: Array, method: str) -> OfPeople:
    """Correlation of Pearson or Spearman, or the partial one given covariates, shape (n, k), k may be 0."""

    def value(who: Index) -> float:
        drawn = np.column_stack([x[who], y[who], *(column[who] for column in covariates.T)])
        if method == "spearman":
            drawn = rankdata(drawn, axis=0)
        others = np.column_stack([np.ones(len(who)), drawn[:, 2:]])
        left = drawn[:, :2] - others @ np.linalg.lstsq(others, drawn[:, :2])[0]
        size = np.sqrt((left**2).sum(axis=0))
        if (size <= 1e-9 * np.sqrt((drawn[:, :2] ** 2).sum(axis=0))).any():
            return NAN
        return float(left[:, 0] @ left[:, 1] / size.prod())

    return value


def _mean(values: Array, se: Array, who: Index) -> float:
    y = values[who]
    if not se.size:
        return float(y.mean())
    return float(random_effects(y, np.ones((y.size, 1)), se[who])[0][0]) if y.size > 1 else NAN
