"""What a contrast of a plan may not say, whatever the data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from raphe.errors import PlanError, nearest
from raphe.kinetics.registry import model_type
from raphe.nomenclature import region_key
from raphe.pharmacology.lassen import LEAST
from raphe.pipeline.plan_schema import ContrastSection, StudyPlan
from raphe.pipeline.toml_lines import Key

COMMON = ("name", "kind", "tracer", "parameter", "model", "regions", "adjust")
ADJUSTED = ("covariates", "missing")
TESTED = ("test", "seed", "margin")
DOSE = ("exposure", "exposure_unit", "exposure_kind", "E_max", "hill", "missing")
BESIDES = ("weights", "bootstrap", "prior")


class Keys(NamedTuple):
    """Keys of one kind of contrast besides those of all."""

    needed: tuple[str, ...]
    allowed: tuple[str, ...]


KEYS: Mapping[str, Keys] = {
    "paired": Keys(("terms",), ("arm", "scale", "flow_margin", *ADJUSTED, *TESTED, *BESIDES)),
    "groups": Keys(("terms", "sessions"), ("scale", "blocks", "flow_margin", *ADJUSTED, *TESTED, *BESIDES)),
    "ancova": Keys(("terms", "sessions"), ("scale", "blocks", "flow_margin", *ADJUSTED, *TESTED, *BESIDES)),
    "interaction": Keys(("terms", "by", "levels"), ("arm", "scale", "flow_margin", *ADJUSTED, *TESTED, *BESIDES)),
    "mixed": Keys(("terms",), ("levels", "arm", "scale", "covariance", "df", "margin", "prior", *ADJUSTED)),
    "correlation": Keys(
        ("x", "score"), ("score_sessions", "method", "arm", "scale", *ADJUSTED, "test", "seed", "bootstrap")
    ),
    "occupancy": Keys(("terms",), ("arm", "prior", "noise", *DOSE)),
    "displacement": Keys(("terms",), ("arm", "design", "theta0", "theta0_range")),
}

NUMBERS: Mapping[tuple[str, str], tuple[tuple[int, ...], str]] = {
    ("paired", "terms"): ((2,), "two session labels, first the earlier"),
    ("groups", "terms"): ((2,), "two arms, first that which is subtracted"),
    ("groups", "sessions"): ((1, 2), "one session label for its value, or two for the change"),
    ("ancova", "terms"): ((2,), "two arms, first that which is subtracted"),
    ("ancova", "sessions"): ((2,), "two session labels, the baseline and that after"),
    ("interaction", "terms"): ((2,), "two session labels, first the earlier"),
    ("interaction", "levels"): ((2,), "two tracers or arms, first that which is subtracted"),
    ("mixed", "levels"): ((0, 2), "two arms, first that which is subtracted"),
    ("correlation", "x"): ((1, 2), "one session label for its value, or two for the change"),
    ("correlation", "score_sessions"): ((0, 1, 2), "one visit, or two for the change"),
    ("occupancy", "terms"): ((2,), "two session labels, the baseline and that under the drug"),
    ("displacement", "terms"): ((2, 4), "two session labels, baseline and drug, or four with a design"),
}
"""How many entries a list has, and what they are."""


class Named(NamedTuple):
    """Names in a contrast that must be of something: where, and of what."""

    key: str
    names: tuple[str, ...]
    section: str


def fault(plan: StudyPlan, key: Key, message: str) -> PlanError:
    """Error with the file and the line of a key."""
    return PlanError(f"{plan.path}, line {plan.line(*key)}: {message}")


def tracers_of(contrast: ContrastSection) -> tuple[str, ...]:
    """Tracers that a contrast is of, as the plan spells them."""
    return contrast.levels if contrast.by == "tracer" else (contrast.tracer,)


def sessions_of(contrast: ContrastSection) -> tuple[str, ...]:
    """Sessions whose scans a contrast is of."""
    if contrast.kind == "correlation":
        return contrast.x
    return contrast.sessions if contrast.kind in ("groups", "ancova") else contrast.terms


def is_lassen(contrast: ContrastSection) -> bool:
    """Whether a contrast is an occupancy by the Lassen plot, which has one answer for all regions."""
    return contrast.kind == "occupancy" and contrast.parameter == "V_T"


def arms_of(contrast: ContrastSection) -> tuple[str, ...]:
    """Arms that a contrast compares; empty where it compares none."""
    if contrast.kind in ("groups", "ancova"):
        return contrast.terms
    if contrast.kind == "mixed" or contrast.by == "arm":
        return contrast.levels
    return ()


def check_contrasts(plan: StudyPlan) -> None:
    """Refuse contrasts that lack what their kind needs, have what it does not read, or name what the plan lacks.

    Raises
    ------
    PlanError
    """
    for index, contrast in enumerate(plan.contrasts):
        _check_keys(plan, index, contrast)
        _check_numbers(plan, index, contrast)
        for named in _named(contrast):
            _check_named(plan, index, contrast, named)
        _check_regions(plan, index, contrast)
        for tracer in tracers_of(contrast):
            _check_tracer(plan, index, contrast, tracer)
        _check_combination(plan, index, contrast)


def _check_keys(plan: StudyPlan, index: int, contrast: ContrastSection) -> None:
    keys, who = KEYS[contrast.kind], f"contrast {contrast.name!r}"
    for key in keys.needed:
        if key not in contrast.model_fields_set:
            expected = NUMBERS.get((contrast.kind, key), ((), ""))[1]
            how = f"{who} is {_a(contrast.kind)}, which lacks the key {key!r}; add it"
            raise fault(plan, ("contrast", index), how + (f": {expected}" if expected else ""))
    known = (*COMMON, *keys.needed, *keys.allowed)
    for key in sorted(contrast.model_fields_set - set(known), key=lambda key: plan.line("contrast", index, key)):
        how = f"{who} is {_a(contrast.kind)}, which has no key {key!r}; leave it out (there are {', '.join(known)})"
        raise fault(plan, ("contrast", index, key), how)


def _a(kind: str) -> str:
    return f"a{'n' if kind[0] in 'aio' else ''} {kind} contrast"


def _check_numbers(plan: StudyPlan, index: int, contrast: ContrastSection) -> None:
    for (kind, key), (numbers, what) in NUMBERS.items():
        found = getattr(contrast, key)
        if kind == contrast.kind and len(found) not in numbers:
            how = f"contrast {contrast.name!r}: {key} has {len(found)} term(s); {_a(kind)} has {what}"
            raise fault(plan, ("contrast", index, key), how)
    if contrast.kind == "mixed" and len(contrast.terms) < 2:
        how = f"contrast {contrast.name!r}: terms has {len(contrast.terms)} term(s); a mixed contrast has two session"
        raise fault(plan, ("contrast", index, "terms"), how + " labels or more, in the order of time")
    for key in ("terms", "sessions", "levels", "x", "score_sessions", "covariates"):
        names = getattr(contrast, key)
        for at, name in enumerate(names):
            if name in names[:at]:
                how = f"contrast {contrast.name!r}: {key} compares {name!r} with itself; name different ones"
                if key == "terms" and contrast.kind == "paired":
                    how = f"contrast {contrast.name!r} compares session {name!r} with itself; terms needs two different"
                    how += " sessions"
                elif key == "covariates":
                    how = f"contrast {contrast.name!r}: covariates has {name!r} twice; keep one"
                raise fault(plan, ("contrast", index, key), how)


def _named(contrast: ContrastSection) -> Iterator[Named]:
    if contrast.kind in ("groups", "ancova"):
        yield Named("terms", contrast.terms, "arm")
    else:
        yield Named("terms", contrast.terms, "session")
    yield Named("sessions", contrast.sessions, "session")
    yield Named("x", contrast.x, "session")
    if arms_of(contrast) == contrast.levels:
        yield Named("levels", contrast.levels, "arm")
    if contrast.arm is not None:
        yield Named("arm", (contrast.arm,), "arm")


def _check_named(plan: StudyPlan, index: int, contrast: ContrastSection, named: Named) -> None:
    who = f"contrast {contrast.name!r}"
    sessions = [session.label for session in plan.sessions]
    known: Sequence[str] = sessions if named.section == "session" else [arm.name for arm in plan.arms]
    for at, name in enumerate(named.names):
        if named.section == "session" and not known:
            return  # they are left to the data
        if name not in known:
            hint = nearest(name, known) if known else f"add one with name = {name!r}, and one for every other arm"
            if named.section == "arm" and name in sessions:
                hint += "; sessions stand in the key sessions"
            how = f"{who} names {named.section} {name!r}, which has no [[{named.section}]]; {hint}"
            raise fault(plan, ("contrast", index, named.key, at), how)


def _check_regions(plan: StudyPlan, index: int, contrast: ContrastSection) -> None:
    listed = {region_key(name) for name in plan.regions.names}
    seen = set()
    for at, name in enumerate(contrast.regions):
        key = ("contrast", index, "regions", at)
        if listed and region_key(name) not in listed:
            how = f"contrast {contrast.name!r}: region {name!r} is not in [regions] list"
            raise fault(plan, key, f"{how}; {nearest(name, plan.regions.names)}")
        if region_key(name) in seen:
            raise fault(plan, key, f"contrast {contrast.name!r}: region {name!r} stands twice; keep one")
        seen.add(region_key(name))


def _check_tracer(plan: StudyPlan, index: int, contrast: ContrastSection, name: str) -> None:
    who, names = f"contrast {contrast.name!r}", [tracer.name for tracer in plan.tracers]
    key = "levels" if contrast.by == "tracer" else "tracer"
    if not name:
        how = f"{who} does not say of which tracer; add tracer = one of {', '.join(names)}"
        raise fault(plan, ("contrast", index), how)
    tracer = plan.tracer(name)
    if tracer is None:
        how = f"{who} is of tracer {name!r}, which has no [[tracer]]; {nearest(name, names)}"
        raise fault(plan, ("contrast", index, key), how)
    if contrast.model and tracer.models and contrast.model[0] not in tracer.models:
        how = f"{who} is of model {contrast.model[0]}, but {tracer.name} is analysed by {', '.join(tracer.models)}"
        raise fault(plan, ("contrast", index, "model"), f"{how}; name one of these, or add it to the tracer's")
    models = contrast.model or tracer.models
    gives = dict.fromkeys(name for model in models for name in model_type(model).parameters)
    if models and contrast.parameter not in gives:
        how = (
            f"{who} is of {contrast.parameter}, but {', '.join(models)}, the model of {tracer.name}, gives "
            f"{', '.join(gives)}; name one of these, or another model"
        )
        raise fault(plan, ("contrast", index, "parameter"), how)


def _check_combination(plan: StudyPlan, index: int, contrast: ContrastSection) -> None:
    """Refuse keys that are known but do not go together."""

    def refuse(key: str, what: str) -> PlanError:
        return fault(plan, ("contrast", index, key), f"contrast {contrast.name!r}: {what}")

    if contrast.by == "tracer" and contrast.tracer not in contrast.levels:
        raise refuse("tracer", f"its tracers are {' and '.join(contrast.levels)}; leave tracer out")
    if contrast.arm is not None and arms_of(contrast):
        raise refuse("arm", f"it compares arms, so it cannot be of {contrast.arm!r} alone; leave arm out")
    if contrast.kind == "mixed" and len(plan.arms) > 1 and not contrast.levels and contrast.arm is None:
        arms = ", ".join(arm.name for arm in plan.arms)
        how = f"the plan has arms ({arms}); add levels = two of them, second minus first, or arm = one of them"
        raise refuse("terms", how)
    if contrast.kind == "mixed" and contrast.scale == "percent":
        raise refuse("scale", 'a mixed model has no scale "percent"; use "difference" or "log"')
    if contrast.kind == "correlation" and contrast.method == "skipped" and contrast.covariates:
        raise refuse("covariates", "a skipped correlation has no covariates; use pearson or spearman")
    if contrast.kind == "correlation" and len(contrast.x) == 1 and contrast.scale != "difference":
        raise refuse("scale", "the scale is that of a change, but x is one session; leave scale out")
    if contrast.kind == "groups" and len(contrast.sessions) == 1 and contrast.scale != "difference":
        raise refuse("scale", "the scale is that of a change, but sessions has one; leave scale out")
    if contrast.kind == "occupancy" and contrast.parameter not in LEAST:
        how = "leave parameter out, or take V_T, of which the Lassen plot gives one occupancy of all regions"
        raise refuse("parameter", f"occupancy is found from BP_ND or V_T, not from {contrast.parameter}; {how}")
    if contrast.kind == "correlation" and contrast.method == "skipped" and contrast.bootstrap is not None:
        raise refuse("bootstrap", "a skipped correlation has a bootstrap interval already; leave bootstrap out")
    permuted = contrast.test == "permutation" or contrast.adjust == "maxt"
    if contrast.blocks is not None and not permuted:
        raise refuse("blocks", 'blocks are of a permutation test; add test = "permutation", or leave blocks out')
    for key, word in (("test", "permutation"), ("adjust", "maxt")):
        if getattr(contrast, key) == word and (why := _no_permutation(contrast)):
            raise refuse(key, f'{key} = "{word}" needs a permutation test, but {why}')


def _no_permutation(contrast: ContrastSection) -> str:
    """Why a contrast has no permutation test; empty if it has one."""
    if contrast.kind in ("mixed", "occupancy", "displacement"):
        return f"{_a(contrast.kind)} has none"
    if contrast.method == "skipped" and contrast.kind == "correlation":
        return "a skipped correlation has one of its own already"
    if contrast.weights == "se":
        return 'people weighted by their errors have none; leave weights out, or take test = "t" and another adjust'
    if contrast.covariates and contrast.kind != "ancova":
        return 'covariates allow one only in kind = "ancova"'
    return ""
