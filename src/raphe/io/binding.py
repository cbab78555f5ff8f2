"""Tables of binding as ``raphe occupancy`` takes them: parameters of one scan, or estimates of a study."""

from __future__ import annotations

import math
from pathlib import Path

from raphe.data.estimates import Estimate, Estimates
from raphe.errors import InputError
from raphe.io.results import read_estimates
from raphe.io.tables import doubled, read_table, shortened
from raphe.nomenclature import BY_LABEL
from raphe.quality import from_words, of_parameter

SE = "-se"


def read_binding(path: Path) -> Estimates:
    """Read ``*_kinpar.tsv`` (of raphe or another program) or ``estimates.tsv``, whichever the columns say it is.

    Of a table of parameters the columns ``<label>-se`` (per cent) and ``quality`` need not be there; participant,
    session, tracer and model are those of its name.

    Raises
    ------
    InputError
        If the file is neither, a region is named twice, or a cell holds what it cannot.
    """
    table = read_table(path)
    if {"participant", "parameter", "value"} <= set(table.columns):
        return read_estimates(path)
    labels = [column for column in table.columns if column in BY_LABEL]
    if "name" not in table.columns or not labels:
        raise InputError(
            f"{path} is neither a table of parameters (a column 'name' and one such as BPND or VT) nor a table of "
            f"estimates (columns participant, parameter, value): it has the columns {shortened(table.columns)}"
        )
    names = table.cells("name")
    for name in names:
        if names.count(name) > 1:
            lines = [line for line, other in zip(table.lines, names, strict=True) if other == name]
            told = " and ".join(map(str, lines))
            raise InputError(f"{path}: region {name!r} stands in lines {told}; {doubled(table, *lines[:2])}")
    said = dict(part.split("-", 1) for part in path.stem.split("_") if "-" in part)
    who = said.get("sub", ""), said.get("ses", ""), said.get("trc", ""), "", ""
    rows = []
    for label in labels:
        values = table.floats(label)
        percent = table.floats(f"{label}{SE}") if f"{label}{SE}" in table.columns else values * math.nan
        for at, name in enumerate(names):
            value, se = float(values[at]), float(abs(values[at]) * percent[at] / 100)
            if se < 0:
                where = f"{path}: column '{label}{SE}', line {table.lines[at]}"
                raise InputError(f"{where}: a standard error of {percent[at]:g} % cannot be")
            flags = table.cells("quality")[at] if "quality" in table.columns else ""
            try:
                quality = of_parameter(from_words("" if flags == "n/a" else flags), BY_LABEL[label].name, value, se)
            except KeyError as error:
                raise InputError(
                    f"{path}: column 'quality', line {table.lines[at]}: {error} is no flag that raphe knows"
                ) from None
            rows.append(Estimate(*who, name, said.get("model", ""), BY_LABEL[label].name, value, se, quality))
    return Estimates(tuple(rows))
