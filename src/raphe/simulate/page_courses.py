"""Time courses of the mechanism: one typical participant, and the spread over those of the study."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from raphe import catalog
from raphe.report.simulated import Chapter, Figure, Key, Titled
from raphe.report.simulated_figures import Line, Window, time_panel
from raphe.report.wording import count, listed
from raphe.simulate.mechanism import Course, course
from raphe.simulate.pharmacokinetics import MINUTES_PER_HOUR, Body, Infusion
from raphe.simulate.plan import SessionSection, SimulationPlan
from raphe.simulate.record import Record
from raphe.simulate.scans import frames_of_scan
from raphe.simulate.treatment import infusions, mechanism_of
from raphe.simulate.treatment_files import HYPOTHESIS

Array = npt.NDArray[np.float64]

ACUTE = 6.0
"""Hours after the first infusion that are shown by themselves where a study is longer than :data:`LONG`."""

MARGIN = 0.25
"""Hours that are shown before it."""

LONG = 24.0

POINTS = 161
"""Times along a drawing."""

SPREAD = (0.1, 0.9)
"""Quantiles of the participants between which a band is drawn."""

DEEPEST = 3
"""A line with more than so many above it is as wide as one with so many."""

MOST = 6
"""Regimens that have colours of their own."""


class Regimen(NamedTuple):
    """One way of being treated, which several sessions or arms may share."""

    name: str
    arm: str
    session: SessionSection | None
    """None where sessions do not matter."""


class Quantity(NamedTuple):
    """What is drawn of a course."""

    title: str
    unit: str
    of: Callable[[Course], Array]
    dashed: Callable[[Course], Array] | None = None
    second: str = ""
    """What is dashed."""
    rest: float | None = None
    slow: bool = False
    """Whether it outlasts the drug."""


def mechanism_chapter(plan: SimulationPlan, records: Sequence[Record]) -> Chapter:
    """Draw what the doses of a plan do.

    Parameters
    ----------
    plan : SimulationPlan
        With doses.
    records : sequence of Record
        Of the participants that make the spread.
    """
    used = regimens(plan, records)
    if not used:
        return Chapter("mechanism", "Mechanism", ("No drug is given to anyone: all doses are saline.",))
    first, last = _ends(plan, records, used)
    begin = min(one.start for regimen in used for one in _given(plan, regimen, 1.0))
    told = f"{HYPOTHESIS}. What is assumed stands in docs/mechanism.md; the states of each scan in receptors.tsv."
    quantities = _quantities(plan, used)
    before = begin - MARGIN
    if last - begin <= LONG:
        figures = [_figure(plan, records, used, np.linspace(min(first, before), last, POINTS), 1.0, quantities)]
    else:
        fast, slow = ([one for one in quantities if one.slow is kind] for kind in (False, True))
        acute, whole = np.linspace(before, begin + ACUTE, POINTS), _whole(plan, used, first, last)
        figures = [
            _figure(plan, records, used, acute, 1.0, fast)._replace(title="The hours of the first infusion"),
            _figure(plan, records, used, whole, 24.0, slow)._replace(title="The whole study"),
        ]
    return Chapter("mechanism", "Mechanism", (told,), figures=tuple(figures))


def regimens(plan: SimulationPlan, records: Sequence[Record]) -> list[Regimen]:
    """Ways of being treated that differ and give any drug at all, named after what sets them apart."""
    arms = list(dict.fromkeys(one.participant.arm for one in records))
    seen: dict[tuple[Infusion, ...], Regimen] = {}
    for arm in arms:
        for session in (*plan.sessions, None):
            given = tuple(infusions(plan, 1.0, arm, session))
            if given in seen or not any(one.amount > 0 for one in given):
                continue
            own = "" if session is None else session.condition or session.label
            seen[given] = Regimen(arm if arm and _alike(plan, arm) else own or arm, arm, session)
    return list(seen.values())[:MOST]


def _alike(plan: SimulationPlan, arm: str) -> bool:
    """Whether the doses of an arm are the same before all sessions."""
    return all(infusions(plan, 1.0, arm, session) == infusions(plan, 1.0, arm) for session in plan.sessions)


def _given(plan: SimulationPlan, regimen: Regimen, weight: float) -> list[Infusion]:
    return infusions(plan, weight, regimen.arm, regimen.session)


def _ends(plan: SimulationPlan, records: Sequence[Record], used: Sequence[Regimen]) -> tuple[float, float]:
    """First and last time, h, that is shown: of a scan, a visit or an infusion."""
    starts, ends = [], []
    for one in records:
        assert one.treated is not None, "a plan with doses treats all"
        times = [*one.treated.sessions.values(), *one.treated.visits.values()]
        starts += times
        ends += [*times, *(hours + scan_hours(plan) for hours in one.treated.sessions.values())]
    ends += [given.end for regimen in used for given in _given(plan, regimen, 1.0)]
    starts += [given.start for regimen in used for given in _given(plan, regimen, 1.0)]
    return min(starts), max(ends)


def _whole(plan: SimulationPlan, used: Sequence[Regimen], first: float, last: float) -> Array:
    """Times over a whole study, closer after each infusion."""
    after = np.array([0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 9.0])
    marks = [one.start + after for regimen in used for one in _given(plan, regimen, 1.0)]
    times = np.unique(np.round(np.concatenate([np.linspace(first, last, POINTS), *marks]), 4))
    return np.asarray(times[(times >= first) & (times <= last)])


def _quantities(plan: SimulationPlan, used: Sequence[Regimen]) -> list[Quantity]:
    drugs = {one.drug for regimen in used for one in _given(plan, regimen, 1.0) if one.amount > 0}
    plasma = {
        "ketamine": Quantity(
            "Ketamine in plasma", "ng/mL", lambda c: c.ketamine, lambda c: c.norketamine, "norketamine"
        ),
        "NBQX": Quantity("NBQX in plasma", "ng/mL", lambda c: c.NBQX),
        "fenfluramine": Quantity("Fenfluramine in plasma", "ng/mL", lambda c: c.fenfluramine),
    }
    found = [one for drug, one in plasma.items() if drug in drugs]
    found += [
        Quantity("NMDA block of interneurons", "share", lambda c: c.block),
        Quantity("Rise of glutamate", "of resting level", lambda c: c.glutamate, lambda c: c.ampa, "AMPA drive"),
        Quantity("Transporter (SERT) left", "share", lambda c: c.transporter, rest=1.0),
        Quantity("Serotonin outside cells", "times rest", lambda c: c.serotonin, rest=1.0),
        Quantity("Plasticity", "1: usual peak", lambda c: c.plasticity, slow=True),
    ]
    gains = mechanism_of(plan).species
    grown: dict[float, list[str]] = {}
    for name in plan.regions.names:
        grown.setdefault(gains.gain_of(name), []).append(name)
    for gain, names in grown.items():
        if gain:
            found.append(_receptors(names))
    return found


def _receptors(names: Sequence[str]) -> Quantity:
    """Number of receptors in regions of one gain."""

    def number(found: Course) -> Array:
        return found.receptors(names[0])

    return Quantity(f"5-HT1B receptors, {listed(names, 3)}", "times before", number, rest=1.0, slow=True)


def _figure(
    plan: SimulationPlan,
    records: Sequence[Record],
    used: Sequence[Regimen],
    time: Array,
    hour: float,
    quantities: Sequence[Quantity],
) -> Figure:
    """Panels over ``time`` in h, whose axis counts so many hours as one."""
    typical = [_typical(plan, regimen, time) for regimen in used]
    people = [_people(plan, records, regimen, time) for regimen in used]
    across = f"{'h' if hour == 1 else 'days'} from the doses' zero"
    windows = [
        Window(one.start / hour, one.end / hour, one.word, tuple(moment / hour for moment in one.moments))
        for one in _windows(plan, records)
    ]
    panels = []
    for one in quantities:
        lines = [
            line
            for number, (own, others) in enumerate(zip(typical, people, strict=True))
            for line in _lines(one, f"s{number}", min(len(used) - 1 - number, DEEPEST), time / hour, own, others)
        ]
        label = f"{one.title} over time"
        drawing = time_panel(lines, one.unit, across, label, windows=windows, rest=one.rest)
        panels.append(Titled(one.title, drawing))
    return Figure(tuple(panels), _caption(len(records)), _keys(used, quantities, max(map(len, people)) > 1))


def _caption(n: int) -> str:
    return (
        "Lines: a typical participant of the mean weight, with kinetics and gain as expected. Bands: 10th to 90th "
        f"percentile of {count(n, 'participant')} of the study, each with weight, kinetics and gain of their own. "
        "Shaded: from the first injection of a tracer to the last end of a scan; strokes at the foot are injections. "
        "Where lines lie upon each other, the lower one is drawn wider."
    )


def _keys(used: Sequence[Regimen], quantities: Sequence[Quantity], spread: bool) -> tuple[Key, ...]:
    keys = [Key(regimen.name, f"s{number}") for number, regimen in enumerate(used)]
    second = [one.second for one in quantities if one.second]
    keys += [Key(listed(second), "s0", "dashed")] if second else []
    return (*keys, *([Key("spread over participants", "s0", "pale")] if spread else []))


def _lines(
    one: Quantity, kind: str, beneath: int, time: Array, typical: Course, people: Sequence[Course]
) -> list[Line]:
    low = high = None
    if len(people) > 1:
        low, high = np.quantile([one.of(course) for course in people], SPREAD, axis=0)
    lines = [Line(f"{kind} under{beneath}" if beneath else kind, time, one.of(typical), low, high)]
    if one.dashed is not None:
        lines.append(Line(f"{kind} dashed", time, one.dashed(typical)))
    return lines


def _typical(plan: SimulationPlan, regimen: Regimen, time: Array) -> Course:
    weight = catalog.species(plan.study.species).body_weight.value
    return course(mechanism_of(plan), Body(weight), _given(plan, regimen, weight), time)


def _people(plan: SimulationPlan, records: Sequence[Record], regimen: Regimen, time: Array) -> list[Course]:
    treated = [one.treated for one in records if one.treated and one.participant.arm == regimen.arm]
    return [
        course(own.mechanism, own.body, _given(plan, regimen, own.body.weight), time, own.response) for own in treated
    ]


def scan_hours(plan: SimulationPlan) -> float:
    """Length of the longest scan of a plan, h."""
    return max(float(frames_of_scan(plan, tracer.name).end[-1]) for tracer in plan.tracers) / MINUTES_PER_HOUR


def _windows(plan: SimulationPlan, records: Sequence[Record]) -> list[Window]:
    """Stretches in which scans are made; those that begin at the same time are one."""
    found: dict[tuple[float, ...], list[str]] = {}
    for section in plan.sessions:
        hours = sorted({one.treated.sessions[section.label] for one in records if one.treated and section.hours})
        if hours:
            found.setdefault(tuple(hours), []).append(section.label)
    return [
        Window(hours[0], hours[-1] + scan_hours(plan), labels[0] if len(labels) == 1 else "scans", hours)
        for hours, labels in found.items()
    ]
