"""Blood samples in: BIDS-PET ``*_blood.tsv`` with its JSON, manual and by autosampler, joined into one.

BIDS has no field for the decay correction of blood. It says that injected dose, images and blood should all be
decay-corrected to time zero (specification, Positron Emission Tomography, figure 1; Knudsen et al. 2020,
doi:10.1177/0271678X20905433), so this is what they are taken to be: where injection is not at time zero, the activity
is moved to injection by the half-life.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from raphe.data.finding import Finding
from raphe.errors import InputError, UnitError
from raphe.io.fields import Fields
from raphe.io.names import own_sidecars, parse_name
from raphe.io.place import located
from raphe.io.recordings import FRACTIONS, Blood, Recording, join
from raphe.io.series import Series, read_series
from raphe.io.tables import Table, read_table, shortened
from raphe.io.units import CONCENTRATIONS, concentration, fraction, minutes

COLUMNS = MappingProxyType(
    {
        "whole_blood_radioactivity": "whole_blood",
        "plasma_radioactivity": "plasma",
        "metabolite_parent_fraction": "parent_fraction",
    }
)
"""Columns of BIDS that are read, and the quantity that each holds; all others are left aside."""

_AVAILABLE = MappingProxyType(
    {"whole_blood": "WholeBloodAvail", "plasma": "PlasmaAvail", "parent_fraction": "MetaboliteAvail"}
)


def is_blood(path: Path) -> bool:
    """Whether a file is a table of blood samples by its name (``*_blood.tsv``)."""
    return path.name.endswith("_blood.tsv")


def read_blood(
    paths: Sequence[Path],
    *,
    injection: float = 0.0,
    half_life: float | None = None,
    unit: str | None = None,
    drop: bool = False,
) -> Blood:
    """Read and join the blood tables of one scan, each with the JSON files that describe it by its name.

    Manual samples and those of an autosampler stand in one series by time, each with its source. Where both have a
    sample at the same time, the manual one is kept: it is of the calibrated counter, and without dispersion.

    Parameters
    ----------
    paths : sequence of Path, one or more
        ``*_recording-manual_blood.tsv``, ``*_recording-autosampler_blood.tsv``, ``*_blood.tsv`` (taken as manual).
    injection : float, min
        Time of injection on the clock of the files: InjectionStart of the PET sidecar, from TimeZero.
    half_life : float, min, optional
        Needed where injection is not at time zero, see the top of this module.
    unit : str, optional
        Unit of every activity, whatever the files say: the way to go on where what they say is wrong.
    drop : bool
        Whether to leave out samples that stand out of order, with a warning: the way to go on where a time is wrong.

    Returns
    -------
    Blood

    Raises
    ------
    InputError, UnitError
        If a file or its JSON cannot be used: no unit of an activity, times out of order, doubled or missing, a cell
        that is no number, no sample at all. The message names file, column, line and value and the way out.
    """
    recordings = [read_recording(path, unit=unit, drop=drop) for path in paths]
    return join(recordings, injection=injection, half_life=half_life, unit=unit)


def read_recording(path: Path, *, unit: str | None = None, drop: bool = False) -> Recording:
    """Read one blood table of BIDS; arguments and errors as of :func:`read_blood`."""
    table, sidecars = read_table(path), own_sidecars(path)
    fields = Fields(sidecars) if sidecars else None
    if "time" not in table.columns:
        raise InputError(f"{path}: there is no column 'time' (columns: {shortened(table.columns)})")
    clock = "s" if fields is None else fields.unit_of("time") or "s"
    with located(f"{path if fields is None else fields.source('time')}: Units of time"):
        factor = minutes(clock)
    series, units, sources, stated = {}, {}, {}, {}
    for column, quantity in COLUMNS.items():
        if column not in table.columns:
            continue
        told = None if fields is None else fields.unit_of(column)
        source = path if fields is None or told is None else fields.source(column)
        spelled, scale = _unit(path, fields, column, told, unit)
        found = read_series(table, "time", factor, column, scale, drop=drop)
        if found is not None:
            series[quantity], units[quantity], sources[quantity] = found, spelled, source
            if told is not None and spelled != told:
                stated[quantity] = told
    if not series:
        wanted = ", ".join(COLUMNS)
        raise InputError(f"{path} holds no sample of blood: none of {wanted} (columns: {shortened(table.columns)})")
    return Recording(
        path,
        _source(path),
        series,
        units,
        sources,
        stated,
        fields is not None and bool(fields.flag("DispersionCorrected")),
        sidecars,
        (*_lacking(path, table, fields), *_left_out(path, series)),
    )


def _left_out(path: Path, series: Mapping[str, Series]) -> Iterator[Finding]:
    for line in sorted({line for one in series.values() for line in one.dropped}):
        columns = shortened([one.column for one in series.values() if line in one.dropped])
        told = f"{path}: line {line} is out of the order of time; its samples are left out ({columns})"
        yield Finding("warning", path, "time", told)


def _unit(path: Path, fields: Fields | None, column: str, told: str | None, given: str | None) -> tuple[str, float]:
    """Tell the unit of a column as it is spelled, and the factor from it to kBq/mL or 1."""
    where = f"{path if fields is None else fields.source(column)}: Units of {column}"
    if COLUMNS[column] in FRACTIONS:
        with located(where):
            return told or "unitless", fraction(told or "unitless")  # BIDS defines it so
    if given is not None:
        with located("--blood-unit"):
            return given, concentration(given)
    if told is None:
        lacking = f"there is no {path.name.split('.')[0]}.json beside it" if fields is None else f"{where} is missing"
        raise UnitError(
            f"{path}: the unit of {column!r} is not said ({lacking}); write it into the JSON, or give it "
            f"(--blood-unit): {CONCENTRATIONS}"
        )
    with located(where):
        return told, concentration(told)


def _source(path: Path) -> str:
    """Tell how the samples were taken, from ``recording-`` in the name of a BIDS file."""
    try:
        label = parse_name(path).entities.get("recording", "manual")
    except InputError:
        return "manual"
    for source in ("manual", "autosampler"):
        if label.lower().startswith(source):
            return source
    raise InputError(
        f"{path}: its name says recording-{label}; raphe knows arterial blood as recording-manual and "
        "recording-autosampler: rename the file if it is that"
    )


def _lacking(path: Path, table: Table, fields: Fields | None) -> Iterator[Finding]:
    """Warn of columns that the JSON promises and the table does not have."""
    for column, quantity in COLUMNS.items():
        field = _AVAILABLE[quantity]
        if fields is not None and fields.flag(field) and column not in table.columns:
            source = fields.source(field)
            message = f"{source}: {field} is true, but {path} has no column {column!r}; mend whichever is wrong"
            yield Finding("warning", source, field, message)
