"""Label images with the tables of their names, as BIDS has them: ``*_dseg.nii.gz`` and ``*_dseg.tsv``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from raphe.data.volume import Labels
from raphe.errors import InputError
from raphe.io.names import parse_name
from raphe.io.not_fetched import is_there
from raphe.io.tables import read_table, shortened
from raphe.io.volumes import read_whole_numbers

NAMELESS = ("", "n/a")
"""Cells, in lower case, that are no name; NA may be one."""


def read_labels(path: Path) -> Labels:
    """Read a label image and its table; every row of the table is a region, whether the image has it or not.

    Raises
    ------
    InputError
        As :func:`table_of_labels` and :func:`names_in`; and if the image cannot be read or holds labels that the table
        does not name.
    """
    table = table_of_labels(path)
    names = names_in(table)
    refuse_twice(table, names)
    grid, values = read_whole_numbers(path)
    refuse_unnamed(path, sorted(set(np.unique(values).tolist()) - set(names) - {0}), f"{table} does not name; add them")
    return Labels(grid, values, names)


def table_of_labels(path: Path) -> Path:
    """Table of a label image, as :func:`table_of`.

    Raises
    ------
    InputError
        If there is none.
    """
    table = table_of(path)
    if table is None:
        raise InputError(
            f"{path} has no table of its labels; write {path.name.split('.')[0]}.tsv with the columns index and name "
            "beside it"
        )
    return table


def names_in(table: Path) -> dict[int, str]:
    """Names in a table of labels, by number, without that of 0.

    Raises
    ------
    InputError
        If it has no columns ``index`` and ``name``, an index is no whole number from 0 on or stands twice, or a name is
        missing.
    """
    rows = read_table(table)
    for column in ("index", "name"):
        if column not in rows.columns:
            there = shortened(rows.columns)
            raise InputError(
                f"{table} has no column {column!r}; a table of labels has index and name (it has: {there})"
            )
    names: dict[int, str] = {}
    for line, number, name in zip(rows.lines, rows.floats("index"), rows.cells("name"), strict=True):
        where = f"{table}: line {line}"
        if not np.isfinite(number) or number != int(number) or number < 0:
            raise InputError(f"{where}: index {number:g} of {name!r} is no whole number from 0 on; mend it")
        if int(number) in names:
            raise InputError(
                f"{where}: index {int(number)} stands twice, for {names[int(number)]!r} and {name!r}; keep one"
            )
        if name.lower() in NAMELESS and number:
            raise InputError(f"{where}: index {int(number)} has no name; write one, or remove the row")
        names[int(number)] = name
    names.pop(0, None)
    return names


def refuse_twice(table: Path, names: dict[int, str]) -> None:
    """Refuse names of which one stands twice."""
    numbers: dict[str, int] = {}
    for number, name in names.items():
        if name in numbers:
            raise InputError(
                f"{table}: name {name!r} stands twice, for index {numbers[name]} and {number}; name each region once"
            )
        numbers[name] = number


def refuse_unnamed(path: Path, numbers: Iterable[int], way_out: str) -> None:
    """Refuse labels of an image that have no name, if there are any; ``way_out`` says who lacks them and what to do."""
    unknown = [str(number) for number in numbers]
    if unknown:
        raise InputError(f"{path} holds the labels {shortened(unknown, 6)}, which {way_out}")


def table_of(path: Path) -> Path | None:
    """Table of the names of a label image: beside it, or by the inheritance principle of BIDS in its dataset.

    The nearest folder comes first, and in it the table whose name has most in common with the image's; ``dseg.tsv``
    holds for all.
    """
    own = path.with_name(path.name.split(".")[0] + ".tsv")
    if is_there(own):
        return own
    name = parse_name(path)
    for folder in path.parents:
        fitting = []
        for table in sorted(folder.glob("*dseg.tsv")):
            other = parse_name(table)
            if other.suffix == "dseg" and other.entities.items() <= name.entities.items():
                fitting.append((-len(other.entities), table))
        if fitting:
            return min(fitting)[1]
        if folder == name.root:
            break
    return None
