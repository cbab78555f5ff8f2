"""Doses or plasma concentrations of a drug: a table with a row a participant, or a participant and session."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from raphe.errors import InputError, nearest
from raphe.io.participants import ID
from raphe.io.tables import Table, doubled, read_table

SESSION = "session_id"


@dataclass(frozen=True)
class Exposures:
    """Exposures of a table by participant and session; the session is empty where the table has none."""

    path: Path
    column: str
    values: dict[tuple[str, str], float]
    by_session: bool
    lines: dict[str, int]
    """The first line of each participant."""

    def of(self, participant: str, session: str) -> float | None:
        """Exposure of a scan; None where the table has none."""
        return self.values.get((participant, session if self.by_session else ""))

    @property
    def people(self) -> tuple[str, ...]:
        """Whose exposures there are."""
        return tuple(dict.fromkeys(person for person, _ in self.values))


def read_exposures(path: Path, column: str) -> Exposures:
    """Read a table with ``participant_id``, ``session_id`` where people have several scans, and a column of numbers.

    Cells that are empty or ``n/a`` are exposures that are not known. ``sub-`` and ``ses-`` may stand before labels.

    Raises
    ------
    InputError
        If a column is missing, a scan stands twice, or a cell holds no number or one below 0; with the line.
    """
    table = read_table(path)
    if column not in table.columns or column in (ID, SESSION):
        there = [name for name in table.columns if name not in (ID, SESSION)]
        raise InputError(f"{path} has no column {column!r} of exposures; {nearest(column, there)}")
    people = [who.removeprefix("sub-") for who in table.cells(ID)]
    by_session = SESSION in table.columns
    sessions = [one.removeprefix("ses-") for one in table.cells(SESSION)] if by_session else [""] * len(people)
    lines = dict(zip(reversed(people), reversed(table.lines), strict=True))
    return Exposures(path, column, _values(table, column, people, sessions), by_session, lines)


def _values(table: Table, column: str, people: list[str], sessions: list[str]) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], float] = {}
    seen: dict[tuple[str, str], int] = {}
    for at, value in enumerate(table.floats(column)):
        scan, line = (people[at], sessions[at]), table.lines[at]
        where = f"{table.path}: line {line}"
        who = people[at] + (f", session {sessions[at]}" if sessions[at] else "")
        if not people[at]:
            raise InputError(f"{where}: {ID} is empty; name the participant")
        if scan in seen:
            more = "" if SESSION in table.columns else f", or add a column {SESSION} where a person has several scans"
            raise InputError(
                f"{where}: {who} stands in line {seen[scan]} already; {doubled(table, seen[scan], line)}{more}"
            )
        seen[scan] = line
        if value < 0:
            raise InputError(f"{where}: {column} of {who} is {value:g}, and cannot be below 0; mend it")
        if value == value:
            found[scan] = float(value)
    return found
