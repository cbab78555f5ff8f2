"""What a study plan may not say, whatever the data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from raphe.errors import PlanError, nearest
from raphe.io.occupancy import ALL
from raphe.kinetics.registry import model_type
from raphe.nomenclature import region_key
from raphe.pipeline.choices import OF_MODELS, takes
from raphe.pipeline.contrast_rules import check_contrasts, fault, is_lassen, tracers_of
from raphe.pipeline.pharmacology_rules import check_pharmacology
from raphe.pipeline.plan_schema import StudyPlan, same_tracer
from raphe.pipeline.toml_lines import Key

LONGEST_NAME = 100
"""Letters and digits that the name of a contrast may have, as it goes into a file's name."""

OF_MAP_CONTRASTS = ("seed", "statistics", "cluster_p", "variance_smoothing", "mirror", "group_mask")
"""Keys of ``[maps]`` that say nothing without ``permutations``."""


def check_rules(plan: StudyPlan) -> None:
    """Refuse a plan that contradicts itself.

    Raises
    ------
    PlanError
        If a name stands twice, a model does not take a value that is given, a contrast is over one session or over
        something that the plan lacks, or the primary outcome is not among what is planned. The message names file,
        line, value and the way out.
    """
    _check_names(plan)
    _check_assumptions(plan)
    _check_regions(plan)
    _check_conditions(plan)
    if plan.maps is not None and plan.maps.smoothing is not None and plan.maps.hypr is not None:
        how = "[maps] has both smoothing and hypr, of which one image bears one; keep the one that is meant"
        raise fault(plan, ("maps", "hypr"), how)
    _check_maps(plan)
    if plan.preprocess.smoothing is not None and plan.preprocess.hypr is not None:
        how = "[preprocess] has both smoothing and hypr, of which one image bears one; keep the one that is meant"
        raise fault(plan, ("preprocess", "hypr"), how)
    check_contrasts(plan)
    check_pharmacology(plan)
    _check_primary(plan)
    _check_order(plan)


def _check_maps(plan: StudyPlan) -> None:
    """Refuse keys of contrasts voxel by voxel where none are asked for."""
    if plan.maps is None or plan.maps.permutations is not None:
        return
    for key in OF_MAP_CONTRASTS:
        if key in plan.maps.model_fields_set:
            how = f"[maps] {key} is of contrasts voxel by voxel, which none are asked for; add permutations = 5000"
            raise fault(plan, ("maps", key), f"{how}, or leave {key} out")


def _check_names(plan: StudyPlan) -> None:
    if not plan.tracers:
        raise fault(plan, ("tracer",), 'the plan has no tracer; add [[tracer]] and name = "..."')
    for index, contrast in enumerate(plan.contrasts):
        if not 0 < len(_letters(contrast.name)) <= LONGEST_NAME:
            how = f"contrast {contrast.name[:60]!r} needs a letter or digit (a-z, 0-9; at most {LONGEST_NAME})"
            how += ", for its file's name"
            raise fault(plan, ("contrast", index, "name"), how)
    named: Mapping[str, Sequence[tuple[str, object]]] = {
        "tracer": [(tracer.name, same_tracer(tracer.name)) for tracer in plan.tracers],
        "condition": [(condition.name, condition.name) for condition in plan.conditions],
        "arm": [(arm.name, arm.name) for arm in plan.arms],
        "session": [(session.label, session.label) for session in plan.sessions],
        "contrast": [(contrast.name, _letters(contrast.name)) for contrast in plan.contrasts],
    }
    for section, names in named.items():
        last = "label" if section == "session" else "name"
        placed: list[tuple[Key, str, object]] = [
            ((section, at, last), name, same) for at, (name, same) in enumerate(names)
        ]
        _check_once(plan, f"[[{section}]]", placed)


def _check_assumptions(plan: StudyPlan) -> None:
    """Refuse a value for a model that does not take it, and a reference that is to be of high binding."""
    for index, tracer in enumerate(plan.tracers):
        for at, name in enumerate(tracer.high_binding):
            if tracer.reference is not None and region_key(name)[0] == region_key(tracer.reference)[0]:
                how = f"[[tracer]] {tracer.name}: {name!r} is the reference, so it cannot give k2_prime; take it out"
                raise fault(plan, ("tracer", index, "high_binding", at), how)
        if not tracer.models:
            continue
        kinds = [model_type(name) for name in tracer.models]
        for name in OF_MODELS:
            if getattr(tracer, name) is not None and not any(takes(kind, name) for kind in kinds):
                told = ", ".join(tracer.models)
                how = f"[[tracer]] {tracer.name}: {told} has no {name}; leave it out, or name another model"
                raise fault(plan, ("tracer", index, name), how)


def _letters(name: str) -> str:
    """Part of a name that goes into a file's name, and by which names must differ."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _check_once(plan: StudyPlan, where: str, names: Iterable[tuple[Key, str, object]]) -> None:
    """Refuse two names that mean the same; each comes with its place and with what it means."""
    first: dict[object, tuple[Key, str]] = {}
    for key, name, same in names:
        if same in first:
            before, other = first[same]
            also = f" as {other!r}" if other != name else ""
            how = f"{name!r} stands twice, first at line {plan.line(*before)}{also}; keep one of them, or rename it"
            raise fault(plan, key, f"{where}: {how}")
        first[same] = (key, name)


def _check_regions(plan: StudyPlan) -> None:
    def once(key: Key, where: str, names: Sequence[str]) -> None:
        _check_once(plan, where, [((*key, at), name, region_key(name)) for at, name in enumerate(names)])

    once(("regions", "list"), "[regions] list", plan.regions.names)
    merges = [(("regions", "merge", name), name, region_key(name)) for name in plan.regions.merge]
    _check_once(plan, "[regions.merge]", merges)
    for merged, parts in plan.regions.merge.items():
        key = ("regions", "merge", merged)
        if not parts:
            raise fault(plan, key, f"[regions.merge] {merged} is made of nothing; list the regions to merge")
        once(key, f"[regions.merge] {merged}", parts)


def _check_conditions(plan: StudyPlan) -> None:
    known = [condition.name for condition in plan.conditions]
    for index, session in enumerate(plan.sessions):
        if known and session.condition is not None and session.condition not in known:
            how = f"session {session.label!r} is of condition {session.condition!r}, which has no [[condition]]"
            raise fault(plan, ("session", index, "condition"), f"{how}; {nearest(session.condition, known)}")


def _check_primary(plan: StudyPlan) -> None:
    primary = plan.primary
    if primary is None:
        return

    def at(key: str, message: str) -> PlanError:
        return fault(plan, ("primary", key), f"[primary] {message}")

    tracer = plan.tracer(primary.tracer)
    if tracer is None:
        known = [tracer.name for tracer in plan.tracers]
        raise at("tracer", f"tracer {primary.tracer!r} has no [[tracer]]; {nearest(primary.tracer, known)}")
    contrast = next((contrast for contrast in plan.contrasts if contrast.name == primary.contrast), None)
    if contrast is None:
        known = [contrast.name for contrast in plan.contrasts]
        raise at("contrast", f"contrast {primary.contrast!r} has no [[contrast]]; {nearest(primary.contrast, known)}")
    whose = f"its contrast {contrast.name!r} is of"
    if tracer.name not in tracers_of(contrast):
        raise at("tracer", f"tracer is {tracer.name!r}, but {whose} {contrast.tracer!r}; make them agree")
    if contrast.parameter != primary.parameter:
        raise at("parameter", f"parameter is {primary.parameter}, but {whose} {contrast.parameter}; make them agree")
    if is_lassen(contrast):
        if primary.region != ALL:
            how = f"region is {primary.region!r}, but {whose} all regions, of which a Lassen plot gives one occupancy"
            raise at("region", f'{how}; write region = "{ALL}"')
        return
    listed = plan.regions.names
    if listed and region_key(primary.region) not in {region_key(name) for name in listed}:
        raise at("region", f"region {primary.region!r} is not in [regions] list; {nearest(primary.region, listed)}")


def _check_order(plan: StudyPlan) -> None:
    names = [contrast.name for contrast in plan.contrasts]
    order, key = plan.multiplicity.order, ("multiplicity", "order")
    for at, name in enumerate(order):
        if name not in names:
            how = f"[multiplicity] order names {name!r}, which has no [[contrast]]; {nearest(name, names)}"
            raise fault(plan, (*key, at), how)
    _check_once(plan, "[multiplicity] order", [((*key, at), name, name) for at, name in enumerate(order)])
    if order and plan.primary is not None and order[0] != plan.primary.contrast:
        how = f"[multiplicity] order begins with {order[0]!r}, but the primary contrast is {plan.primary.contrast!r}"
        raise fault(plan, (*key, 0), f"{how}; put that first")
