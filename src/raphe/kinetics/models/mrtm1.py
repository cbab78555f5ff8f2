"""Multilinear reference tissue model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from raphe.core.integrals import running_integral
from raphe.core.multilinear import on_integral
from raphe.kinetics.coefficients import coefficient_solution
from raphe.kinetics.protocol import Example, Problem, Solution


@dataclass(frozen=True)
class MRTM1:
    r"""Multilinear reference tissue model of Ichise et al. (2003).

    .. math:: C_T(t) = k_2 \int_0^t C_R - k_{2a} \int_0^t C_T + R_1 C_R(t)

    so that :math:`BP_{ND} = k_2 / k_{2a} - 1` and :math:`k_2' = k_2 / R_1`. The coefficient of the tissue's own
    integral is the apparent clearance k2a and not k2. Linear, so quick and with one answer, but the tissue curve stands
    on both sides: noise biases the estimate, and the standard errors here carry the frames' noise through both.

    Parameters
    ----------
    t_star : float, min
        Fit the frames whose mid-time is at or after it. 0 is right for a tracer with one-tissue kinetics.

    References
    ----------
    Ichise et al. 2003, J Cereb Blood Flow Metab 23:1096, doi 10.1097/01.WCB.0000085441.37552.CA.
    """

    t_star: float = 0.0

    name: ClassVar[str] = "MRTM1"
    aliases: ClassVar[tuple[str, ...]] = ("MRTM",)
    title: ClassVar[str] = "multilinear reference tissue model"
    needs: ClassVar[tuple[str, ...]] = ("reference",)
    parameters: ClassVar[tuple[str, ...]] = ("BP_ND", "R1", "k2", "k2_prime", "k2a")
    macro: ClassVar[str] = "BP_ND"
    fits_curve: ClassVar[bool] = False
    n_free: ClassVar[int] = 3
    citations: ClassVar[tuple[str, ...]] = ("ichise2003",)
    takes_single: ClassVar[bool] = True

    def estimate(self, problem: Problem) -> Solution:
        """Parameters of every curve of the problem."""
        rows, reference = problem.late(self.t_star).rows, problem.reference_curve
        columns = (problem.sampling.integral[rows] @ reference, reference[rows])
        integral = running_integral(problem.sampling)
        found = on_integral(
            problem.activity, columns, integral, rows, problem.weights, errors=problem.errors, fitted=problem.drawn
        )
        k2, R1, minus_k2a = found.theta
        k2a = -minus_k2a
        with np.errstate(divide="ignore", invalid="ignore"):
            parameters = [
                (k2 / k2a - 1, lambda: (1 / k2a, 0, k2 / k2a**2)),
                (R1, lambda: (0, 1, 0)),
                (k2, lambda: (1, 0, 0)),
                (k2 / R1, lambda: (1 / R1, -k2 / R1**2, 0)),
                (k2a, lambda: (0, 0, -1)),
            ]
            return coefficient_solution(found, rows, parameters)


EXAMPLE = Example(MRTM1(), {"R1": 1.1, "k2_prime": 0.1, "BP_ND": 1.5}, tolerance=1e-3)
