"""Label images of FreeSurfer: ``.mgz`` and ``.mgh``."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
from nibabel.freesurfer.mghformat import DATA_OFFSET, MGHHeader

from raphe.data.image import Grid
from raphe.data.volume import Whole
from raphe.errors import InputError
from raphe.io.decoded import check_length, decoded

Affine = npt.NDArray[np.float64]

VERSION = 1
"""The first number of every file."""


def read_mgh_labels(path: Path) -> tuple[Grid, Whole]:
    """Read a 3D label image of FreeSurfer; places are in scanner space, as in the NIfTI image that it was made from.

    Raises
    ------
    InputError
        If it cannot be read, is cut short or damaged, has several volumes, or holds something else than whole numbers
        from 0 on.
    """
    with decoded(path) as file:
        head = bytearray(DATA_OFFSET)
        size = file.fill(memoryview(head))
        if size < DATA_OFFSET or int.from_bytes(head[:4], "big") != VERSION:
            raise InputError(f"{path} is not an .mgz image: it does not begin with the header of one; copy it again")
        header = MGHHeader(bytes(head), check=False)
        shape, dtype, affine = _told(path, header)
        length = math.prod(shape) * dtype.itemsize
        check_length(path, file.kind, DATA_OFFSET + length, f"{' x '.join(map(str, shape))} voxels")
        data = bytearray(length)
        read = file.fill(memoryview(data))
        if read < length:
            raise InputError(f"{path} is cut short: it holds {read} bytes of voxels of {length}; copy it again")
        file.finish()
    found = np.frombuffer(data, dtype=dtype).reshape(shape, order="F").astype(np.float64)
    wrong = (found != np.rint(found)) | (found < 0) | (found > np.iinfo(np.int32).max)
    if wrong.any():
        raise InputError(f"{path} is no label image: it holds {found[wrong][0]:g}; labels are whole numbers from 0 on")
    return Grid(shape, affine), found.astype(np.int32)


def _told(path: Path, header: MGHHeader) -> tuple[tuple[int, int, int], np.dtype[np.generic], Affine]:
    dims = [int(size) for size in header["dims"]]
    if min(dims) < 1:
        raise InputError(f"{path}: the header says {' x '.join(map(str, dims))} voxels; copy the file again")
    if dims[3] != 1:
        raise InputError(f"{path} has {dims[3]} volumes; a 3D label image was expected")
    try:
        dtype = np.dtype(header.get_data_dtype()).newbyteorder(">")
    except KeyError:
        raise InputError(f"{path}: the header's type is {int(header['type'])}, which MGH does not have") from None
    affine = np.array(header.get_affine(), dtype=np.float64)
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
        raise InputError(f"{path}: its header has no affine with an inverse ({affine[:3].tolist()}); mend it")
    return (dims[0], dims[1], dims[2]), dtype, affine
