"""Likelihood of a dose-response curve, with EC50 that may vary between subjects."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import optimize, stats

from raphe.pharmacology.occupancy import CONFIDENCE

Array = npt.NDArray[np.float64]

NAMES = ("EC50", "E_max", "hill")

BOUNDS = {"EC50": (0.0, math.inf), "E_max": (0.01, 10.0), "hill": (0.1, 10.0)}
"""Where parameters are sought; a likelihood interval that reaches a bound has no limit there."""

REACH = 1e4
"""How far beyond the doses EC50 is sought, as a factor."""

ROUNDING = 1e-14
"""Sum of squares of residuals, as a share of that of the occupancies, that counts as none."""

AT_BOUND = 1e-3
"""Distance of a logarithm from its bound at which the bound holds it, and not the data."""

SPREADS = (-7.0, 5.0)
"""Range of the logarithm of the spread of ln EC50 between subjects, in units of the residual."""


@dataclass(frozen=True, eq=False)
class Measured:
    """Doses, occupancies and their errors, shape (n,), with whose scan each is, and what is fitted."""

    dose: Array
    occupancy: Array
    se: Array
    subject: npt.NDArray[np.intp]
    free: tuple[str, ...]
    fixed: Mapping[str, float]

    @cached_property
    def n_subject(self) -> int:
        """How many subjects there are."""
        return int(self.subject.max()) + 1

    @cached_property
    def rounding(self) -> float:
        """Sum of squares under which the curve passes through the points."""
        return max(ROUNDING * float(np.sum((self.occupancy / self.se) ** 2)), 1e-300)

    @cached_property
    def repeated(self) -> bool:
        """Whether a subject has several scans with drug."""
        return bool((np.bincount(self.subject[self.dose > 0]) > 1).any())

    @cached_property
    def bounds(self) -> list[tuple[float, float]]:
        """Of the logarithms of the free parameters, and of the spread between subjects where there is one."""
        doses = self.dose[self.dose > 0]
        reach = (math.log(doses.min() / REACH), math.log(doses.max() * REACH))
        limits = [reach if name == "EC50" else tuple(math.log(end) for end in BOUNDS[name]) for name in self.free]
        return [(low, high) for low, high in [*limits, *([SPREADS] if self.repeated else [])]]

    def deviance(self, theta: Array) -> float:
        """-2 log likelihood at its best residual standard deviation, less a constant."""
        total, logs = self._squares(theta)
        return self.dose.size * math.log(max(total, self.rounding) / self.dose.size) + logs

    def scale(self, theta: Array) -> float:
        """Residual standard deviation in units of the errors, by maximum likelihood."""
        return math.sqrt(self._squares(theta)[0] / self.dose.size)

    def _squares(self, theta: Array) -> tuple[float, float]:
        values = dict(self.fixed) | {name: math.exp(value) for name, value in zip(self.free, theta, strict=False)}
        fitted = response(self.dose, values["EC50"], values["E_max"], values["hill"])
        residual = (self.occupancy - fitted) / self.se
        if not self.repeated:
            return float(residual @ residual), 0.0
        slope = values["hill"] * fitted * (1 - fitted / values["E_max"]) / self.se
        spread = math.exp(2 * theta[len(self.free)])
        slopes = np.bincount(self.subject, slope**2)
        crossed = np.bincount(self.subject, slope * residual)
        grown = 1 + spread * slopes
        return float(residual @ residual - (spread * crossed**2 / grown).sum()), float(np.log(grown).sum())


def response(dose: Array, EC50: float, E_max: float, hill: float) -> Array:
    """Occupancy at a dose, as its shape."""
    if EC50 == 0 or math.isinf(EC50):
        return np.where(dose > 0, E_max if EC50 == 0 else 0.0, 0.0)
    power = hill * (np.log(np.where(dose > 0, dose, 1.0)) - math.log(EC50))
    return np.where(dose > 0, E_max / (1 + np.exp(-np.clip(power, -700, 700))), 0.0)


def best(data: Measured) -> Array:
    """Parameters of the highest likelihood, as logarithms; the best of several beginnings."""
    doses = data.dose[data.dose > 0]
    found = []
    for start in np.quantile(np.log(doses), [0.0, 0.5, 1.0]):
        begin = [start if name == "EC50" else 0.0 for name in data.free] + ([0.0] if data.repeated else [])
        found.append(_search(data, np.array(begin), {}))
    return min(found, key=data.deviance)


def curvature(data: Measured, theta: Array) -> tuple[Array, int, int]:
    """Covariance of the free parameters, its degrees of freedom, and the number that the likelihood counts as.

    Scans count where each is of another subject, and subjects where they have several.
    """
    n_free = len(data.free)
    size = data.n_subject if data.repeated else data.dose.size
    df = max(size - (1 if data.repeated else n_free), 1)
    step = 1e-4
    k = theta.size
    hessian = np.empty((k, k))
    for a in range(k):
        for b in range(k):
            moved = [
                data.deviance(theta + step * (sa * np.eye(k)[a] + sb * np.eye(k)[b]))
                for sa, sb in ((1, 1), (1, -1), (-1, 1), (-1, -1))
            ]
            hessian[a, b] = (moved[0] - moved[1] - moved[2] + moved[3]) / (4 * step**2)
    covariance = 2 * np.linalg.pinv((hessian + hessian.T) / 2, rcond=1e-9, hermitian=True)[:n_free, :n_free]
    return covariance * size / df, df, size


def ends(data: Measured, theta: Array, at: int, size: int, df: int) -> tuple[float, float]:
    """Ends of the profile-likelihood interval of one parameter; 0 and infinity where the data set none.

    An end that rests on the range of another parameter is none.
    """
    limit = data.deviance(theta) + size * math.log1p(float(stats.f.ppf(CONFIDENCE, 1, df)) / df)
    low, high = data.bounds[at]
    found = []
    for side, bound in ((-1, low), (1, high)):
        inside, begin, step, end = theta[at], theta, 0.05, None
        while abs(bound - inside) > 1e-9:
            place = max(inside - step, bound) if side < 0 else min(inside + step, bound)
            begin = _search(data, begin, {at: place})
            if data.deviance(begin) > limit:
                end = place
                break
            inside, step = place, 1.5 * step
        if end is None or _held_by_bound(data, begin, at):
            found.append(0.0 if side < 0 else math.inf)
            continue

        def over(place: float, begin: Array = begin) -> float:
            return data.deviance(_search(data, begin, {at: place})) - limit

        found.append(math.exp(optimize.brentq(over, inside, end, xtol=1e-6)))
    return found[0], found[1]


def _held_by_bound(data: Measured, theta: Array, at: int) -> bool:
    """Whether another parameter of the curve has reached the end of its range."""
    return any(
        min(theta[other] - low, high - theta[other]) < AT_BOUND
        for other, (low, high) in enumerate(data.bounds[: len(data.free)])
        if other != at
    )


def _search(data: Measured, begin: Array, held: Mapping[int, float]) -> Array:
    """Highest likelihood near a beginning, with some parameters held."""
    whole = np.array(begin, dtype=float)
    for at, value in held.items():
        whole[at] = value
    free = [at for at in range(whole.size) if at not in held]
    if not free:
        return whole

    def cost(part: Array) -> float:
        whole[free] = part
        return data.deviance(whole)

    bounds = [data.bounds[at] for at in free]
    start = np.clip(whole[free], [b[0] for b in bounds], [b[1] for b in bounds])
    found = optimize.minimize(
        cost, start, method="Nelder-Mead", bounds=bounds, options={"xatol": 1e-7, "fatol": 1e-9, "maxiter": 4000}
    )
    whole[free] = found.x
    return whole
