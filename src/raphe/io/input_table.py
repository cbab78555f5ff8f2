"""Tables of input functions: one column a curve, in the words of raphe, bloodstream or kinfitr."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from raphe.data.finding import Finding
from raphe.errors import InputError, UnitError
from raphe.io.fields import Fields
from raphe.io.names import own_sidecars
from raphe.io.place import located
from raphe.io.recordings import FRACTIONS, Recording
from raphe.io.series import Series, read_series
from raphe.io.tables import read_table, shortened
from raphe.io.units import CONCENTRATIONS, concentration, fraction, minutes, radioactivity

COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("wholebloodradioactivity", "wholeblood", "wholeblooddispcorr", "cbldispcorr"), "whole_blood"),
        **dict.fromkeys(("plasmaradioactivity", "plasma"), "plasma"),
        **dict.fromkeys(("aif", "plasmametabcorr", "cplmetabcorr", "parent", "plasmaparent"), "parent"),
        **dict.fromkeys(("metaboliteparentfraction", "parentfraction"), "parent_fraction"),
    }
)
"""Names of columns, without case and punctuation, and the quantity that each holds."""

_UNIT = r"(?:[ _]*[\[(](?P<unit>[^\])]*)[\])])?"
_NAME = re.compile(rf"(?P<name>[^\[(]*?){_UNIT}")
_CLOCK = re.compile(rf"time(?:_(?P<end>s|sec|seconds|min|minutes|h))?{_UNIT}", re.IGNORECASE)


def read_input_table(path: Path, *, unit: str | None = None, otherwise: str | None = None) -> Recording:
    """Read a table of an input function, with the JSON files that describe it by its name.

    Parameters
    ----------
    path : Path
    unit : str, optional
        Unit of every activity, whatever header and JSON say.
    otherwise : str, optional
        Unit of an activity of which neither says it.

    Raises
    ------
    InputError, UnitError
        If it has no column of times or none of an input function, a unit is unknown or not said, header and
        JSON contradict each other, or a cell or time cannot be used.
    """
    table, sidecars = read_table(path), own_sidecars(path)
    fields = Fields(sidecars) if sidecars else None
    clock, factor = _clock(path, table.columns, fields)
    series: dict[str, Series] = {}
    units: dict[str, str] = {}
    sources: dict[str, Path] = {}
    stated: dict[str, str] = {}
    loose: dict[tuple[Path, str], list[str]] = {}
    for column in table.columns:
        match = _NAME.fullmatch(column)
        quantity = None if match is None else COLUMNS.get(re.sub(r"[^a-z0-9]", "", match["name"].lower()))
        if match is None or quantity is None:
            continue
        if quantity in series:
            raise InputError(f"{path}: the column {column!r} tells {quantity} a second time; remove one of them")
        told, source = _stated(path, (column, match["name"].strip()), match["unit"], fields)
        given, missing = (None, None) if quantity in FRACTIONS else (unit, otherwise)
        spelled, scale = _unit(quantity, column, told or missing, source, given)
        if given is not None and told not in (None, given):
            stated[quantity] = str(told)
        elif told is not None and spelled != told:
            loose.setdefault((source, told), []).append(column)
        found = read_series(table, clock, factor, column, scale)
        if found is not None:
            series[quantity], units[quantity], sources[quantity] = found, spelled, source
    if not series:
        raise InputError(
            f"{path}: there is no column of an input function, such as AIF, plasma_radioactivity or "
            f"whole_blood_radioactivity (columns: {shortened(table.columns)})"
        )
    findings = tuple(_loose_unit(source, told, columns) for (source, told), columns in loose.items())
    return Recording(
        path, "manual", series, units, sources, stated, sidecars=sidecars, findings=findings, format="table"
    )


def _clock(path: Path, columns: Sequence[str], fields: Fields | None) -> tuple[str, float]:
    """Tell the column of times and the factor from its unit to min."""
    for column in columns:
        match = _CLOCK.fullmatch(column)
        if match is not None:
            stated = None if fields is None else fields.unit_of(column)
            with located(f"{path}: {column}"):
                return column, minutes(match["unit"] or match["end"] or stated or "s")
    raise InputError(f"{path}: there is no column of times, such as 'time' (columns: {shortened(columns)})")


def _stated(path: Path, names: tuple[str, str], header: str | None, fields: Fields | None) -> tuple[str | None, Path]:
    """Tell the unit that the header or the JSON states, and which; the JSON may name a column without its unit."""
    column = names[0] if fields is None or fields.has(names[0]) else names[1]
    told = None if fields is None else fields.unit_of(column)
    if fields is None or told is None:
        return header, path
    if header is not None and _comparable(header) != _comparable(told):
        raise UnitError(
            f"{path}: the column {column!r} says the unit {header!r}, but Units of {fields.source(column)} is "
            f"{told!r}; mend whichever is wrong"
        )
    return told, fields.source(column)


def _unit(quantity: str, column: str, told: str | None, source: Path, given: str | None) -> tuple[str, float]:
    """Tell the unit that is taken, and the factor from it to kBq/mL or 1; a radioactivity is taken as one in 1 mL."""
    where = f"{source}: Units of {column}"
    if quantity in FRACTIONS:
        with located(where):
            return told or "unitless", fraction(told or "unitless")
    if given is not None:
        with located("--blood-unit"):
            return given, concentration(given)
    if told is None:
        raise UnitError(
            f"{source}: the unit of {column!r} is not said; give it with --blood-unit, or write it into the JSON "
            f"beside the table ({CONCENTRATIONS})"
        )
    spelled = f"{told}/mL" if _is_radioactivity(told) else told
    with located(where):
        return spelled, concentration(spelled)


def _loose_unit(source: Path, told: str, columns: Sequence[str]) -> Finding:
    message = (
        f"{source}: Units of {', '.join(columns)} is {told!r}, which is no concentration; it is read as {told}/mL: "
        "write the unit out"
    )
    return Finding("warning", source, columns[0], message)


def _comparable(unit: str) -> float | str:
    try:
        return concentration(unit)
    except UnitError:
        return unit.lower()


def _is_radioactivity(unit: str) -> bool:
    try:
        radioactivity(unit)
    except UnitError:
        return False
    return True
