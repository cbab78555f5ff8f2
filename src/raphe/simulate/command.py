"""``raphe simulate``: a study of known truth."""

from __future__ import annotations

import argparse

from raphe.simulate.study import simulate_study


def run(options: argparse.Namespace) -> int:
    """Make one study and print where its plan is."""
    plan = simulate_study(
        options.plan, options.out, seed=options.seed, participants=options.participants, tacs_only=options.tacs_only
    )
    print(plan)
    return 0
