"""Occupancy against dose or plasma concentration: the curve, what it predicts, and what a reader must know."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from raphe.data.people import People
from raphe.data.pharmacology import DoseResponse, OccupancyStudy
from raphe.data.pharmacology_tables import DoseCurve, DosePoint, DoseRow, DoseTable, on_log_axis
from raphe.data.record import Step
from raphe.data.results import Contrast, Interval, PairedValues
from raphe.errors import InputError
from raphe.pharmacology.dose_response import MOST_OCCUPANCY, dose_for, fit_dose_response, occupancy_at
from raphe.pharmacology.occupancy import occupancy
from raphe.pipeline.plan_schema import ContrastSection
from raphe.report.wording import listed

TARGETS = (0.5, 0.8)
"""Occupancies for which a dose is predicted."""

N_CURVE = 81

NOT_KNOWN = Interval(math.nan, math.nan, math.nan)


class Curve(NamedTuple):
    """What is fitted: the words for the exposure, and what E_max and the Hill slope are fixed at (None: fitted)."""

    exposure: str
    kind: str = "dose"
    unit: str = ""
    E_max: float | None = 1.0
    hill: float | None = 1.0

    def step(self, of: str, contrast: str = "") -> Step:
        """What was done; ``of`` says of which occupancies."""
        done = {"contrast": contrast, "of": of, "exposure": self.exposure, "kind": self.kind, "unit": self.unit}
        return Step("dose_response", {**done, "E_max": self.E_max, "hill": self.hill}, citations=("venzon1988",))


class Measured(NamedTuple):
    """Occupancy of one participant, a share of 1, with its own 95 % interval."""

    participant: str
    value: float
    low: float
    high: float


def dose_of(
    contrast: Contrast, section: ContrastSection, people: People, lassen: OccupancyStudy | None = None
) -> tuple[DoseTable, Step]:
    """Occupancy of a contrast of kind ``occupancy`` against the exposure that its plan names.

    It is that of each region, or of the line through all regions of each person where ``lassen`` has them.

    Raises
    ------
    InputError
        If people lack the exposure and the plan does not leave them out, or no region can be fitted.
    """
    name = section.exposure or ""
    curve = Curve(name, section.exposure_kind, section.exposure_unit or "", _fixed(section.E_max), _fixed(section.hill))
    everyone = dict.fromkeys(person for row in contrast.rows for person in row.pairs.participants)

    def exposure(person: str) -> float | None:
        value = people.known(name, person)
        return value if isinstance(value, int | float) else None

    lacking = [person for person in everyone if exposure(person) is None]
    if lacking and section.missing == "error":
        raise InputError(
            f"exposure {name!r} is missing for {', '.join(lacking)}; give it, or leave these people out by "
            'missing = "exclude"'
        )
    rows = []
    for row in contrast.rows:
        measured = of_region(row.pairs) if lassen is None else of_lines(lassen)
        points, gone = points_of(measured, contrast.second, exposure, name, lassen is not None)
        gone += [] if lassen is None else without_line(lassen)
        rows.append(dose_row(row.pairs.region, points, curve, gone))
    if all(row.fit is None for row in rows):
        raise InputError(rows[0].why if rows else "there is no region")
    table = DoseTable(
        contrast.name,
        contrast.tracer,
        contrast.model,
        name,
        curve.unit,
        curve.kind,
        curve.E_max,
        curve.hill,
        tuple(rows),
    )
    return table, curve.step("regions" if lassen is None else "lines", contrast.name)


def of_region(pairs: PairedValues) -> Iterator[Measured]:
    """Occupancy of each participant in one region."""
    for found in occupancy([pairs])[0] if len(pairs) else ():
        for at, person in enumerate(found.pairs.participants):
            yield Measured(person, float(found.value[at]), float(found.low[at]), float(found.high[at]))


def of_lines(study: OccupancyStudy) -> Iterator[Measured]:
    """Occupancy of each participant by the line through the regions."""
    for line in study.lines:
        yield Measured(line.participant, line.occupancy.value, line.occupancy.low, line.occupancy.high)


def without_line(study: OccupancyStudy) -> list[tuple[str, str]]:
    """Who has no line, and why."""
    return [(person, f"it has no line: {why}") for person, why in study.no_line]


def points_of(
    measured: Iterable[Measured], session: str, exposure: Callable[[str], float | None], name: str, lines: bool
) -> tuple[list[DosePoint], list[tuple[str, str]]]:
    """Scans that a curve is fitted to, and those that are left out with the reason.

    A scan without exposure is left out, and one whose occupancy is not determined: of ``lines`` one without both ends.
    """
    points, gone = [], []
    for person, value, low, high in measured:
        given = exposure(person)
        why = "" if given is not None else f"no {name}"
        if not (math.isfinite(value) and (not lines or (math.isfinite(low) and math.isfinite(high)))):
            why = "its occupancy is not determined"
        if why or given is None:
            gone.append((person, why))
        else:
            points.append(DosePoint(person, session, given, value, low, high))
    return points, gone


def dose_row(
    region: str, points: Sequence[DosePoint], curve: Curve, left_out: Sequence[tuple[str, str]] = ()
) -> DoseRow:
    """Fit the occupancies of one region; where that cannot be, the row says why."""
    try:
        fit = _fitted(points, curve)
    except InputError as error:
        return DoseRow(region, tuple(points), None, left_out=tuple(left_out), why=str(error))
    doses, remarks = [], _about_points(points, curve)
    for share in TARGETS:
        found, told = _dose_for(fit, share, points)
        doses.append((share, found))
        remarks += [told] if told else []
    if len(fit.free) > 1 and fit.undetermined and any(math.isfinite(found.value) for _, found in doses):
        lacking = [fit.called[name] for name in fit.undetermined]
        remarks.append(
            f"{listed(lacking)} {'is' if len(lacking) == 1 else 'are'} not determined, so that the intervals of the "
            f"{curve.kind}s for 50 and 80 % may be too narrow"
        )
    return DoseRow(region, tuple(points), fit, _curve(fit, points), tuple(doses), tuple(remarks), tuple(left_out))


def _fixed(value: float | str) -> float | None:
    return None if isinstance(value, str) else value


def _fitted(points: Sequence[DosePoint], curve: Curve) -> DoseResponse:
    for point in points:
        if abs(point.occupancy) > MOST_OCCUPANCY:
            raise InputError(
                f"the occupancy of {point.participant} is {100 * point.occupancy:.0f} %, beyond what a drug can do: "
                "the binding here is too uncertain for a curve; leave the region or the participant out"
            )
    return fit_dose_response(
        [point.exposure for point in points],
        [point.occupancy for point in points],
        subjects=[point.participant for point in points],
        E_max=curve.E_max,
        hill=curve.hill,
        unit=curve.unit,
        kind=curve.kind,
    )[0]


def _about_points(points: Sequence[DosePoint], curve: Curve) -> list[str]:
    zero = [point.participant for point in points if point.exposure == 0]
    if not zero:
        return []
    return [f"{len(zero)} of {len(points)} scans have a {curve.kind} of 0 and enter as scans without drug"]


def _dose_for(fit: DoseResponse, share: float, points: Sequence[DosePoint]) -> tuple[Interval, str]:
    try:
        found = dose_for(fit, share)
    except InputError:
        return NOT_KNOWN, f"no {fit.kind} gives {100 * share:.0f} %: the curve ends at {100 * fit.E_max.value:.0f} %"
    given = [point.exposure for point in points if point.exposure > 0]
    if min(given) <= found.value <= max(given):
        return found, ""
    return found, f"the {fit.kind} for {100 * share:.0f} % lies outside of those measured: an extrapolation"


def _curve(fit: DoseResponse, points: Sequence[DosePoint]) -> DoseCurve:
    given = [point.exposure for point in points if point.exposure > 0]
    low, high = min(given), max(given)
    doses = np.geomspace(low / 2, high * 1.5, N_CURVE) if on_log_axis(points) else np.linspace(0, high * 1.15, N_CURVE)
    return DoseCurve(doses, *occupancy_at(fit, doses))


def check_exposures(exposures: Mapping[str, float], what: str, kind: str) -> None:
    """Refuse exposures that cannot be: below 0, or none above it.

    Raises
    ------
    InputError
        With whose it is; ``what`` names where it stands.
    """
    for who, value in exposures.items():
        if value < 0:
            raise InputError(f"{what}: the {kind} of {who} is {value:g}, and is not below 0; mend it")
    if exposures and not any(value > 0 for value in exposures.values()):
        raise InputError(f"{what}: every {kind} is 0, so that nothing tells how occupancy rises with it; give doses")
