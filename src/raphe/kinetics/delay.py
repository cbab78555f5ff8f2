"""Delay and dispersion of the blood between the place where it was sampled and the tissue, found over the scan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

from raphe.core import compartments
from raphe.core import weights as weighting
from raphe.core.exponentials import search
from raphe.core.piecewise import PiecewiseLinear
from raphe.core.responses import Responses, answers
from raphe.core.sampling import Sampling, sampling
from raphe.data.blood import PlasmaInput
from raphe.data.record import Parameter, Step
from raphe.data.tacs import TACs
from raphe.errors import InputError

Array = npt.NDArray[np.float64]

RANGE = (-0.75, 1.5)
"""Delays that are tried, min; negative where the tissue sees the blood before the sampler does. An assumption."""

APART = 1.0 / 30.0
"""Distance of two delays that are tried at first, min."""


LONGEST_TAU = 0.75
"""Longest time constant of dispersion that is tried, min; an assumption, three times what tubes of samplers have."""

N_TAU = 10
"""Time constants that are tried at first."""


@dataclass(frozen=True)
class Delay:
    """By how much later than the samples say the blood reaches the tissue, and how it was smeared on its way.

    Parameters
    ----------
    value, se : float, min
        Of the delay; ``se`` is NaN where the scan does not tell it.
    tau : float, min
        Time constant of the dispersion between the artery and the sampler; 0 where it was not searched for.
    """

    value: float
    se: float
    tau: float = 0.0


def estimate_delay(
    plasma: PlasmaInput,
    tacs: TACs,
    *,
    half_life: float | None = None,
    convention: str = "average",
    bounds: tuple[float, float] = RANGE,
    dispersion: bool = False,
) -> tuple[Delay, Step]:
    """Delay at which two compartments and blood fit the mean curve of the scan best.

    The curves are averaged by volume where volumes are known. For each delay the input is shifted and two exponentials
    with a share of blood are fitted without negative amplitudes; the lowest cost is found on a grid and then by Brent's
    method, twice: the weights first expect the measured curve, then what the first delay predicts. The curvature of the
    cost gives the standard error.

    Parameters
    ----------
    plasma : PlasmaInput
        As sampled; whole blood is used where it is known.
    tacs : TACs
    half_life : float, min, optional
        Without it frames are weighted by their duration.
    convention : {"average", "midframe"}
    bounds : (float, float), min
    dispersion : bool
        Whether to find the dispersion of the sampled curves too, of plasma and whole blood alike.

    Raises
    ------
    InputError
        If the lowest cost lies at a bound, so that the data do not tell the delay.
    """
    sampled = sampling(tacs.frames, convention)
    mean, known = _mean_curve(tacs), answers(plasma.parent, 128)
    responses = cache(lambda delay: known.seen(sampled, delay))  # the same delays are tried again and again
    tissue = _Tissue(sampled, plasma, responses, mean, _weights(tacs, mean, half_life))
    expected = tissue.fitted(*_both(tissue, bounds, dispersion))
    tissue = _Tissue(sampled, plasma, responses, mean, _weights(tacs, expected, half_life))
    value, tau = _both(tissue, bounds, dispersion)
    se = _standard_error(lambda delay: tissue.cost(delay, tau), value, len(tacs.frames))
    told: dict[str, Parameter] = {"value": value, "se": se, "low": bounds[0], "high": bounds[1]}
    return Delay(value, se, tau), Step("delay", {**told, "tau": tau} if dispersion else told)


def _both(tissue: _Tissue, bounds: tuple[float, float], dispersion: bool) -> tuple[float, float]:
    """Delay, and time constant of the dispersion (0 where it is not searched for), of the lowest cost."""
    if not dispersion:
        return _lowest(tissue.cost, bounds), 0.0

    def cost(tau: float) -> float:
        return tissue.cost(_lowest(lambda delay: tissue.cost(delay, tau), bounds), tau)

    tried = np.linspace(0.0, LONGEST_TAU, N_TAU)
    costs = np.array([cost(tau) for tau in tried])
    lowest = int(costs.argmin())
    if lowest == len(tried) - 1:
        raise InputError(
            f"the dispersion of the blood ended at the bound of its search, {60 * LONGEST_TAU:g} s, so the scan does "
            "not tell it; give it (--dispersion MIN), or leave it out"
        )
    ends = tried[max(lowest - 1, 0)], tried[lowest + 1]
    tau = float(minimize_scalar(cost, bounds=ends, method="bounded", options={"xatol": 1e-3}).x)
    tau = tau if cost(tau) < costs[lowest] else float(tried[lowest])
    return _lowest(lambda delay: tissue.cost(delay, tau), bounds), tau


def _lowest(cost: Callable[[float], float], bounds: tuple[float, float]) -> float:
    tried = np.arange(bounds[0], bounds[1] + APART / 2, APART)
    costs = np.array([cost(delay) for delay in tried])
    lowest = int(costs.argmin())
    if lowest in (0, len(tried) - 1):
        raise InputError(
            f"the delay of the blood ended at the bound of its search, {60 * tried[lowest]:g} s, so the scan does not "
            "tell it; check that the times of blood and scan have one zero, or give the delay (--delay MIN, or delay "
            "under [[tracer]] in the plan)"
        )
    found = minimize_scalar(cost, (tried[lowest - 1], tried[lowest], tried[lowest + 1]), options={"xtol": 1e-4})
    return float(np.clip(found.x, tried[lowest - 1], tried[lowest + 1]))


def _mean_curve(tacs: TACs) -> Array:
    usable = np.isfinite(tacs.activity).all(axis=1)
    if not usable.any():
        raise InputError("no curve has a number in every frame, so the delay of the blood cannot be found")
    share = np.ones(len(tacs.names))
    if tacs.volumes is not None and np.nansum(np.where(tacs.volumes > 0, tacs.volumes, 0)[usable]) > 0:
        share = np.nan_to_num(np.where(tacs.volumes > 0, tacs.volumes, 0))
    share = np.where(usable, share, 0)
    return np.asarray(share[usable] @ tacs.activity[usable] / share[usable].sum())


def _weights(tacs: TACs, expected: Array, half_life: float | None) -> Array:
    if half_life is None:
        return weighting.duration(tacs.frames)
    return weighting.decay(tacs.frames, half_life, expected)


class _Tissue:
    """Best tissue of two compartments and blood for one curve, at any delay."""

    def __init__(
        self,
        sampled: Sampling,
        plasma: PlasmaInput,
        responses: Callable[[float], Responses],
        curve: Array,
        weights: Array,
    ) -> None:
        self._sampled, self._blood, self._parent = sampled, plasma.whole_blood, plasma.parent
        self._responses = responses
        self._curve, self._weights = curve, weights
        self._rates = compartments.tried(5.0)

    def cost(self, delay: float, tau: float = 0.0) -> float:
        """Weighted sum of squared residuals."""
        return float(self._best(delay, tau)[2][0])

    def fitted(self, delay: float, tau: float = 0.0) -> Array:
        """Curve that the tissue puts at the frames, shape (n_frame,), kBq/mL."""
        place, amplitude, _ = self._best(delay, tau)
        table, blood = self._seen(delay, tau)
        value, _ = table.at(table.rate(place))
        return np.asarray(amplitude[0, :2] @ value[0] + amplitude[0, 2] * blood)

    def _best(self, delay: float, tau: float) -> tuple[Array, Array, Array]:
        table, blood = self._seen(delay, tau)
        place, amplitude, cost, _ = search(
            table.value,
            table.slope,
            table.place(self._rates),
            0,
            self._curve[None],
            self._weights[None],
            blood,
            0.0,
            0.0 if self._blood is None else 0.5,
        )
        return place, amplitude, cost

    def _seen(self, delay: float, tau: float) -> tuple[Responses, Array]:
        table = self._responses(float(delay))
        blood = np.zeros(self._curve.size)
        if self._blood is not None:
            blood = self._undispersed(self._blood.shifted(float(delay)), tau)
        if tau:
            table = table.undispersed(tau, self._sampled.seen(self._parent.shifted(float(delay))))
        return table, blood

    def _undispersed(self, curve: PiecewiseLinear, tau: float) -> Array:
        """What the frames see of a curve before dispersion, g + tau g'."""
        frames, seen = self._sampled.frames, self._sampled.seen(curve)
        if not tau:
            return seen
        if self._sampled.convention == "midframe":
            step = 1e-4
            return np.asarray(seen + tau * (curve(frames.mid + step) - curve(frames.mid - step)) / (2 * step))
        return np.asarray(seen + tau * (curve(frames.end) - curve(frames.start)) / frames.duration)


def _standard_error(cost: Callable[[float], float], at: float, n_frame: int) -> float:
    """From the curvature of the cost over a second to either side."""
    step = 1.0 / 60.0
    middle, curvature = cost(at), cost(at - step) + cost(at + step)
    curvature = (curvature - 2 * middle) / step**2
    freedom = n_frame - 6
    if not (curvature > 0 and freedom > 0):
        return float("nan")
    return float(np.sqrt(2 * middle / freedom / curvature))
