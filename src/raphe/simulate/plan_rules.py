"""What a plan of a simulated study may not say."""

from __future__ import annotations

from raphe import catalog
from raphe.catalog import Quantity, Tracer
from raphe.catalog.schema import ASSUMPTION, Sourced
from raphe.errors import ModelError, PlanError, nearest
from raphe.kinetics.registry import model_type
from raphe.nomenclature import region_key
from raphe.simulate.dose_rules import check_treatment, sources
from raphe.simulate.plan import SimulationPlan
from raphe.simulate.plan_names import check_all_known, check_known


def check_rules(plan: SimulationPlan, name: str) -> None:
    """Refuse a plan that contradicts itself or names what the catalog does not know.

    Parameters
    ----------
    plan : SimulationPlan
    name : str
        What messages call the plan.

    Raises
    ------
    PlanError
    """
    try:
        _check_names(plan)
        for section in plan.tracers:
            _check_tracer(plan, section.name, section.schedule, section.model)
        _check_arms(plan)
        _check_effects(plan)
        check_treatment(plan)
        _check_numbers(plan)
        _check_images(plan)
        _check_blood(plan)
        _check_analysis(plan)
    except PlanError as error:
        raise PlanError(f"{name}: {error}") from None


def _check_blood(plan: SimulationPlan) -> None:
    for section in plan.tracers:
        if section.k4 is not None and section.k4.value <= 0:
            raise PlanError(f"tracer {section.name}, k4 = {section.k4.value:g}: a rate constant is positive, in 1/min")
    if plan.blood is not None:
        percent, share = plan.blood.percent.value, plan.blood.V_B.value
        if percent < 0:
            raise PlanError(f"[blood] percent = {percent:g}: noise is not negative; 0 is none")
        if not 0 <= share < 1:
            raise PlanError(f"[blood] V_B = {share:g}: a share of blood is at least 0 and less than 1")


def _check_images(plan: SimulationPlan) -> None:
    if plan.scanner is not None:
        known = [entry.name for entry in catalog.protocols()]
        if plan.scanner.protocol.lower() not in [name.lower() for name in known]:
            check_known("[scanner] protocol", plan.scanner.protocol, known)
        fwhm = plan.scanner.fwhm
        if fwhm is not None and fwhm.value < 0:
            raise PlanError(f"[scanner] fwhm = {fwhm.value:g}: a resolution is not negative; 0 is none")
    if plan.motion is not None and plan.motion.amount.value < 0:
        amount = plan.motion.amount.value
        raise PlanError(f"[motion] amount = {amount:g}: how much heads move is not negative; 0 is none, 1 the usual")


def _check_names(plan: SimulationPlan) -> None:
    check_known("[study] species", plan.study.species, [entry.name for entry in catalog.all_species()])
    for where, names in (
        ("[[tracer]]", [section.name for section in plan.tracers]),
        ("[[condition]]", [section.name for section in plan.conditions]),
        ("[[session]]", [section.label for section in plan.sessions]),
        ("[[arm]]", [section.name for section in plan.arms]),
        ("[[contrast]]", [section.name for section in plan.contrasts]),
        ("[regions] list", [region_key(name)[0] for name in plan.regions.names]),
    ):
        twice = next((entry for entry in names if names.count(entry) > 1), None)
        if twice is not None:
            raise PlanError(f"{where}: {twice!r} stands twice; keep one of them, or rename it")
    for session in plan.sessions:
        if session.condition is not None:
            check_known(f"session {session.label!r}, condition", session.condition, [c.name for c in plan.conditions])


def _check_tracer(plan: SimulationPlan, name: str, schedule: str, model: str | None) -> None:
    tracer = catalog.find_tracer(name)
    known = [entry.name for entry in catalog.tracers()]
    if tracer is None or tracer.name != name:
        raise PlanError(f"[[tracer]] name = {name!r}: the catalog has no tracer of that name; {nearest(name, known)}")
    check_known(f"tracer {name}, schedule", schedule, [entry.name for entry in tracer.schedule])
    check_known(f"tracer {name}: species", plan.study.species, list(tracer.species))
    if model is not None:
        try:
            model_type(model)
        except ModelError as error:
            raise PlanError(f"tracer {name}: {error}") from None
    _check_regions(plan, tracer)


def _check_regions(plan: SimulationPlan, tracer: Tracer) -> None:
    species = catalog.species(plan.study.species)
    bound = {entry.name for entry in tracer.species[species.name].region}
    sized = {entry.name for entry in species.region}
    for name in plan.regions.names:
        if name not in bound & sized:
            raise PlanError(
                f"[regions] list: the catalog does not have the region {name!r} for {tracer.name} in the "
                f"{species.name}; {nearest(name, sorted(bound & sized), most=20)}"
            )


def _check_arms(plan: SimulationPlan) -> None:
    block = sum(arm.allocation for arm in plan.arms)
    if block and plan.study.participants % block:
        ratio = " : ".join(str(arm.allocation) for arm in plan.arms)
        raise PlanError(
            f"[[arm]] allocation {ratio} does not add up: {plan.study.participants} participants cannot be divided so; "
            f"[study] participants must be a multiple of {block}"
        )


def _check_effects(plan: SimulationPlan) -> None:
    for number, effect in enumerate(plan.effects, 1):
        where = f"[[effect]] {number}"
        check_known(f"{where}, tracer", effect.tracer, [section.name for section in plan.tracers])
        for key, value, known in (
            ("session", effect.session, [section.label for section in plan.sessions]),
            ("condition", effect.condition, [section.name for section in plan.conditions]),
            ("arm", effect.arm, [section.name for section in plan.arms]),
        ):
            if value is not None:
                check_known(f"{where}, {key}", value, known)
        check_all_known(f"{where}, regions", effect.regions, plan.regions.names)
        if effect.percent.value <= -100:
            raise PlanError(f"{where}, percent = {effect.percent.value:g}: binding cannot fall by 100 % or more")
    for number, section in enumerate(plan.test_retest, 1):
        where = f"[[test_retest]] {number}"
        check_known(f"{where}, tracer", section.tracer, [tracer.name for tracer in plan.tracers])
        check_all_known(f"{where}, regions", section.regions, plan.regions.names)


def _check_numbers(plan: SimulationPlan) -> None:
    numbers: list[tuple[str, Quantity, float]] = [
        ("[noise] percent", plan.noise.percent, 1000.0),
        ("[variability] between", plan.variability.between, 1.0),
        ("[variability] within", plan.variability.within, 1.0),
    ]
    numbers += [(f"[[test_retest]] {i}, percent", s.percent, 100.0) for i, s in enumerate(plan.test_retest, 1)]
    for where, number, most in numbers:
        if not 0 <= number.value <= most:
            raise PlanError(f"{where} = {number.value:g}: it must lie between 0 and {most:g}")
    found: list[tuple[str, Sourced]] = [(where, number) for where, number, _ in numbers]
    found += [(f"[[effect]] {i}, percent", effect.percent) for i, effect in enumerate(plan.effects, 1)]
    found += sources(plan)
    for where, entry in found:
        if entry.status != ASSUMPTION:
            check_known(f"{where}, source", entry.source, list(catalog.references()))


def _check_analysis(plan: SimulationPlan) -> None:
    tracers = [section.name for section in plan.tracers]
    sessions, arms = [section.label for section in plan.sessions], [section.name for section in plan.arms]
    for number, contrast in enumerate(plan.contrasts, 1):
        where = f"contrast {contrast.name!r}"
        if contrast.tracer is not None:
            check_known(f"{where}, tracer", contrast.tracer, tracers)
        of_arms = contrast.kind in ("groups", "ancova")
        check_all_known(f"{where}, terms", contrast.terms, arms if of_arms else sessions)
        check_all_known(f"{where}, sessions", contrast.sessions, sessions)
        check_all_known(f"{where}, x", contrast.x, sessions)
        check_all_known(f"{where}, levels", contrast.levels, tracers if contrast.by == "tracer" else arms)
        check_all_known(f"{where}, arm", () if contrast.arm is None else (contrast.arm,), arms)
        check_all_known(f"{where}, regions", contrast.regions, plan.regions.names)
        if contrast.kind != "correlation" and len(contrast.terms) < 2:
            raise PlanError(f"[contrast] {number}, terms = {list(contrast.terms)}: there must be two or more")
        if len(set(contrast.terms)) < len(contrast.terms):
            raise PlanError(f"{where} compares session {contrast.terms[0]!r} with itself")
    if plan.multiplicity is not None:
        names = [contrast.name for contrast in plan.contrasts]
        check_all_known("[multiplicity] order", plan.multiplicity.order, names)
    if plan.primary is not None:
        check_known("[primary] tracer", plan.primary.tracer, tracers)
        check_known("[primary] contrast", plan.primary.contrast, [contrast.name for contrast in plan.contrasts])
        check_all_known("[primary] region", [plan.primary.region], plan.regions.names)
