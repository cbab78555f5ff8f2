"""Receptor number and endogenous ligand told apart, by a design with four conditions."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy import stats

from raphe.core.ratio import fieller
from raphe.data.pharmacology import Separated
from raphe.data.record import Step
from raphe.data.results import Interval
from raphe.errors import InputError
from raphe.pharmacology.competition import check_conditions
from raphe.pharmacology.occupancy import quantile

Array = npt.NDArray[np.float64]

NAN = float("nan")

Function = tuple[float, tuple[float, ...]]
"""A function of the four means and its gradient."""

CITATIONS = ("laruelle2000", "fieller1954")


def separate_by_release(
    baseline: npt.ArrayLike,
    drug: npt.ArrayLike,
    release: npt.ArrayLike,
    both: npt.ArrayLike,
    *,
    se: tuple[float, float, float, float] | None = None,
) -> tuple[Separated, Step]:
    """Tell receptors from ligand by a releaser (such as fenfluramine), given with and without the drug.

    1 / BP_ND = (1 + theta0 (n - 1)) / (f BP_ND0) is linear in the ligand. If the releaser adds as much ligand under the
    drug as without it, the rise of 1 / BP_ND that it causes is 1 / f times as large under the drug. So
    f = (1/BP(release) - 1/BP(baseline)) / (1/BP(both) - 1/BP(drug)), and 1 + theta0 (n - 1) = f BP(baseline) /
    BP(drug). That the releaser adds the same amount is an assumption; a drug that empties the same store breaks it.

    Parameters
    ----------
    baseline, drug, release, both : array_like, shape (n,)
        BP_ND of the same participants in the same order in the four conditions; or one number each.
    se : tuple of four floats, optional
        Standard errors, for one number each.

    Returns
    -------
    Separated
        Intervals are Fieller's at 95 %; infinite ends where the releaser's effect under the drug cannot be told from 0.
    Step

    Raises
    ------
    InputError
        For lengths that differ, values that are not above 0, or one participant without standard errors.
    """
    values = _conditions(baseline=baseline, drug=drug, release=release, both=both)
    covariance, df = _uncertainty(values, se)
    b, d, r, c = values.mean(axis=1)
    rises: tuple[Function, Function] = (
        (1 / r - 1 / b, (1 / b**2, 0, -1 / r**2, 0)),
        (1 / c - 1 / d, (0, 1 / d**2, 0, -1 / c**2)),
    )
    shares: tuple[Function, Function] = (b / r - 1, (1 / r, 0, -b / r**2, 0)), (d / c - 1, (0, 1 / c, 0, -d / c**2))
    receptors, load = (_ratio_of(top, bottom, covariance, df) for top, bottom in (rises, shares))
    p = [_p_of_one(top, bottom, covariance, df) for top, bottom in (rises, shares)]
    extra = Interval(load.value - 1, load.low - 1, load.high - 1)
    unknown = Interval(NAN, NAN, NAN)
    told = _told("a releaser with and without the drug", receptors, extra)
    if not math.isfinite(receptors.high):
        told = (
            "the releaser's effect under the drug cannot be told from none, so that this design sets no limits to "
            "either change: receptor number and ligand stay inseparable here"
        )
    found = Separated("release", values.shape[1], receptors, extra, unknown, unknown, told, *p)
    return found, Step("separation", {"design": "release", "n": int(values.shape[1])}, citations=CITATIONS)


def separate_by_depletion(
    baseline: npt.ArrayLike,
    drug: npt.ArrayLike,
    depleted: npt.ArrayLike,
    depleted_drug: npt.ArrayLike,
    *,
    se: tuple[float, float, float, float] | None = None,
) -> tuple[Separated, Step]:
    """Tell receptors from ligand by scans after the ligand was depleted, with and without the drug.

    Without ligand BP_ND is B_max over the affinity, so f = BP(depleted, drug) / BP(depleted); theta0 = 1 -
    BP(baseline) / BP(depleted); 1 + theta0 (n - 1) = f BP(baseline) / BP(drug). Depletion is taken as
    complete, or as equal in both.

    Parameters and errors are as for :func:`separate_by_release`.

    Returns
    -------
    Separated
        With theta0 and the fold change of the ligand, which hold for complete depletion alone.
    Step
    """
    values = _conditions(baseline=baseline, drug=drug, depleted=depleted, depleted_drug=depleted_drug)
    covariance, df = _uncertainty(values, se)
    b, d, e, g = values.mean(axis=1)
    bare: tuple[Function, Function] = (g, (0, 0, 0, 1)), (e, (0, 0, 1, 0))
    loads: tuple[Function, Function] = (g * b, (g, 0, 0, b)), (e * d, (0, e, d, 0))
    receptors, load = (_ratio_of(top, bottom, covariance, df) for top, bottom in (bare, loads))
    p = [_p_of_one(top, bottom, covariance, df) for top, bottom in (bare, loads)]
    free = _ratio_of((b, (1, 0, 0, 0)), (e, (0, 0, 1, 0)), covariance, df)
    theta0 = Interval(1 - free.value, 1 - free.high, 1 - free.low)
    fold = _ratio_of((g * b / d - b, (g / d - 1, -g * b / d**2, 0, b / d)), (e - b, (-1, 0, 1, 0)), covariance, df)
    extra = Interval(load.value - 1, load.low - 1, load.high - 1)
    told = _told("scans after depletion with and without the drug", receptors, extra)
    if theta0.low <= 0:
        told += "; depletion did not raise BP_ND beyond doubt, so that theta0 and the fold of the ligand are not known"
    found = Separated("depletion", values.shape[1], receptors, extra, theta0, fold, told, *p)
    return found, Step("separation", {"design": "depletion", "n": int(values.shape[1])}, citations=CITATIONS)


def _conditions(**conditions: npt.ArrayLike) -> Array:
    found = {name: np.atleast_1d(np.asarray(values, dtype=float)) for name, values in conditions.items()}
    check_conditions(found)
    return np.stack(list(found.values()))


def _uncertainty(values: Array, se: tuple[float, float, float, float] | None) -> tuple[Array, float]:
    """Covariance of the four means, shape (4, 4), and its degrees of freedom."""
    n = values.shape[1]
    if n > 1:
        return np.cov(values) / n, n - 1
    if se is None:
        raise InputError("one participant needs the standard errors of all four values (se)")
    return np.diag(np.square(np.asarray(se, dtype=float))), math.inf


def _ratio_of(top: Function, bottom: Function, covariance: Array, df: float) -> Interval:
    """Ratio of two functions of the four means."""
    spread = _spread(top, bottom, covariance)
    low, high = fieller(top[0], bottom[0], spread[0, 0], spread[1, 1], spread[0, 1], quantile(df))
    return Interval(top[0] / bottom[0] if bottom[0] != 0 else NAN, low, high)


def _p_of_one(top: Function, bottom: Function, covariance: Array, df: float) -> float:
    """Two-sided p of a ratio of 1: below 0.05 where the interval of Fieller leaves 1 out.

    NaN where there is no spread, or the bottom cannot be told from 0, so that the interval has no ends.
    """
    spread = _spread(top, bottom, covariance)
    variance = float(spread[0, 0] + spread[1, 1] - 2 * spread[0, 1])
    if not (variance > 0 and bottom[0] ** 2 > quantile(df) ** 2 * spread[1, 1]):
        return NAN
    return float(2 * stats.t.sf(abs(top[0] - bottom[0]) / math.sqrt(variance), df))


def _spread(top: Function, bottom: Function, covariance: Array) -> Array:
    """Covariance of two functions of the means, shape (2, 2)."""
    gradients = np.array([top[1], bottom[1]], dtype=float)
    return np.asarray(gradients @ covariance @ gradients.T)


def _told(design: str, receptors: Interval, extra: Interval) -> str:
    parts = []
    for what, interval, none in (
        ("B_max ratio", receptors, 1.0),
        ("theta0 (n - 1)", extra, 0.0),
    ):
        shown = (
            "a change is shown"
            if interval.low > none or interval.high < none
            else "no change is shown, which is not none"
        )
        parts.append(f"{what} {interval.value:.2f} ({interval.low:.2f} to {interval.high:.2f}): {shown}")
    return f"by {design}, receptor number and endogenous ligand can be told apart; {'; '.join(parts)}"
