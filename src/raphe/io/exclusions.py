"""``exclusions.tsv``: scans that a person has taken out of the study, a row each, with the reason."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from raphe.data.exclusion import Exclusion
from raphe.data.finding import Finding
from raphe.errors import InputError
from raphe.io.tables import MISSING, Table, read_table

FILE = "exclusions.tsv"

PARTICIPANT, SESSION, TRACER, RUN, REASON = "participant_id", "session_id", "tracer", "run", "reason"

OPTIONAL = {SESSION: "session", TRACER: "tracer", RUN: "run"}
"""Columns that may be absent, each with what an empty cell stands for all of."""

SHORT = {"ses": SESSION, "trc": TRACER}
"""Other words for a column, too short to be recognised by their letters."""

ALIKE = 0.8
"""Share of letters in common from which an unknown column is taken for a misspelled one."""


class Listed(NamedTuple):
    """An exclusion and the line that it stands in."""

    line: int
    exclusion: Exclusion


def read_exclusions(path: Path) -> tuple[tuple[Listed, ...], tuple[Finding, ...]]:
    """Read a table of exclusions, go on after faults, and tell all.

    Parameters
    ----------
    path : Path
        Columns ``participant_id`` and ``reason``; ``session_id``, ``tracer`` and ``run`` where fewer than all scans of
        the participant are meant: an empty cell or ``n/a`` means all. Others, such as a date, are a person's own.
        Labels stand with or without ``sub-``, ``ses-``, ``trc-`` and ``run-``. A table without rows excludes nothing.

    Returns
    -------
    tuple of Listed
        Rows without fault.
    tuple of Finding
        Errors: each names file, line, column, what stands there and the way out.
    """
    try:
        table = read_table(path, rows=False)
    except InputError as error:
        return (), (Finding("error", path, "", str(error)),)
    faults = [Finding("error", path, column, told) for column, told in _columns(table)]
    if faults:
        return (), tuple(faults)
    listed: list[Listed] = []
    seen: dict[tuple[str | None, ...], int] = {}
    for at, line in enumerate(table.lines):
        cells = {column: _cell(table, column, at) for column in (PARTICIPANT, *OPTIONAL, REASON)}
        lacking = next((column for column in (PARTICIPANT, REASON) if cells[column] is None), None)
        if lacking is not None:
            faults.append(Finding("error", path, lacking, _empty(table, lacking, at, cells)))
            continue
        one = Exclusion(
            str(cells[PARTICIPANT]), cells[SESSION], cells[TRACER], cells[RUN], str(cells[REASON])
        )  # fmt: skip
        if one.scans in seen:
            told = (
                f"{path}: {PARTICIPANT}, line {line}: the scans of sub-{one.participant} that are meant stand in line "
                f"{seen[one.scans]} already; keep one row, with all reasons in it"
            )
            faults.append(Finding("error", path, PARTICIPANT, told))
            continue
        seen[one.scans] = line
        listed.append(Listed(line, one))
    return tuple(listed), tuple(faults)


def _columns(table: Table) -> Iterator[tuple[str, str]]:
    """Yield columns that are missing, and those that look like one but are not: they would exclude too much."""
    for column in (PARTICIPANT, REASON):
        if column not in table.columns:
            there = ", ".join(table.columns)
            yield column, f"{table.path}: there is no column {column!r} (columns: {there}); add it, or rename one to it"
    absent = [column for column in OPTIONAL if column not in table.columns]
    for name in table.columns:
        if name in (PARTICIPANT, REASON, *OPTIONAL):
            continue
        near = difflib.get_close_matches(name.lower(), absent, n=1, cutoff=ALIKE)
        meant = near[0] if near else SHORT.get(name.lower())
        if meant in absent:
            yield (
                name,
                f"{table.path}: the column {name!r} is not read, so that all {OPTIONAL[meant]}s would be excluded; "
                f"name it {meant!r}, or something quite different",
            )


def _cell(table: Table, column: str, at: int) -> str | None:
    """Text of a cell without the entity's key; None where it is empty."""
    if column not in table.columns:
        return None
    text = table.cells(column)[at]
    if text.lower() in MISSING:
        return None
    key = {PARTICIPANT: "sub-", SESSION: "ses-", TRACER: "trc-", RUN: "run-"}.get(column, "")
    return text.removeprefix(key) or None


def _empty(table: Table, column: str, at: int, cells: dict[str, str | None]) -> str:
    where = f"{table.path}: {column}, line {table.lines[at]}"
    found = repr(table.cells(column)[at])
    if column == PARTICIPANT:
        return f"{where}: {found} names no participant; write sub-LABEL, or remove the row"
    return f"{where}: {found} tells no reason why sub-{cells[PARTICIPANT]} is excluded; write one, or remove the row"
