"""A table of estimates looked at before contrasts are made of it: values that cannot be, that do not vary, copies."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from raphe.data.estimates import Estimates
from raphe.errors import InputError
from raphe.io.tables import no_chance
from raphe.kinetics.judgement import PLAUSIBLE
from raphe.nomenclature import region_key
from raphe.pipeline.contrast_rules import tracers_of
from raphe.pipeline.plan_schema import StudyPlan, same_tracer
from raphe.quality import WORD, Quality
from raphe.report.wording import count

FEW = 3
"""Fewer equal values than that may be chance, or rounding."""


def implausible(table: Path, estimates: Estimates) -> Iterator[str]:
    """Tell of values that no fit would leave unflagged, which somebody has written: the first, and of how many."""
    odd = [
        row
        for row in estimates.usable().rows
        if row.parameter in PLAUSIBLE and not PLAUSIBLE[row.parameter][0] < row.value < PLAUSIBLE[row.parameter][1]
    ]
    for row in odd[:1]:
        low, high = PLAUSIBLE[row.parameter]
        more = f", and {len(odd) - 1} more are as odd" if len(odd) > 1 else ""
        yield (
            f"{table}: {row.parameter} of participant {row.participant!r}, session {row.session!r}, region "
            f"{row.region!r} is {row.value:g}, where {low:g} to {high:g} is plausible{more}; mend it, or flag it "
            f"({WORD[Quality.IMPLAUSIBLE]} in the column quality)"
        )


def check_vary(table: Path, plan: StudyPlan, estimates: Estimates) -> None:
    """Refuse what a contrast asks of where it is the same in everyone, in the primary region or in all regions."""
    asked = _asked(plan)
    values: dict[tuple[str, str, str, str], dict[str, list[float]]] = {}
    for row in estimates.rows:
        if (same_tracer(row.tracer), row.parameter) in asked and not math.isnan(row.value):
            one = values.setdefault((row.tracer, row.model, row.parameter, row.session), {})
            one.setdefault(row.region, []).append(row.value)
    key = region_key(plan.primary.region) if plan.primary else ""
    for (tracer, model, parameter, session), regions in values.items():
        alike = {name for name, found in regions.items() if len(found) >= FEW and len(set(found)) == 1}
        named = [name for name in alike if region_key(name) == key]
        if named or alike >= set(regions):
            where = named[0] if named else min(alike)
            others = "" if len(regions) == 1 or alike < set(regions) else " (every region likewise)"
            raise InputError(
                f"{table}: {parameter} by {model} of {tracer} in region {where!r}{others} is {regions[where][0]:g} in "
                f"all {len(regions[where])} participants of session {session!r}; measurements vary, and nothing can be "
                "compared that does not: mend the column value"
            )


def copied(table: Path, plan: StudyPlan, estimates: Estimates) -> Iterator[str]:
    """Tell of scans whose values, which a contrast asks of, are all another's to the last digit: the first two."""
    asked, scans = _asked(plan), dict[tuple[str, str, str], dict[tuple[str, str], dict[str, float]]]()
    for row in estimates.rows:
        if (same_tracer(row.tracer), row.parameter) in asked and math.isfinite(row.value):
            of = scans.setdefault((row.tracer, row.model, row.parameter), {})
            of.setdefault((row.participant, row.session), {})[row.region] = row.value
    for (tracer, model, parameter), of in scans.items():
        alike: dict[frozenset[tuple[str, float]], list[tuple[str, str]]] = {}
        for scan, values in of.items():
            if no_chance(values.values()):
                alike.setdefault(frozenset(values.items()), []).append(scan)
        several = [found for found in alike.values() if len(found) > 1]
        for first, second, *others in several[:1]:
            n = len(others) + sum(len(found) for found in several[1:])
            regions = list(of[first])
            where = f"all {len(regions)} regions" if len(regions) > 1 else f"region {regions[0]!r}"
            more = f"; {count(n, 'more scan')} likewise" if n else ""
            yield (
                f"{table}: {parameter} by {model} of {tracer} is the same, to the last digit, in {where} of "
                f"{_named(first)} and {_named(second)}{more}; two scans do not give that: is one a copy of the other?"
            )


def _asked(plan: StudyPlan) -> set[tuple[str, str]]:
    """Tracers, by their keys, and parameters that contrasts are of."""
    return {(same_tracer(tracer), one.parameter) for one in plan.contrasts for tracer in tracers_of(one)}


def _named(scan: tuple[str, str]) -> str:
    who, session = scan
    return f"participant {who!r}" + (f", session {session!r}" if session else "")
