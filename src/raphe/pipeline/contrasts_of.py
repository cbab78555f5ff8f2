"""The contrasts of a plan, made of estimates and of what is known of the participants."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from raphe.data.estimates import Estimates
from raphe.data.people import People
from raphe.data.record import Step
from raphe.data.results import Contrast, ContrastRow
from raphe.errors import InputError, nearest
from raphe.nomenclature import region_key
from raphe.pipeline import displacement_of, lassen_of
from raphe.pipeline.contrast_kinds import EVERY_KIND
from raphe.pipeline.contrast_rules import is_lassen, tracers_of
from raphe.pipeline.plan_schema import ContrastSection, StudyPlan, same_tracer
from raphe.stats.bayes import Prior
from raphe.stats.contrasts.gates import LEVEL, in_order
from raphe.stats.contrasts.question import Material, Question
from raphe.stats.contrasts.registry import Kind, contrast_of


class Analysed(NamedTuple):
    """A parameter of a tracer by a model, as the data have their names."""

    tracer: str
    model: str
    parameter: str


def analysed_of(estimates: Estimates) -> tuple[Analysed, ...]:
    """Every parameter of every tracer by every model, in the order of the estimates."""
    return tuple(dict.fromkeys(Analysed(row.tracer, row.model, row.parameter) for row in estimates.rows))


class Made(NamedTuple):
    """Contrasts in the order in which they are told, their steps, and why others could not be made."""

    contrasts: tuple[Contrast, ...]
    steps: tuple[Step, ...]
    unmade: tuple[str, ...]
    untested: tuple[str, ...] = ()
    """Why the primary region, or no region at all, of a contrast that could be made can be tested."""
    primary_unmade: str = ""
    """Why the primary contrast could not be made; empty where it was, or the plan names none."""


def contrasts_of(
    plan: StudyPlan,
    estimates: Estimates,
    people: People,
    aside: Mapping[str, Mapping[tuple[str, str], str]],
) -> Made:
    """Make the contrasts of a plan.

    The primary one comes first, then those that compare arms, then those that do not, each in the plan's order: a
    change within an arm is not to be read before the comparison that is controlled.

    Parameters
    ----------
    plan : StudyPlan
    estimates : Estimates
    people : People
    aside : mapping of str to mapping of (str, str) to str
        By the key of a tracer (:func:`raphe.pipeline.plan_schema.same_tracer`): scans that a person has excluded.
    """
    material = material_of(plan, estimates, people, aside)
    made, unmade, primary_unmade, analysed = [], [], "", analysed_of(estimates)
    for contrast in plan.contrasts:
        try:
            made.append(contrast_of(question_of(plan, contrast, analysed), material, _kinds(contrast)))
        except InputError as error:
            primary = ""
            if plan.primary and plan.primary.contrast == contrast.name:
                primary, primary_unmade = "the primary ", str(error)
            unmade.append(f"{primary}contrast {contrast.name!r} cannot be made: {error}")
    made.sort(key=lambda one: (not one[0].primary, not one[0].controlled))
    region = plan.primary.region if plan.primary else ""
    contrasts, named = [contrast for contrast, _ in made], plan.primary is not None
    ordered = in_order(contrasts, plan.multiplicity.order, region, primary=named)
    steps = tuple(
        replace(step, parameters={**step.parameters, "status": one.status})
        for one, (_, step) in zip(ordered, made, strict=True)
    )
    tests = (_tests(plan, len(steps)),) if steps else ()
    return Made(ordered, (*tests, *steps), tuple(unmade), tuple(_untested(ordered, region)), primary_unmade)


def _tests(plan: StudyPlan, n_contrasts: int) -> Step:
    """What holds for the tests of all contrasts."""
    return Step(
        "tests",
        {
            "level": round(LEVEL, 12),
            "primary_contrast": plan.primary.contrast if plan.primary else None,
            "primary_region": plan.primary.region if plan.primary else None,
            "order": plan.multiplicity.order,
            "n_contrasts": n_contrasts,
        },
    )


def _kinds(contrast: ContrastSection) -> Mapping[str, Kind]:
    """Kinds of contrast, as the keys of this one have them."""
    kinds = {**EVERY_KIND, "displacement": displacement_of.kind_of(contrast.design)}
    return {**kinds, "occupancy": lassen_of.kind_of(contrast.noise)} if is_lassen(contrast) else kinds


def _untested(contrasts: Sequence[Contrast], region: str) -> Iterator[str]:
    """Yield why the primary region has no test, where its contrast was made, and why others have none at all."""
    for contrast in contrasts:
        asked = [row for row in contrast.rows if not row.secondary]
        if not contrast.primary:
            yield from _untested_everywhere(contrast, asked)
            continue
        rows = [row for row in asked if region_key(row.pairs.region) == region_key(region)]
        where = f"the primary contrast {contrast.name!r} cannot be tested in the primary region {region!r}"
        if not rows:
            regions = [row.pairs.region for row in asked]
            yield f"{where}: it is not among its regions; {nearest(region, regions)}"
        for row in rows:
            if not math.isfinite(row.p):
                yield f"{where}: {row.why or 'too few data'}"


def _untested_everywhere(contrast: Contrast, rows: Sequence[ContrastRow]) -> Iterator[str]:
    """Yield why a contrast cannot be tested in any region; each reason with its regions, where there are several."""
    if not rows or any(math.isfinite(row.p) for row in rows):
        return
    regions: dict[str, list[str]] = {}
    for row in rows:
        regions.setdefault(row.why or "too few data", []).append(row.pairs.region)
    told = [f"{why} ({', '.join(where)})" if len(regions) > 1 else why for why, where in regions.items()]
    where = f"any of its {len(rows)} regions" if len(rows) > 1 else f"region {rows[0].pairs.region!r}"
    yield f"contrast {contrast.name!r} cannot be tested in {where}: {'; '.join(told)}"


def material_of(
    plan: StudyPlan, estimates: Estimates, people: People, aside: Mapping[str, Mapping[tuple[str, str], str]]
) -> Material:
    """What the contrasts of a plan are made of; parameters as for :func:`contrasts_of`."""
    return Material(estimates, people, {name: aside.get(same_tracer(name), {}) for name in _tracers(plan, estimates)})


def question_of(plan: StudyPlan, contrast: ContrastSection, analysed: Sequence[Analysed]) -> Question:
    """What a contrast of the plan asks, with tracers and models as the data have them."""
    sources = tuple(_source(contrast, tracer, analysed) for tracer in tracers_of(contrast))
    return Question(
        contrast.name,
        " and ".join(tracer for tracer, _ in sources),
        " and ".join(dict.fromkeys(model for _, model in sources)),
        contrast.parameter,
        contrast.kind,
        terms=contrast.terms,
        sessions=contrast.sessions,
        regions=contrast.regions or plan.regions.names,
        arm=contrast.arm or "",
        arms=tuple(arm.name for arm in plan.arms),
        by=contrast.by or "",
        levels=tuple(name for name, _ in sources) if contrast.by == "tracer" else contrast.levels,
        sources=sources if len(sources) > 1 else (),
        adjust=contrast.adjust,
        scale=contrast.scale,
        test=contrast.test,
        seed=contrast.seed,
        covariates=contrast.covariates,
        missing=contrast.missing,
        covariance=contrast.covariance,
        df=contrast.df,
        x=contrast.x,
        score=contrast.score or "",
        score_sessions=contrast.score_sessions,
        method=contrast.method,
        margin=contrast.margin,
        weights=contrast.weights,
        bootstrap=contrast.bootstrap,
        prior=_prior(contrast),
        blocks=contrast.blocks or "",
        primary=plan.primary is not None and contrast.name == plan.primary.contrast,
    )


def _prior(contrast: ContrastSection) -> Prior | None:
    given = contrast.prior
    return None if given is None else Prior(given.location, given.scale, math.inf if given.df is None else given.df)


def _tracers(plan: StudyPlan, estimates: Estimates) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*estimates.distinct("tracer"), *(tracer.name for tracer in plan.tracers))))


def _source(contrast: ContrastSection, tracer: str, analysed: Sequence[Analysed]) -> tuple[str, str]:
    """Tracer as the data name it, and the model: that of the contrast, else the first with the parameter."""
    name = next((one.tracer for one in analysed if same_tracer(one.tracer) == same_tracer(tracer)), tracer)
    models = (one.model for one in analysed if (one.tracer, one.parameter) == (name, contrast.parameter))
    return name, contrast.model[0] if contrast.model else next(models, "")
