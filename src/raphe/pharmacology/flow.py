"""Whether blood flow or clearance can explain a change of binding: R1 and k2_prime compared between conditions."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy import stats

from raphe.data.pharmacology import FlowCheck
from raphe.data.record import Step
from raphe.data.results import Interval
from raphe.errors import InputError

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
    if parameter not in ("R1", "k2_prime"):
        raise InputError(f"flow is judged by R1 or k2_prime, not by {parameter!r}; name one of them")
    if not margin > 1:
        raise InputError(f"the margin is {margin:g}, and has to be a ratio above 1, such as 1.1")
    a, b = (np.asarray(values, dtype=float) for values in (first, second))
    if a.shape != b.shape or a.ndim != 1:
        raise InputError(f"{parameter} has {a.size} values before and {b.size} after; the same participants are needed")
    if a.size < 2:
        raise InputError(f"a comparison of {parameter} needs two participants, and there is {a.size}; add scans")
    for name, values in (("first", a), ("second", b)):
        for at in np.flatnonzero(~(np.isfinite(values) & (values > 0)))[:1]:
            raise InputError(
                f"{parameter} of participant {at + 1} in the {name} condition is {values[at]:.4g}, and has to be "
                "above 0; leave this participant out of both"
            )
    found = _compared(np.log(b / a), parameter, margin)
    return found, Step(
        "flow_check", {"parameter": parameter, "n": int(a.size), "margin": margin}, citations=("schuirmann1987",)
    )


def _compared(change: npt.NDArray[np.float64], parameter: str, margin: float) -> FlowCheck:
    n, mean = change.size, float(change.mean())
    se = float(change.std(ddof=1)) / math.sqrt(n)
    limit = math.log(margin)
    if se <= ROUNDING:  # all ratios alike: nothing is left to chance
        p, p_equivalence = float(abs(mean) <= ROUNDING), float(abs(mean) >= limit)
    else:
        p = float(2 * stats.t.sf(abs(mean) / se, n - 1))
        p_equivalence = float(stats.t.sf((limit - abs(mean)) / se, n - 1))
    wide, narrow = (
        Interval(math.exp(mean), *(math.exp(mean + sign * stats.t.ppf(q, n - 1) * se) for sign in (-1, 1)))
        for q in (1 - LEVEL / 2, 1 - LEVEL)
    )
    equivalent = p_equivalence < LEVEL
    return FlowCheck(
        parameter,
        n,
        wide,
        narrow,
        p,
        p_equivalence,
        margin,
        equivalent,
        _sentence(parameter, wide, p, equivalent, margin),
    )


def _sentence(parameter: str, ratio: Interval, p: float, equivalent: bool, margin: float) -> str:
    text = (
        f"{parameter} changed by {100 * (ratio.value - 1):+.1f} % (95 % interval {100 * (ratio.low - 1):+.1f} to "
        f"{100 * (ratio.high - 1):+.1f} %, p = {p:.2g})"
    )
    what = "delivery" if parameter == "R1" else "clearance from the reference"
    within = f"within {100 * (1 / margin - 1):.0f} and +{100 * (margin - 1):.0f} %"
    if equivalent and p < LEVEL:
        return f"{text}: {what} changed, but by less than the margin ({within}), so that it explains little of a change"
    if equivalent:
        return f"{text}: {what} is shown to be the same {within}, so that it does not explain a change of binding"
    if p < LEVEL:
        return f"{text}: {what} changed, and a change of binding may come from it"
    return (
        f"{text}: no change of {what} is shown, but neither is its absence ({within}), so that it is not ruled out as "
        "an explanation"
    )
