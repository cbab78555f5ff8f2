"""``raphe check``: what is wrong with a data set and its plan, before any work."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from raphe.catalog import find_tracer
from raphe.data.finding import Finding
from raphe.data.scan import Scan
from raphe.errors import InputError, PlanError
from raphe.io.bids import ScanCurves, read_study
from raphe.io.check import check_dataset
from raphe.io.datasets import dataset_roots
from raphe.io.raw_images import find_images
from raphe.io.raw_scans import find_raw_scans, has_images
from raphe.kinetics.registry import model_type
from raphe.pipeline.arterial import remarks_on_blood
from raphe.pipeline.atlas_choice import check_files
from raphe.pipeline.examination import examine
from raphe.pipeline.exclusions import Exclusions, exclusions_of, refuse_nothing_left
from raphe.pipeline.findings import paragraphs
from raphe.pipeline.job import choose_tables, find_plan, planned_maps
from raphe.pipeline.map_files import files_of_maps
from raphe.pipeline.messages import Messages
from raphe.pipeline.own_regions import faults_of_segmentations
from raphe.pipeline.people_of import people_of
from raphe.pipeline.plan import StudyPlan
from raphe.pipeline.plan_of_images import check_plan_of_images
from raphe.pipeline.preprocess_choices import preprocessing
from raphe.pipeline.session_order import doubts_of_order
from raphe.pipeline.unread import Unread, spared

WARNINGS, ERRORS = 1, 2


def run(options: argparse.Namespace) -> int:
    """Print every finding; 0 clean, 1 warnings, 2 errors."""
    messages = Messages(options)
    findings = check(options.bids, options.derivatives, options.plan)
    for finding in findings:
        messages.detail(f"{finding.severity}: {finding.message}")
    if options.json:
        print(json.dumps([_plain(finding) for finding in findings], indent=2, ensure_ascii=False))
    else:
        for severity in ("error", "warning"):
            for paragraph in paragraphs([finding for finding in findings if finding.severity == severity]):
                print(f"{severity}: {paragraph}\n")
        errors = sum(finding.severity == "error" for finding in findings)
        messages.say(f"errors: {errors}, warnings: {len(findings) - errors} in {options.bids}")
    severities = {finding.severity for finding in findings}
    return ERRORS if "error" in severities else WARNINGS if severities else 0


def check(bids: Path, derivatives: Sequence[Path] = (), plan_path: Path | None = None) -> tuple[Finding, ...]:
    """Findings of a data set, and of its plan held against it, errors first.

    Parameters
    ----------
    bids : Path
        Root of the data set.
    derivatives : sequence of Path, optional
        Where the curves are; every folder of ``derivatives/`` by default.
    plan_path : Path, optional
        Study plan; ``raphe.toml`` of the data set by default.
    """
    roots = dataset_roots(bids, derivatives)
    plan, faults = None, list[Finding]()
    try:
        plan = find_plan(bids, plan_path)
    except InputError as error:
        faults.append(_of_plan(error, bids, plan_path))
    excluded, unfit = exclusions_of(bids, roots, plan)
    kept, unread = spared(check_dataset(bids, roots, blood_unit=_blood_unit(plan)), excluded)
    findings = [*kept, *unread.findings, *unfit]
    tables: Sequence[ScanCurves] = ()
    try:
        tables = read_study(bids, roots, wanted=unread.reads).tables
        findings += remarks_on_blood(tables, _samples_alone(tables, plan))
    except InputError:
        pass  # a finding of the data set tells it
    findings += faults
    findings += _of_atlases(bids, plan, plan_path)
    if not any(finding.severity == "error" for finding in findings):
        try:
            findings += _against_plan(bids, roots, plan, tables, excluded, unread)
        except InputError as error:
            findings.append(_of_plan(error, bids, plan_path))
    scans = [table.scan for table in tables] or _named_scans(bids)
    findings += doubts_of_order(bids, [scan for scan in scans if not excluded.reason(scan)], plan)
    errors = {finding.message for finding in findings if finding.severity == "error"}
    findings = [one for one in findings if one.severity == "error" or one.message not in errors]
    return tuple(sorted(dict.fromkeys(findings), key=lambda finding: finding.severity))


def _blood_unit(plan: StudyPlan | None) -> Callable[[str], str | None]:
    """Unit that a plan gives for the blood of a tracer."""

    def unit(name: str) -> str | None:
        tracer = None if plan is None else plan.tracer(name)
        return None if tracer is None else tracer.blood_unit

    return unit


def _against_plan(
    bids: Path,
    roots: Sequence[Path],
    plan: StudyPlan | None,
    tables: Sequence[ScanCurves],
    excluded: Exclusions,
    unread: Unread,
) -> tuple[Finding, ...]:
    """What is found when the plan is held against curves, or images where there are no curves yet.

    Raises
    ------
    InputError
        If nothing can be analysed.
    """
    partial = bool(unread.scans)
    if not tables and has_images(bids):
        choices = preprocessing(plan)
        raws = find_raw_scans(bids, roots, t1=choices.t1, anatomy=choices.anatomy, wanted=unread.reads)
        found = check_plan_of_images(bids, plan, [raw.scan for raw in raws], excluded, partial=partial)
        kept = [raw for raw in raws if not excluded.reason(raw.scan)]
        return (*found, *faults_of_segmentations(kept, choices, roots))
    chosen = _tables(bids, roots, plan, unread)
    refuse_nothing_left([table.scan for table in chosen], excluded)
    persons = {table.scan.participant for table in tables}
    people, unknown = people_of(plan, bids / "participants.tsv", bids / "phenotype", persons)
    taken_out = {table.scan.label for table in chosen if excluded.reason(table.scan)}
    examined = examine(chosen, plan, {}, partial=partial, excluded=taken_out, people=people)
    return (*unknown, *examined.findings, *_without_image(examined.tables, plan, bids, roots))


def _named_scans(bids: Path) -> list[Scan]:
    """Scans by the names of the raw images."""
    named = (dict(name.scan) for name in find_images(bids).pet)
    return [Scan(own.pop("sub"), own.pop("ses", None), tuple(own.items())) for own in named]


def _of_atlases(bids: Path, plan: StudyPlan | None, plan_path: Path | None) -> Iterator[Finding]:
    """Yield what the plan says of atlases and their files that cannot be followed."""
    if plan is None or not has_images(bids):
        return
    try:
        check_files(preprocessing(plan))
    except InputError as error:
        yield Finding("error", plan_path or bids / "raphe.toml", "", f"{plan.path}: {error}")


def _without_image(
    tables: Sequence[ScanCurves], plan: StudyPlan | None, bids: Path, roots: Sequence[Path]
) -> Iterator[Finding]:
    """Yield scans of which the plan asks for maps that cannot be made for want of an image or a mask."""
    maps = planned_maps(plan)
    if maps is None:
        return
    for table in tables:
        try:
            files_of_maps(table, maps, bids, roots)
        except InputError as error:
            yield Finding("error", table.path, "", str(error))


def _of_plan(error: InputError, bids: Path, plan_path: Path | None) -> Finding:
    if isinstance(error, PlanError):
        return Finding("error", plan_path or bids / "raphe.toml", "", str(error))
    return Finding("error", bids, "", str(error))


def _samples_alone(tables: Sequence[ScanCurves], plan: StudyPlan | None) -> set[str]:
    """Labels of scans whose models by the plan need a few samples of plasma, and no whole input."""
    found = set()
    for table in tables:
        tracer = None if plan is None else plan.tracer(table.scan.tracer)
        needs = {need for name in (tracer.models if tracer else ()) for need in model_type(name).needs}
        if "samples" in needs and "plasma" not in needs:
            found.add(table.scan.label)
    return found


def _tables(bids: Path, roots: Sequence[Path], plan: StudyPlan | None, unread: Unread) -> Sequence[ScanCurves]:
    """One table for each scan; without a plan, those of whose analysis the catalog knows enough."""
    study = read_study(bids, roots, wanted=unread.reads)
    if plan is not None:
        return choose_tables(study, plan)
    known = [table for table in study.tables if find_tracer(table.scan.tracer) is not None]
    several = Counter(table.scan.label for table in known)
    return [table for table in known if several[table.scan.label] == 1]


def _plain(finding: Finding) -> dict[str, str]:
    return {
        "severity": finding.severity,
        "path": str(finding.path),
        "field": finding.field,
        "message": finding.message,
    }
