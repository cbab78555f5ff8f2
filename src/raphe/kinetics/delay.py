"""Delay and dispersion of the blood between the place where it was sampled and the tissue, found over the scan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

from raphe.core import compartments
from raphe.core import weights as weighting
from raphe.core.exponentials import search
from raphe.core.responses import Responses, answers
from raphe.core.sampling import Sampling, sampling
from raphe.data.blood import PlasmaInput
from raphe.data.record import Step
from raphe.data.tacs import TACs
from raphe.errors import InputError

Array = npt.NDArray[np.float64]

RANGE = (-0.75, 1.5)
"""Delays that are tried, min; negative where the tissue sees the blood before the sampler does. An assumption."""

APART = 1.0 / 30.0
"""Distance of two delays that are tried at first, min."""


@dataclass(frozen=True)
class Delay:
    """By how much later than the samples say the blood reaches the tissue.

    Parameters
    ----------
    value, se : float, min
        ``se`` is NaN where the scan does not tell it.
    """

    value: float
    se: float


def estimate_delay(
    plasma: PlasmaInput,
    tacs: TACs,
    *,
    half_life: float | None = None,
    convention: str = "average",
    bounds: tuple[float, float] = RANGE,
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

    Raises
    ------
    InputError
        If the lowest cost lies at a bound, so that the data do not tell the delay.
    """
    sampled = sampling(tacs.frames, convention)
    mean = _mean_curve(tacs)
    tissue = _Tissue(sampled, plasma, mean, _weights(tacs, mean, half_life))
    expected = tissue.fitted(_lowest(tissue.cost, bounds))
    tissue = _Tissue(sampled, plasma, mean, _weights(tacs, expected, half_life))
    value = _lowest(tissue.cost, bounds)
    delay = Delay(value, _standard_error(tissue.cost, value, len(tacs.frames)))
    return delay, Step("delay", {"value": delay.value, "se": delay.se, "low": bounds[0], "high": bounds[1]})


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

    def __init__(self, sampled: Sampling, plasma: PlasmaInput, curve: Array, weights: Array) -> None:
        self._sampled, self._blood = sampled, plasma.whole_blood
        self._known = answers(plasma.parent, 128)
        self._curve, self._weights = curve, weights
        self._rates = np.geomspace(compartments.SLOWEST, 5.0, compartments.N_GRID)
        self._bands = np.array([*np.searchsorted(self._rates, compartments.BANDS), self._rates.size])

    def cost(self, delay: float) -> float:
        """Weighted sum of squared residuals."""
        return float(self._best(delay)[2][0])

    def fitted(self, delay: float) -> Array:
        """Curve that the tissue puts at the frames, shape (n_frame,), kBq/mL."""
        place, amplitude, _ = self._best(delay)
        table, blood = self._seen(delay)
        value, _ = table.at(table.rate(place))
        return np.asarray(amplitude[0, :2] @ value[0] + amplitude[0, 2] * blood)

    def _best(self, delay: float) -> tuple[Array, Array, Array]:
        table, blood = self._seen(delay)
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
            self._bands,
        )
        return place, amplitude, cost

    def _seen(self, delay: float) -> tuple[Responses, Array]:
        blood = np.zeros(self._curve.size)
        if self._blood is not None:
            blood = self._sampled.seen(self._blood.shifted(float(delay)))
        return self._known.seen(self._sampled, float(delay)), blood


def _standard_error(cost: Callable[[float], float], at: float, n_frame: int) -> float:
    """From the curvature of the cost over a second to either side."""
    step = 1.0 / 60.0
    middle, curvature = cost(at), cost(at - step) + cost(at + step)
    curvature = (curvature - 2 * middle) / step**2
    freedom = n_frame - 6
    if not (curvature > 0 and freedom > 0):
        return float("nan")
    return float(np.sqrt(2 * middle / freedom / curvature))
