"""The reference of a map: a curve from a table, or the mean over a mask."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from raphe.data.record import Step
from raphe.data.tacs import TACs
from raphe.errors import InputError
from raphe.io.curves import read_curves
from raphe.io.dynamic import DynamicFile
from raphe.io.images import Indices, Values, read_mask
from raphe.io.nifti import is_image
from raphe.io.place import located
from raphe.io.schedule import check_agreement
from raphe.kinetics.fit import check_reference
from raphe.pipeline.choices import Analysis
from raphe.pipeline.reference import find_reference

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Named:
    """What ``--reference`` names: a file, and the region in it where it is a table.

    Parameters
    ----------
    path : Path
    region : str or None
    """

    path: Path
    region: str | None = None

    @property
    def mask(self) -> bool:
        """Whether it is a mask."""
        return is_image(self.path)

    @property
    def label(self) -> str:
        """What to call the reference of a mask."""
        return self.path.name.split(".")[0]


def named(text: str) -> Named:
    """Read what ``--reference`` says: a mask, a table of curves, or a table and a region, ``TABLE:REGION``.

    Raises
    ------
    InputError
        If it names no file.
    """
    if Path(text).is_file():
        return Named(Path(text))
    file, colon, region = text.rpartition(":")
    if colon and region and Path(file).is_file():
        return Named(Path(file), region)
    raise InputError(
        f"--reference {text!r} names no file; give a mask (3D image), a table with the reference's curve, or a table "
        "and the region in it, as in curves_tacs.tsv:cerebellum"
    )


def curve_of_table(where: Named, image: DynamicFile, unit: str | None) -> TACs:
    """Curves of the table that holds the reference, on the frames of an image.

    Raises
    ------
    InputError, UnitError, TimingError
        If the table cannot be read, or its frames are not those of the image.
    """
    curves = read_curves(where.path, unit=unit, half_life=image.half_life)
    tacs, source = curves.tacs, image.sidecar.paths[0]
    whole = image.whole
    if len(tacs.frames) == len(image.frames) < len(whole):
        whole = image.frames
    if not check_agreement(tacs.frames.start, tacs.frames.end, whole.start, whole.end, str(where.path), source):
        raise InputError(
            f"{where.path}: the table has {len(tacs.frames)} frames, but {image.path} has {len(whole)}; give a curve "
            "with all frames of the image"
        )
    if whole is not image.frames:
        kept = slice(image.volumes.start, image.volumes.stop)
        tacs = replace(tacs, activity=tacs.activity[:, kept], frames=image.frames)
    return tacs


def region_of_table(where: Named, tacs: TACs, analysis: Analysis) -> tuple[Array, str, Step]:
    """Curve of the reference region in its table, its name, and how it was found.

    Raises
    ------
    InputError
        If the table has no such region, or its curve cannot be a reference's.
    """
    with located(where.path):
        return find_reference(tacs, analysis)


def voxels_of_mask(where: Named, image: DynamicFile, label: int | None) -> Indices:
    """Voxels of a mask of the reference region.

    Raises
    ------
    InputError
        If the mask cannot be used.
    """
    return np.flatnonzero(read_mask(where.path, image.file.grid, image.path, label, one_region=True))


def mean_of_mask(where: Named, found: Values, image: DynamicFile, label: int | None) -> tuple[Array, str, Step]:
    """Mean over the reference's voxels, shape (n_frame,), kBq/mL, its name, and how it was found.

    Raises
    ------
    InputError
        If a voxel holds a value that is not a number, or the mean cannot be a reference's.
    """
    lacking = int((~np.isfinite(found.values)).any(axis=0).sum())
    n_voxel = found.values.shape[1]
    if lacking:
        raise InputError(
            f"{where.path}: {lacking} of the {n_voxel} voxels of the reference hold values that are not numbers (NaN "
            f"or Inf) in {image.path}; leave them out of the mask"
        )
    curve = found.values.mean(axis=1, dtype=float)
    name = where.label if label is None else f"{where.label}, label {label}"
    check_reference(f"reference {where.path}", curve, image.frames)
    how = f"mean over the {n_voxel} voxels of a mask"
    return curve, name, Step("reference", {"region": name, "how": how, "source": "command line", "n_voxel": n_voxel})
