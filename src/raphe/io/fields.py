"""Fields of JSON sidecars, with the file that each came from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from raphe.data.finding import Finding
from raphe.errors import InputError
from raphe.io.tables import MISSING, read_json

Array = npt.NDArray[np.float64]


DESCRIBES = frozenset({"Description", "Units", "LongName", "Levels", "TermURL", "Delimiter", "Format"})
"""Keys of an object that describes a column of a table, of which it has at least one."""


OF_A_SCAN = (
    "Units", "TracerName", "TracerRadionuclide", "FrameTimesStart", "FrameDuration", "TimeZero", "ScanStart",
    "InjectionStart", "ImageDecayCorrected", "InjectedRadioactivity", "InjectedMass", "Manufacturer",
)  # fmt: skip
"""Fields of which a sidecar of PET has at least one."""


class Fields:
    """Fields of a chain of sidecars: each holds from the first file that tells it.

    ``null``, an empty text and ``n/a`` do not tell. An object that describes a column of a table is no field: what a
    file says of its column ``InjectedRadioactivity`` is not the scan's.

    Parameters
    ----------
    paths : sequence of Path, one or more
        Nearest first.

    Raises
    ------
    InputError
        If a file is not a JSON object.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = tuple(paths)
        self._found: dict[str, tuple[object, Path]] = {}
        self._columns: dict[str, tuple[dict[str, object], Path]] = {}
        for path in self.paths:
            for field, value in read_json(path).items():
                if isinstance(value, dict) and not DESCRIBES.isdisjoint(value):
                    self._columns.setdefault(field, (value, path))
                elif field not in self._found or not _tells(self._found[field][0]):
                    self._found[field] = (value, path)

    def has(self, field: str) -> bool:
        """Whether any file tells ``field``."""
        return field in self._found and _tells(self._found[field][0])

    def has_text(self, field: str) -> bool:
        """Whether any file tells ``field`` as a text."""
        return self.has(field) and isinstance(self._found[field][0], str)

    def source(self, field: str) -> Path:
        """File that a field, or what is said of a column, came from; the nearest one if none has it."""
        told = self._found.get(field, self._columns.get(field))
        return self.paths[0] if told is None else told[1]

    def value(self, field: str) -> object:
        """Value of a field of any kind; None where it is not told."""
        return self._found[field][0] if self.has(field) else None

    def text(self, field: str, advice: str) -> str:
        """Value of a required text field; InputError with ``advice`` if it is missing or no text."""
        value = self._required(field, advice)
        if not isinstance(value, str):
            raise self.error(field, value, f"a text was expected; {advice}")
        return value.strip()

    def truth(self, field: str) -> bool | None:
        """Value of a field that is ``true`` or ``false``, None if missing; InputError if it is anything else."""
        if not self.has(field):
            return None
        value = self._found[field][0]
        if not isinstance(value, bool):
            raise self.error(field, value, "true or false was expected")
        return value

    def flag(self, field: str) -> bool | None:
        """Value of a field that is true or false, as such, as a text or in a list of one; None for anything else."""
        value = _single(self._found[field][0]) if field in self._found else None
        if isinstance(value, str):
            return {"true": True, "false": False}.get(value.strip().lower())
        return value if isinstance(value, bool) else None

    def unit_of(self, column: str) -> str | None:
        """``Units`` of a column that the files describe, a text or a list of one; None where they do not tell it.

        Raises
        ------
        InputError
            If the column's description is no object, or its ``Units`` no text.
        """
        if not self.describes(column):
            if not self.has(column) or isinstance(self._found[column][0], dict):
                return None
            raise self.error(column, self._found[column][0], "an object with Description and Units was expected")
        described, path = self._columns[column]
        unit = _single(described.get("Units"))
        if not _tells(unit):
            return None
        if isinstance(unit, bool) or not isinstance(unit, str | int | float):
            raise self.error(f"{column}: Units", unit, "a text was expected, e.g. kBq/mL", path)
        return str(unit).strip()

    def describes(self, column: str) -> bool:
        """Whether any file describes a column of that name."""
        return column in self._columns

    @property
    def of_columns_alone(self) -> bool:
        """Whether the files describe columns of a table and tell nothing of a scan."""
        return bool(self._columns) and not any(self.has(field) for field in OF_A_SCAN)

    def number(self, field: str) -> float | None:
        """Value of a number field, None if missing; InputError if it is anything else."""
        if not self.has(field):
            return None
        value = self._found[field][0]
        result = _number(value)
        if result is None:
            raise self.error(field, value, "one finite number was expected")
        return result

    def numbers(self, field: str, advice: str) -> Array:
        """Value of a required field that lists numbers; InputError if it is missing or anything else."""
        value = self._required(field, advice)
        if not isinstance(value, list) or not value:
            raise self.error(field, value, f"a list of numbers was expected; {advice}")
        result = np.empty(len(value))
        for index, item in enumerate(value):
            single = _number(item)
            if single is None:
                raise self.error(field, item, f"item {index + 1} of the list is not a finite number; {advice}")
            result[index] = single
        return result

    def error(self, field: str, value: object, problem: str, source: Path | None = None) -> InputError:
        """Make an error about the value of a field, with its file (``source``, if the field is a part of another)."""
        text = repr(value)
        return InputError(
            f"{source or self.source(field)}: {field} is {text[:60]}{'...' * (len(text) > 60)}: {problem}"
        )

    def unused(self, field: str, error: InputError) -> Finding:
        """Make a doubt of the error about a field on which no binding rests."""
        told = f"{str(error).rstrip('; ')}; raphe goes on without it, as binding does not need it"
        return Finding("warning", self.source(field), field, told)

    def _required(self, field: str, advice: str) -> object:
        if not self.has(field):
            what = f"{field} is {self._found[field][0]!r}" if field in self._found else f"{field} is missing"
            others = f" (nor do {', '.join(str(p) for p in self.paths[1:])} tell it)" if len(self.paths) > 1 else ""
            raise InputError(f"{self.source(field)}: {what}{others}; {advice}")
        return self._found[field][0]


def _tells(value: object) -> bool:
    return value is not None and not (isinstance(value, str) and value.strip().lower() in MISSING)


def _single(value: object) -> object:
    """Give the item of a list of one, which is how R writes a plain value."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        result = float(value)
    except OverflowError:
        return None
    return result if math.isfinite(result) else None
