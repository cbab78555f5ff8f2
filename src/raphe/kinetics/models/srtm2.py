"""Simplified reference tissue model with the reference's clearance fixed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from raphe.core.nonlinear import separable
from raphe.core.rate_table import Basis, RateTable, rate_table
from raphe.core.sampling import Sampling
from raphe.kinetics.protocol import (
    Example,
    Problem,
    Solution,
    curvewise,
    derivatives,
    positive,
    propagated,
    rate_fit,
    search_quality,
)
from raphe.kinetics.surface import Surface

Array = npt.NDArray[np.float64]
Range = tuple[float, float]


@dataclass(frozen=True)
class SRTM2:
    r"""Simplified reference tissue model with one k2' for all regions (Wu and Carson 2002).

    .. math:: C_T = R_1 \left[ C_R + (k_2' - k_{2a})\, e^{-k_{2a} t} \otimes C_R \right]

    so that :math:`k_2 = R_1 k_2'` and :math:`BP_{ND} = R_1 k_2' / k_{2a} - 1`.

    Parameters
    ----------
    k2_prime : float, 1/min
        Clearance from the reference tissue to plasma.
    k2a_bounds : tuple of float, 1/min
        Range of the search. An estimate at its edge is flagged.

    Raises
    ------
    ModelError
        If ``k2_prime`` is not a positive number.

    References
    ----------
    Wu & Carson 2002, J Cereb Blood Flow Metab 22:1440, doi 10.1097/01.WCB.0000033967.83623.34.
    """

    k2_prime: float
    k2a_bounds: Range = (1e-4, 2.0)

    name: ClassVar[str] = "SRTM2"
    aliases: ClassVar[tuple[str, ...]] = ()
    title: ClassVar[str] = "simplified reference tissue model with fixed k2'"
    needs: ClassVar[tuple[str, ...]] = ("reference", "k2_prime")
    parameters: ClassVar[tuple[str, ...]] = ("BP_ND", "R1", "k2", "k2a")
    macro: ClassVar[str] = "BP_ND"
    fits_curve: ClassVar[bool] = True
    n_free: ClassVar[int] = 2
    citations: ClassVar[tuple[str, ...]] = ("wu2002",)

    def __post_init__(self) -> None:
        positive(self.name, "k2_prime", self.k2_prime)

    def estimate(self, problem: Problem) -> Solution:
        """Parameters of every curve of the problem."""
        return self._solution(problem, None)

    def estimate_counted(self, problem: Problem, counts: Array) -> Solution:
        """The same under the weights of the counts that a first answer expects."""
        return self._solution(problem, counts)

    def _solution(self, problem: Problem, counts: Array | None) -> Solution:
        table = _kept(
            problem.sampling, problem.reference_curve.tobytes(), problem.rows.tobytes(), self.k2_prime, self.k2a_bounds
        )
        found = rate_fit(problem, table, counts)
        value, gradient = self._parameters(curvewise(found.theta[:, 0], found.rate))
        se = propagated(gradient, found.covariance) if problem.errors else np.full(value.shape, np.nan)
        return Solution(value, se, found.fitted, found.wrss, problem.rows, search_quality(found))

    def surface(self, problem: Problem, value: Array) -> Surface:
        """Surface about the estimates of every curve of the problem; R1 and k2a are free."""
        lower, upper = np.array([(-np.inf, np.inf), self.k2a_bounds]).T
        basis = _functions(problem.sampling, problem.reference_curve, problem.rows, self.k2_prime)
        return Surface(separable(basis), value[:, [1, 3]], lower, upper, self._parameters)

    def _parameters(self, theta: Array) -> tuple[Array, Array]:
        """All parameters from R1 and k2a, and their derivatives by them."""
        R1, k2a = theta.T
        k2 = R1 * self.k2_prime
        value = curvewise(k2 / k2a - 1, R1, k2, k2a)
        gradient = derivatives(  # by R1, k2a
            (self.k2_prime / k2a, -k2 / k2a**2),
            (1, 0),
            (self.k2_prime, 0),
            (0, 1),
        )
        return value, gradient


@lru_cache(maxsize=4)
def _kept(sampling: Sampling, reference: bytes, rows: bytes, k2_prime: float, bounds: Range) -> RateTable:
    """Table of a reference and rows given by their bytes; the last few serve all curves of a scan."""
    curve, at = np.frombuffer(reference), np.frombuffer(rows, dtype=np.intp)
    return rate_table(_functions(sampling, curve, at, k2_prime), bounds)


def _functions(sampling: Sampling, reference: Array, rows: npt.NDArray[np.intp], k2_prime: float) -> Basis:
    """What R1 multiplies."""
    drawn = sampling.drawn(reference)

    def basis(rate: npt.NDArray[np.inexact]) -> npt.NDArray[np.inexact]:
        tail = sampling.convolve(drawn, rate)[:, rows]
        return np.asarray(reference[rows] + (k2_prime - rate)[:, None] * tail)[:, None]

    return basis


EXAMPLE = Example(SRTM2(k2_prime=0.1), {"R1": 1.1, "k2_prime": 0.1, "BP_ND": 1.5}, tolerance=1e-3)
