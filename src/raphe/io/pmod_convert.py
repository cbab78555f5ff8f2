"""PMOD's tables of blood as the two recordings of BIDS: samples that a person drew, and those of an autosampler.

PMOD keeps one quantity a file and does not say how a sample was taken. A curve of whole blood with a sample a second
is an autosampler's. Into it PMOD merges the samples that were also measured by hand: those at the times of the parent
fraction, of the ratio of plasma to blood or of plasma that was drawn. They stand here in the manual recording.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from raphe.data.finding import Finding
from raphe.errors import InputError
from raphe.io.described import Column
from raphe.io.pmod_blood import is_pmod_blood, read_pmod_recording
from raphe.io.recordings import Recording
from raphe.io.series import Series
from raphe.io.tables import read_text
from raphe.io.xlsx import is_workbook, sheet_text

Array = npt.NDArray[np.float64]

DENSE = 5.0
"""Seconds between two samples up to which a machine drew them; an assumption."""

MANY = 30
"""Samples that are so close, from which on a curve is an autosampler's; an assumption."""

SAME_SAMPLE = 2.0
"""Seconds within which a sample of a dense curve and one that was drawn by hand are the same; an assumption."""

COLUMNS = MappingProxyType(
    {
        "whole_blood": Column("whole_blood_radioactivity", "Radioactivity in whole blood", "kBq/mL"),
        "plasma": Column("plasma_radioactivity", "Radioactivity in plasma", "kBq/mL"),
        "parent": Column(
            "plasma_radioactivity",
            "Radioactivity of the unmetabolised tracer in plasma: metabolites are taken off",
            "kBq/mL",
        ),
        "parent_fraction": Column(
            "metabolite_parent_fraction", "Share of the unmetabolised tracer in plasma", "unitless"
        ),
    }
)
"""Column of BIDS of each quantity."""


@dataclass(frozen=True, eq=False)
class BloodTable:
    """One recording of BIDS.

    Parameters
    ----------
    recording : {"manual", "autosampler"}
    time : ndarray, shape (n,), s
        From the zero of the files.
    values : mapping of str to ndarray, shape (n,)
        By quantity, kBq/mL or a share; NaN where there is none.
    """

    recording: str
    time: Array
    values: Mapping[str, Array]


@dataclass(frozen=True, eq=False)
class ConvertedBlood:
    """Tables of one scan.

    Parameters
    ----------
    tables : tuple of BloodTable
    findings : tuple of Finding
        Warnings.
    said : tuple of str
        What was decided about the samples, in words.
    """

    tables: tuple[BloodTable, ...]
    findings: tuple[Finding, ...]
    said: tuple[str, ...]


def is_blood_source(path: Path) -> bool:
    """Whether a file is one of PMOD's tables of blood, as text or as an Excel workbook.

    Raises
    ------
    InputError
        If it is a workbook that cannot be read.
    """
    if is_workbook(path):
        return is_pmod_blood(sheet_text(path))
    try:
        return is_pmod_blood(read_text(path))
    except InputError:
        return False


def convert_blood(paths: Sequence[Path], *, unit: str | None = None) -> ConvertedBlood:
    """Read PMOD's tables of one scan and part their samples as BIDS does.

    Parameters
    ----------
    paths : sequence of Path, one or more
    unit : str, optional
        Activity concentration where a header does not tell it.

    Raises
    ------
    InputError, UnitError
        As :func:`raphe.io.pmod_blood.read_pmod_recording`, and if two files hold the same quantity.
    """
    series, findings, source = dict[str, Series](), list[Finding](), dict[str, Path]()
    for path in paths:
        one = _read(path, unit)
        findings += one.findings
        for quantity, samples in one.series.items():
            column = COLUMNS[quantity].name if quantity in COLUMNS else quantity
            if column in source:
                raise InputError(f"{path} and {source[column]} both hold {column}; give one of them")
            series[quantity], source[column] = samples, path
    if "parent" in series:
        findings.append(_already_corrected(source["plasma_radioactivity"]))
    told: list[str] = []
    tables = _tables(series, told)
    return ConvertedBlood(tuple(tables), tuple(findings), tuple(told))


def _read(path: Path, unit: str | None) -> Recording:
    """Read one file; of a workbook, its first sheet as the text that PMOD would have written."""
    if not is_workbook(path):
        return read_pmod_recording(path, unit=unit)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        copy.write_text(sheet_text(path), encoding="utf-8")
        try:
            one = read_pmod_recording(copy, unit=unit)
        except InputError as error:
            raise type(error)(str(error).replace(str(copy), str(path))) from None
    findings = [Finding(f.severity, path, f.field, f.message.replace(str(copy), str(path))) for f in one.findings]
    return Recording(
        path, one.source, one.series, one.units, {name: path for name in one.units}, findings=tuple(findings)
    )


def _already_corrected(path: Path) -> Finding:
    told = (
        "it holds the parent alone, metabolites taken off; BIDS has no column for it, so it is written as "
        "plasma_radioactivity, and only the description in the JSON says what it is. Do not correct it for metabolites "
        "again; raphe fit --input reads the PMOD file as what it is"
    )
    return Finding("warning", path, "parent", f"{path}: {told}")


def _tables(series: Mapping[str, Series], told: list[str]) -> list[BloodTable]:
    dense = {name for name, one in series.items() if name != "parent_fraction" and _is_dense(one)}
    drawn = [60 * one.time for name, one in series.items() if name not in dense]
    time = np.unique(np.concatenate(drawn)) if drawn else np.empty(0)
    time = time[np.diff(time, prepend=-np.inf) > 1e-6]
    if not dense:
        values = {name: _at_times(one, time) for name, one in series.items()}
        return [_with_plasma(BloodTable("manual", time, values), told)]
    tables = []
    merged = {name: _merged(one, time) for name, one in series.items() if name in dense}
    if time.size:
        values = {name: merged[name][0] if name in dense else _at_times(one, time) for name, one in series.items()}
        tables.append(_with_plasma(BloodTable("manual", time, values), told))
    if "whole_blood" in dense:
        alone = ~merged["whole_blood"][1]
        one = series["whole_blood"]
        tables.insert(0, BloodTable("autosampler", 60 * one.time[alone], {"whole_blood": one.value[alone]}))
        told.append(
            f"{one.column}: {alone.sum()} of its {alone.size} samples are taken as an autosampler's, for they are up "
            f"to {DENSE:g} s apart; the others are at the times of samples that were drawn by hand"
        )
    elif not tables:
        tables = [BloodTable("autosampler", 60 * one.time, {name: one.value}) for name, one in series.items()]
    for name in sorted(dense - {"whole_blood"}):
        if time.size:
            told.append(
                f"{series[name].column}: it is kept at the {time.size} times of samples that were drawn by hand; an "
                "autosampler does not measure plasma, so values between them are computed ones"
            )
    return tables


def _is_dense(one: Series) -> bool:
    return int((np.diff(60 * one.time) <= DENSE).sum()) >= MANY


def _at_times(one: Series, time: Array) -> Array:
    """Values of samples at times, all of which may not be theirs; NaN where there is none."""
    found = np.full(time.size, np.nan)
    found[np.abs(time[:, None] - 60 * one.time).argmin(axis=0)] = one.value
    return found


def _merged(one: Series, time: Array) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Values of a dense curve at the times of drawn samples, shape (n_time,), and which of its samples these are.

    It is the first one at or after such a time, and within :data:`SAME_SAMPLE` of it: PMOD rounds times, and a drawn
    sample that is merged into a curve follows the machine's own.
    """
    found, taken = np.full(time.size, np.nan), np.zeros(one.time.size, dtype=bool)
    for index, moment in enumerate(time):
        at = int(np.searchsorted(60 * one.time, moment - 1e-6))
        if at < one.time.size and 60 * one.time[at] - moment <= SAME_SAMPLE and not taken[at]:
            found[index], taken[at] = one.value[at], True
    return found, taken


def _with_plasma(table: BloodTable, told: list[str]) -> BloodTable:
    """Plasma, where it was not measured: whole blood times its ratio, for which BIDS has no column."""
    values = dict(table.values)
    ratio = values.pop("plasma_to_blood", None)
    if ratio is None:
        pass
    elif "plasma" in values or "parent" in values:
        told.append("the ratio of plasma to blood is left aside, for plasma itself is given")
    elif "whole_blood" not in values:
        raise InputError("a ratio of plasma to blood says nothing without whole blood; give its file too")
    else:
        blood = values["whole_blood"]
        values["plasma"] = np.where(blood == 0, 0.0, blood * ratio)
        told.append("plasma is whole blood times the ratio of plasma to blood at the same time")
    order = [name for name in COLUMNS if name in values]
    return BloodTable(table.recording, table.time, {name: values[name] for name in order})
