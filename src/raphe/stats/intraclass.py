"""Intraclass correlation of repeated measurements."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from raphe.data.results import Interval
from raphe.errors import InputError
from raphe.stats.interval import TAILS

Array = npt.NDArray[np.float64]


FORMS = {
    "1": "ICC(1): one-way random, single measurement",
    "A,1": "ICC(A,1): two-way random, absolute agreement, single measurement",
    "C,1": "ICC(C,1): two-way, consistency, single measurement",
    "k": "ICC(k): one-way random, mean of k measurements",
    "A,k": "ICC(A,k): two-way random, absolute agreement, mean of k measurements",
    "C,k": "ICC(C,k): two-way, consistency, mean of k measurements",
}
"""Forms by the names of McGraw and Wong 1996; Shrout and Fleiss 1979 call them (1,1), (2,1), (3,1), (1,k), ..."""


class MeanSquares(NamedTuple):
    """Mean squares of a two-way layout of n people (rows) by k measurements (columns), one value a cell."""

    rows: float
    """MSR, n - 1 degrees of freedom."""
    columns: float
    """MSC, k - 1 degrees of freedom."""
    error: float
    """MSE, (n - 1)(k - 1) degrees of freedom."""


def mean_squares(table: Array) -> MeanSquares:
    """Two-way analysis of variance without replication.

    Parameters
    ----------
    table : ndarray, shape (n, k), n >= 2, k >= 2
        One row a person, one column a measurement.
    """
    n, k = table.shape
    grand = table.mean()
    rows = table.mean(axis=1, keepdims=True)
    columns = table.mean(axis=0, keepdims=True)
    rest = table - rows - columns + grand
    return MeanSquares(
        rows=float(k * ((rows - grand) ** 2).sum() / (n - 1)),
        columns=float(n * ((columns - grand) ** 2).sum() / (k - 1)),
        error=float((rest**2).sum() / ((n - 1) * (k - 1))),
    )


def absolute_agreement(table: Array) -> Interval:
    r"""ICC(A,1): two-way, absolute agreement, single measurement, with its 95 % confidence interval.

    .. math::

        \mathrm{ICC} = \frac{MSR - MSE}{MSR + (k - 1) MSE + \frac{k}{n} (MSC - MSE)}

    (ICC(2,1) of Shrout and Fleiss 1979, Psychol Bull 86:420; named ICC(A,1) by McGraw and Wong 1996, Psychol Methods
    1:30). The interval is the one of McGraw and Wong's table 7: with r the ICC, a = k r / (n (1 - r)) and
    b = 1 + k r (n - 1) / (n (1 - r)), the sum a MSC + b MSE has about

    .. math::

        v = \frac{(a\,MSC + b\,MSE)^2}{(a\,MSC)^2 / (k - 1) + (b\,MSE)^2 / ((n - 1)(k - 1))}

    degrees of freedom (Satterthwaite), and quantiles of F(n - 1, v) and F(v, n - 1) give the limits. A negative r
    enters a and b as 0, for no variance is negative (ours: with it, v may vanish). Value and limits are bounded below
    by -1 / (k - 1), the least that a correlation among k measurements can be: with few people the formulas may give
    less.

    Parameters
    ----------
    table : ndarray, shape (n, k), n >= 3, k >= 2
        One row a person, one column a measurement; neither all people nor all differences alike.
    """
    n, k = table.shape
    msr, msc, mse = mean_squares(table)
    icc = (msr - mse) / (msr + (k - 1) * mse + k * (msc - mse) / n)
    r = max(icc, 0.0)
    a = k * r / (n * (1 - r))
    b = 1 + k * r * (n - 1) / (n * (1 - r))
    v = (a * msc + b * mse) ** 2 / ((a * msc) ** 2 / (k - 1) + (b * mse) ** 2 / ((n - 1) * (k - 1)))
    f_low, f_high = stats.f.ppf(TAILS[1], n - 1, v), stats.f.ppf(TAILS[1], v, n - 1)
    noise = k * msc + (k * n - k - n) * mse
    low = n * (msr - f_low * mse) / (f_low * noise + n * msr)
    high = n * (f_high * msr - mse) / (noise + n * f_high * msr)
    return Interval(*(max(float(r), -1 / (k - 1)) for r in (icc, low, high)))


def intraclass(table: Array, form: str) -> Interval:
    r"""Intraclass correlation of any form, with its 95 % confidence interval.

    A difference between sessions that all people share counts as error in absolute agreement and in the one-way form,
    which knows no sessions, and does not in consistency. With F the ratio MSR / MSW (one-way; MSW the mean square
    within people) or MSR / MSE (consistency),

    .. math::

        \mathrm{ICC} = \frac{F - 1}{F + k - 1}

    and F over, or times, a quantile of its distribution gives the limits, exactly for normal values; none of them is
    below -1 / (k - 1). The mean of k measurements has :math:`k r / (1 + (k - 1) r)` in place of each r (Spearman and
    Brown), which has no lower bound. (McGraw and Wong 1996, Psychol Methods 1:30, tables 4 and 7.) Absolute agreement
    is :func:`absolute_agreement`.

    Parameters
    ----------
    table : ndarray, shape (n, k), n >= 3, k >= 2
        One row a person, one column a measurement; neither all people nor all differences alike.
    form : str
        One of :data:`FORMS`.

    Raises
    ------
    InputError
        If the form is unknown.
    """
    if form not in FORMS:
        raise InputError(f"there is no intraclass correlation of form {form!r}; use {', '.join(FORMS)}")
    n, k = table.shape
    kind = form.split(",")[0]
    if kind == "A":
        single = absolute_agreement(table)
    else:
        squares = mean_squares(table)
        error, df = squares.error, (n - 1) * (k - 1)
        if kind in ("1", "k"):
            error, df = (squares.columns + (n - 1) * squares.error) / n, n * (k - 1)
        ratio = squares.rows / error
        low, high = ratio / stats.f.ppf(TAILS[1], n - 1, df), ratio * stats.f.ppf(TAILS[1], df, n - 1)
        single = Interval(*(float((f - 1) / (f + k - 1)) for f in (ratio, low, high)))
    if not form.endswith("k"):
        return single
    return Interval(*(_of_mean(r, k) for r in (single.value, single.low, single.high)))


def _of_mean(r: float, k: int) -> float:
    return k * r / (1 + (k - 1) * r) if r > -1 / (k - 1) else -math.inf
