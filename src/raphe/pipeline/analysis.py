"""How the curves of one scan become binding: regions, reference, k2', fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from raphe.catalog import Tracer
from raphe.data.fit import KineticFit
from raphe.data.record import Parameter, Step
from raphe.data.regions import Merged, resolve
from raphe.data.tacs import TACs
from raphe.errors import InputError
from raphe.kinetics import registry
from raphe.kinetics.fit import check_reference, fit
from raphe.kinetics.k2_prime import estimate_k2_prime
from raphe.nomenclature import region_key

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Analysis:
    """Choices for the scans of one tracer, each with where it comes from.

    Parameters
    ----------
    model : str
    reference : tuple of str
        Names that the reference region may have in a table; the first that is there is taken.
    weights : str or ndarray, shape (n_frame,)
    convention : str
    k2_prime : float (1/min), "auto" or None
        None: "auto" for a model that needs one.
    t_star : float, min, or None
    high_binding : tuple of str
        Regions whose k2' is averaged for "auto".
    regions : tuple of str
        Regions to fit; empty means every curve of the table.
    merges : mapping of str to sequence of str
        Regions that the plan makes of others.
    origin : mapping of str to str
        Where each choice comes from: ``plan``, ``command line``, ``catalog`` or ``default``.
    """

    model: str
    reference: tuple[str, ...]
    weights: str | Array = "decay"
    convention: str = "average"
    k2_prime: float | str | None = None
    t_star: float | None = None
    high_binding: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    merges: Mapping[str, Sequence[str]] = field(default_factory=dict)
    origin: Mapping[str, str] = field(default_factory=dict)


def choose(
    layers: Sequence[tuple[str, Mapping[str, object]]], tracer: Tracer | None, tracer_name: str, species: str = "human"
) -> Analysis:
    """One analysis from what the user says and what the catalog knows of the tracer.

    Parameters
    ----------
    layers : sequence of (str, mapping)
        Fields of :class:`Analysis` by origin, the strongest first; a field that is None or empty is not said. What a
        weaker layer says for another model than the one that is chosen is left aside.
    tracer : Tracer or None
        Catalog entry, the weakest layer.
    tracer_name : str
        For messages.
    species : str
        Whose reference region is meant.

    Raises
    ------
    InputError
        If nothing names a model or a reference region.
    """
    known: dict[str, object] = {}
    if tracer is not None:
        known = {"model": tracer.model.value, "high_binding": tracer.high_binding.names, "t_star": tracer.t_star.value}
        if species in tracer.species:
            known["reference"] = tracer.species[species].reference.names.names
    chosen: dict[str, object] = {}
    origin: dict[str, str] = {}
    for where, layer in (*layers, ("catalog", known)):
        for name, value in layer.items():
            said = value is not None and not (isinstance(value, tuple | str | Mapping) and not value)
            if said and name not in chosen:
                chosen[name], origin[name] = value, where
    named = f"of tracer {tracer_name!r}" if tracer_name else "of this table (no sidecar names its tracer)"
    for name, option in (("model", "--model"), ("reference", "--reference")):
        if name not in chosen:
            raise InputError(
                f"no {name} is named for the scans {named}, which the catalog does not know; "
                f"give {option}, or write it in the plan under [[tracer]]"
            )
    kind = registry.model_type(str(chosen["model"]))
    fields = kind.__dataclass_fields__  # type: ignore[attr-defined]
    strength = {where: place for place, (where, _) in enumerate((*layers, ("catalog", known)))}
    for name in ("t_star", "k2_prime"):
        if name in chosen and name not in fields:
            if strength[origin[name]] <= strength[origin["model"]] and origin[name] != "catalog":
                raise InputError(f"{kind.name} has no {name}, but the {origin[name]} gives one; leave it out")
            del chosen[name], origin[name]
    if "t_star" in chosen and origin["t_star"] == "catalog" and kind.name != "LoganRef":
        del chosen["t_star"], origin["t_star"]
    return Analysis(**chosen, origin=origin)  # type: ignore[arg-type]


def analyse(
    tacs: TACs,
    analysis: Analysis,
    half_life: float | None,
    reference_curve: tuple[str, Array] | None = None,
    empty: Sequence[str] = (),
) -> tuple[KineticFit, tuple[Step, ...]]:
    """Fit one scan.

    Parameters
    ----------
    tacs : TACs
        Every curve of the table.
    analysis : Analysis
    half_life : float, min, or None
    reference_curve : (str, ndarray of shape (n_frame,)), optional
        Name and curve of a reference region that stands in a table of its own.
    empty : sequence of str
        Regions that the table names but that have no value, for messages.

    Returns
    -------
    KineticFit
    tuple of Step
        What was done, in order.

    Raises
    ------
    InputError, ModelError, TimingError
        As the parts do.
    """
    reference, name, reference_step = find_reference(tacs, analysis, reference_curve, empty)
    curves, made = resolve(analysis.regions or _others(tacs, analysis, name, reference_step), tacs, analysis.merges)
    steps = [reference_step]
    if merged := tuple(f"{region} = {how}" for region, how in made.items() if len(how.members) > 1):
        steps.insert(0, Step("regions", {"merged": merged, "volumes_known": tacs.volumes is not None}))
    common = {"weights": analysis.weights, "half_life": half_life, "convention": analysis.convention}
    assumed: dict[str, float | None] = {"t_star": analysis.t_star}
    input_se: dict[str, float] = {}
    kind = registry.model_type(analysis.model)
    auto = analysis.k2_prime == "auto" or (analysis.k2_prime is None and "k2_prime" in kind.needs)
    if auto:
        high, origin = _high_binding(tacs, analysis, reference, half_life)
        k2_prime, step = estimate_k2_prime(high, reference=reference, regions=high.names, **common)  # type: ignore[arg-type]
        assumed["k2_prime"], input_se["k2_prime"] = k2_prime.value, k2_prime.se
        steps.append(Step(step.name, {**step.parameters, "source": f"auto: {origin}"}, step.citations))
    elif analysis.k2_prime is not None:
        assumed["k2_prime"] = float(analysis.k2_prime)
        steps.append(
            Step("k2_prime", {"value": assumed["k2_prime"], "source": analysis.origin.get("k2_prime", "given")})
        )
    model = registry.make(analysis.model, **assumed)
    result, step = fit(
        model,
        curves,
        reference=reference,
        input_se=input_se,
        **common,  # type: ignore[arg-type]
    )
    defaults = {}
    if "t_star" in result.inputs:
        defaults["t_star_source"] = analysis.origin.get("t_star", "the model's default, an assumption")
    steps.append(Step(step.name, {**step.parameters, "reference": name, **defaults}, step.citations))
    return result, tuple(steps)


def find_reference(
    tacs: TACs, analysis: Analysis, separate: tuple[str, Array] | None = None, empty: Sequence[str] = ()
) -> tuple[Array, str, Step]:
    """Curve of the reference region, its name, and how it was found.

    Parameters
    ----------
    tacs : TACs
    analysis : Analysis
    separate : (str, ndarray of shape (n_frame,)), optional
        Name and curve of a reference region that stands in a table of its own.
    empty : sequence of str
        Regions that the table names but that have no value.

    Raises
    ------
    InputError
        If it is absent, empty, zero or negative, or not a number somewhere; the message says which.
    """
    curve, name, step = _reference(tacs, analysis, separate, empty)
    check_reference(f"reference region {name!r}", curve, tacs.frames)
    return curve, name, step


def _reference(
    tacs: TACs, analysis: Analysis, separate: tuple[str, Array] | None, empty: Sequence[str]
) -> tuple[Array, str, Step]:
    said = analysis.origin.get("reference", "default")
    plain = {region_key(name)[0] for name in analysis.reference}
    if separate is not None and (said == "catalog" or region_key(separate[0])[0] in plain):
        name, curve = separate
        return curve, name, Step("reference", {"region": name, "how": "its own table", "source": "table"})
    failures: list[InputError] = []
    for name in analysis.reference:
        try:
            found, made = resolve([name], tacs, analysis.merges)
        except InputError as error:
            failures.append(error)
            continue
        how: Merged = made[name]
        parameters: dict[str, Parameter] = {"region": name, "how": str(how), "members": how.members, "source": said}
        return found.activity[0], name, Step("reference", parameters)
    wanted = {region_key(name) for name in analysis.reference}
    for name in empty:
        if region_key(name) in wanted:
            raise InputError(f"the reference region {name!r} is empty: no frame has a value; fill it or take another")
    if len(analysis.reference) == 1:
        raise InputError(f"the reference is absent: {failures[0]}")
    raise InputError(
        f"no reference region is among the curves (looked for {', '.join(analysis.reference)}); name one of "
        f"{', '.join(tacs.names[:12])}{' ...' if len(tacs.names) > 12 else ''} with --reference or in the plan"
    )


def _others(tacs: TACs, analysis: Analysis, name: str, reference: Step) -> tuple[str, ...]:
    """Every region of the table and of the plan but the reference and what it is made of."""
    members = reference.parameters.get("members") or ()
    kept = [one for one in tacs.names if one not in members]  # type: ignore[operator]
    kept += [one for one in analysis.merges if region_key(one) != region_key(name)]
    if not kept:
        raise InputError(f"there is no curve to fit besides the reference region {name!r}")
    return tuple(dict.fromkeys(kept))


LEAST_BINDING = 0.5
"""BP_ND from which on a region counts as high-binding where neither plan nor catalog names any; an assumption."""


def _high_binding(tacs: TACs, analysis: Analysis, reference: Array, half_life: float | None) -> tuple[TACs, str]:
    """Curves that give k2', and who named them."""
    origin = analysis.origin.get("high_binding", "")
    found: list[str] = []
    for name in analysis.high_binding:
        try:
            resolve([name], tacs, analysis.merges)
        except InputError:
            if origin == "plan":
                raise
            continue
        found.append(name)
    if found:
        return resolve(found, tacs, analysis.merges)[0], f"the high-binding regions that the {origin} names"
    first, _ = fit(
        registry.make("MRTM1"), tacs, reference=reference, weights=analysis.weights, half_life=half_life,
        convention=analysis.convention,
    )  # fmt: skip
    binding, _ = first.of("BP_ND")
    high = [
        name
        for name, value, good in zip(first.names, binding, first.usable, strict=True)
        if good and value > LEAST_BINDING
    ]
    if not high:
        raise InputError(
            f"k2_prime 'auto' needs regions of high binding; none is named and none has BP_ND above {LEAST_BINDING:g} "
            "by MRTM1. Give k2_prime as a number, or choose SRTM"
        )
    return resolve(high, tacs, {})[0], f"the regions with BP_ND above {LEAST_BINDING:g} by MRTM1, an assumption"
