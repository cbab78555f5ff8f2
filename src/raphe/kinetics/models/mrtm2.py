"""Multilinear reference tissue model with the reference's clearance fixed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from raphe.core.integrals import running_integral
from raphe.core.multilinear import on_integral
from raphe.kinetics.coefficients import coefficient_solution
from raphe.kinetics.protocol import Example, Problem, Solution, positive


@dataclass(frozen=True)
class MRTM2:
    r"""Multilinear reference tissue model with one k2' for all regions (Ichise et al. 2003).

    .. math:: C_T(t) = k_2 \left[ \int_0^t C_R + C_R(t) / k_2' \right] - k_{2a} \int_0^t C_T

    so that :math:`BP_{ND} = k_2 / k_{2a} - 1` and :math:`R_1 = k_2 / k_2'`.

    Parameters
    ----------
    k2_prime : float, 1/min
        Clearance from the reference tissue to plasma.
    t_star : float, min
        Fit the frames whose mid-time is at or after it. 0 is right for a tracer with one-tissue kinetics.

    Raises
    ------
    ModelError
        If ``k2_prime`` is not a positive number.

    References
    ----------
    Ichise et al. 2003, J Cereb Blood Flow Metab 23:1096, doi 10.1097/01.WCB.0000085441.37552.CA.
    """

    k2_prime: float
    t_star: float = 0.0

    name: ClassVar[str] = "MRTM2"
    aliases: ClassVar[tuple[str, ...]] = ()
    title: ClassVar[str] = "multilinear reference tissue model with fixed k2'"
    needs: ClassVar[tuple[str, ...]] = ("reference", "k2_prime")
    parameters: ClassVar[tuple[str, ...]] = ("BP_ND", "R1", "k2", "k2a")
    macro: ClassVar[str] = "BP_ND"
    fits_curve: ClassVar[bool] = False
    n_free: ClassVar[int] = 2
    citations: ClassVar[tuple[str, ...]] = ("ichise2003",)
    takes_single: ClassVar[bool] = True

    def __post_init__(self) -> None:
        positive(self.name, "k2_prime", self.k2_prime)

    def estimate(self, problem: Problem) -> Solution:
        """Parameters of every curve of the problem."""
        rows, reference = problem.late(self.t_star).rows, problem.reference_curve
        delivered = problem.sampling.integral[rows] @ reference + reference[rows] / self.k2_prime
        integral = running_integral(problem.sampling)
        found = on_integral(
            problem.activity, [delivered], integral, rows, problem.weights, errors=problem.errors, fitted=problem.drawn
        )
        k2, minus_k2a = found.theta
        k2a = -minus_k2a
        with np.errstate(divide="ignore", invalid="ignore"):
            parameters = [
                (k2 / k2a - 1, lambda: (1 / k2a, k2 / k2a**2)),
                (k2 / self.k2_prime, lambda: (1 / self.k2_prime, 0)),
                (k2, lambda: (1, 0)),
                (k2a, lambda: (0, -1)),
            ]
            return coefficient_solution(found, rows, parameters)


EXAMPLE = Example(MRTM2(k2_prime=0.1), {"R1": 1.1, "k2_prime": 0.1, "BP_ND": 1.5}, tolerance=1e-3)
