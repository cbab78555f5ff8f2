"""Fit a kinetic model to the curves of a scan: check once, estimate all curves, flag."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from raphe.core import weights as weighting
from raphe.core.frames import Frames
from raphe.core.sampling import CONVENTIONS, sampling
from raphe.data.blood import PlasmaInput
from raphe.data.fit import KineticFit
from raphe.data.record import Step
from raphe.data.tacs import TACs
from raphe.errors import InputError, ModelError, TimingError
from raphe.kinetics.protocol import KineticModel, Problem, Solution, least_frames
from raphe.nomenclature import SYMBOLS
from raphe.quality import Quality

Array = npt.NDArray[np.float64]

WEIGHTS = ("decay", "duration", "uniform", "residual")
"""Named weights; see :mod:`raphe.core.weights`."""

PLAUSIBLE: Mapping[str, tuple[float, float]] = {
    "BP_ND": (-0.99, 100.0),
    "R1": (0.01, 20.0),
    "k2": (0.0, 10.0),
    "k2a": (0.0, 10.0),
    "K1": (0.0, 10.0),
    "V_T": (0.0, 10000.0),
    "SUVR": (0.0, 1000.0),
}
"""Open range of each parameter outside of which an estimate is flagged as implausible.

That volumes of distribution, R1 and the rate constants are positive follows from their definitions. The hundredth of
the reference, below which a curve is none of a tissue's, and the upper ends are assumptions, far from anything reported
for the brain.
"""

VOLUMES: Mapping[str, float] = {"BP_ND": 1.0, "V_T": 0.0}
"""Macro parameters that are a volume of distribution, V_T or 1 + BP_ND, with what makes a volume of them."""

LATEST_START = 2.0
"""Latest start of the first frame, min, that can stand for a scan from injection on.

The curves are drawn straight from 0 to there. For a bolus, that changes BP_ND by less than 1 % with frames of up to
5 min (simulated); it is several per cent when the scan starts at 5 min.
"""

COMPUTABLE = (1e-100, 1e100)
"""Range of a curve's highest absolute value, kBq/mL, in which its squares can be computed."""

WEIGHT_DIGITS = 12
"""Powers of ten by which weights may differ: beyond, no digits are left to compute with."""

IMPRECISION = 0.5
"""Standard error of V_T or 1 + BP_ND, as a share of it, above which the scan is said not to determine the binding."""

CLEAR_OF_ZERO = 2.0
"""Standard errors by which k2a has to exceed zero where the scan ends within :data:`TIME_CONSTANTS` of it.

BP_ND is k2 / k2a - 1, so where k2a may be zero BP_ND has no upper limit (Fieller 1954, J R Stat Soc B 16:175), whatever
its standard error says. More than two would leave out estimates that are good, and keep the low ones.
"""

TIME_CONSTANTS = 2.0
"""Time constants 1/k2a within which a scan sees too little of a curve's return to trust its standard error alone."""


def fit(
    model: KineticModel,
    tacs: TACs,
    *,
    reference: str | Array | None = None,
    plasma: PlasmaInput | None = None,
    weights: str | Array = "decay",
    half_life: float | None = None,
    convention: str = "average",
    input_se: Mapping[str, float] | None = None,
    shared: Array | None = None,
) -> tuple[KineticFit, Step]:
    """Fit ``model`` to every curve of a scan.

    Parameters
    ----------
    model : KineticModel
        What is assumed, e.g. ``SRTM()`` or ``MRTM2(k2_prime=0.06)``.
    tacs : TACs
        Curves in kBq/mL, decay-corrected to injection.
    reference : str or ndarray of shape (n_frame,), kBq/mL, optional
        Name of the reference region among the curves (which is then not fitted), or its curve.
    plasma : PlasmaInput, optional
        Arterial input, for a model that needs it.
    weights : {"decay", "duration", "uniform", "residual"} or ndarray of shape (n_frame,) or (n_curve, n_frame)
        Relative 1/variance of the frames. ``"decay"`` is duration x remaining nuclide / activity, with the activity
        that a first fit without it predicts, so that the noise of a frame does not set the frame's own weight.
        ``"residual"`` adds to that what the residuals of all curves show (:func:`raphe.core.weights.residual`). A frame
        of weight 0 is not fitted.
    half_life : float, min, optional
        Of the radionuclide; needed for ``"decay"``.
    convention : {"average", "midframe"}
        How frames are read; see :mod:`raphe.core.sampling`.
    input_se : mapping of str to float, optional
        Standard errors of values that the model takes as fixed (``k2_prime``, 1/min). Their effect on every estimate is
        added to its standard error in quadrature.
    shared : ndarray, shape (n_curve, n_frame), optional
        Weights that another model's fit of the same curves found by ``weights``, to be taken over so that the two can
        be compared. A curve that has none there (all 0 or NaN) finds its own.

    Returns
    -------
    KineticFit
        With NaN and a flag where a curve could not be fitted; a curve that is not finite harms no other.
    Step
        What was done.

    Raises
    ------
    InputError, ModelError, TimingError
        If the reference or the input is missing, not finite, empty or negative, the weights do not fit the frames, or
        too few frames are left. The message says which and how to mend it.
    """
    curve, curves = _reference(model, tacs, reference)
    blood = _plasma(model, plasma)
    if convention not in CONVENTIONS:
        raise InputError(f"unknown convention {convention!r}; there are {' and '.join(CONVENTIONS)}")
    frames = curves.frames
    check_start(frames, model)
    start, named = _weights(weights, curves, half_life)
    fitted_rows = np.flatnonzero((start > 0).all(axis=0))
    highest = np.abs(curves.activity).max(axis=-1)
    good = (highest > COMPUTABLE[0]) & (highest < COMPUTABLE[1])  # False where a value is not a number
    problem = Problem(sampling(frames, convention), curves.activity[good], start[good], fitted_rows, curve, blood)
    _enough_frames(model, problem)
    solution = _estimate(model, problem)
    if named == "decay" or (named == "residual" and half_life is not None):
        problem = dataclasses.replace(problem, weights=_decay_weights(problem, solution, half_life))
        solution = _estimate(model, problem)
    if named == "residual":
        left = problem.activity[:, solution.rows] - solution.fitted
        problem = dataclasses.replace(
            problem, weights=weighting.residual(np.array(problem.weights), left, solution.rows)
        )
        solution = _estimate(model, problem)
    if shared is not None:
        problem = dataclasses.replace(problem, weights=_taken_over(problem, np.asarray(shared, dtype=float)[good]))
        solution = _estimate(model, problem)
    if input_se:
        spread = solution.se**2 + input_variance(model, problem, input_se)
        solution = dataclasses.replace(solution, se=np.sqrt(spread))
    result = _assemble(model, curves, problem, solution, good, convention)
    step = Step(
        "fit",
        {
            "model": model.name,
            "title": model.title,
            "convention": convention,
            "weights": named,
            "n_curves": len(curves.names),
            "n_frames": len(solution.rows),
            "scan_minutes": float(frames.end[-1]),
            "reference": reference if isinstance(reference, str) else None,
            "plasma": blood is not None,
            **result.inputs,
        },
        citations=model.citations,
    )
    return result, step


def check_start(frames: Frames, model: KineticModel | type[KineticModel]) -> None:
    """Refuse a schedule that begins too late for a model of the whole curve.

    Raises
    ------
    TimingError
    """
    if frames.start[0] > LATEST_START and "window" not in model.needs:
        raise TimingError(
            f"the first frame starts {frames.start[0]:g} min after injection, but {model.name} needs the curves from "
            "injection on; include the early frames, or check InjectionStart and ScanStart in the sidecar"
        )


def check_reference(name: str, curve: Array, frames: Frames) -> None:
    """Refuse a curve that no reference region can have.

    Parameters
    ----------
    name : str
        Of the reference, for the message.
    curve : ndarray, shape (n_frame,), kBq/mL
    frames : Frames

    Raises
    ------
    InputError
        If a value is not a number that can be computed with, or the curve is zero or negative in the mean.
    """
    for frame in np.flatnonzero(~(np.abs(curve) < COMPUTABLE[1])):
        raise InputError(
            f"the {name} is not a usable number in frame {frame + 1} ({curve[frame]:g}); mend the curve or take "
            "another reference"
        )
    if np.abs(curve).max() <= COMPUTABLE[0]:
        raise InputError(f"the {name} is zero in every frame; take another reference or mend its mask")
    if (frames.duration * curve).sum() <= 0:
        raise InputError(f"the {name} has a negative mean activity; take another reference or mend its mask")


def _reference(model: KineticModel, tacs: TACs, reference: str | Array | None) -> tuple[Array | None, TACs]:
    if "reference" not in model.needs:
        return None, tacs
    if reference is None:
        raise ModelError(f"{model.name} needs a reference region; name one of the curves, or give its curve")
    if isinstance(reference, str):
        name, curve, curves = f"reference region {reference!r}", tacs.curve(reference), tacs.without(reference)
    else:
        name, curve, curves = "reference", np.asarray(reference, dtype=float), tacs
    if curve.shape != (len(tacs.frames),):
        raise InputError(f"the {name} has {curve.size} frames, the target {len(tacs.frames)}")
    if not curves.names:
        raise InputError(f"there is no curve to fit besides the {name}")
    check_reference(name, curve, tacs.frames)
    return curve, curves


def _plasma(model: KineticModel, plasma: PlasmaInput | None) -> PlasmaInput | None:
    if "plasma" not in model.needs:
        return None
    if plasma is None:
        raise ModelError(
            f"{model.name} needs an arterial input function; give one (--input FILE, or blood in the data)"
        )
    if not plasma.parent.value.max() > 0:
        raise InputError("the input function is zero everywhere; mend the plasma samples or their unit")
    if getattr(model, "V_B", 0.0) != 0 and plasma.whole_blood is None:
        raise ModelError(
            f"{model.name} needs whole blood for the share of blood in the tissue, but the input has plasma alone; "
            "give whole blood, or take the share as 0 (--vb 0)"
        )
    return plasma


def _weights(weights: str | Array, curves: TACs, half_life: float | None) -> tuple[Array, str]:
    """Weights to begin with, shape (n_curve, n_frame), and what to call them."""
    frames, shape = curves.frames, curves.activity.shape
    if isinstance(weights, str):
        if weights not in WEIGHTS:
            raise InputError(f"unknown weights {weights!r}; there are {', '.join(WEIGHTS)}, or a file or array")
        if weights == "uniform":
            return np.broadcast_to(weighting.uniform(frames), shape), weights
        if weights == "duration" or (weights == "residual" and half_life is None):
            return np.broadcast_to(weighting.duration(frames), shape), weights
        if half_life is None:
            raise InputError(
                "weights 'decay' need the half-life of the radionuclide; give it (--half-life MIN, or "
                "TracerRadionuclide in the PET sidecar) or choose other weights"
            )
        if not (np.isfinite(half_life) and half_life > 0):
            raise InputError(f"the half-life is {half_life:g} min; weights 'decay' need a positive one")
        return np.broadcast_to(weighting.decay(frames, half_life), shape), weights
    array = np.asarray(weights, dtype=float)
    if array.shape not in ((shape[1],), shape):
        raise InputError(
            f"the weights have shape {array.shape}, but there are {shape[1]} frames and {shape[0]} curves to fit; give "
            "one weight a frame, or a row of them for each curve"
        )
    if not np.isfinite(array).all() or (array < 0).any():
        frame = int(np.flatnonzero(~(np.isfinite(array) & (array >= 0)).reshape(-1, shape[1]).all(axis=0))[0])
        raise InputError(f"the weight of frame {frame + 1} is negative or not finite; weights are 1/variance")
    counted = array[array > 0]
    if counted.size and np.ptp(np.log10(counted)) > WEIGHT_DIGITS:
        raise InputError(
            f"the weights reach from {counted.min():g} to {counted.max():g}, too far apart to compute with; give 0 to "
            "frames that are not to count"
        )
    return np.broadcast_to(array, shape), "given"


def _decay_weights(problem: Problem, first: Solution, half_life: float | None) -> Array:
    """Decay weights with the activity that a first fit predicts; a curve that it did not fit keeps its weights."""
    assert half_life is not None
    expected = problem.activity.copy()
    expected[:, first.rows] = first.fitted
    usable = np.isfinite(expected).all(axis=-1) & (expected.max(axis=-1) > 0)
    weights = np.array(problem.weights)
    weights[usable] = weighting.decay(problem.sampling.frames, half_life, expected[usable])
    return weights


def _taken_over(problem: Problem, shared: Array) -> Array:
    known = np.isfinite(shared).all(axis=-1) & (shared[:, problem.rows] > 0).all(axis=-1)
    weights = np.array(problem.weights)
    weights[known] = shared[known]
    return weights


def _enough_frames(model: KineticModel, problem: Problem) -> None:
    t_star = getattr(model, "t_star", 0.0)
    if not 0 <= t_star < np.inf:
        raise ModelError(f"t_star is {t_star:g} min; it must be a time from injection, 0 or later")
    left = len(problem.late(t_star).rows)
    if left < least_frames(model):
        where = f" at or after t_star = {t_star:g} min" if t_star else ""
        unweighted = len(problem.sampling.frames) - len(problem.rows)
        where += f", not counting {unweighted} that have no weight" if unweighted else ""
        raise TimingError(
            f"{model.name} has {model.n_free} free parameters and needs at least {least_frames(model)} frames, but "
            f"{left} of the scan's {len(problem.sampling.frames)} are left{where}; "
            + ("choose an earlier t_star" if t_star else "use more frames")
        )


def _estimate(model: KineticModel, problem: Problem) -> Solution:
    rows = problem.late(getattr(model, "t_star", 0.0)).rows
    return model.estimate(dataclasses.replace(problem, weights=weighting.scaled(problem.weights, rows)))


def input_variance(model: KineticModel, problem: Problem, input_se: Mapping[str, float]) -> Array:
    """Variance of every estimate from the standard errors of values that the model takes as fixed.

    Parameters
    ----------
    model : KineticModel
    problem : Problem
    input_se : mapping of str to float
        As in :func:`fit`.

    Returns
    -------
    ndarray, shape (n_curve, n_par)

    Raises
    ------
    InputError, ModelError
        If a standard error is not positive, or the model has no such value.
    """
    variance = np.zeros((len(problem.activity), len(model.parameters)))
    for name, se in input_se.items():
        value = getattr(model, name, None)
        if value is None:
            raise ModelError(f"{model.name} has no fixed {name}, but a standard error of it was given; leave it out")
        if not (np.isfinite(se) and se > 0):
            raise InputError(f"the standard error of {name} is {se:g}; give a positive one or none")
        step = min(se, value / 2)
        up, down = (
            _estimate(dataclasses.replace(model, **{name: value + sign * step}), problem)  # type: ignore[type-var]
            for sign in (1, -1)
        )
        variance = variance + ((up.value - down.value) / (2 * step) * se) ** 2
    return variance


def _assemble(
    model: KineticModel,
    curves: TACs,
    problem: Problem,
    solution: Solution,
    good: npt.NDArray[np.bool_],
    convention: str,
) -> KineticFit:
    n_curve, n_frame = curves.activity.shape
    n_par = len(model.parameters)
    value, se = np.full((n_curve, n_par), np.nan), np.full((n_curve, n_par), np.nan)
    sigma, aicc = np.full(n_curve, np.nan), np.full(n_curve, np.nan)
    fitted, weights = np.full((n_curve, n_frame), np.nan), np.zeros((n_curve, n_frame))
    quality = np.full(n_curve, int(Quality.BAD_INPUT))
    at = np.flatnonzero(good)
    n = len(solution.rows)
    value[at], se[at] = solution.value, solution.se
    freedom = n - model.n_free
    sigma[at] = np.sqrt(solution.wrss / freedom) if freedom > 0 else np.nan
    aicc[at] = _aicc(solution.wrss, n, model.n_free)
    fitted[np.ix_(at, solution.rows)] = solution.fitted
    relative = weighting.scaled(problem.weights, solution.rows)
    weights[np.ix_(at, solution.rows)] = relative[:, solution.rows]
    variance = np.full((n_curve, n_frame), np.nan)
    variance[at] = dataclasses.replace(problem, weights=relative).variance
    quality[at] = solution.quality | judgement(model, solution, float(curves.frames.end[-1]))
    return KineticFit(
        model.name, curves.names, model.parameters, value, se, sigma, aicc, quality, curves.frames, curves.activity,
        fitted, weights, problem.reference, assumed(model), convention, model.macro, variance=variance,
    )  # fmt: skip


def assumed(model: KineticModel) -> dict[str, float]:
    """Values that a model takes as known, by their symbols."""
    fields = (field.name for field in dataclasses.fields(model) if field.name in SYMBOLS)  # type: ignore[arg-type]
    return {name: float(value) for name in fields if (value := getattr(model, name)) is not None}


def _aicc(wrss: Array, n: int, n_free: int) -> Array:
    """Corrected Akaike criterion of a Gaussian model (Hurvich & Tsai 1989), the variance counted as a parameter."""
    k = n_free + 1
    if n - k - 1 <= 0:
        return np.full(wrss.shape, np.nan)
    with np.errstate(divide="ignore"):
        value = n * np.log(wrss / n) + 2 * k + 2 * k * (k + 1) / (n - k - 1)
    return np.where(np.isfinite(value), value, np.nan)


def judgement(model: KineticModel, solution: Solution, scan_end: float) -> npt.NDArray[np.int64]:
    """Judge by the values and their standard errors: implausible, imprecise, undetermined, slow.

    Parameters
    ----------
    model : KineticModel
    solution : Solution
    scan_end : float, min

    Returns
    -------
    ndarray of int, shape (n_curve,)
        Flags besides those of the search.
    """
    flags = np.zeros(len(solution.value), dtype=np.int64)
    known = assumed(model)
    for column, name in enumerate(model.parameters):
        value, se = solution.value[:, column], solution.se[:, column]
        if name in PLAUSIBLE:
            low, high = PLAUSIBLE[name]
            flags[~((value > low) & (value < high)) & np.isfinite(value)] |= Quality.IMPLAUSIBLE
        if name == model.macro:
            flags[~np.isfinite(value) & (solution.quality & Quality.BAD_INPUT == 0)] |= Quality.SINGULAR
            if name in VOLUMES:
                volume = np.abs(VOLUMES[name] + value)
                flags[~(se <= IMPRECISION * volume) & np.isfinite(value)] |= Quality.IMPRECISE
        elif name not in known:
            flags[~(se <= np.abs(value)) & np.isfinite(value)] |= Quality.UNDETERMINED
        if name == "k2a":
            short = value * scan_end < TIME_CONSTANTS
            flags[short & (value < CLEAR_OF_ZERO * se)] |= Quality.IMPRECISE
            flags[(value > 0) & (value * scan_end < 1)] |= Quality.SLOW
    return flags
