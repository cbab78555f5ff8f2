"""Displacement within one scan by a release that comes at once and fades exponentially."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from raphe.core.release_estimates import ESTIMATES
from raphe.core.release_fit import ReleaseData, release_fit
from raphe.errors import ModelError
from raphe.kinetics.protocol import Example, Problem, Solution, positive
from raphe.quality import Quality

Array = npt.NDArray[np.float64]
Range = tuple[float, float]

N_TAU = 48
"""Rates that are tried before the search."""


@dataclass(frozen=True)
class LSSRM:
    r"""Linear extension of the simplified reference region model, of Alpert et al. (2003).

    .. math:: C_T(t) = R_1 C_R(t) + k_2 \int_0^t C_R - k_{2a} \int_0^t C_T
              - \gamma \int_{t_D}^t e^{-\tau (u - t_D)} C_T(u)\, du

    MRTM1 with a clearance that leaps from k2a to k2a + gamma at the time of a task or challenge, and returns at the
    rate tau. BP_ND is that of the baseline, k2 / k2a - 1; the displacement is the relative fall from there to
    k2 / (k2a + gamma) - 1, at t_D. gamma is not negative. Where no release lowers the cost it is 0, BP_ND is MRTM1's
    and a tau that is not given is NaN; a tau at a bound has no standard error. Either is flagged as undetermined, and
    BP_ND remains usable. The other standard errors hold what such a tau may be within its range. BP_ND comes with the
    ends of its 95 % interval besides, from all tau that explain the curve about as well
    (:mod:`raphe.core.release_profile`): at 3 % noise they hold the truth in 95 to 97 %, twice the standard error in 89
    to 96 %.

    The AICc may be held against that of MRTM1, the same equation without a release, but not against that of models of
    the curve: the residuals are those of the equation, whose right-hand side holds the measured curve.

    Parameters
    ----------
    t_D : float, min
        Beginning of the release.
    tau : float, 1/min, optional
        Rate at which the release fades. Otherwise it is searched.
    tau_bounds : tuple of float, 1/min
        Range of the search; an assumption: from a release that outlasts any scan to one that is gone within a frame.

    Raises
    ------
    ModelError
        If ``t_D`` or ``tau`` is not a positive number, bounds do not ascend, or ``t_D`` is not within the scan (in
        ``estimate``).

    References
    ----------
    Alpert, Badgaiyan, Livni & Fischman 2003, NeuroImage 19:1050.
    """

    t_D: float  # noqa: N815 - the field's symbol
    tau: float | None = None
    tau_bounds: Range = (1e-3, 1.0)

    name: ClassVar[str] = "LSSRM"
    aliases: ClassVar[tuple[str, ...]] = ("LSRRM",)
    title: ClassVar[str] = "linear extension of the simplified reference region model"
    needs: ClassVar[tuple[str, ...]] = ("reference", "t_D")
    parameters: ClassVar[tuple[str, ...]] = (*ESTIMATES, "tau")
    macro: ClassVar[str] = "BP_ND"
    fits_curve: ClassVar[bool] = False
    gives_ends: ClassVar[bool] = True
    citations: ClassVar[tuple[str, ...]] = ("alpert2003",)

    def __post_init__(self) -> None:
        positive(self.name, "t_D", self.t_D)
        if self.tau is not None:
            positive(self.name, "tau", self.tau)
        if not 0 < self.tau_bounds[0] < self.tau_bounds[1] < np.inf:
            raise ModelError(
                f"{self.name} needs tau_bounds as two ascending positive numbers, but was given {self.tau_bounds!r}"
            )

    @property
    def n_free(self) -> int:
        """Four linear parameters, and tau where it is not given."""
        return 4 if self.tau is not None else 5

    def estimate(self, problem: Problem) -> Solution:
        """Parameters of every curve of the problem."""
        frames = problem.sampling.frames
        if not self.t_D < frames.mid[-1]:
            raise ModelError(
                f"{self.name} was given a release at t_D = {self.t_D:g} min, but the scan ends at {frames.end[-1]:g} "
                "min; give t_D in minutes from injection"
            )
        data = ReleaseData(
            problem.sampling, problem.rows, problem.reference_curve, problem.activity, problem.row_weights,
            problem.variance,
        )  # fmt: skip
        found = release_fit(data, FadingStep(self.t_D, self.tau, self.tau_bounds))
        value, se = (np.delete(columns, len(ESTIMATES), axis=1) for columns in found.estimates())
        if self.tau is not None:
            value[:, -1], se[:, -1] = self.tau, 0.0
        quality = np.where(found.singular, Quality.SINGULAR, 0) | np.where(found.converged, 0, Quality.NOT_CONVERGED)
        return Solution(
            value, se, found.fitted, found.wrss, problem.rows, quality.astype(np.int64), ends=found.binding()
        )


@dataclass(frozen=True)
class FadingStep:
    """Time courses that leap to 1 at t_D and fade at a rate tau, which are their parameters.

    Parameters
    ----------
    t_D : float, min
    tau : float, 1/min, or None
        None where it is searched.
    bounds : tuple of float, 1/min
        Of the search, which is for the logarithm.
    """

    t_D: float  # noqa: N815 - the field's symbol
    tau: float | None
    bounds: Range

    @property
    def grid(self) -> Array:
        """One start, the best of all rates."""
        return np.zeros((1, 1, 0)) if self.tau is not None else np.linspace(0, 1, N_TAU)[None, :, None]

    def shape(self, place: Array) -> tuple[Array, Array]:
        """Parameters at the coordinates, and their derivatives by them."""
        ratio = np.log(self.bounds[1] / self.bounds[0])
        tau = np.full((len(place), 1), self.tau) if self.tau is not None else self.bounds[0] * np.exp(ratio * place)
        chain = np.zeros((len(place), 2, place.shape[1]))
        chain[:, 1] = ratio * tau[:, : place.shape[1]]
        return np.concatenate([np.full_like(tau, self.t_D), tau], axis=-1), chain

    def height(self, since: Array, shape: Array) -> Array:
        """Heights at times since the beginning."""
        return np.asarray(np.exp(-shape[:, 1].reshape(-1, *(1,) * (since.ndim - 1)) * since))

    def log_slopes(self, since: Array, shape: Array) -> tuple[Array, ...]:
        """Derivatives of the heights' logarithm; a given beginning does not matter."""
        return np.zeros_like(since), -since


EXAMPLE = Example(
    LSSRM(t_D=35.0),
    {"R1": 1.1, "k2_prime": 0.1, "BP_ND": 2.0, "gamma": 0.02, "t_D": 35.0, "tau": 0.05},
    tolerance=1e-3,
)
