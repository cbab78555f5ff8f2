"""Carpets of a scan as a table: rows of the carpets, columns of frames."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from raphe.data.carpet import Carpet
from raphe.io.described import Column, write_described
from raphe.io.tables import read_table

PLACES = 3
"""Decimals that are written: a picture shows no more."""


def write_carpets(path: Path, carpets: Mapping[str, Carpet], about: Mapping[str, object]) -> None:
    """Write carpets of one scan.

    Parameters
    ----------
    path : Path
    carpets : mapping of str to Carpet
        By what was done to the image.
    about : mapping of str to object
        What the sidecar says besides.

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    n_frame = next(iter(carpets.values())).departure.shape[1]
    columns = (
        Column("image", "What was done to the image"),
        Column("tissue", "Kind of tissue; rows of one kind from the lowest place of the brain to the highest"),
        *(Column(f"frame_{at}", "Activity over the tissue's, scaled to be alike over the scan, less 1")
          for at in range(n_frame)),
    )  # fmt: skip
    rows = [
        (image, tissue, *(float(value) for value in row))
        for image, carpet in carpets.items()
        for tissue, row in zip(carpet.tissue, np.round(carpet.departure, PLACES), strict=True)
    ]
    write_described(path, columns, rows, {"Description": "Places of the brain over time (carpet plot)", **about})


def read_carpets(path: Path) -> dict[str, Carpet]:
    """Read what :func:`write_carpets` wrote.

    Raises
    ------
    InputError
        If the table cannot be read.
    """
    table = read_table(path)
    frames = [name for name in table.columns if name.startswith("frame_")]
    values = np.column_stack([table.floats(name) for name in frames])
    images, tissue = table.cells("image"), table.cells("tissue")
    found = {}
    for image in dict.fromkeys(images):
        at = [row for row, name in enumerate(images) if name == image]
        found[image] = Carpet(tuple(tissue[row] for row in at), values[at])
    return found
