"""What was injected: amounts in sidecars. Binding rests on none of them, so a bad one is a doubt and no error."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from raphe.data.finding import Finding
from raphe.errors import InputError
from raphe.io import units
from raphe.io.fields import Fields
from raphe.io.place import located

DOSES_APART = 100.0
"""Fold by which the scanner's dose may differ from InjectedRadioactivity, for decay and a rest in the syringe."""

POSSIBLE_DOSE = (1.0, 10_000.0)
"""MBq between which an injected radioactivity is possible for a scan of a person."""

HEAVIEST = 400.0
"""kg, above which a body's weight is doubted."""


MASSES_APART = 10.0
"""Fold by which activity per mass may differ between the fields that tell it, for some tell that of the synthesis, an
hour before injection; an assumption."""


class Amounts(NamedTuple):
    """Amounts in MBq, ug, GBq/umol and kg; None where the files do not tell them, or not in a way that can be read."""

    radioactivity: float | None
    mass: float | None
    molar_activity: float | None
    body_weight: float | None


def read_amounts(fields: Fields) -> tuple[Amounts, list[Finding]]:
    """Amounts of a chain of sidecars, and warnings about those that cannot be read or be true."""
    doubts: list[Finding] = []

    def amount(field: str, factor: Callable[[str], float | None], unit: str | None = None) -> float | None:
        try:
            return _amount(fields, field, factor, unit)
        except InputError as error:
            doubts.append(fields.unused(field, error))
            return None

    dose = amount("InjectedRadioactivity", units.radioactivity)
    if dose is not None and not POSSIBLE_DOSE[0] <= dose <= POSSIBLE_DOSE[1]:
        doubts.append(_impossible_dose(fields, dose))
    elif dose:
        doubts += _doses_apart(fields, dose)
    weight = amount("TracerMolecularWeight", _gram_per_mole, "g/mol")
    mass = amount("InjectedMass", lambda unit: units.mass(unit, weight))
    molar = amount("MolarActivity", units.molar_activity)
    body = amount("BodyWeight", _kilogram, "kg")
    if body is not None and body > HEAVIEST:
        told = (
            f"{fields.source('BodyWeight')}: BodyWeight comes to {body:g} kg, which nobody weighs; mend it or its unit"
        )
        doubts.append(Finding("warning", fields.source("BodyWeight"), "BodyWeight", told))
    if not doubts and dose and mass:
        by_molar = 1e3 * molar / weight if molar and weight else 0.0
        by_field = {"MolarActivity": by_molar, "SpecificRadioactivity": _specific(fields)}
        doubts += [_masses_apart(fields, dose / mass, *one) for one in by_field.items() if _apart(one[1], dose / mass)]
    return Amounts(dose, mass, molar, body), doubts


def _specific(fields: Fields) -> float:
    """Activity per mass as SpecificRadioactivity tells it, MBq/ug; 0 where it does not, as -1 says in BIDS."""
    try:
        return _amount(fields, "SpecificRadioactivity", units.specific_activity, None) or 0.0
    except InputError:
        return 0.0


def _apart(one: float, other: float) -> bool:
    return one > 0 and not 1 / MASSES_APART <= one / other <= MASSES_APART


def _masses_apart(fields: Fields, injected: float, field: str, told: float) -> Finding:
    source = fields.source(field)
    message = (
        f"{source}: {field} comes to {told:.3g} MBq/ug, but InjectedRadioactivity over InjectedMass to {injected:.3g} "
        f"MBq/ug, {injected / told:.3g} times as much; raphe does not use them for binding, but mend whichever is "
        "wrong, or its unit, before anyone does"
    )
    return Finding("warning", source, field, message)


def _amount(fields: Fields, field: str, factor: Callable[[str], float | None], unit: str | None) -> float | None:
    value = fields.number(field)
    if value is None:
        return None
    if value < 0:
        raise fields.error(field, value, "it cannot be negative")
    spelled = f"{field}Units"
    if unit is None or fields.has(spelled):
        unit = fields.text(spelled, f"write the unit of {field}")
    with located(f"{fields.source(spelled)}: {spelled}"):
        known = factor(unit)
    return None if known is None else value * known


def _impossible_dose(fields: Fields, dose: float) -> Finding:
    source = fields.source("InjectedRadioactivity")
    unit = fields.text("InjectedRadioactivityUnits", "")
    same = "" if unit == "MBq" else f", that is {dose:g} MBq"
    message = (
        f"{source}: InjectedRadioactivity is {fields.number('InjectedRadioactivity'):g} "
        f"{unit}{same}, which is impossible for a human scan"
        f"{_other_dose(fields, dose)}; "
        "raphe does not use it for binding, but mend the value or InjectedRadioactivityUnits before anyone does"
    )
    return Finding("warning", source, "InjectedRadioactivity", message)


def _doses_apart(fields: Fields, dose: float) -> list[Finding]:
    """Doubt a dose that is possible but is not what the scanner recorded."""
    other = _scanner_dose(fields)
    if (
        other is None
        or not POSSIBLE_DOSE[0] <= other <= POSSIBLE_DOSE[1]
        or 1 / DOSES_APART <= other / dose <= DOSES_APART
    ):
        return []
    source = fields.source("InjectedRadioactivity")
    message = (
        f"{source}: InjectedRadioactivity comes to {dose:g} MBq{_other_dose(fields, dose)}; mend whichever is wrong"
    )
    return [Finding("warning", source, "InjectedRadioactivity", message)]


def _other_dose(fields: Fields, dose: float) -> str:
    """Tell what the scanner recorded as dose (DICOM's RadionuclideTotalDose, in Bq), as evidence; empty if nothing."""
    other = _scanner_dose(fields)
    if not other:
        return ""
    source, same = fields.source("RadionuclideTotalDose"), fields.source("InjectedRadioactivity")
    where = "the same file" if source == same else str(source)
    times = f", {other / dose:.4g} times as much" if dose else ""
    return f"; RadionuclideTotalDose of {where} is {1e6 * other:.12g} Bq{times}"


def _scanner_dose(fields: Fields) -> float | None:
    """Give DICOM's RadionuclideTotalDose in MBq; None where the files do not tell it, or not as a number."""
    try:
        dose = fields.number("RadionuclideTotalDose")
    except InputError:
        return None
    return None if dose is None else 1e-6 * dose


def _gram_per_mole(unit: str) -> float | None:
    return _in(unit.partition("/")[0], 1e-6)


def _kilogram(unit: str) -> float | None:
    return _in(unit, 1e-9)


def _in(unit: str, per_ug: float) -> float | None:
    factor = units.mass(unit)
    return None if factor is None else factor * per_ug
