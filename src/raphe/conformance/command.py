"""``raphe conformance``: fit cases of known truth, and say whether every model does what is asked of it."""

from __future__ import annotations

import argparse
import json
import math
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from raphe import __version__
from raphe.conformance import SUITE, repeats
from raphe.conformance import run as noise_free
from raphe.conformance.repeats import NoisyOutcome, Progress, noisy
from raphe.conformance.run import Outcome, chosen
from raphe.conformance.suite import Suite
from raphe.conformance.table import tables
from raphe.errors import OutputError
from raphe.io.tables import write_text

MET, NOT_MET = 0, 1

REPEATS, NOISE, SEED = 1000, 0.03, 1
"""Defaults of the noisy repeats: how many of each case, with how much noise, from which seed."""


def run(options: argparse.Namespace) -> int:
    """Run the suite or export it; 0 if every requirement is met, 1 if one is not."""
    if options.export is not None:
        export(options.export)
        return MET
    suite, progress = Suite(), _progress(options.quiet)
    rows = chosen(suite, options.model)
    outcomes = []
    for number, row in enumerate(rows):
        progress(number, len(rows), f"{row.model} {row.family}")
        outcomes.append(noise_free.noise_free(suite, row, options.convention))
    progress(len(rows), len(rows), "without noise")
    repeated = () if options.noise_free_only else tuple(row for row in rows if row.repeated)
    settings = options.convention, options.repeats, options.noise, options.seed
    with_noise = [noisy(suite, row, *settings, progress) for row in repeated]
    text = tables(outcomes, with_noise)
    met = all(outcome.met for outcome in outcomes) and all(outcome.met for outcome in with_noise)
    print(text)
    print(f"{'All requirements are met' if met else 'Some requirements are not met'} (raphe {__version__}).")
    _write(options, suite, outcomes, with_noise, text, met)
    return MET if met else NOT_MET


def export(folder: Path) -> None:
    """Copy the files of the suite, for another package to run.

    Raises
    ------
    OutputError
        If the place cannot be written to, or holds something already.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OutputError(f"{folder} is there already; name a new folder for the suite")
    try:
        shutil.copytree(SUITE, folder, dirs_exist_ok=True)
    except (OSError, shutil.Error) as error:
        raise OutputError(f"{folder} cannot be written: {error}") from None
    print(folder / "README.md")


def _write(
    options: argparse.Namespace,
    suite: Suite,
    outcomes: Sequence[Outcome],
    with_noise: Sequence[NoisyOutcome],
    text: str,
    met: bool,
) -> None:
    """Write all outcomes as JSON, and the tables beside them."""
    found = {
        "suite": suite.facts["version"],
        "software": f"raphe {__version__}",
        "convention": options.convention,
        "repeats": options.repeats,
        "noise": options.noise,
        "seed": options.seed,
        "met": met,
        "noise_free": [noise_free.as_json(outcome) for outcome in outcomes],
        "noisy": [repeats.as_json(outcome) for outcome in with_noise],
    }
    encoded = json.dumps(_plain(found), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    if options.json is not None:
        write_text(options.json, encoded)
    if options.out is not None:
        write_text(options.out / "conformance.json", encoded)
        write_text(options.out / "conformance.md", text)


def _plain(value: object) -> object:
    """Value with null for what is not a number."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _progress(quiet: bool) -> Progress:
    """Say how far the work is, on a terminal only."""
    if quiet or not sys.stderr.isatty():
        return lambda done, total, what: None

    def show(done: int, total: int, what: str) -> None:
        end = "\n" if done == total else ""
        print(f"\r[{'#' * round(30 * done / total):<30}] {done}/{total} {what:.60}\033[K", end=end, file=sys.stderr)
        sys.stderr.flush()

    return show
