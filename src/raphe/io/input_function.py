"""Input functions in, ready-made by raphe, bloodstream, kinfitr, PMOD or by hand: straight lines between knots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from raphe.core.piecewise import PiecewiseLinear
from raphe.data.blood import PlasmaInput
from raphe.data.finding import Finding
from raphe.data.record import Parameter, Step
from raphe.data.scan import Scan
from raphe.errors import InputError
from raphe.io.described import Column, write_described
from raphe.io.fields import Fields
from raphe.io.input_table import read_input_table
from raphe.io.pmod_blood import is_pmod_blood, read_pmod_recording
from raphe.io.provenance import SOFTWARE, sha256, software_version
from raphe.io.recordings import FRACTIONS, Recording, moved_to_injection, unit_given
from raphe.io.series import Series
from raphe.io.tables import read_text, shortened

Array = npt.NDArray[np.float64]

UNIT = "kBq/mL"

AS_PARENT = "plasma, taken to be of the unchanged tracer"
"""What the step says where nothing tells of metabolites."""


class InputFunction(NamedTuple):
    """An input function and how it came to be so."""

    input: PlasmaInput
    step: Step
    """``input_read``: units, how the parent was told, time of injection, decay correction, SHA-256 of each file."""
    findings: tuple[Finding, ...]
    recordings: tuple[Recording, ...]
    """What each table holds, on its own clock."""


def read_input_function(
    paths: Path | Sequence[Path],
    *,
    unit: str | None = None,
    otherwise: str | None = None,
    injection: float = 0.0,
    half_life: float | None = None,
) -> InputFunction:
    """Read an input function from one table, or from several of PMOD's with one quantity each.

    The table has a column of times (``time`` is in the unit of its JSON, else in seconds; ``time_min``, ``time[s]`` say
    it) and any of plasma, whole blood, parent fraction and metabolite-corrected plasma (``AIF``): those of
    ``*_inputfunction.tsv`` of raphe and of bloodstream, and those of kinfitr's tables. Each is drawn straight between
    its values; a cell that is empty or ``n/a`` is no knot of its curve. Without metabolite-corrected plasma, it is
    plasma times parent fraction at the knots of both.

    Parameters
    ----------
    paths : Path or sequence of Path
    unit : str, optional
        Unit of every activity, whatever the files say.
    otherwise : str, optional
        Unit of an activity of which the files do not say it.
    injection : float, min
        Time of injection on the clock of the files, unless they tell it themselves (``InjectionStart``).
    half_life : float, min, optional
        Needed where injection is not at time zero, to which the activity is taken to be decay-corrected as blood is
        (:mod:`raphe.io.blood`).

    Raises
    ------
    InputError, UnitError
        If a file cannot be used: no plasma, no unit of an activity, times out of order
        or doubled, a cell that is no number. The message names file, column, line and value and the way out.
    """
    files = (paths,) if isinstance(paths, Path) else tuple(paths)
    if not files:
        raise InputError("no file of an input function was given")
    recordings = [_recording(file, unit, otherwise) for file in files]
    fields = Fields(recordings[0].sidecars) if recordings[0].sidecars else None
    own = None if fields is None else fields.number("InjectionStart")
    injection = injection if own is None else own / 60.0
    delay = (None if fields is None else fields.number("InputDelay")) or 0.0
    scale, correction = moved_to_injection(injection, half_life, files[0], "time zero")
    curves = {
        name: PiecewiseLinear(one.time - injection, one.value * (1.0 if name in FRACTIONS else scale))
        for name, one in _series(recordings).items()
    }
    plasma_input, how = _joined(curves, delay / 60.0, files)
    findings = [finding for one in recordings for finding in one.findings]
    if how == AS_PARENT:
        told = (
            f"{files[0]}: there is neither metabolite-corrected plasma (AIF) nor a parent fraction; plasma is taken to "
            "be of the unchanged tracer. If it holds metabolites, give metabolite_parent_fraction"
        )
        findings.append(Finding("warning", files[0], "plasma", told))
    if fields is not None and fields.flag("Measured") is False:
        told = (
            f"{files[0]}: Measured is false in its JSON: it was estimated from the tissue, so that standard errors "
            "behind it are too small; give measured blood where there is any"
        )
        findings.append(Finding("warning", files[0], "Measured", told))
    parameters: dict[str, Parameter] = {"injection": injection, "decay_correction": correction, "parent": how}
    if unit is not None:
        parameters |= unit_given(recordings, unit)
    return InputFunction(plasma_input, _step(recordings, parameters), tuple(findings), tuple(recordings))


def write_input_function(
    path: Path,
    plasma_input: PlasmaInput,
    scan: Scan,
    *,
    sources: Sequence[str] = (),
    notes: Mapping[str, str] | None = None,
    measured: bool = True,
) -> None:
    """Write an input function at the knots of all its curves; :func:`read_input_function` gives the same curves.

    A curve that begins later than another has ``n/a`` before its first knot.

    Parameters
    ----------
    path : Path
        See :func:`raphe.io.derivatives.input_function`.
    plasma_input : PlasmaInput
    scan : Scan
    sources : sequence of str
        Files that it was made of; see :func:`raphe.io.derivatives.source_uri`.
    notes : mapping of str to str, optional
        How it was made, in words: model of each curve, where the delay comes from, and the like.
    measured : bool
        False for one that was estimated from the tissue; the sidecar says so, and who reads it is warned.

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    told = (
        (Column("plasma_radioactivity", "Plasma, parent and metabolites together", UNIT), plasma_input.plasma),
        (Column("whole_blood_radioactivity", "Whole blood", UNIT), plasma_input.whole_blood),
        (
            Column("metabolite_parent_fraction", "Share of the unchanged tracer in plasma", "unitless"),
            plasma_input.parent_fraction,
        ),
        (Column("AIF", "Metabolite-corrected plasma, the input of the tissue", UNIT), plasma_input.parent),
    )
    curves = [(column, curve) for column, curve in told if curve is not None]
    seconds, knots = _knots([curve for _, curve in curves])
    cells = [np.where(knots < curve.time[0], np.nan, curve(knots)) for _, curve in curves]
    columns = [Column("time", "Time from injection", "s"), *(column for column, _ in curves)]
    what = "Arterial input function" + ("" if measured else " that was estimated from the tissue and is no measurement")
    metadata: dict[str, object] = {
        "Description": f"{what}, decay-corrected to injection; straight between the times",
        "Sources": list(sources),
        **({"TracerName": scan.tracer} if scan.tracer else {}),
        **({"TracerRadionuclide": scan.radionuclide} if scan.radionuclide else {}),
        **({} if measured else {"Measured": False}),
        "InjectionStart": 0,
        "InputDelay": float(60.0 * plasma_input.delay),
        "InputDelayUnits": "s",
        **({"Notes": dict(notes)} if notes else {}),
        "SoftwareName": SOFTWARE,
        "SoftwareVersion": software_version(),
    }
    write_described(path, columns, np.column_stack((seconds, *cells)).tolist(), metadata)


def _knots(curves: Sequence[PiecewiseLinear]) -> tuple[Array, Array]:
    """Give the knots of all curves, in s as they are written and in min; of those that are written alike, the last."""
    knots = np.unique(np.concatenate([curve.time for curve in curves]))
    seconds = np.array([float(f"{60 * time:.9g}") for time in knots])
    last = np.append(np.diff(seconds) > 0, True)
    return seconds[last], knots[last]


def _recording(path: Path, unit: str | None, otherwise: str | None) -> Recording:
    read = read_pmod_recording if is_pmod_blood(read_text(path)) else read_input_table
    return read(path, unit=unit, otherwise=otherwise)


def _series(recordings: Sequence[Recording]) -> dict[str, Series]:
    found: dict[str, Series] = {}
    for one in recordings:
        for name, series in one.series.items():
            if name in found:
                raise InputError(
                    f"{one.path}: {series.column!r} is told a second time, after {found[name].path}; name one of them"
                )
            found[name] = series
    return found


def _joined(curves: Mapping[str, PiecewiseLinear], delay: float, files: Sequence[Path]) -> tuple[PlasmaInput, str]:
    """Make the input of what there is, and tell where the unchanged tracer comes from."""
    blood, plasma, share = curves.get("whole_blood"), curves.get("plasma"), curves.get("parent_fraction")
    if plasma is None and blood is not None and "plasma_to_blood" in curves:
        plasma = _product(blood, curves["plasma_to_blood"])
    parent, how = curves.get("parent"), "metabolite-corrected plasma of the file"
    if parent is None and plasma is not None:
        how = AS_PARENT if share is None else "plasma times parent fraction, drawn straight between their knots"
        parent = plasma if share is None else _product(plasma, share)
    if parent is None:
        raise InputError(
            f"{shortened([str(file) for file in files], 4)}: there is no plasma, and whole blood is no input of a "
            "tissue; give plasma_radioactivity or the metabolite-corrected AIF"
        )
    return PlasmaInput(parent, blood, plasma, share, delay), how


def _product(curve: PiecewiseLinear, share: PiecewiseLinear) -> PiecewiseLinear:
    """Give a curve times a share at the knots of both, within the curve's; the share holds on before its first knot."""
    knots = np.union1d(curve.time, share.time)
    knots = knots[(knots >= curve.time[0]) & (knots <= curve.time[-1])]
    return PiecewiseLinear(knots, curve(knots) * np.interp(knots, share.time, share.value))


def _step(recordings: Sequence[Recording], parameters: Mapping[str, Parameter]) -> Step:
    told: dict[str, Parameter] = {"format": recordings[0].format, **parameters}
    for one in recordings:
        told |= {f"unit_{name}": unit for name, unit in one.units.items()}
    files = [file for one in recordings for file in (one.path, *one.sidecars)]
    return Step("input_read", told, inputs={str(file): sha256(file) for file in dict.fromkeys(files)})
