"""``participants.tsv``: one row a participant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from raphe.errors import InputError, nearest, without_zeros
from raphe.io.not_fetched import is_there
from raphe.io.tables import Table, doubled, read_table, shortened

ID = "participant_id"

NEAR = 0.5
"""How much two labels have in common, of 1, of which one may be the other misspelt."""


def read_participants(root: Path) -> dict[str, Mapping[str, str]]:
    """Rows of a dataset's ``participants.tsv`` by label without ``sub-``; empty if it has none.

    Raises
    ------
    InputError
        If the table cannot be read, lacks ``participant_id``, or an id stands twice or does not begin with ``sub-``.
    """
    path = root / "participants.tsv"
    if not is_there(path):
        return {}
    table = read_table(path)
    for fault in faults(table):
        raise fault
    ids = table.cells(ID)
    return {
        name.removeprefix("sub-"): dict(zip(table.columns, row, strict=True))
        for name, row in zip(ids, table.rows, strict=True)
    }


def mistaken(path: Path, lines: Mapping[str, int], there: Iterable[str]) -> list[InputError]:
    """Participants of a table who differ from those of the scans in the zeros of their labels alone.

    Parameters
    ----------
    path : Path
        Of the table.
    lines : mapping of str to int
        The line of each of its participants, by label without ``sub-``.
    there : iterable of str
        Labels of those who have scans.
    """
    known = sorted(set(there))
    wanting = {without_zeros(label) for label in known if label not in lines}
    return [
        InputError(
            f"{path}: {ID}, line {line}: there is no scan of 'sub-{label}'; "
            f"{nearest(f'sub-{label}', [f'sub-{other}' for other in known])}"
        )
        for label, line in sorted(lines.items(), key=lambda item: item[1])
        if label not in known and without_zeros(label) in wanting
    ]


def unmatched(lines: Mapping[str, int], there: Iterable[str]) -> str:
    """Tell participants without data and those without a row, and who of them may be the same; empty where all match.

    Who differs in the zeros alone is left to :func:`mistaken`, and an id that is no label to :func:`faults`.

    Parameters
    ----------
    lines, there
        As of :func:`mistaken`; of ``lines``, ids with their ``sub-``, for it may be missing.
    """
    rows = {_label(name): name for name in lines}
    known = set(there)
    without_data = [label for label, name in rows.items() if label not in known and name.startswith("sub-")]
    without_row = sorted(known - rows.keys())
    zeros = set(map(without_zeros, without_data)) & set(map(without_zeros, without_row))
    without_data, without_row = (
        [label for label in labels if without_zeros(label) not in zeros] for labels in (without_data, without_row)
    )
    told = []
    if without_data:
        told.append(f"participants without data: {shortened([f'sub-{label}' for label in without_data])}")
    if without_row:
        told.append(f"participants with data but without a row: {shortened([f'sub-{label}' for label in without_row])}")
    by_lower = {label.lower(): label for label in without_row}
    for label in without_data:
        for near in difflib.get_close_matches(label.lower(), by_lower, n=1, cutoff=NEAR):
            told.append(f"is sub-{label} (line {lines[rows[label]]}) sub-{by_lower[near]}, misspelt?")
    return "; ".join(told)


def faults(table: Table) -> list[InputError]:
    """Everything that is wrong with the ids of a participants table."""
    try:
        ids = table.cells(ID)
    except InputError as error:
        return [error]
    found, seen = [], dict[str, int]()
    for name, line in zip(ids, table.lines, strict=True):
        where = f"{table.path}: {ID}, line {line}"
        if name in seen:
            way = doubled(table, seen[name], line)
            found.append(InputError(f"{where}: {name!r} stands in line {seen[name]} already; {way}"))
        elif not name.startswith("sub-") or name == "sub-":
            way = f"write sub-{_label(name) or 'LABEL'}"
            found.append(InputError(f"{where}: {name!r} does not begin with 'sub-'; {way}"))
        seen.setdefault(name, line)
    return found


def _label(name: str) -> str:
    """Give the label of an id, whatever stands in place of its ``sub-``."""
    return re.sub(r"^sub[-_ ]*", "", name, flags=re.IGNORECASE)
