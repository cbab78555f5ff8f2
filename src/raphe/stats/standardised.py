"""Differences in units of a standard deviation, with intervals by the noncentral t distribution.

An estimate is corrected for its bias by Hedges' factor J (Hedges 1981, J Educ Stat 6:107); the interval is that of the
true difference, which needs no correction: the noncentralities for which the t that was seen is a 97.5 or 2.5 %
quantile (Steiger and Fouladi 1997; Cumming and Finch 2001, Educ Psychol Meas 61:532).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy import optimize, special, stats

from raphe.data.results import Interval
from raphe.errors import InputError
from raphe.stats.interval import TAILS

Array = npt.NDArray[np.float64]


def g_of_groups(first: Array, second: Array) -> Interval:
    """Hedges' g: difference of means over the pooled standard deviation; exact for normal values of equal spread.

    Parameters
    ----------
    first, second : ndarray, shapes (n1,), (n2,), both at least 2
        Not all equal in both groups.
    """
    n1, n2 = first.size, second.size
    df = n1 + n2 - 2
    pooled = math.sqrt((first.var(ddof=1) * (n1 - 1) + second.var(ddof=1) * (n2 - 1)) / df)
    return _interval(float(second.mean() - first.mean()) / pooled, math.sqrt(1 / n1 + 1 / n2), df)


def d_z(difference: Array) -> Interval:
    """Mean difference over the standard deviation of the differences; exact for normal differences.

    It says how sure a paired test is rather than how much a drug does: the better scans repeat, the larger it is.

    Parameters
    ----------
    difference : ndarray, shape (n,), n >= 2
        Second minus first, not all equal.
    """
    n = difference.size
    return _interval(float(difference.mean() / difference.std(ddof=1)), 1 / math.sqrt(n), n - 1)


def d_av(first: Array, second: Array) -> Interval:
    """Mean difference over the root mean variance of both sessions, which is how people differ among each other.

    With r their correlation, d_av over sqrt(2 (1 - r) / n) is about noncentral t with 2 (n - 1) / (1 + r**2) degrees of
    freedom (Cousineau 2020, Quant Methods Psychol 16:418), the same unit as :func:`g_of_groups`.

    Parameters
    ----------
    first, second : ndarray, shape (n,), n >= 3
        Differences and values not all equal.
    """
    n = first.size
    spread = math.sqrt((first.var(ddof=1) + second.var(ddof=1)) / 2)
    # The correlation that goes with the mean variance: var(difference) = 2 spread**2 (1 - r).
    r = 1 - float((second - first).var(ddof=1)) / (2 * spread**2)
    df = 2 * (n - 1) / (1 + r * r)
    return _interval(float(second.mean() - first.mean()) / spread, math.sqrt(2 * (1 - r) / n), df)


def of_model(estimate: float, se: float, sigma: float, df: float) -> Interval:
    """Estimate of a linear model over the standard deviation of its residuals; exact for normal residuals.

    Parameters
    ----------
    estimate, se : float
        ``se`` above 0.
    sigma : float
        Standard deviation of the residuals, above 0.
    df : float
        Degrees of freedom of the residuals.
    """
    return _interval(estimate / sigma, se / sigma, df)


def hedges_factor(df: float) -> float:
    """J(df), by which a standardised difference is multiplied to be unbiased; 1 - 3 / (4 df - 1), exactly."""
    if df <= 1:
        return float("nan")
    return math.exp(special.gammaln(df / 2) - special.gammaln((df - 1) / 2)) / math.sqrt(df / 2)


def noncentralities(t: float, df: float) -> tuple[float, float]:
    """Noncentralities for which t is the 97.5 % and the 2.5 % quantile.

    Raises
    ------
    InputError
        If t is not finite.
    """
    if not math.isfinite(t):
        raise InputError(f"a t of {t} has no noncentrality; the values have no spread")
    if t < 0:
        low, high = noncentralities(-t, df)
        return -high, -low
    reach = 10 + t * 12 / math.sqrt(df)
    low, high = (
        float(optimize.brentq(lambda ncp, p=p: noncentral_cdf(t, df, ncp) - p, t - reach, t + reach, xtol=1e-10))
        for p in (TAILS[1], TAILS[0])
    )
    return low, high


def noncentral_cdf(t: float, df: float, ncp: float) -> float:
    """Noncentral t distribution for t >= 0: P(Z + ncp <= t sqrt(V / df)) averaged over V, chi-square."""
    found = float(stats.nct.cdf(t, df, ncp)) if abs(ncp) < 30 else math.nan
    if math.isfinite(found):
        return found
    share = (np.arange(2000) + 0.5) / 2000
    return float(np.mean(special.ndtr(t * np.sqrt(stats.chi2.ppf(share, df) / df) - ncp)))


def _interval(d: float, unit: float, df: float) -> Interval:
    """``d`` over ``unit`` is t."""
    low, high = noncentralities(d / unit, df)
    return Interval(d * hedges_factor(df), low * unit, high * unit)
