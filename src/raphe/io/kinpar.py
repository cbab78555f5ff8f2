"""Kinetic parameters of a scan's regions: ``*_kinpar.tsv`` with its sidecar."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from raphe.data.fit import Array, KineticFit
from raphe.errors import InputError
from raphe.io.described import Column, write_described
from raphe.io.fitted import Told, metadata
from raphe.io.tables import read_table
from raphe.nomenclature import BY_LABEL, SYMBOLS
from raphe.quality import MEANING, WORD, Quality, from_words, of_parameter, words

SE, LOW, HIGH = "-se", "-low", "-high"
"""Endings of the columns that hold a parameter's standard error and the ends of its 95 % interval."""

METHOD = {
    "jacobian": "its Jacobian",
    "bootstrap": "a parametric bootstrap",
    "profile": "profile likelihood",
}
"""How intervals were found, by :attr:`raphe.data.fit.KineticFit.uncertainty`."""


class RegionEstimate(NamedTuple):
    """One parameter of one region, as a kinpar table has it."""

    region: str
    parameter: str
    """Symbol, e.g. ``BP_ND``."""
    value: float
    se: float
    """Absolute; NaN where the table does not tell, as for a value of 0."""
    quality: Quality


def write_kinpar(path: Path, fit: KineticFit, told: Told) -> None:
    """Write the parameters of every region, flagged ones included, each with its standard error in per cent.

    The ends of the 95 % intervals follow, in the parameters' own units, of those of which the fit has them.

    Parameters
    ----------
    path : Path
        See :func:`raphe.io.derivatives.kinpar`.
    fit : KineticFit
    told : Told
        What the sidecar says of the fit besides.

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    description = f"Kinetic parameters by region, estimated with {fit.model}"
    fields = metadata(description, fit.model, fit.inputs, fit.convention, told)
    columns = [Column("name", "Region")]
    for name in fit.parameters:
        symbol = SYMBOLS[name]
        columns.append(Column(symbol.label, symbol.meaning, symbol.unit))
        columns.append(
            Column(f"{symbol.label}{SE}", f"Standard error of {symbol.label}, in per cent of its value", "%")
        )
        if name in fit.with_ends:
            how = f"end of the 95 % interval of {symbol.label}, by {METHOD[fit.uncertainty]}"
            columns.append(Column(f"{symbol.label}{LOW}", f"Lower {how}", symbol.unit))
            columns.append(Column(f"{symbol.label}{HIGH}", f"Upper {how}; inf where it has no limit", symbol.unit))
    flags = "; ".join(f"{word}: {MEANING[flag]}" for flag, word in WORD.items())
    columns += [
        Column("sigma", "Weighted residual standard deviation; kBq/mL, or minutes for a reference Logan plot"),
        Column("aicc", "Akaike information criterion, corrected for small samples"),
        Column("n_frames", "Number of frames that were fitted"),
        Column("quality", f"Flags of the fit, joined by commas; empty for a fit without remark. {flags}"),
    ]
    if fit.akaike is not None:
        columns.append(Column("akaike_weight", "Akaike weight among the models that were fitted to this curve"))
    write_described(path, columns, _rows(fit), fields)


def read_kinpar(path: Path) -> tuple[RegionEstimate, ...]:
    """Read what :func:`write_kinpar` wrote, region by region.

    Raises
    ------
    InputError
        If the file is no such table; the message names the column or line.
    """
    table = read_table(path)
    names = table.cells("name")
    flags = []
    for line, text in zip(table.lines, table.cells("quality"), strict=True):
        try:
            flags.append(from_words(text))
        except KeyError as error:
            raise InputError(f"{path}: column 'quality', line {line}: {error} is no flag that raphe knows") from None
    labels = [column for column in table.columns if f"{column}{SE}" in table.columns]
    found = {label: (table.floats(label), table.floats(f"{label}{SE}")) for label in labels}
    unknown = [label for label in labels if label not in BY_LABEL]
    if unknown:
        raise InputError(f"{path}: column {unknown[0]!r} is no parameter that raphe knows")
    rows = []
    for at, name in enumerate(names):
        for label, (value, percent) in found.items():
            se = float(abs(value[at]) * percent[at] / 100)
            symbol = BY_LABEL[label].name
            own = of_parameter(flags[at], symbol, float(value[at]), se)
            rows.append(RegionEstimate(name, symbol, float(value[at]), se, own))
    return tuple(rows)


def _rows(fit: KineticFit) -> list[list[object]]:
    percent = _percent(fit.value, fit.se)
    told = [name in fit.with_ends for name in fit.parameters]
    rows: list[list[object]] = []
    for at, name in enumerate(fit.names):
        row: list[object] = [name]
        for column, (value, error) in enumerate(zip(fit.value[at], percent[at], strict=True)):
            row += [float(value), float(error)]
            if fit.low is not None and fit.high is not None and told[column]:
                row += [_end(fit.low[at, column]), _end(fit.high[at, column])]
        row += [float(fit.sigma[at]), float(fit.aicc[at]), int(fit.n_frames[at]), words(int(fit.quality[at]))]
        row += [] if fit.akaike is None else [float(fit.akaike[at])]
        rows.append(row)
    return rows


def _end(value: float) -> object:
    """End of an interval; one that is infinite is told by its name."""
    return ("inf" if value > 0 else "-inf") if np.isinf(value) else float(value)


def _percent(value: Array, se: Array) -> Array:
    """Put standard errors in per cent of the size of the values; NaN where that has no meaning."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.asarray(np.where(np.isfinite(value) & (value != 0), 100 * se / np.abs(value), np.nan))
