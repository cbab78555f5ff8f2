"""The head of a participant: its T1-weighted image made ready, once for all scans."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from raphe.catalog import Atlas
from raphe.data.alignment import Warp
from raphe.data.record import Step
from raphe.data.volume import Labels, Volume
from raphe.io import derivatives as names
from raphe.io.label_images import read_labels
from raphe.io.names import parse_name
from raphe.io.nifti import open_image
from raphe.io.provenance import fingerprint, is_done, read_record, remove_outdated, sha256, write_record
from raphe.io.staging import staged
from raphe.io.volumes import read_volume, write_labels, write_mask, write_volume
from raphe.io.warps import read_field, write_field
from raphe.pipeline.atlas_choice import atlas_of, paths_of, supplies_of
from raphe.pipeline.preprocess_choices import Preprocessing
from raphe.pipeline.template_of import region_sources, template_of
from raphe.preprocess.anatomy import Head, prepare_anatomy
from raphe.preprocess.soundness import sound_head

TISSUES = {"grey": "GM", "white": "WM", "fluid": "CSF"}
"""Labels of the maps of tissue in file names."""


@dataclass(frozen=True)
class HeadTask:
    """What a process needs to make one head ready.

    Parameters
    ----------
    bids : Path
    t1 : Path
        The T1-weighted image.
    choices : Preprocessing
    out : Path
    title : str
        Of the study.
    datasets : mapping of str to Path
    command_line : str
    """

    bids: Path
    t1: Path
    choices: Preprocessing
    out: Path
    title: str
    datasets: Mapping[str, Path]
    command_line: str

    @property
    def stem(self) -> str:
        """Name of the image less its suffix."""
        return self.t1.name.split(".")[0].removesuffix("_T1w")

    def file(self, what: str, out: Path | None = None) -> Path:
        """File made of the image."""
        entities = parse_name(self.t1).entities
        return names.anatomical(out or self.out, self.stem, what, entities.get("ses"), entities["sub"])


def prepare_head(task: HeadTask, restart: bool = False) -> float:
    """Make a head ready and write it; the seconds that it took, 0 where it was there.

    Raises
    ------
    RapheError
        If the image or the atlas cannot be used.
    """
    began = time.monotonic()
    record = names.provenance(task.out, f"{task.stem}_anat")
    atlas = atlas_of(task.choices)
    given = {one.atlas.name: one.regions for one in supplies_of(task.choices)}
    mark = fingerprint_of_head(task.t1, paths_of(task.choices), atlas, given)
    if not restart and is_done(record, mark, task.out):
        return 0.0
    read = Step("read_image", {"doubts": tuple(finding.message for finding in open_image(task.t1).findings)})
    t1 = read_volume(task.t1)
    sound_head(t1, task.choices.species, task.t1)
    template, more = template_of(task.choices, task.out, task.datasets, task.command_line)
    head, steps = prepare_anatomy(t1, template)
    with staged(task.out) as stage:
        files = _write(task, head, atlas, stage)
        remove_outdated(record, task.out, [file.relative_to(stage).as_posix() for file in files])
        names.write_description(stage, task.title, task.datasets)
        write_record(
            names.provenance(stage, f"{task.stem}_anat"), (read, *steps, *more), fingerprint=mark, root=stage,
            outputs=files, command_line=task.command_line,
        )  # fmt: skip
    return time.monotonic() - began


def fingerprint_of_head(
    t1: Path, template: Mapping[str, Path], atlas: Atlas, given: Mapping[str, tuple[str, ...]] = MappingProxyType({})
) -> str:
    """What decides a head: its image, the files of atlases by their roles, one of which is a ``t1`` too, and regions.

    ``given`` names the regions that come from each atlas besides the main one.
    """
    inputs = {"head": sha256(t1), **{f"template {role}": sha256(path) for role, path in template.items()}}
    return fingerprint(inputs, {"atlas": atlas.name, **({"given": dict(given)} if given else {})})


def read_head(task: HeadTask) -> tuple[Head, tuple[str, ...]]:
    """Read what :func:`prepare_head` wrote, and what of it is doubtful."""
    atlas = atlas_of(task.choices)
    space = names.label(atlas.space)
    t1 = read_volume(task.file("desc-preproc_T1w.nii.gz"))
    brain = read_volume(task.file("desc-brain_mask.nii.gz")).values > 0
    tissue = {kind: read_volume(task.file(f"label-{label}_probseg.nii.gz")) for kind, label in TISSUES.items()}
    warp = Warp(
        atlas.space,
        read_field(task.file(f"from-T1w_to-{space}_mode-image_xfm.nii.gz")),
        read_field(task.file(f"from-{space}_to-T1w_mode-image_xfm.nii.gz")),
    )
    labels: Labels = read_labels(task.file(f"seg-{names.label(atlas.name)}_dseg.nii.gz"))
    steps = read_record(names.provenance(task.out, f"{task.stem}_anat")).steps
    doubts = tuple(str(doubt) for step in steps for doubt in _several(step.parameters.get("doubts")))
    return Head(t1, brain, tissue["grey"], tissue["white"], tissue["fluid"], warp, labels, doubts), doubts


def _several(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else ()


def _write(task: HeadTask, head: Head, atlas: Atlas, stage: Path) -> list[Path]:
    source = {"Sources": [names.source_uri(task.t1, task.datasets)]}
    space, seg = names.label(atlas.space), names.label(atlas.name)
    written = [task.file("desc-preproc_T1w.nii.gz", stage)]
    write_volume(
        written[0], head.t1, {**source, "Description": "T1-weighted image without bias field", "SkullStripped": False}
    )
    written.append(task.file("desc-brain_mask.nii.gz", stage))
    write_mask(written[-1], head.t1.grid, head.brain, {**source, "Type": "Brain"})
    for kind, label in TISSUES.items():
        written.append(task.file(f"label-{label}_probseg.nii.gz", stage))
        image: Volume = getattr(head, kind)
        rounded = Volume(image.grid, np.round(image.values, 3))
        write_volume(written[-1], rounded, {**source, "Description": f"Probability of {kind} matter"})
    written.append(task.file(f"seg-{seg}_dseg.nii.gz", stage))
    about = {**source, "Description": f"Regions of {atlas.label}", "RegionSources": region_sources(task.choices)}
    write_labels(written[-1], head.labels, about)
    tables = [written[-1].with_name(written[-1].name.replace(".nii.gz", ".tsv"))]
    written += [names.map_sidecar(file) for file in written]
    written += tables
    fields = {
        f"from-T1w_to-{space}_mode-image_xfm.nii.gz": head.warp.to_native,
        f"from-{space}_to-T1w_mode-image_xfm.nii.gz": head.warp.to_template,
    }
    for name, field in fields.items():
        written.append(task.file(name, stage))
        write_field(written[-1], field)
    return written
