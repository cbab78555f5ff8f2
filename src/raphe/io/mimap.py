"""Parametric maps: ``*_mimap.nii.gz`` with its sidecar."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from isal import igzip

from raphe.errors import OutputError
from raphe.io.derivatives import map_sidecar
from raphe.io.images import BLOCK, Indices
from raphe.io.nifti import PLACES, Header, ImageFile
from raphe.io.tables import write_text

OUTSIDE = 255
"""What a map of flags has outside the mask: every bit, which no fit has."""

PLACE = (
    *("qform_code", "quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z"),
    *("sform_code", "srow_x", "srow_y", "srow_z"),
)
"""Fields of a header that say where the voxels are, besides ``pixdim``; a map takes them over as they are."""

LEVEL = 1
"""Of the compression by isal: ten times as fast as zlib's, and files of about the same size."""


def write_mimap(
    path: Path,
    source: ImageFile,
    voxels: Indices,
    values: Sequence[npt.NDArray[np.generic]],
    metadata: Mapping[str, object],
) -> None:
    """Write a map on the grid of the image that it was made of, and its sidecar.

    Outside of ``voxels``, a map of numbers is NaN and one of flags is :data:`OUTSIDE`.

    Parameters
    ----------
    path : Path
        See :func:`raphe.io.derivatives.mimap`.
    source : ImageFile
        Its affine, the codes of qform and sform and the unit of places are taken over.
    voxels : ndarray of int, shape (n_voxel,)
        Indices of the voxels in the order of the file, ascending.
    values : sequence of ndarray
        Their values in pieces, in order: float32 or uint8.
    metadata : mapping of str to object
        JSON values.

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    dtype = values[0].dtype.newbyteorder("<")
    n_voxel = source.grid.n_voxel
    block = np.empty(min(BLOCK, n_voxel), dtype=dtype)
    edges = np.searchsorted(voxels, np.arange(0, n_voxel + BLOCK, BLOCK))
    pieces = _Pieces(values)
    try:
        with path.open("wb") as file, igzip.IGzipFile("", "wb", LEVEL, file, 0) as gzip:
            gzip.write(_header(source, dtype))
            for at, first in enumerate(range(0, n_voxel, BLOCK)):
                part = block[: min(BLOCK, n_voxel - first)]
                part.fill(OUTSIDE if dtype.kind == "u" else np.nan)
                start, stop = edges[at], edges[at + 1]
                pieces.put(part, voxels[start:stop] - first, start, stop)
                gzip.write(part.view(np.uint8).data)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from None
    write_text(map_sidecar(path), json.dumps(dict(metadata), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


class _Pieces:
    """Values that come in pieces, as if they were one array."""

    def __init__(self, values: Sequence[npt.NDArray[np.generic]]) -> None:
        self._values = values
        self._edges = np.cumsum([0, *(piece.size for piece in values)])

    def put(self, into: npt.NDArray[np.generic], at: Indices, start: int, stop: int) -> None:
        """Put values ``start`` to ``stop`` at places of an array."""
        for piece, first, last in zip(self._values, self._edges[:-1], self._edges[1:], strict=True):
            low, high = max(start, first), min(stop, last)
            if low < high:
                into[at[low - start : high - start]] = piece[low - first : high - first]


def _header(source: ImageFile, dtype: np.dtype[np.generic]) -> bytes:
    """Header of a map, with the four bytes that say that no extension follows."""
    own = source.header
    header: Header = type(own)(endianness="<")
    header.set_data_shape(source.grid.shape)
    header.set_data_dtype(dtype)
    for field in PLACE:
        header[field] = own[field]
    header["pixdim"][:4] = own["pixdim"][:4]
    header["xyzt_units"] = int(own["xyzt_units"]) & PLACES
    header["scl_slope"], header["scl_inter"] = 1, 0
    header["vox_offset"] = int(header["sizeof_hdr"]) + 4
    header["descrip"] = b"raphe"
    return bytes(header.binaryblock) + bytes(4)
