"""Intraclass correlation of repeated measurements."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from raphe.data.results import Interval
from raphe.stats.interval import TAILS

Array = npt.NDArray[np.float64]


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
    enters a and b as 0, for no variance is negative (ours: with it, v may vanish).

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
    return Interval(float(icc), float(low), float(high))
