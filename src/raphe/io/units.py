"""Units as files spell them, and the factors that turn them into the units that raphe computes in.

Spelling follows BIDS (CMIXF-12: ``kBq/mL``) and bears the common variants: either sign for micro, ``cc`` and ``cm3``
for ``mL``, any letter case that leaves no doubt. ``m`` stays milli and ``M`` mega.
"""

from __future__ import annotations

from collections.abc import Mapping

from raphe.errors import UnitError

_PREFIX = {"": 1.0, "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_BECQUEREL = {"Bq": ("", "k", "K", "M", "G", "T"), "Ci": ("", "n", "u", "m")}
_SIZE = {"Bq": 1.0, "Ci": 3.7e10}
_MILLILITRE = ("ml", "cc", "cm3", "cm^3", "cm**3", "cm³", "ccm")
_TIME = {
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), 1.0 / 60000.0),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0 / 60.0),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 1.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 60.0),
}
_FRACTION = {
    **dict.fromkeys(("unitless", "arbitrary", "fraction", "ratio", "none", "dimensionless", "1", "1/1"), 1.0),
    **dict.fromkeys(("%", "percent", "pct"), 0.01),
}
_GRAM = {"kg": 1e9, "g": 1e6, "mg": 1e3, "ug": 1.0, "ng": 1e-3}
_MOLE = {"mol": 1e6, "mmol": 1e3, "umol": 1.0, "nmol": 1e-3, "pmol": 1e-6}

CONCENTRATIONS = "Bq/mL, kBq/mL, MBq/mL, nCi/mL, uCi/mL; cc or cm3 may stand for mL"
"""The activity concentrations that are understood, for messages and help."""


def concentration(unit: str) -> float:
    """Factor from ``unit`` to kBq/mL.

    Raises
    ------
    UnitError
        If ``unit`` is not an activity concentration that raphe knows; the message lists those it knows.
    """
    if unit.strip().upper() == "BQML":  # DICOM's spelling of Bq/mL
        return 1e-3
    activity, slash, volume = _plain(unit).partition("/")
    factor = _activity(activity)
    if factor is None or not slash or volume.lower() not in _MILLILITRE:
        raise UnitError(f"{unit!r} is not an activity concentration that raphe knows ({CONCENTRATIONS})")
    return factor * 1e-3


def radioactivity(unit: str) -> float:
    """Factor from ``unit``, e.g. ``kBq`` or ``mCi``, to MBq; raises UnitError for any other."""
    factor = _activity(_plain(unit))
    if factor is None:
        raise UnitError(f"{unit!r} is not a radioactivity that raphe knows (Bq, kBq, MBq, GBq, uCi, mCi)")
    return factor * 1e-6


def molar_activity(unit: str) -> float:
    """Factor from ``unit``, e.g. ``MBq/nmol``, to GBq/umol; raises UnitError for any other."""
    activity, _, amount = _plain(unit).partition("/")
    factor, mole = _activity(activity), _MOLE.get(amount)
    if factor is None or mole is None:
        raise UnitError(f"{unit!r} is not a molar activity that raphe knows (GBq/umol, MBq/nmol, Ci/mmol)")
    return factor * 1e-9 / mole


def specific_activity(unit: str) -> float:
    """Factor from ``unit``, e.g. ``GBq/mg``, to MBq/ug; raises UnitError for any other."""
    activity, _, weight = unit.partition("/")
    return radioactivity(activity) / _known(_plain(weight), _GRAM, "a mass", unit)


def mass(unit: str, molecular_weight: float | None = None) -> float | None:
    """Factor from ``unit`` to ug; None for an amount such as ``nmol`` without the molecular weight in g/mol.

    Raises
    ------
    UnitError
        If the unit is neither a mass nor an amount that raphe knows.
    """
    plain = _plain(unit)
    if plain in _MOLE:
        return None if molecular_weight is None else _MOLE[plain] * molecular_weight
    return _known(plain, _GRAM, "a mass", unit)


def minutes(unit: str) -> float:
    """Factor from a unit of time to min; raises UnitError for an unknown one."""
    return _known(_plain(unit).lower(), _TIME, "a time", unit)


def fraction(unit: str) -> float:
    """Factor from a unit of fractions (``unitless``, ``arbitrary``, ``1``, ``%``) to 1; UnitError for another."""
    return _known(_plain(unit).lower(), _FRACTION, "a unit of fractions", unit)


def _plain(unit: str) -> str:
    return "".join(unit.split()).replace("µ", "u").replace("μ", "u")


def _activity(text: str) -> float | None:
    prefix, base = text[:-2], text[-2:].capitalize()
    if prefix not in _BECQUEREL.get(base, ()):
        return None
    return _PREFIX[prefix] * _SIZE[base]


def _known(plain: str, table: Mapping[str, float], kind: str, unit: str) -> float:
    if plain not in table:
        raise UnitError(f"{unit!r} is not {kind} that raphe knows ({', '.join(table)})")
    return table[plain]
