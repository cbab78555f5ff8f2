"""Scans that a person has taken out of the study: found, held against the data, and asked for by scan."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from raphe.data.exclusion import Exclusion
from raphe.data.finding import Finding
from raphe.data.scan import Scan
from raphe.errors import InputError, nearest
from raphe.io.below import below_people
from raphe.io.datasets import find_tables
from raphe.io.exclusions import FILE, PARTICIPANT, RUN, SESSION, TRACER, Listed, read_exclusions
from raphe.io.names import Name, find_sidecars, full_name
from raphe.io.raw_images import find_images
from raphe.io.sidecar import inspect_sidecar
from raphe.pipeline.plan import StudyPlan
from raphe.pipeline.plan_schema import same_tracer


@dataclass(frozen=True)
class Exclusions:
    """Rows of all tables of exclusions of a study.

    Parameters
    ----------
    rows : tuple of Exclusion
    scans : tuple of Scan
        Every scan of the study, by the names of its files; none where there are no rows.
    """

    rows: tuple[Exclusion, ...] = ()
    scans: tuple[Scan, ...] = ()

    def reason(self, scan: Scan) -> str:
        """Why a scan is excluded, in the words of the table; empty where it is not."""
        return "; ".join(dict.fromkeys(row.reason for row in self.rows if _holds(row, scan)))


def exclusions_of(
    bids: Path, derivatives: Sequence[Path] = (), plan: StudyPlan | None = None, more: Sequence[Path] = ()
) -> tuple[Exclusions, tuple[Finding, ...]]:
    """Read ``exclusions.tsv`` of a dataset, and that beside its plan where the plan stands elsewhere.

    Parameters
    ----------
    bids, derivatives, more
        As of :func:`raphe.io.check.check_dataset`.
    plan : StudyPlan or None

    Returns
    -------
    Exclusions
    tuple of Finding
        Errors: what is wrong with a table, and rows that are of no scan that there is.
    """
    rows: list[Exclusion] = []
    findings: list[Finding] = []
    scans: tuple[Scan, ...] | None = None
    for path in _files(bids, plan):
        listed, faults = read_exclusions(path)
        findings += faults
        if listed and scans is None:
            scans = _scans(bids, derivatives, more)
        for one in listed:
            told = next(_of_nothing(path, one, scans or ()), None)
            if told is None:
                rows.append(one.exclusion)
            else:
                findings.append(told)
    return Exclusions(tuple(rows), scans or ()), tuple(findings)


def refuse_nothing_left(scans: Sequence[Scan], excluded: Exclusions) -> None:
    """Refuse a study of which every scan is excluded.

    Raises
    ------
    InputError
    """
    reasons = {scan.label: excluded.reason(scan) for scan in scans}
    if reasons and all(reasons.values()):
        label, why = next(iter(reasons.items()))
        raise InputError(
            f"every scan is excluded ({label}: {why}; ...), so there is nothing to bring together; take rows out of "
            "exclusions.tsv"
        )


def _files(bids: Path, plan: StudyPlan | None) -> list[Path]:
    folders = [bids] if plan is None else [bids, plan.path.parent]
    distinct = {os.path.realpath(folder): folder for folder in reversed(folders)}
    return [folder / FILE for folder in reversed(distinct.values()) if os.path.lexists(folder / FILE)]


def _holds(row: Exclusion, scan: Scan) -> bool:
    run, trc = dict(scan.entities).get("run"), dict(scan.entities).get("trc", "")
    return (
        row.participant == scan.participant
        and row.session in (None, scan.session)
        and row.run in (None, run)
        and (row.tracer is None or same_tracer(row.tracer) in (same_tracer(scan.tracer), same_tracer(trc)))
    )


def _of_nothing(path: Path, listed: Listed, scans: Sequence[Scan]) -> Iterator[Finding]:
    """Yield the first cell of a row that is of no scan; nothing where there is a scan."""
    line, row = listed
    who = f"sub-{row.participant}"
    people = [scan for scan in scans if scan.participant == row.participant]
    if not people:
        told = nearest(who, sorted({f"sub-{scan.participant}" for scan in scans}))
        yield _error(path, PARTICIPANT, line, f"there is no scan of {who!r}; {told}")
        return
    own = [scan for scan in people if row.session in (None, scan.session)]
    if not own:
        labels = sorted({f"ses-{scan.session}" for scan in people if scan.session is not None})
        told = nearest(f"ses-{row.session}", labels) if labels else "its scans have no session; leave the cell empty"
        yield _error(path, SESSION, line, f"{who} has no scan of 'ses-{row.session}'; {told}")
        return
    where = who if row.session is None else f"{who} in ses-{row.session}"
    with_tracer = [scan for scan in own if _holds(Exclusion(row.participant, row.session, row.tracer, None, ""), scan)]
    if not with_tracer:
        told = nearest(str(row.tracer), sorted({scan.tracer or dict(scan.entities).get("trc", "") for scan in own}))
        yield _error(path, TRACER, line, f"{where} has no scan with the tracer {row.tracer!r}; {told}")
    elif not any(_holds(row, scan) for scan in with_tracer):
        runs = sorted({f"run-{run}" for scan in with_tracer if (run := dict(scan.entities).get("run")) is not None})
        told = nearest(f"run-{row.run}", runs) if runs else "its scans have no run; leave the cell empty"
        yield _error(path, RUN, line, f"{where} has no scan of 'run-{row.run}'; {told}")


def _error(path: Path, column: str, line: int, told: str) -> Finding:
    return Finding("error", path, column, f"{path}: {column}, line {line}: {told}")


def _scans(bids: Path, derivatives: Sequence[Path], more: Sequence[Path]) -> tuple[Scan, ...]:
    """Every scan that the names of images, sidecars and curves tell of, with its tracer where a sidecar tells it."""
    paths = [name.path for name in find_images(bids).pet]
    try:
        paths += find_tables(bids, derivatives, more)
    except InputError:
        pass  # a dataset of images alone
    paths += below_people(bids, "*_pet.json", "pet")
    found: dict[tuple[tuple[str, str], ...], Scan] = {}
    for path in paths:
        try:
            name = full_name(path, bids)
        except InputError:
            continue  # a finding of the dataset tells it
        if "sub" in name.entities and not (name.scan in found and found[name.scan].tracer):
            found[name.scan] = _scan(name, bids)
    return tuple(found.values())


def _scan(name: Name, bids: Path) -> Scan:
    entities = dict(name.scan)
    participant, session = entities.pop("sub"), entities.pop("ses", None)
    sidecars = find_sidecars(name.path, bids)
    tracer = inspect_sidecar(sidecars)[0].tracer if sidecars else ""
    return Scan(participant, session, tuple(entities.items()), tracer)
