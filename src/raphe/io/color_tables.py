"""Names of the numbers in an image of FreeSurfer: its standard color table, and tables beside the image."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from raphe.catalog import ColorLabel, Tissue, color_table, tissue_named
from raphe.errors import InputError
from raphe.io.tables import read_text

TISSUES: Mapping[int, Tissue] = {1: "grey", 2: "grey", 3: "white", 4: "fluid"}
"""By the type of tissue that tables of gtmseg give; all others lie outside the brain, or are lesions."""


def color_table_of(image: Path) -> Path | None:
    """Color table beside an image, of its name: ``gtmseg.ctab`` of ``gtmseg.mgz``; None if there is none."""
    stem = freesurfer_stem(image)
    table = image.with_name(f"{stem}.ctab")
    return table if stem is not None and table.is_file() else None


def freesurfer_stem(image: Path) -> str | None:
    """Name of an image without its ending; None if it has no ending of FreeSurfer's."""
    return next((image.name.removesuffix(end) for end in ENDINGS if image.name.endswith(end)), None)


ENDINGS = (".mgz", ".mgh", ".nii.gz", ".nii")
"""Of images in the folders of FreeSurfer, the usual first."""


def labels_of(image: Path) -> dict[int, ColorLabel]:
    """Name and tissue of each number that may stand in an image; those of a table beside it come first.

    Raises
    ------
    InputError
        As :func:`read_color_table`.
    """
    table = color_table_of(image)
    return {**color_table(), **(read_color_table(table) if table is not None else {})}


def read_color_table(path: Path) -> dict[int, ColorLabel]:
    """Read a color table of FreeSurfer: number, name, colours, and in those of gtmseg the type of tissue.

    Raises
    ------
    InputError
        If a line has no number and name, or a number stands twice.
    """
    found: dict[int, ColorLabel] = {}
    for at, line in enumerate(read_text(path).splitlines(), start=1):
        cells = line.partition("#")[0].split()
        if not cells:
            continue
        if len(cells) < 2 or not cells[0].isdecimal():
            raise InputError(f"{path}: line {at} ({line.strip()!r}) does not begin with a number and a name; mend it")
        number, name = int(cells[0]), cells[1]
        if number in found:
            raise InputError(f"{path}: number {number} stands twice, for {found[number].name!r} and {name!r}")
        kind = TISSUES.get(int(cells[6]), "other") if len(cells) > 6 and cells[6].isdecimal() else "grey"
        found[number] = ColorLabel(name, tissue_named(name) or kind)
    return found
