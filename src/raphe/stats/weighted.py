r"""Means and differences of people whose estimates are not equally sure.

Person i has the estimate :math:`y_i = x_i \beta + u_i + e_i`, where :math:`u_i`, how people differ, has the unknown
variance :math:`\tau^2`, and :math:`e_i`, the error of the estimate, has the known standard error :math:`s_i`. The
variance is found by REML, people are weighted by :math:`1 / (\tau^2 + s_i^2)`, and the variance of the weighted mean is
multiplied by how much the spread exceeds these variances, at least 1, with a t distribution (Hartung and Knapp 2001,
Stat Med 20:3875; Knapp and Hartung 2003, Stat Med 22:2693, who set the bound of 1): the random-effects model of
meta-analysis with people for studies. Where errors differ tenfold and exceed the spread between people, its interval of
12 people covers 94 % (91 % without the bound); in plainer cases 95 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize

from raphe.core.linear_model import LinearFit
from raphe.errors import InputError
from raphe.stats.design import Design
from raphe.stats.effect import Effect, effect
from raphe.stats.interval import RESOLUTION
from raphe.stats.model import FittedModel
from raphe.stats.model_input import check_cells

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Weighted:
    """A weighted mean or difference; the effect is NaN where the data do not give it, and ``why`` in words."""

    effect: Effect
    tau: tuple[float, ...]
    """Standard deviation between people without the errors of their estimates: of all, or of each group."""
    share: float
    """Part of the whole variance that the errors of estimates make up, 0 to 1: mean s**2 over mean (tau**2 + s**2)."""
    why: str = ""


def weighted_mean(value: npt.ArrayLike, se: npt.ArrayLike) -> Weighted:
    """Mean of people, tested against 0.

    Parameters
    ----------
    value, se : array_like, shape (n,)
        Estimates and their standard errors, in one unit; for a change within people, :func:`se_of_change`.

    Raises
    ------
    InputError
        If shapes differ, a value is not finite, or a standard error is not positive.
    """
    y, s = _checked(value, se)
    if y.size < 2:
        return _nothing("one person allows no inference across people")
    if _flat(y):
        return _nothing("all values are equal, so nothing can be tested")
    beta, variance, df, tau2 = random_effects(y, np.ones((y.size, 1)), s)
    told = effect(float(beta[0]), math.sqrt(variance[0, 0]), df)
    return Weighted(told, (math.sqrt(tau2),), _share(s, np.full(s.size, tau2)))


def weighted_difference(
    first: npt.ArrayLike,
    first_se: npt.ArrayLike,
    second: npt.ArrayLike,
    second_se: npt.ArrayLike,
    *,
    pooled: bool = False,
) -> Weighted:
    """Difference of two groups, second minus first.

    Parameters
    ----------
    first, first_se : array_like, shape (n1,)
    second, second_se : array_like, shape (n2,)
    pooled : bool
        One variance between people for both groups; without it each has its own, and the degrees of freedom are
        Welch's.

    Raises
    ------
    InputError
        As :func:`weighted_mean`.
    """
    a, sa = _checked(first, first_se)
    b, sb = _checked(second, second_se)
    if min(a.size, b.size) < 2:
        return _nothing("a group of one person has no spread, so nothing can be tested")
    if _flat(a) or _flat(b):
        return _nothing("all values of a group are equal, so their spread is unknown")
    s = np.concatenate([sa, sb])
    if pooled:
        design = np.column_stack([np.ones(s.size), np.repeat([0.0, 1.0], [a.size, b.size])])
        beta, variance, df, tau2 = random_effects(np.concatenate([a, b]), design, s)
        told = effect(float(beta[1]), math.sqrt(variance[1, 1]), df)
        return Weighted(told, (math.sqrt(tau2),), _share(s, np.full(s.size, tau2)))
    (ma, va, fa, ta), (mb, vb, fb, tb) = (
        random_effects(y, np.ones((y.size, 1)), error) for y, error in ((a, sa), (b, sb))
    )
    pa, pb = float(va[0, 0]), float(vb[0, 0])
    df = (pa + pb) ** 2 / (pa**2 / fa + pb**2 / fb)
    told = effect(float(mb[0] - ma[0]), math.sqrt(pa + pb), df)
    return Weighted(told, (math.sqrt(ta), math.sqrt(tb)), _share(s, np.repeat([ta, tb], [a.size, b.size])))


def fit_random_effects(
    value: npt.ArrayLike, se: npt.ArrayLike, design: Design, subject: Sequence[str] = ()
) -> tuple[FittedModel, Weighted]:
    """Linear model of people with one variance between them besides the errors of their estimates.

    Parameters
    ----------
    value, se : array_like, shape (n,)
    design : Design
        Of n rows.
    subject : sequence of str, length n, optional
        Names for messages.

    Returns
    -------
    FittedModel
        Its effects have the bounded errors of Knapp and Hartung and n - p degrees of freedom.
    Weighted
        Without an effect: the spread between people, and the part of errors.

    Raises
    ------
    InputError
        As :func:`weighted_mean`, if there are as many parameters as people, or one subject is left in a cell.
    """
    y, s = _checked(value, se)
    check_cells(tuple(subject) or tuple(str(row + 1) for row in range(y.size)), design)
    n, p = design.matrix.shape
    if n <= p:
        raise InputError(f"{p} parameters for {n} people leave nothing to judge by; take out covariates")
    beta, variance, df, tau2 = random_effects(y, np.asarray(design.matrix), s)
    told = Weighted(_nothing("").effect, (math.sqrt(tau2),), _share(s, np.full(s.size, tau2)))
    fit = LinearFit(beta, variance, float("nan"), df, y - design.matrix @ beta, float("nan"))
    between = {"variance between people": tau2}
    return FittedModel(design, beta, fit, "random effects", n, n, float("nan"), between), told


def se_of_change(first_se: npt.ArrayLike, second_se: npt.ArrayLike) -> Array:
    """Standard errors of differences between two scans, whose errors are independent."""
    return np.asarray(np.hypot(np.asarray(first_se, dtype=float), np.asarray(second_se, dtype=float)))


def random_effects(y: Array, design: Array, se: Array) -> tuple[Array, Array, float, float]:
    """Coefficients, their Hartung-Knapp covariance, degrees of freedom, and the variance between people by REML.

    Parameters
    ----------
    y, se : ndarray, shape (n,)
    design : ndarray, shape (n, p), p < n, of full rank
    """
    tau2 = _reml(y, design, se)
    beta, residual, inverse, weights = _solved(y, design, se, tau2)
    df = y.size - design.shape[1]
    scale = max(float((weights * residual**2).sum()) / df, 1.0)
    return beta, np.asarray(scale * inverse), float(df), tau2


def _solved(y: Array, design: Array, se: Array, tau2: float) -> tuple[Array, Array, Array, Array]:
    weights = 1 / (tau2 + se**2)
    weighted = weights[:, None] * design
    inverse = np.linalg.inv(design.T @ weighted)
    beta = inverse @ (weighted.T @ y)
    return beta, y - design @ beta, np.asarray(inverse), weights


def _reml(y: Array, design: Array, se: Array) -> float:
    """Variance at which the derivative of the restricted likelihood is 0; 0 where it falls from the start."""

    def slope(tau2: float) -> float:
        _, residual, inverse, weights = _solved(y, design, se, tau2)
        weighted = weights[:, None] * design
        trace = weights.sum() - (inverse * (weighted.T @ weighted)).sum()
        return float(((weights * residual) ** 2).sum() - trace) * unit

    unit = float(np.mean(se**2))
    if slope(0.0) <= 0:
        return 0.0
    high = float(y.var())
    while slope(high) > 0:
        high *= 2
    return float(optimize.brentq(slope, 0.0, high, xtol=1e-14 * high, rtol=1e-13))


def _checked(value: npt.ArrayLike, se: npt.ArrayLike) -> tuple[Array, Array]:
    y, s = np.asarray(value, dtype=float), np.asarray(se, dtype=float)
    if y.ndim != 1 or y.shape != s.shape or y.size == 0:
        raise InputError(f"values and standard errors of shapes {y.shape} and {s.shape}; give one of each a person")
    if not np.isfinite(y).all():
        raise InputError(
            f"{int((~np.isfinite(y)).sum())} of {y.size} people lack a value; leave them out, and say whom"
        )
    wrong = ~(np.isfinite(s) & (s > 0))
    if wrong.any():
        raise InputError(
            f"{int(wrong.sum())} of {s.size} standard errors are missing or not positive, so people cannot be weighted "
            "by them; leave these people out, or compare without weights"
        )
    return y, s


def _flat(y: Array) -> bool:
    return bool(np.ptp(y) <= RESOLUTION * np.abs(y).max())


def _share(s: Array, tau2: Array) -> float:
    return float(np.mean(s**2) / np.mean(s**2 + tau2))


def _nothing(why: str) -> Weighted:
    nan = float("nan")
    return Weighted(Effect(nan, nan, nan, nan, nan, nan), (), nan, why)
