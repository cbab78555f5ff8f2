"""Full reference tissue model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from raphe.core.bounded import BoundedFit, Curve, bounded_fit, covariance_of_free
from raphe.core.compartments import tissue_with_reference
from raphe.core.linear import HC2
from raphe.core.nonlinear import profile_fit
from raphe.core.rate_table import rate_table
from raphe.core.responses import responses
from raphe.kinetics.protocol import Example, Problem, Solution, curvewise, propagated
from raphe.kinetics.surface import Surface
from raphe.kinetics.tissue import Range, check_assumptions
from raphe.quality import Quality

Array = npt.NDArray[np.float64]

BEGIN = (0.01, 0.04, 0.15, 0.5)
"""Values of k4, 1/min, from each of which the search is begun: the surface has more than one valley."""

LEAST = 1e-3
"""Rate, 1/min, from which a search is begun at least."""

ALONE = 1e-3
"""Value of k2, 1/min, of a start that is R1 times the reference and hardly more."""


RELEASE = 0.04
"""Value of k4, 1/min, that the standard error of a BP_ND of 0 is for: no binding tells none. An assumption, of little
weight: with 0.5, it is a tenth to a fifth smaller."""


@dataclass(frozen=True)
class FRTM:
    r"""Full reference tissue model: two compartments in the target, one in the reference (Lammertsma et al. 1996).

    .. math:: C_T = R_1 C_R + \left[ A\, e^{-c t} + B\, e^{-d t} \right] \otimes C_R

    with c, d, A and B from R1, k2, k3 and k4, the reference's :math:`k_2' = k_2 / R_1`, and
    :math:`BP_{ND} = k_3 / k_4`. Where binding is fast, the simplified model is as good and R1, k3 and k4 are not
    determined by themselves; they carry the flag ``undetermined`` then.

    The surface has two valleys, one on either side of :math:`k_2' = k_3 + k_4`: for R1 = 1 the two may change places
    without a trace in the curve, and else with little. The estimate is from the deeper one. The standard errors are the
    root mean square distances from it when either may hold the truth, the other with the probability that the ratio of
    the likelihoods, :math:`e^{-\\Delta \\chi^2 / 2}`, gives it; so they tell when the rates have two answers, which
    leave BP_ND nearly the same. Within a valley they are of the kind HC2 (:func:`raphe.core.linear.covariance`), for
    HC3 errs to the wide here, whether the weights are right or not. Where the estimate is k3 = 0, that of BP_ND is what
    k3 may be by the data, with k4 taken to be 0.04 / min.

    Parameters
    ----------
    R1_bounds, k2_bounds, k3_bounds, k4_bounds : tuple of float
        Ranges of the search, unitless and 1/min. An estimate at an edge is flagged, but for k3 = 0: that is no binding.

    Raises
    ------
    ModelError
        If bounds cannot be.

    References
    ----------
    Lammertsma et al. 1996, J Cereb Blood Flow Metab 16:42, doi 10.1097/00004647-199601000-00005.
    """

    R1_bounds: Range = (0.01, 20.0)
    k2_bounds: Range = (1e-4, 5.0)
    k3_bounds: Range = (0.0, 5.0)
    k4_bounds: Range = (1e-4, 5.0)

    name: ClassVar[str] = "FRTM"
    aliases: ClassVar[tuple[str, ...]] = ()
    title: ClassVar[str] = "full reference tissue model"
    needs: ClassVar[tuple[str, ...]] = ("reference",)
    parameters: ClassVar[tuple[str, ...]] = ("BP_ND", "R1", "k2", "k3", "k4", "k2_prime")
    macro: ClassVar[str] = "BP_ND"
    fits_curve: ClassVar[bool] = True
    n_free: ClassVar[int] = 4
    errors: ClassVar[str] = "HC2"
    citations: ClassVar[tuple[str, ...]] = ("lammertsma1996b",)

    def __post_init__(self) -> None:
        bounds = ((name, getattr(self, f"{name}_bounds")) for name in ("R1", "k2", "k3", "k4"))
        check_assumptions(self.name, None, tuple(bounds))

    def estimate(self, problem: Problem) -> Solution:
        """Parameters of every curve of the problem."""
        curves, weights = problem.row_activity, problem.row_weights
        model = _curve(problem)
        found, other = self._valleys(model, _starts(problem), curves, weights)
        value, _ = _parameters(found.theta)
        own, singular = self._within_valley(model, found, curves, weights)
        variance = _over_valleys(
            value, own, self._within_valley(model, other, curves, weights)[0], found, other, curves
        )
        none, held = self._without_binding(found)
        edge = held[:, [0, 1]].any(axis=1) | (held[:, [2, 3]].any(axis=1) & ~none)
        quality = (
            np.where(edge, Quality.AT_BOUND, 0)
            | np.where(found.converged, 0, Quality.NOT_CONVERGED)
            | np.where(singular, Quality.SINGULAR, 0)
        )
        return Solution(
            value,
            np.where(np.pad(held, ((0, 0), (1, 1))), np.nan, np.sqrt(variance)),
            found.fitted,
            found.wrss,
            problem.rows,
            quality.astype(np.int64),
        )

    def surface(self, problem: Problem, value: Array) -> Surface:
        """Surface about the estimates of every curve of the problem."""
        lower, upper = self._limits
        return Surface(_curve(problem), value[:, 1:5], lower, upper, _parameters)

    def _valleys(
        self, model: Curve, starts: list[Array], curves: Array, weights: Array
    ) -> tuple[BoundedFit, BoundedFit]:
        """Lowest end of the searches, and the lowest on the other side of k2 / R1 = k3 + k4, of infinite cost if none.

        One more search begins where the two have changed places.
        """
        ends = [bounded_fit(model, start, curves, weights, *self._limits) for start in starts]
        found = reduce(BoundedFit.better, ends)
        ends.append(bounded_fit(model, _swapped(found.theta), curves, weights, *self._limits))
        found = found.better(ends[-1])
        side = _returns_first(found.theta)
        others = [replace(end, wrss=np.where(_returns_first(end.theta) != side, end.wrss, np.inf)) for end in ends]
        return found, reduce(BoundedFit.better, others)

    def _within_valley(
        self, model: Curve, found: BoundedFit, curves: Array, weights: Array
    ) -> tuple[Array, npt.NDArray[np.bool_]]:
        """Variances of all parameters from the curve's bend at the bottom of a valley, and where it has none."""
        none, held = self._without_binding(found)
        _, gradient = _parameters(found.theta)
        spread, singular = covariance_of_free(replace(found, at_bound=held), curves, weights, HC2)
        variance = propagated(gradient, spread) ** 2
        zero = np.flatnonzero(none & (found.theta[:, 2] == 0))
        if zero.size:
            theta = found.theta[zero]
            theta[:, 3] = RELEASE
            fitted, slopes = model(theta, np.arange(zero.size))
            only_k4 = np.tile([False, False, False, True], (zero.size, 1))
            there = BoundedFit(theta, fitted, slopes, found.wrss[zero], only_k4, found.converged[zero])
            spread, _ = covariance_of_free(there, curves[zero], weights[zero], HC2)
            variance[zero, 0] = spread[:, 2, 2] / RELEASE**2
        return variance, singular

    def _without_binding(self, found: BoundedFit) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Where k3 is at its lowest, and what is held: k4 too, where that is 0."""
        none = found.at_bound[:, 2] & (found.theta[:, 2] <= self.k3_bounds[0])
        return none, found.at_bound | (none[:, None] & np.array([False, False, False, self.k3_bounds[0] == 0]))

    @property
    def _limits(self) -> Array:
        """Lower and upper bounds of R1, k2, k3 and k4, shape (2, 4)."""
        return np.array([self.R1_bounds, self.k2_bounds, self.k3_bounds, self.k4_bounds]).T


def _curve(problem: Problem) -> Curve:
    reference, rows = problem.reference_curve, problem.rows
    answers = responses(problem.sampling, problem.sampling.drawn(reference))
    return tissue_with_reference(answers.rows(rows), reference[rows])


def _parameters(theta: Array) -> tuple[Array, Array]:
    """All parameters from R1, k2, k3 and k4, and their derivatives by them."""
    R1, k2, k3, k4 = theta.T
    zero, BP_ND = np.zeros_like(R1), k3 / k4
    gradient = np.concatenate(
        [
            curvewise(zero, zero, 1 / k4, -BP_ND / k4)[:, None],
            np.broadcast_to(np.eye(4), (len(R1), 4, 4)),
            curvewise(-k2 / R1**2, 1 / R1, zero, zero)[:, None],
        ],
        axis=1,
    )
    return curvewise(BP_ND, R1, k2, k3, k4, k2 / R1), gradient


def _returns_first(theta: Array) -> npt.NDArray[np.bool_]:
    """Whether the reference empties faster than the target exchanges, k2 / R1 > k3 + k4."""
    R1, k2, k3, k4 = theta.T
    return np.asarray(k2 / R1 > k3 + k4)


def _swapped(theta: Array) -> Array:
    """Let k2 / R1 and k3 + k4 change places, with R1 and the product k2 k4 as they are."""
    R1, k2, k3, k4 = theta.T
    inflow = R1 * np.maximum(k3 + k4, LEAST)
    back = k2 * k4 / inflow
    return curvewise(R1, inflow, np.maximum(k2 / R1 - back, LEAST), back)


def _over_valleys(value: Array, own: Array, its: Array, found: BoundedFit, other: BoundedFit, curves: Array) -> Array:
    """Variances about the estimates when either valley may hold the truth, each as probable as its likelihood says.

    ``own`` and ``its`` are those within the valleys.
    """
    freedom = curves.shape[1] - found.theta.shape[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.nan_to_num(np.exp((found.wrss - other.wrss) * freedom / (2 * found.wrss)))[:, None]
    apart = np.nan_to_num(its) + (_parameters(other.theta)[0] - value) ** 2
    return np.asarray((own + np.where(share > 0, share * apart, 0)) / (1 + share))


def _starts(problem: Problem) -> list[Array]:
    """R1, k2, k3 and k4 to begin with: R1, k2 and BP_ND of the simplified model, and several k4; and R1 by itself."""
    rows, reference = problem.rows, problem.reference_curve
    drawn = problem.sampling.drawn(reference)

    def basis(rate: npt.NDArray[np.inexact]) -> npt.NDArray[np.inexact]:
        tail = problem.sampling.convolve(drawn, rate)[:, rows]
        return np.stack([np.broadcast_to(reference[rows], tail.shape), tail], axis=1)

    simple = profile_fit(rate_table(basis, (1e-4, 2.0)), problem.row_activity, problem.row_weights, errors=False)
    R1 = np.clip(simple.theta[:, 0], 0.05, 10)
    k2 = np.clip(simple.theta[:, 1] + R1 * simple.rate, 1e-3, 2)
    BP_ND = np.clip(k2 / simple.rate - 1, 0.05, 50)
    weighted = problem.row_weights * reference[rows]
    like = np.clip((weighted * problem.row_activity).sum(axis=1) / (weighted @ reference[rows]), 0.05, 10)
    return [*(curvewise(R1, k2, BP_ND * k4, k4) for k4 in BEGIN), curvewise(like, ALONE, 0.0, BEGIN[-1])]


EXAMPLE = Example(FRTM(), {"R1": 1.1, "k2_prime": 0.1, "k3": 0.06, "k4": 0.03}, tolerance=1e-3)
