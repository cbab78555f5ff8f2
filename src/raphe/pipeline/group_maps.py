"""The planned contrasts of a study voxel by voxel: made once, kept, and read back for the page."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from raphe.data import group_map as stat
from raphe.data.estimates import Estimates
from raphe.data.group_map import GroupMap
from raphe.data.image import Grid
from raphe.data.map_contrast import MapContrast
from raphe.data.people import People
from raphe.data.record import Parameter, Step
from raphe.errors import InputError
from raphe.io import derivatives as names
from raphe.io.bids import ScanCurves
from raphe.io.provenance import (
    SOFTWARE,
    fingerprint,
    is_done,
    read_record,
    remove_outdated,
    sha256,
    software_version,
    write_record,
)
from raphe.io.staging import staged
from raphe.io.statmaps import read_group_map, write_group_map
from raphe.pipeline.contrast_rules import arms_of, sessions_of
from raphe.pipeline.contrasts_of import question_of
from raphe.pipeline.map_atlas import OnGrid, on_grid, space_of, without_sides
from raphe.pipeline.map_peaks import maps_of, table_of, threshold_of
from raphe.pipeline.map_question import Asked, Sample, asked, design_of, sample_of
from raphe.pipeline.maps_of_scans import MapOfScan, Place, common_place, map_of_scan, smoothing_of
from raphe.pipeline.participant import ScanTask
from raphe.pipeline.plan import StudyPlan
from raphe.pipeline.plan_schema import ContrastSection, MapsSection, same_tracer
from raphe.stats.voxelwise import map_contrast

Done = Sequence[tuple[ScanCurves, ScanTask]]
Tell = Callable[[int, int, str], None]

RECORD = "_maps"
"""What the name of a contrast's record ends in."""

GREY = 0.2
"""Probability of grey matter of the template from which a voxel counts as such; an assumption."""

CITATIONS = ("nichols2002", "freedman1983", "smith2009", "phipson2010")


class GroupMaps(NamedTuple):
    """Contrasts voxel by voxel.

    Parameters
    ----------
    found : tuple of GroupMap
        In the plan's order, the primary one first.
    background : mapping of str to ndarray
        Image of the template under the slices, by the name of the contrast.
    notes : tuple of str
        Planned contrasts that are of regions only, and why.
    unmade : tuple of str
        Contrasts that should have been made and could not be, and why.
    """

    found: tuple[GroupMap, ...] = ()
    background: Mapping[str, npt.NDArray[np.float32]] = {}
    notes: tuple[str, ...] = ()
    unmade: tuple[str, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """What was done."""
        return tuple(one.step for one in self.found)


@dataclass(frozen=True, eq=False)
class Scans:
    """What contrasts are made of.

    Parameters
    ----------
    out : Path
    plan : StudyPlan
    done : sequence of (ScanCurves, ScanTask)
        Scans that take part and have been analysed.
    aside : mapping of (str, str, str) to str
        By key of the tracer, participant and session: why a scan takes no part.
    people : People
    command_line : str
    """

    out: Path
    plan: StudyPlan
    done: Done
    aside: Mapping[tuple[str, str, str], str]
    people: People
    command_line: str

    @property
    def section(self) -> MapsSection:
        """``[maps]`` of the plan."""
        assert self.plan.maps is not None
        return self.plan.maps


def group_maps(scans: Scans, estimates: Estimates, tell: Tell | None = None) -> GroupMaps:
    """Make the contrasts of a plan voxel by voxel, where it asks for them, or keep those that are made.

    Each contrast is written as soon as it is made, with a record of its own; one whose maps, people and settings are
    as they were is read back. Files of contrasts that are made no more are removed.

    Parameters
    ----------
    scans : Scans
    estimates : Estimates
        Of the regions; they say how tracers and models are called.
    tell : callable, optional
        Called with how much of a work is done, of how much, and what it is.
    """
    plan = scans.plan
    if plan.maps is None or plan.maps.permutations is None:
        _remove_others(scans.out, ())
        return GroupMaps()
    primary = plan.primary.contrast if plan.primary else None
    found, backgrounds, notes, unmade = list[GroupMap](), dict[str, npt.NDArray[np.float32]](), list[str](), list[str]()
    atlases = _Atlases(scans)
    for contrast in sorted(plan.contrasts, key=lambda one: one.name != primary):
        question = question_of(plan, contrast, estimates)
        try:
            wanted = asked(question, sessions_of(contrast), arms_of(contrast))
        except InputError as error:
            notes.append(f"contrast {contrast.name!r} is not made voxel by voxel: {error}")
            continue
        try:
            made, background = _one(scans, contrast, wanted, atlases, tell)
        except InputError as error:
            unmade.append(f"contrast {contrast.name!r} cannot be made voxel by voxel: {error}")
            continue
        found.append(made)
        if background is not None:
            backgrounds[made.name] = background
    _remove_others(scans.out, [_record(one.name) for one in found])
    return GroupMaps(tuple(found), backgrounds, tuple(notes), tuple(unmade))


class _Atlases:
    """The template on each grid that is asked for, made once."""

    def __init__(self, scans: Scans) -> None:
        self._scans = scans
        self._made: list[tuple[Grid, str, OnGrid]] = []

    def on(self, place: Place) -> OnGrid:
        for grid, space, made in self._made:
            if space == place.space and grid.shape == place.grid.shape and np.array_equal(grid.affine, place.grid.affine):
                return made
        scans = self._scans
        made = on_grid(
            scans.plan, scans.out, place.grid, place.space, scans.done[0][1].datasets, scans.command_line
        )
        self._made.append((place.grid, place.space, made))
        return made


@dataclass(frozen=True, eq=False)
class _Material:
    """Everything that one contrast needs, before any voxel is tested."""

    contrast: ContrastSection
    wanted: Asked
    sample: Sample
    maps: Mapping[tuple[str, int], MapOfScan]
    place: Place
    atlas: OnGrid


def _one(
    scans: Scans, contrast: ContrastSection, wanted: Asked, atlases: _Atlases, tell: Tell | None
) -> tuple[GroupMap, npt.NDArray[np.float32] | None]:
    """One contrast, made or read back, and the image under its slices."""
    sample, maps = _sample(scans, wanted)
    what = f"{wanted.question.parameter} by {' and '.join(dict.fromkeys(cell.model for cell in wanted.cells))}"
    place = common_place([*maps.values()], what, space_of(scans.plan), scans.section.mirror == "average")
    atlas = atlases.on(place)
    material = _Material(contrast, wanted, sample, maps, _masked(place, atlas, scans.section), atlas)
    record = names.provenance(scans.out, _record(contrast.name))
    mark = _mark(scans, material)
    if not is_done(record, mark, scans.out):
        _make(scans, material, mark, tell)
    (step,) = read_record(record).steps
    return read_group_map(scans.out, contrast.name, step), atlas.background


def _sample(scans: Scans, wanted: Asked) -> tuple[Sample, dict[tuple[str, int], MapOfScan]]:
    """Who takes part, and their maps by participant and number of the cell."""
    there: list[dict[str, tuple[ScanCurves, ScanTask]]] = [
        {
            table.scan.participant: (table, task)
            for table, task in scans.done
            if same_tracer(task.tracer) == same_tracer(cell.tracer) and (table.scan.session or "") == cell.session
        }
        for cell in wanted.cells
    ]
    sample = sample_of(wanted, [set(own) for own in there], scans.aside, scans.people)
    if not sample.people:
        told = f": {'; '.join(sample.excluded[:6])}" if sample.excluded else ""
        raise InputError(f"nobody has all of its scans{told}")
    maps = {
        (person, at): map_of_scan(scans.out, *own[person], cell.model, wanted.question.parameter)
        for person in sample.people
        for at, (cell, own) in enumerate(zip(wanted.cells, there, strict=True))
    }
    return sample, maps


def _masked(place: Place, atlas: OnGrid, section: MapsSection) -> Place:
    if section.group_mask == "brain":
        return place
    if atlas.grey is None:
        why = atlas.why or f"atlas {atlas.name} has none"
        raise InputError(f'[maps] group_mask = "grey" needs the grey matter of the template: {why}; leave it out')
    mask = place.mask & (atlas.grey >= GREY)
    if not mask.any():
        raise InputError("no voxel of the grey matter of the template is in the masks of all scans")
    return replace(place, mask=mask)


def _record(name: str) -> str:
    return f"contrast-{names.label(name)}{RECORD}"


def _mark(scans: Scans, material: _Material) -> str:
    """What decides the numbers: the maps, who takes part, and the settings."""
    section, sample = scans.section, material.sample
    files = {f"{one.label} {path.name}": sha256(path) for one in material.maps.values() for path in (one.value, one.quality)}
    settings = {
        "contrast": material.contrast.model_dump(mode="json", exclude={"adjust", "regions", "test", "seed"}),
        "maps": section.model_dump(mode="json"),
        "people": sample.people,
        "arms": sample.arms,
        "covariates": sample.covariates.tolist(),
        "score": [None if value != value else value for value in sample.score.tolist()],
        "excluded": sample.excluded,
        "atlas": material.atlas.name,
        "space": material.place.space,
    }
    return fingerprint(files, settings)


def _make(scans: Scans, material: _Material, mark: str, tell: Tell | None) -> None:
    """Test every voxel and write maps, table and record."""
    began, section, place, name = time.monotonic(), scans.section, material.place, material.contrast.name
    assert section.permutations is not None
    study = design_of(material.wanted, material.sample, lambda person, at: place.read(material.maps[person, at]))
    found = map_contrast(
        study,
        place.mask,
        permutations=section.permutations,
        seed=section.seed,
        statistics=section.statistics,
        variance_smoothing=section.variance_smoothing,
        affine=place.grid.affine,
        cluster_p=section.cluster_p,
        threads=max(task.beside for _, task in scans.done),
        tell=None if tell is None else lambda done, total: tell(done, total, f"shuffles of {name}"),
    )
    threshold = threshold_of(found, section.cluster_p)
    regions = without_sides(material.atlas.regions) if place.mirror else material.atlas.regions
    peaks = table_of(found, place.grid.affine, threshold, material.atlas.labels, regions)
    step = Step("map_contrast", _parameters(scans, material, found, threshold), CITATIONS, seconds=time.monotonic() - began)
    made = GroupMap(name, place.grid, maps_of(found), peaks, step)
    sources = [names.source_uri(one.value, {"output": scans.out}) for one in material.maps.values()]
    about = {**_about(step, sources, scans.command_line)}
    with staged(scans.out) as stage:
        files = write_group_map(stage, made, about, _told(step))
        record = names.provenance(scans.out, _record(name))
        remove_outdated(record, scans.out, [file.relative_to(stage).as_posix() for file in files])
        write_record(
            names.provenance(stage, _record(name)), (step,), fingerprint=mark, root=stage, outputs=files,
            command_line=scans.command_line,
        )  # fmt: skip


def _parameters(scans: Scans, material: _Material, found: MapContrast, threshold: float) -> dict[str, Parameter]:
    """All that a reader needs, as it is recorded."""
    section, question, sample = scans.section, material.wanted.question, material.sample
    return {
        "name": question.name,
        "kind": question.kind,
        "what": found.what,
        "tracer": question.tracer,
        "model": ", ".join(dict.fromkeys(cell.model for cell in material.wanted.cells)),
        "parameter": question.parameter,
        "primary": question.primary,
        "scale": question.scale,
        "space": material.place.space,
        "participants": sample.people,
        "arms": sample.arms,
        "excluded": sample.excluded,
        "smoothing": smoothing_of(material.maps.values()),
        "mask": section.group_mask,
        "grey": GREY if section.group_mask == "grey" else None,
        "mirror": section.mirror,
        "n_voxel": int(found.analysed.sum()),
        "n_masked": int(material.place.mask.sum()),
        "voxel": material.place.grid.zooms,
        "left_out": found.left_out,
        "statistics": tuple(dict.fromkeys(("t", *section.statistics))),
        "scheme": SCHEMES[question.kind, question.by or ""],
        "permutations": found.permutations,
        "asked_permutations": section.permutations,
        "possible": str(found.possible),
        "exact": found.exact,
        "smallest_p": found.smallest_p,
        "seed": section.seed,
        "df": found.df,
        "critical_t": found.critical_t if np.isfinite(found.critical_t) else None,
        "threshold": threshold,
        "cluster_p": section.cluster_p,
        "variance_smoothing": found.variance_smoothing,
        "n_fwe": _n(found.logpfwe),
        "n_fwe_tfce": None if found.logpfwe_tfce is None else _n(found.logpfwe_tfce),
        "n_clusters": len(found.clusters),
        "n_clusters_fwe": sum(one.p_extent <= LEVEL for one in found.clusters),
        "n_clusters_mass_fwe": sum(one.p_mass <= LEVEL for one in found.clusters),
        "least_p_fwe": _least(found.logpfwe),
        "least_p_fwe_tfce": None if found.logpfwe_tfce is None else _least(found.logpfwe_tfce),
        "atlas": material.atlas.name,
        "why_no_atlas": material.atlas.why,
    }
