"""Difference of two arms, of one number for each person."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from raphe.data.results import ContrastRow, PairedValues
from raphe.errors import InputError
from raphe.stats.columns import Column, Factor
from raphe.stats.contrasts.answer import NAN, NO_EFFECT, people_table, row_of
from raphe.stats.contrasts.model_row import model_row
from raphe.stats.design import design_of
from raphe.stats.linear import fit_least_squares
from raphe.stats.regional_permutation import Permutation, exchange, least_of_exchange
from raphe.stats.two_groups import GroupDifference, two_groups

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
        arm = Factor("arm", arms, terms)
        fitted = fit_least_squares(values, design_of([arm, *columns], [("arm",), *((c.name,) for c in columns)]))
        share, reason = percent(fitted.difference({"arm": terms[1]}, {"arm": terms[0]}).estimate, None)
        return model_row(pairs, fitted, terms, arms, values, share, reason)
    found = two_groups(first, second)
    share, reason = percent(found.effect.estimate, found)
    why = [part for part in (found.why if found.effect.p != found.effect.p else "", reason) if part]
    return row_of(pairs, found.effect, share, why=why, standardised=found.g, groups=arms, individual=values)


def exchanged(
    rows: Sequence[ContrastRow], arm_of: Mapping[str, str], second: str, covariates: Sequence[str], seed: int
) -> Permutation:
    """Permutation test of the rows by exchanging people between the arms."""
    if covariates:
        raise InputError('people are exchanged without covariates only; take test = "t", or kind = "ancova"')
    people, table = people_table(rows)
    return exchange(table, [arm_of[person] == second for person in people], seed=seed)


def least_of_arms(row: ContrastRow) -> float:
    """Smallest p of exchanging the people of a row between two arms."""
    sizes = list(row.counts.values())
    return least_of_exchange(*sizes) if len(sizes) == 2 else NAN
