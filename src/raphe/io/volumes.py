"""Images read whole and written whole, as values."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from raphe.data import volume as values
from raphe.data.image import Grid
from raphe.errors import InputError
from raphe.io.derivatives import map_sidecar
from raphe.io.described import Column, write_described
from raphe.io.dynamic import DynamicFile, open_dynamic
from raphe.io.image_writing import write_image
from raphe.io.images import NEAR, Values, stream
from raphe.io.nifti import ImageFile, open_image
from raphe.io.tables import write_text

Floats = npt.NDArray[np.float32]


def read_volume(path: Path) -> values.Volume:
    """Read a 3D image; a value that is no number counts as 0.

    Raises
    ------
    InputError
        If the file cannot be read, is damaged, or has several volumes.
    """
    image = open_image(path)
    check_single(image)
    found = _read(image, range(1), np.ones(1))
    return values.Volume(image.grid, np.nan_to_num(found[0], copy=False, posinf=0.0, neginf=0.0))


def check_single(image: ImageFile) -> None:
    """Refuse an image with several volumes where one is meant.

    Raises
    ------
    InputError
    """
    if image.n_volume != 1:
        raise InputError(
            f"{image.path} has {image.n_volume} volumes; a 3D image was expected. Keep the one that is meant, or their "
            "mean"
        )


def read_whole_numbers(path: Path) -> tuple[Grid, values.Whole]:
    """Read a 3D image of labels.

    Raises
    ------
    InputError
        If it cannot be read, or holds something else than whole numbers from 0 on.
    """
    image = read_volume(path)
    found = np.rint(image.values)
    apart = np.abs(found - image.values)
    if apart.max() > NEAR or found.min() < 0:
        worst = image.values.ravel()[apart.argmax()] if apart.max() > NEAR else found.min()
        raise InputError(f"{path} is no label image: it holds {worst:g}; labels are whole numbers from 0 on")
    return image.grid, found.astype(np.int32)


def read_dynamic(path: Path, raw: Path | None = None) -> tuple[values.DynamicImage, DynamicFile]:
    """Read a dynamic image whole, in kBq/mL decay-corrected to injection, with what its files say of it.

    Parameters
    ----------
    path : Path
    raw : Path, optional
        Root of the raw dataset, whose sidecars the image inherits.

    Raises
    ------
    InputError, UnitError, TimingError
        As :func:`raphe.io.dynamic.open_dynamic`, and if the half-life is not known.
    """
    told = open_dynamic(path, raw=raw, single=True)
    if told.half_life is None:
        raise InputError(
            f"{path}: its radionuclide is not known, so counts cannot be told from activity; write TracerRadionuclide "
            f"into {told.sidecar.paths[0]}"
        )
    activity = _read(told.file, told.volumes, told.factors)
    return values.DynamicImage(told.file.grid, told.frames, activity, told.half_life), told


def write_volume(path: Path, image: values.Volume, about: Mapping[str, object]) -> None:
    """Write a 3D image as float32 with its sidecar.

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    write_image(path, image.grid, [image.values], 1, np.float32)
    _write_about(path, about)


def write_mask(path: Path, grid: Grid, inside: npt.NDArray[np.bool_], about: Mapping[str, object]) -> None:
    """Write a mask; errors as of :func:`write_volume`."""
    write_image(path, grid, [inside.astype(np.uint8)], 1, np.uint8)
    _write_about(path, about)


def write_dynamic(path: Path, image: values.DynamicImage, about: Mapping[str, object]) -> None:
    """Write a dynamic image as float32 in kBq/mL; errors as of :func:`write_volume`."""
    write_image(path, image.grid, image.activity, len(image.frames), np.float32)
    _write_about(path, about)


def write_labels(path: Path, labels: values.Labels, about: Mapping[str, object]) -> None:
    """Write a label image and the table of its names; errors as of :func:`write_volume`."""
    write_image(path, labels.grid, [labels.values], 1, np.int32 if max(labels.names, default=0) > 32767 else np.int16)
    _write_about(path, about)
    table = path.with_name(path.name.removesuffix(".nii.gz") + ".tsv")
    write_described(
        table, (Column("index", "Label"), Column("name", "Region")), sorted(labels.names.items()), dict(about)
    )


def _write_about(path: Path, about: Mapping[str, object]) -> None:
    write_text(map_sidecar(path), json.dumps(dict(about), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def _read(image: ImageFile, volumes: range, factors: Sequence[float] | npt.NDArray[np.float64]) -> Floats:
    """Values of all voxels, shape (n_volume, nx, ny, nz)."""
    taken = Values(None, image, np.asarray(factors, dtype=float))
    stream(image, [taken], volumes)
    nx, ny, nz = image.grid.shape
    return np.swapaxes(taken.values.reshape(len(taken.values), nz, ny, nx), 1, 3)
