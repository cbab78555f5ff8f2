"""Reference Logan plot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from raphe.core.linear import covariance_both_sides, least_squares
from raphe.kinetics.protocol import Example, Problem, Solution, curvewise, positive, propagated
from raphe.quality import Quality

LEAST_SHARE = 1e-3
"""Share of a curve's highest activity that a fitted frame must exceed: the plot divides by it."""


@dataclass(frozen=True)
class LoganRef:
    r"""Graphical analysis with a reference region (Logan et al. 1996).

    .. math:: \frac{\int_0^t C_T}{C_T} = DVR\, \frac{\int_0^t C_R + C_R / k_2'}{C_T} + b, \qquad BP_{ND} = DVR - 1

    from t* on. Without k2' its term is left out, which is right where the ratio of tissue to reference is constant.
    Noise in C_T, which stands on both sides, biases DVR downward; the standard errors carry the frames' noise through
    both sides, but not that bias. With k2' the intercept b is -1/k2a, so one that is not negative is implausible, and
    one longer than the scan marks a slow tissue.

    Parameters
    ----------
    t_star : float, min
        Fit the frames whose mid-time is at or after it. The default is an assumption; set it for your tracer.
    k2_prime : float or None, 1/min
        Clearance from the reference tissue to plasma; ``None`` leaves its term out.

    Raises
    ------
    ModelError
        If ``k2_prime`` is given and not a positive number.

    References
    ----------
    Logan et al. 1996, J Cereb Blood Flow Metab 16:834, doi 10.1097/00004647-199609000-00008.
    """

    t_star: float = 30.0
    k2_prime: float | None = None

    name: ClassVar[str] = "LoganRef"
    aliases: ClassVar[tuple[str, ...]] = ("refLogan",)
    title: ClassVar[str] = "Logan graphical analysis with a reference region"
    needs: ClassVar[tuple[str, ...]] = ("reference",)
    parameters: ClassVar[tuple[str, ...]] = ("BP_ND",)
    macro: ClassVar[str] = "BP_ND"
    fits_curve: ClassVar[bool] = False
    n_free: ClassVar[int] = 2
    citations: ClassVar[tuple[str, ...]] = ("logan1996",)

    def __post_init__(self) -> None:
        if self.k2_prime is not None:
            positive(self.name, "k2_prime", self.k2_prime)

    def estimate(self, problem: Problem) -> Solution:
        """Parameters of every curve of the problem."""
        late = problem.late(self.t_star)
        integral = problem.sampling.integral[late.rows]
        reference = problem.reference_curve
        delivered = integral @ reference
        if self.k2_prime is not None:
            delivered = delivered + reference[late.rows] / self.k2_prime
        weights = late.row_weights
        highest = problem.activity.max(axis=-1, keepdims=True)
        positive_everywhere = np.all(late.row_activity > LEAST_SHARE * np.maximum(highest, 0), axis=-1)
        curves = np.where(positive_everywhere[:, None], late.row_activity, 1.0)
        area = problem.activity @ integral.T
        design = curvewise(delivered / curves, np.ones_like(curves))
        solved = least_squares(design, area / curves, weights)
        DVR, b = solved.theta.T
        select = np.eye(len(problem.sampling.frames))[late.rows]
        noise = (integral - b[:, None, None] * select) / curves[..., None]
        spread = covariance_both_sides(solved, design, weights, noise, late.variance)
        se = propagated(np.broadcast_to([[1.0, 0.0]], (len(DVR), 1, 2)), spread)
        with np.errstate(divide="ignore", invalid="ignore"):
            fitted = (area - DVR[:, None] * delivered) / b[:, None]
        good = positive_everywhere & ~solved.singular
        quality = np.where(positive_everywhere, 0, Quality.BAD_INPUT) | np.where(solved.singular, Quality.SINGULAR, 0)
        if self.k2_prime is not None:  # the intercept is then -1 / k2a
            quality |= np.where(good & (b >= 0), Quality.IMPLAUSIBLE, 0)
            quality |= np.where(good & (-b > problem.sampling.frames.end[-1]), Quality.SLOW, 0)
        value = np.where(good, DVR - 1, np.nan)[:, None]
        return Solution(
            value,
            np.where(good[:, None], se, np.nan),
            np.where(good[:, None], fitted, np.nan),
            solved.wrss,
            late.rows,
            quality.astype(np.int64),
        )


EXAMPLE = Example(LoganRef(t_star=30.0, k2_prime=0.1), {"R1": 1.1, "k2_prime": 0.1, "BP_ND": 1.5}, tolerance=1e-3)
