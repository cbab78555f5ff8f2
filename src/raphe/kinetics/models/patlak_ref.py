"""Patlak plot with a reference region."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from raphe.core.graphical import Plot, patlak_plot
from raphe.kinetics.line import influx_quality, line_solution
from raphe.kinetics.protocol import Example, Problem, Solution


@dataclass(frozen=True)
class PatlakRef:
    r"""Graphical analysis of irreversible uptake with a reference region (Patlak and Blasberg 1985).

    .. math:: \frac{C_T}{C_R} = K_i'\, \frac{\int_0^t C_R}{C_R} + b

    from t* on, with a reference that traps nothing. For a tissue with k2 and k3 whose non-displaceable volume is that
    of the reference, K_i' = k2 k3 / (k2 + k3): it holds delivery as well as trapping. The reference is taken as free of
    noise. A slope that is clearly negative is implausible.

    Parameters
    ----------
    t_star : float, min
        Fit the frames whose mid-time is at or after it. The default is an assumption; set it for your tracer.

    References
    ----------
    Patlak & Blasberg 1985, J Cereb Blood Flow Metab 5:584, doi 10.1038/jcbfm.1985.87.
    """

    t_star: float = 30.0

    name: ClassVar[str] = "PatlakRef"
    aliases: ClassVar[tuple[str, ...]] = ("refPatlak",)
    title: ClassVar[str] = "Patlak graphical analysis with a reference region"
    needs: ClassVar[tuple[str, ...]] = ("reference",)
    parameters: ClassVar[tuple[str, ...]] = ("K_i_ref",)
    macro: ClassVar[str] = "K_i_ref"
    fits_curve: ClassVar[bool] = False
    n_free: ClassVar[int] = 2
    citations: ClassVar[tuple[str, ...]] = ("patlak1985",)
    takes_single: ClassVar[bool] = True

    def plot(self, problem: Problem) -> Plot:
        """Line of every curve from t* on."""
        rows, reference = problem.late(self.t_star).rows, problem.reference_curve
        delivered = problem.sampling.integral[rows] @ reference
        return patlak_plot(
            problem.activity,
            delivered,
            reference[rows],
            rows,
            problem.weights,
            errors=problem.errors,
            fitted=problem.drawn,
        )

    def estimate(self, problem: Problem) -> Solution:
        """Parameters of every curve of the problem."""
        plot = self.plot(problem)
        return line_solution(plot, plot.slope, plot.fitted, influx_quality(plot))


EXAMPLE = Example(PatlakRef(t_star=40.0), {"R1": 1.1, "k2_prime": 0.1, "k3": 0.05}, tolerance=0.03)
