"""Scans that a person has taken out of a study whose results are there: a table of estimates, or maps."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from raphe.data.exclusion import Exclusion
from raphe.data.finding import Finding
from raphe.data.record import Step
from raphe.data.scan import Scan
from raphe.errors import nearest
from raphe.io.exclusions import FILE, PARTICIPANT, RUN, SESSION, TRACER, Listed, read_exclusions
from raphe.io.not_fetched import is_there
from raphe.io.participants import ID
from raphe.io.tables import read_table, shortened
from raphe.pipeline.plan import StudyPlan
from raphe.pipeline.plan_schema import same_tracer


@dataclass(frozen=True)
class TakenOut:
    """What ``exclusions.tsv`` takes out of results.

    Parameters
    ----------
    path : Path or None
        The table; None where there is none.
    rows : tuple of Exclusion
    why : mapping of (str, str, str) to str
        By key of the tracer, participant and session: why a scan takes no part.
    """

    path: Path | None = None
    rows: tuple[Exclusion, ...] = ()
    why: Mapping[tuple[str, str, str], str] = field(default_factory=dict)

    def holds(self, participant: str, session: str, tracer: str) -> bool:
        """Whether a scan is taken out."""
        return (same_tracer(tracer), participant, session) in self.why

    @property
    def aside(self) -> dict[str, dict[tuple[str, str], str]]:
        """``why`` by tracer."""
        found: dict[str, dict[tuple[str, str], str]] = {}
        for (tracer, person, session), told in self.why.items():
            found.setdefault(tracer, {})[person, session] = told
        return found

    @property
    def steps(self) -> tuple[Step, ...]:
        """What is recorded of it; nothing where no scan is taken out."""
        if not self.rows:
            return ()
        reasons = tuple(row.reason for row in self.rows)
        return (Step("excluded", {"scans": tuple(map(_named, self.rows)), "reasons": reasons}),)

    @property
    def told(self) -> str:
        """What a user is told; empty where no scan is taken out."""
        named = [f"{_named(row)} ({row.reason})" for row in self.rows]
        return f"{self.path} takes out {shortened(named, 8)}" if named else ""


def exclusions_of_results(
    plan: StudyPlan, scans: Sequence[Scan], participants: Path
) -> tuple[TakenOut, tuple[Finding, ...]]:
    """Read ``exclusions.tsv`` beside a plan.

    Scans that it takes out may be gone from the results already, so its rows need not be of one that is there.

    Parameters
    ----------
    plan : StudyPlan
    scans : sequence of Scan
        Those of the results, which do not tell runs.
    participants : Path
        ``participants.tsv``; need not be there.

    Returns
    -------
    TakenOut
    tuple of Finding
        Errors: what is wrong with the table; rows of a participant, session or tracer that neither the study nor the
        results have; rows of a run.
    """
    path = plan.path.parent / FILE
    if not os.path.lexists(path):
        return TakenOut(), ()
    listed, faults = read_exclusions(path)
    people = set(read_table(participants).cells(ID)) if is_there(participants) else set[str]()
    people = {f"sub-{one.removeprefix('sub-')}" for one in (*people, *(scan.participant for scan in scans))}
    sessions = tuple(dict.fromkeys((*(one.label for one in plan.sessions), *(scan.session or "" for scan in scans))))
    names = [*(one.name for one in plan.tracers), *(scan.tracer for scan in scans)]
    tracers = {same_tracer(name): name for name in reversed(names)}
    findings = [*faults]
    why: dict[tuple[str, str, str], list[str]] = {}
    for one in listed:
        findings += _unknown(path, one, sorted(people), sessions, tracers)
        for tracer in tracers if one.exclusion.tracer is None else (same_tracer(one.exclusion.tracer),):
            for session in sessions if one.exclusion.session is None else (one.exclusion.session,):
                why.setdefault((tracer, one.exclusion.participant, session), []).append(one.exclusion.reason)
    told = {scan: f"excluded by a person: {'; '.join(dict.fromkeys(reasons))}" for scan, reasons in why.items()}
    return TakenOut(path, tuple(one.exclusion for one in listed), told), tuple(findings)


def _unknown(
    path: Path, listed: Listed, people: Sequence[str], sessions: Sequence[str], tracers: Mapping[str, str]
) -> Iterator[Finding]:
    """Yield the first cell of a row that the study does not have; nothing where it has all."""
    line, row = listed
    who, when = f"sub-{row.participant}", f"ses-{row.session}"
    known = [f"ses-{session}" for session in sessions if session]
    if who not in people:
        yield _error(path, PARTICIPANT, line, f"there is no participant {who!r}; {nearest(who, people)}")
    elif row.session is not None and when not in known:
        way = nearest(when, known) if known else "scans have no session; leave the cell empty"
        yield _error(path, SESSION, line, f"there is no session {when!r}; {way}")
    elif row.tracer is not None and same_tracer(row.tracer) not in tracers:
        yield _error(path, TRACER, line, f"there is no tracer {row.tracer!r}; {nearest(row.tracer, tracers.values())}")
    elif row.run is not None:
        told = f"'run-{row.run}' of {who} cannot be told from others in these results; take out the rows or maps of it"
        yield _error(path, RUN, line, f"{told}, and empty this cell or this row")


def _error(path: Path, column: str, line: int, told: str) -> Finding:
    return Finding("error", path, column, f"{path}: {column}, line {line}: {told}")


def _named(row: Exclusion) -> str:
    session = "" if row.session is None else f"_ses-{row.session}"
    return f"sub-{row.participant}{session}" + ("" if row.tracer is None else f" {row.tracer}")
