"""``raphe stats``: a plan's contrasts on a table of estimates, or on a folder of maps."""

from __future__ import annotations

import argparse
import math
from collections import Counter
from collections.abc import Iterator
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
from raphe.io.participants import faults as faults_of
from raphe.io.pharmacology import write_pharmacology
from raphe.io.provenance import fingerprint, remove_outdated, sha256, write_record
from raphe.io.results import read_estimates
from raphe.io.staging import prepare, staged
from raphe.io.tables import read_table
from raphe.kinetics.judgement import PLAUSIBLE
from raphe.nomenclature import region_key
from raphe.pipeline.contrast_check import check_contrasts
from raphe.pipeline.contrast_rules import tracers_of
from raphe.pipeline.contrasts_of import Made, contrasts_of, material_of
from raphe.pipeline.exclusions_of_results import TakenOut, exclusions_of_results
from raphe.pipeline.findings import paragraphs, refuse_errors
from raphe.pipeline.messages import Messages
from raphe.pipeline.people_of import people_of
from raphe.pipeline.pharmacology_of import pharmacology_of
from raphe.pipeline.plan import StudyPlan, read_plan, with_regions_as
from raphe.pipeline.plan_schema import same_tracer
from raphe.pipeline.stats_of_maps import stats_of_maps
from raphe.quality import WORD, Quality
from raphe.report.pharmacology import parts_of
from raphe.report.verdict import family_verdict, region_verdict

NAME = "stats"
"""Of the record of what was done."""

FEW = 3
"""Fewer equal values than that may be chance, or rounding."""


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
    _check_once(options.table, estimates)
    for why in _implausible(options.table, estimates):
        messages.warn(why)
    _check_vary(options.table, plan, estimates)
    _check_participants(participants)
    people, unknown = people_of(plan, participants, phenotype, _arms(options.table, plan, estimates))
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
        span = f"{row.ci_low:.4g} to {row.ci_high:.4g}"
        numbers = f"{row.estimate:>10.4g} {span:>23} {row.p:>8.3g} {row.p_adjusted:>8.3g} {len(row.pairs):>3}"
        lines.append(f"{name:<{width}} {numbers}" + (f"  {row.why}" if row.why else ""))
    named = [row for row in contrast.rows if contrast.by_own_p and row.pairs.region == region and not row.secondary]
    others = [row for row in contrast.rows if not row.secondary and row not in named]
    told = [family_verdict(contrast)] if others or not named else []
    return [*lines, *(region_verdict(contrast, row) for row in named), *told]


def _check_given(options: argparse.Namespace) -> None:
    """Refuse a file or folder that was named and is not there."""
    if options.participants is not None and not options.participants.is_file():
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
    for fault in faults_of(read_table(path)) if path.is_file() else ():
        raise fault


def _check_once(table: Path, estimates: Estimates) -> None:
    """Refuse two rows of one value."""
    count = Counter((*row[:3], *row[5:8]) for row in estimates.rows)
    for (who, session, tracer, region, model, parameter), n in count.items():
        if n > 1:
            raise InputError(
                f"{table}: participant {who!r} has {n} rows of {parameter} by {model} of {tracer} in region "
                f"{region!r}, session {session!r}; keep one"
            )


def _implausible(table: Path, estimates: Estimates) -> Iterator[str]:
    """Tell of values that no fit would leave unflagged, which somebody has written: the first, and of how many."""
    odd = [
        row
        for row in estimates.usable().rows
        if row.parameter in PLAUSIBLE and not PLAUSIBLE[row.parameter][0] < row.value < PLAUSIBLE[row.parameter][1]
    ]
    for row in odd[:1]:
        low, high = PLAUSIBLE[row.parameter]
        more = f", and {len(odd) - 1} more are as odd" if len(odd) > 1 else ""
        yield (
            f"{table}: {row.parameter} of participant {row.participant!r}, session {row.session!r}, region "
            f"{row.region!r} is {row.value:g}, where {low:g} to {high:g} is plausible{more}; mend it, or flag it "
            f"({WORD[Quality.IMPLAUSIBLE]} in the column quality)"
        )


def _check_vary(table: Path, plan: StudyPlan, estimates: Estimates) -> None:
    """Refuse what a contrast asks of where it is the same in everyone, in the primary region or in all regions."""
    asked = {(same_tracer(tracer), one.parameter) for one in plan.contrasts for tracer in tracers_of(one)}
    values: dict[tuple[str, str, str, str], dict[str, list[float]]] = {}
    for row in estimates.rows:
        if (same_tracer(row.tracer), row.parameter) in asked and not math.isnan(row.value):
            one = values.setdefault((row.tracer, row.model, row.parameter, row.session), {})
            one.setdefault(row.region, []).append(row.value)
    key = region_key(plan.primary.region) if plan.primary else ""
    for (tracer, model, parameter, session), regions in values.items():
        alike = {name for name, found in regions.items() if len(found) >= FEW and len(set(found)) == 1}
        named = [name for name in alike if region_key(name) == key]
        if named or alike >= set(regions):
            where = named[0] if named else min(alike)
            others = "" if len(regions) == 1 or alike < set(regions) else " (every region likewise)"
            raise InputError(
                f"{table}: {parameter} by {model} of {tracer} in region {where!r}{others} is {regions[where][0]:g} in "
                f"all {len(regions[where])} participants of session {session!r}; measurements vary, and nothing can be "
                "compared that does not: mend the column value"
            )


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
