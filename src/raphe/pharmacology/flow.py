"""Whether blood flow or clearance can explain a change of binding: R1 and k2_prime compared between conditions."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from raphe.data.pharmacology import FlowCheck
from raphe.data.record import Step
from raphe.data.results import Interval
from raphe.errors import InputError

Array = npt.NDArray[np.float64]

PARAMETERS = ("R1", "k2_prime")
"""By which flow is judged: delivery relative to the reference, and clearance from the reference."""

LEVEL = 0.05

ROUNDING = 1e-12
"""Standard error of a logarithm under which all ratios are alike."""


def flow_check(
    first: npt.ArrayLike, second: npt.ArrayLike, *, parameter: str = "R1", margin: float = 1.1
) -> tuple[FlowCheck, Step]:
    """Compare R1 or k2_prime of the same participants between two conditions, for change and for equivalence.

    The ratio is the geometric mean of second over first, by a paired t test of logarithms. Equivalence is shown by two
    one-sided tests (Schuirmann 1987, J Pharmacokinet Biopharm 15:657) where the whole 90 % interval lies within 1 /
    ``margin`` and ``margin``. "Not shown to change" and "shown not to change" are told apart.

    Parameters
    ----------
    first, second : array_like, shape (n,)
        n >= 2, in the same order.
    parameter : str
        ``"R1"`` or ``"k2_prime"``.
    margin : float
        Largest ratio that counts as no change; 1.1 is an assumption.

    Raises
    ------
    InputError
        For lengths that differ, fewer than two participants, values that are missing or not above 0, a margin that is
        not above 1, or another parameter.
    """
    change = _changes(first, second, parameter, margin)
    if change.size < 2:
        raise InputError(f"a comparison of {parameter} needs two participants, and there is {change.size}; add scans")
    spread = _Spread(float(change.mean()), float(change.std(ddof=1)) / math.sqrt(change.size), change.size - 1)
    found = _compared(spread, change.size, parameter, margin)
    return found, Step(
        "flow_check", {"parameter": parameter, "n": int(change.size), "margin": margin}, citations=("schuirmann1987",)
    )


def flow_check_of_arms(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    in_second: npt.ArrayLike,
    *,
    arms: tuple[str, str],
    parameter: str = "R1",
    margin: float = 1.1,
) -> tuple[FlowCheck, Step]:
    """Compare the change of R1 or k2_prime of one arm with that of another, for difference and for equivalence.

    The ratio is that of the arms' geometric mean changes, by Welch's t test of logarithms.

    Parameters
    ----------
    first, second : array_like, shape (n,)
        Values before and after, of the people of both arms.
    in_second : array_like of bool, shape (n,)
        Who is in the second of ``arms``.
    arms : (str, str)
        The ratio is the second's over the first's.
    parameter, margin
        As for :func:`flow_check`.

    Raises
    ------
    InputError
        As :func:`flow_check`, and for fewer than two participants in an arm.
    """
    change, later = _changes(first, second, parameter, margin), np.asarray(in_second, dtype=bool)
    groups = change[~later], change[later]
    for arm, group in zip(arms, groups, strict=True):
        if group.size < 2:
            raise InputError(f"{parameter} of two arms needs two participants in each, and {arm} has {group.size}")
    variances = [float(group.var(ddof=1)) / group.size for group in groups]
    total = sum(variances)
    parts = [variance**2 / (group.size - 1) for variance, group in zip(variances, groups, strict=True)]
    df = total**2 / sum(parts) if total > ROUNDING**2 else float(change.size - 2)
    spread = _Spread(float(groups[1].mean() - groups[0].mean()), math.sqrt(total), df)
    found = _compared(spread, change.size, parameter, margin, arms)
    return found, Step(
        "flow_check",
        {"parameter": parameter, "n": int(change.size), "margin": margin, "arms": arms},
        citations=("schuirmann1987", "welch1947"),
    )


class _Spread(NamedTuple):
    """Mean of logarithms of ratios, its standard error and its degrees of freedom."""

    mean: float
    se: float
    df: float


def _changes(first: npt.ArrayLike, second: npt.ArrayLike, parameter: str, margin: float) -> Array:
    """Logarithm of each participant's ratio of second to first."""
    if parameter not in PARAMETERS:
        raise InputError(f"flow is judged by R1 or k2_prime, not by {parameter!r}; name one of them")
    if not margin > 1:
        raise InputError(f"the margin is {margin:g}, and has to be a ratio above 1, such as 1.1")
    a, b = (np.asarray(values, dtype=float) for values in (first, second))
    if a.shape != b.shape or a.ndim != 1:
        raise InputError(f"{parameter} has {a.size} values before and {b.size} after; the same participants are needed")
    for name, values in (("first", a), ("second", b)):
        for at in np.flatnonzero(~(np.isfinite(values) & (values > 0)))[:1]:
            raise InputError(
                f"{parameter} of participant {at + 1} in the {name} condition is {values[at]:.4g}, and has to be "
                "above 0; leave this participant out of both"
            )
    return np.asarray(np.log(b / a))


def _compared(spread: _Spread, n: int, parameter: str, margin: float, arms: tuple[str, str] | None = None) -> FlowCheck:
    mean, se, df = spread
    limit = math.log(margin)
    if se <= ROUNDING:  # all ratios alike: nothing is left to chance
        p, p_equivalence = float(abs(mean) <= ROUNDING), float(abs(mean) >= limit)
    else:
        p = float(2 * stats.t.sf(abs(mean) / se, df))
        p_equivalence = float(stats.t.sf((limit - abs(mean)) / se, df))
    wide, narrow = (
        Interval(math.exp(mean), *(math.exp(mean + sign * stats.t.ppf(q, df) * se) for sign in (-1, 1)))
        for q in (1 - LEVEL / 2, 1 - LEVEL)
    )
    equivalent = p_equivalence < LEVEL
    told = _sentence(parameter, wide, p, equivalent, margin, arms)
    return FlowCheck(parameter, n, wide, narrow, p, p_equivalence, margin, equivalent, told)


def _sentence(
    parameter: str, ratio: Interval, p: float, equivalent: bool, margin: float, arms: tuple[str, str] | None
) -> str:
    than, more = (f" in arm {arms[1]} relative to arm {arms[0]}", "differently") if arms else ("", "")
    text = (
        f"{parameter} changed by {100 * (ratio.value - 1):+.1f} %{than} (95 % interval {100 * (ratio.low - 1):+.1f} to "
        f"{100 * (ratio.high - 1):+.1f} %, p {'< 0.001' if p < 0.001 else f'= {p:.3f}'})"
    )
    what = "delivery" if parameter == "R1" else "clearance from the reference"
    within = f"within {100 * (1 / margin - 1):.0f} and +{100 * (margin - 1):.0f} %"
    changed = " ".join(filter(None, ("changed", more)))
    of = "a difference of changes" if arms else "a change"
    if equivalent and p < LEVEL:
        return f"{text}: {what} {changed}, but by less than the margin ({within}), so that it explains little of {of}"
    if equivalent:
        same = "to change alike in both arms" if arms else "to be the same"
        return f"{text}: {what} is shown {same} {within}, so that it explains little of {of} of binding"
    if p < LEVEL:
        return f"{text}: {what} {changed}, and {of} of binding may come from it"
    return (
        f"{text}: no {'difference' if arms else 'change'} of {what} is shown, but neither is its absence ({within}), "
        "so that it is not ruled out as an explanation"
    )
