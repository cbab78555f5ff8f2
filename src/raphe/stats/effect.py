"""What a test of one linear combination says."""

from __future__ import annotations

from typing import NamedTuple

from scipy import stats

from raphe.stats.interval import TAILS


class Effect(NamedTuple):
    """An estimate with its t interval and its two-sided p value; NaN where the data do not give them."""

    estimate: float
    se: float
    df: float
    ci_low: float
    ci_high: float
    p: float

    @property
    def t(self) -> float:
        """Estimate over its standard error."""
        return self.estimate / self.se


def effect(estimate: float, se: float, df: float) -> Effect:
    """Test an estimate against 0, its error having a t distribution.

    Parameters
    ----------
    estimate, se : float
        In one unit; ``se`` above 0.
    df : float
        Degrees of freedom, above 0, whole or not.
    """
    half = float(stats.t.ppf(TAILS[1], df)) * se
    p = float(2 * stats.t.sf(abs(estimate) / se, df))
    return Effect(float(estimate), float(se), float(df), float(estimate - half), float(estimate + half), p)
