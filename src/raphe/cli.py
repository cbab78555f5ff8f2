"""Running a command: its exit code, and what is said where it ends early. No science here.

Its words are parsed by :mod:`raphe.commands`, and one function of the pipeline does the work.
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from raphe.commands import UNUSABLE, parser_of
from raphe.errors import OutputError, RapheError, unexpected
from raphe.pipeline.messages import log

WARNED = 1
INTERRUPTED = 130
UNEXPECTED = UNUSABLE

KEEPS = ("run", "simulate", "stats", "demo")
"""Commands that keep what they have done when they are stopped; the others, and curves that are simulated, are written
as a whole or not at all."""

THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
)
"""Threads of the libraries below, 1 whatever the environment says: they add in another order with more, and a
registration makes of that another place. Matrices are small, and scans run beside each other (``--workers``)."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the value is the exit code.

    0 done; 1 done, with warnings that a person must read; 2 unusable input, nothing written; 3 some scans failed, and
    the rest is done; 130 stopped by the user, who may resume.
    """
    options = parser_of(_run_demo).parse_args(argv)
    for name in THREADS:
        os.environ[name] = "1"
    signal.signal(signal.SIGTERM, _stop)
    options.command_line = "raphe " + shlex.join(sys.argv[1:] if argv is None else argv)
    try:
        code = int(options.run(options))
        sys.stdout.flush()
    except RapheError as error:
        if options.debug:
            raise
        _end(options, str(error))
        return error.exit_code
    except KeyboardInterrupt:
        kept = options.command in KEEPS and not getattr(options, "tacs_only", False)
        _end(options, f"stopped; the same command {'goes on from here' if kept else 'begins anew'}")
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return UNEXPECTED
    except Exception as error:
        if options.debug:
            raise
        _end(options, str(unexpected(error)))
        return UNEXPECTED
    return code


def _end(options: argparse.Namespace, text: str) -> None:
    """Tell why a command ends early, in the log file too where there is one."""
    print(f"raphe {options.command}: {text}", file=sys.stderr)
    if options.log_file is not None:
        with suppress(OSError):
            log(options.log_file, options.command, "error", text)


def _run_demo(options: argparse.Namespace) -> int:
    """Make the embedded study, then analyse it: the two commands that a user would type."""
    out: Path = options.out
    study, results = out / "study", out / "results"
    made = (study / "truth" / "plan.toml").is_file()
    if out.exists() and not made and (not out.is_dir() or any(out.iterdir())):
        raise OutputError(f"{out} holds something else than a demo; name a new folder: raphe demo FOLDER")
    steps = [["run", str(study), str(results), "all"]]
    if not made:
        steps.insert(0, ["simulate", "test-retest", str(study), "--tacs-only"])
    for words in steps:
        if not options.quiet:
            print(f"$ raphe {shlex.join(words)}", flush=True)
        code = main([*words, *(["--quiet"] if options.quiet else []), *(["--debug"] if options.debug else [])])
        if code > WARNED:
            return code
    return 0


def _stop(number: int, frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
