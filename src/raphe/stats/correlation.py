"""Correlation of two measurements of the same people, with its interval and p value."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import permutations

import numpy as np
import numpy.typing as npt
from scipy import stats

from raphe.errors import InputError
from raphe.stats.bootstrap import bootstrap
from raphe.stats.interval import TAILS

Array = npt.NDArray[np.float64]

NAN = float("nan")

EXACT_UP_TO = 9
"""People up to whom the p value of a rank correlation comes from all orders; 9! = 362,880."""

INTERVALS = ("fisher", "bca")

LINE = 1e-12
"""A correlation this near to 1 is one of points on a line, but for rounding."""


@dataclass(frozen=True)
class Correlation:
    """A correlation of ``n`` people; NaN where the data do not give a figure, and ``why`` in words."""

    method: str
    """``pearson``, ``spearman``, ``partial pearson``, ``partial spearman``, ``skipped`` or ``percentage bend``."""
    r: float
    low: float
    high: float
    p: float
    """Two-sided, of no correlation."""
    n: int
    n_covariate: int = 0
    interval: str = "fisher"
    """``fisher``, ``bca`` or ``percentile``."""
    n_outlier: int = 0
    """People whom a skipped correlation leaves out."""
    why: str = ""

    @property
    def df(self) -> int:
        """Degrees of freedom of t = r sqrt(df / (1 - r**2))."""
        return self.n - 2 - self.n_covariate


def pearson(
    x: npt.ArrayLike, y: npt.ArrayLike, *, interval: str = "fisher", n_repeat: int = 4000, seed: int = 1
) -> Correlation:
    """Pearson's correlation: p from t, interval by Fisher's z or by a bootstrap of people.

    t = r sqrt((n - 2) / (1 - r**2)) has n - 2 degrees of freedom, and atanh(r) is normal with standard error
    1 / sqrt(n - 3), if both are normal (Fisher 1921, Metron 1:3).

    Parameters
    ----------
    x, y : array_like, shape (n,), n >= 3
        None missing.
    interval : str
        ``"fisher"`` or ``"bca"`` (:func:`raphe.stats.bootstrap.bootstrap`), which does not take them to be normal.
    n_repeat, seed : int
        Of the bootstrap.

    Raises
    ------
    InputError
        If shapes differ, a value is missing, there are fewer than three people, or the interval is unknown.
    """
    return _correlation("pearson", x, y, None, interval, n_repeat, seed)


def spearman(
    x: npt.ArrayLike, y: npt.ArrayLike, *, interval: str = "fisher", n_repeat: int = 4000, seed: int = 1
) -> Correlation:
    """Spearman's rank correlation; tied values share their mean rank.

    Up to :data:`EXACT_UP_TO` people p is the share of all orders with as large a correlation; beyond, it comes from t
    as in :func:`pearson`. The interval takes atanh(r) to be normal with standard error sqrt((1 + r**2 / 2) / (n - 3))
    (Bonett and Wright 2000, Psychometrika 65:23).

    Parameters and errors are those of :func:`pearson`.
    """
    return _correlation("spearman", x, y, None, interval, n_repeat, seed)


def partial(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    covariates: npt.ArrayLike,
    *,
    method: str = "pearson",
    interval: str = "fisher",
    n_repeat: int = 4000,
    seed: int = 1,
) -> Correlation:
    """Correlation of what is left of two measurements when straight lines in the covariates are taken out of both.

    With k covariates it is the correlation of the residuals; its t has n - 2 - k degrees of freedom and Fisher's z the
    standard error 1 / sqrt(n - k - 3) (Fisher 1924, Metron 3:329). By ranks, x, y and each covariate are ranked first.

    Parameters
    ----------
    x, y : array_like, shape (n,)
    covariates : array_like, shape (n,) or (n, k)
        None missing; no column constant or a combination of the others. Code a class by 0 and 1.
    method : str
        ``"pearson"`` or ``"spearman"``.
    interval, n_repeat, seed
        As in :func:`pearson`.

    Raises
    ------
    InputError
        As :func:`pearson`, and if covariates are confounded or too many for the people.
    """
    if method not in ("pearson", "spearman"):
        raise InputError(f"there is no partial correlation {method!r}; use pearson or spearman")
    table = np.asarray(covariates, dtype=float)
    table = table[:, None] if table.ndim == 1 else table
    return _correlation(method, x, y, table, interval, n_repeat, seed)


def checked(x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Array, Array]:
    """Two measurements of the same people as arrays.

    Raises
    ------
    InputError
        If shapes differ, a value is not finite, or there are fewer than three people.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if x.ndim != 1 or x.shape != y.shape:
        raise InputError(f"measurements of shapes {x.shape} and {y.shape}; give one of each for every person")
    if x.size < 3:
        raise InputError(f"a correlation needs at least three people; there are {x.size}")
    missing = int((~np.isfinite(x) | ~np.isfinite(y)).sum())
    if missing:
        raise InputError(f"{missing} of {x.size} people lack a value; leave them out, and say whom")
    return x, y


def no_spread(x: Array) -> bool:
    """Whether all values are the same, but for rounding."""
    return bool(np.ptp(x) <= 1e-12 * np.abs(x).max())


def from_t(r: float, df: int) -> float:
    """Two-sided p of a correlation by Student's t."""
    return float(2 * stats.t.sf(abs(r) * math.sqrt(df / (1 - r * r)), df))


def of_z(r: float, se: float) -> tuple[float, float]:
    """95 % interval of a correlation whose atanh is normal with a known standard error."""
    z = math.atanh(r)
    low, high = (math.tanh(z + float(stats.norm.ppf(tail)) * se) for tail in TAILS)
    return low, high


def _correlation(
    method: str,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    covariates: Array | None,
    interval: str,
    n_repeat: int,
    seed: int,
) -> Correlation:
    if interval not in INTERVALS:
        raise InputError(f"there is no interval {interval!r} of a correlation; use {' or '.join(INTERVALS)}")
    x, y = checked(x, y)
    others = _checked_covariates(covariates, x.size)
    n, k = x.size, others.shape[1]
    found = Correlation(f"partial {method}" if k else method, NAN, NAN, NAN, NAN, n, k, interval)
    if n - k < 3:
        raise InputError(f"{k} covariates of {n} people leave nothing to correlate; take fewer covariates")
    if no_spread(x) or no_spread(y):
        return replace(found, why="a measurement is the same in all people")
    r = _value(x, y, others, method)
    if math.isnan(r):
        return replace(found, why="the covariates explain a measurement entirely")
    exact = method == "spearman" and k == 0 and n <= EXACT_UP_TO
    found = replace(found, r=r, p=_exact_p(x, y) if exact else NAN)
    if abs(r) > 1 - LINE:
        return replace(found, p=found.p if exact else 0.0, why="the points lie on a line, so r has no interval")
    found = found if exact else replace(found, p=from_t(r, found.df))
    if interval == "bca":
        if n < 4:
            return replace(found, why="an interval needs at least four people")
        repeated = bootstrap(lambda who: _value(x[who], y[who], others[who], method), n, n_repeat=n_repeat, seed=seed)
        return replace(found, low=repeated.low, high=repeated.high, why=repeated.why)
    if n - k < 4:
        return replace(found, why="an interval needs at least four people more than covariates")
    se = math.sqrt((1 + r * r / 2 if method == "spearman" else 1.0) / (n - k - 3))
    low, high = of_z(r, se)
    return replace(found, low=low, high=high)


def _checked_covariates(table: Array | None, n: int) -> Array:
    if table is None:
        return np.empty((n, 0))
    if table.ndim != 2 or len(table) != n:
        raise InputError(f"covariates of shape {table.shape} for {n} people; give one row a person")
    missing = int((~np.isfinite(table)).any(axis=1).sum())
    if missing:
        raise InputError(f"{missing} of {n} people lack a covariate; leave them out, and say whom")
    design = np.column_stack([np.ones(n), table / np.maximum(np.abs(table).max(axis=0), 1e-300)])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise InputError("a covariate is constant or follows from the others; leave it out")
    return table


def _value(x: Array, y: Array, covariates: Array, method: str) -> float:
    if method == "spearman":
        x, y = stats.rankdata(x), stats.rankdata(y)
        covariates = np.apply_along_axis(stats.rankdata, 0, covariates) if covariates.size else covariates
    design = np.column_stack([np.ones(x.size), covariates - covariates.mean(axis=0)])
    both = np.column_stack([x - x.mean(), y - y.mean()])
    left = both - design @ np.linalg.lstsq(design, both, rcond=None)[0]
    size = np.linalg.norm(left, axis=0)
    if (size <= 1e-10 * np.linalg.norm(both, axis=0)).any() or (size == 0).any():
        return NAN
    return float(np.clip(left[:, 0] @ left[:, 1] / (size[0] * size[1]), -1.0, 1.0))


def _exact_p(x: Array, y: Array) -> float:
    """Share of all orders of one in which the rank correlation is at least as far from 0."""
    rank_x, rank_y = stats.rankdata(x), stats.rankdata(y)
    rank_x, rank_y = rank_x - rank_x.mean(), rank_y - rank_y.mean()
    orders = np.array(list(permutations(range(x.size))), dtype=np.int8)
    products = np.abs(rank_x[orders] @ rank_y)
    return float(np.mean(products >= abs(rank_x @ rank_y) - 1e-6))
