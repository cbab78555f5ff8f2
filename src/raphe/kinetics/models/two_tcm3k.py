"""Two-tissue compartment model without return from the second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from raphe.core.compartments import Start, irreversible
from raphe.kinetics.protocol import Example, Problem, Solution, curvewise
from raphe.kinetics.surface import Surface
from raphe.kinetics.tissue import Range, check_assumptions, fit_tissue, tissue_surface

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TwoTCM3k:
    r"""Two tissue compartments behind arterial plasma, the second a trap: irreversible binding (k4 = 0).

    .. math:: C_1' = K_1 C_P - (k_2 + k_3) C_1, \quad C_2' = k_3 C_1, \quad C = (1 - V_B)(C_1 + C_2) + V_B C_B

    so that the net influx rate is :math:`K_i = K_1 k_3 / (k_2 + k_3)`, and :math:`V_{ND} = K_1 / k_2`.

    Parameters
    ----------
    V_B : float or None
        Share of the tissue that is blood; None to estimate it, 0 to leave it out.
    K1_bounds, k2_bounds, k3_bounds, V_B_bounds : tuple of float
        Ranges of the search, mL/cm3/min, 1/min and unitless. An estimate at an edge is flagged, but for k3 = 0, which
        is no trapping.

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
    V_B_bounds: Range = (0.0, 0.5)

    name: ClassVar[str] = "2TCM3k"
    aliases: ClassVar[tuple[str, ...]] = ("2TC3k", "2TCMirr")
    title: ClassVar[str] = "irreversible two-tissue compartment model"
    needs: ClassVar[tuple[str, ...]] = ("plasma",)
    parameters: ClassVar[tuple[str, ...]] = ("K1", "k2", "k3", "V_B", "K_i", "V_ND")
    macro: ClassVar[str] = "K_i"
    fits_curve: ClassVar[bool] = True
    citations: ClassVar[tuple[str, ...]] = ("gunn2001", "innis2007")

    def __post_init__(self) -> None:
        bounds = ((name, getattr(self, f"{name}_bounds")) for name in ("K1", "k2", "k3", "V_B"))
        check_assumptions(self.name, self.V_B, tuple(bounds))

    @property
    def n_free(self) -> int:
        """How many parameters are free in the fit."""
        return 3 + (self.V_B is None)

    def estimate(self, problem: Problem) -> Solution:
        """Parameters of every curve of the problem."""
        bounds = (self.K1_bounds, self.k2_bounds, self.k3_bounds)
        tissue = fit_tissue(
            problem, irreversible, _begin, bounds, self.V_B, self.V_B_bounds, slow_is_zero=True, near=problem.first,
            none_is_an_answer=2,
        )  # fmt: skip
        none = tissue.theta[:, 2] <= self.k3_bounds[0]
        edge = tissue.held[:, [0, 1]].any(axis=1) | (tissue.held[:, 2] & ~none)
        return tissue.solution(problem, *_influx(tissue.theta), edge)

    def surface(self, problem: Problem, value: Array) -> Surface:
        """Surface about the estimates of every curve of the problem."""
        bounds = (self.K1_bounds, self.k2_bounds, self.k3_bounds)
        return tissue_surface(problem, value, irreversible, _influx, bounds, self.V_B, self.V_B_bounds)


def _influx(theta: Array) -> tuple[Array, Array]:
    """K_i and V_ND from K1, k2, k3 and V_B, and their derivatives by them."""
    K1, k2, k3, _ = theta.T
    zero, both = np.zeros_like(K1), k2 + k3
    by_flow = curvewise(k3 / both, -K1 * k3 / both**2, K1 * k2 / both**2, zero)
    by_ND = curvewise(1 / k2, -K1 / k2**2, zero, zero)
    return curvewise(K1 * k3 / both, K1 / k2), np.stack([by_flow, by_ND], axis=1)


def _begin(start: Start) -> Array:
    """K1, k2 and k3 of two exponentials of which the slower does not fade."""
    kept, left = start.amplitude.T
    K1 = np.maximum(kept + left, 1e-12)
    share = np.where(left > 0, kept / K1, 0.1)
    fast = start.rate[:, 1]
    return np.stack([K1, (1 - share) * fast, share * fast], axis=-1)


EXAMPLE = Example(TwoTCM3k(), {"K1": 0.1, "k2": 0.15, "k3": 0.06, "V_B": 0.05}, tolerance=1e-4)
