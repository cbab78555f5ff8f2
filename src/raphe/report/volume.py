"""Volumes within a page: rounded as far as is stated, as the text of a NIfTI file."""

from __future__ import annotations

import base64
import gzip
import hashlib
import math
from typing import NamedTuple

import nibabel
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Array = npt.NDArray[np.float64]

STEPS = 1000
"""Into at least so many steps the largest absolute value is parted."""

WIDEST = 32767
"""Largest number of 16 bits."""

START = 352
"""Bytes before the values of a NIfTI file."""


class Volume(NamedTuple):
    """A volume as a page holds it."""

    name: str
    """Of the element that holds it: the same for the same content."""
    text: str
    """Base64 of a ``.nii.gz`` file."""
    step: float
    """Distance of two values; a value is off by half of it at most."""


def rounded(values: Floats, affine: Array, most: float = math.inf) -> Volume:
    """Volume of 16-bit numbers, in steps of 1, 2 or 5 times a power of ten; 0 where there is no number.

    Parameters
    ----------
    values : ndarray, shape (x, y, z)
    affine : ndarray, shape (4, 4), mm
    most : float
        Step that is not exceeded unless the values are too large for 16 bits with it.
    """
    known = np.nan_to_num(np.asarray(values, dtype=float), posinf=0.0, neginf=0.0)
    largest = float(np.abs(known).max())
    step = min(step_of(largest), most)
    while largest > step * WIDEST:
        step *= 10
    return _volume(np.round(known / step).astype("<i2"), affine, step)


def whole(values: npt.NDArray[np.uint8], affine: Array) -> Volume:
    """Volume of numbers from 0 to 255, none of them changed."""
    return _volume(values, affine, 1.0)


def step_of(largest: float) -> float:
    """Largest of 1, 2 and 5 times a power of ten that is no larger than a thousandth; 1 for 0."""
    most = largest / STEPS
    if most <= 0:
        return 1.0
    power = math.floor(math.log10(most))
    return next(size * 10.0**power for size in (5, 2, 1) if size * 10.0**power <= most * (1 + 1e-9))


def _volume(values: npt.NDArray[np.integer], affine: Array, step: float) -> Volume:
    header = nibabel.Nifti1Header()
    header.set_data_dtype(values.dtype)
    header.set_data_shape(values.shape)
    header.set_sform(affine, code="aligned")
    header.set_qform(affine, code="aligned")
    header.set_slope_inter(step, 0)
    header["vox_offset"] = START
    header["magic"] = b"n+1"
    content = header.binaryblock.ljust(START, b"\0") + values.tobytes(order="F")
    name = f"volume-{hashlib.sha256(content).hexdigest()[:12]}"
    return Volume(name, base64.b64encode(gzip.compress(content, 9, mtime=0)).decode(), step)
