"""The two tables of ``raphe occupancy``: which rows are meant, and the two values of each participant and region."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from raphe.data.estimates import Estimates
from raphe.data.results import PairedValues
from raphe.errors import InputError, nearest
from raphe.io.binding import read_binding
from raphe.nomenclature import BY_LABEL, SYMBOLS, tracer_key
from raphe.stats.pairs import pair

PARAMETERS = ("V_T", "BP_ND")
"""What an occupancy is told by; where both tables have both, the first."""


class Paired(NamedTuple):
    """What the tables hold of both scans."""

    tracer: str
    model: str
    parameter: str
    labels: tuple[str, str]
    """Of the baseline and of the blocked scan: the sessions where they are named, else what they are."""
    pairs: tuple[PairedValues, ...]
    session: str
    """Of the blocked scan; empty where its table does not say."""


def read_pairs(options: argparse.Namespace) -> Paired:
    """Read both tables and pair their values.

    Raises
    ------
    InputError
        If a table cannot be read or holds more than one session, tracer or model that was not chosen; if the two are
        one, or of different tracers, models or participants; if they have no parameter or no region in common.
    """
    paths = options.baseline, options.blocked or options.baseline
    before, after = _tables(options)
    tracer, model = (_common(field, before, after, paths) for field in ("tracer", "model"))
    parameter = _parameter(options.parameter, before, after, paths)
    labels = _labels(options)
    pairs = _pairs(before, after, parameter, labels, options.regions)
    return Paired(tracer, model, parameter, labels, pairs, after.distinct("session")[0])


def _tables(options: argparse.Namespace) -> tuple[Estimates, Estimates]:
    """Rows of either scan that are meant."""
    paths = options.baseline, options.blocked or options.baseline
    found = []
    for at, path in enumerate(paths):
        table = read_binding(path)
        if options.session:
            table = _only(table, "session", [options.session[at]], path)
        elif len(table.distinct("session")) > 1:
            there = ", ".join(table.distinct("session"))
            raise InputError(f"{path} holds the sessions {there}; name both with --session BASELINE BLOCKED")
        if options.participant:
            people = [label.removeprefix("sub-") for label in options.participant]
            table = _only(table, "participant", people, path)
        for field, wanted in (("tracer", [options.tracer]), ("model", options.model)):
            if any(wanted):
                table = _only(table, field, wanted, path)
        found.append(table)
    if paths[0] == paths[1] and not (options.session and options.session[0] != options.session[1]):
        raise InputError(
            f"{paths[0]} is both the baseline and the blocked scan; name two tables, or two sessions of this one with "
            "--session BASELINE BLOCKED"
        )
    return found[0], found[1]


def _only(table: Estimates, field: str, wanted: Sequence[str], path: Path) -> Estimates:
    """Rows with one of some values in a field, whatever case a tracer or model is written in."""
    key = tracer_key if field == "tracer" else str.lower if field == "model" else str
    there = {key(value): value for value in table.distinct(field)}
    for value in wanted:
        if key(value) not in there:
            raise InputError(f"{path} has no {field} {value!r}; {nearest(value, there.values())}")
    keys = {key(value) for value in wanted}
    return Estimates(tuple(row for row in table.rows if key(getattr(row, field)) in keys))


def _common(field: str, before: Estimates, after: Estimates, paths: tuple[Path, Path]) -> str:
    """The one tracer or model of both tables; empty where they do not say."""
    values = [table.distinct(field) for table in (before, after)]
    for path, there in zip(paths, values, strict=True):
        if len(there) > 1:
            raise InputError(f"{path} holds the {field}s {', '.join(there)}; choose one with --{field}")
    first, second = (there[0] for there in values)
    if first and second and first.lower() != second.lower():
        raise InputError(
            f"{paths[0]} is of {field} {first} and {paths[1]} of {second}: an occupancy needs the same in both scans"
        )
    return first or second


def _parameter(said: str | None, before: Estimates, after: Estimates, paths: tuple[Path, Path]) -> str:
    there = [table.distinct("parameter") for table in (before, after)]
    wanted = (BY_LABEL[said].name,) if said else PARAMETERS
    for name in wanted:
        if all(name in names for names in there):
            return name
    told = []
    for path, names in zip(paths, there, strict=True):
        missing = [SYMBOLS[name].label for name in wanted if name not in names]
        if missing:
            told.append(f"{path} has no {' or '.join(missing)} but {', '.join(SYMBOLS[name].label for name in names)}")
    way = "fit a model with arterial input for VT (a Lassen plot), or one with a reference region for BPND"
    raise InputError(f"{'; '.join(told)}; {way}")


def _labels(options: argparse.Namespace) -> tuple[str, str]:
    if options.session:
        return options.session[0], options.session[1]
    return "baseline", "blocked"


def _pairs(
    before: Estimates, after: Estimates, parameter: str, labels: tuple[str, str], regions: Sequence[str]
) -> tuple[PairedValues, ...]:
    """Both values of each participant and region; participants and regions of one scan alone are excluded there."""
    people = [table.distinct("participant") for table in (before, after)]
    if not set(people[0]) & set(people[1]):
        if not (len(people[0]) == len(people[1]) == 1 and "" in (people[0][0], people[1][0])):
            raise InputError(
                f"the baseline is of participant {', '.join(people[0])} and the blocked scan of "
                f"{', '.join(people[1])}: no participant has both; name two scans of the same"
            )
        name = people[0][0] or people[1][0]
        before, after = (
            Estimates(tuple(row._replace(participant=name) for row in table.rows)) for table in (before, after)
        )
    named = [
        Estimates(
            tuple(row._replace(session=label, tracer="", model="") for row in table.where(parameter=parameter).rows)
        )
        for table, label in zip((before, after), labels, strict=True)
    ]
    there = [table.distinct("region") for table in named]
    if not set(there[0]) & set(there[1]):
        raise InputError(
            f"no region is in both tables: the baseline has {', '.join(there[0])}, the blocked scan "
            f"{', '.join(there[1])}; use one segmentation for both"
        )
    return pair(
        Estimates.joined(named),
        tracer="",
        model="",
        parameter=parameter,
        first=labels[0],
        second=labels[1],
        regions=regions,
    )
