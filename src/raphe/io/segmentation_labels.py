"""The labels of a segmentation: its regions by name, and the tissue that is in none of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from raphe.catalog import ColorLabel, tissue_named
from raphe.data.volume import Labels, Whole
from raphe.errors import InputError
from raphe.io.color_tables import freesurfer_stem, labels_of
from raphe.io.label_images import names_in, refuse_twice, refuse_unnamed, table_of_labels
from raphe.io.mgh import read_mgh_labels
from raphe.io.segmentations import Segmentation
from raphe.io.volumes import read_whole_numbers
from raphe.nomenclature import FLUID, WHITE, region_key

SIDES = {"L": "left_", "R": "right_", "": ""}


def read_segmentation(one: Segmentation) -> Labels:
    """Read a segmentation.

    Numbers of FreeSurfer get the names that raphe has for their regions, ``left_hippocampus``; those of other tables
    keep theirs. Rows of a table that the image does not have are left out.

    Parameters
    ----------
    one : Segmentation

    Returns
    -------
    Labels
        Regions under their numbers; white matter and fluid, where there are any, as
        :data:`raphe.nomenclature.WHITE` and ``FLUID``. Labels that are neither (vessels, skull, unknown) are 0.

    Raises
    ------
    InputError
        If image or table cannot be read, a label has no name, a name or number stands twice, or there is no region.
    """
    path = one.path
    mgh = path.name.endswith((".mgz", ".mgh"))
    grid, values = read_mgh_labels(path) if mgh else read_whole_numbers(path)
    present = [int(number) for number in np.unique(values) if number != 0]
    if not present:
        raise InputError(f"{path} is empty: all its voxels are 0; make the segmentation again, or name another (--seg)")
    labels = _of_freesurfer(path, present) if one.freesurfer else _of_table(path, present)
    return Labels(grid, *_sorted_out(path, values, labels))


def _of_freesurfer(path: Path, present: list[int]) -> dict[int, ColorLabel]:
    known = labels_of(path)
    refuse_unnamed(
        path,
        [number for number in present if number not in known],
        "FreeSurfer's color table of whole heads does not name; copy their lines from FreeSurferColorLUT.txt into "
        f"{path.with_name(f'{freesurfer_stem(path)}.ctab')}",
    )
    return {number: ColorLabel(_own_name(known[number].name), known[number].tissue) for number in present}


def _of_table(path: Path, present: list[int]) -> dict[int, ColorLabel]:
    table = table_of_labels(path)
    names = names_in(table)
    refuse_unnamed(path, [number for number in present if number not in names], f"{table} does not name; add them")
    named = {number: names[number] for number in present}
    refuse_twice(table, named)
    return {number: ColorLabel(name, tissue_named(name) or "grey") for number, name in named.items()}


def _own_name(name: str) -> str:
    plain, side = region_key(name)
    return SIDES[side] + plain.replace(" ", "_")


def _sorted_out(path: Path, values: Whole, labels: Mapping[int, ColorLabel]) -> tuple[Whole, dict[int, str]]:
    """Values and names with one number for each region and tissue."""
    into = np.zeros(max(labels) + 1, dtype=np.int32)
    numbers: dict[str, int] = {}
    for number, label in labels.items():
        if label.tissue == "grey":
            into[number] = numbers.setdefault(label.name, number)
    if not numbers:
        raise InputError(
            f"{path} has no region: all its labels are white matter, fluid or unknown; name another (--seg)"
        )
    for tissue, own in (("white", WHITE), ("fluid", FLUID)):
        members = [number for number, label in labels.items() if label.tissue == tissue]
        if members:
            into[members] = numbers[own] = members[0]
    return into[values], {number: name for name, number in numbers.items()}
