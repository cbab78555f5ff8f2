"""Maps of a contrast, ``*_statmap.nii.gz``, with their sidecars, and the table of its clusters; written and read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from raphe.data.group_map import CLUSTER, LOGP_FWE, LOGP_FWE_TFCE, TFCE, GroupMap, MapPeak, N, T
from raphe.data.image import Grid
from raphe.data.record import Step
from raphe.errors import InputError
from raphe.io import derivatives as names
from raphe.io.described import NOT_AVAILABLE, Column, write_described
from raphe.io.image_writing import write_image
from raphe.io.images import Values, stream
from raphe.io.nifti import open_image
from raphe.io.tables import read_table, write_text

Floats = npt.NDArray[np.float32]

KINDS: Mapping[str, npt.DTypeLike] = {CLUSTER: np.int32, N: np.int16}
"""Of maps that hold whole numbers."""

COLUMNS = (
    Column("cluster", "Number of the cluster, as in stat-cluster; 0 for a peak outside of clusters"),
    Column("peak", "1 for the highest of its cluster"),
    *(Column(axis, "Place of the peak", "mm") for axis in "xyz"),
    Column("t", "t value of the peak; pseudo-t where the variance was smoothed"),
    Column("p_fwe", "Two-sided p value by the largest absolute t of the whole map"),
    Column("p_fwe_tfce", "Two-sided p value by the largest TFCE of the whole map"),
    Column("p_uncorrected", "Two-sided p value by permutation of this voxel alone, not corrected"),
    Column("p_extent", "p value of the cluster by the largest extent of the whole map"),
    Column("p_mass", "p value of the cluster by the largest mass of the whole map"),
    Column("voxels", "Voxels of the cluster"),
    Column("size_mm3", "Volume of the cluster", "mm3"),
    Column("mass", "Sum of what the absolute t values of the cluster have above the threshold"),
    Column("region", "Region of the atlas at the peak"),
    Column("regions_touched", "Regions of the atlas that the cluster has voxels in, the one with most of them first"),
)


def read_map(path: Path) -> tuple[Grid, Floats]:
    """Read a 3D map; what is no number stays so.

    Raises
    ------
    InputError
        If the file cannot be read, is damaged, or has several volumes.
    """
    image = open_image(path)
    if image.n_volume != 1:
        raise InputError(f"{path} has {image.n_volume} volumes; a map of one was expected")
    taken = Values(None, image, np.ones(1))
    stream(image, [taken], range(1))
    return image.grid, taken.values[0].reshape(image.grid.shape, order="F")


def write_group_map(out: Path, found: GroupMap, about: Mapping[str, object], told: Mapping[str, str]) -> list[Path]:
    """Write the maps and the table of a contrast with their sidecars.

    Parameters
    ----------
    out : Path
        Root of the dataset.
    found : GroupMap
    about : mapping of str to object
        What every sidecar says.
    told : mapping of str to str
        What each map is, by what ``stat-`` says.

    Returns
    -------
    list of Path

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    files = []
    for stat, values in found.maps.items():
        path = names.statistic_map(out, found.name, stat)
        write_image(path, found.grid, [values], 1, KINDS.get(stat, np.float32))
        text = json.dumps({"Description": told[stat], "Statistic": stat, **about}, indent=2, ensure_ascii=False)
        write_text(names.map_sidecar(path), text + "\n")
        files += [path, names.map_sidecar(path)]
    table = names.clusters(out, found.name)
    description = {"Description": "Clusters of the contrast and peaks of t, the highest absolute t first"}
    write_described(table, COLUMNS, [_row(peak) for peak in found.peaks], {**description, **about})
    return [*files, table, names.sidecar(table)]


def _row(peak: MapPeak) -> tuple[object, ...]:
    return (*peak[:-2], peak.region or NOT_AVAILABLE, "; ".join(peak.touched) or NOT_AVAILABLE)


def read_group_map(out: Path, name: str, step: Step) -> GroupMap:
    """Read what a page shows of a contrast: t, what is corrected, and the table.

    Raises
    ------
    InputError
        If a file cannot be read.
    """
    maps: dict[str, Floats] = {}
    grid = None
    for stat in (T, LOGP_FWE, TFCE, LOGP_FWE_TFCE):
        path = names.statistic_map(out, name, stat)
        if path.is_file():
            grid, maps[stat] = read_map(path)
    if grid is None:
        raise InputError(f"{names.statistic_map(out, name, T)} is missing; run the group level again")
    table = read_table(names.clusters(out, name), rows=False)
    peaks = tuple(_peak(dict(zip(table.columns, row, strict=True))) for row in table.rows)
    return GroupMap(name, grid, maps, peaks, step)


def _peak(cells: Mapping[str, Any]) -> MapPeak:
    def number(column: str) -> float:
        return float("nan") if cells[column] == NOT_AVAILABLE else float(cells[column])

    touched = cells["regions_touched"]
    return MapPeak(
        int(cells["cluster"]), int(cells["peak"]), number("x"), number("y"), number("z"), number("t"),
        number("p_fwe"), number("p_fwe_tfce"), number("p_uncorrected"), number("p_extent"), number("p_mass"),
        int(cells["voxels"]), number("size_mm3"), number("mass"),
        "" if cells["region"] == NOT_AVAILABLE else cells["region"],
        () if touched == NOT_AVAILABLE else tuple(touched.split("; ")),
    )  # fmt: skip
