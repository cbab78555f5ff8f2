"""What a command tells its user while it works: words on stderr, and JSON lines in a log file."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from raphe.errors import OutputError

WARNED = 1


class Messages:
    """Messages of one run of a command.

    Parameters
    ----------
    options : argparse.Namespace
        ``command``, ``quiet``, ``verbose`` and ``log_file``.

    Raises
    ------
    OutputError
        If the log file cannot be written.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self._command = options.command
        self._quiet, self._verbose = options.quiet, options.verbose
        self._warned = False
        self._live = False
        self._log: Path | None = options.log_file
        try:
            if self._log is not None:
                self._log.open("a", encoding="utf-8").close()
        except OSError as error:
            raise OutputError(f"--log-file {options.log_file} cannot be written: {error.strerror}") from None

    @property
    def code(self) -> int:
        """Exit code of a command that is done: 1 if there was a warning."""
        return WARNED if self._warned else 0

    def say(self, text: str) -> None:
        """Tell what was done."""
        self._write("info", text, show=not self._quiet)

    def detail(self, text: str) -> None:
        """Tell more, for those who asked for it."""
        self._write("detail", text, show=self._verbose)

    def warn(self, text: str) -> None:
        """Tell what a person must read; the command ends with exit code 1."""
        self._warned = True
        self._write("warning", f"warning: {text}", show=True)

    def error(self, text: str) -> None:
        """Tell what went wrong where the command goes on to others."""
        self._write("error", f"error: {text}", show=True)

    def progress(self, done: int, total: int, what: str) -> None:
        """Show how far a long work is, on a terminal only."""
        self._write_log("progress", f"{what} {done}/{total}")
        if self._quiet or not sys.stderr.isatty():
            return
        width = 30
        bar = "#" * round(width * done / total)
        print(f"\r[{bar:<{width}}] {done}/{total} {what:.60}\033[K", end="", file=sys.stderr, flush=True)
        self._live = done < total
        if not self._live:
            print(file=sys.stderr)

    def _write(self, level: str, text: str, *, show: bool) -> None:
        self._write_log(level, text)
        if show:
            print(f"{chr(10) if self._live else ''}raphe {self._command}: {text}", file=sys.stderr)
            self._live = False

    def _write_log(self, level: str, text: str) -> None:
        if self._log is not None:
            log(self._log, self._command, level, text)


def log(path: Path, command: str, level: str, text: str) -> None:
    """Add one line to a log file of JSON lines.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    entry = {"time": datetime.now(UTC).isoformat(), "level": level, "command": command, "message": text}
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry, ensure_ascii=False) + "\n")
