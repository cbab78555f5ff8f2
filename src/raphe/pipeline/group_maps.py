"""The planned contrasts of a study voxel by voxel: made once, kept, and read back for the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from raphe.data.group_map import GroupMap
from raphe.data.image import Grid
from raphe.data.people import People
from raphe.data.record import Step
from raphe.errors import InputError
from raphe.io import derivatives as names
from raphe.io.provenance import fingerprint, is_done, read_record, remove_outdated, sha256
from raphe.io.statmaps import read_group_map
from raphe.pipeline.contrast_rules import arms_of, sessions_of
from raphe.pipeline.contrasts_of import Analysed, question_of
from raphe.pipeline.map_answer import GREY, Material, answer, write_answer
from raphe.pipeline.map_atlas import OnGrid, on_grid, space_of
from raphe.pipeline.map_question import Asked, Sample, asked, sample_of
from raphe.pipeline.maps_of_scans import BY_RAPHE, MapOfScan, Place, WaysOut, common_place
from raphe.pipeline.plan import StudyPlan
from raphe.pipeline.plan_schema import ContrastSection, MapsSection, same_tracer

Tell = Callable[[int, int, str], None]

RECORD = "_maps"
"""What the name of a contrast's record ends in."""


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
class ScanOfMaps:
    """One scan, and how its maps are found.

    Parameters
    ----------
    participant, session : str
        Labels; the session is empty where there is none.
    tracer : str
    find : callable
        From a model and a parameter (its symbol) to the map.
    of : set of (str, str) or None
        Models and parameters that it has maps of; None: of any that is asked for.
    """

    participant: str
    session: str
    tracer: str
    find: Callable[[str, str], MapOfScan]
    of: frozenset[tuple[str, str]] | None = None


@dataclass(frozen=True, eq=False)
class ScansOfMaps:
    """Scans of a study that contrasts voxel by voxel are made of.

    Parameters
    ----------
    out : Path
        Where contrasts are written to.
    scans : sequence of ScanOfMaps
        Those that take part.
    analysed : sequence of Analysed
        How tracers and models are called.
    aside : mapping of (str, str, str) to str
        By key of the tracer, participant and session: why a scan takes no part.
    people : People
    command_line : str
    datasets : mapping of str to Path
        That are read, by their names in BIDS URIs.
    threads : int
        The digits do not depend on it.
    absent : str
        What is said of a scan that there is not.
    ways : WaysOut
        What a user may do about maps that do not go together.
    """

    out: Path
    scans: Sequence[ScanOfMaps]
    analysed: Sequence[Analysed]
    aside: Mapping[tuple[str, str, str], str]
    people: People
    command_line: str
    datasets: Mapping[str, Path]
    threads: int = 1
    absent: str = "no scan"
    ways: WaysOut = BY_RAPHE


def group_maps(plan: StudyPlan | None, scans: ScansOfMaps, tell: Tell | None = None) -> GroupMaps:
    """Make the contrasts of a plan voxel by voxel, where it asks for them, or keep those that are made.

    Each contrast is written as soon as it is made, with a record of its own; one whose maps, people and settings are
    as they were is read back. Files of contrasts that are made no more stay; :func:`remove_others` removes them.

    Parameters
    ----------
    plan : StudyPlan or None
    scans : ScansOfMaps
    tell : callable, optional
        Called with how much of a work is done, of how much, and what it is.
    """
    if plan is None or plan.maps is None or plan.maps.permutations is None:
        return GroupMaps()
    primary = plan.primary.contrast if plan.primary else None
    found, backgrounds, notes, unmade = list[GroupMap](), dict[str, npt.NDArray[np.float32]](), list[str](), list[str]()
    atlases = _Atlases(plan, scans)
    for contrast in sorted(plan.contrasts, key=lambda one: one.name != primary):
        question = question_of(plan, contrast, scans.analysed)
        try:
            wanted = asked(question, sessions_of(contrast), arms_of(contrast))
        except InputError as error:
            notes.append(f"contrast {contrast.name!r} is not made voxel by voxel: {error}")
            continue
        try:
            made, background = _one(plan, scans, contrast, wanted, atlases, tell)
        except InputError as error:
            unmade.append(f"contrast {contrast.name!r} cannot be made voxel by voxel: {error}")
            continue
        found.append(made)
        if background is not None:
            backgrounds[made.name] = background
    return GroupMaps(tuple(found), backgrounds, tuple(notes), tuple(unmade))


class _Atlases:
    """The template on each grid that is asked for, made once."""

    def __init__(self, plan: StudyPlan, scans: ScansOfMaps) -> None:
        self._plan, self._scans = plan, scans
        self._made: list[tuple[Grid, str, OnGrid]] = []

    def on(self, place: Place) -> OnGrid:
        for grid, space, made in self._made:
            same = grid.shape == place.grid.shape and np.array_equal(grid.affine, place.grid.affine)
            if same and space == place.space:
                return made
        scans = self._scans
        made = on_grid(self._plan, scans.out, place.grid, place.space, scans.datasets, scans.command_line)
        self._made.append((place.grid, place.space, made))
        return made


def _one(
    plan: StudyPlan,
    scans: ScansOfMaps,
    contrast: ContrastSection,
    wanted: Asked,
    atlases: _Atlases,
    tell: Tell | None,
) -> tuple[GroupMap, npt.NDArray[np.float32] | None]:
    """One contrast, made or read back, and the image under its slices."""
    section = plan.maps
    assert section is not None
    sample, maps = _sample(scans, wanted)
    what = f"{wanted.question.parameter} by {' and '.join(dict.fromkeys(cell.model for cell in wanted.cells))}"
    place = common_place([*maps.values()], what, space_of(plan), section.mirror == "average", scans.ways)
    atlas = atlases.on(place)
    material = Material(wanted, sample, maps, _masked(place, atlas, section), atlas)
    record = names.provenance(scans.out, _record(contrast.name))
    mark = _mark(section, contrast, material)
    if not is_done(record, mark, scans.out):
        with_words = None if tell is None else partial(_tell, tell, contrast.name)
        found = answer(material, section, scans.threads, with_words)
        write_answer(scans.out, record.stem, found, material, mark, scans.command_line, scans.datasets)
    (step,) = read_record(record).steps
    return read_group_map(scans.out, contrast.name, step), atlas.background


def _sample(scans: ScansOfMaps, wanted: Asked) -> tuple[Sample, dict[tuple[str, int], MapOfScan]]:
    """Who takes part, and their maps by participant and number of the cell."""
    parameter = wanted.question.parameter
    there: list[dict[str, ScanOfMaps]] = [
        {
            scan.participant: scan
            for scan in scans.scans
            if same_tracer(scan.tracer) == same_tracer(cell.tracer)
            and scan.session == cell.session
            and (scan.of is None or (cell.model, parameter) in scan.of)
        }
        for cell in wanted.cells
    ]
    sample = sample_of(wanted, [set(own) for own in there], scans.aside, scans.people, scans.absent)
    if not sample.people:
        told = f": {'; '.join(sample.excluded[:6])}" if sample.excluded else ""
        raise InputError(f"nobody has all of its scans{told}")
    maps = {
        (person, at): own[person].find(cell.model, parameter)
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


def _mark(section: MapsSection, contrast: ContrastSection, material: Material) -> str:
    """What decides the numbers: the maps, who takes part, and the settings."""
    sample = material.sample
    paths = [(one.label, path) for one in material.maps.values() for path in one.files]
    files = {f"{label} {path.name}": sha256(path) for label, path in paths}
    settings = {
        "contrast": contrast.model_dump(mode="json", exclude={"adjust", "regions", "test", "seed"}),
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


def _tell(tell: Tell, name: str, done: int, total: int) -> None:
    tell(done, total, f"shuffles of {name}")


def written_for(out: Path, name: str) -> tuple[Path, ...]:
    """Maps and table of a contrast, without their sidecars."""
    outputs = read_record(names.provenance(out, _record(name))).outputs
    return tuple(out / path for path in outputs if not path.endswith(".json"))


def remove_others(out: Path, found: Sequence[GroupMap]) -> None:
    """Remove the files of contrasts that are made no more, all but those that were found."""
    kept = [_record(one.name) for one in found]
    for record in sorted(names.provenance(out, "").parent.glob(f"contrast-*{RECORD}.json")):
        if record.stem not in kept:
            remove_outdated(record, out, ())
            record.unlink()
