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
from raphe.kinetics.frame_weights import expected_weights, first_weights, taken_over
from raphe.kinetics.judgement import assumed, judgement
from raphe.kinetics.protocol import KineticModel, Problem, Solution, kind_of_errors, least_frames
from raphe.kinetics.solved import LEVEL
from raphe.quality import Quality

Array = npt.NDArray[np.float64]

LATEST_START = 2.0
"""Latest start of the first frame, min, that can stand for a scan from injection on.

The curves are drawn straight from 0 to there. For a bolus, that changes BP_ND by less than 1 % with frames of up to
5 min (simulated); it is several per cent when the scan starts at 5 min.
"""

COMPUTABLE = (1e-100, 1e100)
"""Range of a curve's highest absolute value, kBq/mL, in which its squares can be computed."""


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
        Arterial input, for a model that needs it; of one that needs samples, the knots of ``parent`` are these.
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
    blood = plasma_for(model, plasma)
    if convention not in CONVENTIONS:
        raise InputError(f"unknown convention {convention!r}; there are {' and '.join(CONVENTIONS)}")
    frames = curves.frames
    check_start(frames, model)
    start, named = first_weights(weights, frames, len(curves.names), half_life)
    fitted_rows = np.flatnonzero((start > 0).all(axis=0))
    highest = np.abs(curves.activity).max(axis=-1)
    good = (highest > COMPUTABLE[0]) & (highest < COMPUTABLE[1])  # False where a value is not a number
    problem = Problem(sampling(frames, convention), curves.activity[good], start[good], fitted_rows, curve, blood)
    check_frames(model, problem)
    problem, solution = weighted(model, problem, named, half_life)
    if shared is not None:
        problem = dataclasses.replace(problem, weights=taken_over(problem, np.asarray(shared, dtype=float)[good]))
        solution = _estimate(model, problem)
    if input_se:
        solution = _with_inputs(model, solution, input_variance(model, problem, input_se))
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
            "plasma": "plasma" in model.needs,
            "errors": kind_of_errors(model),
            **({"samples": blood.parent.time.size} if blood is not None and "samples" in model.needs else {}),
            **result.inputs,
            **_assumed_errors(model),
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
            "injection on; include the early frames, check InjectionStart and ScanStart in the sidecar, or take SUVR"
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


def plasma_for(model: KineticModel, plasma: PlasmaInput | None) -> PlasmaInput | None:
    """Input of a model that needs one, None for others.

    Raises
    ------
    InputError, ModelError
        If it is missing, or cannot be used.
    """
    if "samples" in model.needs:
        if plasma is None:
            raise ModelError(
                f"{model.name} needs a few samples of the parent in plasma, or one; give them (--input FILE, or blood "
                "in the data)"
            )
        return plasma
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


def check_frames(model: KineticModel, problem: Problem) -> None:
    """Refuse a problem with too few frames for the model.

    Raises
    ------
    ModelError, TimingError
    """
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
            + ("choose an earlier t_star" if t_star else "use more frames, or SUVR, for which one is enough")
        )


def weighted(model: KineticModel, problem: Problem, named: str, half_life: float | None) -> tuple[Problem, Solution]:
    """Estimate under first weights, and again under those that the first answer tells.

    Parameters
    ----------
    model : KineticModel
    problem : Problem
        With the weights to begin with (:func:`raphe.kinetics.frame_weights.first_weights`).
    named : str
        What they are called.
    half_life : float, min, or None

    Returns
    -------
    Problem
        With the last weights.
    Solution
    """
    again = named == "decay" or (named == "residual" and half_life is not None)
    solution = _estimate(
        model, dataclasses.replace(problem, errors=problem.errors and not again, drawn=problem.drawn or again)
    )
    if again:
        weights = expected_weights(problem, solution, half_life)
        problem = dataclasses.replace(problem, weights=weights, first=solution)
        solution = _estimate(model, problem)
    if named == "residual":
        left = problem.activity[:, solution.rows] - solution.fitted
        weights = weighting.residual(np.array(problem.weights), left, solution.rows)
        problem = dataclasses.replace(problem, weights=weights, first=solution)
        solution = _estimate(model, problem)
    return problem, solution


def _estimate(model: KineticModel, problem: Problem) -> Solution:
    rows = problem.late(getattr(model, "t_star", 0.0)).rows
    return model.estimate(dataclasses.replace(problem, weights=weighting.scaled(problem.weights, rows)))


def _with_inputs(model: KineticModel, solution: Solution, variance: Array) -> Solution:
    """Standard errors and intervals that hold what fixed values leave open, too: ``variance``, (n_curve, n_par)."""
    se, ends = np.sqrt(solution.se**2 + variance), solution.ends
    if ends is not None:
        from scipy import special  # 13 MB that maps have no use for

        macro = model.parameters.index(model.macro)
        reach = special.stdtrit(max(len(solution.rows) - model.n_free, 1), (1 + LEVEL) / 2) ** 2 * variance[:, macro]
        half = ends - solution.value[:, [macro]]
        side = np.where(half == 0, (-1, 1), np.sign(half))
        ends = solution.value[:, [macro]] + side * np.sqrt(half**2 + reach[:, None])
    return dataclasses.replace(solution, se=se, ends=ends)


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
    low = high = None
    if solution.ends is not None:
        low, high = np.full(value.shape, np.nan), np.full(value.shape, np.nan)
        macro = model.parameters.index(model.macro)
        low[at, macro], high[at, macro] = solution.ends.T
    return KineticFit(
        model.name, curves.names, model.parameters, value, se, sigma, aicc, quality, curves.frames, curves.activity,
        fitted, weights, problem.reference, assumed(model), convention, model.macro, variance=variance, low=low,
        high=high, uncertainty="jacobian" if low is None else "profile",
        estimated_input=solution.estimated_input,
    )  # fmt: skip


def _aicc(wrss: Array, n: int, n_free: int) -> Array:
    """Corrected Akaike criterion of a Gaussian model (Hurvich & Tsai 1989), the variance counted as a parameter."""
    k = n_free + 1
    if n - k - 1 <= 0:
        return np.full(wrss.shape, np.nan)
    with np.errstate(divide="ignore"):
        value = n * np.log(wrss / n) + 2 * k + 2 * k * (k + 1) / (n - k - 1)
    return np.where(np.isfinite(value), value, np.nan)


def _assumed_errors(model: KineticModel) -> dict[str, float]:
    """Errors that a model supposes of what it takes as known: its fields of names that end so."""
    fields = (each.name for each in dataclasses.fields(model))  # type: ignore[arg-type]
    return {name: float(getattr(model, name)) for name in fields if name.endswith("_error")}
