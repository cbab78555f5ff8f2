"""Two-tissue compartment model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from raphe.core.compartments import rate_constants, two_tissue
from raphe.kinetics.protocol import Example, Problem, Solution, curvewise, derivatives
from raphe.kinetics.surface import Surface
from raphe.kinetics.tissue import Range, check_assumptions, fit_tissue, tissue_surface

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TwoTCM:
    r"""Two tissue compartments behind arterial plasma, with blood in the vessels: reversible binding.

    .. math:: C_1' = K_1 C_P - (k_2 + k_3) C_1 + k_4 C_2, \quad C_2' = k_3 C_1 - k_4 C_2, \quad
        C = (1 - V_B)(C_1 + C_2) + V_B C_B

    so that :math:`V_{ND} = K_1 / k_2`, :math:`BP_{ND} = k_3 / k_4`, :math:`V_T = V_{ND} (1 + BP_{ND})`, and
    :math:`V_S = BP_P = V_T - V_{ND}`. V_T is well determined where k3 and k4 by themselves are not: those carry the
    flag ``undetermined`` then.

    Parameters
    ----------
    V_B : float or None
        Share of the tissue that is blood; None to estimate it, 0 to leave it out.
    K1_bounds, k2_bounds, k3_bounds, k4_bounds, V_B_bounds : tuple of float
        Ranges of the search, mL/cm3/min, 1/min and unitless. An estimate at the edge of K1, k2, k4 or at the upper edge
        of k3 is flagged; k3 at its lower edge leaves one compartment, whose V_T stands.

    Raises
    ------
    ModelError
        If V_B or bounds cannot be.

    References
    ----------
    Gunn, Gunn & Cunningham 2001, J Cereb Blood Flow Metab 21:635, doi 10.1097/00004647-200106000-00002; terms as in
    Innis et al. 2007, J Cereb Blood Flow Metab 27:1533, doi 10.1038/sj.jcbfm.9600493.
    """

    V_B: float | None = None
    K1_bounds: Range = (0.0, 5.0)
    k2_bounds: Range = (1e-5, 5.0)
    k3_bounds: Range = (0.0, 5.0)
    k4_bounds: Range = (1e-5, 5.0)
    V_B_bounds: Range = (0.0, 0.5)

    name: ClassVar[str] = "2TCM"
    aliases: ClassVar[tuple[str, ...]] = ("2TC", "2TC4k", "twotcm")
    title: ClassVar[str] = "two-tissue compartment model"
    needs: ClassVar[tuple[str, ...]] = ("plasma",)
    parameters: ClassVar[tuple[str, ...]] = ("K1", "k2", "k3", "k4", "V_B", "V_T", "V_S", "BP_ND", "BP_P", "V_ND")
    macro: ClassVar[str] = "V_T"
    fits_curve: ClassVar[bool] = True
    citations: ClassVar[tuple[str, ...]] = ("gunn2001", "innis2007")

    def __post_init__(self) -> None:
        bounds = ((name, getattr(self, f"{name}_bounds")) for name in ("K1", "k2", "k3", "k4", "V_B"))
        check_assumptions(self.name, self.V_B, tuple(bounds))

    @property
    def n_free(self) -> int:
        """How many parameters are free in the fit."""
        return 4 + (self.V_B is None)

    def estimate(self, problem: Problem) -> Solution:
        """Parameters of every curve of the problem."""
        bounds = (self.K1_bounds, self.k2_bounds, self.k3_bounds, self.k4_bounds)
        tissue = fit_tissue(problem, two_tissue, rate_constants, bounds, self.V_B, self.V_B_bounds, near=problem.first)
        single = tissue.theta[:, 2] <= self.k3_bounds[0]
        edge = tissue.held[:, [0, 1]].any(axis=1) | (tissue.held[:, [2, 3]].any(axis=1) & ~single)
        return tissue.solution(problem, *_volumes(tissue.theta), edge)

    def surface(self, problem: Problem, value: Array) -> Surface:
        """Surface about the estimates of every curve of the problem."""
        bounds = (self.K1_bounds, self.k2_bounds, self.k3_bounds, self.k4_bounds)
        return tissue_surface(problem, value, two_tissue, _volumes, bounds, self.V_B, self.V_B_bounds)


def _volumes(theta: Array) -> tuple[Array, Array]:
    """V_T, V_S, BP_ND, BP_P and V_ND from K1, k2, k3, k4 and V_B, and their derivatives by them."""
    K1, k2, k3, k4, _ = theta.T
    V_ND, BP_ND = K1 / k2, k3 / k4
    V_S = V_ND * BP_ND
    by_S = (BP_ND / k2, -V_S / k2, V_ND / k4, -V_S / k4, 0)
    by_ND = (1 / k2, -V_ND / k2, 0, 0, 0)
    by_BP = (0, 0, 1 / k4, -BP_ND / k4, 0)
    by_T = (by_S[0] + by_ND[0], by_S[1] + by_ND[1], by_S[2], by_S[3], 0)
    value = curvewise(V_ND + V_S, V_S, BP_ND, V_S, V_ND)
    return value, derivatives(by_T, by_S, by_BP, by_S, by_ND)


EXAMPLE = Example(TwoTCM(), {"K1": 0.25, "k2": 0.15, "k3": 0.08, "k4": 0.04, "V_B": 0.05}, tolerance=1e-4)
