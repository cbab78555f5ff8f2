"""``raphe simulate``: a study of known truth."""

from __future__ import annotations

import argparse
import sys

from raphe.simulate.image_study import Progress, silent
from raphe.simulate.study import simulate_study


def run(options: argparse.Namespace) -> int:
    """Make one study and print where its plan is."""
    plan = simulate_study(
        options.plan,
        options.out,
        seed=options.seed,
        participants=options.participants,
        tacs_only=options.tacs_only,
        workers=options.workers,
        progress=_progress(options.quiet),
    )
    print(plan)
    return 0


def _progress(quiet: bool) -> Progress:
    """Say how far the work is, on a terminal only."""
    if quiet or not sys.stderr.isatty():
        return silent

    def show(done: int, total: int, what: str) -> None:
        end = "\n" if done == total else ""
        print(f"\r[{'#' * round(30 * done / total):<30}] {done}/{total} {what:.60}\033[K", end=end, file=sys.stderr)
        sys.stderr.flush()

    return show
