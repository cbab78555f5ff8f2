"""Images written volume by volume, as they are made."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from isal import igzip
from nibabel import Nifti1Header

from raphe.data.image import Grid
from raphe.errors import OutputError
from raphe.io.mimap import LEVEL

SCANNER = 1
"""Code of NIfTI for a space that a scanner defines."""


def write_image(
    path: Path,
    grid: Grid,
    volumes: Iterable[npt.NDArray[np.floating] | npt.NDArray[np.integer]],
    n_volume: int,
    dtype: npt.DTypeLike,
    slope: float = 1.0,
) -> None:
    """Write a NIfTI image, gzipped; the same values give the same bytes.

    Parameters
    ----------
    path : Path
        Ends in ``.nii.gz``.
    grid : Grid
    volumes : iterable of ndarray, each of shape ``grid.shape``
        Values; where ``dtype`` is one of whole numbers they are divided by ``slope`` and rounded, and what is beyond
        its range becomes the nearest that is not.
    n_volume : int
        1 makes a 3D image.
    dtype : dtype
    slope : float

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    kind = np.dtype(dtype).newbyteorder("<")
    header = Nifti1Header(endianness="<")
    header.set_data_dtype(kind)
    header.set_data_shape(grid.shape if n_volume == 1 else (*grid.shape, n_volume))
    header.set_sform(grid.affine, SCANNER)
    header.set_qform(grid.affine, SCANNER)
    header.set_xyzt_units("mm", "sec")
    header["vox_offset"], header["scl_slope"], header["scl_inter"] = 352, slope, 0
    header["descrip"] = b"raphe"
    limits = np.iinfo(kind) if kind.kind in "iu" else None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as raw, igzip.IGzipFile("", "wb", LEVEL, raw, 0) as file:
            file.write(header.binaryblock + bytes(4))
            for volume in volumes:
                if limits is not None:
                    volume = np.clip(np.rint(volume / slope), limits.min, limits.max)
                file.write(np.asarray(volume, dtype=kind).tobytes(order="F"))
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from None
