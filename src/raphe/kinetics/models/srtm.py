"""Simplified reference tissue model, fitted exactly."""

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
    propagated,
    rate_fit,
    search_quality,
)
from raphe.kinetics.surface import Surface

Array = npt.NDArray[np.float64]
Range = tuple[float, float]


@dataclass(frozen=True)
class SRTM:
    r"""Simplified reference tissue model of Lammertsma and Hume (1996).

    .. math:: C_T = R_1 C_R + (k_2 - R_1 k_{2a})\, e^{-k_{2a} t} \otimes C_R, \qquad k_{2a} = k_2 / (1 + BP_{ND})

    Both tissues are taken to exchange with plasma like one compartment, and to have the same non-displaceable volume.
    R1 and k2 - R1 k2a are solved linearly for each k2a, and k2a is searched to convergence: no grid of basis functions
    remains in the answer.

    Parameters
    ----------
    k2a_bounds : tuple of float, 1/min
        Range of the search. An estimate at its edge is flagged.

    References
    ----------
    Lammertsma & Hume 1996, NeuroImage 4:153, doi 10.1006/nimg.1996.0066; the linear split as in Gunn et al. 1997,
    NeuroImage 6:279, doi 10.1006/nimg.1997.0303.
    """

    k2a_bounds: Range = (1e-4, 2.0)

    name: ClassVar[str] = "SRTM"
    aliases: ClassVar[tuple[str, ...]] = ()
    title: ClassVar[str] = "simplified reference tissue model"
    needs: ClassVar[tuple[str, ...]] = ("reference",)
    parameters: ClassVar[tuple[str, ...]] = ("BP_ND", "R1", "k2", "k2_prime", "k2a")
    macro: ClassVar[str] = "BP_ND"
    fits_curve: ClassVar[bool] = True
    n_free: ClassVar[int] = 3
    citations: ClassVar[tuple[str, ...]] = ("lammertsma1996", "gunn1997")

    def estimate(self, problem: Problem) -> Solution:
        """Parameters of every curve of the problem."""
        return self._solution(problem, None)

    def estimate_counted(self, problem: Problem, counts: Array) -> Solution:
        """The same under the weights of the counts that a first answer expects."""
        return self._solution(problem, counts)

    def _solution(self, problem: Problem, counts: Array | None) -> Solution:
        found = rate_fit(problem, _table(problem, self.k2a_bounds), counts)
        value, gradient = _parameters(curvewise(*found.theta.T, found.rate))
        se = propagated(gradient, found.covariance) if problem.errors else np.full(value.shape, np.nan)
        return Solution(value, se, found.fitted, found.wrss, problem.rows, search_quality(found))

    def surface(self, problem: Problem, value: Array) -> Surface:
        """Surface about the estimates of every curve of the problem; R1, k2 - R1 k2a and k2a are free."""
        _, R1, k2, _, k2a = value.T
        lower, upper = np.array([(-np.inf, np.inf), (-np.inf, np.inf), self.k2a_bounds]).T
        return Surface(separable(_basis(problem)), curvewise(R1, k2 - R1 * k2a, k2a), lower, upper, _parameters)


def _table(problem: Problem, bounds: Range) -> RateTable:
    return _kept(problem.sampling, problem.reference_curve.tobytes(), problem.rows.tobytes(), bounds)


@lru_cache(maxsize=4)
def _kept(sampling: Sampling, reference: bytes, rows: bytes, bounds: Range) -> RateTable:
    """Table of a reference and rows given by their bytes; the last few serve all curves of a scan."""
    return rate_table(_functions(sampling, np.frombuffer(reference), np.frombuffer(rows, dtype=np.intp)), bounds)


def _basis(problem: Problem) -> Basis:
    return _functions(problem.sampling, problem.reference_curve, problem.rows)


def _functions(sampling: Sampling, reference: Array, rows: npt.NDArray[np.intp]) -> Basis:
    """The reference, and its convolution with an exponential."""
    drawn = sampling.drawn(reference)

    def basis(rate: npt.NDArray[np.inexact]) -> npt.NDArray[np.inexact]:
        tail = sampling.convolve(drawn, rate)[:, rows]
        return np.stack([np.broadcast_to(reference[rows], tail.shape), tail], axis=1)

    return basis


def _parameters(theta: Array) -> tuple[Array, Array]:
    """All parameters from R1, phi = k2 - R1 k2a and k2a, and their derivatives by them."""
    R1, phi, k2a = theta.T
    k2 = phi + R1 * k2a
    with np.errstate(divide="ignore", invalid="ignore"):
        by_R1, by_k2a = 1 / R1, 1 / k2a
        value = curvewise(k2 / k2a - 1, R1, k2, k2 / R1, k2a)
        gradient = derivatives(  # by R1, phi, k2a
            (1, by_k2a, -phi * by_k2a**2),
            (1, 0, 0),
            (k2a, 1, R1),
            (-phi * by_R1**2, by_R1, 1),
            (0, 0, 1),
        )
    return value, gradient


EXAMPLE = Example(SRTM(), {"R1": 1.1, "k2_prime": 0.1, "BP_ND": 1.5}, tolerance=1e-3)
