"""What a plan of a simulated study may not say of doses, the mechanism, ratings and who leaves."""

from __future__ import annotations

from collections.abc import Iterator

from raphe import catalog
from raphe.catalog.schema import Sourced
from raphe.errors import PlanError
from raphe.simulate.constants import drugs, mechanism_file
from raphe.simulate.mechanism import RECEPTOR, TRANSPORTER
from raphe.simulate.plan import DoseSection, MechanismSection, SessionSection, SimulationPlan, Window
from raphe.simulate.plan_names import check_known
from raphe.simulate.treatment import mechanism_of, symptoms_of

MOST_DOSE = 100.0
"""mg/kg of one dose: far above what anybody is given of these drugs, so that another unit was meant; an assumption."""

MOST_MINUTES = 7 * 24 * 60.0
"""Duration of an infusion: a week; an assumption."""

MOST_HOURS = 10 * 365 * 24.0
"""From the beginning of a study's clock: ten years; an assumption."""


def check_treatment(plan: SimulationPlan) -> None:
    """Refuse doses, ratings and drop-out that contradict the plan.

    Raises
    ------
    PlanError
    """
    for number, dose in enumerate(plan.doses, 1):
        _check_dose(plan, f"[[dose]] {number}", dose)
    _check_hours(plan)
    _check_mechanism(plan)
    _check_visits(plan)
    _check_symptoms(plan)
    if plan.dropout is not None:
        check_known("[dropout] before", plan.dropout.before, [visit.label for visit in plan.visits])


def sources(plan: SimulationPlan) -> Iterator[tuple[str, Sourced]]:
    """Everything in these sections that has a source, and where it stands."""
    for number, dose in enumerate(plan.doses, 1):
        for key in ("mg_per_kg", "minutes", "hours", "every"):
            value = getattr(dose, key)
            if value is not None:
                yield f"[[dose]] {number}, {key}", value
    for name, constant in plan.mechanism.constants.items():
        yield f"[mechanism.constants] {name}", constant
    for name, constant in (plan.symptoms.constants if plan.symptoms else {}).items():
        yield f"[symptoms.constants] {name}", constant
    for session in plan.sessions:
        if session.hours is not None:
            yield f"session {session.label!r}, hours", session.hours
    for visit in plan.visits:
        if visit.hours is not None:
            yield f"visit {visit.label!r}, hours", visit.hours
    if plan.dropout is not None:
        yield "[dropout]", plan.dropout


def _check_dose(plan: SimulationPlan, where: str, dose: DoseSection) -> None:
    check_known(f"{where}, drug", dose.drug, drugs())
    for key, value, known in (
        ("session", dose.session, [section.label for section in plan.sessions]),
        ("condition", dose.condition, [section.name for section in plan.conditions]),
        ("arm", dose.arm, [section.name for section in plan.arms]),
    ):
        if value is not None:
            check_known(f"{where}, {key}", value, known)
    if dose.mg_per_kg.value < 0:
        raise PlanError(f"{where}, mg_per_kg = {dose.mg_per_kg.value:g}: a dose cannot be negative; 0 is saline")
    if dose.minutes.value <= 0:
        raise PlanError(f"{where}, minutes = {dose.minutes.value:g}: an infusion takes time; give 1 for a bolus")
    for key, number, most, unit in (
        ("mg_per_kg", dose.mg_per_kg.value, MOST_DOSE, "mg for each kg of body weight"),
        ("minutes", dose.minutes.value, MOST_MINUTES, "min"),
    ):
        if number > most:
            raise PlanError(f"{where}, {key} = {number:g}: it must be {most:g} at most; the unit is {unit}")
    if dose.repeat > 1 and (dose.every is None or dose.every.value <= 0):
        raise PlanError(f"{where}, repeat = {dose.repeat}: say with every how many hours (more than 0) lie between")
    if dose.repeat == 1 and dose.every is not None:
        raise PlanError(
            f"{where}, every = {dose.every.value:g}: the dose is not repeated; give repeat, or leave it out"
        )
    meant = [section for section in plan.sessions if _concerns(dose, section)]
    for section in meant:
        if section.hours is None:
            raise PlanError(
                f"session {section.label!r} has no hours, which {where} needs to know how long after it the scan is; "
                "give hours = { low = ..., high = ..., source = ... }"
            )
    windows = [section.hours for section in meant if section.hours is not None]
    if dose.session is not None and windows and dose.hours.value >= windows[0].high + 1:
        raise PlanError(
            f"{where}, hours = {dose.hours.value:g}: it begins after session {dose.session!r}, which is at "
            f"{windows[0].low:g} to {windows[0].high:g} h"
        )
    if not meant and plan.symptoms is None:
        raise PlanError(f"{where}: no session has its session and condition; name one that has")


def _check_hours(plan: SimulationPlan) -> None:
    """Refuse times that no study lasts for."""
    times = [(f"[[dose]] {at}, hours", dose.hours.value) for at, dose in enumerate(plan.doses, 1)]
    for at, dose in enumerate(plan.doses, 1):
        if dose.every is not None:
            times.append((f"[[dose]] {at}, every", dose.every.value * (dose.repeat - 1)))
    for where, window in (
        *((f"session {one.label!r}, hours", one.hours) for one in plan.sessions),
        *((f"visit {one.label!r}, hours", one.hours) for one in plan.visits),
    ):
        times += [] if window is None else [(where, window.low), (where, window.high)]
    for where, hours in times:
        if abs(hours) > MOST_HOURS:
            raise PlanError(f"{where}: {hours:g} h is more than ten years; the unit is hours")


def _concerns(dose: DoseSection, session: SessionSection) -> bool:
    return dose.session in (None, session.label) and dose.condition in (None, session.condition)


def _check_mechanism(plan: SimulationPlan) -> None:
    if not plan.doses:
        if plan.mechanism != MechanismSection():
            raise PlanError("[mechanism]: no [[dose]] sets it going; add one, or leave the section out")
        return
    known = mechanism_file()
    if plan.study.species not in known.species:
        raise PlanError(
            f"[study] species = {plan.study.species!r}: the mechanism says nothing of it, only of "
            f"{', '.join(known.species)}; leave the doses out"
        )
    if plan.mechanism.pharmacokinetics is not None:
        check_known("[mechanism] pharmacokinetics", plan.mechanism.pharmacokinetics, list(known.ketamine))
    for tracer in plan.tracers:
        target = catalog.tracer(tracer.name).target
        if target not in (RECEPTOR, TRANSPORTER):
            raise PlanError(
                f"tracer {tracer.name}: the mechanism says nothing of its target, {target}; use [[effect]] instead of "
                "[[dose]]"
            )
    mechanism_of(plan)


def _check_visits(plan: SimulationPlan) -> None:
    labels = [visit.label for visit in plan.visits]
    timed: dict[str, Window | None] = {section.label: section.hours for section in plan.sessions}
    before = float("-inf")
    for visit in plan.visits:
        where = f"visit {visit.label!r}"
        if labels.count(visit.label) > 1:
            raise PlanError(f"[[visit]]: {visit.label!r} stands twice; keep one of them, or rename it")
        if (visit.session is None) == (visit.hours is None):
            raise PlanError(f"{where}: give it either the session at which it is, or hours")
        if visit.session is not None:
            check_known(f"{where}, session", visit.session, list(timed))
        window = visit.hours or timed[str(visit.session)]
        if window is None:
            raise PlanError(
                f"{where}: session {visit.session!r} has no hours; give it some, or give hours to the visit"
            )
        if window.low < before:
            raise PlanError(f"{where}: it may be at {window.low:g} h, before the visit above it; order visits by time")
        before = window.low


def _check_symptoms(plan: SimulationPlan) -> None:
    if plan.symptoms is None:
        if plan.visits:
            raise PlanError("[[visit]]: nothing is rated at visits without [symptoms]; add it, or leave visits out")
        return
    check_known("[symptoms] tracer", plan.symptoms.tracer, [section.name for section in plan.tracers])
    check_known("[symptoms] region", plan.symptoms.region, plan.regions.names)
    if not plan.visits:
        raise PlanError("[symptoms]: there is no [[visit]] at which to rate; add one")
    if not plan.doses:
        raise PlanError("[symptoms]: there is no [[dose]] after which to rate; add one, of 0 mg/kg for saline")
    for number, dose in enumerate(plan.doses, 1):
        if dose.session is not None or dose.condition is not None:
            raise PlanError(
                f"[[dose]] {number}: with [symptoms], a dose may name an arm but no session or condition, for ratings "
                "follow all that a patient is given"
            )
    symptoms_of(plan)
