"""Whether the two ways in which a NIfTI header says where its voxels are, qform and sform, agree."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import nibabel
import numpy as np
import numpy.typing as npt
from nibabel.spatialimages import HeaderDataError

from raphe.data.finding import Finding
from raphe.data.image import Grid

SAME_PLACE = 0.5
"""mm by which qform and sform may put a corner of the image apart; an assumption."""


def doubts_of_forms(path: Path, header: nibabel.Nifti1Header, grid: Grid) -> Iterator[Finding]:
    """Doubt a header whose two ways to say where a voxel is do not agree.

    Parameters
    ----------
    path : Path
    header : nibabel.Nifti1Header
    grid : Grid
        For the number of voxels.
    """
    codes = int(header["qform_code"]), int(header["sform_code"])
    if min(codes) <= 0:
        return
    sform = np.asarray(header.get_sform(), dtype=float)
    try:
        qform = np.asarray(header.get_qform(), dtype=float)
    except (ValueError, HeaderDataError):
        qform = np.full((4, 4), np.nan)
    if not np.isfinite(qform).all():
        told = f"{path}: its qform cannot be read; raphe takes the sform. Write it into both"
        yield Finding("warning", path, "qform", told)
        return
    apart = _apart(grid, qform, sform)
    if apart <= SAME_PLACE:
        return
    mirrored = np.linalg.det(qform[:3, :3]) * np.linalg.det(sform[:3, :3]) < 0
    what = "they differ in left and right" if mirrored else f"they put a corner {apart:.3g} mm apart"
    told = (
        f"{path}: qform and sform disagree: {what} (codes {codes[0]} and {codes[1]}); raphe takes the sform. "
        "Find out which is right, and write it into both"
    )
    yield Finding("warning", path, "sform", told)


def _apart(grid: Grid, one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float:
    """Greatest distance between the places that two affines give a corner of the image, mm."""
    corners = np.array([(*corner, 1) for corner in product(*((0, size - 1) for size in grid.shape))])
    return float(np.linalg.norm((corners @ (one - other).T)[:, :3], axis=1).max())
