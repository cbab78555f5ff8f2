"""The order in which sessions were acquired, held against the one that the plan or their labels tell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from itertools import combinations
from pathlib import Path

from raphe.data.finding import Finding
from raphe.data.scan import Scan
from raphe.errors import InputError
from raphe.io.sessions import TIME, SessionTime, labels_tell_order, session_key, session_times
from raphe.pipeline.plan_schema import StudyPlan

ALL_OTHERWISE = 3
"""People who all had two conditions in the other order than the plan, from which on that is told: in a crossover, some
have this order and some that."""


def doubts_of_order(bids: Path, scans: Sequence[Scan], plan: StudyPlan | None) -> Iterator[Finding]:
    """Yield people whose acquisition times contradict the order of sessions: one warning each, of the first two.

    The order is that of the plan, or by the labels. Sessions of two conditions may have been acquired in any order,
    unless their labels say which comes first (baseline, say).

    Parameters
    ----------
    bids : Path
        Root of the dataset, whose tables of sessions and scans tell the times.
    scans : sequence of Scan
        Those that take part.
    plan : StudyPlan or None
    """
    people: dict[tuple[str, str], dict[str, tuple[SessionTime, SessionTime]]] = defaultdict(dict)
    for participant in dict.fromkeys(scan.participant for scan in scans):
        try:
            times = session_times(bids, participant)[0]
        except InputError:
            continue  # a finding of the dataset tells it
        own = {scan.session for scan in scans if scan.participant == participant} & times.keys()
        for first, second in combinations(_in_order(own, plan), 2):
            people[first, second][participant] = times[first], times[second]
    told: set[str] = set()
    for (first, second), both in people.items():
        turned = {who: pair for who, pair in both.items() if pair[1].time < pair[0].time}
        if not _one_order(first, second, plan) and (len(turned) < len(both) or len(both) < ALL_OTHERWISE):
            continue
        for who, (early, late) in turned.items():
            if who not in told:
                told.add(who)
                yield _doubt(who, (first, early), (second, late), plan)


def _in_order(labels: Collection[str | None], plan: StudyPlan | None) -> list[str]:
    """Labels in the order of the plan, which leaves out those that it does not have; else by what they say."""
    if plan is not None and plan.sessions:
        return [session.label for session in plan.sessions if session.label in labels]
    return sorted((label for label in labels if label is not None), key=session_key)


def _one_order(first: str, second: str, plan: StudyPlan | None) -> bool:
    """Whether each person must have had two sessions in the same order."""
    if labels_tell_order(first, second):
        return True
    if plan is None:
        return False
    conditions = {one.condition for one in plan.sessions if one.label in (first, second)}
    return bool(plan.sessions) and len(conditions) == 1


def _doubt(
    who: str, first: tuple[str, SessionTime], second: tuple[str, SessionTime], plan: StudyPlan | None
) -> Finding:
    (label, time), (later, before) = first, second
    by = "by their labels" if plan is None or not plan.sessions else f"in {plan.path.name}"
    told = (
        f"{before.path}: {TIME}, line {before.line}: session {later!r} of sub-{who} was acquired at {before.told}, "
        f"before session {label!r} at {time.told}, though {label!r} is the earlier one {by}; are the times wrong, or "
        "are the names of the two sessions exchanged?"
    )
    if plan is not None and not labels_tell_order(label, later):
        told += " If people had them in different orders, give each its condition in the plan"
    return Finding("warning", before.path, TIME, told)
