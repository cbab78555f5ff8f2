"""An image painted from a table of curves, a block of voxels for each region: something to try ``raphe map`` on.

It has no anatomy, no resolution and no noise of its own. ``python -m raphe.simulate.blocks TACS OUT_pet.nii.gz`` makes
one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import nibabel
import numpy as np

from raphe.errors import OutputError, RapheError
from raphe.io.curves import read_curves
from raphe.io.sidecar import sidecar_of
from raphe.io.tables import write_text

EDGE = 4
"""Voxels along each edge of a block, with one of air around them."""

SIZE = 2.0
"""Edge of a voxel, mm."""


def paint(table: Path, out: Path) -> Path:
    """Paint the curves of a table, and write the image, its sidecar and the labels of the regions.

    Parameters
    ----------
    table : Path
        With a sidecar that tells the tracer and its radionuclide.
    out : Path
        Ends in ``_pet.nii.gz``; beside it ``_pet.json``, ``_dseg.nii.gz`` and ``_dseg.tsv`` are written. The labels
        count the regions from 1 in the order of the table.

    Returns
    -------
    Path
        Of the labels.

    Raises
    ------
    InputError, UnitError, TimingError
        If the table cannot be read.
    OutputError
        If ``out`` is not so named or cannot be written.
    """
    if not out.name.endswith("_pet.nii.gz"):
        raise OutputError(f"{out}: the name of the image must end in _pet.nii.gz")
    curves, sidecar = read_curves(table), sidecar_of(table)
    tacs = curves.tacs
    n_region = len(tacs.names)
    labels = np.zeros((EDGE + 2, EDGE + 2, (EDGE + 1) * n_region + 1), dtype=np.uint8)
    for region in range(n_region):
        first = 1 + region * (EDGE + 1)
        labels[1:-1, 1:-1, first : first + EDGE] = region + 1
    palette = np.vstack([np.zeros(len(tacs.frames)), tacs.activity]).astype(np.float32)
    affine = np.diag([SIZE, SIZE, SIZE, 1.0])
    stem = out.name.removesuffix("_pet.nii.gz")
    where = out.with_name(f"{stem}_dseg.nii.gz")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        for path, data in ((out, palette[labels]), (where, labels)):
            image = nibabel.Nifti1Image(data, affine)
            image.header.set_xyzt_units("mm", "sec")
            nibabel.save(image, path)
    except OSError as error:
        raise OutputError(f"{out} cannot be written: {error.strerror or error}") from None
    told = {
        "Units": "kBq/mL",
        "TracerName": "" if sidecar is None else sidecar.tracer,
        "TracerRadionuclide": "" if sidecar is None else sidecar.radionuclide,
        "InjectionStart": 0,
        "FrameTimesStart": (60 * tacs.frames.start).round(6).tolist(),
        "FrameDuration": (60 * tacs.frames.duration).round(6).tolist(),
        "ImageDecayCorrected": True,
        "ImageDecayCorrectionTime": 0,
    }
    fields = {field: value for field, value in told.items() if value != ""}
    write_text(out.with_name(f"{stem}_pet.json"), json.dumps(fields, indent=2) + "\n")
    rows = [f"{number}\t{name}\n" for number, name in enumerate(tacs.names, start=1)]
    write_text(out.with_name(f"{stem}_dseg.tsv"), "index\tname\n" + "".join(rows))
    return where


def main(words: Sequence[str]) -> int:
    """Paint one table; the value is the exit code."""
    if len(words) != 2:
        print("python -m raphe.simulate.blocks TACS OUT_pet.nii.gz", file=sys.stderr)
        return 2
    try:
        print(paint(Path(words[0]), Path(words[1])))
    except RapheError as error:
        print(f"raphe.simulate.blocks: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
