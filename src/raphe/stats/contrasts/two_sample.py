"""Difference of two arms, of one number for each person."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from raphe.data.results import ContrastRow, PairedValues
from raphe.errors import InputError
from raphe.stats.columns import Column, Factor
from raphe.stats.contrasts.answer import NAN, NO_EFFECT, people_table, row_of
from raphe.stats.contrasts.model_row import model_row, random_effects_row
from raphe.stats.contrasts.weighing import weighting_of
from raphe.stats.design import Design, design_of
from raphe.stats.linear import fit_least_squares
from raphe.stats.regional_permutation import Permutation, exchange
from raphe.stats.two_groups import GroupDifference, two_groups
from raphe.stats.weighted import weighted_difference

Array = npt.NDArray[np.float64]

G = "Hedges' g: difference of the arms over their pooled standard deviation"

Percent = Callable[[float, GroupDifference | None], tuple[float, str]]


def groups_row(
    pairs: PairedValues,
    values: Array,
    arms: tuple[str, ...],
    terms: tuple[str, str],
    columns: Sequence[Column],
    percent: Percent,
    se: Array | None = None,
) -> ContrastRow:
    """Row of a region: second arm minus first by Welch's t test, or by a linear model with covariates.

    Parameters
    ----------
    pairs : PairedValues
    values : ndarray, shape (n,)
        The number of each person.
    arms : tuple of str, length n
    terms : (str, str)
        First and second arm.
    columns : sequence of Factor and Covariate
        Covariates of the same people; empty for none.
    percent : callable
        From the estimate, and the difference where there are no covariates, to a figure in per cent and why there is
        none.
    se : ndarray, shape (n,), optional
        Standard errors of the values, by which people are weighted; without, all count alike.

    Raises
    ------
    InputError
        If one subject is left in an arm, or the covariates are confounded with the arm.
    """
    first, second = (values[[arm == term for arm in arms]] for term in terms)
    for term, group in zip(terms, (first, second), strict=True):
        if group.size == 0:
            return row_of(pairs, NO_EFFECT, why=[f"nobody of arm {term} has usable values"], groups=arms)
        if group.size == 1:
            who = pairs.participants[arms.index(term)]
            raise InputError(f"one subject ({who}) is left in arm {term}, so its spread cannot be known")
    if columns:
        design = of_arms(arms, terms, columns)
        if se is not None:
            return random_effects_row(pairs, design, terms, arms, values, (values, se), by_estimate(percent))
        fitted = fit_least_squares(values, design)
        share, reason = percent(fitted.difference({"arm": terms[1]}, {"arm": terms[0]}).estimate, None)
        return model_row(pairs, fitted, terms, arms, values, share, reason)
    if se is not None:
        return _weighted(pairs, values, arms, terms, percent, se)
    found = two_groups(first, second)
    share, reason = percent(found.effect.estimate, found)
    why = [part for part in (found.why if found.effect.p != found.effect.p else "", reason) if part]
    return row_of(pairs, found.effect, share, why=why, standardised=found.g, groups=arms, individual=values)


def of_arms(arms: tuple[str, ...], terms: tuple[str, str], columns: Sequence[Column]) -> Design:
    """Design of two arms with covariates."""
    return design_of([Factor("arm", arms, terms), *columns], [("arm",), *((column.name,) for column in columns)])


def by_estimate(percent: Percent) -> Callable[[float], float]:
    """Figure in per cent of an estimate that comes from a model."""
    return lambda estimate: percent(estimate, None)[0]


def _weighted(
    pairs: PairedValues, values: Array, arms: tuple[str, ...], terms: tuple[str, str], percent: Percent, se: Array
) -> ContrastRow:
    """Difference of the weighted means of two arms, each with its own spread."""
    inside = [np.array([arm == term for arm in arms]) for term in terms]
    first, second = inside
    found = weighted_difference(values[first], se[first], values[second], se[second])
    share, reason = percent(found.effect.estimate, None) if np.isfinite(found.effect.estimate) else (NAN, "")
    row = row_of(pairs, found.effect, share, why=[found.why, reason], groups=arms, individual=values)
    return replace(row, individual_se=se, weighting=weighting_of(found, [int(one.sum()) for one in inside]))


def exchanged(
    rows: Sequence[ContrastRow],
    arm_of: Mapping[str, str],
    second: str,
    covariates: Sequence[str],
    seed: int,
    blocks: Mapping[str, str] | None = None,
) -> Permutation:
    """Permutation test of the rows by exchanging people between the arms, within their blocks where there are some."""
    if covariates:
        raise InputError('people are exchanged without covariates only; take test = "t", or kind = "ancova"')
    people, table = people_table(rows)
    within = None if blocks is None else [blocks[person] for person in people]
    return exchange(table, [arm_of[person] == second for person in people], blocks=within, seed=seed)


def least_of_arms(row: ContrastRow, blocks: Mapping[str, str] | None = None) -> float:
    """Smallest p of exchanging the people of a row between two arms, within their blocks where there are some."""
    if len(row.counts) != 2:
        return NAN
    arm = next(iter(row.counts))
    whose = ["" if blocks is None else blocks[person] for person in row.pairs.participants]
    sizes = Counter(whose)
    inside = Counter(block for block, group in zip(whose, row.groups, strict=True) if group == arm)
    total = math.prod(math.comb(size, inside[block]) for block, size in sizes.items())
    mirrored = all(size == 2 * inside[block] for block, size in sizes.items())
    return min((1 + mirrored) / total, 1.0)
