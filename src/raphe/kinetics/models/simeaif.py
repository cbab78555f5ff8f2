"""Simultaneous estimation of the arterial input function and the tissues of several regions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from raphe.core.feng_tissue import plasma_at
from raphe.core.joint_input import JointData, joint_fit
from raphe.core.piecewise import PiecewiseLinear
from raphe.core.sampling import Sampling
from raphe.errors import InputError, ModelError
from raphe.kinetics.protocol import Example, Problem, Solution
from raphe.kinetics.vascular import share_of_blood
from raphe.quality import Quality

Array = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.intp]

MOST_SAMPLES = 10
"""More samples than these make the scale no surer: those of one calibration and one metabolite curve err together."""

LEAST_REGIONS = 3
"""Regions that tell an input at least."""


@dataclass(frozen=True)
class SIMEAIF:
    r"""Two tissue compartments in every region behind one input, which is estimated with them (Ogden et al. 2010).

    The input is not measured but for one or a few samples of the parent in plasma, which give its scale:

    .. math:: C_p(u) = (A_1 u - A_2 - A_3)\, e^{-l_1 u} + A_2\, e^{-l_2 u} + A_3\, e^{-l_3 u}, \qquad u = t - t_0

    (Feng et al. 1993). Its seven parameters and the rate constants of all regions are found together, by weighted least
    squares, from several starts; each region is weighted by its own residual variance, and each sample by
    ``sample_error``. What the input leaves open goes into the standard error of every region's V_T: where the form is
    right, it is 4 to 40 % at 3 % noise. An error of the input goes the same way in all regions, so that their ratios
    are better known than V_T itself. The rate constants lean on the unknown peak of the input, and are not given.

    It asks for a bolus, for regions of different kinetics (three at least; six to ten are better), and for curves from
    injection on. Blood in the tissue is taken to be like the parent in plasma, with a share that is known.

    Parameters
    ----------
    V_B, V_B_error : float
        Share of the tissue that is blood, and by how much it may be off, which goes into the standard errors; both are
        assumptions.
    form_error : float
        Standard deviation of V_T, as a share of it and common to all regions, for an input that has another form; an
        assumption. In twelve of sixteen scans of [11C]MC1 (four were flagged) V_T was 4 % higher to 39 % lower than
        with the measured input, while its ratios between regions agreed within 5 % in the middle 80 % of regions.
    sample_from : float, min
        Samples before are not used, for they would have to be moved to the time of the tissue.
    sample_error : float
        Standard deviation of a sample, as a share of it; an assumption. More than ten samples count as ten.

    Raises
    ------
    ModelError
        If ``V_B`` is no share, or another number is not positive.
    InputError
        If there is no sample to use, or there are fewer than three regions (in ``estimate``).

    References
    ----------
    Ogden, Zanderigo, Choy, Mann & Parsey 2010, J Cereb Blood Flow Metab 30:816, doi 10.1038/jcbfm.2009.245.
    """

    V_B: float = 0.05
    V_B_error: float = 0.03
    form_error: float = 0.3
    sample_from: float = 10.0
    sample_error: float = 0.03

    name: ClassVar[str] = "SIMEAIF"
    aliases: ClassVar[tuple[str, ...]] = ()
    title: ClassVar[str] = "simultaneous estimation of the input function with two tissue compartments"
    needs: ClassVar[tuple[str, ...]] = ("samples",)
    parameters: ClassVar[tuple[str, ...]] = ("V_T",)
    macro: ClassVar[str] = "V_T"
    fits_curve: ClassVar[bool] = False
    n_free: ClassVar[int] = 4
    errors: ClassVar[str] = "HC2"
    joint: ClassVar[bool] = True
    least_regions: ClassVar[int] = LEAST_REGIONS
    citations: ClassVar[tuple[str, ...]] = ("ogden2010", "feng1993")

    def __post_init__(self) -> None:
        share_of_blood(self.name, self.V_B)
        for name, low in (("V_B_error", 0.0), ("form_error", 0.0), ("sample_from", 0.0), ("sample_error", 1e-4)):
            if not low <= getattr(self, name) < np.inf:
                raise ModelError(f"{self.name} needs {name} of at least {low:g}, but was given {getattr(self, name)!r}")

    def estimate(self, problem: Problem) -> Solution:
        """Parameters of every curve of the problem."""
        curves, weights = problem.row_activity, problem.row_weights
        if len(curves) < LEAST_REGIONS:
            raise InputError(
                f"{self.name} estimates the input from the curves of several regions, at least {LEAST_REGIONS}, but "
                f"there {'is' if len(curves) == 1 else 'are'} {len(curves)}; give more, or choose a model with blood"
            )
        time, sample = self._samples(problem)
        error = self.sample_error * max(time.size / MOST_SAMPLES, 1) ** 0.5
        times, begin, stop = _frames(problem.sampling, problem.rows)
        data = JointData(curves, weights, times, begin, stop, time, sample, error, self.V_B, self.V_B_error)
        found = joint_fit(data)
        V_T = found.volumes.sum(axis=1)
        by_blood = (found.by_blood[0] - found.by_blood[1]).sum(axis=1) / 2
        se = np.sqrt(found.covariance.sum(axis=(1, 2)) + by_blood**2 + (self.form_error * V_T) ** 2)
        quality = np.where(found.at_bound, Quality.AT_BOUND, 0) | (0 if found.converged else Quality.NOT_CONVERGED)
        wrss = (weights * (curves - found.fitted) ** 2).sum(axis=1)
        return Solution(
            V_T[:, None], se[:, None], found.fitted, wrss, problem.rows, quality.astype(np.int64),
            _drawn(found.theta, float(times[-1])),
        )  # fmt: skip

    def _samples(self, problem: Problem) -> tuple[Array, Array]:
        """Times and values of the samples that are used."""
        time, value = problem.parent.time, problem.parent.value
        end = float(problem.sampling.frames.end[-1])
        used = (time >= self.sample_from) & (time <= end) & (value > 0)
        if not used.any():
            raise InputError(
                f"{self.name} needs at least one sample of the parent in plasma from {self.sample_from:g} min after "
                f"injection to the scan's end at {end:g} min, for the scale of the input, but there is none"
            )
        return time[used], value[used]


def _frames(sampling: Sampling, rows: Numbers) -> tuple[Array, Numbers, Numbers]:
    """Times at which tissues are to be known, and the numbers of each frame's."""
    frames = sampling.frames
    if sampling.convention == "midframe":
        at = np.arange(rows.size)
        return frames.mid[rows], at, at
    times = np.union1d(frames.start[rows], frames.end[rows])
    return times, np.searchsorted(times, frames.start[rows]), np.searchsorted(times, frames.end[rows])


def _drawn(theta: Array, end: float) -> PiecewiseLinear:
    """Input from its arrival to the end of the scan, as straight lines."""
    since = np.concatenate([np.linspace(0, 3, 121), np.geomspace(3, 3 + max(end - theta[0], 0), 121)[1:]])
    return PiecewiseLinear(theta[0] + since, plasma_at(theta, theta[0] + since))


EXAMPLE = Example(SIMEAIF(V_B=0.0), {"K1": 0.2, "k2": 0.12, "k3": 0.08, "k4": 0.04}, tolerance=1e-3)
