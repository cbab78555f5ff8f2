"""Maps of a folder, of raphe or of other software, as the contrasts of a plan are made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from raphe.errors import InputError, ModelError
from raphe.io.map_sets import FoundMap, find_maps
from raphe.io.tables import shortened
from raphe.kinetics.registry import model_type
from raphe.nomenclature import BY_LABEL, SYMBOLS
from raphe.pipeline.contrast_rules import sessions_of, tracers_of
from raphe.pipeline.contrasts_of import Analysed
from raphe.pipeline.group_maps import ScanOfMaps
from raphe.pipeline.maps_of_scans import MapOfScan, WaysOut
from raphe.pipeline.plan_schema import ContrastSection, StudyPlan, same_tracer

NONE = "none"
"""Value of an entity for names that do not have it."""

NAMELESS = "model not told"
"""What stands for a model that neither names, sidecars nor the plan tell."""

WAYS = WaysOut(
    "name one in [maps] space of the plan",
    "bring the maps to a template's space, and say which in their names (space-TEMPLATE before meas-)",
)
"""Out of maps that do not go together."""


class Key(NamedTuple):
    """What one map of each scan is meant by."""

    participant: str
    session: str
    tracer: str
    """As the plan has it."""
    model: str
    parameter: str
    """Symbol."""


@dataclass(frozen=True, eq=False)
class MapsOfFolder:
    """Maps by what they are of.

    Parameters
    ----------
    folder : Path
    maps : mapping of Key to tuple of FoundMap
        More than one where several are named alike but for entities that do not count.
    notes : tuple of str
        What was taken for granted, in words.
    """

    folder: Path
    maps: Mapping[Key, tuple[FoundMap, ...]]
    notes: tuple[str, ...] = ()

    @property
    def analysed(self) -> tuple[Analysed, ...]:
        """Tracers, models and parameters, in order."""
        return tuple(dict.fromkeys(Analysed(key.tracer, key.model, key.parameter) for key in self.maps))

    def scans(self) -> tuple[ScanOfMaps, ...]:
        """Scans that have maps."""
        found: dict[tuple[str, str, str], dict[tuple[str, str], MapOfScan]] = {}
        for key, (one, *_) in self.maps.items():
            scan = found.setdefault((key.participant, key.session, key.tracer), {})
            scan[key.model, key.parameter] = MapOfScan(one.label, one.path, one.quality)
        return tuple(ScanOfMaps(*scan, _finder(maps), frozenset(maps)) for scan, maps in found.items())


def _finder(maps: Mapping[tuple[str, str], MapOfScan]) -> Callable[[str, str], MapOfScan]:
    return lambda model, parameter: maps[model, parameter]


def maps_of_folder(
    plan: StudyPlan, folder: Path, contrasts: Sequence[ContrastSection], entities: Sequence[tuple[str, str]]
) -> MapsOfFolder:
    """Find the maps that contrasts of a plan are made of.

    Of maps in several spaces, those of ``[maps] space`` are taken.

    Parameters
    ----------
    plan : StudyPlan
    folder : Path
    contrasts : sequence of ContrastSection
        Those that are made voxel by voxel.
    entities : sequence of (str, str)
        What names must have: key and value, which is :data:`NONE` for names without it.

    Raises
    ------
    InputError
        If there are no such maps; if the tracer of a map cannot be told; if a scan has several maps of one parameter
        by one model.
    """
    labels = dict.fromkeys(SYMBOLS[one.parameter].label for one in contrasts)
    found = _chosen(folder, find_maps(folder, tuple(labels)), entities)
    if plan.maps is not None and plan.maps.space is not None:
        found = _in_space(folder, found, plan.maps.space)
    maps: dict[Key, tuple[FoundMap, ...]] = {}
    supposed: dict[str, int] = {}
    for one in found:
        tracer = _tracer(plan, one)
        if tracer is None:
            continue
        parameter = _parameter(one)
        model = _model(one.model) or _of_plan(plan, contrasts, tracer, parameter)
        if not one.model:
            supposed[model] = supposed.get(model, 0) + 1
        key = Key(one.participant, one.session, tracer, model, parameter)
        maps[key] = (*maps.get(key, ()), one)
    if not maps:
        known = ", ".join(tracer.name for tracer in plan.tracers)
        there = ", ".join(sorted({one.tracer for one in found}))
        raise InputError(f"{folder}: its maps are of {there}, of which the plan has no [[tracer]] (it has {known})")
    notes = tuple(_supposed(model, n) for model, n in supposed.items())
    return MapsOfFolder(folder, _by_model(plan, maps), notes)


def check_models(contrast: ContrastSection, maps: MapsOfFolder, plan: StudyPlan) -> None:
    """Make sure that there is one model, and one map a scan, that a contrast is made of.

    Raises
    ------
    InputError
        If maps are by another model than the contrast's; if they are by several and the plan names none of them.
    """
    for tracer in tracers_of(contrast):
        own = [one for one in maps.analysed if same_tracer(one.tracer) == same_tracer(tracer)]
        models = [one.model for one in own if one.parameter == contrast.parameter]
        what = f"{contrast.parameter} of {tracer}"
        if not models:
            raise InputError(f"there is no map of {what} (meas-{SYMBOLS[contrast.parameter].label}) in {maps.folder}")
        if contrast.model and contrast.model[0] not in models:
            raise InputError(f"its model is {contrast.model[0]}, but the maps of {what} are by {', '.join(models)}")
        named = plan.tracer(tracer)
        if len(models) > 1 and not contrast.model and not (named and models[0] in named.models):
            raise InputError(
                f"there are maps of {what} by {len(models)} models ({', '.join(models)}); name one in model of "
                "[[tracer]]"
            )


def check_once(contrasts: Iterable[ContrastSection], maps: MapsOfFolder) -> None:
    """Refuse several maps of one scan that a contrast could be made of.

    Raises
    ------
    InputError
        With the files and the way out.
    """
    for contrast in contrasts:
        tracers = {same_tracer(tracer) for tracer in tracers_of(contrast)}
        several = {
            key: own
            for key, own in maps.maps.items()
            if len(own) > 1
            and same_tracer(key.tracer) in tracers
            and key.session in sessions_of(contrast)
            and key.parameter == contrast.parameter
            and key.model in (contrast.model or (key.model,))
        }
        if several:
            key, own = next(iter(several.items()))
            more = f"; {len(several) - 1} more scans have several" if len(several) > 1 else ""
            files = shortened([one.path.relative_to(maps.folder).as_posix() for one in own], 4)
            raise InputError(
                f"{maps.folder}: {own[0].label} has {len(own)} maps of {key.parameter} of {key.tracer} by {key.model} "
                f"({files}){more}; a contrast takes one a scan: {_way_out(own)}"
            )


def _way_out(own: Sequence[FoundMap]) -> str:
    keys = dict.fromkeys(key for one in own for key in one.entities)
    for key in keys:
        values = list(dict.fromkeys(one.entities.get(key, NONE) for one in own))
        if len(values) > 1 and key != "meas":
            options = " or ".join(f"--entity {key}-{value}" for value in values)
            return f"choose by {options}, or name a narrower folder"
    return "remove the others, or name a narrower folder"


def _chosen(folder: Path, found: Sequence[FoundMap], entities: Sequence[tuple[str, str]]) -> Sequence[FoundMap]:
    """Maps whose names have the entities."""
    for key, value in entities:
        kept = [one for one in found if one.entities.get(key, NONE) == value]
        if not kept:
            there = ", ".join(sorted({f"{key}-{one.entities.get(key, NONE)}" for one in found}))
            raise InputError(f"{folder}: no map is of --entity {key}-{value}; there is {there}")
        found = kept
    return found


def _in_space(folder: Path, found: Sequence[FoundMap], space: str) -> Sequence[FoundMap]:
    kept = [one for one in found if one.entities.get("space") == space]
    if not kept:
        there = ", ".join(sorted({one.entities.get("space", "(none)") for one in found}))
        raise InputError(f"{folder}: no map is in space-{space}, which the plan's [maps] space names; there is {there}")
    return kept


def _tracer(plan: StudyPlan, one: FoundMap) -> str | None:
    """Tracer as the plan has it; None where the plan does not have it."""
    if one.tracer:
        section = plan.tracer(one.tracer)
        return None if section is None else section.name
    if len(plan.tracers) == 1:
        return plan.tracers[0].name
    raise InputError(
        f"{one.path}: neither its name (trc-) nor a sidecar (TracerName) tells the tracer, and the plan has "
        f"{len(plan.tracers)} ({', '.join(tracer.name for tracer in plan.tracers)}); add trc- to the name"
    )


def _parameter(one: FoundMap) -> str:
    label = one.entities["meas"].lower()
    return next(symbol.name for known, symbol in BY_LABEL.items() if known.lower() == label)


def _model(name: str) -> str:
    """Model as raphe calls it, where it has it; else the name as it is."""
    if not name:
        return ""
    try:
        return model_type(name).name
    except ModelError:
        return name


def _of_plan(plan: StudyPlan, contrasts: Sequence[ContrastSection], tracer: str, parameter: str) -> str:
    """Model that the plan names for a parameter of a tracer."""
    for contrast in contrasts:
        own = {same_tracer(name) for name in tracers_of(contrast)}
        if contrast.parameter == parameter and same_tracer(tracer) in own and contrast.model:
            return contrast.model[0]
    section = plan.tracer(tracer)
    return section.models[0] if section and section.models else NAMELESS


def _supposed(model: str, n: int) -> str:
    which = f"{n} map{'s' if n > 1 else ''} tell{'' if n > 1 else 's'} no model, neither by model- nor in a sidecar"
    return which if model == NAMELESS else f"{which}, and {'are' if n > 1 else 'is'} taken for {model}, the plan's"


def _by_model(plan: StudyPlan, maps: Mapping[Key, tuple[FoundMap, ...]]) -> dict[Key, tuple[FoundMap, ...]]:
    """Maps with those by the plan's models first, in its order."""

    def rank(key: Key) -> int:
        section = plan.tracer(key.tracer)
        models = section.models if section else ()
        return models.index(key.model) if key.model in models else len(models)

    return {key: maps[key] for key in sorted(maps, key=rank)}
