"""Blood of one scan as its files hold it: found and read, not yet judged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from raphe.io.bids import ScanCurves, load_blood, load_input
from raphe.io.blood import is_blood, read_blood
from raphe.io.input_function import InputFunction, read_input_function
from raphe.io.recordings import Blood
from raphe.pipeline.choices import MEND, Analysis


def blood_of_scan(table: ScanCurves, analysis: Analysis) -> tuple[Blood | InputFunction, Path] | None:
    """Blood of a scan of a study and the file that messages name; None if there is none.

    Sampled blood goes before an input function that was made of it.

    Raises
    ------
    InputError, UnitError
        If a file cannot be read.
    """
    found = load_blood(table, unit=analysis.blood_unit, drop=analysis.blood_faults == MEND)
    if found is not None:
        return found, found.paths[0]
    ready = load_input(table, unit=analysis.blood_unit)
    return None if ready is None else (ready, table.input_functions[0])


def blood_of_files(
    paths: Sequence[Path], analysis: Analysis, injection: float, half_life: float | None, unit: str | None = None
) -> Blood | InputFunction:
    """Blood that is named file by file: ``*_blood.tsv``, ``*_inputfunction.tsv`` or PMOD's tables.

    Parameters
    ----------
    paths : sequence of Path
    analysis : Analysis
    injection : float, min
        Time of injection on the clock of the files.
    half_life : float, min, or None
    unit : str, optional
        That of an input function which does not tell its own, where none is given for the blood.

    Raises
    ------
    InputError, UnitError
        If a file cannot be read.
    """
    if all(is_blood(path) for path in paths):
        return read_blood(
            paths,
            injection=injection,
            half_life=half_life,
            unit=analysis.blood_unit,
            drop=analysis.blood_faults == MEND,
        )
    return read_input_function(
        paths, unit=analysis.blood_unit, otherwise=unit, injection=injection, half_life=half_life
    )
