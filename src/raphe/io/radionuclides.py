"""Names of radionuclides as files spell them."""

from __future__ import annotations

import re

from raphe.catalog import radionuclides
from raphe.errors import InputError

NEAR = 0.05
"""Share by which a half-life may differ from that of a radionuclide that is known, for literature differs by less."""

_ELEMENTS = {
    "carbon": "C",
    "nitrogen": "N",
    "oxygen": "O",
    "fluorine": "F",
    "copper": "Cu",
    "gallium": "Ga",
    "bromine": "Br",
    "rubidium": "Rb",
    "zirconium": "Zr",
    "technetium": "Tc",
    "iodine": "I",
}
_MASS = r"(?P<mass>\d{1,3})(?P<state>m?)"
_ELEMENT = r"(?P<element>[A-Za-z]{1,10})"
_SPELLINGS = (re.compile(rf"{_MASS}{_ELEMENT}"), re.compile(rf"{_ELEMENT}{_MASS}"))


def canonical(name: str) -> str:
    """Element and mass number, e.g. ``C11``, of ``11C``, ``C-11``, ``[11C]``, ``^11^C`` or ``Carbon-11``.

    Raises
    ------
    InputError
        If ``name`` is not an element and a mass number.
    """
    plain = re.sub(r"[\s\[\](){}^_-]", "", name)
    for spelling in _SPELLINGS:
        match = spelling.fullmatch(plain)
        if match:
            element = _ELEMENTS.get(match["element"].lower(), match["element"].capitalize())
            if len(element) <= 2:
                return f"{element}{int(match['mass'])}{match['state']}"
    raise InputError(f"{name!r} is not the name of a radionuclide; write element and mass number, e.g. C11 or F18")


def doubt_of_half_life(minutes: float) -> str:
    """What is doubtful of a half-life that a user gives, in words; empty but for that of a known nuclide in s or h."""
    known = {name: one.half_life.value for name, one in radionuclides().items()}
    for factor, unit in ((1.0, ""), (60.0, "seconds"), (1.0 / 60.0, "hours")):
        for name, value in known.items():
            if abs(minutes / factor / value - 1) <= NEAR:
                return unit and f"{minutes:g} min is {name}'s half-life in {unit}; is it {value:g} min that is meant?"
    return ""
