"""``raphe stats`` on a folder of maps: a plan's contrasts voxel by voxel, with a page that shows them."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from raphe.catalog import references
from raphe.data.finding import Finding
from raphe.data.people import People
from raphe.data.record import Step
from raphe.data.scan import Scan
from raphe.errors import InputError
from raphe.io import derivatives as names
from raphe.io.provenance import fingerprint, remove_outdated, sha256, versions, write_record
from raphe.io.staging import staged
from raphe.io.tables import write_text
from raphe.pipeline.contrast_check import check_contrasts
from raphe.pipeline.contrasts_of import question_of
from raphe.pipeline.exclusions_of_results import TakenOut, exclusions_of_results
from raphe.pipeline.findings import paragraphs, refuse_errors
from raphe.pipeline.group_maps import GroupMaps, ScansOfMaps, group_maps, remove_others, written_for
from raphe.pipeline.map_doubts import doubts_of_maps
from raphe.pipeline.map_question import asked
from raphe.pipeline.maps_of_folder import WAYS, MapsOfFolder, check_models, check_once, maps_of_folder
from raphe.pipeline.messages import Messages
from raphe.pipeline.people_of import people_of
from raphe.pipeline.plan import StudyPlan
from raphe.pipeline.plan_schema import ContrastSection
from raphe.report.statistic_maps import maps_page, maps_view

NAME = "stats_maps"
"""Of the record of what was read and shown; each contrast has one of its own."""

DATASET = "maps"
"""Name of the folder in BIDS URIs."""


def stats_of_maps(
    options: argparse.Namespace, messages: Messages, plan: StudyPlan, participants: Path, phenotype: Path
) -> int:
    """Make the contrasts of a plan voxel by voxel of the maps in a folder; the exit code.

    Parameters
    ----------
    options : argparse.Namespace
        ``table`` (the folder), ``out``, ``entity``, ``workers`` and ``command_line``.
    messages : Messages
    plan : StudyPlan
    participants, phenotype : Path
        What is known of the participants; need not be there.

    Raises
    ------
    InputError
        If the plan or the maps are unusable, or no contrast can be made.
    """
    _check_asked(options, plan)
    contrasts, of_regions = _voxelwise(plan)
    folder: Path = options.table
    maps = maps_of_folder(plan, folder, contrasts, options.entity)
    people, unknown = people_of(plan, participants, phenotype, {one.participant for one in maps.scans()})
    gone, faults = exclusions_of_results(plan, _named(maps), participants)
    refuse_errors([*unknown, *faults])
    maps = _kept(maps, gone)
    possible, unmade, doubts = _possible(plan, contrasts, maps, people)
    check_once(possible, maps)
    scans = ScansOfMaps(
        options.out, maps.scans(), maps.analysed, gone.why, people, options.command_line, {DATASET: folder},
        options.workers or os.cpu_count() or 1, "no map", WAYS,
    )  # fmt: skip
    made = group_maps(plan.model_copy(update={"contrasts": possible}), scans, messages.progress)
    unmade = (*unmade, *made.unmade)
    if not made.found:
        raise InputError("; ".join(unmade))
    notes = (*maps.notes, *of_regions, *([gone.told] if gone.told else []))
    for note in notes:
        messages.say(note)
    for why in (*paragraphs(unknown), *doubts, *doubts_of_maps(scans.scans), *unmade):
        messages.warn(why)
    remove_others(options.out, made.found)
    page = _write(options, plan, participants, maps, made, gone, (*notes, *unmade))
    for path in (*(path for one in made.found for path in written_for(options.out, one.name)), page):
        print(path)
    return messages.code


def _check_asked(options: argparse.Namespace, plan: StudyPlan) -> None:
    if options.out is None:
        raise InputError(
            f"{options.table} is a folder of maps, and its contrasts are maps too; name a folder for them (--out)"
        )
    if plan.maps is None or plan.maps.permutations is None:
        raise InputError(
            f"{plan.path}: contrasts of maps need permutations, which [maps] does not say; write permutations = 5000 "
            "under [maps]"
        )


def _voxelwise(plan: StudyPlan) -> tuple[tuple[ContrastSection, ...], tuple[str, ...]]:
    """Contrasts that are made voxel by voxel, and why others are not."""
    kept, why = [], []
    for contrast in plan.contrasts:
        try:
            asked(question_of(plan, contrast, ()), (), ())
            kept.append(contrast)
        except InputError as error:
            why.append(f"contrast {contrast.name!r} is not made voxel by voxel: {error}")
    if not kept:
        raise InputError(f"{plan.path}: {'; '.join(why)}; so there is nothing to make of maps")
    return tuple(kept), tuple(why)


def _named(maps: MapsOfFolder) -> list[Scan]:
    return [Scan(one.participant, one.session or None, tracer=one.tracer) for one in maps.scans()]


def _kept(maps: MapsOfFolder, gone: TakenOut) -> MapsOfFolder:
    """Maps of the scans that take part."""
    kept = {key: own for key, own in maps.maps.items() if not gone.holds(key.participant, key.session, key.tracer)}
    if not kept:
        raise InputError(f"{maps.folder}: {gone.path} excludes every scan of it; take rows out of that")
    return MapsOfFolder(maps.folder, kept, maps.notes)


def _possible(
    plan: StudyPlan, contrasts: Sequence[ContrastSection], maps: MapsOfFolder, people: People
) -> tuple[tuple[ContrastSection, ...], tuple[str, ...], tuple[str, ...]]:
    """Contrasts whose scans and people are there, why others cannot be made, and doubts about the former."""
    scans = _named(maps)
    possible, unmade, told = [], list[str](), dict[Finding, None]()
    for contrast in contrasts:
        try:
            check_models(contrast, maps, plan)
            findings = [finding for _, finding in check_contrasts(plan, scans, people, False, (), {contrast.name})]
            if errors := [finding for finding in findings if finding.severity == "error"]:
                raise InputError("; ".join(paragraphs(errors)))
            told.update(dict.fromkeys(findings))
            possible.append(contrast)
        except InputError as error:
            unmade.append(f"contrast {contrast.name!r} cannot be made voxel by voxel: {error}")
    if not possible:
        raise InputError("; ".join(unmade))
    return tuple(possible), tuple(unmade), tuple(paragraphs([*told]))


def _write(
    options: argparse.Namespace,
    plan: StudyPlan,
    participants: Path,
    maps: MapsOfFolder,
    made: GroupMaps,
    gone: TakenOut,
    notes: Sequence[str],
) -> Path:
    """Write the page and the record of what was read; the path of the page."""
    read = _read(options, (plan.path, participants, *([gone.path] if gone.path else [])), maps)
    view = maps_view(made.found, made.background, notes)
    assert view is not None
    page = maps_page(
        plan.study.title,
        view,
        steps=(read, *gone.steps, *made.steps),
        versions=versions(),
        citations={key: entry.citation for key, entry in references().items()},
        command_line=options.command_line,
    )
    with staged(options.out) as stage:
        file = names.maps_report(stage)
        write_text(file, page)
        names.write_description(stage, plan.study.title, {DATASET: options.table})
        remove_outdated(names.provenance(options.out, NAME), options.out, [file.relative_to(stage).as_posix()])
        write_record(
            names.provenance(stage, NAME),
            (read, *gone.steps, *made.steps),
            fingerprint=fingerprint(dict(read.inputs), {}),
            root=stage,
            outputs=[file],
            command_line=options.command_line,
        )
    return names.maps_report(options.out)


def _read(options: argparse.Namespace, tables: Sequence[Path], maps: MapsOfFolder) -> Step:
    """What was read."""
    found = [one for own in maps.maps.values() for one in own]
    files = [path for one in found for path in (one.path, one.quality) if path is not None]
    inputs = {path.relative_to(maps.folder).as_posix(): sha256(path) for path in files}
    return Step(
        "read_maps",
        {
            "folder": options.table.name or str(options.table.resolve().name),
            "parameters": tuple(dict.fromkeys(one.parameter for one in maps.analysed)),
            "n_maps": len(found),
            "n_unflagged": sum(one.quality is None for one in found),
            "entities": tuple(f"{key}-{value}" for key, value in options.entity),
        },
        inputs={**inputs, **{path.name: sha256(path) for path in tables if path.is_file()}},
    )
