"""``raphe occupancy --exposure``: occupancy of the scans of a command against dose or plasma concentration."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from itertools import chain
from typing import NamedTuple

from raphe.data.pharmacology import OccupancyStudy
from raphe.data.pharmacology_tables import DosePoint, DoseTable
from raphe.data.record import Step
from raphe.errors import InputError
from raphe.io.exposures import Exposures, read_exposures
from raphe.io.occupancy import ALL
from raphe.io.participants import mistaken
from raphe.io.provenance import sha256
from raphe.pipeline.dose_of import Curve, check_exposures, dose_row, of_lines, of_region, points_of, without_line


def exposures_of(options: argparse.Namespace) -> Exposures | None:
    """Read the exposures that a command names; None for none.

    Raises
    ------
    InputError
        If an option of the curve stands without a file, the file without a column, or as
        :func:`raphe.io.exposures.read_exposures`.
    """
    if options.exposure is None:
        for name, what in (("exposure_column", "--exposure-column"), ("exposure_unit", "--exposure-unit")):
            if getattr(options, name):
                raise InputError(f"{what} is of a table of exposures; name it with --exposure FILE")
        return None
    if not options.exposure_column:
        raise InputError(f"{options.exposure} is given, but not its column; name it with --exposure-column NAME")
    return read_exposures(options.exposure, options.exposure_column)


class Scans(NamedTuple):
    """Occupancies under the drug, and the session of these scans (empty where the tables do not say)."""

    study: OccupancyStudy
    session: str


class Dosed(NamedTuple):
    """Occupancy against exposure, how it was found, and what a person must read."""

    table: DoseTable
    steps: tuple[Step, ...]
    warnings: tuple[str, ...]


def dose_of_studies(options: argparse.Namespace, scans: Sequence[Scans], exposures: Exposures) -> Dosed:
    """Fit occupancy against exposure: of the lines through all regions where there are some, else region by region.

    People without exposure are among the warnings, as are exposures of nobody.

    Raises
    ------
    InputError
        If several sessions have exposures by person alone, nobody has an exposure, or no curve can be fitted.
    """
    if len(scans) > 1 and not exposures.by_session:
        raise InputError(
            f"{exposures.path} has no column session_id, but there are {len(scans)} sessions under the drug; say of "
            "which session each exposure is"
        )
    curve = Curve(exposures.column, options.exposure_kind, options.exposure_unit or "", options.e_max, options.hill)
    warnings = _checked(scans, exposures, curve)
    lines = any(one.study.lines for one in scans)
    regions = dict.fromkeys(found.pairs.region for one in scans for found in one.study.by_region)
    rows = []
    for region in (ALL,) if lines else tuple(regions):
        points, gone = _points(scans, region, lines, exposures)
        rows.append(dose_row(region, points, curve, gone))
    if all(row.fit is None for row in rows):
        raise InputError(f"occupancy cannot be fitted against {exposures.column}: {rows[0].why}")
    for row in rows:
        for told in (*(() if row.fit is None else row.fit.statements), *row.remarks, row.why):
            if told:
                warnings.append(f"occupancy against {exposures.column}, {row.region}: {told}")
    of = scans[0].study
    fixed = curve.E_max, curve.hill
    table = DoseTable("", of.tracer, of.model, curve.exposure, curve.unit, curve.kind, *fixed, tuple(rows))
    read = Step("occupancy_read", {}, inputs={str(exposures.path): sha256(exposures.path)})
    return Dosed(table, (read, curve.step("lines" if lines else "regions")), tuple(warnings))


def _checked(scans: Sequence[Scans], exposures: Exposures, curve: Curve) -> list[str]:
    """Warnings of scans without exposure and of exposures of nobody; refuses what cannot be."""
    warnings: list[str] = []
    people: dict[str, None] = {}
    known: dict[str, float] = {}
    for study, session in scans:
        own = dict.fromkeys(person for one in study.pairs for person in one.participants)
        people |= own
        for person in own:
            who = f"participant {person}" + (f", session {session}" if exposures.by_session and session else "")
            value = exposures.of(person, session)
            if value is None:
                warnings.append(f"{who} has no {exposures.column} in {exposures.path}: left out of the curve")
            else:
                known[who] = value
    others = [person for person in exposures.people if person not in people]
    for fault in mistaken(exposures.path, exposures.lines, people):
        raise fault
    if others:
        warnings.append(f"{exposures.path} has {exposures.column} of {', '.join(others)}, who have not both scans here")
    if not known:
        raise InputError(f"{exposures.path} has no {exposures.column} of any scan under the drug; look at its labels")
    check_exposures(known, str(exposures.path), curve.kind)
    return warnings


def _points(
    scans: Sequence[Scans], region: str, lines: bool, exposures: Exposures
) -> tuple[list[DosePoint], list[tuple[str, str]]]:
    """Scans of a region, or of the lines, and those that are left out with the reason."""
    points: list[DosePoint] = []
    gone: list[tuple[str, str]] = []
    for study, session in scans:
        pairs = [one.pairs for one in study.by_region if one.pairs.region == region]
        measured = of_lines(study) if lines else chain.from_iterable(map(of_region, pairs))
        of_session = partial(_exposure, exposures, session)
        own, out = points_of(measured, session, of_session, exposures.column, lines)
        points += own
        gone += [(f"{person}, {session}" if len(scans) > 1 else person, why) for person, why in out]
        gone += without_line(study) if lines else []
    return points, gone


def _exposure(exposures: Exposures, session: str, person: str) -> float | None:
    return exposures.of(person, session)
