"""Multilinear analysis MA1 with arterial plasma."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from raphe.core.integrals import running_integral
from raphe.core.multilinear import on_integral
from raphe.kinetics.coefficients import coefficient_solution
from raphe.kinetics.line import reversibility_quality
from raphe.kinetics.protocol import Example, Problem, Solution
from raphe.kinetics.vascular import share_of_blood, with_blood, without_blood


@dataclass(frozen=True)
class MA1:
    r"""Multilinear analysis of Ichise et al. (2002), the Logan plot without the curve in a denominator.

    .. math:: C_T(t) = -\frac{V_T}{b} \int_0^t C_p + \frac{1}{b} \int_0^t C_T

    from t* on. Exact from injection on for a tissue with one compartment, where b is -1/k2; with two it holds once they
    stand in a constant ratio. The curve's own integral is among the regressors; the standard errors carry the frames'
    noise through both sides. As for a Logan plot, b that is not negative is implausible, and one longer than the scan
    marks a slow tissue.

    Parameters
    ----------
    t_star : float, min
        Fit the frames whose mid-time is at or after it. The default is an assumption; set it for your tracer.
    V_B : float
        Share of the tissue that is blood, taken out of the curve beforehand.

    Raises
    ------
    ModelError
        If ``V_B`` is not a share.

    References
    ----------
    Ichise et al. 2002, J Cereb Blood Flow Metab 22:1271, doi 10.1097/01.WCB.0000038000.34930.4E.
    """

    t_star: float = 30.0
    V_B: float = 0.0

    name: ClassVar[str] = "MA1"
    aliases: ClassVar[tuple[str, ...]] = ()
    title: ClassVar[str] = "multilinear analysis with arterial plasma, two terms"
    needs: ClassVar[tuple[str, ...]] = ("plasma",)
    parameters: ClassVar[tuple[str, ...]] = ("V_T",)
    macro: ClassVar[str] = "V_T"
    fits_curve: ClassVar[bool] = False
    n_free: ClassVar[int] = 2
    citations: ClassVar[tuple[str, ...]] = ("ichise2002",)
    takes_single: ClassVar[bool] = True

    def __post_init__(self) -> None:
        share_of_blood(self.name, self.V_B)

    def estimate(self, problem: Problem) -> Solution:
        """Parameters of every curve of the problem."""
        tissue = without_blood(problem, self.V_B).late(self.t_star)
        sampling, rows = problem.sampling, tissue.rows
        delivered = sampling.integrated(problem.parent)[rows]
        found = on_integral(
            tissue.activity,
            [delivered],
            running_integral(sampling),
            rows,
            problem.weights,
            errors=problem.errors,
            fitted=problem.drawn,
        )
        inflow, outflow = found.theta  # -V_T / b, 1/b
        with np.errstate(divide="ignore", invalid="ignore"):
            V_T = -inflow / outflow
            solution = coefficient_solution(found, rows, [(V_T, lambda: (-1 / outflow, inflow / outflow**2))])
            quality = solution.quality | reversibility_quality(-1 / outflow, sampling.frames.end[-1])
        fitted = with_blood(solution.fitted, problem, rows, self.V_B)
        return replace(solution, fitted=fitted, wrss=(1 - self.V_B) ** 2 * solution.wrss, quality=quality)


EXAMPLE = Example(MA1(t_star=30.0, V_B=0.05), {"K1": 0.3, "k2": 0.06, "V_B": 0.05}, tolerance=1e-3)
