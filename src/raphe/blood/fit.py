"""Fit models to samples of blood: check once, judge, choose, draw."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from raphe.blood import registry
from raphe.blood.draw import drawn
from raphe.blood.protocol import BloodModel, Population, Problem, Solution
from raphe.blood.weights import sample_weights
from raphe.core.piecewise import PiecewiseLinear
from raphe.data.blood import Samples
from raphe.data.blood_fit import BloodFit, Candidate
from raphe.data.record import Parameter, Step
from raphe.errors import InputError, ModelError
from raphe.quality import Quality, words

Array = npt.NDArray[np.float64]
Choice = str | BloodModel | Population
"""Name of a model, ``"auto"``, a model with its assumptions, or one with given parameters."""

EXACT = 1e-9
"""Residual, as a share of the largest sample, below which models count as equally exact; of the order of rounding."""

UNDERSHOOT = 0.02
"""Share of its peak by which a curve may fall below zero before it counts as implausible; an assumption."""


@dataclass(frozen=True)
class Quantity:
    """What is fitted: its name, the folder of its models, its unit, and what stands in if no model is determined."""

    name: str
    kind: str
    unit: str
    fallback: str
    positive: bool


QUANTITIES: Mapping[str, Quantity] = {
    q.name: q
    for q in (
        Quantity("parent_fraction", "parent_fraction", "unitless", "isotonic", positive=False),
        Quantity("plasma_to_blood", "plasma_ratio", "unitless", "interpolation", positive=True),
        Quantity("parent", "arterial", "kBq/mL", "interpolation", positive=False),
        Quantity("whole_blood", "arterial", "kBq/mL", "interpolation", positive=False),
    )
}


def fit_blood(
    quantity: str,
    samples: Samples | None,
    choice: Choice = "auto",
    *,
    scan_end: float,
    weights: str | npt.ArrayLike = "uniform",
    half_life: float | None = None,
) -> tuple[BloodFit, Step]:
    """Fit one curve of the blood.

    Parameters
    ----------
    quantity : {"parent_fraction", "plasma_to_blood", "parent", "whole_blood"}
    samples : Samples or None
        May be None only with a :class:`~raphe.blood.protocol.Population`, which is not fitted.
    choice : str, BloodModel or Population
        ``"auto"`` takes the model of lowest AICc among those whose search settled, whose parameters the samples
        determine and whose curve is plausible; where there is none, straight lines.
    scan_end : float, min
        To where the curve is drawn.
    weights : str or array_like, shape (n_sample,)
        See :func:`raphe.blood.weights.sample_weights`.
    half_life : float, min, optional

    Returns
    -------
    BloodFit
    Step

    Raises
    ------
    InputError, ModelError
    """
    what = QUANTITIES[quantity]
    if isinstance(choice, Population):
        found = _given(what, choice, scan_end)
        return found, _step(found, {"source": choice.source})
    if samples is None or len(samples) == 0:
        raise InputError(f"there are no samples of the {_words(quantity)}; give some, or a model with its parameters")
    samples = _once(samples)
    relative, named = sample_weights(weights, samples.time, samples.value, half_life)
    problem = Problem(samples.time, samples.value, relative)
    if problem.peak == 0:
        raise InputError(f"the samples of the {_words(quantity)} are zero; check the table and its unit")
    end = max(scan_end, float(samples.time[-1]))
    if isinstance(choice, str) and choice.strip().lower() == "auto":
        found, how = _chosen(what, samples, problem, end)
    else:
        model = registry.make(what.kind, choice) if isinstance(choice, str) else choice
        found, how = _named(what, model, samples, problem, end), "named"
    return found, _step(found, {"chosen": how, "weights": named, "n_samples": len(samples)})


def _once(samples: Samples) -> Samples:
    """Same samples without a second one at the same time."""
    keep = np.append(True, np.diff(samples.time) > 0)
    return Samples(samples.time[keep], samples.value[keep], tuple(np.array(samples.source)[keep]))


def _chosen(what: Quantity, samples: Samples, problem: Problem, end: float) -> tuple[BloodFit, str]:
    tried: list[tuple[BloodModel, Solution | None, Candidate]] = []
    for model in registry.candidates(what.kind):
        if (problem.weights > 0).sum() < len(model.parameters) + 3:
            tried.append((model, None, Candidate(model.label, len(model.parameters), np.nan, 0.0, _TOO_FEW)))
            continue
        solution = _judged(what, model.estimate(problem), end)
        aicc = _aicc(solution, problem)
        tried.append((model, solution, Candidate(model.label, solution.n_free, aicc, 0.0, solution.quality)))
    table = _shares([candidate for _, _, candidate in tried])
    order = sorted(range(len(table)), key=lambda i: (-table[i].share, table[i].aicc if table[i].share else np.inf))
    ranked = tuple(table[i] for i in order)
    if not ranked or ranked[0].share == 0:
        fallback = registry.make(what.kind, what.fallback)
        solution = fallback.estimate(problem)
        return _assembled(what, fallback, solution, samples, problem, end, ranked), "no equation was determined"
    model, best, _ = tried[order[0]]
    assert best is not None
    return _assembled(what, model, best, samples, problem, end, ranked), "lowest AICc"


def _named(what: Quantity, model: BloodModel, samples: Samples, problem: Problem, end: float) -> BloodFit:
    n_used, n_par = int((problem.weights > 0).sum()), len(model.parameters)
    if n_par and n_used <= n_par:
        raise ModelError(
            f"{model.label} of the {_words(what.name)} has {n_par} free parameters, but there are {n_used} samples; "
            f"choose a model with fewer, or {what.fallback!r}"
        )
    solution = _judged(what, model.estimate(problem), end)
    if not np.isfinite(solution.fitted).all():
        raise ModelError(
            f"{model.label} cannot be fitted to the {n_used} samples of the {_words(what.name)}; choose another model, "
            f"or {what.fallback!r}"
        )
    return _assembled(what, model, solution, samples, problem, end, ())


def _judged(what: Quantity, solution: Solution, end: float) -> Solution:
    """Same solution, flagged if its curve is not one that such a quantity can have."""
    if not np.isfinite(solution.fitted).all():
        return dataclasses.replace(solution, quality=solution.quality | int(Quality.BAD_INPUT))
    value = solution.curve(np.union1d(np.linspace(0, end, 401), solution.kinks[solution.kinks >= 0]))
    peak = np.abs(value).max()
    bad = not np.isfinite(value).all() or value.min() < -UNDERSHOOT * peak or (what.positive and value.min() <= 0)
    return dataclasses.replace(solution, quality=solution.quality | int(Quality.IMPLAUSIBLE)) if bad else solution


def _aicc(solution: Solution, problem: Problem) -> float:
    """Corrected Akaike criterion of a Gaussian model (Hurvich & Tsai 1989), the variance counted as a parameter."""
    n, k = int((problem.weights > 0).sum()), solution.n_free + 1
    if not n - k - 1 > 0:
        return np.nan
    least = float((problem.weights * (EXACT * problem.peak) ** 2).sum())
    wrss = max(solution.wrss, least)
    return float(n * np.log(wrss / n) + 2 * k + 2 * k * (k + 1) / (n - k - 1))


_TOO_FEW = int(Quality.BAD_INPUT)

_OUT_OF_CHOICE = Quality.BAD_INPUT | Quality.SINGULAR | Quality.AT_BOUND | Quality.NOT_CONVERGED | Quality.IMPLAUSIBLE


def _shares(table: list[Candidate]) -> list[Candidate]:
    """Akaike weights (Burnham & Anderson 2004) over the candidates that can be chosen."""
    able = np.array([not c.quality & int(_OUT_OF_CHOICE) and np.isfinite(c.aicc) for c in table], dtype=bool)
    if not able.any():
        return table
    aicc = np.array([c.aicc for c in table])
    likely = np.where(able, np.exp(-(np.where(able, aicc, np.inf) - aicc[able].min()) / 2), 0.0)
    return [
        dataclasses.replace(c, share=float(max(w / likely.sum(), 1e-300)) if ok else 0.0)
        for c, w, ok in zip(table, likely, able, strict=True)
    ]


def _assembled(
    what: Quantity,
    model: BloodModel,
    solution: Solution,
    samples: Samples,
    problem: Problem,
    end: float,
    candidates: tuple[Candidate, ...],
) -> BloodFit:
    curve = solution.curve
    line = curve if isinstance(curve, PiecewiseLinear) else drawn(curve, end, solution.kinks)
    n_left = (problem.weights > 0).sum() - solution.n_free
    sigma = float(np.sqrt(solution.wrss / n_left)) if n_left > 0 else np.nan
    with np.errstate(invalid="ignore"):
        se = np.sqrt(np.diag(solution.covariance))
    return BloodFit(
        what.name, model.label, model.title, model.equation, tuple(p.name for p in model.parameters),
        _units(what, model), solution.value, se, solution.covariance, sigma, _aicc(solution, problem),
        solution.quality, samples, problem.weights, solution.fitted, line, candidates, "", model.citations,
    )  # fmt: skip


def _given(what: Quantity, population: Population, end: float) -> BloodFit:
    model, value = population.model, np.array(population.value, dtype=float)
    nan, none = np.full(value.shape, np.nan), np.empty(0)
    return BloodFit(
        what.name, model.label, model.title, model.equation, tuple(p.name for p in model.parameters),
        _units(what, model), value, nan, np.full((value.size, value.size), np.nan), np.nan, np.nan, 0, None,
        none, none.copy(), drawn(population, end, model.kinks(value)), (), population.source, model.citations,
    )  # fmt: skip


def _units(what: Quantity, model: BloodModel) -> tuple[str, ...]:
    return tuple(p.unit for p in model.parameters)


def _step(found: BloodFit, how: Mapping[str, Parameter]) -> Step:
    estimates = {name: float(value) for name, value in zip(found.parameters, found.value, strict=True)}
    return Step(
        f"fit_{found.quantity}",
        {
            "model": found.label,
            "title": found.title,
            **how,
            "n_candidates": len(found.candidates),
            "akaike_weight": found.candidates[0].share if found.candidates else None,
            "quality": words(found.quality),
            **{f"parameter_{name}": value for name, value in estimates.items()},
        },
        citations=found.citations + (("hurvich1989", "burnham2004") if found.candidates else ()),
    )


def _words(quantity: str) -> str:
    return {"plasma_to_blood": "ratio of plasma to blood", "parent": "parent in plasma"}.get(
        quantity, quantity.replace("_", " ")
    )
