"""Atlases of a few regions that the user has, read as they are: an image and labels in a space of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from raphe.catalog import Atlas
from raphe.core.resample import NEAREST, at_places
from raphe.data.image import Grid
from raphe.data.volume import Labels, Volume, Whole
from raphe.errors import InputError
from raphe.io.templates import grouped
from raphe.io.volumes import read_volume, read_whole_numbers

LEAST = 0.9
"""Share of the labels that must lie where the image of the atlas is not 0."""


def read_supplement(atlas: Atlas, files: Mapping[str, Path], regions: Sequence[str]) -> tuple[Volume, Labels]:
    """Read the image of an atlas, and some of its regions.

    The labels need not fill the grid of the image, but must lie in the same space.

    Parameters
    ----------
    atlas : Atlas
    files : mapping of str to Path
        ``t1`` and ``labels``.
    regions : sequence of str
        Of the catalog's entry.

    Returns
    -------
    Volume
    Labels
        Two for each region, left and right.

    Raises
    ------
    InputError
        If a file cannot be read or is no 3D image, the image is empty, a number of the catalog is not among the labels,
        or the labels do not lie on the image.
    """
    fields = {role: f"[preprocess.files] {atlas.role(role)} = {str(path)!r}" for role, path in files.items()}
    try:
        t1 = read_volume(files["t1"])
    except InputError as error:
        raise InputError(f"{fields['t1']}: {error}") from None
    if not (t1.values > 0).any():
        raise InputError(
            f"{fields['t1']}: no voxel is above 0 (the largest is {t1.values.max():g}); name the brain of {atlas.name}"
        )
    try:
        grid, numbers = read_whole_numbers(files["labels"])
    except InputError as error:
        raise InputError(f"{fields['labels']}: {error}") from None
    there = set(np.unique(numbers).tolist())
    for region in regions:
        wanted = [n + more for n in atlas.regions[region] for more in (0, atlas.right) if more is not None]
        missing = [n for n in wanted if n not in there]
        if missing:
            raise InputError(
                f"{fields['labels']}: {atlas.name} has the {region} as {wanted}, but no voxel of this image is "
                f"{' or '.join(map(str, missing))} (it holds {len(there - {0})} labels up to {max(there)}); name the "
                f"labels of {atlas.name} ({Path(atlas.files['labels'].path).name})"
            )
    _check_place(t1, grid, numbers, fields)
    chosen = atlas.model_copy(update={"regions": {region: atlas.regions[region] for region in regions}})
    return t1, grouped(chosen, grid, numbers)


def _check_place(t1: Volume, grid: Grid, numbers: Whole, fields: Mapping[str, str]) -> None:
    """Refuse labels that lie elsewhere than the image."""
    places = np.argwhere(numbers > 0) @ grid.affine[:3, :3].T + grid.affine[:3, 3]
    brain = (t1.values > 0).astype(np.uint8)
    inside = np.asarray(at_places(brain, t1.grid.affine, places, NEAREST), dtype=np.uint8)
    share = float(inside.mean())
    if share < LEAST:
        raise InputError(
            f"{fields['labels']}: {100 * share:.0f} % of its labels lie in the brain of {fields['t1']}; the two must "
            f"be in one space. The labels are on {grid}, the image on {t1.grid}; name a pair that goes together"
        )
