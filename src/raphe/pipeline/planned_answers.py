"""``raphe stats``: a plan's contrasts on a table of estimates, or on a folder of maps."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from raphe.data.estimates import Estimates
from raphe.data.finding import Finding
from raphe.data.people import NOT_KNOWN
from raphe.data.pharmacology_tables import Pharmacology
from raphe.data.record import Step
from raphe.data.results import Contrast
from raphe.data.scan import Scan
from raphe.errors import InputError, nearest
from raphe.io import derivatives as names
from raphe.io.contrasts import write_contrast, write_contrast_values
from raphe.io.not_fetched import is_there
from raphe.io.participants import faults as faults_of
from raphe.io.pharmacology import write_pharmacology
from raphe.io.provenance import fingerprint, remove_outdated, sha256, write_record
from raphe.io.results import read_estimates
from raphe.io.staging import prepare, staged
from raphe.io.tables import read_table
from raphe.pipeline.contrast_check import check_contrasts
from raphe.pipeline.contrasts_of import Made, contrasts_of, material_of
from raphe.pipeline.estimates_check import check_vary, copied, implausible
from raphe.pipeline.exclusions_of_results import TakenOut, exclusions_of_results
from raphe.pipeline.findings import paragraphs, refuse_errors
from raphe.pipeline.messages import Messages
from raphe.pipeline.people_of import people_of
from raphe.pipeline.pharmacology_of import pharmacology_of
from raphe.pipeline.plan import StudyPlan, read_plan, with_regions_as
from raphe.pipeline.stats_of_maps import stats_of_maps
from raphe.report.pharmacology import parts_of
from raphe.report.verdict import family_verdict, region_verdict

NAME = "stats"
"""Of the record of what was done."""

NONE = "n/a"
"""What is printed for a number that there is not, as tables have it."""


def run(options: argparse.Namespace) -> int:
    """Make the contrasts; without ``--out`` what those of a table say is printed."""
    messages = Messages(options)
    if options.out is not None:
        prepare(options.out, (options.table,) if options.table.is_dir() else ())
    _check_given(options)
    plan = read_plan(options.plan)
    if not plan.contrasts:
        raise InputError(f"{options.plan} has no [[contrast]], so there is nothing to answer; add one")
    beside = options.plan.parent
    participants = options.participants or beside / "participants.tsv"
    phenotype = options.phenotype or beside / "phenotype"
    if options.table.is_dir():
        _check_participants(participants)
        return stats_of_maps(options, messages, plan, participants, phenotype)
    _check_table(options)
    estimates = read_estimates(options.table)
    for why in (*implausible(options.table, estimates), *copied(options.table, plan, estimates)):
        messages.warn(why)
    check_vary(options.table, plan, estimates)
    _check_participants(participants)
    persons = estimates.distinct("participant")
    people, unknown = people_of(plan, participants, phenotype, persons, _arms(options.table, plan, estimates))
    gone, faults = exclusions_of_results(plan, _scans(estimates), participants)
    refuse_errors(faults)
    if gone.told:
        messages.say(gone.told)
    estimates = _kept(options.table, estimates, gone)
    told = sorted(check_contrasts(plan, _scans(estimates), people, False, ()), key=lambda item: item[0])
    findings: list[Finding] = [*unknown, *(finding for _, finding in told)]
    refuse_errors(findings)
    for paragraph in paragraphs(findings):
        messages.warn(paragraph)
    plan = with_regions_as(plan, estimates.distinct("region"))
    made = contrasts_of(plan, estimates, people, gone.aside)
    if not made.contrasts:
        raise InputError("; ".join(made.unmade))
    pharmacology = pharmacology_of(plan, made.contrasts, material_of(plan, estimates, people, gone.aside))
    for why in (*made.unmade, *made.untested, *pharmacology.unmade, *pharmacology.warnings):
        messages.warn(why)
    if options.out is None:
        region = plan.primary.region if plan.primary else ""
        parts = parts_of(pharmacology, region)
        for contrast in made.contrasts:
            lines = [text for part in parts.get(contrast.name, ()) for text in (f"{part.title}:", *part.sentences)]
            print("\n".join([*_printed(contrast, region), *lines]), end="\n\n")
        return messages.code
    for path in _write(options, plan, made, pharmacology, gone):
        print(path)
    return messages.code


def _printed(contrast: Contrast, region: str) -> list[str]:
    """Lines that tell a contrast on a terminal."""
    width = max((len(row.pairs.region) + len(row.term) + 1 for row in contrast.rows), default=0)
    lines = [f"{contrast.name} ({contrast.status}): {contrast.what}; {contrast.method}"]
    lines += [f"note: {note}" for note in contrast.notes]
    lines.append(f"{'region':<{width}} {'estimate':>10} {'95 % CI':>23} {'p':>8} {'adjusted':>8} {'n':>3}")
    for row in contrast.rows:
        name = " ".join(part for part in (row.pairs.region, row.term if row.secondary else "") if part)
        span = f"{row.ci_low:.4g} to {row.ci_high:.4g}" if math.isfinite(row.ci_low + row.ci_high) else NONE
        cells = _cell(row.estimate, 4), span, _cell(row.p, 3), _cell(row.p_adjusted, 3), str(len(row.pairs))
        numbers = " ".join(cell.rjust(size) for cell, size in zip(cells, (10, 23, 8, 8, 3), strict=True))
        lines.append(f"{name:<{width}} {numbers}" + (f"  {row.why}" if row.why else ""))
    named = [row for row in contrast.rows if contrast.by_own_p and row.pairs.region == region and not row.secondary]
    others = [row for row in contrast.rows if not row.secondary and row not in named]
    told = [family_verdict(contrast)] if others or not named else []
    return [*lines, *(region_verdict(contrast, row) for row in named), *told]


def _cell(value: float, digits: int) -> str:
    return f"{value:.{digits}g}" if math.isfinite(value) else NONE


def _check_given(options: argparse.Namespace) -> None:
    """Refuse a file or folder that was named and is not there."""
    if options.participants is not None and not is_there(options.participants):
        raise InputError(f"--participants {options.participants} is no file; name participants.tsv")
    if options.phenotype is not None and not options.phenotype.is_dir():
        raise InputError(f"--phenotype {options.phenotype} is no folder; name that of the scores")


def _check_table(options: argparse.Namespace) -> None:
    """Refuse what is of maps alone."""
    for word, given in (("--entity", options.entity), ("--workers", options.workers)):
        if given:
            raise InputError(f"{word} is of maps, but {options.table} is no folder; leave it out, or name a folder")


def _check_participants(path: Path) -> None:
    """Refuse a table in which a participant stands twice, say in two arms."""
    for fault in faults_of(read_table(path)) if is_there(path) else ():
        raise fault


def _arms(table: Path, plan: StudyPlan, estimates: Estimates) -> dict[str, str]:
    """Arm of each participant by the table of estimates.

    Raises
    ------
    InputError
        If a participant is in two arms, or in one that the plan does not have.
    """
    known = [arm.name for arm in plan.arms]
    found: dict[str, str] = {}
    for row in estimates.rows:
        if row.arm.lower() in NOT_KNOWN:
            continue
        if known and row.arm not in known:
            raise InputError(
                f"{table}: participant {row.participant!r} is in arm {row.arm!r}, which has no [[arm]] in the plan; "
                f"{nearest(row.arm, known)}"
            )
        if found.setdefault(row.participant, row.arm) != row.arm:
            raise InputError(
                f"{table}: participant {row.participant!r} is in two arms, {found[row.participant]!r} and {row.arm!r}; "
                "mend the table, for a person belongs to one"
            )
    return found


def _kept(table: Path, estimates: Estimates, gone: TakenOut) -> Estimates:
    """Estimates of the scans that take part."""
    kept = tuple(row for row in estimates.rows if not gone.holds(row.participant, row.session, row.tracer))
    if not kept:
        raise InputError(f"{table}: {gone.path} excludes every scan of it; take rows out of that")
    return Estimates(kept)


def _scans(estimates: Estimates) -> list[Scan]:
    distinct = dict.fromkeys((row.participant, row.session, row.tracer) for row in estimates.rows)
    return [Scan(person, session or None, tracer=tracer) for person, session, tracer in distinct]


def _write(
    options: argparse.Namespace, plan: StudyPlan, made: Made, beside: Pharmacology, gone: TakenOut
) -> list[Path]:
    """Write all tables or none; the paths of the results."""
    inputs = {"plan": options.plan, "table": options.table}
    if gone.path is not None:
        inputs["exclusions"] = gone.path
    read = Step("read_estimates", {}, inputs={key: sha256(path) for key, path in inputs.items()})
    with staged(options.out) as stage:
        files = []
        for contrast in made.contrasts:
            files.append(names.contrast(stage, contrast.name))
            write_contrast(files[-1], contrast)
            files.append(names.contrast_values(stage, contrast.name))
            write_contrast_values(files[-1], contrast)
        tables = write_pharmacology(stage, beside)
        results = [file.relative_to(stage) for file in (*files[::2], *tables)]
        files += tables
        files += [names.sidecar(file) for file in files]
        record = names.provenance(options.out, NAME)
        remove_outdated(record, options.out, [file.relative_to(stage).as_posix() for file in files])
        names.write_description(stage, plan.study.title, {})
        write_record(
            names.provenance(stage, NAME),
            (read, *gone.steps, *made.steps, *beside.steps),
            fingerprint=fingerprint(dict(read.inputs), {}),
            root=stage,
            outputs=files,
            command_line=options.command_line,
        )
    return [options.out / result for result in results]
