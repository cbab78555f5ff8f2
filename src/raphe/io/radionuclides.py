"""Names of radionuclides as files spell them."""

from __future__ import annotations

import re

from raphe.errors import InputError

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
