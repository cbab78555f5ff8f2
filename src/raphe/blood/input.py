"""From the samples of one scan's blood to its plasma input."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from raphe.blood.arterial.interpolation import Interpolation
from raphe.blood.checks import NO_FRACTION, NO_PLASMA
from raphe.blood.draw import product
from raphe.blood.fit import Choice, fit_blood
from raphe.blood.join import AUTOSAMPLER, join, of_source
from raphe.blood.protocol import Population
from raphe.blood.straight import from_zero
from raphe.blood.weights import sample_weights
from raphe.core.piecewise import PiecewiseLinear
from raphe.data.blood import BloodSamples, PlasmaInput, Samples
from raphe.data.blood_fit import BloodFit
from raphe.data.record import Step
from raphe.errors import InputError

Array = npt.NDArray[np.float64]

SAME_TIME = 1.5 / 60
"""Difference of times within which two manual samples are one draw of blood, min; an assumption."""

TOO_EARLY = 0.05
"""Share of the peak below which, before it, a ratio of two samples says nothing; an assumption."""

LEAST_FRACTION = 0.01
"""Parent fraction below which the weight of a sample does not grow any more; an assumption."""


def make_input(
    samples: BloodSamples,
    *,
    scan_end: float,
    parent_fraction: Choice = "auto",
    plasma_ratio: Choice = "auto",
    arterial: Choice = "interpolation",
    whole_blood: Choice = "interpolation",
    weights: str | npt.ArrayLike = "counts",
    fraction_weights: str | npt.ArrayLike = "uniform",
    ratio_weights: str | npt.ArrayLike = "uniform",
    half_life: float | None = None,
    calibrate: bool = False,
) -> tuple[PlasmaInput, tuple[Step, ...], tuple[BloodFit, ...]]:
    """Make the arterial input of one scan.

    Parent = plasma x parent fraction. Where whole blood was sampled by an autosampler, plasma is whole blood x ratio
    while it ran, and the manual plasma samples elsewhere. Each ``Choice`` is the name of a model, ``"auto"``, a model
    with its assumptions, or a :class:`~raphe.blood.protocol.Population` with given parameters.

    Parameters
    ----------
    samples : BloodSamples
    scan_end : float, min
    parent_fraction, plasma_ratio : Choice
        Models of the two; a ratio is used only where one is needed.
    arterial : Choice
        Model of the parent in plasma. ``"interpolation"`` draws plasma as straight lines from 0 at injection and
        multiplies it by the curve of the parent fraction; any other is fitted to plasma samples x parent fraction.
    whole_blood : Choice
        Model of whole blood.
    weights, fraction_weights, ratio_weights : str or array_like
        Of the activities (needed where they are fitted), the parent fraction and the ratio; see
        :func:`raphe.blood.weights.sample_weights`.
    half_life : float, min, optional
        Of the radionuclide, for weights ``"counts"``.
    calibrate : bool
        Whether manual samples correct the autosampler; see :func:`raphe.blood.join.join`.

    Returns
    -------
    PlasmaInput
    tuple of Step
    tuple of BloodFit
        Parent fraction, ratio, parent and whole blood, as far as there are.

    Raises
    ------
    InputError, ModelError
        If what was sampled does not make an input; the message says what is missing.
    """
    if not (np.isfinite(scan_end) and scan_end > 0):
        raise InputError(f"the scan ends at {scan_end:g} min; the end must be a time after injection")
    bench = _Bench(scan_end, half_life)
    whole, plasma = _activities(bench, samples, plasma_ratio, ratio_weights, calibrate)
    if samples.metabolite_corrected:
        fraction, total = None, None
        parent = bench.fit("parent", plasma, arterial, weights)
    else:
        fraction = _fraction(bench, samples, parent_fraction, fraction_weights)
        total = from_zero(plasma)
        parent = _parent(bench, plasma, fraction, arterial, weights)
    blood = None if whole is None else bench.fit("whole_blood", whole, whole_blood, weights)
    bench.steps.append(_step(samples, scan_end, bench.fits))
    return PlasmaInput(parent, blood, total, fraction), tuple(bench.steps), tuple(bench.fits)


@dataclass
class _Bench:
    """Where one input is made: what holds for all its fits, and what was done so far."""

    scan_end: float
    half_life: float | None
    steps: list[Step] = field(default_factory=list)
    fits: list[BloodFit] = field(default_factory=list)

    def fit(self, quantity: str, data: Samples | None, choice: Choice, weights: str | npt.ArrayLike) -> PiecewiseLinear:
        how = "uniform" if _straight(choice) else weights
        found, step = fit_blood(quantity, data, choice, scan_end=self.scan_end, weights=how, half_life=self.half_life)
        self.fits.append(found)
        self.steps.append(step)
        return found.curve

    def join(self, samples: Samples, calibrate: bool) -> Samples:
        joined, step = join(samples, calibrate=calibrate)
        self.steps += [step] if step else []
        return joined


def _activities(
    bench: _Bench, samples: BloodSamples, plasma_ratio: Choice, weights: str | npt.ArrayLike, calibrate: bool
) -> tuple[Samples | None, Samples]:
    """Samples of whole blood and of plasma, each from the other where it was not sampled itself."""
    whole, plasma = samples.whole_blood, samples.plasma
    if whole is not None:
        whole = bench.join(whole, calibrate)
    elif calibrate:
        raise InputError("there is no whole blood of an autosampler that could be calibrated; leave calibrate out")
    if plasma is not None:
        plasma = bench.join(plasma, calibrate=False)
    if _needs_ratio(samples, whole, plasma, plasma_ratio):
        ratio = bench.fit("plasma_to_blood", _ratio(samples, whole, plasma), plasma_ratio, weights)
        whole, plasma = _whole(whole, plasma, ratio), _plasma(whole, plasma, ratio)
    if plasma is None:
        raise InputError(NO_PLASMA)
    return whole, plasma


def _fraction(bench: _Bench, samples: BloodSamples, choice: Choice, weights: str | npt.ArrayLike) -> PiecewiseLinear:
    if samples.parent_fraction is None and not isinstance(choice, Population):
        raise InputError(NO_FRACTION)
    return bench.fit("parent_fraction", samples.parent_fraction, choice, weights)


def _parent(
    bench: _Bench, plasma: Samples, fraction: PiecewiseLinear, arterial: Choice, weights: str | npt.ArrayLike
) -> PiecewiseLinear:
    own = Samples(plasma.time, plasma.value * fraction(np.maximum(plasma.time, 0.0)), plasma.source)
    if not _straight(arterial):
        return bench.fit("parent", own, arterial, _weigh(weights, plasma, arterial, bench.half_life, fraction))
    bench.fit("parent", own, arterial, weights)
    curve = product(from_zero(plasma), fraction)
    bench.fits[-1] = dataclasses.replace(bench.fits[-1], curve=curve)
    return curve


def _straight(choice: Choice) -> bool:
    """Whether activity is drawn through its samples, so that weights do not matter."""
    return isinstance(choice, Interpolation) or (isinstance(choice, str) and choice.strip().lower() == "interpolation")


def _needs_ratio(samples: BloodSamples, whole: Samples | None, plasma: Samples | None, choice: Choice) -> bool:
    if whole is None and plasma is None:
        raise InputError("there are neither samples of plasma nor of whole blood")
    if samples.metabolite_corrected and plasma is not None:
        return False
    told = samples.plasma_to_blood is not None or isinstance(choice, Population)
    if whole is None or plasma is None:
        return told
    return AUTOSAMPLER in whole.source and AUTOSAMPLER not in plasma.source


def _ratio(samples: BloodSamples, whole: Samples | None, plasma: Samples | None) -> Samples | None:
    """Samples of the ratio of plasma to whole blood: those told, or one for each plasma sample."""
    if samples.plasma_to_blood is not None or whole is None or plasma is None:
        return samples.plasma_to_blood
    assert samples.whole_blood is not None
    manual, curve = of_source(samples.whole_blood, "manual"), from_zero(whole)
    at_draw = curve(plasma.time)
    known = (plasma.time >= whole.time[0]) & (plasma.time <= whole.time[-1])
    if manual is not None:
        nearest = np.abs(plasma.time[:, None] - manual.time).argmin(axis=1)
        same = np.abs(plasma.time - manual.time[nearest]) <= SAME_TIME
        at_draw, known = np.where(same, manual.value[nearest], at_draw), known | same
    early = (plasma.time < whole.time[whole.value.argmax()]) & (at_draw < TOO_EARLY * whole.value.max())
    use = known & ~early & (at_draw > 0) & (plasma.value > 0)
    if not use.any():
        raise InputError(
            "no plasma sample has whole blood at its time, so that their ratio is unknown; check the times of both, or "
            "give a ratio with its parameters and source"
        )
    return Samples(plasma.time[use], plasma.value[use] / at_draw[use], tuple(np.array(plasma.source)[use]))


def _plasma(whole: Samples | None, plasma: Samples | None, ratio: PiecewiseLinear) -> Samples | None:
    """Plasma from whole blood where it was not sampled itself, or while the autosampler ran."""
    if whole is None:
        return plasma
    scaled = Samples(whole.time, whole.value * ratio(np.maximum(whole.time, 0.0)), whole.source)
    automatic = of_source(scaled, AUTOSAMPLER)
    if plasma is None or automatic is None:
        return plasma or scaled
    other = (plasma.time < automatic.time[0]) | (plasma.time > automatic.time[-1])
    return _merged(automatic, plasma, other)


def _whole(whole: Samples | None, plasma: Samples | None, ratio: PiecewiseLinear) -> Samples | None:
    """Whole blood from plasma where it was not sampled itself, or after it ended."""
    if plasma is None:
        return whole
    level = ratio(np.maximum(plasma.time, 0.0))
    scaled = Samples(plasma.time, plasma.value / np.where(level > 0, level, 1.0), plasma.source)
    return scaled if whole is None else _merged(whole, scaled, plasma.time > whole.time[-1])


def _merged(one: Samples, other: Samples, use: npt.NDArray[np.bool_]) -> Samples:
    time = np.concatenate([one.time, other.time[use]])
    value = np.concatenate([one.value, other.value[use]])
    source = np.array([*one.source, *np.array(other.source)[use]])
    order = np.argsort(time, kind="stable")
    return Samples(time[order], value[order], tuple(source[order]))


def _weigh(
    weights: str | npt.ArrayLike, plasma: Samples, choice: Choice, half_life: float | None, fraction: PiecewiseLinear
) -> str | npt.ArrayLike:
    """Weights of the parent in plasma: those of the plasma that was counted, by the square of the parent fraction."""
    if not isinstance(weights, str) or isinstance(choice, Population):
        return weights
    counted, _ = sample_weights(weights, plasma.time, plasma.value, half_life)
    return np.asarray(counted / np.maximum(fraction(np.maximum(plasma.time, 0.0)), LEAST_FRACTION) ** 2)


def _step(samples: BloodSamples, scan_end: float, fits: list[BloodFit]) -> Step:
    return Step(
        "make_input",
        {
            "scan_end": scan_end,
            "metabolite_corrected": samples.metabolite_corrected,
            "dispersion_corrected": samples.dispersion_corrected,
            **{found.quantity: found.label for found in fits},
        },
    )
