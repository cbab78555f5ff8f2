"""Whether a change is shown to be small, and what may be said when none was shown.

Two one-sided tests (Schuirmann 1987, J Pharmacokinet Biopharm 15:657): the change is shown to lie within a margin if it
is shown to be above the lower and below the upper end. At a level of 5 % that is so where the 90 % interval lies within
the margin. The margin is named before the data are seen: it is the largest change that would not matter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from raphe.errors import InputError
from raphe.stats.correlation import Correlation
from raphe.stats.effect import Effect, effect
from raphe.stats.interval import alike
from raphe.stats.two_groups import two_groups

ALPHA = 0.05
"""Level of each one-sided test, and of the two-sided test of a change."""

NAN = float("nan")


@dataclass(frozen=True)
class Equivalence:
    """Two one-sided tests of one change; NaN where the data do not give a figure, and ``why`` in words."""

    effect: Effect
    """The change and its two-sided test against 0; of a correlation it is r, its 95 % interval and p."""
    margin: tuple[float, float]
    """Changes between which none matters, in the unit of the effect."""
    ci_low: float
    ci_high: float
    """90 % interval, which two one-sided tests at 5 % go by."""
    p_low: float
    """One-sided, that the change is at or below the lower end of the margin."""
    p_high: float
    """One-sided, that it is at or above the upper end."""
    why: str = ""

    @property
    def p(self) -> float:
        """The larger of both; below 0.05 the change is shown to lie within the margin."""
        return math.nan if math.isnan(self.p_low) else max(self.p_low, self.p_high)

    @property
    def equivalent(self) -> bool:
        """Whether the change is shown to lie within the margin."""
        return self.p < ALPHA

    @property
    def differs(self) -> bool:
        """Whether a change is shown."""
        return self.effect.p < ALPHA


def equivalence(found: Effect, margin: float | tuple[float, float], *, why: str = "") -> Equivalence:
    """Two one-sided tests of an estimate whose error has a t distribution.

    Parameters
    ----------
    found : Effect
        Of any linear combination: a paired or Welch difference, a contrast of a model. Parts that are NaN stay so.
    margin : float or tuple of float
        ``m`` for -m to m, or lower and upper end, around 0; in the unit of the effect.
    why : str
        Why the effect could not be tested, if it could not.

    Raises
    ------
    InputError
        If the margin does not hold 0 inside.
    """
    low, high = _margin(margin)
    half = float(stats.t.ppf(1 - ALPHA, found.df)) * found.se
    p_low = float(stats.t.sf((found.estimate - low) / found.se, found.df))
    p_high = float(stats.t.sf((high - found.estimate) / found.se, found.df))
    return Equivalence(found, (low, high), found.estimate - half, found.estimate + half, p_low, p_high, why)


def paired_equivalence(difference: npt.ArrayLike, margin: float | tuple[float, float]) -> Equivalence:
    """Two one-sided paired t tests.

    Parameters
    ----------
    difference : array_like, shape (n,)
        Second minus first; none missing.
    margin : float or tuple of float
        In the unit of the differences.

    Raises
    ------
    InputError
        If a value is not finite or the margin does not hold 0 inside.
    """
    d = np.asarray(difference, dtype=float)
    if d.ndim != 1 or d.size == 0 or not np.isfinite(d).all():
        raise InputError(f"differences of shape {d.shape} with gaps or none; give one finite value for each person")
    if d.size < 2 or alike(d, d):
        why = "one person allows no inference" if d.size < 2 else "all differences are equal, so nothing can be tested"
        return equivalence(Effect(float(d.mean()), NAN, NAN, NAN, NAN, NAN), margin, why=why)
    return equivalence(effect(float(d.mean()), float(d.std(ddof=1)) / math.sqrt(d.size), d.size - 1), margin)


def group_equivalence(first: npt.ArrayLike, second: npt.ArrayLike, margin: float | tuple[float, float]) -> Equivalence:
    """Two one-sided Welch tests of second minus first; parameters as :func:`raphe.stats.two_groups.two_groups`."""
    found = two_groups(first, second)
    untested = math.isnan(found.effect.p)
    return equivalence(found.effect, margin, why=found.why if untested else "")


def correlation_equivalence(found: Correlation, margin: float | tuple[float, float]) -> Equivalence:
    """Two one-sided tests of a correlation by Fisher's z (Goertzen and Cribbie 2010, Br J Math Stat Psychol 63:527).

    Parameters
    ----------
    found : Correlation
        Pearson's or Spearman's, partial or not, with its own standard error of z.
    margin : float or tuple of float
        Correlations, between -1 and 1.

    Raises
    ------
    InputError
        If the margin does not hold 0 inside or leaves -1 to 1, or if the correlation is another.
    """
    low, high = _margin(margin)
    if low <= -1 or high >= 1:
        raise InputError(f"a margin of {low:g} to {high:g} is none for a correlation; give one inside -1 to 1")
    if not found.method.endswith(("pearson", "spearman")):
        raise InputError(f"the error of a {found.method} correlation has no formula; test Pearson's or Spearman's")
    told = Effect(found.r, NAN, float(found.df), found.low, found.high, found.p)
    free = found.n - found.n_covariate - 3
    if math.isnan(found.r) or free < 1 or abs(found.r) >= 1 - 1e-12:
        return Equivalence(told, (low, high), NAN, NAN, NAN, NAN, found.why or "too few people for an interval of r")
    rank = found.method.endswith("spearman")
    z = math.atanh(found.r)
    se = math.sqrt((1 + found.r**2 / 2 if rank else 1.0) / free)
    half = float(stats.norm.ppf(1 - ALPHA)) * se
    p_low = float(stats.norm.sf((z - math.atanh(low)) / se))
    p_high = float(stats.norm.sf((math.atanh(high) - z) / se))
    return Equivalence(told, (low, high), math.tanh(z - half), math.tanh(z + half), p_low, p_high)


def sentence(found: Effect | Equivalence, *, what: str = "a change", unit: str = "", why: str = "") -> str:
    """What may be said of a test, in words; where nothing is shown it says what remains possible.

    Parameters
    ----------
    found : Effect or Equivalence
        The latter where a margin was named before the data were seen.
    what : str
        What was looked for, with its article: ``a change``, ``a difference between ketamine and placebo``.
    unit : str
        Of the estimate, with a space before it where one is wanted: ``" %"``.
    why : str
        Why an effect could not be tested, if it could not.
    """
    test = found.effect if isinstance(found, Equivalence) else found
    why = found.why if isinstance(found, Equivalence) else why
    head = what[0].upper() + what[1:]
    if math.isnan(test.p):
        return f"{head} could not be tested{f': {why}' if why else ''}."
    span = f"{_n(test.ci_low)} to {_n(test.ci_high)}{unit}"
    figures = f"estimate {_n(test.estimate)}{unit}, 95 % interval {span}, {_p(test.p)}"
    shown = test.p < ALPHA
    if not isinstance(found, Equivalence) or math.isnan(found.p):
        if shown:
            return f"{head} is shown ({figures})."
        return f"{head} is not shown ({figures}); the data are compatible with anything in this interval."
    margin = f"the margin of {_n(found.margin[0])} to {_n(found.margin[1])}{unit}"
    ninety = f"90 % interval {_n(found.ci_low)} to {_n(found.ci_high)}{unit}, {_p(found.p)}"
    if shown and found.equivalent:
        return (
            f"{head} is shown ({figures}), and it is shown to lie within {margin} ({ninety}): there, but too small to "
            "matter."
        )
    if found.equivalent:
        return f"{head} is not shown ({figures}); whatever it is, it is shown to lie within {margin} ({ninety})."
    if shown:
        return f"{head} is shown ({figures}); that it lies within {margin} is not shown ({ninety})."
    return (
        f"{head} is not shown ({figures}), nor is it shown to lie within {margin} ({ninety}): the data do not decide, "
        "and are compatible with anything in the 95 % interval."
    )


def _margin(margin: float | tuple[float, float]) -> tuple[float, float]:
    low, high = margin if isinstance(margin, tuple) else (-float(margin), float(margin))
    if not (math.isfinite(low) and math.isfinite(high) and low < 0 < high):
        raise InputError(
            f"a margin of {low:g} to {high:g} does not hold 0; give the largest change that does not matter"
        )
    return float(low), float(high)


def _n(value: float) -> str:
    return f"{value:.3g}"


def _p(p: float) -> str:
    if p > 0.99:
        return "p > 0.99"
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}" if p < 0.0995 else f"p = {p:.2f}"
