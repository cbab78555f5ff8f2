"""One scan: curves to estimates, with its report and its record."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np

from raphe.catalog import references
from raphe.core.frames import Frames
from raphe.data.finding import Finding
from raphe.data.fit import KineticFit
from raphe.data.record import Step
from raphe.data.scan import Scan
from raphe.data.tacs import TACs
from raphe.errors import TimingError
from raphe.io import derivatives as names
from raphe.io.bids import ScanCurves, load_curves, load_reference, read_study
from raphe.io.input_function import write_input_function
from raphe.io.names import full_name, own_sidecars
from raphe.io.provenance import fingerprint, is_done, read_record, remove_outdated, sha256, versions, write_record
from raphe.io.schedule import check_agreement
from raphe.io.staging import staged
from raphe.io.tables import write_text
from raphe.io.tacs import write_tacs
from raphe.kinetics.negative_binding import doubts_of_binding
from raphe.nomenclature import region_key
from raphe.pipeline.analysis import Material, analyse
from raphe.pipeline.arterial import Arterial, arterial_input, source_of_scan
from raphe.pipeline.choices import Analysis
from raphe.pipeline.findings import paragraphs_of_page
from raphe.pipeline.map_files import MapChoice, files_of_maps
from raphe.pipeline.parameters import write_estimated_input, write_parameters
from raphe.pipeline.plasma_samples import PlasmaSamples, samples_of_scan, with_samples
from raphe.pipeline.preprocessing_of import preprocessing_of
from raphe.pipeline.scan_maps import ScanMaps, map_scan, write_scan_maps
from raphe.report.map_viewers import map_viewers
from raphe.report.maps import map_view
from raphe.report.preprocessing import preprocessing_view
from raphe.report.scan import scan_page


@dataclass(frozen=True)
class ScanTask:
    """All that a process needs to analyse one scan: paths and choices, no arrays of data.

    Parameters
    ----------
    bids : Path
        Root of the dataset.
    derivatives : tuple of Path
        Where curves are looked for.
    table : Path
        The table of curves.
    tracer : str
        Name of the tracer, one for all spellings in the study.
    analysis : Analysis
    out : Path
    title : str
        Of the study; empty for none.
    alone : bool
        Whether it is the session's only scan.
    datasets : mapping of str to Path
        Datasets that are read, by their name in BIDS URIs.
    command_line : str
    maps : MapChoice or None
        None where no maps are made.
    beside : int
        Scans that are worked on at a time, which share the memory.
    made : tuple of Path
        Tables of curves that were made of raw images, in the output.
    excluded : str
        Why a person has taken the scan out of the study; empty where it takes part.
    """

    bids: Path
    derivatives: tuple[Path, ...]
    table: Path
    tracer: str
    analysis: Analysis
    out: Path
    title: str
    alone: bool
    datasets: Mapping[str, Path]
    command_line: str
    maps: MapChoice | None = None
    beside: int = 1
    made: tuple[Path, ...] = ()
    excluded: str = ""

    @property
    def keeps_curves(self) -> bool:
        """Whether the curves that were fitted are written; not where they stand in the output already."""
        return not self.table.is_relative_to(self.out)


@dataclass(frozen=True)
class ScanOutcome:
    """How one scan went.

    Parameters
    ----------
    label : str
        Of the scan.
    skipped : bool
        Whether it was done before and nothing has changed.
    n_regions : int
    lost : tuple of str
        Regions without a usable estimate.
    seconds : float
    not_fitted : tuple of str
        Models that this scan does not allow, each with the reason.
    doubts : tuple of str
        What is doubtful of its estimates as a whole.
    of_maps : tuple of str
        What a person must read about its maps.
    unmasked : bool
        Whether its maps were made without a brain mask where one would have been taken.
    """

    label: str
    skipped: bool
    n_regions: int
    lost: tuple[str, ...]
    seconds: float
    not_fitted: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    of_maps: tuple[str, ...] = ()
    unmasked: bool = False


def analyse_scan(task: ScanTask, restart: bool = False) -> ScanOutcome:
    """Read, fit, report and record one scan; nothing appears in the output unless all of it does.

    Raises
    ------
    RapheError
        If the scan cannot be analysed; the message says why.
    """
    began = time.monotonic()
    table = find_table(task)
    record = names.provenance(task.out, table.scan.label)
    mark = fingerprint_of(task, table)
    if not restart and is_done(record, mark, task.out):
        return ScanOutcome(table.scan.label, True, 0, (), time.monotonic() - began)
    scan = dataclasses.replace(table.scan, tracer=task.tracer)
    curves = load_curves(table)
    arterial, samples, notes = None, None, list(curves.findings)
    if task.analysis.needs("plasma"):
        source = source_of_scan(table, curves.tacs, task.analysis)
        notes += source.findings
        arterial = arterial_input(source, curves.tacs, task.analysis, curves.half_life)
    if task.analysis.needs("samples"):
        samples = samples_of_scan(table, curves.tacs, task.analysis)
        notes += [finding for finding in samples.findings if finding not in notes]
    material = Material(
        curves.tacs,
        curves.half_life,
        separate_reference(table, task.analysis, curves.tacs.frames),
        curves.empty,
        None if arterial is None else arterial.plasma,
        None if samples is None else samples.plasma,
        None if arterial is None else arterial.n_frames,
    )
    fits, steps = analyse(material, task.analysis)
    doubts = tuple(doubts_of_binding(fits))
    notes += [Finding("warning", table.path, "", f"{table.path}: {doubt}") for doubt in doubts]
    maps = None
    if task.maps is not None:
        files = files_of_maps(table, task.maps, task.bids, roots_of(task))
        maps = map_scan(files, fits, steps, task.analysis, material.plasma, task.maps, beside=task.beside)
    before = () if task.keeps_curves else preprocessing_steps(task.out, scan)
    steps = (*before, *_named((curves.step, *with_samples(arterial.steps if arterial else (), samples), *steps), scan))
    of_maps = () if maps is None else maps.warnings
    told = (*paragraphs_of_page(notes, task.datasets.values()), *of_maps)
    with staged(task.out) as stage:
        written = _write(task, stage, table, scan, fits, maps, _Blood(arterial, samples), steps, told)
        remove_outdated(record, task.out, [file.relative_to(stage).as_posix() for file in written])
        names.write_description(stage, task.title, task.datasets)
        write_record(
            names.provenance(stage, scan.label),
            steps if maps is None else (*steps, *_named(maps.steps, scan)),
            fingerprint=mark,
            root=stage,
            outputs=written,
            command_line=task.command_line,
        )
    n_regions = sum(len(fit.names) for fit in fits)
    not_fitted = tuple(str(step.parameters["why"]) for step in steps if step.name == "not_fitted")
    return ScanOutcome(
        scan.label, False, n_regions, _lost(fits), time.monotonic() - began, not_fitted, doubts,
        of_maps, maps is not None and maps.unmasked,
    )  # fmt: skip


def find_table(task: ScanTask) -> ScanCurves:
    """The table of curves of a task, with what its sidecars tell."""
    label = full_name(task.table, task.bids).label
    study = read_study(task.bids, task.derivatives, more=task.made, wanted=lambda other: other == label)
    return next(one for one in study.tables if one.path == task.table)


def roots_of(task: ScanTask) -> tuple[Path, ...]:
    """Datasets in which images are looked for: the output too, where the curves were made there of raw images."""
    return task.derivatives if task.keeps_curves else (task.out,)


def parameters_path(out: Path, table: ScanCurves, model: str) -> Path:
    """Where the parameters of a scan are written."""
    return names.kinpar(out, table.scan, table.seg or None, model, table.pvc or None)


def fingerprint_of(task: ScanTask, table: ScanCurves) -> str:
    """What decides the results of a scan: its files and the choices for it."""
    files = [table.path, *table.sidecar.paths, *table.references.values()]
    if task.analysis.needs("plasma") or task.analysis.needs("samples"):
        blood = (*table.blood, *table.input_functions)
        files += [*blood, *(sidecar for path in blood for sidecar in own_sidecars(path))]
    if table.morph is not None:
        files.append(table.morph)
    settings = dataclasses.asdict(task.analysis)
    settings["merges"] = {name: list(parts) for name, parts in task.analysis.merges.items()}
    if isinstance(task.analysis.weights, np.ndarray):
        settings["weights"] = task.analysis.weights.tolist()
    settings |= {"tracer": task.tracer, "alone": task.alone}
    if task.excluded:
        settings["excluded"] = task.excluded
    if task.maps is not None:
        of_maps = files_of_maps(table, task.maps, task.bids, roots_of(task))
        files += of_maps.all
        settings["maps"] = dataclasses.asdict(task.maps)
    return fingerprint({f"{at} {path.name}": sha256(path) for at, path in enumerate(files)}, settings)


def separate_reference(table: ScanCurves, analysis: Analysis, frames: Frames) -> tuple[str, np.ndarray] | None:
    """Name and curve of the reference region where it stands in a table of its own, else None.

    Parameters
    ----------
    table : ScanCurves
        Of the other regions.
    analysis : Analysis
    frames : Frames
        Of the other regions.

    Raises
    ------
    InputError
        If that table cannot be used, or has other frames than the other regions.
    """
    wanted = {region_key(name)[0] for name in analysis.reference} if analysis.needs("reference") else set()
    for label in table.references:
        if region_key(label)[0] in wanted:
            curve: TACs = load_reference(table, label).tacs
            path, own = table.references[label], curve.frames
            if not check_agreement(frames.start, frames.end, own.start, own.end, str(table.path), path):
                raise TimingError(
                    f"{path}: the reference has {len(own)} frames, but {table.path.name} has {len(frames)}; give both "
                    "the same"
                )
            return label, np.array(curve.activity[0])
    return None


def preprocessing_steps(out: Path, scan: Scan) -> tuple[Step, ...]:
    """What was done to the images of a scan, and to the T1-weighted image of its regions, by their records."""
    steps = read_record(names.provenance(out, f"{scan.label}_preproc")).steps
    heads = [step for step in steps if step.name == "head"]
    records = [names.provenance(out, str(step.parameters["record"])) for step in heads]
    return (*(step for record in records for step in read_record(record).steps), *steps)


def _named(steps: Sequence[Step], scan: Scan) -> tuple[Step, ...]:
    """The same steps, each with the tracer whose scan it was done to."""
    return tuple(dataclasses.replace(step, parameters={"tracer": scan.tracer, **step.parameters}) for step in steps)


class _Blood(NamedTuple):
    """What was made of the blood of a scan."""

    arterial: Arterial | None
    samples: PlasmaSamples | None


def _write(
    task: ScanTask,
    out: Path,
    table: ScanCurves,
    scan: Scan,
    fits: Sequence[KineticFit],
    maps: ScanMaps | None,
    blood: _Blood,
    steps: Sequence[Step],
    notes: Sequence[str],
) -> list[Path]:
    """Write curves, input, parameters and report; the files that were written."""
    sources = [names.source_uri(path, task.datasets) for path in (table.path, *table.sidecar.paths)]
    most = max(fits, key=lambda fit: len(fit.names))
    tacs = names.tacs(out, scan, table.seg or None, table.pvc or None)
    fitted = TACs(most.activity, most.frames, most.names)
    files = []
    if task.keeps_curves:
        write_tacs(tacs, fitted, scan, sources=sources, made_of=_made_of(steps))
        files = [tacs]
    arterial, samples = blood
    of_blood = [names.source_uri(path, task.datasets) for path in (*table.blood, *table.input_functions)]
    if arterial is not None:
        files.append(names.input_function(out, scan))
        write_input_function(files[-1], arterial.plasma, scan, sources=of_blood)
    for fit in fits:
        files.append(parameters_path(out, table, fit.model))
        write_parameters(files[-1], fit, steps, sources, task.command_line)
        if fit.estimated_input is not None:
            files.append(names.estimated_input(out, scan, table.seg or None, fit.model, table.pvc or None))
            write_estimated_input(files[-1], fit, scan, steps, [*sources, *of_blood])
    files += [names.sidecar(file) for file in files]
    if maps is not None:
        images = [maps.image.path, *([] if maps.brain.taken is None else [maps.brain.taken])]
        of_maps = [
            *sources, *(of_blood if arterial else ()), *(names.source_uri(path, task.datasets) for path in images)
        ]  # fmt: skip
        written = write_scan_maps(tacs.parent, maps, task.analysis, of_maps, task.command_line)
        files += [*written, *(names.map_sidecar(file) for file in written)]
    report = names.scan_report(out, scan, task.alone)
    page = scan_page(
        scan,
        fits,
        arterial=arterial.fits if arterial else (),
        plasma=arterial.plasma if arterial else None,
        samples=samples.samples if samples else None,
        steps=steps if maps is None else (*steps, *_named(maps.steps, scan)),
        versions=versions(),
        citations={key: entry.citation for key, entry in references().items()},
        command_line=task.command_line,
        region_order=task.analysis.regions,
        notes=notes,
        excluded=task.excluded,
        preprocessing=None
        if task.keeps_curves
        else preprocessing_view(
            preprocessing_of(task.out, scan, table.sidecar.frames or most.frames, table.seg, most.names, task.analysis)
        ),
        maps=[] if maps is None else [map_view(*one, *maps.place) for one in maps.shown()],
        viewers=None if maps is None else map_viewers(maps.shown(), maps.activity, *maps.place[1:]),
    )
    write_text(report, page)
    return [*files, report]


def _made_of(steps: Sequence[Step]) -> dict[str, str]:
    """What each merged region was made of, in words."""
    merged = [
        one for step in steps if step.name == "regions" for one in cast("tuple[str, ...]", step.parameters["merged"])
    ]
    return dict(one.split(" = ", 1) for one in merged)


def _lost(fits: Sequence[KineticFit]) -> tuple[str, ...]:
    several = len(fits) > 1
    return tuple(
        f"{name} ({fit.model})" if several else name
        for fit in fits
        for name, good in zip(fit.names, fit.usable, strict=True)
        if not good
    )
