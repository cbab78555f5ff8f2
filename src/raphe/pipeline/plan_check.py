"""The study plan held against the data that there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from raphe.data.finding import Finding
from raphe.data.regions import members
from raphe.data.scan import Scan
from raphe.errors import InputError, nearest
from raphe.nomenclature import region_key
from raphe.pipeline.plan_schema import ContrastSection, StudyPlan, same_tracer
from raphe.pipeline.toml_lines import Key

NAMELESS = "without TracerName"
"""What stands for the name of a tracer that a sidecar does not tell."""

NO_VOXELWISE = (
    "[maps] permutations is kept in the record for contrasts voxel by voxel, which this version of raphe does not "
    "compute; maps and regions do not depend on it"
)


def check_plan(
    plan: StudyPlan,
    scans: Sequence[Scan],
    regions: Mapping[str, Sequence[str]],
    empty: Mapping[str, Sequence[str]] | None = None,
    *,
    partial: bool = False,
    excluded: Collection[str] = (),
) -> tuple[Finding, ...]:
    """Hold the plan against the data.

    Errors: a session, a tracer or a region of the plan that the data lack; a contrast that nobody's scans can answer,
    or whose sessions hold another tracer or several scans of it. Warnings: scans that the plan does not mention, people
    who have only one of a contrast's two sessions, and a number of permutations, which nothing uses yet.

    Parameters
    ----------
    plan : StudyPlan
        As :func:`raphe.pipeline.plan.read_plan` gives it.
    scans : sequence of Scan
        Every scan that was found.
    regions : mapping of str to sequence of str
        Names of the curves of each scan, by :attr:`raphe.data.scan.Scan.label`.
    empty : mapping of str to sequence of str, optional
        Names of the curves of each scan that have no value, and are not among ``regions``.
    partial : bool
        Whether the scans are a part of the study: what the plan has besides them is no fault then.
    excluded : collection of str
        Labels of scans that a person has taken out; they do not make a session's scans several.

    Returns
    -------
    tuple of Finding
        In the order of the plan's lines; each message begins with the file and its line.
    """
    absent = [] if partial else [*_sessions(plan, scans), *_tracers(plan, scans)]
    found = [*absent, *_regions(plan, scans, regions, empty or {}), *_unplanned(plan, scans)]
    if plan.maps is not None and plan.maps.permutations is not None:
        found.append(_warning(plan, ("maps", "permutations"), NO_VOXELWISE))
    if not absent:
        found += _contrasts(plan, scans, partial, excluded)
    return tuple(finding for _, finding in sorted(found, key=lambda item: item[0]))


Found = Iterator[tuple[int, Finding]]


def _error(plan: StudyPlan, key: Key, message: str) -> tuple[int, Finding]:
    line = plan.line(*key)
    return line, Finding("error", plan.path, _field(key), f"{plan.path}, line {line}: {message}")


def _warning(plan: StudyPlan, key: Key, message: str) -> tuple[int, Finding]:
    line = plan.line(*key)
    return line, Finding("warning", plan.path, _field(key), f"{plan.path}, line {line}: {message}")


def _field(key: Key) -> str:
    return ".".join(str(part) for part in key if isinstance(part, str))


def _sessions(plan: StudyPlan, scans: Sequence[Scan]) -> Found:
    planned = [session.label for session in plan.sessions]
    there = list(dict.fromkeys(scan.session for scan in scans if scan.session is not None))
    for index, label in enumerate(planned):
        if label not in there:
            known = nearest(label, there) if there else "the scans have no sessions (ses-)"
            how = f"session {label!r} has no scan in the data; {known}"
            yield _error(plan, ("session", index, "label"), how)


def _tracers(plan: StudyPlan, scans: Sequence[Scan]) -> Found:
    there = list(dict.fromkeys(scan.tracer or NAMELESS for scan in scans))
    for index, tracer in enumerate(plan.tracers):
        if not any(same_tracer(scan.tracer) == same_tracer(tracer.name) for scan in scans):
            how = f"tracer {tracer.name!r} has no scan in the data; {nearest(tracer.name, there)}"
            yield _error(plan, ("tracer", index, "name"), how)


def _unplanned(plan: StudyPlan, scans: Sequence[Scan]) -> Found:
    """Yield sessions and tracers of the data that the plan does not have."""
    planned = [session.label for session in plan.sessions]
    there = list(dict.fromkeys(scan.session for scan in scans if scan.session is not None))
    for label in there if planned else ():
        if label not in planned:
            many = _many([scan.label for scan in scans if scan.session == label])
            how = f"the plan has no [[session]] {label!r}, of which there {many}; add it if it belongs to the study"
            yield _warning(plan, ("session",), how)
    for name in dict.fromkeys(scan.tracer for scan in scans):
        if plan.tracer(name) is None:
            many = _many([scan.label for scan in scans if scan.tracer == name])
            what = f"the plan has no [[tracer]] {name or NAMELESS!r}"
            how = f"{what}, of which there {many}; add one, or they take no part"
            yield _warning(plan, ("tracer",), how)


def _regions(
    plan: StudyPlan,
    scans: Sequence[Scan],
    regions: Mapping[str, Sequence[str]],
    empty: Mapping[str, Sequence[str]],
) -> Found:
    planned = [scan for scan in scans if scan.label in regions and plan.tracer(scan.tracer) is not None]
    for key, name, of in _wanted(plan):
        labels = [scan.label for scan in planned if not of or same_tracer(scan.tracer) == same_tracer(of)]
        reasons: dict[str, list[str]] = {}
        for label in labels:
            try:
                members(name, regions[label], plan.regions.merge)
            except InputError as error:
                void = [other for other in empty.get(label, ()) if region_key(other) == region_key(name)]
                reason = f"region {void[0]!r} is empty: no frame has a value; give them" if void else str(error)
                reasons.setdefault(reason, []).append(label)
        what = "the reference is absent: " if key[-1] == "reference" else ""
        for reason, where in reasons.items():
            share = (
                "every scan" if len(where) == len(labels) else f"{len(where)} of {len(labels)} scans ({_few(where)})"
            )
            yield _error(plan, key, f"{what}in {share}: {reason}")


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


def _contrasts(plan: StudyPlan, scans: Sequence[Scan], partial: bool, excluded: Collection[str]) -> Found:
    for index, contrast in enumerate(plan.contrasts):
        key, who = ("contrast", index, "terms"), f"contrast {contrast.name!r}"
        own = [scan for scan in scans if same_tracer(scan.tracer) == same_tracer(contrast.tracer)]
        kept = [scan for scan in own if scan.label not in excluded]
        faults = [
            _doubled(contrast, term, kept) or ("" if partial else _lacking(contrast, term, own, scans))
            for term in contrast.terms
        ]
        for at, fault in enumerate(faults):
            if fault:
                yield _error(plan, (*key, at), f"{who}: {fault}")
        if not any(faults) and not partial:
            yield from _people(plan, key, contrast, own, scans)


def _people(plan: StudyPlan, key: Key, contrast: ContrastSection, own: Sequence[Scan], scans: Sequence[Scan]) -> Found:
    """Yield who cannot enter a contrast for want of one of its sessions."""
    who = f"contrast {contrast.name!r}"
    first, second = ({scan.participant for scan in own if scan.session == term} for term in contrast.terms)
    half = sorted(first ^ second)
    for label in half:
        term = contrast.terms[label in first]
        others = [scan.tracer for scan in scans if (scan.participant, scan.session) == (label, term)]
        if any(plan.tracer(name) is None for name in others):
            how = (
                f"{who}: its tracer is {contrast.tracer!r}, but that of sub-{label} in session {term!r} is "
                f"{', '.join(name or NAMELESS for name in others)}; one contrast compares sessions of one tracer"
            )
            yield _error(plan, key, how)
    if not first & second:
        both = " and ".join(contrast.terms)
        how = f"{who}: nobody has scans with {contrast.tracer} in both sessions, {both}; it needs people with both"
        yield _error(plan, key, how)
    elif half:
        people = ", ".join(f"sub-{label}" for label in half)
        yield _warning(plan, key, f"{who} leaves out those with only one of its two sessions: {people}")


def _lacking(contrast: ContrastSection, term: str, own: Sequence[Scan], scans: Sequence[Scan]) -> str:
    """Say why a session has no scan of a contrast's tracer; empty if it has one."""
    if any(scan.session == term for scan in own):
        return ""
    others = dict.fromkeys(scan.tracer or NAMELESS for scan in scans if scan.session == term)
    if others:
        return (
            f"its tracer is {contrast.tracer!r}, but the scans of session {term!r} are of {', '.join(others)}; one "
            "contrast compares sessions of one tracer"
        )
    labels = dict.fromkeys(scan.session for scan in own if scan.session is not None)
    return f"session {term!r} has no scan; {nearest(term, labels)}"


def _doubled(contrast: ContrastSection, term: str, own: Sequence[Scan]) -> str:
    """Say who has several scans of a contrast's tracer in one of its sessions; empty if nobody has."""
    for who, count in Counter(scan.participant for scan in own if scan.session == term).items():
        if count > 1:
            several = [scan.label for scan in own if (scan.participant, scan.session) == (who, term)]
            return (
                f"sub-{who} has {count} scans with {contrast.tracer} in session {term!r} ({', '.join(several)}); leave "
                "one of them in the data set, or exclude the others (exclusions.tsv)"
            )
    return ""


def _many(labels: Sequence[str]) -> str:
    return f"is one scan ({labels[0]})" if len(labels) == 1 else f"are {len(labels)} scans ({_few(labels)})"


def _few(labels: Sequence[str], most: int = 4) -> str:
    return ", ".join(labels[:most]) + (f" and {len(labels) - most} more" if len(labels) > most else "")
