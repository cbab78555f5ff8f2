"""The study: estimates of all scans, contrasts, agreement, and the report."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

from raphe.catalog import references
from raphe.data.estimates import Estimate, Estimates
from raphe.data.finding import Finding
from raphe.data.people import People
from raphe.data.pharmacology_tables import Pharmacology
from raphe.data.record import Step
from raphe.data.results import Agreement, Contrast
from raphe.errors import InputError
from raphe.io import derivatives as names
from raphe.io.bids import ScanCurves
from raphe.io.contrasts import write_contrast, write_contrast_values
from raphe.io.kinpar import read_kinpar
from raphe.io.pharmacology import write_pharmacology
from raphe.io.provenance import fingerprint, read_record, remove_outdated, versions, why_undone, write_record
from raphe.io.results import write_agreement, write_estimates
from raphe.io.sessions import session_key
from raphe.io.staging import staged
from raphe.io.tables import write_text
from raphe.kinetics.registry import model_type
from raphe.pipeline.concern_of import concern_of
from raphe.pipeline.contrasts_of import Made, contrasts_of, material_of
from raphe.pipeline.findings import paragraphs_of_page
from raphe.pipeline.group_maps import group_maps, remove_others
from raphe.pipeline.maps_of_study import maps_of_study
from raphe.pipeline.participant import ScanTask, fingerprint_of, parameters_path
from raphe.pipeline.people_of import ARM
from raphe.pipeline.pharmacology_of import pharmacology_of
from raphe.pipeline.plan import StudyPlan, with_regions_as
from raphe.pipeline.plan_schema import same_tracer
from raphe.pipeline.set_aside import Aside, set_aside
from raphe.quality import Quality
from raphe.report.statistic_maps import StatisticMapsView, maps_view, viewer_page
from raphe.report.study import ScanSummary, study_page
from raphe.stats.test_retest import agreement


@dataclass(frozen=True)
class GroupReport:
    """Where the report is, and what a person must read."""

    path: Path
    warnings: tuple[str, ...]


def report_group(
    out: Path,
    plan: StudyPlan | None,
    tables: Sequence[ScanCurves],
    tasks: Sequence[ScanTask],
    people: People,
    failed: Mapping[str, str],
    absent: Sequence[ScanSummary],
    findings: Sequence[Finding],
    command_line: str,
    tell: Callable[[int, int, str], None] | None = None,
) -> GroupReport:
    """Bring the scans of a study together and write its tables and its report.

    Parameters
    ----------
    out : Path
        Where the scans were written to.
    plan : StudyPlan or None
        Without one, sessions of one tracer are compared as scan and rescan.
    tables, tasks
        Scans that take part, in order.
    people : People
        What is known of the participants; the column ``arm`` is read where the plan has arms.
    failed : mapping of str to str
        Scans that could not be analysed, and why.
    absent : sequence of ScanSummary
        Scans that have no curves, those that are excluded among them.
    findings : sequence of Finding
        Warnings about the data.
    command_line : str
    tell : callable, optional
        Called during long work with how much is done, of how much, and what it is.

    Raises
    ------
    InputError
        If no scan has been analysed.
    """
    began = time.monotonic()
    done, missing = _done(out, tables, tasks, failed)
    summaries = (
        *(_summary(out, table, task, missing) for table, task in zip(tables, tasks, strict=True)),
        *absent,
    )
    if not done:
        raise InputError(f"{out}: no scan has been analysed yet; run the participant level first")
    estimates = Estimates.joined(_estimates(out, table, task, plan, people) for table, task in done)
    plan = plan and with_regions_as(plan, estimates.distinct("region"))
    regions = plan.regions.names if plan else ()
    aside, taken_out = set_aside({one.scan: one.excluded for one in summaries if one.excluded})
    made = contrasts_of(plan, estimates, people, aside) if plan else Made((), (), ())
    contrasts = made.contrasts
    beside = Pharmacology()
    if plan:
        beside = pharmacology_of(plan, contrasts, material_of(plan, estimates, people, aside))
    unmade = (*made.unmade, *beside.unmade)
    agreements, more, unmade_too = _agreements(plan, estimates, regions, aside)
    scans = [*zip(tables, tasks, strict=True)]
    maps = group_maps(plan, maps_of_study(out, scans, missing, people, estimates, command_line), tell)
    remove_others(out, maps.found)
    steps = (*taken_out, *made.steps, *beside.steps, *more, *maps.steps)
    scan_steps = [step for table, _ in done for step in read_record(names.provenance(out, table.scan.label)).steps]
    given = plan.study.title if plan else ""
    title = given or ("Test-retest study" if agreements else "Binding by region")
    viewed = maps_view(maps.found, maps.background, (*maps.notes, *maps.unmade), names.maps_report(Path()).as_posix())
    page = study_page(
        title,
        summaries,
        estimates,
        contrasts,
        agreements,
        primary_region=plan.primary.region if plan and plan.primary else "",
        primary_unmade=made.primary_unmade,
        macros={model: model_type(model).macro for model in estimates.distinct("model")},
        region_order=regions,
        steps=(*scan_steps, *steps),
        versions=versions(),
        citations={key: entry.citation for key, entry in references().items()},
        command_line=command_line,
        notes=(*paragraphs_of_page(findings, tasks[0].datasets.values()), *(f"{why}." for why in unmade)),
        maps=viewed,
        pharmacology=beside,
    )
    with staged(out) as stage:
        files = _write(stage, estimates, contrasts, beside, agreements, page)
        files += _write_viewers(stage, title, viewed)
        remove_outdated(names.provenance(out, "group"), out, [file.relative_to(stage).as_posix() for file in files])
        names.write_description(stage, tasks[0].title, tasks[0].datasets)
        step = Step("group", {"n_scans": len(done)}, seconds=time.monotonic() - began)
        mark = fingerprint({}, {"scans": [table.scan.label for table, _ in done]})
        write_record(
            names.provenance(stage, "group"),
            (*steps, step),
            fingerprint=mark,
            root=stage,
            outputs=files,
            command_line=command_line,
        )
    missing |= {one.scan.label: one.failure for one in absent if one.failure}
    left_out = [f"{scan} takes no part: {why}" for scan, why in missing.items() if scan not in failed]
    told = (*left_out, *unmade, *made.untested, *beside.warnings, *unmade_too, *maps.unmade)
    return GroupReport(names.study_report(out), told)


def _done(
    out: Path, tables: Sequence[ScanCurves], tasks: Sequence[ScanTask], failed: Mapping[str, str]
) -> tuple[list[tuple[ScanCurves, ScanTask]], dict[str, str]]:
    """Scans that take part and have been analysed, and why others that take part have not."""
    done, missing = [], dict[str, str]()
    for table, task in zip(tables, tasks, strict=True):
        if task.excluded:
            continue
        if table.scan.label in failed:
            missing[table.scan.label] = failed[table.scan.label]
            continue
        try:
            mark = fingerprint_of(task, table)
        except InputError as error:
            missing[table.scan.label] = str(error)
            continue
        if why := why_undone(names.provenance(out, table.scan.label), mark, out):
            missing[table.scan.label] = f"{why}; run the participant level for it"
        else:
            done.append((table, task))
    return done, missing


def _estimates(
    out: Path,
    table: ScanCurves,
    task: ScanTask,
    plan: StudyPlan | None,
    people: People,
) -> Estimates:
    scan = table.scan
    condition = ""
    if plan is not None:
        condition = next((s.condition or "" for s in plan.sessions if s.label == scan.session), "")
    arm = people.columns.get(ARM, {}).get(scan.participant, "") if plan is not None and plan.arms else ""
    return Estimates(
        tuple(
            Estimate(
                scan.participant,
                scan.session or "",
                task.tracer,
                condition,
                "" if arm == "n/a" else arm,
                row.region,
                model,
                row.parameter,
                row.value,
                row.se,
                row.quality & ~Quality.UNDETERMINED if row.parameter == model_type(model).macro else row.quality,
            )
            for model in task.analysis.models
            if parameters_path(out, table, model).is_file()
            for row in read_kinpar(parameters_path(out, table, model))
        )
    )


def _agreements(
    plan: StudyPlan | None, estimates: Estimates, regions: Sequence[str], aside: Aside
) -> tuple[tuple[Agreement, ...], tuple[Step, ...], list[str]]:
    """Agreement of the sessions of each tracer that the plan gives the same condition; of all, without a plan.

    Last comes why others cannot be told.
    """
    made, unmade = [], []
    for tracer, model in _analysed(estimates):
        parameter = model_type(model).macro
        own = estimates.where(tracer=tracer, model=model, parameter=parameter)
        for first, second in combinations(_sessions(plan, own), 2):
            both = {r.participant for r in own.where(session=first).rows} & {
                r.participant for r in own.where(session=second).rows
            }
            if not both or _condition(own, first) != _condition(own, second):
                continue
            if plan is not None and len(plan.arms) > 1 and not _condition(own, first):
                continue  # people were treated in between, and no condition says that these sessions are alike
            try:
                made.append(
                    agreement(
                        own,
                        tracer=tracer,
                        model=model,
                        parameter=parameter,
                        first=first,
                        second=second,
                        regions=[region for region in regions if region in own.distinct("region")],
                        excluded=aside.get(same_tracer(tracer), {}),
                    )
                )
            except InputError as error:
                unmade.append(f"the agreement of sessions {first!r} and {second!r} cannot be told: {error}")
    return tuple(one for one, _ in made), tuple(step for _, step in made), unmade


def _analysed(estimates: Estimates) -> list[tuple[str, str]]:
    """Give every tracer with every model that it was analysed by, in order."""
    return list(dict.fromkeys((row.tracer, row.model) for row in estimates.rows))


def _sessions(plan: StudyPlan | None, own: Estimates) -> list[str]:
    there = own.distinct("session")
    if plan is not None and plan.sessions:
        return [session.label for session in plan.sessions if session.label in there]
    return sorted(there, key=session_key)


def _condition(own: Estimates, session: str) -> str:
    return own.where(session=session).rows[0].condition


def _summary(out: Path, table: ScanCurves, task: ScanTask, missing: Mapping[str, str]) -> ScanSummary:
    scan = replace(table.scan, tracer=task.tracer)
    if scan.label in missing:
        return ScanSummary(scan, failure=missing[scan.label])
    frames = table.sidecar.frames
    concern = None if task.keeps_curves or frames is None else concern_of(out, scan, frames)
    report = names.scan_report(out, scan, task.alone)
    href = report.relative_to(out).as_posix() if report.is_file() or not task.excluded else ""
    return ScanSummary(scan, href=href, excluded=task.excluded, concern=concern)


def _write(
    stage: Path,
    estimates: Estimates,
    contrasts: Sequence[Contrast],
    beside: Pharmacology,
    agreements: Sequence[Agreement],
    page: str,
) -> list[Path]:
    files = [names.estimates(stage)]
    write_estimates(files[0], estimates)
    for contrast in contrasts:
        files.append(names.contrast(stage, contrast.name))
        write_contrast(files[-1], contrast)
        files.append(names.contrast_values(stage, contrast.name))
        write_contrast_values(files[-1], contrast)
    files += write_pharmacology(stage, beside)
    for one in agreements:
        files.append(names.agreement(stage, one.tracer, one.model, one.parameter, one.first, one.second))
        write_agreement(files[-1], one)
    files += [names.sidecar(file) for file in files]
    files.append(names.study_report(stage))
    write_text(files[-1], page)
    return files


def _write_viewers(stage: Path, title: str, maps: StatisticMapsView | None) -> list[Path]:
    """Write the viewers where they have a page of their own."""
    if maps is None or not maps.page:
        return []
    file = names.maps_report(stage)
    write_text(file, viewer_page(title, maps, "../report.html", versions()))
    return [file]
