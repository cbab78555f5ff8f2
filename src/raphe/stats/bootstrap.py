"""Intervals by resampling people, each with all that was measured of them.

(:mod:`raphe.kinetics.bootstrap` repeats the noise of one scan; this module repeats the choice of people.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri, stdtrit

from raphe.errors import InputError
from raphe.stats.arrangements import Labels, codes
from raphe.stats.interval import TAILS

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]
OfPeople = Callable[[Index], float]

KINDS = ("bca", "percentile")

LEAST_REPEATS = 200
"""Fewer repeats do not reach to the ends of a 95 % interval."""

MOST_LOST = 0.2
"""Share of repeats without a value above which there is no interval; an assumption."""

NAN = float("nan")


@dataclass(frozen=True)
class Bootstrap:
    """A statistic of people with its 95 % interval; NaN where there is none, and ``why`` in words."""

    value: float
    low: float
    high: float
    se: float
    """Standard deviation of the repeats."""
    kind: str
    """``bca`` or ``percentile``."""
    n_repeat: int
    n_lost: int
    """Repeats without a finite value, which the interval leaves out."""
    why: str = ""


def bootstrap(
    statistic: OfPeople,
    n: int,
    *,
    arm: Labels | None = None,
    kind: str = "bca",
    expand: bool = True,
    n_repeat: int = 4000,
    seed: int = 1,
) -> Bootstrap:
    r"""Interval of any statistic of ``n`` people, resampled whole and with replacement.

    ``percentile`` takes the 2.5 and 97.5 % quantiles of the repeats. ``bca`` corrects these for bias and skewness
    (Efron 1987, J Am Stat Assoc 82:171); its acceleration comes from leaving each person out, in several arms summed as

    .. math::

        a = \frac{1}{6} \frac{\sum_h \sum_i U_{hi}^3 / n_h^3}{(\sum_h \sum_i U_{hi}^2 / n_h^2)^{3/2}}

    with U the influence of person i of arm h (Davison and Hinkley 1997, eq. 5.29).

    Resampled people differ less than people do, by (n - 1) / n in variance, and their scatter is itself an estimate. So
    the quantiles are taken further out, where the t distribution has them (Hesterberg 2015, Am Stat 69:371): of the
    mean of 20 normal values BCa then covers 94 to 95 % and not 93 %.

    Parameters
    ----------
    statistic : callable
        From numbers of people (with repetition), shape (any,), to the value: ``lambda who: x[who].mean()``.
    n : int
        At least 4.
    arm : sequence, length n, optional
        People are resampled within their arm, so that each repeat has as many of each.
    kind : str
        ``"bca"`` or ``"percentile"``.
    expand : bool
        Whether quantiles are taken further out; without it the interval is that of the textbooks.
    n_repeat : int
        At least :data:`LEAST_REPEATS`.
    seed : int

    Returns
    -------
    Bootstrap
        With few people no bootstrap sees the tails of a skewed distribution.

    Raises
    ------
    InputError
        If there are too few people or repeats, the kind is unknown, or an arm has one person.
    """
    if kind not in KINDS:
        raise InputError(f"there is no bootstrap interval {kind!r}; use {' or '.join(KINDS)}")
    if n < 4 or n_repeat < LEAST_REPEATS:
        raise InputError(f"{n} people and {n_repeat} repeats; a bootstrap needs 4 people and {LEAST_REPEATS} repeats")
    arms = _arms(arm, n)
    value = float(statistic(np.arange(n)))
    random = np.random.default_rng(seed)
    repeats = np.array([statistic(_resampled(arms, n, random)) for _ in range(n_repeat)], dtype=float)
    kept = repeats[np.isfinite(repeats)]
    lost = n_repeat - kept.size
    told = Bootstrap(value, NAN, NAN, NAN, kind, n_repeat, lost)
    if not np.isfinite(value) or lost > MOST_LOST * n_repeat:
        return _without(told, f"{lost} of {n_repeat} repeats have no value")
    if np.ptp(kept) == 0:
        return _without(told, "all repeats are equal")
    quantiles = ndtri(TAILS)
    if expand:
        df = n - len(arms)
        quantiles = stdtrit(df, TAILS) * np.sqrt(n / df)
    tails = ndtr(quantiles)
    if kind == "bca":
        tails = _corrected(kept, value, _acceleration(statistic, arms, n), quantiles)
        if not np.isfinite(tails).all():
            return _without(told, "the value lies outside all repeats, or a person alone decides whether it exists")
    low, high = np.quantile(kept, tails)
    return Bootstrap(value, float(low), float(high), float(kept.std(ddof=1)), kind, n_repeat, lost)


def _without(told: Bootstrap, why: str) -> Bootstrap:
    return Bootstrap(told.value, NAN, NAN, NAN, told.kind, told.n_repeat, told.n_lost, why)


def _arms(arm: Labels | None, n: int) -> list[Index]:
    if arm is None:
        return [np.arange(n)]
    of = codes(arm, n, "arm")
    arms = [np.flatnonzero(of == one) for one in range(int(of.max()) + 1)]
    if min(map(len, arms)) < 2:
        raise InputError("an arm has one person, who would be drawn each time; leave the arm out")
    return arms


def _resampled(arms: Sequence[Index], n: int, random: np.random.Generator) -> Index:
    who = np.empty(n, dtype=np.intp)
    for members in arms:
        who[members] = random.choice(members, members.size)
    return who


def _acceleration(statistic: OfPeople, arms: Sequence[Index], n: int) -> float:
    cubes = squares = 0.0
    for members in arms:
        size = members.size
        without = np.array([statistic(np.delete(np.arange(n), one)) for one in members], dtype=float)
        influence = (size - 1) * (without.mean() - without)
        cubes += float((influence**3).sum()) / size**3
        squares += float((influence**2).sum()) / size**2
    return cubes / (6 * squares**1.5) if squares > 0 else (0.0 if squares == 0 else NAN)


def _corrected(kept: Array, value: float, acceleration: float, quantiles: Array) -> Array:
    """Probabilities at which the quantiles of the repeats are taken; NaN where there are none."""
    below = float(np.mean(kept < value) + np.mean(kept == value) / 2)
    if not 0 < below < 1:
        return np.full(2, np.nan)
    shift = ndtri(below)
    moved = shift + quantiles
    return np.asarray(ndtr(shift + moved / (1 - acceleration * moved)))
