"""All that is true of one participant of a simulated study: scans, ratings, and the course of the mechanism."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from raphe import catalog
from raphe.simulate.mechanism import Course
from raphe.simulate.pharmacokinetics import MINUTES_PER_HOUR, Infusion
from raphe.simulate.plan import SimulationPlan
from raphe.simulate.population import (
    Participant,
    ScanTruth,
    lasting_binding,
    leaves_before,
    participant,
    scan_truth,
    treatment_of,
)
from raphe.simulate.streams import Place, stream
from raphe.simulate.symptoms import Visit, draw_patient, ratings
from raphe.simulate.treatment import Treatment, infusions, symptoms_of

Array = npt.NDArray[np.float64]

AFTER_INFUSION = (0.0, 5.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 90.0, 120.0, 180.0, 240.0, 360.0, 480.0, 720.0)
"""Times after the begin of an infusion at which its course is written, min."""

STEP = 12.0
"""Hours between the other times."""


@dataclass(frozen=True, eq=False)
class Record:
    """One participant.

    Parameters
    ----------
    participant : Participant
    treated : Treatment, optional
        None where the plan gives no drug.
    truths : tuple of ScanTruth
        One a scan that is made.
    scores : tuple of int or None
        One a visit; None where the participant had left.
    """

    participant: Participant
    treated: Treatment | None
    truths: tuple[ScanTruth, ...]
    scores: tuple[int | None, ...]


def record(plan: SimulationPlan, seed: int, index: int) -> Record:
    """Draw all that is true of one participant; the same whatever the number of participants.

    Parameters
    ----------
    plan : SimulationPlan
    seed : int
    index : int
        From 0.
    """
    person = participant(plan, seed, index)
    treated = treatment_of(plan, seed, person)
    left = leaves_before(plan, seed, index)
    labels = [visit.label for visit in plan.visits]
    attended = len(labels) if left is None else labels.index(left)
    missed = {visit.session for visit in plan.visits[attended:]}
    truths = tuple(
        scan_truth(plan, seed, person, session, tracer, treated)
        for session in plan.sessions
        if session.label not in missed
        for tracer in plan.tracers
    )
    scores: list[int | None] = list(_scores(plan, seed, person, treated)) if treated and plan.symptoms else []
    scores[attended:] = [None] * (len(labels) - attended)
    return Record(person, treated, truths, tuple(scores))


def courses(plan: SimulationPlan, found: Record) -> Iterator[tuple[str, Course]]:
    """Course of the mechanism in a participant before each session, with its label; once where all doses are alike."""
    treated, person = found.treated, found.participant
    if treated is None:
        return
    seen: list[list[Infusion]] = []
    for session in plan.sessions:
        given = infusions(plan, person.body_weight, person.arm, session)
        if not given or given in seen:
            continue
        seen.append(given)
        alike = [
            other.label for other in plan.sessions if infusions(plan, person.body_weight, person.arm, other) == given
        ]
        yield ",".join(alike), treated.course(given, _grid(plan, treated, given, alike))


def _grid(plan: SimulationPlan, treated: Treatment, given: list[Infusion], sessions: list[str]) -> Array:
    """Times at which a course is written, from its first infusion to the last scan or visit, h."""
    ends = [treated.sessions[label] + scan_hours(plan) for label in sessions]
    ends += list(treated.visits.values())
    first, last = min(one.start for one in given), max(*ends, given[0].end)
    marks = [one.start + minutes / MINUTES_PER_HOUR for one in given for minutes in AFTER_INFUSION]
    times = np.unique(np.round([*marks, *np.arange(first, last, STEP), last], 4))
    return np.asarray(times[(times >= first) & (times <= last)])


def scan_hours(plan: SimulationPlan) -> float:
    """Length of the longest scan of a plan, h."""
    return max(_length(section.name, section.schedule) for section in plan.tracers)


def _length(tracer: str, schedule: str) -> float:
    frames = next(entry for entry in catalog.tracer(tracer).schedule if entry.name == schedule)
    return (frames.start[-1] + frames.duration[-1]) / MINUTES_PER_HOUR


def _scores(plan: SimulationPlan, seed: int, person: Participant, treated: Treatment) -> list[int]:
    """Score at each visit, had the participant come to all."""
    assert plan.symptoms is not None, "asked only where the plan rates symptoms"
    constants = symptoms_of(plan)
    binding = lasting_binding(plan, seed, person.index, plan.symptoms.tracer, plan.symptoms.region)
    random = stream(seed, Place.SYMPTOMS, person.index)
    patient = draw_patient(constants, binding, random)
    return ratings(constants, patient, _visits(plan, person, treated), random)


def _visits(plan: SimulationPlan, person: Participant, treated: Treatment) -> list[Visit]:
    weight, arm = person.body_weight, person.arm
    given, blind = infusions(plan, weight, arm), infusions(plan, weight, arm, blind_only=True)
    hours = list(treated.visits.values())
    if not given:
        return [Visit(0.0, 0.0, 0.0) for _ in hours]
    first = min(one.start for one in given)
    times = np.unique([*hours, *(one.end for one in blind)])
    seen = treated.course(given, times)
    plasticity = dict(zip(times.tolist(), seen.plasticity.tolist(), strict=True))
    block = dict(zip(times.tolist(), seen.block.tolist(), strict=True))
    return [
        Visit(
            since=hour - first,
            plasticity=plasticity[hour],
            block=max((block[one.end] for one in blind if one.end <= hour), default=0.0),
            known=any(one not in blind and one.start < hour for one in given),
        )
        for hour in hours
    ]
