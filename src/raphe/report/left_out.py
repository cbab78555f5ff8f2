"""What a study's summaries leave out, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from raphe.data.estimates import Estimate, Estimates
from raphe.data.results import Agreement, Contrast, Excluded
from raphe.quality import EXCLUDES, UNTOLD
from raphe.report.wording import listed, remarks

SELECTION = 0.2
"""Share of a region's estimates that may be left out before the page says that the others are a selection."""

Key = tuple[str, str, str, str, str, str]
"""Participant, session, tracer, parameter, model, reason."""


class Left(NamedTuple):
    """Estimates that were left out for one reason."""

    participant: str
    session: str
    tracer: str
    estimates: str
    """Parameter and models."""
    regions: str
    reason: str


def left_out(
    rows: Sequence[Estimate],
    contrasts: Sequence[Contrast],
    agreements: Sequence[Agreement],
    called: Mapping[str, str],
) -> list[Left]:
    """Every estimate or pair that no summary holds, regions gathered by scan, model and reason.

    Parameters
    ----------
    rows : sequence of Estimate
        Of what is summarised.
    contrasts, agreements : sequence
    called : mapping of str to str
        Name of each tracer with its label.
    """
    found: dict[Key, dict[str, None]] = {}
    regions: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        regions.setdefault((row.tracer, row.model), set()).add(row.region)
        if not row.usable:
            key = (row.participant, row.session, row.tracer, row.parameter, row.model, _reason(row))
            found.setdefault(key, {})[row.region] = None
    scanned = {(row.participant, row.session, row.tracer, row.parameter, row.model, row.region) for row in rows}
    for contrast in contrasts:
        for answer in contrast.rows:
            for out in answer.pairs.excluded:
                of = out.tracer or (
                    contrast.tracer if not contrast.sources else listed([n for n, _ in contrast.sources])
                )
                _add(found, scanned, out, (of, contrast.parameter, contrast.model_of(out.tracer)))
    for agreement in agreements:
        for pair in agreement.rows:
            for out in pair.pairs.excluded:
                _add(found, scanned, out, (agreement.tracer, agreement.parameter, agreement.model))
    return _alike(found, regions, called)


def _add(found: dict[Key, dict[str, None]], scanned: set[Key], out: Excluded, what: tuple[str, str, str]) -> None:
    """List a value that a comparison leaves out, unless it is listed as an estimate that was left out."""
    if (out.participant, out.session, *what, out.region) not in scanned:
        found.setdefault((out.participant, out.session, *what, out.reason), {})[out.region] = None


def _alike(
    found: Mapping[Key, Mapping[str, None]], regions: Mapping[tuple[str, str], set[str]], called: Mapping[str, str]
) -> list[Left]:
    """One row for all models of which the same regions were left out for the same reason."""
    rows: dict[tuple[str, str, str, str, str, str], list[str]] = {}
    for (who, session, of, parameter, model, reason), names in found.items():
        every = regions.get((of, model), set())
        which = "all" if set(names) == every else ", ".join(names)
        rows.setdefault((who, session, of, parameter, which, reason), []).append(model)
    return [
        Left(who, session, called.get(of, of), f"{parameter} by {listed(models)}", which, reason)
        for (who, session, of, parameter, which, reason), models in rows.items()
    ]


def _reason(row: Estimate) -> str:
    told = remarks(row.quality & EXCLUDES)
    if row.faults and not told:
        return UNTOLD
    return "; ".join(told) or "no value was estimated"


def selected(rows: Estimates, called: Mapping[str, str]) -> list[str]:
    """Regions of which so many estimates were left out that the others are a selection."""
    count: dict[tuple[str, str, str], list[bool]] = {}
    for row in rows.rows:
        count.setdefault((row.tracer, row.model, row.region), []).append(row.usable)
    several = len(rows.distinct("model")) > 1
    return [
        f"{region} ({called.get(tracer, tracer)}{f' by {model}' if several else ''}: {usable.count(False)} of "
        f"{len(usable)})"
        for (tracer, model, region), usable in count.items()
        if any(usable) and usable.count(False) > SELECTION * len(usable)
    ]
