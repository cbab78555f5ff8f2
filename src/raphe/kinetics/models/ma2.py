"""Multilinear analysis MA2 with arterial plasma."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from raphe.core.linear import HC2, covariance_both_sides, instrumental, least_squares
from raphe.core.two_tissue_guide import guided_integrals
from raphe.kinetics.line import CLEAR_OF_ZERO
from raphe.kinetics.protocol import Example, Problem, Solution, curvewise, multilinear_noise, propagated
from raphe.kinetics.vascular import share_of_blood, with_blood, without_blood
from raphe.quality import Quality, determined

Array = npt.NDArray[np.float64]

PASSES = 2
"""How often the curve is drawn by the last answer, and the equation solved again."""


@dataclass(frozen=True)
class MA2:
    r"""Multilinear analysis of two tissue compartments (Ichise et al. 2002).

    .. math::
        C_T(t) = \gamma_1 \int_0^t \!\! \int_0^s C_p + \gamma_2 \int_0^t \!\! \int_0^s C_T + \gamma_3 \int_0^t C_T
        + \gamma_4 \int_0^t C_p

    with :math:`\gamma_1 = K_1 (k_3 + k_4)`, :math:`\gamma_2 = -k_2 k_4`, :math:`\gamma_3 = -(k_2 + k_3 + k_4)` and
    :math:`\gamma_4 = K_1`, which is the two-tissue model integrated twice. So :math:`V_T = -\gamma_1 / \gamma_2`,
    :math:`V_{ND} = -\gamma_4^2 / (\gamma_1 + \gamma_3 \gamma_4)` and :math:`V_S = V_T - V_{ND}`. Linear, with one
    answer, and V_T needs no t*; V_ND and V_S are as poorly determined as the rate constants of two compartments are. In
    a tissue with one compartment nothing tells them apart, and gamma_1 and gamma_2 may have any sign, but V_T stands;
    so V_ND has no standard error where V_S is not clearly above zero.

    The curve's integrals are among the regressors, so noise biases the least squares that the method was published
    with: at 3 % noise V_T by up to 5 %, K1 by as much downward and V_S by up to 17 %, and no standard error tells. So
    where frames are averages the equation is solved again with instrumental variables
    (:func:`raphe.core.linear.instrumental`): the integrals of the equation's own solution stand in for the curve's, and
    most of the bias is gone. Between its frames the curve is drawn as that solution runs there
    (:mod:`raphe.core.two_tissue_guide`), for straight lines would miss V_T by up to 0.2 %. Where the answer is not that
    of two compartments there are no instruments: V_T is that of least squares, and K1, V_S and V_ND have no standard
    error. The convention ``midframe`` is the method as published, bias and all.

    The standard errors carry the frames' noise through both sides, and are of the kind HC2, for HC3 errs to the wide
    here. A gamma_2 that is clearly positive, as of a tissue that never empties, is implausible.

    Parameters
    ----------
    V_B : float
        Share of the tissue that is blood, taken out of the curve beforehand.

    Raises
    ------
    ModelError
        If ``V_B`` is not a share.

    References
    ----------
    Ichise et al. 2002, J Cereb Blood Flow Metab 22:1271, doi 10.1097/01.WCB.0000038000.34930.4E.
    Young 1970, Automatica 6:271, for the instruments.
    """

    V_B: float = 0.0

    name: ClassVar[str] = "MA2"
    aliases: ClassVar[tuple[str, ...]] = ()
    title: ClassVar[str] = "multilinear analysis with arterial plasma, four terms"
    needs: ClassVar[tuple[str, ...]] = ("plasma",)
    parameters: ClassVar[tuple[str, ...]] = ("V_T", "V_S", "V_ND", "K1")
    macro: ClassVar[str] = "V_T"
    fits_curve: ClassVar[bool] = False
    n_free: ClassVar[int] = 4
    errors: ClassVar[str] = "HC2"
    citations: ClassVar[tuple[str, ...]] = ("ichise2002", "young1970")

    def __post_init__(self) -> None:
        share_of_blood(self.name, self.V_B)

    def estimate(self, problem: Problem) -> Solution:
        """Parameters of every curve of the problem."""
        tissue = without_blood(problem, self.V_B)
        sampling, rows = problem.sampling, problem.rows
        curves, weights = tissue.row_activity, tissue.row_weights
        delivered = np.stack([sampling.integrated_twice(problem.parent), sampling.integrated(problem.parent)])[:, rows]

        def regressors(area: Array, double: Array) -> Array:
            return curvewise(delivered[0], double[:, rows], area[:, rows], delivered[1])

        design = regressors(tissue.activity @ sampling.integral.T, tissue.activity @ sampling.double_integral.T)
        solved = least_squares(design, curves, weights)
        told = np.full(len(curves), sampling.convention == "midframe")
        for _ in range(PASSES if sampling.convention == "average" else 0):
            seen = guided_integrals(sampling, problem.parent, tissue.activity, solved.theta)
            design, told = regressors(seen.area, seen.double), seen.told
            instruments = np.where(told[:, None, None], regressors(seen.own_area, seen.own_double), design)
            solved = instrumental(design, instruments, curves, weights)
        g1, g2, g3, g4 = solved.theta.T
        noise = multilinear_noise(tissue, g3) - g2[:, None, None] * sampling.double_integral[rows]
        spread = covariance_both_sides(solved, design, weights, noise, tissue.variance, HC2)
        zero, one = np.zeros_like(g1), np.ones_like(g1)
        with np.errstate(divide="ignore", invalid="ignore"):
            loss = g1 + g3 * g4  # -K1 k2
            V_T, V_ND = -g1 / g2, -(g4**2) / loss
            value = curvewise(V_T, V_T - V_ND, V_ND, g4)
            by_total = curvewise(-1 / g2, g1 / g2**2, zero, zero)
            by_free = curvewise(g4**2, zero, g4**3, g4**2 * g3 - 2 * g4 * loss) / loss[:, None] ** 2
            never_empties = g2 > CLEAR_OF_ZERO * np.sqrt(spread[:, 1, 1])
        gradient = np.stack([by_total, by_total - by_free, by_free, curvewise(zero, zero, zero, one)], axis=1)
        quality = np.where(solved.singular, Quality.SINGULAR, 0) | np.where(never_empties, Quality.IMPLAUSIBLE, 0)
        se = propagated(gradient, spread)
        two = (value[:, 1] > 0) & determined(value[:, 1], se[:, 1])
        se[:, 1:] = np.where(told[:, None], se[:, 1:], np.nan)
        se[:, 2] = np.where(two, se[:, 2], np.nan)
        return Solution(
            value,
            se,
            with_blood(curves - solved.residual, problem, rows, self.V_B),
            (1 - self.V_B) ** 2 * solved.wrss,
            rows,
            quality.astype(np.int64),
        )


EXAMPLE = Example(MA2(V_B=0.05), {"K1": 0.2, "k2": 0.12, "k3": 0.08, "k4": 0.04, "V_B": 0.05}, tolerance=1e-4)
