"""Power, number of people, detectable change and precision of the designs of receptor studies.

All tests are two-sided t tests of normal values (a correlation's is Pearson's), as they are made by
:mod:`raphe.stats.two_groups` and its neighbours. What is exact is so for any number of people; where people respond
unlike (``response`` above 0) and groups are compared, Welch's degrees of freedom at the true variances stand in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import integrate, optimize, special, stats

from raphe.errors import InputError
from raphe.stats.interval import CONFIDENCE
from raphe.stats.scatter import Scatter
from raphe.stats.standardised import noncentral_cdf

Array = npt.NDArray[np.float64]

KINDS = {
    "paired": "change within people",
    "groups": "difference of two groups",
    "ancova": "difference of two groups after, given baseline",
    "interaction": "difference of two changes within people (2 x 2, four scans)",
    "correlation": "correlation across people",
    "equivalence": "change shown to lie within a margin (two one-sided tests)",
}
"""Designs, and what is tested in each."""

MOST = 100_000
"""People above whom no number is sought."""

_PLACES, _WEIGHTS = np.polynomial.legendre.leggauss(60)
SHARES, WEIGHTS = (1 + _PLACES) / 2, _WEIGHTS / 2
"""Probabilities at which a mean over a distribution is taken, and what each counts."""


@dataclass(frozen=True)
class Design:
    """How the study is laid out.

    Parameters
    ----------
    kind : str
        One of :data:`KINDS`.
    allocation : tuple of float, optional
        People of the second group (drug) to those of the first, ``(2, 1)`` for 2:1; groups, ancova, and equivalence of
        two groups.
    outcome : str
        ``"change"`` or ``"post"``: what groups are compared in.
    alpha : float
        Two-sided level; of each one-sided test in equivalence.

    Raises
    ------
    InputError
        If a part is unknown or out of range.
    """

    kind: str
    allocation: tuple[float, float] | None = None
    outcome: str = "change"
    alpha: float = 0.05

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"there is no design {self.kind!r}; use {', '.join(KINDS)}")
        if self.outcome not in ("change", "post"):
            raise InputError(f"groups cannot be compared in {self.outcome!r}; use change or post")
        if not 0 < self.alpha < 0.5:
            raise InputError(f"a level of {self.alpha:g} is none; give one between 0 and 0.5, such as 0.05")
        if self.allocation is not None and not all(math.isfinite(a) and a > 0 for a in self.allocation):
            raise InputError(f"an allocation of {self.allocation[0]:g}:{self.allocation[1]:g} leaves an arm empty")
        if self.allocation is not None and self.kind not in ("groups", "ancova", "equivalence"):
            raise InputError(f"design {self.kind} has one group, so it takes no allocation")
        if self.kind in ("groups", "ancova") and self.allocation is None:
            object.__setattr__(self, "allocation", (1.0, 1.0))

    @property
    def grouped(self) -> bool:
        """Whether people are in two groups."""
        return self.kind in ("groups", "ancova") or self.allocation is not None

    @property
    def least(self) -> int:
        """Fewest people with whom it can be tested."""
        return {"ancova": 5, "correlation": 4}.get(self.kind, 4 if self.grouped else 2)

    def split(self, n: int) -> tuple[int, int]:
        """People of the second and of the first group, at least two each; all and 0 in one group."""
        if not self.grouped or self.allocation is None:
            return n, 0
        a, b = self.allocation
        second = min(max(math.floor(n * a / (a + b) + 0.5), 2), n - 2)
        return second, n - second


@dataclass(frozen=True)
class Error:
    """Of an estimate: its standard error, and the degrees of freedom of its own estimate."""

    se: float
    df: float
    exact: bool = True


def power(design: Design, spread: Scatter | None, n: int, change: float) -> float:
    """Probability that a true change is shown.

    Parameters
    ----------
    design : Design
    spread : Scatter or None
        None for a correlation as it is seen; with a scatter, ``change`` is the correlation with people's true values,
        and what is seen is smaller by sqrt(ICC).
    n : int
        People in all.
    change : float
        In the unit of the scatter; a correlation; or the margin, -change to change, of equivalence, with a true change
        of 0.

    Raises
    ------
    InputError
        If there are too few people, the scatter does not tell what the design needs, or the change is out of range.
    """
    _check(design, spread, n)
    if not math.isfinite(change) or (design.kind == "correlation" and abs(change) >= 1):
        raise InputError(
            f"a {'correlation' if design.kind == 'correlation' else 'change'} of {change:g} is not possible"
        )
    if design.kind == "correlation":
        return _correlation_power(abs(change) * _attenuation(spread), n, design.alpha)
    error = standard_error(design, _known(spread), n)
    if design.kind == "equivalence":
        return _within_margin(abs(change) / error.se, error.df, design.alpha)
    if design.kind == "ancova":
        # What baseline imbalance leaves of the information is a beta variable; power is the mean over it.
        left = special.betaincinv((n - 2) / 2, 0.5, SHARES)
        return float(WEIGHTS @ _rejected(abs(change) / error.se * np.sqrt(left), error.df, design.alpha))
    return float(_rejected(np.array([abs(change) / error.se]), error.df, design.alpha)[0])


def detectable(design: Design, spread: Scatter | None, n: int, wanted: float) -> float:
    """Smallest true change that is shown with the probability ``wanted``; of equivalence, the smallest margin.

    Raises
    ------
    InputError
        As :func:`power`; if the probability is not between the level and 1.
    """
    _check(design, spread, n)
    _check_power(design, wanted)
    if design.kind == "correlation":
        top = 1 - 1e-9
        if power(design, spread, n, top) < wanted:
            return math.nan
    else:
        top = standard_error(design, _known(spread), n).se * 4
        while power(design, spread, n, top) < wanted:
            top *= 2
    return float(optimize.brentq(lambda change: power(design, spread, n, change) - wanted, 0.0, top, rtol=1e-12))


def needed(design: Design, spread: Scatter | None, change: float, wanted: float) -> int:
    """Fewest people with whom a true change is shown with at least the probability ``wanted``.

    Raises
    ------
    InputError
        As :func:`detectable`; if the change is 0 or needs more than :data:`MOST` people.
    """
    _check_power(design, wanted)
    if change == 0:
        raise InputError("a change of 0 cannot be shown with any number of people; give the smallest that matters")

    def enough(n: int) -> bool:
        return power(design, spread, n, change) >= wanted - 1e-9

    high = design.least
    while not enough(high):
        if high >= MOST:
            raise InputError(f"a change of {change:g} needs more than {MOST} people; look for a larger one")
        high = min(2 * high, MOST)
    low = max(high // 2, design.least - 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def half_width(design: Design, spread: Scatter | None, n: int, change: float = 0.0) -> float:
    """Mean half-width of the 95 % interval: of the change, or of a correlation by Fisher's z at ``change``.

    For equivalence it is that of the 90 % interval by which it is judged.

    Raises
    ------
    InputError
        As :func:`power`.
    """
    _check(design, spread, n)
    tail = 1 - design.alpha if design.kind == "equivalence" else (1 + CONFIDENCE) / 2
    if design.kind == "correlation":
        z = math.atanh(change * _attenuation(spread))
        half = float(stats.norm.ppf(tail)) / math.sqrt(n - 3)
        return (math.tanh(z + half) - math.tanh(z - half)) / 2
    error = standard_error(design, _known(spread), n)
    df = error.df
    # The mean of an estimated standard deviation lies below the true one.
    below = math.sqrt(2 / df) * math.exp(special.gammaln((df + 1) / 2) - special.gammaln(df / 2))
    wider = 1.0
    if design.kind == "ancova":
        wider = float(WEIGHTS @ (1 / np.sqrt(special.betaincinv((n - 2) / 2, 0.5, SHARES))))
    return float(stats.t.ppf(tail, df)) * error.se * below * wider


def least_p(design: Design, n: int) -> float:
    """Smallest two-sided p of a permutation test of the design: sign flips, or the exchange of groups or scores."""
    if design.kind == "correlation":
        return math.exp(-special.gammaln(n + 1))
    second, first = design.split(n)
    if first:
        return (2 if first == second else 1) / math.comb(n, second)
    return 2.0 ** (1 - n)


def standard_error(design: Design, spread: Scatter, n: int) -> Error:
    """Error of the change; of an analysis of covariance that with baselines alike, which their imbalance adds to.

    Raises
    ------
    InputError
        If the scatter between people is needed and unknown.
    """
    compares_people = design.kind == "ancova" or (design.kind == "groups" and design.outcome == "post")
    if compares_people and math.isnan(spread.between):
        raise InputError(f"design {design.kind} needs the scatter between people; give it, a CV or an ICC as well")
    if design.kind == "interaction":
        return Error(math.sqrt((4 * spread.within**2 + 2 * spread.response**2) / n), n - 1)
    second, first = design.split(n)
    if not first:
        return Error(spread.change / math.sqrt(n), n - 1)
    if design.kind == "ancova":
        plain = spread.scan**2 * (1 - spread.icc**2)
    else:
        plain = spread.scan**2 if design.outcome == "post" and design.kind == "groups" else 2 * spread.within**2
    a, b = (plain + spread.response**2) / second, plain / first
    if design.kind == "ancova":
        return Error(math.sqrt(a + b), n - 3, spread.response == 0)
    if spread.response == 0:
        return Error(math.sqrt(a + b), n - 2)
    return Error(math.sqrt(a + b), (a + b) ** 2 / (a**2 / (second - 1) + b**2 / (first - 1)), False)


def _rejected(ncp: Array, df: float, alpha: float) -> Array:
    """Probability that noncentral t lies beyond the two-sided limits."""
    limit = float(stats.t.ppf(1 - alpha / 2, df))
    return np.array([1 - noncentral_cdf(limit, df, x) + 1 - noncentral_cdf(limit, df, -x) for x in ncp.tolist()])


def _within_margin(margin: float, df: float, alpha: float) -> float:
    """Probability that both one-sided tests reject, margin in standard errors: over all estimates of the error."""
    limit = float(stats.t.ppf(1 - alpha, df))
    most = df * (margin / limit) ** 2  # a larger chi-square leaves no room between the limits

    def both(share: float) -> float:
        scale = math.sqrt(float(special.chdtri(df, 1 - share)) / df)
        return max(float(2 * special.ndtr(margin - limit * scale) - 1), 0.0)

    top = float(special.chdtr(df, most))
    if top <= 0:
        return 0.0
    return float(integrate.quad(both, 0.0, top, epsabs=1e-10, limit=200)[0])


def _correlation_power(rho: float, n: int, alpha: float) -> float:
    """Probability that |r| exceeds its limit, by the exact density of r (Hotelling 1953, J R Stat Soc B 15:193)."""
    t = float(stats.t.ppf(1 - alpha / 2, n - 2))
    limit = t / math.sqrt(n - 2 + t * t)
    constant = math.log(n - 2) + float(special.gammaln(n - 1) - special.gammaln(n - 0.5)) - math.log(2 * math.pi) / 2
    constant += (n - 1) / 2 * math.log1p(-rho * rho)

    def density(z: float) -> float:
        """Of z = atanh(r)."""
        r = math.tanh(z)
        log_rest = 2 * (math.log(2) - abs(z) - math.log1p(math.exp(-2 * abs(z))))
        tail = float(special.hyp2f1(0.5, 0.5, n - 0.5, (1 + rho * r) / 2))
        return math.exp(constant + (n - 2) / 2 * log_rest - (n - 1.5) * math.log1p(-rho * r)) * tail

    z, reach = math.atanh(limit), 12 / math.sqrt(n - 3) + 2
    centre = math.atanh(rho)
    inside = integrate.quad(density, -z, z, points=[min(max(centre, -z), z)], epsabs=1e-11, limit=200)[0]
    whole = integrate.quad(density, centre - reach * 3, centre + reach * 3, points=[centre], limit=400)[0]
    return float(1 - inside / whole)


def _attenuation(spread: Scatter | None) -> float:
    return 1.0 if spread is None or math.isnan(spread.between) else math.sqrt(spread.icc)


def _known(spread: Scatter | None) -> Scatter:
    if spread is None:
        raise InputError("no scatter is given; give that within people, as a standard deviation or a wSCV")
    return spread


def _check(design: Design, spread: Scatter | None, n: int) -> None:
    if n < design.least:
        raise InputError(f"{n} people are too few for design {design.kind}; it needs at least {design.least}")


def _check_power(design: Design, wanted: float) -> None:
    if not design.alpha < wanted < 1:
        raise InputError(f"a power of {wanted:g} is not between the level of {design.alpha:g} and 1")
