"""Mean of what changed in each person, tested against 0."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from raphe.data.extras import Weighting
from raphe.data.results import UNKNOWN, ContrastRow, PairedValues
from raphe.errors import InputError
from raphe.stats.columns import Column
from raphe.stats.contrasts.answer import NAN, NO_EFFECT, people_table, row_of
from raphe.stats.contrasts.question import Question
from raphe.stats.contrasts.weighing import weighting_of
from raphe.stats.contrasts.words import of_scale
from raphe.stats.design import Design, design_of
from raphe.stats.effect import Effect, effect
from raphe.stats.interval import alike
from raphe.stats.linear import fit_least_squares
from raphe.stats.regional_permutation import Permutation, sign_flip
from raphe.stats.standardised import d_z
from raphe.stats.weighted import fit_random_effects, weighted_mean

Array = npt.NDArray[np.float64]

Percent = Callable[[float], tuple[float, str]]

D_Z = "d_z: mean change over the standard deviation of the changes, corrected for its bias (Hedges)"


def mean_row(
    pairs: PairedValues, change: Array, columns: Sequence[Column], percent: Percent, se: Array | None = None
) -> ContrastRow:
    """Row of a region: the mean of the changes by a t test, or at the mean of covariates.

    Parameters
    ----------
    pairs : PairedValues
    change : ndarray, shape (n,)
    columns : sequence of Factor and Covariate
        Covariates of the same people; empty for none.
    percent : callable
        From the estimate to what it is in per cent, and why it is nothing.
    se : ndarray, shape (n,), optional
        Standard errors of the changes, by which people are weighted; without, all count alike.
    """
    n = len(pairs)
    if n == 0:
        return row_of(pairs, NO_EFFECT, why=["no participant has a usable value in both sessions"])
    why, found, standardised = [], NO_EFFECT._replace(estimate=float(change.mean())), UNKNOWN
    weighting: Weighting | None = None
    scale = np.concatenate([pairs.first, pairs.second, change])
    if n == 1:
        why.append("one participant allows no inference across people")
    elif alike(change, scale):
        why.append(f"all {n} differences are equal, so nothing can be tested")
    elif se is not None:
        found, reason, weighting = _weighted(change, columns, se)
        why.append(reason)
    elif columns:
        found, reason = _adjusted(change, columns)
        why.append(reason)
    else:
        found = effect(float(change.mean()), float(change.std(ddof=1) / math.sqrt(n)), float(n - 1))
        standardised = d_z(change)
    share, reason = percent(found.estimate)
    row = row_of(pairs, found, share, why=[*why, reason], standardised=standardised, individual=change)
    return row if se is None else replace(row, individual_se=se, weighting=weighting)


def _weighted(change: Array, columns: Sequence[Column], se: Array) -> tuple[Effect, str, Weighting | None]:
    """Weighted mean change, at the mean of covariates where there are some."""
    try:
        if not columns:
            told = weighted_mean(change, se)
            return told.effect, told.why, weighting_of(told)
        model, told = fit_random_effects(change, se, at_mean(columns))
        return model.ls_mean(), "", weighting_of(told)
    except InputError as error:
        return NO_EFFECT, str(error), None


def at_mean(columns: Sequence[Column]) -> Design:
    """Design of changes with covariates."""
    return design_of(columns, [(column.name,) for column in columns])


def _adjusted(change: Array, columns: Sequence[Column]) -> tuple[Effect, str]:
    """Mean change at the mean of covariates, levels of factors having equal weights."""
    try:
        return fit_least_squares(change, at_mean(columns)).ls_mean(), ""
    except InputError as error:
        return NO_EFFECT, str(error)


def percent_of_first(question: Question, pairs: PairedValues) -> Percent:
    """Function that gives the mean change in per cent of each participant's first value, or why it has no meaning."""

    def percent(estimate: float) -> tuple[float, str]:
        if question.scale != "difference":
            return of_scale(question, estimate, NAN), ""
        if not (pairs.first > 0).all():
            return NAN, "a first value is not positive, so a change in per cent has no meaning"
        return float(np.mean(100 * (pairs.second - pairs.first) / pairs.first)), ""

    return percent


def flipped(rows: Sequence[ContrastRow], covariates: Sequence[str], seed: int) -> Permutation:
    """Permutation test of the rows by flipping the sign of each person's change."""
    if covariates:
        raise InputError('signs cannot be flipped where covariates are adjusted for; take test = "t"')
    _, table = people_table(rows)
    return sign_flip(table, seed=seed)


def least_of_flips(row: ContrastRow) -> float:
    """Smallest p of sign flips of the people of a row: 2 / 2**n, 0.125 for four."""
    return 2.0 / 2.0 ** len(row.pairs) if len(row.pairs) > 1 else NAN
