"""True binding of a simulated study, by region and session."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from raphe import catalog
from raphe.report.simulated import Chapter, Table
from raphe.report.wording import fixed
from raphe.simulate.plan import SimulationPlan
from raphe.simulate.record import Record

Array = npt.NDArray[np.float64]

TOLD = (
    "What an analysis should find, but for noise, movement and resolution. BP_ND of each participant stands in "
    "parameters.tsv beside this page."
)


def truth_chapter(plan: SimulationPlan, records: Sequence[Record]) -> Chapter:
    """Mean and spread of BP_ND over participants."""
    tables = [_table(plan, records, tracer.name) for tracer in plan.tracers]
    return Chapter("truth", "True binding", (TOLD,), tuple(tables))


def _table(plan: SimulationPlan, records: Sequence[Record], tracer: str) -> Table:
    arms = [arm.name for arm in plan.arms] or [""]
    columns = [(session.label, arm) for session in plan.sessions for arm in arms]
    found = {(label, arm): _binding(records, tracer, label, arm) for label, arm in columns}
    shown = [place for place in columns if found[place].size]
    header = ("Region", *(label + (f", {arm}" if arm else "") for label, arm in shown))
    rows = tuple(
        (region, *(_summary(found[place][:, number]) for place in shown))
        for number, region in enumerate(plan.regions.names)
    )
    return Table(header, rows, f"True BP_ND of {catalog.tracer(tracer).label}: mean (SD) over participants.")


def _binding(records: Sequence[Record], tracer: str, session: str, arm: str) -> Array:
    """Shape (n_participant, n_region)."""
    return np.array(
        [
            truth.BP_ND
            for one in records
            if one.participant.arm == arm
            for truth in one.truths
            if (truth.tracer, truth.session) == (tracer, session)
        ]
    )


def _summary(values: Array) -> str:
    spread = f" ({fixed(float(values.std(ddof=1)), 2)})" if values.size > 1 else ""
    return fixed(float(values.mean()), 2) + spread
