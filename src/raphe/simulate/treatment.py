"""What each participant of a plan is given and when, and what the mechanism makes of it at scans and visits.

The clock of a participant counts hours; 0 is where the plan's doses count from, as a rule the first infusion.
Within a scan, whose binding is one number, the mechanism is averaged over the scan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from raphe import catalog
from raphe.simulate.constants import SymptomConstants, mechanism_file, with_changes
from raphe.simulate.mechanism import Course, Mechanism, course, mechanism
from raphe.simulate.pharmacokinetics import MINUTES_PER_HOUR, Body, Infusion
from raphe.simulate.plan import DoseSection, SessionSection, SimulationPlan, TracerSection
from raphe.simulate.streams import Place, stream

Array = npt.NDArray[np.float64]

SCAN_POINTS = 32
"""Equal parts of a scan in whose middles the mechanism is taken."""

DECIMALS = 6
"""To which shares and multiples are rounded, so that the last bits of another machine do not reach the files."""

CONCENTRATION_DECIMALS = 3
"""Likewise concentrations, ng/mL."""

HOUR_DECIMALS = 2
"""Of the times of scans and visits: about half a minute."""

AFTER_INFUSION = (0.0, 5.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 90.0, 120.0, 180.0, 240.0, 360.0, 480.0, 720.0)
"""Times after the begin of an infusion at which its course is written, min."""

STEP = 12.0
"""Hours between the other times."""


@dataclass(frozen=True, eq=False)
class Regimen:
    """Infusions that some sessions, or the visits, have in common, and what the mechanism makes of them.

    Parameters
    ----------
    mechanism : Mechanism
    body : Body
    response : float
        Own gain of receptors, relative to that expected.
    infusions : tuple of Infusion
    sessions : tuple of str
        Labels of those sessions; empty where only visits have them.
    written : ndarray, h
        Times at which the course is told in the truth.
    needed : ndarray, h
        These and the times of scans and visits, ascending.
    """

    mechanism: Mechanism
    body: Body
    response: float
    infusions: tuple[Infusion, ...]
    sessions: tuple[str, ...]
    written: Array
    needed: Array

    @cached_property
    def course(self) -> Course:
        """Course at all times that are needed, solved once and only when asked for."""
        return course(self.mechanism, self.body, self.infusions, self.needed, self.response)


@dataclass(frozen=True, eq=False)
class Treatment:
    """One participant's doses, times and response.

    Parameters
    ----------
    mechanism : Mechanism
    body : Body
    response : float
        Own gain of receptors, relative to that expected.
    sessions, visits : mapping of str to float
        Time in h of each session that has one, and of each visit, by label.
    before : mapping of str to Regimen
        What is given before each session, by its label, where anything is.
    rated : Regimen, optional
        What is given before visits; None without visits or doses before them.
    """

    mechanism: Mechanism
    body: Body
    response: float
    sessions: Mapping[str, float]
    visits: Mapping[str, float]
    before: Mapping[str, Regimen]
    rated: Regimen | None

    @property
    def regimens(self) -> list[Regimen]:
        """Every regimen once, those of sessions first."""
        found = [*self.before.values(), *([self.rated] if self.rated else [])]
        return list({id(one): one for one in found}.values())


def mechanism_of(plan: SimulationPlan) -> Mechanism:
    """Mechanism of a plan's species with the plan's own choices.

    Raises
    ------
    PlanError
        If ``[mechanism.constants]`` names one that there is not, or gives it an impossible value.
    """
    changes = with_changes(mechanism_file().constants, plan.mechanism.constants, "[mechanism.constants]")
    return mechanism(plan.study.species, plan.mechanism.pharmacokinetics, changes)


def symptoms_of(plan: SimulationPlan) -> SymptomConstants:
    """Constants of a plan's ratings.

    Raises
    ------
    PlanError
        If ``[symptoms.constants]`` names one that there is not, or gives it an impossible value.
    """
    assert plan.symptoms is not None, "a plan that rates symptoms has the section"
    return with_changes(mechanism_file().symptoms, plan.symptoms.constants, "[symptoms.constants]")


def treatment(plan: SimulationPlan, seed: int, index: int, weight: float, arm: str) -> Treatment:
    """Draw how one participant responds, and when scans and visits take place.

    Parameters
    ----------
    plan : SimulationPlan
        With doses.
    seed : int
    index : int
        Of the participant, from 0.
    weight : float, kg
    arm : str
    """
    body, response = _person(seed, index, weight)
    sessions, visits = _hours(plan, seed, index)
    chosen = mechanism_of(plan)
    given = {section.label: tuple(infusions(plan, weight, arm, section)) for section in plan.sessions}
    rated = tuple(infusions(plan, weight, arm)) if visits else ()
    regimens: dict[tuple[Infusion, ...], Regimen] = {}
    for drugs in [one for one in (*given.values(), rated) if one]:
        if drugs not in regimens:
            alike = [section for section in plan.sessions if given[section.label] == drugs]
            scans = [scan_times(plan, sessions[section.label], t) for section in alike for t in plan.tracers]
            seen = [*visits.values(), *(one.end for one in drugs)] if drugs == rated else []
            written = _written(drugs, [*(float(scan[-1]) for scan in scans), *(visits.values() if seen else [])])
            needed = np.unique(np.concatenate([*scans, seen, written]))
            labels = tuple(section.label for section in alike)
            regimens[drugs] = Regimen(chosen, body, response, drugs, labels, written, needed)
    before = {label: regimens[drugs] for label, drugs in given.items() if drugs}
    return Treatment(chosen, body, response, sessions, visits, before, regimens.get(rated))


def scan_times(plan: SimulationPlan, start: float, tracer: TracerSection) -> Array:
    """Middles of the parts of a scan that begins at ``start``, h; shape (SCAN_POINTS,)."""
    schedule = next(entry for entry in catalog.tracer(tracer.name).schedule if entry.name == tracer.schedule)
    length = (schedule.start[-1] + schedule.duration[-1]) / MINUTES_PER_HOUR
    return np.asarray(start + length * (np.arange(SCAN_POINTS) + 0.5) / SCAN_POINTS)


def infusions(
    plan: SimulationPlan, weight: float, arm: str, session: SessionSection | None = None, *, blind_only: bool = False
) -> list[Infusion]:
    """What a participant is given before a session, or before visits where no session is named, in the plan's order.

    Parameters
    ----------
    plan : SimulationPlan
    weight : float, kg
    arm : str
    session : SessionSection, optional
    blind_only : bool
        Leave out what is given openly.
    """
    label, condition = (session.label, session.condition) if session else (None, None)
    chosen = [
        dose
        for dose in plan.doses
        if not (blind_only and not dose.blind)
        and dose.arm in (None, arm)
        and dose.session in (None, label)
        and dose.condition in (None, condition)
    ]
    return [one for dose in chosen for one in _given(dose, weight)]


def _given(dose: DoseSection, weight: float) -> list[Infusion]:
    step = dose.every.value if dose.every else 0.0
    return [
        Infusion(
            dose.drug,
            dose.hours.value + number * step,
            dose.minutes.value / MINUTES_PER_HOUR,
            dose.mg_per_kg.value * weight,
        )
        for number in range(dose.repeat)
    ]


def _person(seed: int, index: int, weight: float) -> tuple[Body, float]:
    """Draw a body and the own gain of receptors."""
    people = mechanism_file().people
    random = stream(seed, Place.RESPONSE, index)
    between = people.covariance.value
    covariance = np.array([[people.volume_variance.value, between], [between, people.clearance_variance.value]])
    volume, clearance = np.exp(np.linalg.cholesky(covariance) @ random.standard_normal(2))
    spread = np.sqrt(np.log1p(people.response_cv.value**2))
    response = np.exp(spread * random.standard_normal() - spread**2 / 2)
    return Body(weight, float(rounded(volume)), float(rounded(clearance))), float(rounded(response))


def _written(drugs: Sequence[Infusion], ends: Sequence[float]) -> Array:
    """Times from the first infusion to the last of ``ends``, h, denser after each infusion."""
    first = min(one.start for one in drugs)
    last = max(*ends, drugs[0].end)
    marks = [one.start + minutes / MINUTES_PER_HOUR for one in drugs for minutes in AFTER_INFUSION]
    times = np.unique(np.round([*marks, *np.arange(first, last, STEP), last], 4))
    return np.asarray(times[(times >= first) & (times <= last)])


def _hours(plan: SimulationPlan, seed: int, index: int) -> tuple[dict[str, float], dict[str, float]]:
    """Times of the sessions, and of the visits; each has a stream of its own."""
    sessions: dict[str, float] = {}
    for place, session in enumerate(plan.sessions):
        if session.hours is not None:
            share = stream(seed, Place.TIMING, index, 0, place).random()
            sessions[session.label] = round(session.hours.at(share), HOUR_DECIMALS)
    visits: dict[str, float] = {}
    for place, visit in enumerate(plan.visits):
        if visit.session is not None:
            visits[visit.label] = sessions[visit.session]
        elif visit.hours is not None:
            share = stream(seed, Place.TIMING, index, 1, place).random()
            visits[visit.label] = round(visit.hours.at(share), HOUR_DECIMALS)
    return sessions, visits


def rounded(values: npt.ArrayLike, decimals: int = DECIMALS) -> Array:
    """Values as they are written; none is minus 0."""
    return np.asarray(np.round(np.asarray(values, dtype=float), decimals) + 0.0)
