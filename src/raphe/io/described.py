"""Tables that are written: tab-separated, with a JSON sidecar that says what each column is."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from raphe.io.derivatives import sidecar
from raphe.io.tables import write_text

NOT_AVAILABLE = "n/a"


class Column(NamedTuple):
    """One column: its name, what it holds, and its unit (empty where it has none)."""

    name: str
    description: str
    units: str = ""


def write_described(
    path: Path, columns: Sequence[Column], rows: Iterable[Sequence[object]], metadata: Mapping[str, object]
) -> None:
    """Write a table and its sidecar.

    Numbers have nine significant digits; one that is not finite stands as ``n/a``. Tabs, line ends and double quotes in
    text become blanks and single quotes, for the format has no way to hold them.

    Parameters
    ----------
    path : Path
        The table; the sidecar has the same name, ending in ``.json``.
    columns : sequence of Column
    rows : iterable of sequence of object
        Text, numbers or booleans; a cell for each column.
    metadata : mapping of str to object
        What the sidecar says besides the columns: JSON values.

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    described = {column.name: _description(column) for column in columns}
    content = {**metadata, **{name: what for name, what in described.items() if name not in metadata}}
    write_text(sidecar(path), json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    lines = ["\t".join(_cell(column.name) for column in columns)]
    lines += ["\t".join(_cell(value) for value in row) for row in rows]
    write_text(path, "\n".join(lines) + "\n")


def _description(column: Column) -> dict[str, str]:
    units = {"Units": column.units} if column.units else {}
    return {"Description": column.description, **units}


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.9g}" if math.isfinite(value) else NOT_AVAILABLE
    return " ".join(str(value).replace('"', "'").split())
