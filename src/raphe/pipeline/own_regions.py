"""Regions from a segmentation of the user's own, on the grid of the head."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from raphe.core.resample import NEAREST, at_places, resample
from raphe.data.finding import Finding
from raphe.data.image import Grid
from raphe.data.record import Step
from raphe.data.volume import Labels
from raphe.errors import InputError
from raphe.io.label_images import names_in, table_of_labels
from raphe.io.names import parse_name
from raphe.io.raw_scans import RawScan
from raphe.io.segmentation_labels import read_segmentation
from raphe.io.segmentations import Segmentation, find_segmentation, segmentations
from raphe.io.tables import shortened
from raphe.nomenclature import FLUID, segmentation_key
from raphe.pipeline.atlas_choice import atlas_of
from raphe.pipeline.preprocess_choices import Preprocessing
from raphe.pipeline.raw_task import RawTask
from raphe.preprocess.anatomy import Head

LEAST = 0.5
"""Share of the labels that must lie inside the brain."""


def own_segmentation(task: RawTask) -> Segmentation | None:
    """Segmentation of the user's own, where there is one and regions come from the T1-weighted image.

    That of the session of the T1-weighted image comes first, then that of the PET's, then one of no session.

    Raises
    ------
    InputError
        If there are several, or one is asked for that there is not, nor an atlas of that name.
    """
    return segmentation_of(task.raw, task.choices, (*task.derivatives, task.bids))


def segmentation_of(raw: RawScan, choices: Preprocessing, roots: Sequence[Path]) -> Segmentation | None:
    """The same of a scan, by the choices and the datasets that a task would have.

    Raises
    ------
    InputError
        As :func:`own_segmentation`.
    """
    if raw.t1 is None or choices.anatomy == "pet":
        return None
    participant, wanted = raw.scan.participant, choices.seg
    of_t1 = parse_name(raw.t1).entities.get("ses")
    own = raw.scan.session
    found = find_segmentation(participant, tuple(dict.fromkeys((of_t1 or own, own, None))), roots, wanted)
    if found is None and wanted is not None and not segmentation_key(wanted) == segmentation_key(
        atlas_of(choices).name
    ):  # fmt: skip
        named = dict.fromkeys(name for one in segmentations(participant, roots) for name in one.names)
        there = f"there are {shortened(list(named))}" if named else "there is none"
        raise InputError(
            f"sub-{participant} has no segmentation {wanted!r} (seg- or desc- of *_dseg.nii.gz in anat, or a file of "
            f"FreeSurfer in mri); {there}: name one of them, its folder (--derivatives), or leave --seg out for the "
            f"atlas {atlas_of(choices).name}"
        )
    return found


def faults_of_segmentations(
    raws: Sequence[RawScan], choices: Preprocessing, roots: Sequence[Path]
) -> Iterator[Finding]:
    """Yield what keeps the segmentations of scans from being used, as far as their tables show it.

    Where a name stands twice in a table, the image is looked at: rows that it does not have do no harm.
    """
    for raw in raws:
        path = raw.image
        try:
            one = segmentation_of(raw, choices, roots)
            if one is not None and not one.freesurfer:
                path = one.path
                names = names_in(table_of_labels(path)).values()
                if len(set(names)) < len(names):
                    read_segmentation(one)
        except InputError as error:
            yield Finding("error", path, "seg", str(error))


def own_regions(one: Segmentation, head: Head, wanted: str | None) -> tuple[Labels, Step, tuple[str, ...]]:
    """Regions of a segmentation on the grid of a head, which lies in the same space.

    Parameters
    ----------
    one : Segmentation
    head : Head
    wanted : str or None
        Name by which it was chosen.

    Returns
    -------
    Labels
    Step
    tuple of str
        Doubts.

    Raises
    ------
    InputError
        As :func:`raphe.io.segmentation_labels.read_segmentation`.
    """
    given = read_segmentation(one)
    share = _inside(given, head)
    doubts = () if share >= LEAST else (
        f"the segmentation {one.path} does not lie on this MRI: {100 * share:.0f} % of it is inside the brain of the "
        "T1-weighted image; it may be of another person, session or space, and its curves are not to be trusted",
    )  # fmt: skip
    labels = given if _same(given.grid, head.t1.grid) else _on(given, head.t1.grid)
    return labels, Step("segmentation", {"file": one.path.name, "seg": one.label(wanted), "inside": share}), doubts


def _inside(labels: Labels, head: Head) -> float:
    """Share of the labels that lies in the brain; fluid is not counted, for some of it lies around the brain."""
    counted = [number for number, name in labels.names.items() if name != FLUID]
    index = np.argwhere(np.isin(labels.values, counted))
    places = index @ labels.grid.affine[:3, :3].T + labels.grid.affine[:3, 3]
    inside = at_places(head.brain.astype(np.uint8), head.t1.grid.affine, places, NEAREST)
    return float(inside.mean())


def _same(one: Grid, other: Grid) -> bool:
    return one.shape == other.shape and bool(np.allclose(one.affine, other.affine, atol=1e-3))


def _on(labels: Labels, grid: Grid) -> Labels:
    found = resample(labels.values, labels.grid.affine, np.eye(4), grid.shape, grid.affine, NEAREST)
    return Labels(grid, np.asarray(found, dtype=np.int32), labels.names)
