"""One-tissue compartment model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from raphe.core.compartments import Start, one_tissue
from raphe.kinetics.protocol import Example, Problem, Solution
from raphe.kinetics.surface import Surface
from raphe.kinetics.tissue import Range, check_assumptions, fit_tissue, tissue_surface

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class OneTCM:
    r"""One tissue compartment behind arterial plasma, with blood in its vessels.

    .. math:: C = (1 - V_B)\, K_1\, e^{-k_2 t} \otimes C_P + V_B C_B, \qquad V_T = K_1 / k_2

    Parameters
    ----------
    V_B : float or None
        Share of the tissue that is blood; None to estimate it, 0 to leave it out.
    K1_bounds, k2_bounds, V_B_bounds : tuple of float
        Ranges of the search, mL/cm3/min, 1/min and unitless. An estimate at the edge of the first two is flagged.

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
    V_B_bounds: Range = (0.0, 0.5)

    name: ClassVar[str] = "1TCM"
    aliases: ClassVar[tuple[str, ...]] = ("1TC", "onetcm")
    title: ClassVar[str] = "one-tissue compartment model"
    needs: ClassVar[tuple[str, ...]] = ("plasma",)
    parameters: ClassVar[tuple[str, ...]] = ("K1", "k2", "V_B", "V_T")
    macro: ClassVar[str] = "V_T"
    fits_curve: ClassVar[bool] = True
    citations: ClassVar[tuple[str, ...]] = ("gunn2001", "innis2007")

    def __post_init__(self) -> None:
        bounds = (("K1", self.K1_bounds), ("k2", self.k2_bounds), ("V_B", self.V_B_bounds))
        check_assumptions(self.name, self.V_B, bounds)

    @property
    def n_free(self) -> int:
        """How many parameters are free in the fit."""
        return 2 + (self.V_B is None)

    def estimate(self, problem: Problem) -> Solution:
        """Parameters of every curve of the problem."""
        tissue = fit_tissue(
            problem,
            one_tissue,
            _begin,
            (self.K1_bounds, self.k2_bounds),
            self.V_B,
            self.V_B_bounds,
        )
        edge = tissue.held[:, 0] | tissue.held[:, 1]
        return tissue.solution(problem, *_volume(tissue.theta), edge)

    def surface(self, problem: Problem, value: Array) -> Surface:
        """Surface about the estimates of every curve of the problem."""
        bounds = (self.K1_bounds, self.k2_bounds)
        return tissue_surface(problem, value, one_tissue, _volume, bounds, self.V_B, self.V_B_bounds)


def _begin(start: Start) -> Array:
    """K1 and k2 of one exponential."""
    return np.concatenate([start.amplitude, start.rate], axis=1)


def _volume(theta: Array) -> tuple[Array, Array]:
    """V_T from K1, k2 and V_B, and its derivatives by them."""
    K1, k2, _ = theta.T
    gradient = np.stack([1 / k2, -K1 / k2**2, np.zeros_like(K1)], axis=-1)[:, None]
    return (K1 / k2)[:, None], gradient


EXAMPLE = Example(OneTCM(), {"K1": 0.3, "k2": 0.06, "V_B": 0.05}, tolerance=1e-4)
