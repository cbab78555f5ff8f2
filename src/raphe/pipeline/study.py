"""``raphe run``: every scan of a study, then the study itself."""

from __future__ import annotations

import argparse
import functools
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from raphe.data.finding import Finding
from raphe.errors import InputError, RapheError
from raphe.io.bids import read_study
from raphe.io.datasets import dataset_roots, find_tables
from raphe.io.raw_scans import RawScan, has_images
from raphe.io.staging import prepare
from raphe.io.tables import shortened
from raphe.kinetics.k2_prime import doubt_of
from raphe.pipeline.exclusions import Exclusions, exclusions_of
from raphe.pipeline.execute import execute
from raphe.pipeline.findings import paragraphs, refuse_errors
from raphe.pipeline.group import report_group
from raphe.pipeline.job import Job, checked, find_plan, read_job
from raphe.pipeline.map_files import files_of_maps
from raphe.pipeline.messages import Messages
from raphe.pipeline.participant import ScanOutcome, analyse_scan, roots_of
from raphe.pipeline.plan import StudyPlan
from raphe.pipeline.plan_of_images import check_plan_of_images
from raphe.pipeline.preprocess import preprocess, preprocessed_tables, raw_scans, refuse_others
from raphe.pipeline.unread import Unread
from raphe.pipeline.voxels import ROBUST, SHARE
from raphe.report.study import ScanSummary
from raphe.report.wording import count

FAILED = 3

UNMASKED = (
    f"no brain mask (*_desc-brain_mask.nii.gz) is on the grid of the image, so voxels are mapped whose mean activity "
    f"exceeds {100 * SHARE:g} % of the {ROBUST:g}th percentile, an assumption; a mask in the data set or a derivative "
    "(--derivatives) names others"
)


def run(options: argparse.Namespace) -> int:
    """Check everything, then analyse the scans and report the study."""
    messages = Messages(options)
    derivatives = dataset_roots(options.bids, options.derivatives, but=options.out)
    prepare(options.out, [options.bids, *derivatives])
    plan = find_plan(options.bids, options.plan)
    excluded, faults = exclusions_of(options.bids, derivatives, plan, preprocessed_tables(options.out))
    refuse_errors(faults)
    lost: tuple[ScanSummary, ...] = ()
    if options.level in ("participant", "all"):
        raws, lost = _preprocessed(options, derivatives, plan, excluded, messages)
        if options.dry_run and raws and not _has_curves(options, derivatives):
            return messages.code
    if isinstance(options.k2_prime, float) and (doubt := doubt_of(options.k2_prime)):
        messages.warn(f"--k2-prime: {doubt}")
    job = read_job(options, derivatives, plan, excluded, lost)
    failed = {one.scan.label: one.failure for one in lost if one.failure}
    for tell, must in ((messages.warn, True), (messages.say, False)):
        for paragraph in paragraphs([one for one in job.findings if _must_be_read(one, job) == must]):
            tell(paragraph)
    if options.dry_run:
        for table, task in zip(job.tables, job.tasks, strict=True):
            print(f"would fit {', '.join(task.analysis.models)} to {task.table}")
            if task.maps is not None:
                print(f"would map {files_of_maps(table, task.maps, task.bids, roots_of(task)).image}")
        return messages.code
    if options.level in ("participant", "all"):
        failed |= _analyse(job, options, messages)
    if options.level in ("group", "all"):
        set_aside = [f"{label} ({why})" for label, why in job.excluded.items()]
        if set_aside:
            told = f"{count(len(set_aside), 'scan')} excluded from every table and figure of the study"
            messages.say(f"{told}: {shortened(set_aside, 8)}")
        report = report_group(
            options.out,
            job.plan,
            job.tables,
            job.tasks,
            job.people,
            failed,
            job.absent,
            job.findings,
            options.command_line,
            messages.progress,
        )
        for warning in report.warnings:
            messages.warn(warning)
        print(report.path)
    return FAILED if failed else messages.code


def _must_be_read(finding: Finding, job: Job) -> bool:
    """Whether a warning may bear on the results: those about scans that take part, plan and covariates do."""
    about_a_scan = any(part.startswith("sub-") for part in finding.path.parts) and finding not in job.unread.findings
    about_the_plan = job.plan is not None and finding.path == job.plan.path
    return about_a_scan or about_the_plan or finding in job.of_people


def _preprocessed(
    options: argparse.Namespace,
    derivatives: Sequence[Path],
    plan: StudyPlan | None,
    excluded: Exclusions,
    messages: Messages,
) -> tuple[int, tuple[ScanSummary, ...]]:
    """Make curves of the scans that have images alone: how many these are, and those that failed."""
    if not has_images(options.bids):
        return 0, ()
    found, unread = checked(options, derivatives, excluded)
    raws = raw_scans(options, derivatives, plan, unread.reads)
    if not raws:
        if not _has_curves(options, derivatives):
            refuse_others(options, derivatives, plan)
        return 0, ()
    _check_plan(raws, options, derivatives, plan, excluded, unread)
    taken_out = {raw.scan.label: why for raw in raws if (why := excluded.reason(raw.scan))}
    lost = preprocess(raws, options, derivatives, plan, messages, taken_out, {one.message for one in found})
    return len(raws), tuple(
        ScanSummary(raw.scan, failure="" if label in taken_out else lost[label], excluded=taken_out.get(label, ""))
        for raw in raws
        if (label := raw.scan.label) in lost
    )


def _check_plan(
    raws: Sequence[RawScan],
    options: argparse.Namespace,
    derivatives: Sequence[Path],
    plan: StudyPlan | None,
    excluded: Exclusions,
    unread: Unread,
) -> None:
    """Refuse a plan that the scans cannot answer before hours are spent on their images."""
    if options.level == "participant":
        return
    scans = [raw.scan for raw in raws]
    if _has_curves(options, derivatives, ()):  # those that raphe made are of the images
        scans += [table.scan for table in read_study(options.bids, derivatives, wanted=unread.reads).tables]
    partial = bool(unread.scans or options.participant_label or options.session_label or options.tracer)
    refuse_errors(check_plan_of_images(options.bids, plan, scans, excluded, partial=partial))


def _has_curves(options: argparse.Namespace, derivatives: Sequence[Path], more: Sequence[Path] | None = None) -> bool:
    """Whether there are curves, be it in the datasets or among ``more``, by default what was made in the output."""
    try:
        return bool(find_tables(options.bids, derivatives, preprocessed_tables(options.out) if more is None else more))
    except InputError:
        return False


def _analyse(job: Job, options: argparse.Namespace, messages: Messages) -> dict[str, str]:
    """Work on the scans; the labels of those that failed, with the reasons.

    Raises
    ------
    InputError
        If no scan could be analysed; nothing has been written then.
    """
    failed: dict[str, str] = {}
    work = functools.partial(analyse_scan, restart=options.restart)
    labels = {task.table: table.scan.label for task, table in zip(job.tasks, job.tables, strict=True)}
    done = skipped = 0
    lost: Counter[str] = Counter()
    unmasked: list[str] = []
    for task, outcome in execute(work, job.tasks, options.workers, options.debug):
        done += 1
        if isinstance(outcome, RapheError) and task.excluded:
            messages.say(f"{labels[task.table]}, which is excluded ({task.excluded}), failed: {outcome}")
        elif isinstance(outcome, RapheError):
            failed[labels[task.table]] = str(outcome)
        elif isinstance(outcome, ScanOutcome):
            skipped += outcome.skipped
            messages.detail(
                f"{outcome.label} {'was done before' if outcome.skipped else f'took {outcome.seconds:.1f} s'}"
            )
            for why in outcome.not_fitted:
                messages.warn(f"{outcome.label}: {why}; its other models were fitted")
            for warning in (*outcome.doubts, *outcome.of_maps):
                messages.warn(f"{outcome.label}: {warning}")
            unmasked += [outcome.label] if outcome.unmasked else []
            if 2 * len(outcome.lost) > outcome.n_regions:
                messages.warn(
                    f"{outcome.label}: {len(outcome.lost)} of {outcome.n_regions} regions have no usable estimate; "
                    "look at the scan's report before you use the others"
                )
            lost.update(outcome.lost)
        messages.progress(done, len(job.tasks), "scans")
    told = paragraphs([Finding("error", Path(scan), "", f"{scan}: {why}") for scan, why in failed.items()])
    if failed and len(failed) == len(job.tasks):
        raise InputError("no scan could be analysed. " + "\n\n".join(told))
    for paragraph in told:
        messages.error(f"a scan failed. {paragraph}")
    if unmasked:
        messages.say(f"{count(len(unmasked), 'scan')} ({shortened(unmasked, 4)}): {UNMASKED}")
    if lost:
        named = ", ".join(f"{region} in {n} of {count(done, 'scan')}" for region, n in lost.most_common(8))
        messages.say(f"left out of every summary, for reasons in the reports: {named}{' ...' if len(lost) > 8 else ''}")
    messages.say(f"{done - len(failed) - skipped} scans analysed, {skipped} kept from before, {len(failed)} failed")
    return failed
