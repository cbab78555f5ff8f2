"""Occupancy against dose or plasma concentration: E_max, EC50 and the Hill slope."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import stats

from raphe.data.pharmacology import DoseResponse
from raphe.data.record import Step
from raphe.data.results import Interval
from raphe.errors import InputError
from raphe.pharmacology.dose_likelihood import BOUNDS, NAMES, Measured, best, curvature, ends, response
from raphe.pharmacology.occupancy import CONFIDENCE

Array = npt.NDArray[np.float64]

KINDS = ("dose", "concentration")

MOST_OCCUPANCY = 1.5
"""Occupancies above this are refused: they are per cent, or no occupancies."""

SATURATING = 3.0
"""Multiple of EC50 that the highest dose should reach for E_max to be seen: 75 % of it, at a Hill slope of 1."""


def fit_dose_response(
    dose: npt.ArrayLike,
    occupancy: npt.ArrayLike,
    *,
    se: npt.ArrayLike | None = None,
    subjects: Sequence[str] | None = None,
    E_max: float | None = 1.0,
    hill: float | None = 1.0,
    unit: str = "",
    kind: str = "dose",
) -> tuple[DoseResponse, Step]:
    """Fit occupancy = E_max x^h / (x^h + EC50^h) with profile-likelihood intervals.

    Every parameter is fitted as its logarithm. Errors are normal, in proportion to ``se`` or alike; their size comes
    from the scatter. Where a subject has several scans, ln EC50 varies between subjects (first-order approximation),
    and the intervals rest on the number of subjects, not of scans.

    Parameters
    ----------
    dose : array_like, shape (n,)
        Dose, or concentration in plasma at the time of the scan; 0 for a scan without drug.
    occupancy : array_like, shape (n,)
        Share of 1, not per cent.
    se : array_like, shape (n,), optional
        Standard errors of the occupancies.
    subjects : sequence of str, length n, optional
        Whose scan it is; every scan is of another subject without it.
    E_max, hill : float, optional
        Fixed value; None to fit it.
    unit : str
        Of the dose, for the words.
    kind : str
        ``"dose"`` or ``"concentration"``.

    Returns
    -------
    DoseResponse
        ``statements`` says where EC50 is not bracketed by the doses, or a parameter has no limits.
    Step

    Raises
    ------
    InputError
        For lengths that differ, missing or negative doses, occupancies that are missing or look like per cent, standard
        errors that are not above 0, no dose above 0, or fewer scans than parameters and one more.
    """
    fixed = {"E_max": E_max, "hill": hill}
    data = _measured(dose, occupancy, se, subjects, fixed, kind)
    theta = best(data)
    covariance, df, size = curvature(data, theta)
    values = {name: math.exp(value) for name, value in zip(data.free, theta, strict=False)}
    found = {}
    for name in NAMES:
        if name in data.free:
            found[name] = Interval(values[name], *ends(data, theta, data.free.index(name), size, df))
        else:
            found[name] = Interval(float(data.fixed[name]), float(data.fixed[name]), float(data.fixed[name]))
    n_free = len(data.free)
    sd = data.scale(theta) * math.sqrt(data.dose.size / max(data.dose.size - n_free, 1))
    result = DoseResponse(
        found["EC50"],
        found["E_max"],
        found["hill"],
        sd,
        math.exp(theta[n_free]) * data.scale(theta) if data.repeated else 0.0,
        data.free,
        theta[:n_free],
        covariance,
        int(data.dose.size),
        data.n_subject,
        df,
        unit,
        kind,
        (),
    )
    step = Step(
        "dose_response",
        {"kind": kind, "unit": unit, "n": result.n, "n_subject": result.n_subject, "E_max": E_max, "hill": hill},
        citations=("venzon1988",),
    )
    return _with_words(result, data), step


def occupancy_at(fit: DoseResponse, dose: npt.ArrayLike) -> tuple[Array, Array, Array]:
    """Occupancy that a fit predicts at some doses, with its 95 % interval: value, low, high, shaped as ``dose``.

    The interval is of the mean curve, not of a new subject. Where EC50 alone was fitted its ends are those of EC50,
    else it is by the delta method.

    Raises
    ------
    InputError
        If a dose is missing or negative.
    """
    doses = np.asarray(dose, dtype=float)
    if not np.all(np.isfinite(doses) & (doses >= 0)):
        raise InputError("occupancy can be predicted at doses from 0 on alone; look at the doses")
    E_max, hill = fit.E_max.value, fit.hill.value
    value = response(doses, fit.EC50.value, E_max, hill)
    if fit.free == ("EC50",):
        low, high = (response(doses, end, E_max, hill) for end in (fit.EC50.high, fit.EC50.low))
        return value, low, high
    gradient = _gradient(fit, doses)
    variance = np.einsum("...p,pq,...q->...", gradient, fit.covariance, gradient)
    half = stats.t.ppf((1 + CONFIDENCE) / 2, fit.df) * np.sqrt(np.maximum(variance, 0.0))
    return value, value - half, value + half


def dose_for(fit: DoseResponse, occupancy: float) -> Interval:
    """Dose that a fit predicts for an occupancy, with its 95 % interval (delta method of its logarithm).

    Raises
    ------
    InputError
        If the occupancy is not between 0 and E_max.
    """
    E_max, hill = fit.E_max.value, fit.hill.value
    if not 0 < occupancy < E_max:
        raise InputError(
            f"no dose gives an occupancy of {occupancy:g}: the fit runs from 0 to E_max = {E_max:.3g}; ask for less"
        )
    ratio = (occupancy / (E_max - occupancy)) ** (1 / hill)
    value = fit.EC50.value * ratio
    if fit.free == ("EC50",):
        return Interval(value, fit.EC50.low * ratio, fit.EC50.high * ratio)
    slopes = {"EC50": 1.0, "E_max": -E_max / (hill * (E_max - occupancy)), "hill": -math.log(ratio)}
    gradient = np.array([slopes[name] for name in fit.free])
    se = math.sqrt(max(float(gradient @ fit.covariance @ gradient), 0.0))
    spread = min(float(stats.t.ppf((1 + CONFIDENCE) / 2, fit.df)) * se, 700.0)
    return Interval(value, value * math.exp(-spread), value * math.exp(spread))


def _measured(
    dose: npt.ArrayLike,
    occupancy: npt.ArrayLike,
    se: npt.ArrayLike | None,
    subjects: Sequence[str] | None,
    fixed: dict[str, float | None],
    kind: str,
) -> Measured:
    if kind not in KINDS:
        raise InputError(f"the kind is {kind!r}, and has to be {' or '.join(KINDS)}")
    x, y = np.asarray(dose, dtype=float), np.asarray(occupancy, dtype=float)
    names = [str(at) for at in range(x.size)] if subjects is None else list(subjects)
    errors = np.ones_like(y) if se is None else np.asarray(se, dtype=float)
    if not (x.ndim == 1 and x.shape == y.shape == errors.shape == (len(names),)):
        raise InputError(
            f"there are {x.size} doses, {y.size} occupancies, {errors.size} standard errors and {len(names)} "
            "subjects; one of each a scan is needed"
        )
    for what, values, good in (
        (kind, x, np.isfinite(x) & (x >= 0)),
        ("occupancy", y, np.isfinite(y)),
        ("standard error", errors, np.isfinite(errors) & (errors > 0)),
    ):
        for at in np.flatnonzero(~good)[:1]:
            raise InputError(
                f"the {what} of scan {at + 1} ({names[at]}) is {values[at]:g}; mend it or leave the scan out"
            )
    if np.abs(y).max(initial=0.0) > MOST_OCCUPANCY:
        raise InputError(f"an occupancy of {y[np.argmax(np.abs(y))]:g} is no share of 1; give 0.7 for 70 %")
    for name, value in fixed.items():
        if value is not None and not (math.isfinite(value) and BOUNDS[name][0] < value < BOUNDS[name][1]):
            raise InputError(f"{name} is fixed at {value:g}, which cannot be; give a number such as 1, or fit it")
    free = ("EC50", *(name for name, value in fixed.items() if value is None))
    if np.count_nonzero(x > 0) < len(free) + 1:
        raise InputError(
            f"a curve with {' and '.join(free)} to fit needs at least {len(free) + 1} scans with a {kind} above 0, and "
            f"there are {np.count_nonzero(x > 0)}; fix a parameter or add scans"
        )
    if len(free) > 1 and np.unique(x[x > 0]).size < len(free):
        levels = [f"{level:g}" for level in np.unique(x[x > 0])]
        told = f"one {kind} above 0" if len(levels) == 1 else f"{len(levels)} different {kind}s above 0"
        raise InputError(
            f"{told} ({', '.join(levels)}) cannot give {len(free)} parameters ({', '.join(free)}); fix one, or add "
            "scans at others"
        )
    known = {name: value for name, value in fixed.items() if value is not None}
    return Measured(x, y, errors, np.unique(names, return_inverse=True)[1], free, known)


def _gradient(fit: DoseResponse, doses: Array) -> Array:
    """Derivatives of the occupancy by the logarithms of the free parameters, shape (..., n_free)."""
    E_max, hill = fit.E_max.value, fit.hill.value
    value = response(doses, fit.EC50.value, E_max, hill)
    share = value / E_max
    slope = value * (1 - share)
    away = np.log(np.maximum(doses, 1e-300) / fit.EC50.value)
    columns = {"EC50": -hill * slope, "E_max": value, "hill": np.where(doses > 0, hill * slope * away, 0.0)}
    return np.stack([columns[name] for name in fit.free], axis=-1)


def _with_words(fit: DoseResponse, data: Measured) -> DoseResponse:
    told = []
    doses = data.dose[data.dose > 0]
    unit = f" {fit.unit}" if fit.unit else ""
    what = fit.called["EC50"]
    low, high = float(doses.min()), float(doses.max())
    if not low <= fit.EC50.value <= high:
        side = "below the lowest" if fit.EC50.value < low else "above the highest"
        told.append(
            f"{what} of {fit.EC50.value:.3g}{unit} lies {side} {fit.kind} that was measured ({low:.3g} to "
            f"{high:.3g}{unit}): it is an extrapolation of the model, not an observation"
        )
    for name, interval in (("EC50", fit.EC50), ("E_max", fit.E_max), ("hill", fit.hill)):
        if name in fit.undetermined:
            sides = [
                side for side, lacks in (("lower", interval.low <= 0), ("upper", math.isinf(interval.high))) if lacks
            ]
            told.append(f"the data set no {' and no '.join(sides)} limit to {fit.called[name]}: it is not determined")
    if "E_max" in fit.free and high < SATURATING * fit.EC50.value:
        told.append(
            f"the highest {fit.kind} is {high / fit.EC50.value:.2g} times {what}, so that E_max was not reached and "
            "rests on the shape of the model; fix it at 1 where the drug is known to take all"
        )
    if "E_max" in fit.free and fit.E_max.value > 1:
        told.append(f"E_max of {fit.E_max.value:.2f} is above 100 %")
    return replace(fit, statements=tuple(told))
