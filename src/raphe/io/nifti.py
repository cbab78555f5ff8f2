"""NIfTI files: what a header says of an image, held against the file itself before any voxel is read.

The header is taken apart by nibabel. What nibabel lets pass is refused here: a scaling that is no number, dimensions
that the file cannot hold.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt

from raphe.data.finding import Finding
from raphe.data.image import Grid
from raphe.errors import InputError
from raphe.io.decoded import check_length, decoded
from raphe.io.not_fetched import pointer
from raphe.io.orientation import doubts_of_forms

Header = nibabel.Nifti1Header

_SIZES: dict[int, Any] = {348: nibabel.Nifti1Header, 540: nibabel.Nifti2Header}
_MILLIMETRES = {1: 1e3, 2: 1.0, 3: 1e-3}
"""By the code of the unit of places: metres, millimetres, micrometres; any other is taken for millimetres."""

PLACES = 7
"""Bits of ``xyzt_units`` that tell the unit of places."""

_LARGEST_VOXEL = 10_000.0
"""mm, beyond which no voxel is."""


@dataclass(frozen=True, eq=False)
class ImageFile:
    """A NIfTI file that has been looked at but not read.

    Parameters
    ----------
    path : Path
    kind : str
        ``"gz"``, ``"zst"`` or empty.
    header : nibabel.Nifti1Header
        Or that of NIfTI-2.
    grid : Grid
    n_volume : int
    dtype : numpy.dtype
        Of the numbers in the file, in its byte order.
    slope, inter : float
        A value is ``slope`` times the number in the file, plus ``inter``.
    offset : int
        Bytes before the first voxel.
    findings : tuple of Finding
        Warnings.
    """

    path: Path
    kind: str
    header: Header
    grid: Grid
    n_volume: int
    dtype: np.dtype[np.generic]
    slope: float
    inter: float
    offset: int
    findings: tuple[Finding, ...] = ()


def open_image(path: Path) -> ImageFile:
    """Read the header of a NIfTI image (``.nii``, ``.nii.gz``, ``.nii.zst``), and hold it against the file.

    Raises
    ------
    InputError
        If the file is absent or no single-file NIfTI image, or its header cannot be true; the message names the field
        and its value.
    """
    with decoded(path) as file:
        head = bytearray(540)
        size = file.fill(memoryview(head))
        kind = file.kind
    header = _header(path, bytes(head[:size]))
    shape = _shape(path, header)
    dtype = _dtype(path, header)
    slope, inter = _scaling(path, header)
    offset = _offset(path, header)
    affine, findings = _affine(path, header)
    check_length(
        path,
        kind,
        offset + math.prod(shape) * dtype.itemsize,
        f"{' x '.join(map(str, shape))} voxels of {dtype.itemsize} bytes",
    )
    grid = Grid((shape[0], shape[1], shape[2]), affine)
    findings = (*findings, *doubts_of_forms(path, header, grid))
    return ImageFile(path, kind, header, grid, shape[3], dtype, slope, inter, offset, findings)


_OTHERS = (
    (0, b"\x00\x00\x00\x01\x00", "it is FreeSurfer's (.mgz, .mgh): convert it by mri_convert"),
    (0, b"MATRIX7", "it is ECAT7: raphe convert makes raw BIDS of it"),
    (128, b"DICM", "it is DICOM: raphe convert makes raw BIDS of its folder"),
    (0, b"\x89HDF", "it is HDF5, perhaps MINC: convert it by mnc2nii"),
    (0, b"\x1f\x8b", "it was compressed twice: unpack it once"),
)
"""Where other formats have which first bytes, and what to do about them."""


def is_image(path: Path) -> bool:
    """Whether a file's name is that of a NIfTI image."""
    return path.name.lower().endswith((".nii", ".nii.gz", ".nii.zst", ".hdr", ".img"))


def _header(path: Path, head: bytes) -> Header:
    for size, kind in _SIZES.items():
        known = head[:4] in (size.to_bytes(4, "little"), size.to_bytes(4, "big"))
        if known and len(head) >= size:
            header: Header = kind(head[:size], check=False)
            magic = bytes(header["magic"].tobytes())[:3]
            if magic in (b"ni1", b"ni2"):
                raise InputError(f"{path} is the header of a pair of files; save the image as one file (.nii, .nii.gz)")
            if magic in (b"n+1", b"n+2"):
                return header
            old = " (all 0: is it Analyze 7.5, which does not say where left is?)" if not magic.strip(b"\0") else ""
            raise InputError(
                f"{path}: the header's magic is {magic!r}, not that of NIfTI{old}; save the image as NIfTI"
            )
    if told := pointer(path, head, "image"):
        raise InputError(told)
    way = next(
        (what for place, start, what in _OTHERS if head[place : place + len(start)] == start),
        "convert it, e.g. by dcm2niix or ecat2nii",
    )
    if path.suffix.lower() == ".img":
        way = "it is the half of a pair of files (.hdr, .img): save the image as one file (.nii, .nii.gz)"
    raise InputError(f"{path} is not a NIfTI image: it does not begin with the header of one (348 or 540 bytes); {way}")


def _shape(path: Path, header: Header) -> tuple[int, int, int, int]:
    """Dimensions, with one volume for a 3D image."""
    sizes = [int(size) for size in header["dim"]]
    n_dim, dims = sizes[0], sizes[1:]
    if not 3 <= n_dim <= 7:
        raise InputError(f"{path}: the header says {n_dim} dimensions (dim[0]); an image of 3 or 4 was expected")
    dims = dims[:n_dim]
    for axis, size in enumerate(dims):
        if size < 1:
            raise InputError(f"{path}: the header says {size} voxels along axis {axis + 1} (dim[{axis + 1}]); mend it")
    if math.prod(dims[4:]) != 1:
        raise InputError(f"{path} has {n_dim} dimensions ({' x '.join(map(str, dims))}); one of 3 or 4 was expected")
    return dims[0], dims[1], dims[2], dims[3] if n_dim > 3 else 1


def _dtype(path: Path, header: Header) -> np.dtype[np.generic]:
    code = int(header["datatype"])
    try:
        dtype: np.dtype[np.generic] = header.get_data_dtype()
    except Exception:
        raise InputError(f"{path}: the header's datatype is {code}, which NIfTI does not have; mend it") from None
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        raise InputError(
            f"{path}: its voxels are of the type {dtype} (datatype {code}); save it as whole numbers or as floats of "
            "32 or 64 bits"
        )
    bits = int(header["bitpix"])
    if bits != 8 * dtype.itemsize:
        raise InputError(
            f"{path}: the header says {bits} bits a voxel (bitpix), but its datatype {code} has {8 * dtype.itemsize}; "
            "mend it"
        )
    return dtype


def _scaling(path: Path, header: Header) -> tuple[float, float]:
    """Slope and intercept; a slope of 0 says that there is none, as the standard has it."""
    slope, inter = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0:
        return 1.0, 0.0
    for field, value in (("scl_slope", slope), ("scl_inter", inter)):
        if not math.isfinite(value):
            raise InputError(
                f"{path}: {field} is {value:g}, so nobody can say what the voxels' numbers mean; write the right value "
                "into the header (1 for scl_slope and 0 for scl_inter where the numbers stand for themselves)"
            )
    return slope, inter


def _offset(path: Path, header: Header) -> int:
    offset = float(header["vox_offset"])
    least = int(header["sizeof_hdr"]) + 4
    if not (math.isfinite(offset) and offset == int(offset) and (offset == 0 or offset >= least)):
        raise InputError(f"{path}: vox_offset is {offset:g}, where {least} or more was expected; mend the header")
    return max(int(offset), least)


def _affine(path: Path, header: Header) -> tuple[npt.NDArray[np.float64], tuple[Finding, ...]]:
    """From indices to mm, and a doubt where the header does not say it."""
    unit = int(header["xyzt_units"]) & PLACES
    qform, sform = int(header["qform_code"]), int(header["sform_code"])
    sizes = [float(size) for size in header["pixdim"][1:4]]
    if sform <= 0 and not all(size > 0 for size in sizes):
        raise InputError(
            f"{path}: the header says voxels of {_by(sizes)} (pixdim) and has no sform, "
            "so nobody can say how large they are and which way the axes run; write positive sizes and a qform or sform"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            affine: npt.NDArray[np.float64] = np.array(header.get_best_affine(), dtype=np.float64)
    except Exception as error:
        raise InputError(f"{path}: its qform cannot be read ({error}); mend the header") from None
    affine[:3] *= _MILLIMETRES.get(unit, 1.0)
    field = "sform" if sform > 0 else "qform" if qform > 0 else "pixdim"
    if not np.isfinite(affine).all() or np.abs(np.linalg.det(affine[:3, :3])) < 1e-9:
        raise InputError(f"{path}: the {field} of its header is no affine ({affine[:3].tolist()}); mend it")
    size = np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
    if (size > _LARGEST_VOXEL).any():
        raise InputError(f"{path}: the {field} of its header says voxels of {size.tolist()} mm; mend it")
    if sform > 0 and not all(abs(size) > 0 for size in sizes):
        told = (
            f"{path}: the header says voxels of {_by(sizes)} (pixdim), but its sform of {_by(size)} mm, which is "
            "taken; other programs may take pixdim: mend it"
        )
        return affine, (Finding("warning", path, "pixdim", told),)
    if qform > 0 or sform > 0:
        return affine, ()
    told = (
        f"{path}: the header has neither qform nor sform, so it does not say where left is; the voxels are read in the "
        "order of the file, and the maps will not say it either"
    )
    return affine, (Finding("warning", path, "qform_code", told),)


def _by(sizes: Iterable[float]) -> str:
    return " x ".join(f"{size:.4g}" for size in sizes)
