"""A macaque's head after the INIA19 template, where the user, or Debian's package mricron-data, has its labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from raphe import catalog
from raphe.data.image import Grid
from raphe.errors import PlanError
from raphe.simulate.anatomy import AIR, BLOOD, BONE, FLUID, GREY, OTHER_GREY, SOFT, WHITE, Anatomy
from raphe.simulate.geometry import geometry
from raphe.simulate.own_labels import read_labels
from raphe.simulate.surroundings import around, closed

ATLAS = catalog.atlas("INIA19")

INSTALLED = Path(ATLAS.files["labels"].path)
"""Where Debian's package has the labels."""


SULCUS = 3.0
"""Distance from labelled tissue on all sides up to which what has no label is fluid in a sulcus, mm; an assumption."""


def inia19_head(path: Path | None) -> Anatomy:
    """Head after the template.

    Parameters
    ----------
    path : Path or None
        Of ``inia19-NeuroMaps.nii.gz``; None for that of Debian's package.

    Raises
    ------
    PlanError
        If it is not there, or is another image.
    """
    if path is None and not INSTALLED.is_file():
        raise PlanError(
            f"[anatomy] source = 'inia19': the labels of the atlas are not at {INSTALLED}; install Debian's package "
            "mricron-data, or name the file inia19-NeuroMaps.nii.gz (labels = PATH)"
        )
    found, affine = read_labels(path or INSTALLED)
    grouped, coarse = ATLAS, geometry("macaque")
    if not all(np.isin(members, found).any() for members in grouped.regions.values()):
        raise PlanError(
            f"{path or INSTALLED}: these are not the labels of INIA19 NeuroMaps; take inia19-NeuroMaps.nii.gz"
        )
    names = [AIR, *grouped.regions, OTHER_GREY, WHITE, FLUID, BONE, SOFT, BLOOD]
    tissues = [AIR, *(GREY for _ in grouped.regions), OTHER_GREY, WHITE, FLUID, BONE, SOFT, BLOOD]
    number = {name: index for index, name in enumerate(names)}
    to_parcel = np.full(int(found.max()) + 1, number[WHITE], dtype=np.uint8)
    to_parcel[0] = 0
    for name, members in (*grouped.regions.items(), *grouped.tissues.items()):
        both = np.array([*members, *(member + (ATLAS.right or 0) for member in members)])
        to_parcel[both[both < to_parcel.size]] = number[name]
    edge = int(np.ceil((coarse.shells.bone + coarse.shells.soft) / min(np.abs(affine[:3, :3].diagonal())))) + 2
    inside = np.pad(to_parcel[found], edge)
    affine[:3, 3] -= edge * affine[:3, :3].sum(axis=1)
    brain = closed(inside > 0, affine, SULCUS)
    labels = np.where(
        inside > 0, inside, np.where(brain, np.uint8(number[FLUID]), around(brain, affine, coarse, number))
    )
    grid = Grid((labels.shape[0], labels.shape[1], labels.shape[2]), affine)
    return Anatomy(grid, labels, tuple(names), tuple(tissues))
