"""PMOD's text tables of blood (``.bld``, ``.txt``): one quantity a file, times in the first of two columns.

The header names both with their units: ``sample-time[seconds]  plasma[kBq/cc]``, ``time[minutes]
parent-fraction[1/1]``, ``TIME [min]  Parent [kBq/cc]``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from raphe.data.finding import Finding
from raphe.errors import InputError, UnitError
from raphe.io.place import located
from raphe.io.recordings import FRACTIONS, Blood, Recording, join
from raphe.io.series import read_series
from raphe.io.tables import Table, read_text
from raphe.io.units import CONCENTRATIONS, concentration, fraction, minutes

_COLUMN = re.compile(r"\s*([^\[\]\t]*?)\s*\[([^\]]*)\]\s*")
_CLOCK = re.compile(r"(?:sample)?[ _-]*time", re.IGNORECASE)
_QUANTITIES = (
    ("ratio", "plasma_to_blood"),
    ("fraction", "parent_fraction"),
    ("parent", "parent"),
    ("metab", "parent"),
    ("plasma", "plasma"),
    ("blood", "whole_blood"),
)
"""Parts of a column's name, and the quantity that the first of them tells."""


def is_pmod_blood(text: str) -> bool:
    """Whether the text of a file is such a table: two columns with units, the first of them a time."""
    header = _header(text)
    return len(header) == 2 and bool(_CLOCK.fullmatch(header[0][0]))


def read_pmod_blood(
    paths: Sequence[Path], *, unit: str | None = None, injection: float = 0.0, half_life: float | None = None
) -> Blood:
    """Read and join PMOD's tables of one scan: plasma, whole blood, parent fraction, plasma-to-blood ratio.

    Which quantity a file holds is told by the name of its second column; where that is but ``value``, by the name of
    the file, and a warning says so. The files do not tell how a sample was taken; all are taken as manual.

    Parameters
    ----------
    paths : sequence of Path, one or more
    unit : str, optional
        Unit of every activity, whatever the header says.
    injection : float, min
        Time of injection on the clock of the files.
    half_life : float, min, optional
        Needed where injection is not at time 0, to which the activity is taken to be decay-corrected.

    Raises
    ------
    InputError, UnitError
        If a file is not such a table or an Excel file, the quantity is not told, a unit is unknown or not said,
        or a cell or time cannot be used.
    """
    recordings = [read_pmod_recording(path, unit=unit) for path in paths]
    return join(recordings, injection=injection, half_life=half_life, unit=unit, zero="time 0")


def read_pmod_recording(path: Path, *, unit: str | None = None, otherwise: str | None = None) -> Recording:
    """Read one of PMOD's tables of blood; arguments and errors as of :func:`read_pmod_blood`.

    ``otherwise`` is the unit of an activity where the header does not tell it.
    """
    text = read_text(path)
    if not is_pmod_blood(text):
        raise InputError(
            f"{path} is no table of PMOD's: its first line must name a time and one quantity, each with its unit, as "
            "in 'time[minutes]<tab>plasma[kBq/cc]'"
        )
    (clock, clock_unit), (name, told) = _header(text)
    with located(f"{path}: {clock}[{clock_unit}]"):
        factor = minutes(clock_unit)
    quantity, findings = _quantity(path, name, told)
    spelled, scale = _unit(path, quantity, name, told, unit, otherwise, doubted=bool(findings))
    series = read_series(_table(path, text, (clock, name)), clock, factor, name, scale)
    if series is None:
        raise InputError(f"{path} holds no sample: the column {name!r} has no value")
    overruled = unit is not None and quantity not in FRACTIONS and told.strip() not in ("", unit)
    stated = {quantity: told} if overruled else {}
    units, sources = {quantity: spelled}, {quantity: path}
    return Recording(path, "manual", {quantity: series}, units, sources, stated, findings=findings, format="PMOD")


def _header(text: str) -> list[tuple[str, str]]:
    """Names and units of the columns; none if the first line has anything else."""
    first = next(iter(text.splitlines()), "")
    return _COLUMN.findall(first) if not _COLUMN.sub("", first).strip() else []


def _quantity(path: Path, name: str, unit: str) -> tuple[str, tuple[Finding, ...]]:
    quantity = _told_by(name)
    if quantity == "parent" and unit.strip() in ("1/1", "1", "%"):
        return "parent_fraction", ()
    if quantity is not None:
        return quantity, ()
    quantity = _told_by(path.stem)
    if quantity is None:
        raise InputError(
            f"{path}: neither the column {name!r} nor the name of the file tells what it holds; call the column "
            "plasma, whole-blood, parent, parent-fraction or ratio, with its unit in brackets"
        )
    told = f"the column is called {name!r}; by the name of the file it is read as {quantity.replace('_', ' ')}"
    if quantity in FRACTIONS and unit.strip():
        told += f", and its unit [{unit}] is left aside"
    return quantity, (Finding("warning", path, name, f"{path}: {told}"),)


def _told_by(name: str) -> str | None:
    return next((quantity for part, quantity in _QUANTITIES if part in name.lower()), None)


def _unit(
    path: Path, quantity: str, name: str, told: str, given: str | None, otherwise: str | None, *, doubted: bool
) -> tuple[str, float]:
    """Tell the unit as it is spelled, and the factor from it to kBq/mL or 1."""
    where = f"{path}: {name}[{told}]"
    if quantity in FRACTIONS:
        spelled = "unitless" if doubted or not told.strip() else told
        with located(where):
            return spelled, fraction(spelled)
    if given is not None:
        with located("--blood-unit"):
            return given, concentration(given)
    spelled = told if told.strip() else otherwise or ""
    if not spelled:
        raise UnitError(
            f"{where}: the unit of the activity is not said; write it there, or give it (--blood-unit): "
            f"{CONCENTRATIONS}"
        )
    with located(where):
        return spelled, concentration(spelled)


def _table(path: Path, text: str, columns: tuple[str, str]) -> Table:
    """Give the rows of two cells; PMOD leaves tabs after them."""
    lines = text.rstrip().splitlines()
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        cells = [cell.strip() for cell in (line.split("\t") if "\t" in line else line.split())]
        if len(cells) < 2 or any(cells[2:]):
            raise InputError(f"{path}: line {number} is {line.strip()!r}; a time and a value were expected")
        rows.append((cells[0], cells[1]))
    if not rows:
        raise InputError(f"{path} holds column names but no rows")
    return Table(path, columns, tuple(rows), tuple(range(2, len(lines) + 1)))
