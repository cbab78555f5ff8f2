"""Scans of a study that a person has excluded, as comparisons and the record of the study need them."""

from __future__ import annotations

from collections.abc import Mapping

from raphe.data.record import Step
from raphe.data.scan import Scan
from raphe.pipeline.plan_schema import same_tracer

Aside = Mapping[str, Mapping[tuple[str, str], str]]
"""By the tracer's key: participant and session of each scan that a person has excluded, with the reason."""


def set_aside(excluded: Mapping[Scan, str]) -> tuple[Aside, tuple[Step, ...]]:
    """What comparisons are told of excluded scans, and the step that records them; no step where there are none."""
    found: dict[str, dict[tuple[str, str], str]] = {}
    for scan, why in excluded.items():
        told = f"excluded by a person: {why}"
        found.setdefault(same_tracer(scan.tracer), {})[scan.participant, scan.session or ""] = told
    if not excluded:
        return found, ()
    scans = tuple(scan.label for scan in excluded)
    return found, (Step("excluded", {"scans": scans, "reasons": tuple(excluded.values())}),)
