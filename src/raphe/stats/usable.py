"""Which estimates of a table are meant, and which of them may be used."""

from __future__ import annotations

import math
from collections.abc import Iterable

from raphe.data.estimates import Estimate, Estimates
from raphe.errors import InputError, nearest
from raphe.quality import EXCLUDES, MEANING, UNTOLD

Table = dict[tuple[str, str, str], Estimate]
"""By participant, session and region."""


def rows_of(estimates: Estimates, tracer: str, model: str, parameter: str) -> tuple[Estimate, ...]:
    """Rows of one tracer, model and parameter.

    Raises
    ------
    InputError
        If there is none; the message says what there is.
    """
    wanted = {"tracer": tracer, "model": model, "parameter": parameter}
    rows = estimates.where(**wanted).rows
    if not rows:
        for field, value in wanted.items():
            if value not in estimates.distinct(field):
                raise InputError(f"no estimate has {field} {value!r}; there are {_listed(estimates.distinct(field))}")
        raise InputError(f"no estimate is of tracer {tracer!r}, model {model!r} and parameter {parameter!r} together")
    return rows


def check_session(estimates: Estimates, rows: tuple[Estimate, ...], session: str, tracer: str) -> None:
    """Raise InputError if a session is not among rows of a tracer."""
    if any(row.session == session for row in rows):
        return
    others = estimates.where(session=session).distinct("tracer")
    if others and tracer not in others:
        raise InputError(
            f"session {session!r} was scanned with {_listed(others)}, not with {tracer}: two tracers cannot be "
            "compared; name two sessions of one tracer"
        )
    there = Estimates(rows).distinct("session")
    of = f" of {tracer}" if tracer else ""
    raise InputError(f"session {session!r} has no estimate{of} that could be compared; {nearest(session, there)}")


def check_regions(rows: tuple[Estimate, ...], regions: Iterable[str]) -> None:
    """Raise InputError if a region is not among rows."""
    known = Estimates(rows).distinct("region")
    for region in regions:
        if region not in known:
            raise InputError(f"region {region!r} has no {_called(rows[0])}; {nearest(region, known)}")


def table_of(rows: tuple[Estimate, ...]) -> Table:
    """Rows by participant, session and region.

    Raises
    ------
    InputError
        If two rows are of the same participant, session and region.
    """
    table: Table = {}
    for row in rows:
        key = (row.participant, row.session, row.region)
        if key in table:
            raise InputError(
                f"participant {row.participant!r} has two estimates of {_called(row)} in region {row.region!r}, "
                f"session {row.session!r}; keep one scan a session, or give the second its own session label"
            )
        table[key] = row
    return table


def _called(row: Estimate) -> str:
    """Parameter of a row, with its model and tracer where the table says them."""
    return " ".join(filter(None, (row.parameter, row.model and f"by {row.model}", row.tracer and f"of {row.tracer}")))


def fault(row: Estimate | None, scanned: bool, session: str) -> str:
    """Why a value may not be used, in words; empty if it may."""
    if row is None:
        what = "value of this region" if scanned else "scan that could be analysed"
        return f"no {what} in session {session}"
    flags = [text for flag, text in MEANING.items() if row.quality & EXCLUDES & flag]
    if row.faults and not flags:
        return UNTOLD
    if flags:
        return "; ".join(flags)
    return "" if math.isfinite(row.value) else "no finite value was estimated"


def _listed(values: Iterable[str]) -> str:
    return ", ".join(repr(value) for value in values) or "none"
