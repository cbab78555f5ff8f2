"""Ratings of a simulated study, by visit and arm."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from raphe.report.simulated import Chapter, Figure, Table, Titled
from raphe.report.simulated_figures import by_visit
from raphe.report.wording import fixed
from raphe.simulate.plan import SimulationPlan
from raphe.simulate.record import Record
from raphe.simulate.symptoms import HIGHEST

Array = npt.NDArray[np.float64]

TOLD = (
    "MADRS (0 to 60 points) follows plasticity, placebo and belief; how far is mostly assumed. Scores are those that "
    "an analysis finds in phenotype/madrs.tsv, with the error of one rating."
)


def ratings_chapter(plan: SimulationPlan, records: Sequence[Record]) -> Chapter:
    """Scores at each visit, by arm where there are arms.

    Parameters
    ----------
    plan : SimulationPlan
        With ``[symptoms]``.
    records : sequence of Record
    """
    visits = [visit.label for visit in plan.visits]
    arms = [arm.name for arm in plan.arms] or [""]
    panels, rows = [], []
    for number, arm in enumerate(arms):
        scores = _scores([one for one in records if one.participant.arm == arm], len(visits))
        name = arm or "all participants"
        drawing = by_visit(scores, visits, f"s{number % 6}", HIGHEST, f"MADRS by visit, {name}")
        panels.append(Titled(name, drawing, f"n = {len(scores)}"))
        rows.append((name, *(_summary(column) for column in scores.T)))
    caption = "MADRS of each participant; the upright line is the mean with one standard deviation to either side."
    table = Table(("Arm", *visits), tuple(rows), "MADRS: mean (SD), and number of participants, by visit.")
    return Chapter("ratings", "Symptoms", (TOLD,), figures=(Figure(tuple(panels), caption),), after=(table,))


def _scores(records: Sequence[Record], n_visit: int) -> Array:
    found = [[np.nan if score is None else float(score) for score in one.scores] for one in records]
    return np.array(found, dtype=float).reshape(len(found), n_visit)


def _summary(column: Array) -> str:
    there = column[np.isfinite(column)]
    if not there.size:
        return "no one"
    spread = f" ({fixed(float(there.std(ddof=1)), 1)})" if there.size > 1 else ""
    return f"{fixed(float(there.mean()), 1)}{spread}, {there.size}"
