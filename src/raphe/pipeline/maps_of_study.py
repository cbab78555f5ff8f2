"""Maps that the participant level of a study wrote, as contrasts voxel by voxel are made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from raphe.data.estimates import Estimates
from raphe.data.people import People
from raphe.io import derivatives as names
from raphe.io.bids import ScanCurves
from raphe.nomenclature import SYMBOLS
from raphe.pipeline.contrasts_of import analysed_of
from raphe.pipeline.group_maps import ScanOfMaps, ScansOfMaps
from raphe.pipeline.map_files import MapChoice, files_of_maps
from raphe.pipeline.maps_of_scans import MapOfScan
from raphe.pipeline.participant import ScanTask, roots_of
from raphe.pipeline.plan_schema import same_tracer

Scans = Sequence[tuple[ScanCurves, ScanTask]]


def maps_of_study(
    out: Path,
    scans: Scans,
    missing: Mapping[str, str],
    people: People,
    estimates: Estimates,
    command_line: str,
) -> ScansOfMaps:
    """Scans of a study that take part and have been analysed, and why others take no part.

    Parameters
    ----------
    out : Path
        Where the participant level wrote to.
    scans : sequence of (ScanCurves, ScanTask)
        All scans.
    missing : mapping of str to str
        By the scan's label: why it has not been analysed.
    people : People
    estimates : Estimates
        Of the regions; they say how tracers and models are called.
    command_line : str
    """
    done, aside = [], dict[tuple[str, str, str], str]()
    for table, task in scans:
        scan, label = table.scan, table.scan.label
        why = f"excluded by a person: {task.excluded}" if task.excluded else missing.get(label, "")
        if why:
            aside[same_tracer(task.tracer), scan.participant, scan.session or ""] = why
        else:
            find = partial(map_of_scan, out, table, task)
            done.append(ScanOfMaps(scan.participant, scan.session or "", task.tracer, find))
    return ScansOfMaps(
        out, done, analysed_of(estimates), aside, people, command_line, scans[0][1].datasets,
        max(task.beside for _, task in scans),
    )  # fmt: skip


def map_of_scan(out: Path, table: ScanCurves, task: ScanTask, model: str, parameter: str) -> MapOfScan:
    """Map of a parameter that the participant level wrote for a scan; it need not be there.

    Raises
    ------
    InputError
        If the scan has no image that maps are made of, or several.
    """
    image = files_of_maps(table, task.maps or MapChoice(), task.bids, roots_of(task)).image
    folder = names.tacs(out, table.scan, None).parent
    return MapOfScan(
        table.scan.label,
        names.mimap(folder, image, model, SYMBOLS[parameter].label),
        names.mimap(folder, image, model, names.QUALITY),
    )
