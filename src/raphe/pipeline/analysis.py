"""How the curves of one scan become estimates: regions, reference, k2', t*, and a fit for each model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from raphe.data.blood import PlasmaInput
from raphe.data.fit import KineticFit
from raphe.data.record import Step
from raphe.data.regions import resolve
from raphe.data.tacs import TACs
from raphe.errors import InputError, RapheError
from raphe.kinetics.fit import fit
from raphe.kinetics.k2_prime import estimate_k2_prime
from raphe.kinetics.protocol import KineticModel
from raphe.kinetics.selection import with_akaike_weights
from raphe.kinetics.t_star import search_t_star, t_star_of_scan
from raphe.nomenclature import region_key
from raphe.pipeline.choices import Analysis, given_k2_prime, make, t_star_source
from raphe.pipeline.intervals import Tell, with_uncertainty
from raphe.pipeline.reference import find_reference, high_binding

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Material:
    """What the models of one scan are fitted to.

    Parameters
    ----------
    tacs : TACs
        Every curve of the table.
    half_life : float, min, or None
    reference_curve : (str, ndarray of shape (n_frame,)) or None
        Name and curve of a reference region that stands in a table of its own.
    empty : tuple of str
        Regions that the table names but that have no value, for messages.
    plasma : PlasmaInput or None
        Arterial input, its delay included.
    samples : PlasmaInput or None
        Samples of the parent in plasma as knots of its ``parent``, for models that estimate the input.
    n_frames : int or None
        Frames that models behind plasma are fitted to, from the first on; None for all.
    """

    tacs: TACs
    half_life: float | None
    reference_curve: tuple[str, Array] | None = None
    empty: tuple[str, ...] = ()
    plasma: PlasmaInput | None = None
    samples: PlasmaInput | None = None
    n_frames: int | None = None


@dataclass(frozen=True, eq=False)
class _Task:
    """One model with all that its fit needs but the weights."""

    model: KineticModel
    curves: TACs
    reference: Array | None
    plasma: PlasmaInput | None
    input_se: Mapping[str, float]
    notes: Mapping[str, str | None]


def analyse(
    material: Material, analysis: Analysis, tell: Tell | None = None
) -> tuple[tuple[KineticFit, ...], tuple[Step, ...]]:
    """Fit every model of an analysis to one scan.

    Models that fit the curve itself are fitted with the same weights, those that the one with the most parameters
    expects, so that their Akaike weights say which of them the data prefer.

    Parameters
    ----------
    material : Material
    analysis : Analysis
    tell : callable, optional
        Called with what is done of a long work, of how much, and what it is.

    Returns
    -------
    tuple of KineticFit
        One a model, in the order of the analysis, but for those that this scan does not allow.
    tuple of Step
        What was done, in order; ``not_fitted`` with the reason for a model that this scan does not allow.

    Raises
    ------
    InputError, ModelError, TimingError
        As the parts do, where no model can be fitted.
    """
    steps: list[Step] = []
    reference, name = None, ""
    members: tuple[str, ...] = ()
    if analysis.needs("reference"):
        reference, name, step = find_reference(material.tacs, analysis, material.reference_curve, material.empty)
        members = tuple(str(one) for one in step.parameters.get("members") or ())  # type: ignore[union-attr]
        steps.append(step)
    curves, regions = _curves(material.tacs, analysis, name, members)
    steps = [*regions, *steps]
    tasks, failures = [], dict[str, RapheError]()
    try:
        k2_prime, input_se, more = _k2_prime(material, analysis, reference)
    except RapheError as error:
        failures = {kind.name: error for kind in analysis.kinds if "k2_prime" in kind.needs}
        k2_prime, input_se, more = None, {}, []
        if not failures:
            raise
    for kind in [kind for kind in analysis.kinds if kind.name not in failures]:
        by_reference = "reference" in kind.needs
        task = _Task(
            make(kind, analysis, k2_prime),
            curves[by_reference].first(material.n_frames) if "plasma" in kind.needs else curves[by_reference],
            reference if by_reference else None,
            _blood(kind, material),
            input_se if "k2_prime" in kind.__dataclass_fields__ else {},  # type: ignore[attr-defined]
            {"reference": name} if by_reference else {"reference": None},
        )
        try:
            task, searched = _with_t_star(task, material, analysis)
        except RapheError as error:
            failures[kind.name] = error
        else:
            more += searched
            tasks.append(task)
    found, done = _fitted(tasks, material, analysis, failures, tell)
    if not found:
        raise next(iter(failures.values()))
    fits = with_akaike_weights(found)
    compared = tuple(fit.model for fit in fits if fit.akaike is not None)
    if compared:
        done.append(Step("akaike_weights", {"models": compared}, citations=("burnham2004",)))
    lost = [Step("not_fitted", {"model": model, "why": str(error)}) for model, error in failures.items()]
    return fits, (*steps, *more, *done, *lost)


def _blood(kind: type[KineticModel], material: Material) -> PlasmaInput | None:
    """What a model needs of the blood."""
    if "plasma" in kind.needs:
        return material.plasma
    return material.samples if "samples" in kind.needs else None


def _curves(
    tacs: TACs, analysis: Analysis, reference: str, members: Sequence[str]
) -> tuple[dict[bool, TACs], list[Step]]:
    """Curves for models that need a reference region (True) and for those that do not, and of what they were made."""
    found: dict[bool, TACs] = {}
    merged: dict[str, None] = {}
    for by_reference in {"reference" in kind.needs for kind in analysis.kinds}:
        wanted = analysis.regions or _every_region(tacs, analysis, reference, members if by_reference else None)
        found[by_reference], made = resolve(wanted, tacs, analysis.merges)
        merged |= {f"{region} = {how}": None for region, how in made.items() if len(how.members) > 1}
    step = Step("regions", {"merged": tuple(merged), "volumes_known": tacs.volumes is not None})
    return found, [step] if merged else []


def _every_region(tacs: TACs, analysis: Analysis, reference: str, members: Sequence[str] | None) -> tuple[str, ...]:
    """Every region of table and plan; but the reference, and what it is made of, where ``members`` are told."""
    kept = [one for one in tacs.names if one not in (members or ())]
    kept += [one for one in analysis.merges if members is None or region_key(one) != region_key(reference)]
    if not kept:
        raise InputError(f"there is no curve to fit besides the reference region {reference!r}")
    return tuple(dict.fromkeys(kept))


def _k2_prime(
    material: Material, analysis: Analysis, reference: Array | None
) -> tuple[float | None, dict[str, float], list[Step]]:
    """One k2' for the models that take it, its standard error where it was estimated, and how it came about."""
    auto = analysis.k2_prime == "auto" or (analysis.k2_prime is None and analysis.needs("k2_prime"))
    if auto and reference is not None:
        high, origin = high_binding(material.tacs, analysis, reference, material.half_life)
        found, step = estimate_k2_prime(
            high,
            reference=reference,
            regions=high.names,
            weights=analysis.weights,
            half_life=material.half_life,
            convention=analysis.convention,
        )
        told = Step(step.name, {**step.parameters, "source": f"auto: {origin}"}, step.citations)
        return found.value, {"k2_prime": found.se}, [told]
    if analysis.k2_prime is None or auto:
        return None, {}, []
    step = given_k2_prime(analysis)
    return float(analysis.k2_prime), {}, [step]


def _with_t_star(task: _Task, material: Material, analysis: Analysis) -> tuple[_Task, list[Step]]:
    """Put the t* that is searched for, where one is, into the model; and say where t* comes from."""
    model = task.model
    if not hasattr(model, "t_star"):
        return task, []
    if analysis.t_star != "auto":
        return replace(task, notes={**task.notes, "t_star_source": t_star_source(model, analysis)}), []
    found, searched = search_t_star(
        model,
        task.curves,
        reference=task.reference,
        plasma=task.plasma,
        weights=_weights(analysis.weights, task.curves),
        half_life=material.half_life,
        convention=analysis.convention,
        limit=analysis.t_star_limit,
    )
    value, step = t_star_of_scan(found)
    notes = {**task.notes, "t_star_source": f"searched, with at most {analysis.t_star_limit:g} % from the line"}
    step = replace(step, parameters={"model": model.name, **step.parameters})
    return replace(task, model=replace(model, t_star=value), notes=notes), [searched, step]  # type: ignore[type-var]


def _fitted(
    tasks: Sequence[_Task],
    material: Material,
    analysis: Analysis,
    failures: dict[str, RapheError],
    tell: Tell | None,
) -> tuple[list[KineticFit], list[Step]]:
    """Fits in the order of the tasks; of models that fit the curve, the richest goes first and gives the weights.

    Why a model could not be fitted is put among the ``failures``.
    """
    common = sorted((task for task in tasks if task.model.fits_curve), key=lambda task: -task.model.n_free)
    common = common if len(common) > 1 else []
    fits: dict[str, KineticFit] = {}
    steps: dict[str, tuple[Step, ...]] = {}
    for task in (*common, *(task for task in tasks if task not in common)):
        before = [fits[one.model.name] for one in common if one.model.name in fits] if task in common else []
        rich = before[0] if before else None
        try:
            found, step = fit(
                task.model,
                task.curves,
                reference=task.reference,
                plasma=task.plasma,
                weights=_weights(analysis.weights, task.curves),
                half_life=material.half_life,
                convention=analysis.convention,
                input_se=task.input_se,
                shared=None if rich is None else _shared(rich, task.curves),
            )
        except RapheError as error:
            failures[task.model.name] = error
            continue
        fits[found.model], more = with_uncertainty(
            task.model,
            found,
            analysis.uncertainty,
            plasma=task.plasma,
            repeats=analysis.repeats,
            input_se=task.input_se,
            tell=tell,
        )
        named = analysis.weights if isinstance(analysis.weights, str) else "given"
        told = replace(step, parameters={**step.parameters, "weights": named, **task.notes})
        steps[found.model] = (told, *more)
    order = [task.model.name for task in tasks if task.model.name in fits]
    return [fits[name] for name in order], [step for name in order for step in steps[name]]


def _weights(weights: str | Array, curves: TACs) -> str | Array:
    """Weights of a fit: of the first frames, where they were given one a frame."""
    return weights if isinstance(weights, str) else weights[: len(curves.frames)]


def _shared(rich: KineticFit, curves: TACs) -> Array | None:
    """Weights that a fit found for some curves, NaN for those that it has not; None if it is of fewer frames."""
    if len(rich.frames) != len(curves.frames):
        return None
    known = dict(zip(rich.names, rich.weights, strict=True))
    nothing = np.full(len(rich.frames), np.nan)
    return np.array([known.get(name, nothing) for name in curves.names])
