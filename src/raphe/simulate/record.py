"""All that is true of one participant of a simulated study."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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


def _scores(plan: SimulationPlan, seed: int, person: Participant, treated: Treatment) -> list[int]:
    """Score at each visit, had the participant come to all."""
    assert plan.symptoms is not None, "asked only where the plan rates symptoms"
    constants = symptoms_of(plan)
    binding = lasting_binding(plan, seed, person.index, plan.symptoms.tracer, plan.symptoms.region)
    random = stream(seed, Place.SYMPTOMS, person.index)
    patient = draw_patient(constants, binding, random)
    return ratings(constants, patient, _visits(plan, person, treated), random)


def _visits(plan: SimulationPlan, person: Participant, treated: Treatment) -> list[Visit]:
    hours = list(treated.visits.values())
    if treated.rated is None:
        return [Visit(0.0, 0.0, 0.0) for _ in hours]
    given = treated.rated.infusions
    blind = infusions(plan, person.body_weight, person.arm, blind_only=True)
    first = min(one.start for one in given)
    plasticity = treated.rated.course.at(np.array(hours)).plasticity
    block = treated.rated.course.at(np.array([one.end for one in blind])).block
    return [
        Visit(
            since=hour - first,
            plasticity=float(plasticity[place]),
            block=max((float(b) for b, one in zip(block, blind, strict=True) if one.end <= hour), default=0.0),
            known=any(one not in blind and one.start < hour for one in given),
        )
        for place, hour in enumerate(hours)
    ]
