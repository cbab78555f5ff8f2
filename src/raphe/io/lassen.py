"""Lassen plots of the people of a contrast: ``contrast-NAME_lassen.tsv`` with its sidecar."""

from __future__ import annotations

from pathlib import Path

from raphe.data.pharmacology_tables import LassenTable
from raphe.io.described import NOT_AVAILABLE, Column, write_described
from raphe.io.occupancy import columns_of, rows, summary
from raphe.io.results import REMARK, excluded_json, software

KEPT = (
    "participant",
    "scope",
    "region",
    "n",
    "occupancy",
    "ci_low",
    "ci_high",
    "VND",
    "VND_ci_low",
    "VND_ci_high",
)
"""Columns that it has in common with a table of occupancy, of which it has the rows of lines and of the group."""


def write_lassen(path: Path, table: LassenTable) -> None:
    """Write the line of each person and the means of the group, cell by cell as in ``*_occupancy.tsv``.

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    study = table.study
    known = columns_of(study)
    place = {column.name: at for at, column in enumerate(known)}
    drawn = {line.participant: line for line in study.lines}
    columns = (
        Column("contrast", "Name of the contrast in the study plan"),
        *(known[place[name]] for name in KEPT),
        Column("method", "ml: maximum likelihood with errors in both scans"),
        Column("noise", "Errors of the regions to each other: relative, absolute or se; their scatter tells the size"),
        REMARK,
    )
    cells = []
    for row in rows(study):
        if row[place["scope"]] == "region":
            continue
        line = drawn.get(str(row[place["participant"]]))
        how = (line.method, line.noise) if line is not None else (NOT_AVAILABLE, NOT_AVAILABLE)
        cells.append([table.contrast, *(row[place[name]] for name in KEPT), *how, row[place["remark"]]])
    about = {
        "Description": f"Lassen plots of contrast {table.contrast}: V_T at {study.baseline} and {study.blocked}",
        "Tracer": study.tracer,
        "ModelName": study.model,
        "Parameter": study.parameter,
        "Terms": [study.baseline, study.blocked],
        "Regions": [one.region for one in study.pairs],
        "Lines": [summary(line) for line in study.lines],
        "WithoutLine": [{"participant": person, "reason": why} for person, why in study.no_line],
        "Excluded": excluded_json([one.excluded for one in study.pairs]),
        **software(),
    }
    write_described(path, columns, cells, about)
