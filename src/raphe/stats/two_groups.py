"""Difference of two groups of people."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from raphe.data.results import Interval
from raphe.errors import InputError
from raphe.stats.effect import Effect, effect
from raphe.stats.interval import TAILS, alike, unknown
from raphe.stats.standardised import g_of_groups

Array = npt.NDArray[np.float64]

NAN = float("nan")
NONE = Effect(NAN, NAN, NAN, NAN, NAN, NAN)

VARIANCES = ("welch", "pooled")


@dataclass(frozen=True)
class GroupDifference:
    """Second group minus first; NaN where the data do not give a figure, and ``why`` in words."""

    variances: str
    """``welch`` (a variance for each group) or ``pooled`` (one for both)."""
    n: tuple[int, int]
    mean: tuple[float, float]
    sd: tuple[float, float]
    effect: Effect
    """Difference of means in the unit of the values, with its t test."""
    percent: Interval
    """The same in per cent of the mean of the first group."""
    g: Interval
    """The same in pooled standard deviations, Hedges' g."""
    why: str = ""


def two_groups(first: npt.ArrayLike, second: npt.ArrayLike, *, variances: str = "welch") -> GroupDifference:
    r"""Compare the means of two groups by Welch's t test, or by Student's.

    Welch's standard error is :math:`\sqrt{s_1^2/n_1 + s_2^2/n_2}` with

    .. math::

        \nu = \frac{(s_1^2/n_1 + s_2^2/n_2)^2}{(s_1^2/n_1)^2/(n_1 - 1) + (s_2^2/n_2)^2/(n_2 - 1)}

    degrees of freedom (Welch 1947, Biometrika 34:28); it keeps its level where the groups differ in spread and number,
    which Student's does not, and loses little where they do not. The interval of the per cent difference is Fieller's
    (1954, J R Stat Soc B 16:175); g is :func:`raphe.stats.standardised.g_of_groups`.

    Parameters
    ----------
    first, second : array_like, shapes (n1,), (n2,)
        None missing. Changes from baseline do as well as values, but then per cent of the first group has no meaning
        where its mean change is near 0, and is NaN.
    variances : str
        ``"welch"`` or ``"pooled"``.

    Raises
    ------
    InputError
        If a value is not finite, a group is empty, or ``variances`` is unknown.
    """
    if variances not in VARIANCES:
        raise InputError(f"groups cannot be compared with variances {variances!r}; use {' or '.join(VARIANCES)}")
    a, b = _group(first, "first"), _group(second, "second")
    means = float(a.mean()), float(b.mean())
    sds = tuple(float(x.std(ddof=1)) if x.size > 1 else NAN for x in (a, b))
    told = NONE._replace(estimate=means[1] - means[0])
    reasons = []
    percent = g = unknown()
    if min(a.size, b.size) < 2:
        reasons.append("a group of one person has no spread, so nothing can be tested")
    elif alike(a, a) and alike(b, b):
        reasons.append("all values of a group are equal in both groups, so nothing can be tested")
    else:
        se, df, (va, vb) = _error(a, b, variances)
        told = effect(means[1] - means[0], se, df)
        percent, reason = _ratio(means, va, vb, df)
        reasons += [reason] if reason else []
        g = g_of_groups(a, b)
    return GroupDifference(variances, (a.size, b.size), means, (sds[0], sds[1]), told, percent, g, "; ".join(reasons))


def _group(values: npt.ArrayLike, which: str) -> Array:
    x = np.asarray(values, dtype=float)
    if x.ndim != 1 or x.size == 0:
        raise InputError(f"the {which} group has shape {x.shape}; give one value for each of its people")
    missing = int((~np.isfinite(x)).sum())
    if missing:
        raise InputError(
            f"{missing} of {x.size} people of the {which} group lack a value; leave them out, and say whom"
        )
    return x


def _error(a: Array, b: Array, variances: str) -> tuple[float, float, tuple[float, float]]:
    """Standard error of the difference, degrees of freedom, and variances of both means."""
    va, vb = float(a.var(ddof=1)) / a.size, float(b.var(ddof=1)) / b.size
    df = float(a.size + b.size - 2)
    if variances == "pooled":
        pooled = float(a.var(ddof=1) * (a.size - 1) + b.var(ddof=1) * (b.size - 1)) / df
        va, vb = pooled / a.size, pooled / b.size
    else:
        df = (va + vb) ** 2 / (va**2 / (a.size - 1) + vb**2 / (b.size - 1))
    return math.sqrt(va + vb), df, (va, vb)


def _ratio(means: tuple[float, float], va: float, vb: float, df: float) -> tuple[Interval, str]:
    """Second mean in per cent of the first, minus 100, with Fieller's interval; and why there is none."""
    t2 = float(stats.t.ppf(TAILS[1], df)) ** 2
    if means[0] <= 0:
        return unknown(), "the mean of the first group is not positive, so a per cent of it has no meaning"
    value = 100 * (means[1] / means[0] - 1)
    size = means[0] ** 2 - t2 * va
    if size <= 0:
        return unknown(value), "the mean of the first group may be 0, so the per cent difference has no interval"
    inner = (means[0] * means[1]) ** 2 - size * (means[1] ** 2 - t2 * vb)
    low, high = ((means[0] * means[1] + sign * math.sqrt(max(inner, 0.0))) / size for sign in (-1, 1))
    return Interval(value, 100 * (low - 1), 100 * (high - 1)), ""
