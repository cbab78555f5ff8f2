"""Contrasts of a plan held against the scans and the people that there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

import numpy as np

from raphe.data.finding import Finding
from raphe.data.people import NOT_KNOWN, People, score_key
from raphe.data.scan import Scan
from raphe.errors import InputError, nearest
from raphe.pipeline.contrast_rules import arms_of, sessions_of, tracers_of
from raphe.pipeline.exposure_check import exposure_faults
from raphe.pipeline.people_of import ARM
from raphe.pipeline.plan_schema import ContrastSection, StudyPlan, same_tracer
from raphe.pipeline.toml_lines import Key
from raphe.report.wording import count
from raphe.stats.columns import Column, Covariate, Factor
from raphe.stats.contrasts.covariates import columns_of
from raphe.stats.design import design_of

NAMELESS = "without TracerName"
"""What stands for the name of a tracer that a sidecar does not tell."""

Found = Iterator[tuple[int, Finding]]

SESSIONS_KEY = {"groups": "sessions", "ancova": "sessions", "correlation": "x"}
"""Key that holds the sessions of a contrast; ``terms`` of other kinds."""


def error(plan: StudyPlan, key: Key, message: str) -> tuple[int, Finding]:
    """Finding with the line of a key: an error."""
    return _finding(plan, "error", key, message)


def warning(plan: StudyPlan, key: Key, message: str) -> tuple[int, Finding]:
    """Finding with the line of a key: a warning."""
    return _finding(plan, "warning", key, message)


def _finding(plan: StudyPlan, severity: str, key: Key, message: str) -> tuple[int, Finding]:
    line, field = plan.line(*key), ".".join(str(part) for part in key if isinstance(part, str))
    return line, Finding(
        "error" if severity == "error" else "warning", plan.path, field, f"{plan.path}, line {line}: {message}"
    )


def check_contrasts(
    plan: StudyPlan,
    scans: Sequence[Scan],
    people: People,
    partial: bool,
    excluded: Collection[str],
    names: Collection[str] | None = None,
) -> Found:
    """Yield what is wrong with the contrasts of a plan, given the data.

    Parameters
    ----------
    plan : StudyPlan
    scans : sequence of Scan
        Every scan that was found.
    people : People
    partial : bool
        Whether the scans are a part of the study; then nothing is said of what they lack.
    excluded : collection of str
        Labels of scans that a person has taken out.
    names : collection of str, optional
        Of the contrasts that are looked at; all without.
    """
    for index, contrast in enumerate(plan.contrasts):
        if names is not None and contrast.name not in names:
            continue
        yield from _scale(plan, index, contrast)
        labels, faults = sessions_of(contrast), 0
        for tracer in tracers_of(contrast):
            own = [scan for scan in scans if same_tracer(scan.tracer) == same_tracer(tracer)]
            kept = [scan for scan in own if scan.label not in excluded]
            for at, label in enumerate(labels):
                fault = _doubled(tracer, label, kept) or ("" if partial else _lacking(tracer, label, own, scans))
                if fault:
                    faults += 1
                    key = ("contrast", index, SESSIONS_KEY.get(contrast.kind, "terms"), at)
                    yield error(plan, key, f"contrast {contrast.name!r}: {fault}")
        if not faults and not partial:
            found = list(_people(plan, index, contrast, scans, people))
            yield from found
            if excluded and not any(finding.severity == "error" for _, finding in found):
                yield from _emptied(plan, index, contrast, [one for one in scans if one.label not in excluded], people)
    if not partial and (names is None or (plan.primary is not None and plan.primary.contrast in names)):
        yield from _uncontrolled(plan)


def _scale(plan: StudyPlan, index: int, contrast: ContrastSection) -> Found:
    if contrast.by == "tracer" and contrast.scale == "difference":
        how = (
            f"contrast {contrast.name!r}: the binding of two tracers has different ranges, so a difference of their "
            'changes compares unlike things; take scale = "percent" or "log"'
        )
        yield warning(plan, ("contrast", index, "scale"), how)


def _uncontrolled(plan: StudyPlan) -> Found:
    """Yield a primary contrast that compares no arms though there are some."""
    if len(plan.arms) < 2 or plan.primary is None:
        return
    contrast = next(one for one in plan.contrasts if one.name == plan.primary.contrast)
    if not arms_of(contrast):
        how = (
            f"[primary] contrast {contrast.name!r} compares no arms, though the plan has {len(plan.arms)}: a change in "
            'those who had a drug says nothing against those who had none; take kind = "ancova", say'
        )
        yield warning(plan, ("primary", "contrast"), how)


def _people(plan: StudyPlan, index: int, contrast: ContrastSection, scans: Sequence[Scan], people: People) -> Found:
    """Yield who cannot enter a contrast, and what is wrong with those who can."""
    who, key = f"contrast {contrast.name!r}", ("contrast", index, SESSIONS_KEY.get(contrast.kind, "terms"))
    arms, of_arm = _arms(contrast), people.columns.get(ARM, {})
    sets = _with_scans(contrast, scans, people)
    anyone = sorted(set.union(*sets))
    without = [one for one in anyone if arms and of_arm.get(one, "").lower() in NOT_KNOWN]
    if without:
        yield warning(plan, key, f"{who} leaves out those without an arm in participants.tsv: {_names(without)}")
    everyone = [one for one in anyone if one not in without]
    whole = sorted(set.intersection(*sets) - set(without))
    if contrast.kind == "mixed":
        whole = everyone
    half = [one for one in everyone if one not in whole]
    yield from _otherwise(plan, key, contrast, half, scans)
    if not whole:
        labels = sessions_of(contrast)
        how = f"{who}: nobody has scans with {_needed(contrast)}; it needs people with "
        how += "one" if len(labels) == 1 else "both" if len(labels) == 2 else "some"
        yield error(plan, key, how + (f", in arm {' or '.join(arms)}" if arms else ""))
        return
    if half:
        lacks = "with only one of its two sessions" if len(sets) == 2 else "without all of its scans"
        yield warning(plan, key, f"{who} leaves out those {lacks}: {_names(half)}")
    for arm in arms_of(contrast):
        inside = [one for one in whole if of_arm.get(one) == arm]
        if len(inside) < 2:
            left = f"one subject ({_names(inside)}) is" if inside else "nobody is"
            how = f"{who}: {left} left in arm {arm!r}; two arms are compared with two people or more in each"
            yield error(plan, ("contrast", index, "terms"), how)
            return
    yield from _values(plan, index, contrast, whole, people, who)


def _values(
    plan: StudyPlan, index: int, contrast: ContrastSection, whole: Sequence[str], people: People, who: str
) -> Found:
    """Yield what is wrong with the values that people bring to a contrast, besides their scans."""
    yield from _covariates(plan, index, contrast, whole, people, who)
    for severity, fault in exposure_faults(contrast, whole, people):
        yield _finding(plan, severity, ("contrast", index, "exposure"), f"{who}: {fault}")


def _arms(contrast: ContrastSection) -> tuple[str, ...]:
    """Arms whose people a contrast is of; none where it is of everybody."""
    return arms_of(contrast) or ((contrast.arm,) if contrast.arm is not None else ())


def _with_scans(contrast: ContrastSection, scans: Sequence[Scan], people: People) -> list[set[str]]:
    """Who has a scan, for each tracer and session of a contrast, of its arms or of an arm that is not known."""
    arms, of_arm = _arms(contrast), people.columns.get(ARM, {})
    sets = []
    for tracer in tracers_of(contrast):
        for label in sessions_of(contrast):
            there = {
                scan.participant
                for scan in scans
                if scan.session == label and same_tracer(scan.tracer) == same_tracer(tracer)
            }
            sets.append({one for one in there if not arms or of_arm.get(one, "") in (*arms, *NOT_KNOWN)})
    return sets


def _needed(contrast: ContrastSection) -> str:
    """The tracers and sessions of which people need scans."""
    labels = sessions_of(contrast)
    where = {1: "the session", 2: "both sessions"}.get(len(labels), "all of")
    return f"{' and '.join(tracers_of(contrast))} in {where}, {' and '.join(labels)}"


def _emptied(plan: StudyPlan, index: int, contrast: ContrastSection, kept: Sequence[Scan], people: People) -> Found:
    """Yield a contrast that cannot be made of the scans that are not excluded."""
    key, of_arm = ("contrast", index, SESSIONS_KEY.get(contrast.kind, "terms")), people.columns.get(ARM, {})
    sets = _with_scans(contrast, kept, people)
    anyone = set.union(*sets) if contrast.kind == "mixed" else set.intersection(*sets)
    arms = _arms(contrast)
    whole = sorted(one for one in anyone if not arms or of_arm.get(one, "").lower() not in NOT_KNOWN)
    how = f"contrast {contrast.name!r} cannot be made: exclusions leave"
    for arm in arms_of(contrast):
        inside = [one for one in whole if of_arm.get(one) == arm]
        if len(inside) < 2:
            left = f"one subject ({_names(inside)})" if inside else "nobody"
            yield warning(plan, key, f"{how} {left} in arm {arm!r}, where two people or more are needed")
            return
    if not whole:
        yield warning(plan, key, f"{how} nobody who has scans with {_needed(contrast)}")
        return
    who = f"contrast {contrast.name!r} cannot be made of the scans that are not excluded"
    for line, finding in _values(plan, index, contrast, whole, people, who):
        if finding.severity == "error":
            yield line, replace(finding, severity="warning")


def _otherwise(
    plan: StudyPlan, key: Key, contrast: ContrastSection, half: Sequence[str], scans: Sequence[Scan]
) -> Found:
    """Yield people whose other scan is of a tracer that the plan does not have."""
    tracers = {same_tracer(name) for name in tracers_of(contrast)}
    for label in half:
        for session in sessions_of(contrast):
            others = [scan.tracer for scan in scans if (scan.participant, scan.session) == (label, session)]
            if any(same_tracer(name) in tracers for name in others):
                continue
            if any(plan.tracer(name) is None for name in others):
                how = (
                    f"contrast {contrast.name!r}: its tracer is {contrast.tracer!r}, but that of sub-{label} in "
                    f"session {session!r} is {', '.join(name or NAMELESS for name in others)}; one contrast compares "
                    "sessions of one tracer"
                )
                yield error(plan, key, how)


def _covariates(
    plan: StudyPlan, index: int, contrast: ContrastSection, whole: Sequence[str], people: People, who: str
) -> Found:
    """Yield people without a covariate or score, and covariates that cannot be told apart."""
    unknown = [name for name in contrast.covariates if name not in people.columns and name not in people.scores]
    if unknown:
        return  # a finding already
    blocks = [contrast.blocks] if contrast.blocks is not None and contrast.blocks in people.columns else []
    wanted = [*contrast.covariates, *blocks]
    lacks = {one: [name for name in wanted if people.known(name, one) is None] for one in whole}
    missing = [f"sub-{one} ({', '.join(names)})" for one, names in lacks.items() if names]
    if missing:
        key = ("contrast", index, "covariates" if contrast.covariates else "blocks")
        if contrast.missing == "error":
            what = f"{key[2]} are missing for {_people_of(missing)}"
            how = f"{who}: {what}: {', '.join(missing)}; give them, or write "
            yield error(plan, key, how + 'missing = "exclude" to leave these people out')
            return
        lost = f"{_people_of(missing)} without a {'covariate' if contrast.covariates else 'block'}"
        yield warning(plan, key, f"{who} leaves out {lost}: {', '.join(missing)}")
    there = [one for one in whole if not lacks[one]]
    if contrast.score is not None:
        keys = [score_key(contrast.score, visit) for visit in contrast.score_sessions or ("",)]
        if any(name not in people.scores and name not in people.columns for name in keys):
            return
        gone = [one for one in there if any(people.known(name, one) is None for name in keys)]
        if gone:
            how = f"{who} leaves out {_people_of(gone)} without the score {' and '.join(keys)}: {_names(gone)}"
            yield warning(plan, ("contrast", index, "score"), how)
        there = [one for one in there if one not in gone]
        levels = {tuple(people.known(name, one) for name in keys) for one in there}
        if len(there) > 2 and len(levels) == 1:
            alike = ", ".join(f"{name} is {value:g}" for name, value in zip(keys, levels.pop(), strict=True))
            how = f"{who}: {alike} in all {_people_of(there)} with binding; nothing goes with what does not vary: mend"
            yield error(plan, ("contrast", index, "score"), f"{how} phenotype/, or name another score")
            return
    yield from _blocks(plan, index, contrast, there, people, who)
    yield from _design(plan, index, contrast, there, people, who)


def _blocks(
    plan: StudyPlan, index: int, contrast: ContrastSection, there: Sequence[str], people: People, who: str
) -> Found:
    """Yield blocks that allow no exchange of the arms: an error where that are all."""
    if contrast.blocks is None or contrast.blocks not in people.columns:
        return
    arms: dict[str, set[str]] = {}
    for one in there:
        arms.setdefault(people.columns[contrast.blocks][one], set()).add(people.columns[ARM][one])
    alone = sorted(block for block, inside in arms.items() if len(inside) == 1)
    key = ("contrast", index, "blocks")
    if arms and len(alone) == len(arms):
        how = f"{who}: no class of {contrast.blocks} holds people of both arms, so the arms cannot be dealt anew within"
        yield error(plan, key, how + " them; name another column, or leave blocks out")
    elif alone:
        told = f"{who}: people of {contrast.blocks} {', '.join(alone)} are of one arm"
        yield warning(plan, key, f"{told}, which they keep in every permutation")


def _design(
    plan: StudyPlan, index: int, contrast: ContrastSection, there: Sequence[str], people: People, who: str
) -> Found:
    """Yield terms of a contrast that are confounded, or more of them than people."""
    arms = arms_of(contrast)
    if not contrast.covariates and not arms:
        return
    try:
        if not there:
            raise InputError("nobody has all the values that it needs; fill them in, or take it out of the plan")
        columns: list[Column] = list(columns_of(contrast.covariates, people, there))
        if arms:
            columns.append(Factor(ARM, tuple(people.columns[ARM][one] for one in there), arms))
        if contrast.kind == "ancova":  # any numbers do: values of a person are not known yet
            stand_in = np.random.default_rng(0).normal(size=len(there))
            columns.append(Covariate(f"{contrast.parameter} in {sessions_of(contrast)[0]}", stand_in))
        n = design_of(columns, [(column.name,) for column in columns]).matrix.shape[1]
        if n >= len(there):
            raise InputError(f"{n} parameters for {_people_of(there)} leave nothing to judge by; take out covariates")
    except InputError as fault:
        key = ("contrast", index, "covariates" if contrast.covariates else "terms")
        yield error(plan, key, f"{who}: {fault}")


def _lacking(tracer: str, label: str, own: Sequence[Scan], scans: Sequence[Scan]) -> str:
    """Say why a session has no scan of a contrast's tracer; empty if it has one."""
    if any(scan.session == label for scan in own):
        return ""
    others = dict.fromkeys(scan.tracer or NAMELESS for scan in scans if scan.session == label)
    if others:
        return (
            f"its tracer is {tracer!r}, but the scans of session {label!r} are of {', '.join(others)}; one "
            "contrast compares sessions of one tracer"
        )
    labels = dict.fromkeys(scan.session for scan in own if scan.session is not None)
    return f"session {label!r} has no scan; {nearest(label, labels)}"


def _doubled(tracer: str, label: str, own: Sequence[Scan]) -> str:
    """Say who has several scans of a contrast's tracer in one of its sessions; empty if nobody has."""
    for who, n in Counter(scan.participant for scan in own if scan.session == label).items():
        if n > 1:
            several = [scan.label for scan in own if (scan.participant, scan.session) == (who, label)]
            return (
                f"sub-{who} has {n} scans with {tracer} in session {label!r} ({', '.join(several)}); leave "
                "one of them in the data set, or exclude the others (exclusions.tsv)"
            )
    return ""


def _people_of(names: Sequence[str]) -> str:
    return count(len(names), "person", "people")


def _names(people: Sequence[str]) -> str:
    return ", ".join(f"sub-{one}" for one in people)
