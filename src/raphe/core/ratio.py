"""The ratio of two normal values: its standard error by propagation, and the interval of Fieller."""

from __future__ import annotations

import math


def standard_error(top: float, bottom: float, var_top: float, var_bottom: float, covariance: float = 0.0) -> float:
    """Standard error of top / bottom to the first order (delta method); NaN where ``bottom`` is 0."""
    if bottom == 0:
        return math.nan
    ratio = top / bottom
    variance = var_top - 2 * ratio * covariance + ratio**2 * var_bottom
    return math.sqrt(max(variance, 0.0)) / abs(bottom)


def fieller(
    top: float, bottom: float, var_top: float, var_bottom: float, covariance: float, quantile: float
) -> tuple[float, float]:
    """Interval of top / bottom that holds every ratio r for which top - r bottom is within ``quantile`` errors of 0.

    Its level is exact for normal values however poor the bottom is known (Fieller 1954, J R Stat Soc B 16:175), where
    the delta method's is not.

    Parameters
    ----------
    top, bottom : float
    var_top, var_bottom, covariance : float
        Of these two estimates.
    quantile : float
        Of the normal or the t distribution, e.g. 1.96.

    Returns
    -------
    low, high : float
        ``-inf`` and ``inf`` where the bottom cannot be told from 0, so that the ratio has no limits.
    """
    q = quantile**2
    square = bottom**2 - q * var_bottom
    if not square > 0:
        return (math.nan, math.nan) if math.isnan(square) else (-math.inf, math.inf)
    middle = top * bottom - q * covariance
    rest = middle**2 - square * (top**2 - q * var_top)
    half = math.sqrt(max(rest, 0.0))
    return (middle - half) / square, (middle + half) / square
