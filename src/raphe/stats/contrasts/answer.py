"""What a kind of contrast gives back, before p values are adjusted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from raphe.data.results import UNKNOWN, ContrastRow, Interval, PairedValues
from raphe.errors import InputError
from raphe.stats.bootstrap import OfPeople
from raphe.stats.contrasts.sample import Sample
from raphe.stats.effect import Effect
from raphe.stats.regional_permutation import Permutation

Array = npt.NDArray[np.float64]

NAN = float("nan")

NO_EFFECT = Effect(NAN, NAN, NAN, NAN, NAN, NAN)


@dataclass(frozen=True)
class Answer:
    """Answer of one contrast.

    Parameters
    ----------
    rows : tuple of ContrastRow
        With unadjusted p values by the test that needs no permutation.
    first, second, what, method, standardised, unit, groups, notes
        As in :class:`raphe.data.results.Contrast`.
    permuted : callable, optional
        Makes the permutation test of the rows, in their order; None for kinds that have none.
    smallest : callable, optional
        Smallest p that a permutation of the people of a row can give.
    citations : tuple of str
    """

    rows: tuple[ContrastRow, ...]
    first: str
    second: str
    what: str
    method: str
    standardised: str = ""
    unit: str | None = None
    groups: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    permuted: Callable[[], Permutation] | None = None
    smallest: Callable[[ContrastRow], float] | None = None
    statistic: Callable[[ContrastRow], OfPeople] | None = None
    """From a row with an estimate to the way to find that again among people who are drawn; None if there is none."""
    arrangement: str = ""
    """What is dealt anew in the permutation test, in words."""
    citations: tuple[str, ...] = field(default=())


def row_of(
    pairs: PairedValues,
    effect: Effect,
    percent: float = NAN,
    *,
    why: Sequence[str] = (),
    standardised: Interval = UNKNOWN,
    groups: tuple[str, ...] = (),
    individual: Array | None = None,
    term: str = "",
    secondary: bool = False,
) -> ContrastRow:
    """Row of a region from its effect."""
    return ContrastRow(
        pairs,
        effect.estimate,
        effect.se,
        effect.df,
        effect.ci_low,
        effect.ci_high,
        effect.p,
        NAN,
        percent,
        "; ".join(part for part in why if part),
        standardised,
        NAN,
        groups,
        np.empty(0) if individual is None else individual,
        term,
        secondary,
    )


def each_region(
    found: Sequence[Sample], answer: Callable[[Sample], Sequence[ContrastRow]], groups: Mapping[str, str] | None = None
) -> tuple[ContrastRow, ...]:
    """Answer region by region; where one cannot be answered, its row says why.

    Raises
    ------
    InputError
        If no region can be answered, with the reason of the first.
    """
    rows: list[ContrastRow] = []
    faults: list[str] = []
    for sample in found:
        try:
            rows += answer(sample)
        except InputError as error:
            arms = tuple(groups[person] for person in sample.people) if groups else ()
            gap = np.full(len(sample), np.nan)
            faults.append(_why(sample, error))
            rows.append(row_of(sample.of(gap, gap), NO_EFFECT, why=faults[-1:], groups=arms))
    if faults and len(faults) == len(found):
        raise InputError(faults[0])
    return tuple(rows)


def _why(sample: Sample, error: InputError) -> str:
    """Why a region has no answer: first that people have no value here, where that may be the reason."""
    lost = {one.participant: one.reason for one in sample.excluded if one.participant not in sample.people}
    if not lost:
        return str(error)
    whole = len(sample) + len(lost)
    reasons = "; ".join(dict.fromkeys(lost.values()))
    if not len(sample):
        return f"none of {whole} people has a usable value in this region ({reasons})"
    return f"{len(sample)} of {whole} people have usable values in this region ({reasons}), and {error}"


def people_table(rows: Sequence[ContrastRow]) -> tuple[tuple[str, ...], Array]:
    """People of all rows, and what each adds in each region, shape (n, n_row); NaN where one lacks it."""
    people = tuple(dict.fromkeys(person for row in rows for person in row.pairs.participants))
    place = {person: at for at, person in enumerate(people)}
    table = np.full((len(people), len(rows)), np.nan)
    for at, row in enumerate(rows):
        if row.individual.size:
            table[[place[person] for person in row.pairs.participants], at] = row.individual
    return people, table
