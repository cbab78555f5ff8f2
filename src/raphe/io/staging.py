"""Whole results or none: a place that is tried before any work, and files that appear only when all are there."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

from raphe.errors import InputError, OutputError
from raphe.io.derivatives import description, made_by
from raphe.io.provenance import SOFTWARE

try:
    import fcntl
except ImportError:  # no POSIX
    locks: ModuleType | None = None
else:
    locks = fcntl

STOPS = (signal.SIGINT, signal.SIGTERM)
"""Signals by which a user or a scheduler stops a run."""

PREFIX = ".raphe-"
"""Hidden folders of this name inside of an output folder hold what is not finished."""

LEFT_OVER = 3600.0
"""Seconds after which such a folder that no process holds counts as left behind by one that was killed."""


def prepare(out: Path, sources: Sequence[Path] = ()) -> None:
    """Make sure that results can be written to ``out``, before any work; nothing is left there by the trial.

    What a run that was killed has left there unfinished is removed.

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
        folder ``derivatives``), or is a dataset that something else made or that does not say who made it.
    """
    for source in sources:
        _refuse_source(out, source)
    _refuse_foreign(out)
    with staged(out):
        pass
    for stage in out.glob(f"{PREFIX}*"):
        if stage.is_dir() and _is_left_over(stage):
            shutil.rmtree(stage, ignore_errors=True)


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
    made = [folder for folder in (out, *out.parents) if not os.path.lexists(folder)]
    with _put_off_stops() as stops:
        stage = held = None
        try:
            stage = _make(out)
            held = _hold(stage)
            stops.heed()
            yield stage
            stops.put_off()
            _publish(stage, out)
        finally:
            stops.put_off()
            if stage is not None:
                shutil.rmtree(stage, ignore_errors=True)
            if held is not None:
                os.close(held)
            _remove_empty(made)


class _Stops:
    """Says when a stop by the user counts: at once, or when what must not be cut in two is done.

    There is one handler from the first step to the last. With a handler that comes and goes, a stop between two
    steps would find none in place and leave the hidden folder behind.
    """

    def __init__(self) -> None:
        self.waiting: list[int] = []
        self._former: dict[int, Any] = {}
        self._heeded = False

    def heed(self) -> None:
        """From here on a stop counts at once, and so does one that waited."""
        self._heeded = True
        if self.waiting:
            signal.raise_signal(self.waiting.pop())

    def put_off(self) -> None:
        """From here on a stop waits until the end."""
        self._heeded = False

    def install(self) -> None:
        for number in STOPS:
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                self._former[number] = signal.signal(number, self._take)

    def remove(self) -> None:
        while self._former:
            signal.signal(*self._former.popitem())

    def _take(self, number: int, frame: FrameType | None) -> None:
        if not self._heeded:
            self.waiting.append(number)
            return
        self.put_off()  # what follows is cleaning up
        former = self._former[number]
        if callable(former):
            former(number, frame)
        else:
            signal.signal(number, former)
            signal.raise_signal(number)


@contextmanager
def _put_off_stops() -> Iterator[_Stops]:
    """Put a stop by the user off until the block is done, but where the block heeds it."""
    stops = _Stops()
    if threading.current_thread() is not threading.main_thread():  # which alone is told of signals
        yield stops
        return
    try:
        stops.install()
        yield stops
    finally:
        stops.remove()
        if stops.waiting:
            signal.raise_signal(stops.waiting[0])


def _make(out: Path) -> Path:
    try:
        out.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=PREFIX, dir=out))
    except OSError as error:
        raise _refused(out, error) from None


def _hold(stage: Path) -> int | None:
    """Lock a folder for as long as this process lives or the file descriptor is open; None where it cannot be."""
    if locks is None:
        return None
    place = os.open(stage, os.O_RDONLY)
    try:
        locks.flock(place, locks.LOCK_EX | locks.LOCK_NB)
    except OSError:
        os.close(place)
        return None
    return place


def _is_left_over(stage: Path) -> bool:
    """Whether a folder of unfinished files is old, and no process holds it."""
    with suppress(OSError):
        if time.time() - stage.stat().st_mtime < LEFT_OVER:
            return False
        held = _hold(stage)
        if held is not None:
            os.close(held)
        return held is not None
    return False


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
    place, root = (Path(os.path.realpath(path)) for path in (out, source))
    way_out = f"write to {source / 'derivatives' / SOFTWARE} or to a folder of its own"
    if place == root:
        raise OutputError(f"{out}: the output folder is the data set that is read; {way_out}")
    if place.is_relative_to(root):
        first, *rest = place.relative_to(root).parts
        if first != "derivatives" or not rest:
            raise OutputError(f"{out}: the output folder lies inside of the data set that is read, {source}; {way_out}")


def _refuse_foreign(out: Path) -> None:
    """Refuse a dataset that raphe did not make."""
    try:
        tools = made_by(out)
    except InputError as error:
        raise OutputError(f"{out}: what is in the output folder cannot be told ({error}); choose another") from None
    if tools is None and os.path.isdir(out) and any(path.is_dir() for path in out.glob("sub-*")):
        raise OutputError(
            f"{out}: the output folder holds folders of participants (sub-*) but no {description(out).name} that tells "
            "who made them; choose another folder, so that nothing of it is overwritten"
        )
    if tools is not None and SOFTWARE not in tools:
        raise OutputError(
            f"{out}: the output folder holds a data set that {SOFTWARE} did not make (see {description(out).name} "
            "there); choose another folder, so that nothing of it is overwritten"
        )


def _remove_empty(folders: Sequence[Path]) -> None:
    with suppress(OSError):
        for folder in folders:
            folder.rmdir()


def _refused(out: Path, error: OSError) -> OutputError:
    there = next((place for place in (out, *out.parents) if os.path.lexists(place)), out)
    if isinstance(error, FileExistsError | NotADirectoryError) and not os.path.isdir(there):
        reason = f"{there} is a file or leads nowhere; choose another place"
    else:
        what = (error.strerror or str(error)).lower()
        place = error.filename2 or error.filename
        where = f" ({place})" if place and str(place) != str(out) and PREFIX not in str(place) else ""
        reason = f"{what}{where}; choose another place, or mend its permissions"
    return OutputError(f"{out}: the output folder cannot be written to: {reason}")
