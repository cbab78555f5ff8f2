"""Whole results or none: a place that is tried before any work, and files that appear only when all are there."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from raphe.errors import InputError, OutputError
from raphe.io.derivatives import description
from raphe.io.provenance import SOFTWARE
from raphe.io.tables import read_json

PREFIX = ".raphe-"
"""Hidden folders of this name inside of an output folder hold what is not finished."""


def prepare(out: Path, sources: Sequence[Path] = ()) -> None:
    """Make sure that results can be written to ``out``, before any work; nothing is left there by the trial.

    Parameters
    ----------
    out : Path
        Folder for the results; it need not exist.
    sources : sequence of Path
        Datasets that are read.

    Raises
    ------
    OutputError
        If ``out`` is a file, cannot be made or written to, is one of the sources or lies inside of one (but for its
        folder ``derivatives``), or is a dataset that something else made.
    """
    for source in sources:
        _refuse_source(out, source)
    _refuse_foreign(out)
    place = _existing(out)
    if not place.is_dir():
        what = f"{place} is a file" if place.is_file() else f"{place} is not a folder"
        raise OutputError(f"{out}: the output folder cannot be made, because {what}; choose another place")
    try:
        os.rmdir(tempfile.mkdtemp(prefix=PREFIX, dir=place))
    except OSError as error:
        raise _refused(out, error) from None


@contextmanager
def staged(out: Path) -> Iterator[Path]:
    """Collect files in a hidden folder and move them into ``out`` when all is done.

    Inside the ``with`` block, write to the folder that it gives as if it were ``out``. Each file replaces the one of
    its name. Where the block fails, or is stopped, nothing has changed.

    Raises
    ------
    OutputError
        If ``out`` cannot be written to, or a folder stands where a file has to go.
    """
    made = [folder for folder in (out, *out.parents) if not folder.exists()]
    try:
        out.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=PREFIX, dir=out))
    except OSError as error:
        _remove_empty(made)
        raise _refused(out, error) from None
    try:
        yield stage
        _publish(stage, out)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
        _remove_empty(made)


def _publish(stage: Path, out: Path) -> None:
    files = sorted(path for path in stage.rglob("*") if path.is_file())
    try:
        for file in files:
            target = out / file.relative_to(stage)
            if target.is_dir():
                raise OutputError(
                    f"{target} is a folder, but a file has to go there; rename it or choose another place"
                )
            target.parent.mkdir(parents=True, exist_ok=True)
        for file in files:
            os.replace(file, out / file.relative_to(stage))
    except OSError as error:
        raise _refused(out, error) from None


def _refuse_source(out: Path, source: Path) -> None:
    place, root = out.resolve(), source.resolve()
    way_out = f"write to {source / 'derivatives' / SOFTWARE} or to a folder of its own"
    if place == root:
        raise OutputError(f"{out}: the output folder is the data set that is read; {way_out}")
    if place.is_relative_to(root):
        first, *rest = place.relative_to(root).parts
        if first != "derivatives" or not rest:
            raise OutputError(f"{out}: the output folder lies inside of the data set that is read, {source}; {way_out}")


def _refuse_foreign(out: Path) -> None:
    """Refuse a dataset that raphe did not make."""
    path = description(out)
    if not path.is_file():
        return
    try:
        made_by = read_json(path).get("GeneratedBy")
    except InputError as error:
        raise OutputError(f"{out}: what is in the output folder cannot be told ({error}); choose another") from None
    tools = made_by if isinstance(made_by, list) else []
    if not any(isinstance(tool, dict) and tool.get("Name") == SOFTWARE for tool in tools):
        raise OutputError(
            f"{out}: the output folder holds a data set that {SOFTWARE} did not make (see {path.name} there); choose "
            "another folder, so that nothing of it is overwritten"
        )


def _existing(out: Path) -> Path:
    """Nearest folder or file on the way to ``out`` that is there."""
    place = out.absolute()
    try:
        while not os.path.lexists(place) and place != place.parent:
            place = place.parent
    except OSError as error:
        raise _refused(out, error) from None
    return place


def _remove_empty(folders: Sequence[Path]) -> None:
    with suppress(OSError):
        for folder in folders:
            folder.rmdir()


def _refused(out: Path, error: OSError) -> OutputError:
    where = f" ({error.filename})" if error.filename and str(out) not in str(error.filename) else ""
    reason = (error.strerror or str(error)).lower()
    return OutputError(
        f"{out}: the output folder cannot be written to: {reason}{where}; choose another place, or mend its permissions"
    )
