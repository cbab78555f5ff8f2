"""Logan plot with arterial plasma."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from raphe.core.graphical import Plot, logan_plot
from raphe.core.integrals import running_integral
from raphe.kinetics.line import line_solution, reversibility_quality
from raphe.kinetics.protocol import Example, Problem, Solution
from raphe.kinetics.vascular import share_of_blood, with_blood, without_blood


@dataclass(frozen=True)
class Logan:
    r"""Graphical analysis of reversible binding (Logan et al. 1990).

    .. math:: \frac{\int_0^t C_T}{C_T} = V_T\, \frac{\int_0^t C_p}{C_T} + b

    from t* on. Exact from injection on for a tissue with one compartment, where b is -1/k2; with two it holds once they
    stand in a constant ratio. Noise in C_T, which stands on both sides, biases V_T downward; the standard errors carry
    the frames' noise through both sides, but not that bias. An intercept that is not negative is implausible, and one
    longer than the scan marks a slow tissue.

    Parameters
    ----------
    t_star : float, min
        Fit the frames whose mid-time is at or after it. The default is an assumption; set it for your tracer.
    V_B : float
        Share of the tissue that is blood, taken out of the curve beforehand.

    Raises
    ------
    ModelError
        If ``V_B`` is not a share.

    References
    ----------
    Logan et al. 1990, J Cereb Blood Flow Metab 10:740, doi 10.1038/jcbfm.1990.127.
    """

    t_star: float = 30.0
    V_B: float = 0.0

    name: ClassVar[str] = "Logan"
    aliases: ClassVar[tuple[str, ...]] = ()
    title: ClassVar[str] = "Logan graphical analysis with arterial plasma"
    needs: ClassVar[tuple[str, ...]] = ("plasma",)
    parameters: ClassVar[tuple[str, ...]] = ("V_T",)
    macro: ClassVar[str] = "V_T"
    fits_curve: ClassVar[bool] = False
    n_free: ClassVar[int] = 2
    citations: ClassVar[tuple[str, ...]] = ("logan1990",)
    takes_single: ClassVar[bool] = True

    def __post_init__(self) -> None:
        share_of_blood(self.name, self.V_B)

    def plot(self, problem: Problem) -> Plot:
        """Line of every curve from t* on, less its blood."""
        tissue, sampling = without_blood(problem, self.V_B).late(self.t_star), problem.sampling
        delivered = sampling.integrated(problem.parent)[tissue.rows]
        return logan_plot(
            tissue.activity,
            delivered,
            running_integral(sampling),
            tissue.rows,
            tissue.weights,
            errors=problem.errors,
            fitted=problem.drawn,
        )

    def estimate(self, problem: Problem) -> Solution:
        """Parameters of every curve of the problem."""
        plot = self.plot(problem)
        quality = reversibility_quality(-plot.intercept, problem.sampling.frames.end[-1])
        fitted = with_blood(plot.fitted, problem, plot.rows, self.V_B)
        return line_solution(plot, plot.slope, fitted, quality)


EXAMPLE = Example(Logan(t_star=30.0, V_B=0.05), {"K1": 0.3, "k2": 0.06, "V_B": 0.05}, tolerance=1e-3)
