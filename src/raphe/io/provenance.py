"""The record of a run: what was done to which files, with which software; and whether it has to be done again."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import scipy

from raphe import __version__
from raphe.data.record import Step
from raphe.errors import InputError, OutputError
from raphe.io.not_fetched import absent
from raphe.io.tables import read_json, write_text

SOFTWARE = "raphe"


@dataclass(frozen=True)
class Record:
    """What a provenance file holds.

    Parameters
    ----------
    fingerprint : str
        Of :func:`fingerprint`.
    steps : tuple of Step
        What was done, in its order.
    outputs : mapping of str to str
        SHA-256 of each file that was written, by its path from the root of the dataset.
    versions : mapping of str to str
        Of :func:`versions`, when it was done.
    command_line : str
    written : str
        Time of writing, UTC, ISO 8601; nothing else in the file depends on the clock but the steps' ``seconds``.
    """

    fingerprint: str
    steps: tuple[Step, ...]
    outputs: Mapping[str, str]
    versions: Mapping[str, str]
    command_line: str
    written: str


def software_version() -> str:
    """Version of the raphe that runs, which is not always the one whose installation is on record."""
    return __version__


def versions() -> dict[str, str]:
    """Versions of what the numbers depend on."""
    return {
        "raphe": software_version(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "platform": platform.platform(),
    }


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise InputError(absent(path)) from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None


def fingerprint(inputs: Mapping[str, str], settings: Mapping[str, object]) -> str:
    """Digest of everything that decides a scan's numbers: its inputs, the settings and the version of raphe.

    Parameters
    ----------
    inputs : mapping of str to str
        SHA-256 of each input, by a name that stays the same between runs.
    settings : mapping of str to object
        Every setting that changes the numbers: JSON values, tuples and NumPy numbers.
    """
    everything = {"inputs": dict(inputs), "settings": dict(settings), "raphe": software_version()}
    return hashlib.sha256(_json(everything, None).encode()).hexdigest()


def write_record(
    path: Path, steps: Sequence[Step], *, fingerprint: str, root: Path, outputs: Iterable[Path], command_line: str
) -> None:
    """Write the record of what was done, with sorted keys.

    Parameters
    ----------
    path : Path
        See :func:`raphe.io.derivatives.provenance`.
    steps : sequence of Step
    fingerprint : str
        Of :func:`fingerprint`.
    root : Path
        Root of the dataset that is written, or the folder in which it is staged.
    outputs : iterable of Path
        Files under ``root`` that were written.
    command_line : str

    Raises
    ------
    InputError
        If an output cannot be read back.
    OutputError
        If the place cannot be written to.
    """
    content = {
        "fingerprint": fingerprint,
        "steps": [_plain_step(step) for step in steps],
        "outputs": {file.relative_to(root).as_posix(): sha256(file) for file in outputs},
        "versions": versions(),
        "command_line": command_line,
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    write_text(path, _json(content, 2) + "\n")


def read_record(path: Path) -> Record:
    """Read what :func:`write_record` wrote.

    Raises
    ------
    InputError
        If the file cannot be read or is no such record.
    """
    content: Any = read_json(path)
    try:
        steps = tuple(_step(entry) for entry in content["steps"])
        named = {key: str(content[key]) for key in ("fingerprint", "command_line", "written")}
        return Record(steps=steps, outputs=dict(content["outputs"]), versions=dict(content["versions"]), **named)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InputError(f"{path} is not a provenance record of raphe; remove it, and the scan is done again") from None


def is_done(path: Path, fingerprint: str, out: Path) -> bool:
    """Whether a scan's record has this fingerprint and all that it wrote is in ``out``, unchanged."""
    return not why_undone(path, fingerprint, out)


def why_undone(path: Path, fingerprint: str, out: Path) -> str:
    """Why what a record tells of is not done by this fingerprint, in words; empty where it is."""
    if not path.is_file():
        return "it has not been analysed yet"
    try:
        record = read_record(path)
        if record.fingerprint != fingerprint:
            return "it has not been analysed in this way yet: plan, options or curves are others than when it was"
        for name, digest in record.outputs.items():
            file = out / name
            if not file.is_file():
                return f"its result {file} is gone"
            if sha256(file) != digest:
                return f"its result {file} has been changed since it was written"
    except InputError as error:
        return f"its record or a result cannot be used: {error}"
    return ""


def remove_outdated(path: Path, out: Path, files: Iterable[str]) -> None:
    """Remove what an older run wrote and a new one does not write again: left there, it would pass for a result.

    Parameters
    ----------
    path : Path
        Record of the older run; nothing is removed if there is none that can be read.
    out : Path
        Root of the dataset.
    files : iterable of str
        What the new run writes, by its path from the root.

    Raises
    ------
    OutputError
        If a file cannot be removed.
    """
    try:
        outputs = read_record(path).outputs
    except InputError:
        return
    kept = set(files)
    for name, digest in outputs.items():
        file = out / name
        if name not in kept and ".." not in file.parts and file.is_file() and sha256(file) == digest:
            try:
                file.unlink()
            except OSError as error:
                raise OutputError(f"{file} is of an older run and cannot be removed: {error.strerror}") from None


def _plain_step(step: Step) -> dict[str, object]:
    return {
        "name": step.name,
        "parameters": dict(step.parameters),
        "citations": list(step.citations),
        "inputs": dict(step.inputs),
        "seconds": step.seconds,
    }


def _step(entry: Mapping[str, Any]) -> Step:
    parameters = {key: tuple(value) if isinstance(value, list) else value for key, value in entry["parameters"].items()}
    citations = tuple(entry["citations"])
    return Step(str(entry["name"]), parameters, citations, dict(entry["inputs"]), float(entry["seconds"]))


def _json(value: object, indent: int | None) -> str:
    return json.dumps(value, indent=indent, sort_keys=True, ensure_ascii=False, allow_nan=False, default=_builtin)


def _builtin(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is not a setting that can be recorded")
