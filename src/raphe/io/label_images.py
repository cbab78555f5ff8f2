"""Label images with the tables of their names, as BIDS has them: ``*_dseg.nii.gz`` and ``*_dseg.tsv``."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from raphe.data.volume import Labels
from raphe.errors import InputError
from raphe.io.derivatives import IMAGE_ENDINGS
from raphe.io.names import parse_name
from raphe.io.tables import read_table, shortened
from raphe.io.volumes import read_whole_numbers


def read_labels(path: Path) -> Labels:
    """Read a label image and its table.

    Raises
    ------
    InputError
        If there is no table, it has no columns ``index`` and ``name``, a name stands twice, or the image holds labels
        that it does not name.
    """
    table = table_of(path)
    if table is None:
        raise InputError(
            f"{path} has no table of its labels; write {path.name.split('.')[0]}.tsv with the columns index and name"
        )
    rows = read_table(table)
    for column in ("index", "name"):
        if column not in rows.columns:
            raise InputError(f"{table} has no column {column!r}; a table of labels has index and name")
    names: dict[int, str] = {}
    for number, name in zip(rows.floats("index"), rows.cells("name"), strict=True):
        if not np.isfinite(number) or number != int(number) or number < 0:
            raise InputError(f"{table}: index {number:g} of {name!r} is no whole number from 0 on; mend it")
        if int(number) in names:
            raise InputError(f"{table}: index {int(number)} stands twice, for {names[int(number)]!r} and {name!r}")
        if name in names.values():
            raise InputError(f"{table}: name {name!r} stands twice; name each region once")
        names[int(number)] = name
    names.pop(0, None)
    grid, values = read_whole_numbers(path)
    unknown = sorted(set(np.unique(values).tolist()) - set(names) - {0})
    if unknown:
        raise InputError(
            f"{path} holds the labels {shortened([str(one) for one in unknown], 6)}, which {table} does not name; add "
            "them"
        )
    return Labels(grid, values, names)


def table_of(path: Path) -> Path | None:
    """Table of the names of a label image: beside it, or at the root of its dataset for all that have its ``seg-``."""
    own = path.with_name(path.name.split(".")[0] + ".tsv")
    if own.is_file():
        return own
    name = parse_name(path)
    for folder in (path.parent, *path.parents):
        for table in sorted(folder.glob("*_dseg.tsv")):
            if parse_name(table).entities.items() <= name.entities.items():
                return table
        if folder == name.root:
            break
    return None


def find_labels(participant: str, session: str | None, roots: tuple[Path, ...], seg: str | None) -> Path | None:
    """Label image of a participant in the space of the T1-weighted image; None if there is none.

    Parameters
    ----------
    participant : str
    session : str or None
        Of the PET; a label image of the session comes before those of others.
    roots : tuple of Path
        Datasets to look in.
    seg : str or None
        The ``seg-`` that is asked for.

    Raises
    ------
    InputError
        If there are several.
    """
    found = [
        parse_name(path)
        for root in roots
        for ending in IMAGE_ENDINGS
        for path in sorted((root / f"sub-{participant}").glob(f"**/anat/*_dseg{ending}"))
    ]
    found = [name for name in found if name.entities.get("space", "T1w") == "T1w" and table_of(name.path) is not None]
    if seg is not None:
        found = [name for name in found if name.entities.get("seg", "").lower() == seg.lower()]
    own = [name for name in found if name.entities.get("ses") == session] or found
    if len(own) > 1:
        named = shortened([str(name.path) for name in own], 4)
        raise InputError(
            f"sub-{participant} has {len(own)} segmentations ({named}); say which by its seg- (--seg, or seg in "
            "[regions] of the plan), or give the folder of one (--derivatives)"
        )
    return own[0].path if own else None
