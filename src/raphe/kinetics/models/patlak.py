"""Patlak plot with arterial plasma."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from raphe.core.graphical import Plot, patlak_plot
from raphe.kinetics.line import influx_quality, line_solution
from raphe.kinetics.protocol import Example, Problem, Solution
from raphe.kinetics.vascular import share_of_blood, with_blood, without_blood


@dataclass(frozen=True)
class Patlak:
    r"""Graphical analysis of irreversible uptake (Patlak et al. 1983).

    .. math:: \frac{C_T}{C_p} = K_i\, \frac{\int_0^t C_p}{C_p} + b

    from t* on: once the reversible part of the tissue follows plasma, what rises is what is trapped. b is then the
    volume of that part. The noise of C_T stands on one side alone, so it does not bias K_i. The frames' weights are
    those of the points, as elsewhere in the field; the standard error does not rely on them. Release from the tissue
    bends the plot downward, and a slope that is clearly negative is implausible.

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
    Patlak et al. 1983, J Cereb Blood Flow Metab 3:1, doi 10.1038/jcbfm.1983.1.
    """

    t_star: float = 30.0
    V_B: float = 0.0

    name: ClassVar[str] = "Patlak"
    aliases: ClassVar[tuple[str, ...]] = ()
    title: ClassVar[str] = "Patlak graphical analysis with arterial plasma"
    needs: ClassVar[tuple[str, ...]] = ("plasma",)
    parameters: ClassVar[tuple[str, ...]] = ("K_i",)
    macro: ClassVar[str] = "K_i"
    fits_curve: ClassVar[bool] = False
    n_free: ClassVar[int] = 2
    citations: ClassVar[tuple[str, ...]] = ("patlak1983",)
    takes_single: ClassVar[bool] = True

    def __post_init__(self) -> None:
        share_of_blood(self.name, self.V_B)

    def plot(self, problem: Problem) -> Plot:
        """Line of every curve from t* on, less its blood."""
        tissue = without_blood(problem, self.V_B).late(self.t_star)
        sampling, rows = problem.sampling, tissue.rows
        delivered, plasma = sampling.integrated(problem.parent)[rows], sampling.seen(problem.parent)[rows]
        return patlak_plot(
            tissue.activity, delivered, plasma, rows, tissue.weights, errors=problem.errors, fitted=problem.drawn
        )

    def estimate(self, problem: Problem) -> Solution:
        """Parameters of every curve of the problem."""
        plot = self.plot(problem)
        fitted = with_blood(plot.fitted, problem, plot.rows, self.V_B)
        return line_solution(plot, plot.slope, fitted, influx_quality(plot))


EXAMPLE = Example(Patlak(t_star=40.0, V_B=0.05), {"K1": 0.1, "k2": 0.15, "k3": 0.06, "V_B": 0.05}, tolerance=0.02)
