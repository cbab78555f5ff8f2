"""Simultaneous estimation of the non-displaceable volume of several regions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from raphe.core.compartments import rate_constants, tissue_with_blood, two_tissue
from raphe.core.responses import responses
from raphe.core.shared import Begin, SharedCurve, SharedFit, shared_covariance, shared_fit
from raphe.errors import ModelError
from raphe.kinetics.protocol import Example, Problem, Solution, curvewise, propagated
from raphe.kinetics.tissue import Range, Tissue, check_assumptions, fit_tissue
from raphe.quality import Quality

Array = npt.NDArray[np.float64]

BEGIN = (0.01, 0.05, 0.25)
"""Values of k4, 1/min, from each of which on the search is begun, besides the one of a fit without a common V_ND."""

N_GRID = 64
"""Values of V_ND at which the curves are fitted before the search, evenly spaced in its logarithm."""

BEYOND = 1.5
"""How far the values of V_ND reach beyond the largest V_T of the regions, as a factor."""

K2_BOUNDS = (1e-5, 5.0)
"""Range of k2, 1/min, in the fit of each region by itself that tells its residual variance."""

LEAST_NOISE = 1e-6
"""Least residual standard deviation that a region is taken to have, relative to its activity.

An assumption, for curves without noise, whose weights against one another would be those of rounding errors.
"""


@dataclass(frozen=True)
class SIMEVND:
    r"""Two tissue compartments in every region, with one non-displaceable volume V_ND for all (Ogden et al. 2015).

    .. math:: C_1' = K_1 C_P - (k_2 + k_3) C_1 + k_4 C_2, \quad C_2' = k_3 C_1 - k_4 C_2, \quad
        C = (1 - V_B)(C_1 + C_2) + V_B C_B, \qquad k_2 = K_1 / V_{ND}

    so that :math:`BP_{ND} = k_3 / k_4` comes with neither a reference region nor a blocking study. V_ND minimises the
    sum over the regions of

    .. math:: \mathrm{WRSS}_i(V_{ND}) / s_i^2

    with the lowest weighted sum of squares of region i for that V_ND, and its own residual variance
    :math:`s_i^2` from a fit with a V_ND of its own, for the weights tell a region's variance up to a factor only: a
    small noisy region would weigh as much as a large one otherwise, and one of high uptake more.

    V_ND and its uncertainty are part of every region's estimates and standard errors. It is at most the smallest V_T
    of the regions, by k3 not being negative. The curves leave it open if a V_ND that is by half or more away has a sum
    of squares less than one standard error higher; then all regions carry the flags ``imprecise`` and
    ``undetermined``. Where V_ND ends at an edge of its range it is ``at_bound``. What tells V_ND is the early bend of
    the curves: it is good where binding is slow enough to be seen as a second compartment, and open where one
    compartment would do.

    An error of V_ND goes the same way in all regions, and where V_ND is not the same in all of them BP_ND is wrong
    though its standard error be small. V_T by TwoTCM supposes less. A single region has what TwoTCM gives.

    Parameters
    ----------
    V_B : float or None
        Share of the tissue that is blood; None to estimate it, 0 to leave it out.
    V_ND_bounds, K1_bounds, k3_bounds, k4_bounds, V_B_bounds : tuple of float
        Ranges of the search, mL/cm3, mL/cm3/min, 1/min and unitless. An estimate at the edge of K1, k4 or at the upper
        edge of k3 is flagged. A region with k3 = 0 has no binding; the standard error of its BP_ND is as if k3 might be
        negative, with k4 as it ended.

    Raises
    ------
    ModelError
        If V_B or bounds cannot be.

    References
    ----------
    Ogden, Zanderigo & Parsey 2015, NeuroImage 108:234.
    """

    V_B: float | None = None
    V_ND_bounds: Range = (0.05, 100.0)
    K1_bounds: Range = (0.0, 5.0)
    k3_bounds: Range = (0.0, 5.0)
    k4_bounds: Range = (1e-5, 5.0)
    V_B_bounds: Range = (0.0, 0.5)

    name: ClassVar[str] = "SIMEVND"
    aliases: ClassVar[tuple[str, ...]] = ("SIME",)
    title: ClassVar[str] = "simultaneous estimation of V_ND with two tissue compartments"
    needs: ClassVar[tuple[str, ...]] = ("plasma",)
    parameters: ClassVar[tuple[str, ...]] = ("K1", "k2", "k3", "k4", "V_B", "V_T", "V_S", "BP_ND", "BP_P", "V_ND")
    macro: ClassVar[str] = "BP_ND"
    fits_curve: ClassVar[bool] = True
    joint: ClassVar[bool] = True
    citations: ClassVar[tuple[str, ...]] = ("ogden2015",)

    def __post_init__(self) -> None:
        bounds = ((name, getattr(self, f"{name}_bounds")) for name in ("V_ND", "K1", "k3", "k4", "V_B"))
        check_assumptions(self.name, self.V_B, tuple(bounds))
        if not self.V_ND_bounds[0] > 0:
            raise ModelError(f"{self.name}: the lower bound of V_ND is 0, but k2 is K1 / V_ND; give a positive one")

    @property
    def n_free(self) -> int:
        """How many parameters are free in the fit of a curve, the common V_ND among them."""
        return 4 + (self.V_B is None)

    def estimate(self, problem: Problem) -> Solution:
        """Parameters of every curve of the problem."""
        bounds = (self.K1_bounds, K2_BOUNDS, self.k3_bounds, self.k4_bounds)
        alone = fit_tissue(problem, two_tissue, rate_constants, bounds, self.V_B, self.V_B_bounds)
        curves, variance = problem.row_activity, _variance(problem, alone, self.n_free)
        weights = problem.row_weights / variance[:, None]
        limits = np.array(
            [self.K1_bounds, self.k3_bounds, self.k4_bounds, *([self.V_B_bounds] if self.V_B is None else [])]
        )
        found = shared_fit(
            self._curve(problem), self._begin(alone), curves, weights, limits[:, 0], limits[:, 1], self._grid(alone)
        )
        free, none = ~found.own.at_bound, found.own.theta[:, 1] <= self.k3_bounds[0]
        free[none, 1:3] = True, False
        spread, singular = shared_covariance(found, free, curves, weights)
        return self._solution(problem, found, spread, none, singular, found.own.wrss * variance)

    def _curve(self, problem: Problem) -> SharedCurve:
        """Model with K1, k3, k4 and, where it is not known, V_B of each curve, and V_ND of all."""
        answers = responses(problem.sampling, problem.parent).rows(problem.rows)
        two = tissue_with_blood(answers, two_tissue, problem.whole_blood[problem.rows], self.V_B)

        def curve(theta: Array, V_ND: Array) -> tuple[Array, Array, Array]:
            k2 = theta[:, 0] / V_ND
            fitted, jacobian = two(np.insert(theta, 1, k2, axis=1), np.arange(len(theta)))
            by_k2 = jacobian[..., 1]
            jacobian = np.delete(jacobian, 1, axis=-1)
            jacobian[..., 0] += by_k2 / V_ND[:, None]
            return fitted, jacobian, by_k2 * (-k2 / V_ND)[:, None]

        return curve

    def _begin(self, alone: Tissue) -> Begin:
        """Starts of any V_ND: K1, V_T and V_B as without a common one, and several k4."""
        K1, k2, k3, k4, V_B = alone.theta.T
        V_T = K1 / k2 * (1 + k3 / k4)
        release = np.stack([*(np.full_like(k4, value) for value in BEGIN), k4])

        def begin(V_ND: Array) -> Array:
            BP_ND = np.maximum(V_T / V_ND[:, None] - 1, 0.01)[:, None]
            start = curvewise(K1, BP_ND * release, release, V_B)
            return start if self.V_B is None else start[..., :-1]

        return begin

    def _grid(self, alone: Tissue) -> Array:
        """Values of V_ND to begin with, from its lower bound to beyond the largest V_T."""
        K1, k2, k3, k4, _ = alone.theta.T
        low, high = self.V_ND_bounds
        most = float((K1 / k2 * (1 + k3 / k4)).max(initial=0))
        return np.geomspace(low, np.clip(BEYOND * most, BEYOND * low, high), N_GRID)

    def _solution(
        self,
        problem: Problem,
        found: SharedFit,
        spread: Array,
        none: npt.NDArray[np.bool_],
        singular: npt.NDArray[np.bool_],
        wrss: Array,
    ) -> Solution:
        """All parameters, from K1, k3, k4, V_B of each curve and the common V_ND, and their standard errors."""
        theta, held, n = found.own.theta, found.own.at_bound, len(none)
        if self.V_B is not None:
            theta = np.column_stack([theta, np.full(n, self.V_B)])
            held = np.column_stack([held, np.zeros(n, dtype=bool)])
            spread = np.insert(np.insert(spread, 3, 0.0, axis=1), 3, 0.0, axis=2)
        K1, k3, k4, V_B = theta.T
        V, k2, BP_ND = found.shared, K1 / found.shared, k3 / k4
        zero, one = np.zeros(n), np.ones(n)
        by_S = curvewise(zero, V / k4, -V * BP_ND / k4, zero, BP_ND)
        by_BP = curvewise(zero, 1 / k4, -BP_ND / k4, zero, zero)
        own = np.broadcast_to(np.eye(5), (n, 5, 5))
        by_k2, by_T = curvewise(1 / V, zero, zero, zero, -k2 / V), by_S + own[:, 4]
        rows = [own[:, 0], by_k2, own[:, 1], own[:, 2], own[:, 3], by_T, by_S, by_BP, by_S, own[:, 4]]
        value = curvewise(K1, k2, k3, k4, V_B, V * (1 + BP_ND), V * BP_ND, BP_ND, V * BP_ND, V * one)
        edge = held[:, 0] | (held[:, 1:3].any(axis=1) & ~none) | found.at_edge
        unknown = np.zeros(value.shape, dtype=bool)
        unknown[:, [0, 2, 3, 4]] = held & ~(none[:, None] & np.array([False, True, False, False]))
        unknown[:, 3] |= none
        unknown[:, -1] = found.at_edge
        quality = (
            np.where(edge, Quality.AT_BOUND, 0)
            | np.where(found.own.converged, 0, Quality.NOT_CONVERGED)
            | np.where(singular, Quality.SINGULAR, 0)
            | (Quality.IMPRECISE | Quality.UNDETERMINED if found.flat else 0)
        )
        se = np.where(unknown, np.nan, propagated(np.stack(rows, axis=1), spread))
        return Solution(value, se, found.own.fitted, wrss, problem.rows, quality.astype(np.int64))


def _variance(problem: Problem, alone: Tissue, n_free: int) -> Array:
    """Residual variance of each region by itself, shape (n_curve,), as its weights have it."""
    weights, curves = problem.row_weights, problem.row_activity
    least = LEAST_NOISE**2 * (weights * curves**2).mean(axis=1)
    return np.asarray(np.maximum(alone.wrss / (problem.rows.size - n_free), least))


EXAMPLE = Example(SIMEVND(), {"K1": 0.25, "k2": 0.15, "k3": 0.08, "k4": 0.04, "V_B": 0.05}, tolerance=1e-3)
