"""What ``raphe run`` is to do: a data set is read and held against its plan, and a task is made for each scan."""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from raphe.data.finding import Finding
from raphe.data.people import People
from raphe.errors import InputError, nearest
from raphe.io.bids import ScanCurves, Study, read_study
from raphe.io.check import check_dataset
from raphe.io.names import parse_name
from raphe.io.raw_scans import has_images
from raphe.pipeline.examination import Examination, examine, tracer_names
from raphe.pipeline.exclusions import Exclusions, refuse_nothing_left
from raphe.pipeline.findings import refuse_errors
from raphe.pipeline.map_files import MapChoice, files_of_maps
from raphe.pipeline.map_noise import AgainstNoise
from raphe.pipeline.options import said
from raphe.pipeline.participant import ScanTask
from raphe.pipeline.people_of import people_of
from raphe.pipeline.plan import StudyPlan, read_plan
from raphe.pipeline.plan_schema import same_tracer
from raphe.pipeline.preprocess import preprocessed_tables, raw_scans
from raphe.pipeline.session_order import doubts_of_order
from raphe.pipeline.unread import Unread, spared
from raphe.report.study import ScanSummary

UNNAMED = "tracer not known"

WAITING = "it has not been preprocessed yet; run the participant level for it"


@dataclass(frozen=True, eq=False)
class Job:
    """A study as it is to be run: what was found, what the plan says, and a task for each scan.

    Parameters
    ----------
    study : Study
    plan : StudyPlan or None
    tables : tuple of ScanCurves
        One for each scan that takes part.
    tasks : tuple of ScanTask
        In the same order.
    findings : tuple of Finding
        Warnings of the check.
    people : People
        What the plan's contrasts need of the participants.
    absent : tuple of ScanSummary
        Scans that have no curves here, and why: they could not be preprocessed, or are excluded and not read.
    unread : Unread
        The last of them, and what is wrong with their files.
    of_people : tuple of Finding
        Those of the findings that are about what the plan's contrasts need of the participants.
    """

    study: Study
    plan: StudyPlan | None
    tables: tuple[ScanCurves, ...]
    tasks: tuple[ScanTask, ...]
    findings: tuple[Finding, ...]
    people: People
    absent: tuple[ScanSummary, ...]
    unread: Unread
    of_people: tuple[Finding, ...]

    @property
    def excluded(self) -> dict[str, str]:
        """Label of each scan that a person has excluded, with the reason."""
        there = {table.scan.label: task.excluded for table, task in zip(self.tables, self.tasks, strict=True)}
        return {
            label: why for label, why in (there | {one.scan.label: one.excluded for one in self.absent}).items() if why
        }


def read_job(
    options: argparse.Namespace,
    derivatives: Sequence[Path],
    plan: StudyPlan | None,
    excluded: Exclusions,
    lost: Sequence[ScanSummary] = (),
) -> Job:
    """Read the dataset, hold the plan against it, and make the tasks.

    Parameters
    ----------
    options, derivatives, plan, excluded
        What there is to do.
    lost : sequence of ScanSummary
        Scans that could not be preprocessed. That they have no curves is no fault of the plan.

    Raises
    ------
    InputError
        If anything is wrong with either; the message has a paragraph for each kind of fault.
    """
    made = preprocessed_tables(options.out)
    findings, unread = checked(options, derivatives, excluded, made)
    study = read_study(
        options.bids,
        derivatives,
        participants=options.participant_label,
        sessions=options.session_label,
        more=made,
        wanted=unread.reads,
    )
    tables = _of_tracers(choose_tables(study, plan, options.pvc, options.seg), options.tracer)
    absent = (*lost, *unread.scans, *_not_preprocessed(options, derivatives, plan, excluded, unread))
    partial = bool(absent or options.participant_label or options.session_label or options.tracer)
    taken_out = {table.scan.label for table in tables if excluded.reason(table.scan)}
    persons = {table.scan.participant for table in tables}
    people, unknown = people_of(plan, options.bids / "participants.tsv", options.bids / "phenotype", persons)
    found = examine(tables, plan, said(options), partial=partial, excluded=taken_out, people=people)
    refuse_errors((*unknown, *found.findings))
    if options.level != "participant" and found.tables:
        refuse_nothing_left([table.scan for table in found.tables], excluded)
    if not found.tables:
        raise InputError(f"{options.bids}: none of the scans that were asked for is of a tracer of the plan")
    tasks = _tasks(study, found, plan, derivatives, options, made, excluded)
    there = {table.scan.label for table in study.tables}
    order = doubts_of_order(options.bids, [one.scan for one in found.tables if one.scan.label not in taken_out], plan)
    return Job(
        study,
        plan,
        found.tables,
        tasks,
        (*_of_a_part(options), *findings, *unread.findings, *unknown, *found.findings, *order),
        people,
        tuple(_named(one, found.tables) for one in absent if one.scan.label not in there),
        unread,
        unknown,
    )


def _named(summary: ScanSummary, tables: Sequence[ScanCurves]) -> ScanSummary:
    """The same with the name and the nuclide that its tracer has in the study."""
    names = tracer_names(tables)
    known = {same_tracer(one.scan.tracer): (names[one.scan.tracer], one.scan.radionuclide) for one in tables}
    own = summary.scan.tracer or dict(summary.scan.entities).get("trc", "")
    name, nuclide = known.get(same_tracer(own), (own or UNNAMED, summary.scan.radionuclide))
    return replace(summary, scan=replace(summary.scan, tracer=name, radionuclide=nuclide))


def _not_preprocessed(
    options: argparse.Namespace,
    derivatives: Sequence[Path],
    plan: StudyPlan | None,
    excluded: Exclusions,
    unread: Unread,
) -> Iterator[ScanSummary]:
    """Yield scans of images that wait for the participant level, where that is not asked for."""
    if options.level == "group" and has_images(options.bids):
        made = {parse_name(path).label for path in preprocessed_tables(options.out)}
        for raw in raw_scans(options, derivatives, plan, unread.reads):
            if raw.scan.label not in made:
                why = excluded.reason(raw.scan)
                yield ScanSummary(raw.scan, failure="" if why else WAITING, excluded=why)


def _of_a_part(options: argparse.Namespace) -> Iterator[Finding]:
    """Yield that the study's tables are of a part of it, where a part was asked for."""
    words = [
        f"{option} {' '.join(labels)}"
        for option, labels in (
            ("--participant-label", options.participant_label),
            ("--session-label", options.session_label),
            ("--tracer", options.tracer),
        )
        if labels
    ]
    if words and options.level != "participant":
        told = f"a part of the study was asked for ({', '.join(words)}): its tables, contrasts and report are of these"
        yield Finding("warning", options.out, "", f"{told} scans alone")


def choose_tables(
    study: Study, plan: StudyPlan | None, pvc: str | None = None, seg: str | None = None
) -> tuple[ScanCurves, ...]:
    """One table for each scan, by what was asked for, else by the plan.

    Raises
    ------
    InputError
        If a scan has no such table or several.
    """
    regions = plan.regions if plan else None
    return study.choose(pvc or (regions.pvc if regions else None), seg or (regions.seg if regions else None))


def checked(
    options: argparse.Namespace, derivatives: Sequence[Path], excluded: Exclusions, more: Sequence[Path] = ()
) -> tuple[tuple[Finding, ...], Unread]:
    """Warnings about what was asked for, and the excluded scans whose files cannot be used.

    Raises
    ------
    InputError
        If anything else cannot be used.
    """
    found = check_dataset(options.bids, derivatives, blood=False, more=more)
    kept, unread = spared([one for one in found if _concerns(one, options)], excluded)
    refuse_errors(kept)
    return kept, unread


def _concerns(finding: Finding, options: argparse.Namespace) -> bool:
    """Whether a finding is about the data set as a whole, or about a scan that was asked for."""
    parts = finding.path.parts
    for key, labels in (("sub-", options.participant_label), ("ses-", options.session_label)):
        own = {part.removeprefix(key) for part in parts if part.startswith(key) and "_" not in part}
        if labels and own and not own & {label.removeprefix(key) for label in labels}:
            return False
    return True


def find_plan(bids: Path, given: Path | None) -> StudyPlan | None:
    """The plan that was named, else ``raphe.toml`` of the dataset, else None."""
    if given is not None:
        return read_plan(given)
    usual = bids / "raphe.toml"
    return read_plan(usual) if os.path.lexists(usual) else None


def _of_tracers(tables: Sequence[ScanCurves], wanted: Sequence[str]) -> tuple[ScanCurves, ...]:
    there = {same_tracer(table.scan.tracer): table.scan.tracer for table in tables}
    for name in wanted:
        if same_tracer(name) not in there:
            raise InputError(f"--tracer {name!r}: no scan is of it; {nearest(name, there.values())}")
    keys = {same_tracer(name) for name in wanted} or set(there)
    return tuple(table for table in tables if same_tracer(table.scan.tracer) in keys)


def _tasks(
    study: Study,
    found: Examination,
    plan: StudyPlan | None,
    derivatives: Sequence[Path],
    options: argparse.Namespace,
    made: Sequence[Path],
    excluded: Exclusions,
) -> tuple[ScanTask, ...]:
    others = [root for root in derivatives if root != options.bids]
    datasets = {"raw": options.bids, **{f"derivative{at}": root for at, root in enumerate(others, start=1)}}
    names = tracer_names(found.tables)
    scans = {table.scan.label: (table.scan.participant, table.scan.session) for table in study.tables}
    in_session = Counter(scans.values())
    maps = planned_maps(plan, options.maps)
    if maps is not None:
        for table in found.tables:
            files_of_maps(
                table, maps, options.bids, (options.out,) if table.path.is_relative_to(options.out) else derivatives
            )
    return tuple(
        ScanTask(
            bids=options.bids,
            derivatives=tuple(derivatives),
            table=table.path,
            tracer=names[table.scan.tracer],
            analysis=found.analyses[table.path],
            out=options.out,
            title=plan.study.title if plan else "",
            alone=in_session[table.scan.participant, table.scan.session] == 1,
            datasets=datasets,
            command_line=options.command_line,
            maps=maps,
            beside=min(options.workers, len(found.tables)),
            made=tuple(path for path in made if parse_name(path).scan == table.name.scan),
            excluded=excluded.reason(table.scan),
        )
        for table in found.tables
    )


def planned_maps(plan: StudyPlan | None, asked: bool = False) -> MapChoice | None:
    """What maps the plan asks for; those without any choice where only the command line does."""
    section = plan.maps if plan else None
    if section is None:
        return MapChoice() if asked else None
    noise = AgainstNoise(section.smoothing, section.hypr, section.regularise)
    return MapChoice(section.space, section.mask, noise)
