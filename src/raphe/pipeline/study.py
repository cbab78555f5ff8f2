"""``raphe run``: every scan of a study, then the study itself."""

from __future__ import annotations

import argparse
import dataclasses
import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from raphe.catalog import find_tracer
from raphe.data.finding import Finding
from raphe.data.scan import Scan
from raphe.errors import InputError, RapheError, nearest
from raphe.io.bids import ScanCurves, Study, dataset_roots, load_curves, read_study
from raphe.io.check import check_dataset
from raphe.io.derivatives import write_description
from raphe.io.staging import prepare
from raphe.nomenclature import tracer_key
from raphe.pipeline.analysis import Analysis, choose
from raphe.pipeline.execute import execute
from raphe.pipeline.fit_table import weights
from raphe.pipeline.group import report_group
from raphe.pipeline.messages import Messages
from raphe.pipeline.participant import ScanOutcome, ScanTask, analyse_scan
from raphe.pipeline.plan import StudyPlan, TracerSection, read_plan
from raphe.pipeline.plan_check import check_plan

FAILED = 3


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
    """

    study: Study
    plan: StudyPlan | None
    tables: tuple[ScanCurves, ...]
    tasks: tuple[ScanTask, ...]
    findings: tuple[Finding, ...]


def run(options: argparse.Namespace) -> int:
    """Check everything, then analyse the scans and report the study."""
    messages = Messages(options)
    prepare(options.out, [options.bids])
    job = read_job(options)
    for finding in job.findings:
        about_a_scan = any(part.startswith("sub-") for part in finding.path.parts)
        (messages.warn if about_a_scan else messages.say)(finding.message)
    if options.dry_run:
        for task in job.tasks:
            print(f"would fit {task.analysis.model} to {task.table}")
        return messages.code
    write_description(options.out, job.plan.study.title if job.plan else "", job.tasks[0].datasets)
    failed: dict[str, str] = {}
    if options.level in ("participant", "all"):
        failed = _analyse(job, options, messages)
    if options.level in ("group", "all"):
        report = report_group(
            options.out,
            job.plan,
            job.tables,
            job.tasks,
            job.study.participants,
            failed,
            job.findings,
            options.command_line,
        )
        for warning in report.warnings:
            messages.warn(warning)
        print(report.path)
    return FAILED if failed else messages.code


def read_job(options: argparse.Namespace) -> Job:
    """Read plan and dataset, hold one against the other, and make the tasks.

    Raises
    ------
    InputError
        If anything is wrong with either; the message has a paragraph for each fault.
    """
    plan = find_plan(options.bids, options.plan)
    derivatives = dataset_roots(options.bids, options.derivatives)
    findings = tuple(finding for finding in check_dataset(options.bids, derivatives) if _concerns(finding, options))
    refuse_errors(findings)
    study = read_study(
        options.bids, derivatives, participants=options.participant_label, sessions=options.session_label
    )
    regions = plan.regions if plan else None
    pvc = options.pvc or (regions.pvc if regions else None)
    tables = study.choose(None if pvc in (None, "nopvc") else pvc, options.seg or (regions.seg if regions else None))
    tables = _of_tracers(tables, options.tracer, plan)
    if plan is not None:
        found = check_plan(plan, *known_scans(tables))
        refuse_errors(found)
        findings = (*findings, *found)
    return Job(study, plan, tables, _tasks(tables, plan, derivatives, options), findings)


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
    return read_plan(usual) if usual.is_file() else None


def refuse_errors(findings: Sequence[Finding]) -> None:
    """Raise all errors among the findings as one.

    Raises
    ------
    InputError
    """
    errors = [finding.message for finding in findings if finding.severity == "error"]
    if errors:
        raise InputError("\n\n".join(errors))


def _of_tracers(tables: Sequence[ScanCurves], wanted: Sequence[str], plan: StudyPlan | None) -> tuple[ScanCurves, ...]:
    there = {tracer_key(table.scan.tracer): table.scan.tracer for table in tables}
    for name in wanted:
        if tracer_key(name) not in there:
            raise InputError(f"--tracer {name!r}: no scan is of it; {nearest(name, there.values())}")
    keys = {tracer_key(name) for name in wanted} or set(there)
    planned = {tracer_key(tracer.name) for tracer in plan.tracers} if plan else keys
    return tuple(table for table in tables if tracer_key(table.scan.tracer) in keys & planned)


def known_scans(tables: Sequence[ScanCurves]) -> tuple[tuple[Scan, ...], dict[str, tuple[str, ...]]]:
    """Scans by the catalog's names, and the names of the curves of each, its separate reference curves among them."""
    regions = {table.scan.label: (*load_curves(table).tacs.names, *table.references) for table in tables}
    names = tracer_names(tables)
    scans = tuple(dataclasses.replace(table.scan, tracer=names[table.scan.tracer]) for table in tables)
    return scans, regions


def tracer_names(tables: Sequence[ScanCurves]) -> dict[str, str]:
    """One name for all spellings of a tracer: the catalog's, else that of the first scan."""
    first: dict[str, str] = {}
    for table in tables:
        entry = find_tracer(table.scan.tracer)
        first.setdefault(tracer_key(table.scan.tracer), entry.name if entry else table.scan.tracer)
    return {table.scan.tracer: first[tracer_key(table.scan.tracer)] for table in tables}


def _tasks(
    tables: Sequence[ScanCurves], plan: StudyPlan | None, derivatives: Sequence[Path], options: argparse.Namespace
) -> tuple[ScanTask, ...]:
    datasets = {"raw": options.bids, **{f"derivative{at + 1}": root for at, root in enumerate(derivatives)}}
    names = tracer_names(tables)
    sessions = [(table.scan.participant, table.scan.session) for table in tables]
    return tuple(
        ScanTask(
            bids=options.bids,
            derivatives=tuple(derivatives),
            table=table.path,
            participant=table.scan.participant,
            session=table.scan.session,
            tracer=names[table.scan.tracer],
            analysis=_analysis(table, plan, options),
            out=options.out,
            alone=sessions.count((table.scan.participant, table.scan.session)) == 1,
            datasets=datasets,
            command_line=options.command_line,
        )
        for table in tables
    )


def _analysis(table: ScanCurves, plan: StudyPlan | None, options: argparse.Namespace) -> Analysis:
    frames = table.sidecar.frames
    said: dict[str, object] = {
        "model": options.model,
        "reference": (options.reference,) if options.reference else None,
        "k2_prime": options.k2_prime,
        "t_star": options.t_star,
        "weights": weights(options.weights, len(frames)) if frames is not None else options.weights,
        "convention": options.convention,
    }
    planned = _planned(plan, plan.tracer(table.scan.tracer)) if plan else {}
    species = plan.study.species if plan else "human"
    layers = (("command line", said), ("plan", planned))
    return choose(layers, find_tracer(table.scan.tracer), table.scan.tracer, species)


def _planned(plan: StudyPlan, tracer: TracerSection | None) -> Mapping[str, object]:
    common: dict[str, object] = {"regions": plan.regions.names, "merges": dict(plan.regions.merge)}
    if tracer is None:
        return common
    return {
        **common,
        "model": tracer.model,
        "reference": (tracer.reference,) if tracer.reference else None,
        "weights": tracer.weights,
        "convention": tracer.convention,
        "k2_prime": tracer.k2_prime,
        "t_star": tracer.t_star,
        "high_binding": tracer.high_binding,
    }


def _analyse(job: Job, options: argparse.Namespace, messages: Messages) -> dict[str, str]:
    """Work on the scans; the labels of those that failed, with the reasons."""
    failed: dict[str, str] = {}
    work = functools.partial(analyse_scan, restart=options.restart)
    labels = {task.table: table.scan.label for task, table in zip(job.tasks, job.tables, strict=True)}
    done = skipped = 0
    lost: Counter[str] = Counter()
    for task, outcome in execute(work, job.tasks, options.workers):
        done += 1
        if isinstance(outcome, RapheError):
            failed[labels[task.table]] = str(outcome)
            messages.error(f"{labels[task.table]} failed: {outcome}")
        elif isinstance(outcome, ScanOutcome):
            skipped += outcome.skipped
            messages.detail(
                f"{outcome.label} {'was done before' if outcome.skipped else f'took {outcome.seconds:.1f} s'}"
            )
            if 2 * len(outcome.lost) > outcome.n_regions:
                messages.warn(
                    f"{outcome.label}: {len(outcome.lost)} of {outcome.n_regions} regions have no usable estimate; "
                    "look at the scan's report before you use the others"
                )
            lost.update(outcome.lost)
        messages.progress(done, len(job.tasks), "scans")
    if failed and len(failed) == len(job.tasks):
        raise InputError("no scan could be analysed:\n\n" + "\n\n".join(f"{k}: {v}" for k, v in failed.items()))
    if lost:
        told = ", ".join(f"{region} in {count} of {done} scans" for region, count in lost.most_common(8))
        messages.say(f"left out of every summary, for reasons in the reports: {told}{' ...' if len(lost) > 8 else ''}")
    messages.say(f"{done - len(failed) - skipped} scans analysed, {skipped} kept from before, {len(failed)} failed")
    return failed
