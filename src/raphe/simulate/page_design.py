"""What a simulated study is: its design, what was drawn by lot, and where each number of its plan is from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from pydantic import BaseModel

from raphe import catalog
from raphe.catalog.schema import ASSUMPTION, Quantity, Sourced
from raphe.report.simulated import Chapter, Table
from raphe.report.wording import count, fixed, general, listed, quoted
from raphe.simulate.plan import DoseSection, SessionSection, SimulationPlan, Window
from raphe.simulate.record import Record
from raphe.simulate.treatment import mechanism_of, symptoms_of

OFFERED = "all"


def glance(plan: SimulationPlan, records: Sequence[Record], images: bool) -> list[tuple[str, str]]:
    """Facts of a study that stand first on its page."""
    made = Counter(truth.tracer for one in records for truth in one.truths)
    scans = [f"{made[section.name]} {catalog.tracer(section.name).label}" for section in plan.tracers]
    weights = [one.participant.body_weight for one in records]
    facts = [
        ("Species", plan.study.species),
        ("Participants", str(len(records))),
        ("Body weight", f"{fixed(min(weights), 1)} to {fixed(max(weights), 1)} kg"),
        ("Scans", f"{sum(made.values())} ({listed(scans)})"),
        ("Made", "dynamic PET and T1-weighted images" if images else "regional curves; no images"),
        ("Regions", str(len(plan.regions.names))),
        ("Noise", f"{general(plan.noise.percent.value)} % ({plan.noise.percent.status})"),
    ]
    if plan.arms:
        facts.append(("Allocated", listed([f"{n} {arm}" for arm, n in _drawn(plan, records).items()])))
    return facts


def design_chapter(plan: SimulationPlan, records: Sequence[Record]) -> Chapter:
    """Who is scanned when, what they are given, and who left."""
    told = []
    if plan.arms:
        ratio = " : ".join(str(arm.allocation) for arm in plan.arms)
        drawn = listed([f"{n} to {arm}" for arm, n in _drawn(plan, records).items()])
        told.append(
            f"Participants are randomised to {listed([arm.name for arm in plan.arms])} in the ratio {ratio}, in "
            f"permuted blocks of {sum(arm.allocation for arm in plan.arms)}. Drawn: {drawn}."
        )
    if plan.dropout is not None:
        told.append(_left(plan, records))
    tables = [_session_table(plan)]
    if plan.doses:
        header = ("Drug", "Given to", "Dose, mg/kg", "Over, min", "Begins at, h", "Times", "Openly", "Dose's source")
        tables.append(Table(header, tuple(_dose(dose) for dose in plan.doses), DOSES, 2, 1))
    return Chapter("design", "Design", tuple(told), tuple(tables))


SESSIONS = "Sessions in the order of time. Injections count from the doses' zero; each participant's own are in sub-*/."

DOSES = "Doses as planned; 0 mg/kg is saline. The sources of all other numbers stand in the last table of this page."


def numbers_chapter(plan: SimulationPlan) -> Chapter:
    """Every number of a plan with its source, and how many of those behind it are published."""
    rows = tuple(
        (place, value, one.status, "" if one.source == ASSUMPTION else one.source, one.note)
        for place, value, one in _numbers(plan)
    )
    told = [_counted("The plan", [one for _, _, one in _numbers(plan)])]
    for section in plan.tracers:
        tracer = catalog.tracer(section.name)
        what = f"The catalog on {tracer.label} in the {plan.study.species}"
        told.append(_counted(what, _sourced(tracer.species[plan.study.species])))
    if plan.doses:
        used = mechanism_of(plan)
        told.append(_counted("The model of ketamine's pharmacokinetics", _sourced(used.ketamine)))
        told.append(_counted("The mechanism behind it", [*_sourced(used.constants), *_sourced(used.species)]))
    if plan.symptoms is not None:
        told.append(_counted("The model of the ratings", _sourced(symptoms_of(plan))))
    told.append(
        "Derived is what an arithmetic of ours made of a published number. raphe list tracers, raphe list species and "
        "python -m raphe.simulate.constants_table print every one."
    )
    header = ("Number", "Value", "Status", "Source", "Note")
    return Chapter("numbers", "Where the numbers are from", tuple(told), after=(Table(header, rows, NUMBERS, 4, 1),))


NUMBERS = "Every number of the plan. Published means printed in the source; an assumption has no source."


def sources(plan: SimulationPlan) -> list[str]:
    """Keys of the references that the plan's numbers are from, in their order."""
    return list(dict.fromkeys(one.source for _, _, one in _numbers(plan) if one.source != ASSUMPTION))


def _drawn(plan: SimulationPlan, records: Sequence[Record]) -> dict[str, int]:
    drawn = Counter(one.participant.arm for one in records)
    return {arm.name: drawn[arm.name] for arm in plan.arms}


def _left(plan: SimulationPlan, records: Sequence[Record]) -> str:
    assert plan.dropout is not None, "asked only where the plan has the section"
    left = [f"sub-{one.participant.label}" for one in records if None in one.scores]
    who = listed(left) if left else "no one left"
    lot = f"One of {plan.dropout.one_of} leaves before the visit {quoted(plan.dropout.before)}"
    return f"{lot} ({_sourced_by(plan.dropout)}). Drawn: {who}."


def _session_table(plan: SimulationPlan) -> Table:
    timed = any(section.hours for section in plan.sessions)
    header = ("Session", *(["Condition"] if plan.conditions else []), "Tracers")
    header += ("Injection, h", "Status", "Source") if timed else ()
    tracers = listed([catalog.tracer(section.name).label for section in plan.tracers])
    rows = []
    for section in plan.sessions:
        condition = [section.condition or "none"] if plan.conditions else []
        rows.append((section.label, *condition, tracers, *(_when(section) if timed else ())))
    return Table(header, tuple(rows), SESSIONS if timed else "Sessions in the order of time.", len(header))


def _when(section: SessionSection) -> tuple[str, str, str]:
    hours = section.hours
    return ("any time", "", "") if hours is None else (_value(hours), hours.status, _origin(hours))


def _dose(dose: DoseSection) -> tuple[str, ...]:
    to = listed([f"{word} {name}" for word, name in _only(dose) if name]) or OFFERED
    times = str(dose.repeat) + (f", every {general(dose.every.value)} h" if dose.every else "")
    return (
        dose.drug, to, general(dose.mg_per_kg.value), general(dose.minutes.value), general(dose.hours.value), times,
        "no" if dose.blind else "yes", _sourced_by(dose.mg_per_kg),
    )  # fmt: skip


def _only(dose: DoseSection) -> tuple[tuple[str, str | None], ...]:
    return (("arm", dose.arm), ("session", dose.session), ("condition", dose.condition))


def _origin(one: Sourced) -> str:
    return "" if one.source == ASSUMPTION else one.source


def _sourced_by(one: Sourced) -> str:
    return ", ".join(filter(None, (one.status, _origin(one))))


def _numbers(plan: SimulationPlan) -> list[tuple[str, str, Sourced]]:
    """Each sourced value of a plan: where it stands, what it is, and itself."""
    return [(place, _value(one), one) for place, one in _walk(plan, "")]


def _walk(value: object, place: str) -> Iterator[tuple[str, Sourced]]:
    if isinstance(value, Sourced):
        yield place, value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            key = type(value).model_fields[name].alias or name
            yield from _walk(getattr(value, name), f"{place}: {key}" if place else f"[{key}]")
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _walk(item, f"{place} {name}")
    elif isinstance(value, tuple):
        for number, item in enumerate(value, start=1):
            yield from _walk(item, f"{place} {_named(item) or number}")


def _named(item: object) -> str:
    """What a part of a plan is called where there are several."""
    words = [getattr(item, name, None) for name in ("name", "label", "drug", "tracer", "condition", "session", "arm")]
    regions = getattr(item, "regions", ())
    return ", ".join([word for word in words if word] + ([listed(regions, 3)] if regions else []))


def _value(one: Sourced) -> str:
    if isinstance(one, Window):
        return general(one.low) if one.low == one.high else f"{general(one.low)} to {general(one.high)}"
    if isinstance(one, Quantity):
        return general(one.value) + ("" if one.sd is None else f" (SD {general(one.sd)})")
    return general(one.one_of) if hasattr(one, "one_of") else ""


def _sourced(value: object) -> list[Sourced]:
    """Every sourced value within an entry of the catalog."""
    if isinstance(value, Sourced):
        return [value]
    if isinstance(value, BaseModel):
        return [one for name in type(value).model_fields for one in _sourced(getattr(value, name))]
    if isinstance(value, dict):
        return [one for item in value.values() for one in _sourced(item)]
    return [one for item in value for one in _sourced(item)] if isinstance(value, tuple | list) else []


def _counted(what: str, found: Sequence[Sourced]) -> str:
    status: Counter[str] = Counter(one.status for one in found)
    parts = [f"{status[word]} {word}" for word in ("published", "derived") if status[word]]
    if status[ASSUMPTION]:
        parts.append(count(status[ASSUMPTION], "assumption"))
    return f"{what} has {count(len(found), 'sourced value')}: {listed(parts)}."
