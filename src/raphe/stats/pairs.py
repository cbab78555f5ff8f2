"""The two values of each participant that a comparison of two sessions rests on."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from raphe.data.estimates import Estimate, Estimates
from raphe.data.results import Excluded, PairedValues
from raphe.errors import InputError
from raphe.quality import EXCLUDES, MEANING

NONE: Mapping[tuple[str, str], str] = MappingProxyType({})

Table = dict[tuple[str, str, str], Estimate]


def pair(
    estimates: Estimates,
    *,
    tracer: str,
    model: str,
    parameter: str,
    first: str,
    second: str,
    regions: Sequence[str] = (),
    excluded: Mapping[tuple[str, str], str] = NONE,
) -> tuple[PairedValues, ...]:
    """Pair each participant's estimates of two sessions, region by region.

    Parameters
    ----------
    estimates : Estimates
    tracer, model, parameter : str
        Rows that are meant; ``parameter`` is a symbol such as ``BP_ND``.
    first, second : str
        Labels of the two sessions.
    regions : sequence of str
        Regions in the order in which they are wanted; empty for all, in the order of the table.
    excluded : mapping of (str, str) to str
        Participant and session of each scan that was taken out before, of which there are no estimates, and why.

    Returns
    -------
    tuple of PairedValues, one a region
        Participants in the order of the table. A participant enters only with two usable values; whoever has but one,
        or one that may not be used, stands under ``excluded`` with the session at fault and the reason.

    Raises
    ------
    InputError
        If the sessions are one and the same, no row is of this tracer, model and parameter, a session or region has no
        such row, or two rows are of the same participant, session and region. The message says what there is.
    """
    if first == second:
        raise InputError(f"a comparison needs two sessions, but both are {first!r}; name another one")
    rows = _rows(estimates, tracer, model, parameter)
    for session in (first, second):
        _check_session(estimates, rows, session, tracer)
    known = Estimates(rows).distinct("region")
    for region in regions:
        if region not in known:
            raise InputError(
                f"region {region!r} has no {parameter} by {model} of {tracer}; there are {', '.join(known)}"
            )
    table = _table(rows)
    there = (row.participant for row in rows if row.session in (first, second))
    others = (participant for participant, session in excluded if session in (first, second))
    people = tuple(dict.fromkeys((*there, *others)))
    return tuple(_pair_region(table, people, region, first, second, excluded) for region in regions or known)


def _rows(estimates: Estimates, tracer: str, model: str, parameter: str) -> tuple[Estimate, ...]:
    wanted = {"tracer": tracer, "model": model, "parameter": parameter}
    rows = estimates.where(**wanted).rows
    if not rows:
        for field, value in wanted.items():
            if value not in estimates.distinct(field):
                raise InputError(f"no estimate has {field} {value!r}; there are {_listed(estimates.distinct(field))}")
        raise InputError(f"no estimate is of tracer {tracer!r}, model {model!r} and parameter {parameter!r} together")
    return rows


def _check_session(estimates: Estimates, rows: tuple[Estimate, ...], session: str, tracer: str) -> None:
    if any(row.session == session for row in rows):
        return
    others = estimates.where(session=session).distinct("tracer")
    if others and tracer not in others:
        raise InputError(
            f"session {session!r} was scanned with {_listed(others)}, not with {tracer}: two tracers cannot be "
            "compared; name two sessions of one tracer"
        )
    raise InputError(
        f"session {session!r} has no estimate that could be compared; there are the sessions "
        f"{_listed(Estimates(rows).distinct('session'))} of {tracer}"
    )


def _listed(values: Iterable[str]) -> str:
    return ", ".join(repr(value) for value in values) or "none"


def _table(rows: tuple[Estimate, ...]) -> Table:
    table: Table = {}
    for row in rows:
        key = (row.participant, row.session, row.region)
        if key in table:
            raise InputError(
                f"participant {row.participant!r} has two estimates of {row.parameter} by {row.model} in region "
                f"{row.region!r}, session {row.session!r}, tracer {row.tracer}; keep one scan a session, or give the "
                "second its own session label"
            )
        table[key] = row
    return table


def _pair_region(
    table: Table,
    people: tuple[str, ...],
    region: str,
    first: str,
    second: str,
    taken_out: Mapping[tuple[str, str], str],
) -> PairedValues:
    kept: list[tuple[Estimate, Estimate]] = []
    excluded: list[Excluded] = []
    scanned = {(participant, session) for participant, session, _ in table}
    for person in people:
        reasons = {}
        for session in (first, second):
            row, there = table.get((person, session, region)), (person, session) in scanned
            why = "" if there else taken_out.get((person, session), "")
            reasons[session] = why or _reason(row, there, session)
        excluded += [Excluded(person, session, region, reason) for session, reason in reasons.items() if reason]
        if not any(reasons.values()):
            kept.append((table[person, first, region], table[person, second, region]))
    values = np.array([(a.value, b.value, a.se, b.se) for a, b in kept], dtype=float).reshape(-1, 4)
    value, partner, se, partner_se = values.T
    return PairedValues(region, tuple(a.participant for a, _ in kept), value, partner, se, partner_se, tuple(excluded))


def _reason(row: Estimate | None, scanned: bool, session: str) -> str:
    """Why a value may not be used, in words; empty if it may."""
    if row is None:
        what = "value of this region" if scanned else "scan that could be analysed"
        return f"no {what} in session {session}"
    flags = [text for flag, text in MEANING.items() if row.quality & EXCLUDES & flag]
    if flags:
        return "; ".join(flags)
    return "" if math.isfinite(row.value) else "no finite value was estimated"
