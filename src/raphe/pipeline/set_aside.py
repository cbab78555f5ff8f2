"""Scans of a study that a person has excluded, as comparisons and the record of the study need them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from raphe.data.record import Step
from raphe.io.bids import ScanCurves
from raphe.pipeline.participant import ScanTask
from raphe.pipeline.plan_schema import same_tracer

Aside = Mapping[str, Mapping[tuple[str, str], str]]
"""By the tracer's key: participant and session of each scan that a person has excluded, with the reason."""


def set_aside(excluded: Sequence[tuple[ScanCurves, ScanTask]]) -> tuple[Aside, tuple[Step, ...]]:
    """What comparisons are told of excluded scans, and the step that records them; no step where there are none."""
    found: dict[str, dict[tuple[str, str], str]] = {}
    for table, task in excluded:
        told = f"excluded by a person: {task.excluded}"
        found.setdefault(same_tracer(task.tracer), {})[table.scan.participant, table.scan.session or ""] = told
    if not excluded:
        return found, ()
    scans = tuple(table.scan.label for table, _ in excluded)
    return found, (Step("excluded", {"scans": scans, "reasons": tuple(task.excluded for _, task in excluded)}),)
