"""The two values of each participant that a comparison of two sessions rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from raphe.data.estimates import Estimate, Estimates
from raphe.data.results import Excluded, PairedValues
from raphe.errors import InputError
from raphe.stats.usable import Table, check_regions, check_session, fault, rows_of, table_of

NONE: Mapping[tuple[str, str], str] = MappingProxyType({})


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
    rows = rows_of(estimates, tracer, model, parameter)
    for session in (first, second):
        check_session(estimates, rows, session, tracer)
    known = Estimates(rows).distinct("region")
    check_regions(rows, regions)
    table = table_of(rows)
    there = (row.participant for row in rows if row.session in (first, second))
    others = (participant for participant, session in excluded if session in (first, second))
    people = tuple(dict.fromkeys((*there, *others)))
    return tuple(_pair_region(table, people, region, first, second, excluded) for region in regions or known)


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
            reasons[session] = why or fault(row, there, session)
        excluded += [Excluded(person, session, region, reason) for session, reason in reasons.items() if reason]
        if not any(reasons.values()):
            kept.append((table[person, first, region], table[person, second, region]))
    values = np.array([(a.value, b.value, a.se, b.se) for a, b in kept], dtype=float).reshape(-1, 4)
    value, partner, se, partner_se = values.T
    return PairedValues(region, tuple(a.participant for a, _ in kept), value, partner, se, partner_se, tuple(excluded))
