"""What is to be done to the scans of one tracer: choices of user, plan and catalog, each with its origin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from raphe.catalog import Tracer
from raphe.data.record import Step
from raphe.errors import InputError, ModelError
from raphe.kinetics import registry
from raphe.kinetics.protocol import KineticModel
from raphe.pipeline.uncertainty import check_uncertainty

Array = npt.NDArray[np.float64]

OF_MODELS = ("t_star", "k2_prime", "V_B", "window")
"""Choices that belong to some models and not to others."""

MEND = "mend"
"""The choice of ``blood_faults`` that goes on with what is left."""


@dataclass(frozen=True)
class Analysis:
    """Choices for the scans of one tracer, each with where it comes from.

    Parameters
    ----------
    models : tuple of str
        Kinetic models; the first is the one that is meant where one is asked for.
    reference : tuple of str
        Names that the reference region may have in a table; the first that is there is taken. Empty where no model
        needs one.
    weights : str or ndarray, shape (n_frame,)
    convention : str
    k2_prime : float (1/min), "auto" or None
        None: "auto" for a model that needs one.
    t_star : float, min, "auto" or None
        "auto": searched with ``t_star_limit``. None: the model's default.
    t_star_limit : float, %
        Largest deviation from the line that a searched t* may leave.
    V_B : float, "fit" or None
        Share of blood; None: estimated by the compartment models, 0 in the others.
    window : (float, float), min, or None
        For models of a time window.
    delay : float, min, "fit" or None
        Of the blood. None: estimated for sampled blood, 0 for an input function that was given.
    dispersion : float, min, "fit" or None
        Time constant of the dispersion of an autosampler's curves; None: they are taken as they are.
    parent_fraction, plasma_ratio, arterial : str
        Models of the blood; see :func:`raphe.blood.input.make_input`.
    blood_unit : str or None
        Unit of every activity of blood, whatever the files say.
    blood_faults : {"refuse", "mend"}
        Whether to refuse blood samples out of order, and blood that ends before the scan; or to leave out the samples
        that break the order, and fit the frames that the blood covers.
    uncertainty : {"jacobian", "bootstrap", "profile"}
        How standard errors and intervals are found; see :mod:`raphe.pipeline.uncertainty`.
    repeats : int
        Of the bootstrap.
    high_binding : tuple of str
        Regions whose k2' is averaged for "auto".
    regions : tuple of str
        Regions to fit; empty means every curve of the table.
    merges : mapping of str to sequence of str
        Regions that the plan makes of others.
    origin : mapping of str to str
        Where each choice comes from: ``plan``, ``command line``, ``catalog`` or ``default``.
    """

    models: tuple[str, ...]
    reference: tuple[str, ...] = ()
    weights: str | Array = "decay"
    convention: str = "average"
    k2_prime: float | str | None = None
    t_star: float | str | None = None
    t_star_limit: float = 10.0
    V_B: float | str | None = None
    window: tuple[float, float] | None = None
    delay: float | str | None = None
    dispersion: float | str | None = None
    parent_fraction: str = "auto"
    plasma_ratio: str = "auto"
    arterial: str = "interpolation"
    blood_unit: str | None = None
    blood_faults: str = "refuse"
    uncertainty: str = "jacobian"
    repeats: int = 1000
    high_binding: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    merges: Mapping[str, Sequence[str]] = field(default_factory=dict)
    origin: Mapping[str, str] = field(default_factory=dict)

    @property
    def kinds(self) -> tuple[type[KineticModel], ...]:
        """Types of the models."""
        return tuple(registry.model_type(name) for name in self.models)

    def needs(self, what: str) -> bool:
        """Whether any of the models needs ``"reference"``, ``"plasma"``, ``"k2_prime"`` ..."""
        return any(what in kind.needs for kind in self.kinds)


def choose(
    layers: Sequence[tuple[str, Mapping[str, object]]], tracer: Tracer | None, tracer_name: str, species: str = "human"
) -> Analysis:
    """One analysis from what the user says and what the catalog knows of the tracer.

    Parameters
    ----------
    layers : sequence of (str, mapping)
        Fields of :class:`Analysis` by origin, the strongest first; a field that is None or empty is not said. What a
        weaker layer says for other models than those that are chosen is left aside.
    tracer : Tracer or None
        Catalog entry, the weakest layer.
    tracer_name : str
        For messages.
    species : str
        Whose reference region is meant.

    Raises
    ------
    InputError
        If nothing names a model, or the reference region that a model needs, or a value is given that none of the
        models takes.
    """
    layers = (*layers, ("catalog", _known(tracer, species)))
    chosen: dict[str, object] = {}
    origin: dict[str, str] = {}
    for where, layer in layers:
        for name, value in layer.items():
            said = value is not None and not (isinstance(value, tuple | str | Mapping) and not value)
            if said and name not in chosen:
                chosen[name], origin[name] = value, where
    named = f"of tracer {tracer_name!r}" if tracer_name else "of this table (no sidecar names its tracer)"
    _require("models", "--model", chosen, named)
    kinds = tuple(registry.model_type(name) for name in chosen["models"])  # type: ignore[attr-defined]
    if any("reference" in kind.needs for kind in kinds):
        _require("reference", "--reference", chosen, named)
    strength = {where: place for place, (where, _) in enumerate(layers)}
    for name in OF_MODELS:
        if name in chosen and not any(takes(kind, name) for kind in kinds):
            if strength[origin[name]] <= strength[origin["models"]] and origin[name] != "catalog":
                told = ", ".join(kind.name for kind in kinds)
                raise InputError(f"{told} has no {name}, but the {origin[name]} gives one; leave it out")
            del chosen[name], origin[name]
    if chosen.get("V_B") == "fit" and not any(_estimates_blood(kind) for kind in kinds):
        told = ", ".join(kind.name for kind in kinds)
        raise InputError(f"{told} takes the share of blood V_B as known and cannot fit it; give a number (--vb X)")
    if origin.get("t_star") == "catalog" and not any(kind.name == "LoganRef" for kind in kinds):
        del chosen["t_star"], origin["t_star"]  # the catalog's is of that plot
    if "repeats" in chosen and chosen.get("uncertainty") != "bootstrap":
        if origin["repeats"] == layers[0][0]:
            raise InputError(f"the {origin['repeats']} gives repeats, which are of the bootstrap alone; ask for that")
        del chosen["repeats"], origin["repeats"]
    analysis = Analysis(**chosen, origin=origin)  # type: ignore[arg-type]
    check_uncertainty(kinds, analysis.uncertainty, analysis.repeats)
    return analysis


def _known(tracer: Tracer | None, species: str) -> dict[str, object]:
    if tracer is None:
        return {}
    known: dict[str, object] = {
        "models": (tracer.model.value,),
        "high_binding": tracer.high_binding.names,
        "t_star": tracer.t_star.value,
    }
    if species in tracer.species:
        known["reference"] = tracer.species[species].reference.names.names
    return known


def _require(name: str, option: str, chosen: Mapping[str, object], named: str) -> None:
    if name not in chosen:
        what = name.rstrip("s")
        raise InputError(
            f"no {what} is named for the scans {named}, which the catalog does not know; "
            f"give {option}, or write it in the plan under [[tracer]]"
        )


def _estimates_blood(kind: type[KineticModel]) -> bool:
    field = kind.__dataclass_fields__.get("V_B")  # type: ignore[attr-defined]
    return field is not None and field.default is None


def make(kind: type[KineticModel], analysis: Analysis, k2_prime: float | None) -> KineticModel:
    """Make a model with those of the choices that it takes.

    Raises
    ------
    ModelError
        If a choice is missing that it needs, or has a value that it cannot take.
    """
    fields = kind.__dataclass_fields__  # type: ignore[attr-defined]
    t_star = None if analysis.t_star == "auto" else analysis.t_star
    if analysis.origin.get("t_star") == "catalog" and kind.name != "LoganRef":
        t_star = None
    V_B = None if analysis.V_B == "fit" else analysis.V_B
    begin, end = analysis.window or (None, None)
    known = {"k2_prime": k2_prime, "t_star": t_star, "V_B": V_B, "t_begin": begin, "t_end": end}
    if "window" in kind.needs and analysis.window is None:
        raise ModelError(f"{kind.name} needs a window of time; give it (--window START:END, in min from injection)")
    return registry.make(kind.name, **{name: value for name, value in known.items() if name in fields})  # type: ignore[arg-type]


def t_star_source(model: KineticModel, analysis: Analysis) -> str:
    """Say where the t* of a model comes from that is not searched for."""
    origin = analysis.origin.get("t_star", "") if analysis.t_star is not None else ""
    if origin == "catalog" and model.name != "LoganRef":
        origin = ""
    return origin or "the model's default, an assumption"


def given_k2_prime(analysis: Analysis) -> Step:
    """Record of a k2' that is a number of the analysis."""
    value = float(analysis.k2_prime or np.nan)
    return Step("k2_prime", {"value": value, "source": analysis.origin.get("k2_prime", "given")})


def takes(kind: type[KineticModel], name: str) -> bool:
    """Whether a model takes one of the choices of :data:`OF_MODELS`."""
    fields = kind.__dataclass_fields__  # type: ignore[attr-defined]
    return "window" in kind.needs if name == "window" else name in fields
