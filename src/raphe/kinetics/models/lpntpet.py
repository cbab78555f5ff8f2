"""Displacement within one scan by a release that rises and fades like a gamma variate."""

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

MARGIN = 10.0
"""Minutes after injection, and before the end of the scan, in which no release is looked for unless bounds are given.

An assumption: the first uptake and the last frames leave too little to tell a release by.
"""

LEAST_RISE = 1.0
"""Shortest time from the beginning of a release to its peak, min: about the shortest frame at that time."""

N_BEGIN, N_RISE, N_ALPHA = 24, 10, 4
"""Time courses that are tried before the search: beginnings, peaks for each and exponents for each of these."""


@dataclass(frozen=True)
class LPNTPET:
    r"""Linear parametric neurotransmitter PET of Normandin, Schiffer and Morris (2012).

    .. math:: C_T(t) = R_1 C_R(t) + k_2 \int_0^t C_R - k_{2a} \int_0^t C_T - \gamma \int_0^t C_T\, h

    .. math:: h(t) = \left(\frac{t - t_D}{t_P - t_D}\right)^{\alpha}
              \exp\left[\alpha \left(1 - \frac{t - t_D}{t_P - t_D}\right)\right] \quad \text{for } t > t_D

    MRTM1 with a clearance that rises from k2a to k2a + gamma h(t) while endogenous ligand holds the receptors. BP_ND is
    that of the baseline, k2 / k2a - 1; the displacement is the relative fall from there to k2 / (k2a + gamma) - 1, at
    the peak. t_D, t_P and alpha are searched to convergence from the best time courses of a grid; gamma is not
    negative. Where no release lowers the cost, gamma is 0, BP_ND is MRTM1's and the time course is NaN; what ended at a
    bound has no standard error. Either is flagged as undetermined, and BP_ND remains usable.

    Noise can make a course fit best that is far from the true one. So the standard errors of R1, k2, k2' and k2a hold
    all courses that explain the curve about as well (:mod:`raphe.core.release_profile`), as far as the grid tells them,
    and those of t_D, t_P and alpha hold how far apart these lie; the others hold what the course may be near the
    answer. At 3 % noise intervals of R1, k2, k2' and k2a cover in 92 to 98 %, of t_D, t_P and the displacement in 96
    to 100 %. Where a release rises slowly, a later and sharper one may fit better, while with the true one BP_ND has no
    upper limit; no standard error tells that. So BP_ND comes with the ends of its interval besides, by the profile of
    the likelihood, which hold the truth in 93 to 98 %. Its standard error is that near the answer, and twice of it in
    62 to 97 %.

    A time course can be found in noise as well, and spoils the baseline then. Hold the AICc against that of MRTM1, the
    same equation without a release, before one is believed. It may not be held against that of models of the curve, for
    the residuals are those of the equation, whose right-hand side holds the measured curve.

    Parameters
    ----------
    t_D : float, min, optional
        Beginning of the release, where it is known. Otherwise it is searched.
    t_D_bounds, t_P_bounds : tuple of float, min, optional
        Ranges of the search for the beginning and the peak. As they are left out: for the beginning, from
        :data:`MARGIN` after injection to that before the end of the scan; for the peak, to the end of the scan. The
        peak is at least :data:`LEAST_RISE` after the beginning.
    alpha_bounds : tuple of float
        Range of the search for the exponent; an assumption, from a response that fades slowly to a sharp one.

    Raises
    ------
    ModelError
        If a time is not a positive number, bounds do not ascend, or they leave no room in the scan (in ``estimate``).

    References
    ----------
    Normandin, Schiffer & Morris 2012, NeuroImage 59:2689, doi 10.1016/j.neuroimage.2011.07.002.
    """

    t_D: float | None = None  # noqa: N815 - the field's symbol
    t_D_bounds: Range | None = None  # noqa: N815
    t_P_bounds: Range | None = None  # noqa: N815
    alpha_bounds: Range = (0.25, 4.0)

    name: ClassVar[str] = "lpntPET"
    aliases: ClassVar[tuple[str, ...]] = ("lp-ntPET",)
    title: ClassVar[str] = "linear parametric neurotransmitter PET"
    needs: ClassVar[tuple[str, ...]] = ("reference",)
    parameters: ClassVar[tuple[str, ...]] = (*ESTIMATES, "t_D", "t_P", "alpha")
    macro: ClassVar[str] = "BP_ND"
    fits_curve: ClassVar[bool] = False
    gives_ends: ClassVar[bool] = True
    citations: ClassVar[tuple[str, ...]] = ("normandin2012", "alpert2003")

    def __post_init__(self) -> None:
        if self.t_D is not None:
            positive(self.name, "t_D", self.t_D)
        for name in ("t_D_bounds", "t_P_bounds", "alpha_bounds"):
            bounds = getattr(self, name)
            if bounds is not None and not 0 < bounds[0] < bounds[1] < np.inf:
                raise ModelError(
                    f"{self.name} needs {name} as two ascending positive numbers, but was given {bounds!r}"
                )
        if self.t_D is not None and self.t_D_bounds is not None:
            raise ModelError(f"{self.name} was given both t_D and t_D_bounds; leave one out")

    @property
    def n_free(self) -> int:
        """Four linear parameters, t_P, alpha, and t_D where it is not given."""
        return 6 if self.t_D is not None else 7

    def estimate(self, problem: Problem) -> Solution:
        """Parameters of every curve of the problem."""
        course = self._course(float(problem.sampling.frames.end[-1]))
        data = ReleaseData(
            problem.sampling, problem.rows, problem.reference_curve, problem.activity, problem.row_weights,
            problem.variance,
        )  # fmt: skip
        found = release_fit(data, course)
        value, se = found.estimates()
        if self.t_D is not None:
            column = self.parameters.index("t_D")
            value[:, column], se[:, column] = self.t_D, 0.0
        quality = np.where(found.singular, Quality.SINGULAR, 0) | np.where(found.converged, 0, Quality.NOT_CONVERGED)
        return Solution(
            value, se, found.fitted, found.wrss, problem.rows, quality.astype(np.int64), ends=found.binding()
        )

    def _course(self, end: float) -> GammaVariate:
        """Time courses that are possible in a scan that ends at ``end``, min."""
        given = self.t_D is not None
        begin = (self.t_D, self.t_D) if self.t_D is not None else (self.t_D_bounds or (MARGIN, end - MARGIN))
        peak = self.t_P_bounds or (begin[0] + LEAST_RISE, end)
        if not (begin[0] < begin[1] or given) or peak[1] > end or begin[1] + LEAST_RISE >= peak[1]:
            raise ModelError(
                f"{self.name} looks for a release that begins from {begin[0]:g} to {begin[1]:g} min and has its peak "
                f"from {LEAST_RISE:g} min after that to {peak[1]:g} min, which does not fit a scan that ends at "
                f"{end:g} min; give other t_D_bounds and t_P_bounds, or another t_D"
            )
        return GammaVariate(begin, peak, self.alpha_bounds, given)


@dataclass(frozen=True)
class GammaVariate:
    """Time courses that rise as a power alpha of time, to 1 at t_P, and fade; their parameters are t_D, t_P and alpha.

    Parameters
    ----------
    begin, peak, alpha : tuple of float
        Ranges, min, min and none. The coordinate of the peak runs from the lower end of its range, or
        :data:`LEAST_RISE` after the beginning where that is later, to the upper end; that of alpha is logarithmic.
    given : bool
        Whether the beginning is given; both ends of its range are then the same, and it has no coordinate.
    """

    begin: Range
    peak: Range
    alpha: Range
    given: bool

    @property
    def grid(self) -> Array:
        """A start for each exponent; peaks lie denser near the beginning."""
        begin = np.linspace(0, 1, N_BEGIN)[: 1 if self.given else None]
        rise, power = np.linspace(0, 1, N_RISE) ** 2, np.linspace(0, 1, N_ALPHA)
        power, begin, rise = np.meshgrid(power, begin, rise, indexing="ij")
        return np.stack([begin, rise, power], axis=-1).reshape(N_ALPHA, -1, 3)[..., int(self.given) :]

    def shape(self, place: Array) -> tuple[Array, Array]:
        """Parameters at the coordinates, and their derivatives by them."""
        begin, rise, power = (np.zeros(len(place)), *place.T)[-3:]
        span, ratio = self.begin[1] - self.begin[0], np.log(self.alpha[1] / self.alpha[0])
        t_D = self.begin[0] + span * begin
        soonest = np.maximum(t_D + LEAST_RISE, self.peak[0])
        alpha = self.alpha[0] * np.exp(ratio * power)
        chain = np.zeros((len(place), 3, 3))
        chain[:, 0, 0] = span
        chain[:, 1, 0] = np.where(t_D + LEAST_RISE >= self.peak[0], span, 0) * (1 - rise)
        chain[:, 1, 1] = self.peak[1] - soonest
        chain[:, 2, 2] = ratio * alpha
        t_P = soonest + chain[:, 1, 1] * rise
        return np.stack([t_D, t_P, alpha], axis=-1), chain[..., int(self.given) :]

    def height(self, since: Array, shape: Array) -> Array:
        """Heights at times since the beginning."""
        part, alpha = self._part(since, shape)
        return np.asarray(np.exp(alpha * (np.log(part) + 1 - part)))

    def log_slopes(self, since: Array, shape: Array) -> tuple[Array, ...]:
        """Derivatives of the heights' logarithm; as the beginning comes later, the rise to a peak gets shorter."""
        part, alpha = self._part(since, shape)
        by_peak = alpha * (part - 1) * part / since
        return -by_peak, by_peak, np.log(part) + 1 - part

    @staticmethod
    def _part(since: Array, shape: Array) -> tuple[Array, Array]:
        """Times as a share of the rise, and alpha, each so that it broadcasts."""
        t_D, t_P, alpha = (column.reshape(-1, *(1,) * (since.ndim - 1)) for column in shape.T)
        return since / (t_P - t_D), alpha


EXAMPLE = Example(
    LPNTPET(),
    {"R1": 1.1, "k2_prime": 0.1, "BP_ND": 2.0, "gamma": 0.02, "t_D": 35.0, "t_P": 45.0, "alpha": 1.0},
    tolerance=1e-3,
)
