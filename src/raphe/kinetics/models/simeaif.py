"""Simultaneous estimation of the arterial input function and the tissues of several regions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from raphe.core.feng_tissue import plasma_at
from raphe.core.joint_input import JointData, JointFit, joint_fit
from raphe.core.piecewise import PiecewiseLinear
from raphe.core.sampling import Sampling
from raphe.errors import InputError, ModelError
from raphe.kinetics.protocol import Example, Problem, Solution, curvewise, propagated
from raphe.kinetics.vascular import share_of_blood
from raphe.quality import Quality

Array = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.intp]

STEP = 1e-6
"""Half-width of the central differences by which standard errors are carried to the rate constants."""

LEAST_REGIONS = 3
"""Regions that tell an input at least."""


@dataclass(frozen=True)
class SIMEAIF:
    r"""Two tissue compartments in every region behind one input, which is estimated with them (Ogden et al. 2010).

    The input is not measured but for one or a few samples of the parent in plasma, which give its scale:

    .. math:: C_p(u) = (A_1 u - A_2 - A_3)\, e^{-l_1 u} + A_2\, e^{-l_2 u} + A_3\, e^{-l_3 u}, \qquad u = t - t_0

    (Feng et al. 1993). Its seven parameters and K1, k2, k3, k4 of all regions are found together, by weighted least
    squares, from several starts; each region is weighted by its own residual variance, and each sample by
    ``sample_error``. What the input leaves open goes into the standard error of every region's V_T, so that it is
    several times that of a fit with the input measured: V_T to 5 to 40 % with one sample. An error of the
    input goes the same way in all regions.

    It asks for a bolus, for regions of different kinetics (three at least; six to ten are better), and for curves from
    injection on. Blood in the tissue is taken to be like the parent in plasma, with a share that is known.

    Parameters
    ----------
    V_B : float
        Share of the tissue that is blood. An assumption; that it is left out where there is some biases V_T by up to
        10 %, and the standard errors do not say so.
    sample_from : float, min
        Samples before are not used, for they would have to be moved to the time of the tissue.
    sample_error : float
        Standard deviation of a sample, as a share of it; an assumption.

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
    sample_from: float = 10.0
    sample_error: float = 0.03

    name: ClassVar[str] = "SIMEAIF"
    aliases: ClassVar[tuple[str, ...]] = ()
    title: ClassVar[str] = "simultaneous estimation of the input function with two tissue compartments"
    needs: ClassVar[tuple[str, ...]] = ("samples",)
    parameters: ClassVar[tuple[str, ...]] = ("K1", "k2", "k3", "k4", "V_T")
    macro: ClassVar[str] = "V_T"
    fits_curve: ClassVar[bool] = False
    n_free: ClassVar[int] = 4
    joint: ClassVar[bool] = True
    least_regions: ClassVar[int] = LEAST_REGIONS
    citations: ClassVar[tuple[str, ...]] = ("ogden2010", "feng1993")

    def __post_init__(self) -> None:
        share_of_blood(self.name, self.V_B)
        for name, low in (("sample_from", 0.0), ("sample_error", 1e-4)):
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
        times, begin, stop = _frames(problem.sampling, problem.rows)
        data = JointData(curves, weights, times, begin, stop, time, sample, self.sample_error, self.V_B)
        found = joint_fit(data)
        value, se = _estimates(found)
        edge = found.held[:, 0] | found.held[:, 1] | found.held_input.any()
        quality = (
            np.where(edge, Quality.AT_BOUND, 0)
            | (0 if found.converged else Quality.NOT_CONVERGED)
            | (Quality.SINGULAR if found.singular else 0)
        )
        wrss = (weights * (curves - found.fitted) ** 2).sum(axis=1)
        grid = np.linspace(0.0, np.sqrt(problem.sampling.frames.end[-1]), 200) ** 2
        curve = PiecewiseLinear(grid, plasma_at(found.theta, grid))
        return Solution(value, se, found.fitted, wrss, problem.rows, quality.astype(np.int64), curve)

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
    times, place = np.unique(np.concatenate([frames.start[rows], frames.end[rows]]), return_inverse=True)
    return times, place[: rows.size], place[rows.size :]


def _estimates(found: JointFit) -> tuple[Array, Array]:
    """Rate constants and V_T of every region, and their standard errors; NaN for those that a bound holds."""
    values = _rates(*_natural(found.own))
    gradient = np.empty((len(values), values.shape[1], 4))
    for p in range(4):
        up, down = (_natural(found.own + sign * STEP * np.eye(4)[p]) for sign in (1, -1))
        gradient[..., p] = (_rates(*up) - _rates(*down)) / (2 * STEP)
    at = 7 + 4 * np.arange(len(values))[:, None] + np.arange(4)
    spread = found.covariance[at[:, :, None], at[:, None, :]]
    se = propagated(gradient, spread)
    loose = found.held[:, 2:].any(axis=1)
    se[:, 1:4] = np.where(loose[:, None], np.nan, se[:, 1:4])
    return values, se


def _natural(own: Array) -> tuple[Array, Array, Array, Array]:
    """V_T, the two rates, and the share of V_T behind the second, of each region."""
    V_T, one, two = np.exp(own[:, 0]), np.exp(own[:, 1]), np.exp(own[:, 2])
    return V_T, one, two, 1 / (1 + np.exp(-own[:, 3]))


def _rates(V_T: Array, one: Array, two: Array, share: Array) -> Array:
    """K1, k2, k3, k4 and V_T."""
    a, b = V_T * (1 - share) * one, V_T * share * two
    K1 = a + b
    k2 = (a * one + b * two) / K1
    k4 = one * two / k2
    k3 = np.maximum(one + two - k2 - k4, 0)
    return curvewise(K1, k2, k3, k4, V_T)


EXAMPLE = Example(SIMEAIF(V_B=0.0), {"K1": 0.2, "k2": 0.12, "k3": 0.08, "k4": 0.04}, tolerance=1e-3)
