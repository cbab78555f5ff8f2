"""A head after a label image of the user's, with a table of what the labels are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import nibabel
import numpy as np
import numpy.typing as npt

from raphe.data.image import Grid
from raphe.errors import PlanError, nearest
from raphe.io.tables import read_table
from raphe.nomenclature import region_key
from raphe.simulate.anatomy import AIR, GREY, MOST_PARCELS, TISSUES, Anatomy, Labels


def labelled_head(image: Path, table: Path, regions: Sequence[str]) -> Anatomy:
    """Head whose parcels are the labels of an image.

    Parameters
    ----------
    image : Path
        NIfTI, whole numbers; 0 is air.
    table : Path
        TSV with the columns ``index`` and ``name``, as a BIDS ``dseg.tsv`` has them. A name is a region as the catalog
        has it, both sides under one name or told apart, or a word of :data:`raphe.simulate.anatomy.TISSUES`. A column
        ``tissue`` with such a word says what a label is whose name is no region.
    regions : sequence of str
        That have to be there.

    Raises
    ------
    PlanError
        If a file cannot be read, a label is missing from the table, a region from both, or there are too many labels.
    """
    found, affine = read_labels(image)
    named = _table(table)
    present = [int(value) for value in np.unique(found) if value != 0]
    missing = [value for value in present if value not in named]
    if missing:
        few = ", ".join(map(str, missing[:5])) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
        raise PlanError(
            f"{image} has the label{'s' if len(missing) > 1 else ''} {few}, which {table} does not name; add a row for "
            "each, with its index, name and, if it is no region, its tissue"
        )
    names, tissues = [AIR], [AIR]
    to_parcel = {0: 0}
    for value in present:
        name, tissue = named[value]
        if name not in names:
            names.append(name)
            tissues.append(tissue)
        to_parcel[value] = names.index(name)
    if len(names) > MOST_PARCELS:
        raise PlanError(f"{table} names {len(names)} regions and tissues; {MOST_PARCELS} can be simulated at most")
    for region in regions:
        if region_key(region)[0] not in names:
            raise PlanError(
                f"{image}: no label is named {region!r}, which the plan needs; {nearest(region, names[1:])}, or give "
                f"the label its name in {table}"
            )
    values = np.array(sorted(to_parcel))
    labels: Labels = np.array([to_parcel[value] for value in values], dtype=np.uint8)[np.searchsorted(values, found)]
    grid = Grid((labels.shape[0], labels.shape[1], labels.shape[2]), affine)
    return Anatomy(grid, np.ascontiguousarray(labels), tuple(names), tuple(tissues))


def read_labels(path: Path) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Labels of an image, shape (nx, ny, nz), and its affine.

    Raises
    ------
    PlanError
        If it cannot be read, or is no label image.
    """
    try:
        image = nibabel.load(path)
        data = np.squeeze(np.asanyarray(image.dataobj))  # type: ignore[attr-defined]
    except FileNotFoundError:
        raise PlanError(f"{path}: there is no such label image; mend its path in [anatomy] labels") from None
    except Exception as error:  # what nibabel raises for damaged files is not listed anywhere
        raise PlanError(f"{path} cannot be read as a NIfTI image ({error}); give another") from None
    if data.ndim != 3:
        raise PlanError(f"{path} has {data.ndim} dimensions; a label image has three")
    whole = np.rint(data)
    if not np.array_equal(whole, data):
        raise PlanError(f"{path} holds numbers that are not whole; a label image has a whole number in each voxel")
    affine = np.array(image.affine, dtype=np.float64)  # type: ignore[attr-defined]
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
        raise PlanError(f"{path} has an affine that has no inverse; mend its header")
    return whole.astype(np.int64), affine


def _table(path: Path) -> dict[int, tuple[str, str]]:
    """Name and tissue of each label."""
    table = read_table(path)
    for column in ("index", "name"):
        if column not in table.columns:
            raise PlanError(f"{path} has no column {column!r}; a table of labels has the columns index and name")
    found: dict[int, tuple[str, str]] = {}
    for row in table.rows:
        given = dict(zip(table.columns, row, strict=True))
        try:
            index = int(given["index"])
        except ValueError:
            raise PlanError(f"{path}: index = {given['index']!r} is no whole number; mend that row") from None
        if index in found:
            raise PlanError(f"{path}: index {index} stands in two rows; keep one of them")
        name = region_key(given["name"])[0]
        word = name.replace(" ", "_")
        tissue = given.get("tissue", "").strip() or (word if word in TISSUES else GREY)
        if tissue not in TISSUES:
            raise PlanError(
                f"{path}: tissue = {tissue!r} is none of {', '.join(TISSUES)}; mend the row of index {index}"
            )
        found[index] = (name if tissue == GREY else tissue, tissue)
    return found
