"""The study plan held against the data that there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from raphe.data.finding import Finding
from raphe.data.regions import members
from raphe.data.scan import Scan
from raphe.errors import InputError, nearest
from raphe.pipeline.plan_schema import ContrastSection, StudyPlan, same_tracer
from raphe.pipeline.toml_lines import Key


def check_plan(plan: StudyPlan, scans: Sequence[Scan], regions: Mapping[str, Sequence[str]]) -> tuple[Finding, ...]:
    """Hold the plan against the data.

    Errors: a session, a tracer or a region of the plan that the data lack; a contrast that nobody's scans can answer,
    or whose sessions hold another tracer or several scans of it. Warnings: scans that the plan does not mention, and
    people who have only one of a contrast's two sessions.

    Parameters
    ----------
    plan : StudyPlan
        As :func:`raphe.pipeline.plan.read_plan` gives it.
    scans : sequence of Scan
        Every scan that was found.
    regions : mapping of str to sequence of str
        Names of the curves of each scan, by :attr:`raphe.data.scan.Scan.label`.

    Returns
    -------
    tuple of Finding
        In the order of the plan's lines; each message begins with its line.
    """
    checks = (_sessions(plan, scans), _tracers(plan, scans), _regions(plan, scans, regions), _contrasts(plan, scans))
    found = [finding for check in checks for finding in check]
    return tuple(finding for _, finding in sorted(found, key=lambda item: item[0]))


Found = Iterator[tuple[int, Finding]]


def _error(plan: StudyPlan, key: Key, message: str) -> tuple[int, Finding]:
    line = plan.line(*key)
    return line, Finding("error", plan.path, _field(key), f"line {line}: {message}")


def _warning(plan: StudyPlan, key: Key, message: str) -> tuple[int, Finding]:
    line = plan.line(*key)
    return line, Finding("warning", plan.path, _field(key), f"line {line}: {message}")


def _field(key: Key) -> str:
    return ".".join(str(part) for part in key if isinstance(part, str))


def _sessions(plan: StudyPlan, scans: Sequence[Scan]) -> Found:
    planned = [session.label for session in plan.sessions]
    there = list(dict.fromkeys(scan.session for scan in scans if scan.session is not None))
    for index, label in enumerate(planned):
        if label not in there:
            how = f"session {label!r} has no scan in the data; {nearest(label, there)}"
            yield _error(plan, ("session", index, "label"), how)
    for label in there if planned else ():
        if label not in planned:
            many = _many([scan.label for scan in scans if scan.session == label])
            how = f"the plan has no [[session]] {label!r}, of which there {many}; add it if it belongs to the study"
            yield _warning(plan, ("session",), how)


def _tracers(plan: StudyPlan, scans: Sequence[Scan]) -> Found:
    there = list(dict.fromkeys(scan.tracer for scan in scans))
    keys = {same_tracer(name) for name in there}
    for index, tracer in enumerate(plan.tracers):
        if same_tracer(tracer.name) not in keys:
            how = f"tracer {tracer.name!r} has no scan in the data; {nearest(tracer.name, there)}"
            yield _error(plan, ("tracer", index, "name"), how)
    for name in there:
        if plan.tracer(name) is None:
            many = _many([scan.label for scan in scans if scan.tracer == name])
            how = f"the plan has no [[tracer]] {name!r}, of which there {many}; add one, or they take no part"
            yield _warning(plan, ("tracer",), how)


def _regions(plan: StudyPlan, scans: Sequence[Scan], regions: Mapping[str, Sequence[str]]) -> Found:
    planned = [scan for scan in scans if scan.label in regions and plan.tracer(scan.tracer) is not None]
    for key, name, of in _wanted(plan):
        labels = [scan.label for scan in planned if not of or same_tracer(scan.tracer) == same_tracer(of)]
        reasons: dict[str, list[str]] = {}
        for label in labels:
            try:
                members(name, regions[label], plan.regions.merge)
            except InputError as error:
                reasons.setdefault(str(error), []).append(label)
        for reason, where in reasons.items():
            share = (
                "every scan" if len(where) == len(labels) else f"{len(where)} of {len(labels)} scans ({_few(where)})"
            )
            yield _error(plan, key, f"in {share}: {reason}")


def _wanted(plan: StudyPlan) -> Iterator[tuple[Key, str, str]]:
    """Every region that the plan names: where, its name, and the tracer that it is of (empty for all)."""
    for index, name in enumerate(plan.regions.names):
        yield ("regions", "list", index), name, ""
    for name in plan.regions.merge:
        if name not in plan.regions.names:
            yield ("regions", "merge", name), name, ""
    if plan.primary is not None and plan.primary.region not in plan.regions.names:
        yield ("primary", "region"), plan.primary.region, plan.primary.tracer
    for index, tracer in enumerate(plan.tracers):
        if tracer.reference is not None:
            yield ("tracer", index, "reference"), tracer.reference, tracer.name
        for at, name in enumerate(tracer.high_binding):
            yield ("tracer", index, "high_binding", at), name, tracer.name


def _contrasts(plan: StudyPlan, scans: Sequence[Scan]) -> Found:
    for index, contrast in enumerate(plan.contrasts):
        key, who = ("contrast", index, "terms"), f"contrast {contrast.name!r}"
        own = [scan for scan in scans if same_tracer(scan.tracer) == same_tracer(contrast.tracer)]
        faults = [_term_fault(contrast, term, own, scans) for term in contrast.terms]
        for at, fault in enumerate(faults):
            if fault:
                yield _error(plan, (*key, at), f"{who}: {fault}")
        if any(faults):
            continue
        first, second = ({scan.participant for scan in own if scan.session == term} for term in contrast.terms)
        half = [f"sub-{label}" for label in sorted(first ^ second)]
        if not first & second:
            both = " and ".join(contrast.terms)
            how = f"{who}: nobody has scans with {contrast.tracer} in both sessions, {both}; it needs people with both"
            yield _error(plan, key, how)
        elif half:
            yield _warning(plan, key, f"{who} leaves out those with only one of its two sessions: {', '.join(half)}")


def _term_fault(contrast: ContrastSection, term: str, own: Sequence[Scan], scans: Sequence[Scan]) -> str:
    """Say what keeps one session from being a term of a contrast; empty if nothing does."""
    here = [scan for scan in own if scan.session == term]
    others = dict.fromkeys(scan.tracer for scan in scans if scan.session == term)
    if not here and others:
        return (
            f"its tracer is {contrast.tracer!r}, but the scans of session {term!r} are of {', '.join(others)}; one "
            "contrast compares sessions of one tracer"
        )
    if not here:
        labels = dict.fromkeys(scan.session for scan in own if scan.session is not None)
        return f"session {term!r} has no scan; {nearest(term, labels)}"
    double = [who for who, count in Counter(scan.participant for scan in here).items() if count > 1]
    if double:
        several = [scan.label for scan in here if scan.participant == double[0]]
        return (
            f"sub-{double[0]} has {len(several)} scans with {contrast.tracer} in session {term!r} "
            f"({', '.join(several)}); leave one of them in the data set"
        )
    return ""


def _many(labels: Sequence[str]) -> str:
    return f"is one scan ({labels[0]})" if len(labels) == 1 else f"are {len(labels)} scans ({_few(labels)})"


def _few(labels: Sequence[str], most: int = 4) -> str:
    return ", ".join(labels[:most]) + (f" and {len(labels) - most} more" if len(labels) > most else "")
