"""The raw scans of a study, made into curves before anything is fitted."""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from raphe.errors import InputError, RapheError, nearest
from raphe.io.datasets import find_tables
from raphe.io.names import full_name, parse_name
from raphe.io.provenance import read_record
from raphe.io.raw_scans import RawScan, find_raw_scans
from raphe.pipeline.atlas_choice import paths_of, supplies_of
from raphe.pipeline.execute import execute
from raphe.pipeline.findings import refuse_errors
from raphe.pipeline.messages import Messages
from raphe.pipeline.own_regions import faults_of_segmentations, own_segmentation
from raphe.pipeline.plan import StudyPlan
from raphe.pipeline.plan_schema import same_tracer
from raphe.pipeline.prepare_head import HeadTask, prepare_head
from raphe.pipeline.preprocess_choices import Preprocessing, preprocessing
from raphe.pipeline.preprocess_scan import preprocess_scan
from raphe.pipeline.raw_task import RawOutcome, RawTask
from raphe.pipeline.template_of import template_of
from raphe.preprocess.pvc.registry import correction
from raphe.report.wording import listed


def preprocessed_tables(out: Path) -> tuple[Path, ...]:
    """Tables of curves that were made of raw scans, by the records in an output folder."""
    found: list[Path] = []
    for record in sorted((out / "provenance").glob("*_preproc.json")):
        try:
            outputs = read_record(record).outputs
        except InputError:
            continue
        found += [out / name for name in outputs if name.endswith("_tacs.tsv") and (out / name).is_file()]
    return tuple(found)


def raw_scans(
    options: argparse.Namespace,
    derivatives: Sequence[Path],
    plan: StudyPlan | None,
    wanted: Callable[[str], bool] | None = None,
) -> tuple[RawScan, ...]:
    """Scans that are there as images and have no curves in the datasets; ``wanted`` says by its label which are read.

    Raises
    ------
    InputError
        As :func:`raphe.io.raw_scans.find_raw_scans`.
    """
    choices = preprocessing(plan)
    found = find_raw_scans(
        options.bids,
        derivatives,
        participants=options.participant_label,
        sessions=options.session_label,
        t1=choices.t1,
        anatomy=choices.anatomy,
        wanted=wanted,
    )
    try:
        curves = {full_name(path, options.bids).scan for path in find_tables(options.bids, derivatives)}
    except InputError:
        curves = set()
    tracers = {same_tracer(name) for name in options.tracer}
    planned = None if plan is None else {same_tracer(tracer.name) for tracer in plan.tracers}
    return tuple(
        raw
        for raw in found
        if parse_name(raw.image).scan not in curves
        and (not tracers or same_tracer(raw.scan.tracer) in tracers)
        and (planned is None or same_tracer(raw.scan.tracer) in planned)
    )


def refuse_others(options: argparse.Namespace, derivatives: Sequence[Path], plan: StudyPlan | None) -> None:
    """Refuse a study of images none of which is of the people, sessions and tracers that were asked for.

    Raises
    ------
    InputError
        With those that there are.
    """
    choices = preprocessing(plan)
    scans = [raw.scan for raw in find_raw_scans(options.bids, derivatives, t1=choices.t1, anatomy=choices.anatomy)]
    there = {"sub": {scan.participant for scan in scans}, "ses": {scan.session for scan in scans if scan.session}}
    for key, asked in (("sub", options.participant_label), ("ses", options.session_label)):
        known = sorted(f"{key}-{label}" for label in there[key])
        for name in (f"{key}-{label.removeprefix(f'{key}-')}" for label in asked):
            if name not in known:
                raise InputError(f"{options.bids}: there are no images of {name}; {nearest(name, known)}")
    tracers = options.tracer or [tracer.name for tracer in plan.tracers] if plan else options.tracer
    others = list(dict.fromkeys(scan.tracer or "a tracer without TracerName" for scan in scans))
    if tracers and not {same_tracer(name) for name in tracers} & {same_tracer(name) for name in others}:
        told = f"the images are of {listed(others)}, and none of {listed(tracers)}, which --tracer or the plan names"
        raise InputError(f"{options.bids}: {told}; name the tracer that is meant, or mend TracerName")
    raise InputError(
        f"{options.bids}: there is no image of all that was asked for ({listed([scan.label for scan in scans])} have "
        "images), or their scans are excluded and cannot be read"
    )


def preprocess(
    raws: Sequence[RawScan],
    options: argparse.Namespace,
    derivatives: Sequence[Path],
    plan: StudyPlan | None,
    messages: Messages,
    excluded: Mapping[str, str],
    told: Collection[str] = (),
) -> dict[str, str]:
    """Make curves of raw scans: first each head, then each scan; what is done and unchanged is kept.

    Parameters
    ----------
    raws, options, derivatives, plan, messages
        What there is to do, and how.
    excluded : mapping of str to str
        Labels of scans that a person has taken out of the study, with the reasons; one that fails is no failure.
    told : collection of str
        Doubts that are told elsewhere.

    Returns
    -------
    dict of str to str
        Scans that could not be preprocessed, and why; excluded ones among them.

    Raises
    ------
    InputError
        If the plan asks for what there is not, or no scan could be preprocessed.
    """
    tasks = _tasks(raws, options, derivatives, plan)
    if tasks:
        kept = [raw for raw in raws if raw.scan.label not in excluded]
        refuse_errors([*faults_of_segmentations(kept, tasks[0].choices, (*derivatives, options.bids))])
    if options.dry_run:
        for task in tasks:
            print(f"would preprocess {task.raw.image} with {task.head.t1 if task.head else 'the regions of an atlas'}")
        return {}
    if tasks and supplies_of(tasks[0].choices):
        template_of(tasks[0].choices, options.out, tasks[0].datasets, options.command_line)
    failed: dict[str, str] = {}
    heads = list({task.head.t1: task.head for task in tasks if task.head is not None}.values())
    lost: dict[Path, str] = {}
    done = 0
    for head, outcome in execute(
        functools.partial(prepare_head, restart=options.restart), heads, options.workers, options.debug
    ):
        done += 1
        if isinstance(outcome, RapheError):
            lost[head.t1] = str(outcome)
        else:
            messages.detail(f"{head.stem} {f'took {outcome:.0f} s' if outcome else 'was done before'}")
        messages.progress(done, len(heads), "heads")
    ready = [task for task in tasks if task.head is None or task.head.t1 not in lost]
    failed |= {task.label: lost[task.head.t1] for task in tasks if task.head is not None and task.head.t1 in lost}
    done = 0
    for task, result in execute(
        functools.partial(preprocess_scan, restart=options.restart), ready, options.workers, options.debug
    ):
        done += 1
        if isinstance(result, RapheError):
            failed[task.label] = str(result)
        elif isinstance(result, RawOutcome):
            messages.detail(
                f"{result.label} {'was done before' if result.skipped else f'preprocessed in {result.seconds:.0f} s'}"
            )
            for doubt in result.doubts:
                if doubt not in told:
                    messages.warn(f"{result.label}: {doubt}")
        messages.progress(done, len(ready), "scans preprocessed")
    for label, why in failed.items():
        if label in excluded:
            messages.say(f"{label}, which is excluded ({excluded[label]}), failed: {why}")
        else:
            messages.error(f"a scan failed. {label}: {why}")
    if tasks and len(failed.keys() - excluded.keys()) == len(tasks):
        raise InputError(
            "no scan could be preprocessed. " + "\n\n".join(f"{one}: {why}" for one, why in failed.items())
        )
    return failed


def _tasks(
    raws: Sequence[RawScan], options: argparse.Namespace, derivatives: Sequence[Path], plan: StudyPlan | None
) -> list[RawTask]:
    choices = preprocessing(plan, seg=options.seg, maps=options.maps)
    for name in choices.pvc:
        correction(name)
    others = [root for root in derivatives if root != options.bids]
    datasets = {"raw": options.bids, **{f"derivative{at}": root for at, root in enumerate(others, start=1)}}
    tasks = [_task(raw, choices, options, derivatives, plan, datasets) for raw in raws]
    if any(task.head is not None or own_segmentation(task) is None for task in tasks):
        paths_of(choices)
    return tasks


def _task(
    raw: RawScan,
    choices: Preprocessing,
    options: argparse.Namespace,
    derivatives: Sequence[Path],
    plan: StudyPlan | None,
    datasets: Mapping[str, Path],
) -> RawTask:
    title = plan.study.title if plan else ""
    head = None
    if choices.anatomy == "t1" and raw.t1 is None:
        raise InputError(
            f"{raw.image}: the plan takes regions from the T1-weighted image, but sub-{raw.scan.participant} has none; "
            'take anatomy out of [preprocess], or write anatomy = "pet"'
        )
    if raw.t1 is not None and choices.anatomy != "pet":
        head = HeadTask(options.bids, raw.t1, choices, options.out, title, datasets, options.command_line)
    return RawTask(
        raw, options.bids, tuple(derivatives), choices, head, options.out, title, datasets, options.command_line
    )
