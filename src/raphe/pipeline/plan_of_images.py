"""The plan held against scans that are there as images, before curves are made of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from raphe.data.finding import Finding
from raphe.data.scan import Scan
from raphe.pipeline.exclusions import Exclusions, refuse_nothing_left
from raphe.pipeline.people_of import people_of
from raphe.pipeline.plan_check import check_plan
from raphe.pipeline.plan_schema import StudyPlan


def check_plan_of_images(
    bids: Path, plan: StudyPlan | None, scans: Sequence[Scan], excluded: Exclusions, *, partial: bool = False
) -> tuple[Finding, ...]:
    """Hold the sessions, tracers, people and contrasts of a plan against the scans; their regions are not known yet.

    Parameters
    ----------
    bids : Path
    plan : StudyPlan or None
    scans : sequence of Scan
        All of the study, those that have curves among them.
    excluded : Exclusions
    partial : bool
        Whether the scans are a part of the study.

    Raises
    ------
    InputError
        If every scan is excluded.
    """
    refuse_nothing_left(scans, excluded)
    if plan is None:
        return ()
    persons = {scan.participant for scan in scans}
    people, unknown = people_of(plan, bids / "participants.tsv", bids / "phenotype", persons)
    taken_out = {scan.label for scan in scans if excluded.reason(scan)}
    return (*unknown, *check_plan(plan, scans, {}, partial=partial, excluded=taken_out, people=people))
