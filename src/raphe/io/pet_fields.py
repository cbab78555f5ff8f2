"""What BIDS requires the metadata of a raw PET scan to tell, and how to ask for all of it that is missing at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from raphe.errors import InputError

UNKNOWN = "n/a"
"""What BIDS lets stand for a mass or specific radioactivity that nobody measured."""

REQUIRED = MappingProxyType(
    {
        "Manufacturer": "text",
        "ManufacturersModelName": "text",
        "Units": "unit of the voxels, e.g. Bq/mL",
        "TracerName": "text; or --tracer NAME",
        "TracerRadionuclide": "element and mass number, e.g. C11",
        "InjectedRadioactivity": "number",
        "InjectedRadioactivityUnits": "e.g. MBq",
        "InjectedMass": "number, or n/a",
        "InjectedMassUnits": "e.g. ug, or n/a",
        "SpecificRadioactivity": "number, or n/a",
        "SpecificRadioactivityUnits": "e.g. MBq/ug, or n/a",
        "ModeOfAdministration": "bolus, infusion or bolus-infusion",
        "TimeZero": "clock time, hh:mm:ss",
        "ScanStart": "seconds from TimeZero",
        "InjectionStart": "seconds from TimeZero",
        "FrameTimesStart": "seconds from TimeZero, one a frame",
        "FrameDuration": "seconds, one a frame",
        "AcquisitionMode": "text, e.g. list mode",
        "ImageDecayCorrected": "true or false",
        "ImageDecayCorrectionTime": "seconds from TimeZero",
        "ReconMethodName": "text, e.g. 3D-OSEM-PSF",
        "ReconMethodParameterLabels": 'list of texts, e.g. ["subsets", "iterations"], or ["none"]',
        "ReconMethodParameterUnits": 'list of texts, e.g. ["none", "none"]',
        "ReconMethodParameterValues": "list of numbers, e.g. [16, 10]",
        "ReconFilterType": "text, e.g. Gaussian, or none",
        "ReconFilterSize": "number, mm",
        "AttenuationCorrection": "text, e.g. transmission scan",
    }
)
"""Fields that BIDS 1.10 requires of every PET scan, and what each is, for messages."""

FOLLOWING = ("SpecificRadioactivity", "SpecificRadioactivityUnits")
"""Fields that follow from the injected radioactivity and mass (:func:`completed`)."""

INFUSED = MappingProxyType(
    {
        "InfusionRadioactivity": "number",
        "InfusionStart": "seconds from TimeZero",
        "InfusionSpeed": "number",
        "InfusionSpeedUnits": "e.g. mL/s",
        "InjectedVolume": "mL",
    }
)
"""Fields that BIDS requires besides where the tracer was infused."""

BLOOD = MappingProxyType(
    {
        "DispersionCorrected": "true or false: were the autosampler's curves corrected for dispersion",
        "MetaboliteMethod": "text, e.g. HPLC",
        "MetaboliteRecoveryCorrectionApplied": "true or false",
        "PlasmaFreeFraction": "per cent",
        "PlasmaFreeFractionMethod": "text",
        "Haematocrit": "number",
        "BloodDensity": "number",
        "WithdrawalRate": "mL/s",
        "TubingType": "text",
        "TubingLength": "m",
        "DispersionConstant": "s",
        "DispersionConstantUnits": "e.g. s",
    }
)
"""Fields that tell of blood and not of the image, and what each is."""


def asked(fields: Mapping[str, object]) -> Mapping[str, str]:
    """Fields that BIDS requires of a scan of which ``fields`` are known, and what each is."""
    wanted = dict(REQUIRED)
    if fields.get("ReconMethodParameterLabels") == ["none"]:
        del wanted["ReconMethodParameterUnits"], wanted["ReconMethodParameterValues"]
    if fields.get("ReconFilterType", "none") in ("none", ["none"]):
        del wanted["ReconFilterSize"]
    if "infusion" in str(fields.get("ModeOfAdministration", "")).lower():
        wanted |= INFUSED
    return wanted


def completed(fields: Mapping[str, object]) -> dict[str, object]:
    """Fields, and those that follow from them: specific radioactivity, and ``n/a`` for the units of what is ``n/a``."""
    known = dict(fields)
    dose, mass = known.get("InjectedRadioactivity"), known.get("InjectedMass")
    if "SpecificRadioactivity" not in known and _number(dose) and _number(mass):
        units = [known.get("InjectedRadioactivityUnits"), known.get("InjectedMassUnits")]
        if all(units) and "SpecificRadioactivityUnits" not in known:
            known["SpecificRadioactivity"] = float(f"{float(str(dose)) / float(str(mass)):.6g}")
            known["SpecificRadioactivityUnits"] = "/".join(str(unit) for unit in units)
    if mass == UNKNOWN:
        known.setdefault("SpecificRadioactivity", UNKNOWN)
    for field in ("InjectedMass", "SpecificRadioactivity"):
        if known.get(field) == UNKNOWN:
            known.setdefault(f"{field}Units", UNKNOWN)
    return known


def require(
    what: object, fields: Mapping[str, object], wanted: Mapping[str, str], hints: Mapping[str, str] | None = None
) -> None:
    """Refuse fields that lack any that is wanted.

    Parameters
    ----------
    what : object
        What they are of, for the message.
    fields : mapping of str to object
    wanted : mapping of str to str
        Fields, and what each is.
    hints : mapping of str to str, optional
        What the source says of a field, where it does not say enough.

    Raises
    ------
    InputError
        That names every field that is missing, what it is, and how to give it.
    """
    lacking = [field for field in wanted if not told(fields.get(field))]
    if not lacking:
        return
    if {"InjectedRadioactivity", "InjectedMass"} & set(lacking):
        lacking = [field for field in lacking if field not in FOLLOWING]
    lines = [f"{field} ({wanted[field]}{_hint(field, hints or {})})" for field in lacking]
    raise InputError(
        f"{what}: BIDS requires {len(lacking)} {'field' if len(lacking) == 1 else 'fields'} that the source does not "
        f"tell; give each by --set FIELD=VALUE or in a file by --json FILE: {', '.join(lines)}"
    )


def told(value: object) -> bool:
    """Whether a field says anything."""
    return value is not None and value != "" and value != []


def parted(fields: Mapping[str, object]) -> tuple[dict[str, object], dict[str, object]]:
    """Fields of the image, and those of blood."""
    blood = {field: value for field, value in fields.items() if field in BLOOD}
    return {field: value for field, value in fields.items() if field not in blood}, blood


def _hint(field: str, hints: Mapping[str, str]) -> str:
    return f"; {hints[field]}" if field in hints else ""


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def without_empty(fields: Mapping[str, object], names: Iterable[str] | None = None) -> dict[str, object]:
    """Those of some fields (all by default) that say anything."""
    chosen = fields if names is None else {name: fields[name] for name in names if name in fields}
    return {field: value for field, value in chosen.items() if told(value)}
