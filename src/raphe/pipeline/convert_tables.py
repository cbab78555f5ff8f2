"""Blood and curves that another program made, as the tables of BIDS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from raphe.catalog import find_tracer, half_life
from raphe.data.scan import Scan
from raphe.errors import InputError
from raphe.io import derivatives, pet_fields, raw_dataset
from raphe.io.curves import read_curves
from raphe.io.described import Column, write_described
from raphe.io.pmod_convert import COLUMNS, BloodTable, convert_blood
from raphe.io.radionuclides import canonical
from raphe.io.sidecar import Sidecar, inspect_sidecar, sidecar_of
from raphe.io.tables import shortened
from raphe.io.tacs import write_tacs
from raphe.pipeline.conversion import Conversion
from raphe.pipeline.plan_schema import same_tracer

OF_METABOLITES = ("MetaboliteMethod", "MetaboliteRecoveryCorrectionApplied")
"""Fields that BIDS requires where the parent fraction was measured."""


def convert_blood_tables(work: Conversion, scan: Scan, paths: Sequence[Path]) -> None:
    """Write the recordings of blood that PMOD's tables of a scan hold.

    Raises
    ------
    InputError, UnitError
        As :func:`raphe.io.pmod_convert.convert_blood`, or if the user does not tell a field that BIDS requires.
    """
    blood = convert_blood(paths, unit=work.options.unit)
    for finding in blood.findings:
        work.warn(finding.message)
    for said in blood.said:
        work.messages.say(said)
    wanted: dict[str, str] = {}
    for table in blood.tables:
        wanted |= _wanted(table)
    pet_fields.require(shortened([str(path) for path in paths], 3), work.of_blood, wanted)
    for table in blood.tables:
        named = replace(scan, entities=(*scan.entities, ("recording", table.recording)))
        columns = [Column("time", "Time from TimeZero of the PET scan", "s")]
        columns += [COLUMNS[quantity] for quantity in table.values]
        rows = np.column_stack((table.time, *table.values.values())).tolist()
        path = work.stage / raw_dataset.pet_file(named, "blood.tsv")
        write_described(path, columns, rows, _metadata(table, work.of_blood))


def _wanted(table: BloodTable) -> dict[str, str]:
    """Fields that BIDS requires of a recording and that PMOD's files do not tell."""
    fields = ["DispersionCorrected"] if table.recording == "autosampler" else []
    if "parent_fraction" in table.values:
        fields += OF_METABOLITES
    return {field: pet_fields.BLOOD[field] for field in fields}


def _metadata(table: BloodTable, given: Mapping[str, object]) -> dict[str, object]:
    held, manual = set(table.values), table.recording == "manual"
    own = {name: value for name, value in given.items() if "parent_fraction" in held or name not in OF_METABOLITES}
    if manual:
        own["DispersionCorrected"] = False  # nothing is dispersed in a sample that was drawn by hand
    return {
        "PlasmaAvail": bool(held & {"plasma", "parent"}),
        "WholeBloodAvail": "whole_blood" in held,
        "MetaboliteAvail": "parent_fraction" in held,
        **own,
    }


def convert_curves(work: Conversion, scan: Scan, paths: Sequence[Path]) -> None:
    """Write a table of curves into the derivative dataset of curves that another program made.

    Raises
    ------
    InputError, UnitError, TimingError
        As :func:`raphe.io.curves.read_curves`, or if neither the scan's sidecar nor the user tells tracer and nuclide.
    """
    (source,) = paths
    sidecar = _known(work, scan)
    described = _described(work, scan, sidecar, source)
    curves = read_curves(source, sidecar=sidecar, unit=work.options.unit, half_life=described.half_life)
    for finding in curves.findings:
        work.warn(finding.message)
    path = derivatives.tacs(work.stage / raw_dataset.CURVES, scan, work.options.seg)
    write_tacs(path, curves.tacs, described, sources=[source.name])
    raw_dataset.add_curves_description(work.stage, work.options.out)


def _known(work: Conversion, scan: Scan) -> Sidecar | None:
    """What the sidecar of the scan tells, which was written now or is there."""
    name = raw_dataset.pet_file(scan, "pet.json")
    for root in (work.stage, work.options.out):
        if (root / name).is_file():
            sidecar, faults = inspect_sidecar([root / name])
            for fault in faults:
                raise fault.error
            return sidecar
    return None


def _described(work: Conversion, scan: Scan, sidecar: Sidecar | None, source: Path) -> Scan:
    """Scan as the curves' own sidecar describes it."""
    if sidecar is not None:
        return sidecar.scan(scan.participant, scan.session, scan.entities)
    fields = {name: work.given[name] for name in ("TracerName", "TracerRadionuclide") if name in work.given}
    if work.options.tracer is not None:
        fields["TracerName"] = work.options.tracer
    beside = sidecar_of(source, unit=work.options.unit)
    if beside is not None:
        named = str(fields.get("TracerName", beside.tracer))
        if beside.tracer and same_tracer(named) != same_tracer(beside.tracer):
            raise InputError(
                f"{beside.paths[0]}: TracerName is {beside.tracer!r}, but {named!r} was given; leave that out "
                "(--tracer) or mend the file"
            )
        told = {"TracerName": beside.tracer, "TracerRadionuclide": beside.radionuclide}
        fields = {name: value for name, value in told.items() if value} | fields
    known = find_tracer(str(fields.get("TracerName", "")))
    if known is not None:
        fields.setdefault("TracerRadionuclide", known.radionuclide)
    pet_fields.require(
        source, fields, {name: pet_fields.REQUIRED[name] for name in ("TracerName", "TracerRadionuclide")}
    )
    nuclide = canonical(str(fields["TracerRadionuclide"]))
    tracer = str(fields["TracerName"]) if known is None else known.name
    return replace(scan, tracer=tracer, radionuclide=nuclide, half_life=_half_life(nuclide))


def _half_life(nuclide: str) -> float | None:
    try:
        return half_life(nuclide)
    except KeyError:
        return None
