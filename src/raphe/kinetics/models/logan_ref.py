"""Reference Logan plot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from raphe.core.graphical import Plot, logan_plot
from raphe.core.integrals import running_integral
from raphe.kinetics.line import line_solution, reversibility_quality
from raphe.kinetics.protocol import Example, Problem, Solution, positive


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
    takes_single: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.k2_prime is not None:
            positive(self.name, "k2_prime", self.k2_prime)

    def plot(self, problem: Problem) -> Plot:
        """Line of every curve from t* on."""
        rows, reference = problem.late(self.t_star).rows, problem.reference_curve
        delivered = problem.sampling.integral[rows] @ reference
        if self.k2_prime is not None:
            delivered = delivered + reference[rows] / self.k2_prime
        integral = running_integral(problem.sampling)
        return logan_plot(
            problem.activity, delivered, integral, rows, problem.weights, errors=problem.errors, fitted=problem.drawn
        )

    def estimate(self, problem: Problem) -> Solution:
        """Parameters of every curve of the problem."""
        plot = self.plot(problem)
        known = self.k2_prime is not None  # the intercept is then -1 / k2a
        quality = reversibility_quality(-plot.intercept, problem.sampling.frames.end[-1]) if known else 0
        return line_solution(plot, plot.slope - 1, plot.fitted, quality)


EXAMPLE = Example(LoganRef(t_star=30.0, k2_prime=0.1), {"R1": 1.1, "k2_prime": 0.1, "BP_ND": 1.5}, tolerance=1e-3)
