"""The study plan held against the data that there are."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from raphe.data.finding import Finding
from raphe.data.people import People
from raphe.data.regions import members
from raphe.data.scan import Scan
from raphe.errors import InputError, likely, nearest
from raphe.kinetics.k2_prime import doubt_of
from raphe.nomenclature import region_key
from raphe.pharmacology.lassen import LEAST
from raphe.pipeline.contrast_check import NAMELESS, Found, check_contrasts, error, warning
from raphe.pipeline.contrast_rules import is_lassen
from raphe.pipeline.plan_schema import StudyPlan, same_tracer
from raphe.pipeline.reference import doubt_of_reference
from raphe.pipeline.toml_lines import Key


def check_plan(
    plan: StudyPlan,
    scans: Sequence[Scan],
    regions: Mapping[str, Sequence[str]],
    empty: Mapping[str, Sequence[str]] | None = None,
    *,
    partial: bool = False,
    excluded: Collection[str] = (),
    people: People | None = None,
) -> tuple[Finding, ...]:
    """Hold the plan against the data.

    Errors: a session, a tracer or a region of the plan that the data lack; a contrast that nobody's scans can answer,
    or whose sessions hold another tracer or several scans of it. Warnings: scans that the plan does not mention, people
    who have only one of a contrast's two sessions.

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
    people : People, optional
        Arms, covariates and scores of the participants, as :func:`raphe.pipeline.people_of.people_of` finds them.

    Returns
    -------
    tuple of Finding
        In the order of the plan's lines; each message begins with the file and its line.
    """
    absent = [] if partial else [*_sessions(plan, scans), *_tracers(plan, scans)]
    found = [
        *absent,
        *_regions(plan, scans, regions, empty or {}),
        *_lassen(plan, scans, regions),
        *_unplanned(plan, scans, () if partial else _meant(plan, scans)),
        *_k2_primes(plan),
        *_references(plan),
    ]
    if not absent:
        found += check_contrasts(plan, scans, people or People(), partial, excluded)
    return tuple(finding for _, finding in sorted(found, key=lambda item: item[0]))


def _sessions(plan: StudyPlan, scans: Sequence[Scan]) -> Found:
    planned = [session.label for session in plan.sessions]
    there = list(dict.fromkeys(scan.session for scan in scans if scan.session is not None))
    for index, label in enumerate(planned):
        if label not in there:
            known = nearest(label, there) if there else "the scans have no sessions (ses-)"
            how = f"session {label!r} has no scan in the data; {known}"
            yield error(plan, ("session", index, "label"), how)


def _tracers(plan: StudyPlan, scans: Sequence[Scan]) -> Found:
    there = list(dict.fromkeys(scan.tracer or NAMELESS for scan in scans))
    for index, tracer in enumerate(plan.tracers):
        if not any(same_tracer(scan.tracer) == same_tracer(tracer.name) for scan in scans):
            how = f"tracer {tracer.name!r} has no scan in the data; {nearest(tracer.name, there)}"
            yield error(plan, ("tracer", index, "name"), how)


def _k2_primes(plan: StudyPlan) -> Found:
    """Yield numbers for k2' that are doubtful."""
    for index, tracer in enumerate(plan.tracers):
        if isinstance(tracer.k2_prime, float | int) and (doubt := doubt_of(tracer.k2_prime)):
            yield warning(plan, ("tracer", index, "k2_prime"), f"[[tracer]] {tracer.name}: {doubt}")


def _references(plan: StudyPlan) -> Found:
    """Yield reference regions that bind the tracer."""
    for index, tracer in enumerate(plan.tracers):
        names = () if tracer.reference is None else (tracer.reference,)
        if doubt := doubt_of_reference(names, tracer.name, plan.study.species):
            yield warning(plan, ("tracer", index, "reference"), f"[[tracer]] {tracer.name}: {doubt}")


def _meant(plan: StudyPlan, scans: Sequence[Scan]) -> set[str]:
    """Sessions and tracers of the data that the plan may mean by those which the data lack: an error names them."""
    sessions = {scan.session for scan in scans if scan.session is not None}
    tracers = {scan.tracer or NAMELESS for scan in scans}
    spelled = {same_tracer(name) for name in tracers}
    lacking = [(session.label, sessions) for session in plan.sessions if session.label not in sessions]
    lacking += [(one.name, tracers) for one in plan.tracers if same_tracer(one.name) not in spelled]
    found: set[str] = set()
    for name, there in lacking:
        found |= there if len(there) == 1 else set(likely(name, sorted(there)))
    return found


def _unplanned(plan: StudyPlan, scans: Sequence[Scan], told: Collection[str]) -> Found:
    """Yield sessions and tracers of the data that the plan does not have, but those that an error names already."""
    planned = [session.label for session in plan.sessions]
    there = list(dict.fromkeys(scan.session for scan in scans if scan.session is not None))
    for label in there if planned else ():
        if label not in planned and label not in told:
            many = _many([scan.label for scan in scans if scan.session == label])
            how = f"the plan has no [[session]] {label!r}, of which there {many}; add it if it belongs to the study"
            yield warning(plan, ("session",), how)
    nameless = [scan.label for scan in scans if scan.session is None]
    if planned and there and nameless:
        how = f"there {_many(nameless)} whose name has no session, though the plan has [[session]]: no comparison of "
        yield warning(plan, ("session",), how + "sessions holds it; put ses-LABEL into its folder and names")
    for name in dict.fromkeys(scan.tracer for scan in scans):
        if plan.tracer(name) is None and (name or NAMELESS) not in told:
            many = _many([scan.label for scan in scans if scan.tracer == name])
            what = f"the plan has no [[tracer]] {name or NAMELESS!r}"
            how = f"{what}, of which there {many}; add one, or they take no part"
            yield warning(plan, ("tracer",), how)


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
            except InputError as why:
                void = [other for other in empty.get(label, ()) if region_key(other) == region_key(name)]
                reason = f"region {void[0]!r} is empty: no frame has a value; give them" if void else str(why)
                reasons.setdefault(reason, []).append(label)
        what = "the reference is absent: " if key[-1] == "reference" else ""
        for reason, where in reasons.items():
            share = (
                "every scan" if len(where) == len(labels) else f"{len(where)} of {len(labels)} scans ({_few(where)})"
            )
            yield error(plan, key, f"{what}in {share}: {reason}")


def _lassen(plan: StudyPlan, scans: Sequence[Scan], regions: Mapping[str, Sequence[str]]) -> Found:
    """Yield Lassen plots of scans that have too few regions, where the plan names none."""
    for index, contrast in enumerate(plan.contrasts):
        if not is_lassen(contrast) or contrast.regions or plan.regions.names:
            continue
        own = [scan for scan in scans if same_tracer(scan.tracer) == same_tracer(contrast.tracer)]
        there = [len(regions[scan.label]) for scan in own if scan.session in contrast.terms and scan.label in regions]
        if there and max(there) < LEAST["V_T"]:
            how = f"contrast {contrast.name!r}: a Lassen plot needs {LEAST['V_T']} regions or more, of high and of low "
            how += f"binding, and no scan of its sessions has more than {max(there)}; add regions"
            yield error(plan, ("contrast", index, "parameter"), how)


def _wanted(plan: StudyPlan) -> Iterator[tuple[Key, str, str]]:
    """Every region that the plan names: where, its name, and the tracer that it is of (empty for all)."""
    for index, name in enumerate(plan.regions.names):
        yield ("regions", "list", index), name, ""
    for name in plan.regions.merge:
        if name not in plan.regions.names:
            yield ("regions", "merge", name), name, ""
    primary, lassen = plan.primary, [contrast.name for contrast in plan.contrasts if is_lassen(contrast)]
    if primary is not None and primary.region not in plan.regions.names and primary.contrast not in lassen:
        yield ("primary", "region"), primary.region, primary.tracer
    for index, tracer in enumerate(plan.tracers):
        if tracer.reference is not None:
            yield ("tracer", index, "reference"), tracer.reference, tracer.name
        for at, name in enumerate(tracer.high_binding):
            yield ("tracer", index, "high_binding", at), name, tracer.name


def _many(labels: Sequence[str]) -> str:
    return f"is one scan ({labels[0]})" if len(labels) == 1 else f"are {len(labels)} scans ({_few(labels)})"


def _few(labels: Sequence[str], most: int = 4) -> str:
    return ", ".join(labels[:most]) + (f" and {len(labels) - most} more" if len(labels) > most else "")
