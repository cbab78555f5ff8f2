"""What doses and ratings add to the files of a simulated study, and the mechanism's truth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from raphe.io.described import NOT_AVAILABLE, Column, write_described
from raphe.simulate.mechanism import Course
from raphe.simulate.plan import SimulationPlan
from raphe.simulate.population import ScanTruth
from raphe.simulate.record import Record
from raphe.simulate.symptoms import HIGHEST
from raphe.simulate.treatment import CONCENTRATION_DECIMALS, rounded

HYPOTHESIS = "A hypothesis: no quantitative model of ketamine and the 5-HT1B receptor is published"

STATE_COLUMNS = (
    Column("participant", "Label"),
    Column("session", "Label"),
    Column("tracer", "Name"),
    Column("region", "Name"),
    Column("ketamine", "Concentration in plasma, mean over the scan", "ng/mL"),
    Column("serotonin", "Outside cells, as a multiple of that at rest"),
    Column("transporter", "Serotonin transporter that is left, as a share"),
    Column("receptors", "Number of 5-HT1B receptors, relative to that before any drug"),
    Column("binding", "Factor by which all this changes BP_ND"),
)

PERSON_COLUMNS = (
    Column("participant", "Label"),
    Column("volume", "Own volumes of ketamine, relative to those expected for the weight"),
    Column("clearance", "Own clearance of ketamine, likewise"),
    Column("response", "Own gain of receptors, relative to that expected"),
)

COURSE_COLUMNS = (
    Column("participant", "Label"),
    Column("sessions", "Labels of the sessions before which these doses are given"),
    Column("hours", "Time on the clock of the doses", "h"),
    Column("ketamine", "In plasma", "ng/mL"),
    Column("norketamine", "In plasma", "ng/mL"),
    Column("NBQX", "In plasma", "ng/mL"),
    Column("fenfluramine", "In plasma", "ng/mL"),
    Column("block", "Share of the interneurons' NMDA receptors that is blocked"),
    Column("glutamate", "Rise, as a share of the resting level"),
    Column("ampa", "Rise that AMPA receptors pass on"),
    Column("plasticity", "About 1 at its highest after the usual infusion"),
    Column("transporter", "Serotonin transporter that is left, as a share"),
    Column("serotonin", "Outside cells, as a multiple of that at rest"),
)


def write_ratings(out: Path, plan: SimulationPlan, records: Sequence[Record]) -> None:
    """Write ``phenotype/madrs.tsv``, one row a participant and one column a visit.

    Parameters
    ----------
    out : Path
        Root of the raw dataset.
    plan : SimulationPlan
        With ``[symptoms]``.
    records : sequence of Record

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    columns = [Column("participant_id", "Identifier")]
    columns += [
        Column(visit.label, f"Score at the visit {visit.label}, 0 to {HIGHEST} points") for visit in plan.visits
    ]
    rows = [
        (f"sub-{one.participant.label}", *(NOT_AVAILABLE if score is None else score for score in one.scores))
        for one in records
    ]
    tool = {"Description": "Montgomery-Asberg Depression Rating Scale; simulated"}
    write_described(out / "phenotype" / "madrs.tsv", columns, rows, {"MeasurementToolMetadata": tool})


def write_sessions(out: Path, plan: SimulationPlan, found: Record) -> None:
    """Write ``sub-X/sub-X_sessions.tsv`` with the times of a participant's scans, where the plan has them.

    Parameters
    ----------
    out : Path
        Root of the raw dataset.
    plan : SimulationPlan
    found : Record

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    if found.treated is None:
        return
    label = found.participant.label
    made = dict.fromkeys(truth.session for truth in found.truths)
    columns = [
        Column("session_id", "Identifier"),
        Column("hours", "Time of the tracer's injection on the clock of the doses", "h"),
    ]
    rows = [(f"ses-{session}", found.treated.sessions.get(session, float("nan"))) for session in made]
    write_described(out / f"sub-{label}" / f"sub-{label}_sessions.tsv", columns, rows, {})


def write_mechanism(truth: Path, plan: SimulationPlan, records: Sequence[Record]) -> None:
    """Write what is true of the mechanism: people, states of scans, and courses over time.

    Parameters
    ----------
    truth : Path
        Folder that no analysis reads.
    plan : SimulationPlan
    records : sequence of Record

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    about = {"Description": HYPOTHESIS}
    people = [
        (one.participant.label, one.treated.body.volume, one.treated.body.clearance, one.treated.response)
        for one in records
        if one.treated
    ]
    write_described(truth / "people.tsv", PERSON_COLUMNS, people, about)
    states = [row for one in records for scan in one.truths for row in _state_rows(scan)]
    write_described(truth / "receptors.tsv", STATE_COLUMNS, states, about)
    regions = [name for name in plan.regions.names if any(_gain(one, name) for one in records)]
    columns = [*COURSE_COLUMNS, *(column for name in regions for column in _region_columns(name))]
    rows = [
        (one.participant.label, ",".join(regimen.sessions) or NOT_AVAILABLE, *row)
        for one in records
        for regimen in (one.treated.regimens if one.treated else ())
        for row in _course_rows(regimen.course.at(regimen.written), regions)
    ]
    write_described(truth / "mechanism.tsv", columns, rows, about)


def _gain(found: Record, region: str) -> float:
    return found.treated.mechanism.species.gain_of(region) if found.treated else 0.0


def _region_columns(name: str) -> tuple[Column, Column]:
    key = name.replace(" ", "_")
    return (
        Column(f"receptors_{key}", "Number of 5-HT1B receptors, relative to that before any drug"),
        Column(f"dopamine_{key}", "Outside cells, as a multiple of that at rest"),
    )


def _state_rows(scan: ScanTruth) -> list[tuple[object, ...]]:
    state = scan.state
    if state is None:
        return []
    return [
        (
            scan.participant.label,
            scan.session,
            scan.tracer,
            region,
            state.ketamine,
            state.serotonin,
            state.transporter,
            float(state.receptors[place]),
            float(state.binding[place]),
        )
        for place, region in enumerate(scan.regions)
    ]


def _course_rows(course: Course, regions: Sequence[str]) -> list[tuple[float, ...]]:
    drugs = [course.ketamine, course.norketamine, course.NBQX, course.fenfluramine]
    states = [course.block, course.glutamate, course.ampa, course.plasticity, course.transporter, course.serotonin]
    for name in regions:
        states += [course.receptors(name), course.dopamine(name)]
    values = [course.time, *(rounded(one, CONCENTRATION_DECIMALS) for one in drugs), *(rounded(one) for one in states)]
    return [tuple(float(value[place]) for value in values) for place in range(course.time.size)]
