"""Permutation test of two arms where other things are adjusted for."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from raphe.errors import InputError
from raphe.stats.arrangements import all_labels, codes, shuffled
from raphe.stats.regional_permutation import MOST, N_DRAW, Permutation, judged

Array = npt.NDArray[np.float64]

FLAT = 1e-12
"""Share of a sum of squares below which what is left of it is rounding."""


@dataclass(frozen=True, eq=False)
class Adjusted:
    """One region of an adjusted comparison.

    Parameters
    ----------
    people : tuple of str, length n
        Empty where the region is not tested.
    outcome : ndarray, shape (n,)
    covariates : ndarray, shape (n, k)
        The baseline among them.
    """

    people: tuple[str, ...]
    outcome: Array
    covariates: Array


def exchange_adjusted(
    regions: Sequence[Adjusted],
    second: Mapping[str, bool],
    *,
    blocks: Mapping[str, str] | None = None,
    most: int = MOST,
    n_draw: int = N_DRAW,
    seed: int = 1,
) -> Permutation:
    """Test that the arm makes no difference to anybody, by dealing the arms anew and fitting the linear model again.

    Outcome, baseline and covariates stay with their people, so that the test holds its level if the arms were allotted
    at random without regard to them, whatever the outcome's distribution (a randomisation test of a regression;
    Kempthorne 1955, J Am Stat Assoc 50:946; Anderson and Robinson 2001, Aust N Z J Stat 43:75, call it the permutation
    of the predictor). The statistic is the arm's t. Over regions, p is also adjusted by the step-down maximum, as in
    :func:`raphe.stats.regional_permutation.exchange`.

    Parameters
    ----------
    regions : sequence of Adjusted
    second : mapping of str to bool
        Whether each person is in the second arm.
    blocks : mapping of str to str, optional
        Block of each person, within which the arms are dealt anew, each as often as it was.
    most, n_draw : int
        All arrangements where there are at most ``most``, else ``n_draw`` of them.
    seed : int

    Raises
    ------
    InputError
        If an arm has fewer than two people, or no block holds people of both.
    """
    people = tuple(dict.fromkeys(person for region in regions for person in region.people))
    label = np.array([float(second[person]) for person in people])
    k = int(label.sum())
    if min(k, label.size - k) < 2:
        raise InputError(f"arms of {label.size - k} and {k} people; each needs at least two")
    of = codes(None if blocks is None else [blocks[person] for person in people], label.size, "blocks")
    members = [np.arange(label.size)] if blocks is None else [np.flatnonzero(of == b) for b in range(int(of.max()) + 1)]
    chosen = [int(label[rows].sum()) for rows in members]
    total = math.prod(math.comb(len(rows), of_them) for rows, of_them in zip(members, chosen, strict=True))
    if total == 1:
        raise InputError("no block holds people of both arms, so the arms cannot be dealt anew; leave out the blocks")
    exact = total <= most
    if exact:
        arrangements = all_labels(members, chosen, label.size)
    else:
        random = np.random.default_rng(seed)
        arrangements = np.vstack([label, *(shuffled(label, members, random) for _ in range(n_draw))])
    tests = [_test(region, people) for region in regions]

    def statistic(labels: Array) -> Array:
        return np.column_stack([test(labels) for test in tests])

    return judged(arrangements, statistic, exact=exact, least=1 / total, observed=label)


def _test(region: Adjusted, people: Sequence[str]) -> Callable[[Array], Array]:
    """Function that gives t of the arm for labels 0 and 1, shape (n_arrangement, n_people)."""
    if not region.people:
        return lambda labels: np.full(len(labels), np.nan)
    place = [people.index(person) for person in region.people]
    scale = np.maximum(np.abs(region.covariates).max(axis=0, initial=0.0), 1e-300)
    others = np.linalg.qr(np.column_stack([np.ones(len(place)), region.covariates / scale]))[0]
    left = region.outcome - others @ (others.T @ region.outcome)
    df = len(place) - others.shape[1] - 1

    def t(labels: Array) -> Array:
        arm = labels[:, place]
        arm = arm - (arm @ others) @ others.T
        size = (arm**2).sum(axis=1)
        sound = (size > FLAT * len(place)) & (df > 0)
        share = np.where(sound, (arm @ left) / np.sqrt(np.where(sound, size, 1.0)), np.nan)
        rest = np.maximum(left @ left - share**2, FLAT * (left @ left))
        return np.asarray(share / np.sqrt(rest / max(df, 1)))

    return t
