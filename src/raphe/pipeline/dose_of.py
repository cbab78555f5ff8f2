"""Occupancy against dose or plasma concentration: the curve, what it predicts, and what a reader must know."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from raphe.data.people import People
from raphe.data.pharmacology import DoseResponse
from raphe.data.pharmacology_tables import DoseCurve, DosePoint, DoseRow, DoseTable, on_log_axis
from raphe.data.record import Step
from raphe.data.results import Contrast, Interval
from raphe.errors import InputError
from raphe.pharmacology.dose_response import MOST_OCCUPANCY, dose_for, fit_dose_response, occupancy_at
from raphe.pharmacology.occupancy import occupancy
from raphe.pipeline.plan_schema import ContrastSection

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


def dose_of(contrast: Contrast, section: ContrastSection, people: People) -> tuple[DoseTable, Step]:
    """Occupancy of each region of a contrast of kind ``occupancy`` against the exposure that its plan names.

    Raises
    ------
    InputError
        If people lack the exposure and the plan does not leave them out, or no region can be fitted.
    """
    name = section.exposure or ""
    curve = Curve(name, section.exposure_kind, section.exposure_unit or "", _fixed(section.E_max), _fixed(section.hill))
    everyone = dict.fromkeys(person for row in contrast.rows for person in row.pairs.participants)
    known = {person: value for person in everyone if isinstance(value := people.known(name, person), int | float)}
    lacking = [person for person in everyone if person not in known]
    if lacking and section.missing == "error":
        raise InputError(
            f"exposure {name!r} is missing for {', '.join(lacking)}; give it, or leave these people out by "
            'missing = "exclude"'
        )
    rows = []
    for row in contrast.rows:
        (found,), _ = occupancy([row.pairs]) if len(row.pairs) else ((None,), None)
        points = [
            DosePoint(person, contrast.second, known[person], *(float(part[at]) for part in _parts(found)))
            for at, person in enumerate(row.pairs.participants)
            if person in known
        ]
        gone = [(person, f"no {name}") for person in row.pairs.participants if person not in known]
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
    return table, curve.step("regions", contrast.name)


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
    return DoseRow(region, tuple(points), fit, _curve(fit, points), tuple(doses), tuple(remarks), tuple(left_out))


def _parts(found: object) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], ...]:
    return tuple(getattr(found, name) for name in ("value", "low", "high")) if found is not None else ()


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
