"""Time-activity curves of a scan, written as ``*_tacs.tsv`` with its sidecar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from raphe.data.scan import Scan
from raphe.data.tacs import Array, TACs
from raphe.io.described import Column, write_described

UNIT = "kBq/mL"


def write_tacs(
    path: Path,
    tacs: TACs,
    scan: Scan,
    *,
    sources: Sequence[str] = (),
    made_of: Mapping[str, str] | None = None,
    about: Mapping[str, object] | None = None,
) -> None:
    """Write curves, decay-corrected to injection, with what is known of their scan.

    Parameters
    ----------
    path : Path
        See :func:`raphe.io.derivatives.tacs`.
    tacs : TACs
    scan : Scan
    sources : sequence of str
        Files that the curves come from; see :func:`raphe.io.derivatives.source_uri`.
    made_of : mapping of str to str, optional
        What the curve of a region was made of, in words (:class:`raphe.data.regions.Merged`).
    about : mapping of str to object, optional
        What else the sidecar says: JSON values.

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    start, end = _seconds(tacs.frames.start), _seconds(tacs.frames.end)
    columns = [
        Column("frame_start", "Start of the frame, from injection", "s"),
        Column("frame_end", "End of the frame, from injection", "s"),
    ]
    for name in tacs.names:
        made = (made_of or {}).get(name)
        columns.append(Column(name, "Mean activity concentration" + (f"; {made}" if made else ""), UNIT))
    rows = np.column_stack((start, end, tacs.activity.T)).tolist()
    write_described(path, columns, rows, {**_metadata(tacs, scan, sources), **(about or {})})


def _metadata(tacs: TACs, scan: Scan, sources: Sequence[str]) -> dict[str, object]:
    start, end = _seconds(tacs.frames.start), _seconds(tacs.frames.end)
    known: dict[str, object] = {
        "Description": "Time-activity curves by region, decay-corrected to injection",
        "Sources": list(sources),
        "Units": UNIT,
        "TracerName": scan.tracer,
        "TracerRadionuclide": scan.radionuclide,
        "ManufacturersModelName": scan.scanner,
        "InjectionStart": 0,
        "FrameTimesStart": start.tolist(),
        "FrameDuration": _rounded(end - start).tolist(),
        "ImageDecayCorrected": True,
        "ImageDecayCorrectionTime": 0,
    }
    amounts = (
        ("InjectedRadioactivity", scan.injected_radioactivity, "MBq"),
        ("InjectedMass", scan.injected_mass, "ug"),
        ("MolarActivity", scan.molar_activity, "GBq/umol"),
        ("BodyWeight", scan.body_weight, "kg"),
    )
    for field, value, unit in amounts:
        if value is not None:
            known |= {field: value, f"{field}Units": unit}
    return {field: value for field, value in known.items() if value != ""}


def _seconds(minutes: Array) -> Array:
    return _rounded(60 * minutes)


def _rounded(values: Array) -> Array:
    """Nine significant digits, as in tables: a time of 10 s stays 10 s after its way through minutes."""
    return np.array([float(f"{value:.9g}") for value in values])
