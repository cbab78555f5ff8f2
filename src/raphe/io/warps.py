"""Nonlinear warps as displacement fields in NIfTI, as ITK and ANTs have them: LPS, mm, a vector for each voxel."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
from isal import igzip
from nibabel import Nifti1Header

from raphe.data.alignment import Field
from raphe.data.image import Grid
from raphe.errors import InputError, OutputError
from raphe.io.image_writing import SCANNER
from raphe.io.mimap import LEVEL

VECTOR = 1007
"""Code of NIfTI for a vector in each voxel."""

TO_LPS = np.array([-1.0, -1.0, 1.0], dtype=np.float32)


def write_field(path: Path, field: Field) -> None:
    """Write a field whose places are in space A, on a grid of space B: a file ``from-A_to-B_mode-image_xfm.nii.gz``.

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    moved = (field.places - _own(field.grid)) * TO_LPS
    header = Nifti1Header(endianness="<")
    header.set_data_dtype(np.dtype("<f4"))
    header.set_data_shape((*field.grid.shape, 1, 3))
    header.set_sform(field.grid.affine, SCANNER)
    header.set_qform(field.grid.affine, SCANNER)
    header.set_xyzt_units("mm")
    header["intent_code"], header["vox_offset"], header["scl_slope"] = VECTOR, 352, 1
    header["descrip"] = b"raphe"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as raw, igzip.IGzipFile("", "wb", LEVEL, raw, 0) as file:
            file.write(header.binaryblock + bytes(4))
            for axis in range(3):
                file.write(np.asarray(moved[..., axis], dtype="<f4").tobytes(order="F"))
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from None


def read_field(path: Path) -> Field:
    """Read what :func:`write_field`, or a program that uses ITK, wrote.

    Raises
    ------
    InputError
        If the file cannot be read, or holds no vector of three for each voxel.
    """
    try:
        image = nibabel.load(path)
        shape: tuple[int, ...] = image.shape  # type: ignore[attr-defined]
        if len(shape) != 5 or shape[3:] != (1, 3):
            raise InputError(
                f"{path} has the shape {' x '.join(map(str, shape))}; a field has three numbers for each voxel, as "
                "X x Y x Z x 1 x 3"
            )
        moved = np.asarray(image.dataobj, dtype=np.float32)[..., 0, :]  # type: ignore[attr-defined]
        grid = Grid((shape[0], shape[1], shape[2]), np.array(image.affine, dtype=np.float64))  # type: ignore[attr-defined]
    except (OSError, EOFError, ValueError, nibabel.filebasedimages.ImageFileError) as error:
        raise InputError(f"{path} cannot be read: {error}; make it anew") from None
    return Field(grid, moved * TO_LPS + _own(grid))


def _own(grid: Grid) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Place of each voxel, mm."""
    i, j, k = np.ogrid[: grid.shape[0], : grid.shape[1], : grid.shape[2]]
    a = grid.affine
    parts = [a[row, 0] * i + a[row, 1] * j + a[row, 2] * k + a[row, 3] for row in range(3)]
    return np.stack(parts, axis=-1).astype(np.float32)
