"""The formats of tables of curves: which one a file has, told from what stands in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from raphe.errors import InputError
from raphe.io.dft import is_dft, read_dft
from raphe.io.long import is_long, read_long
from raphe.io.raw import RawCurves
from raphe.io.tables import read_table, read_text
from raphe.io.wide import is_pmod, read_pmod, read_wide


def read_raw(path: Path) -> RawCurves:
    """Read a table of curves in the units of the file: Turku DFT, PMOD ``.tac``, long or wide (BIDS).

    Raises
    ------
    InputError, TimingError, UnitError
        If the file is none of them, or a cell, name or time in it cannot be used.
    """
    text = read_text(path)
    if is_dft(text):
        return read_dft(path, text)
    table = read_table(path)
    if is_pmod(table):
        return read_pmod(table)
    return read_long(table) if is_long(table) else read_wide(table)


def check_complete(raw: RawCurves) -> None:
    """Refuse curves that lack a value.

    Raises
    ------
    InputError
        With region, frame (counted from 1) and line of the first that is missing.
    """
    missing = np.argwhere(np.isnan(raw.values))
    for curve, frame in missing[:1]:
        more = f", as have {len(missing) - 1} more cells" if len(missing) > 1 else ""
        raise InputError(
            f"{raw.path}: region {raw.names[curve]!r} has no value (n/a, NaN or empty) in frame {frame + 1}, line "
            f"{raw.lines[curve, frame]}{more}; give the value or remove the region"
        )
