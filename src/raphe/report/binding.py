"""Estimates of a study by region and session, one summary for each tracer and model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

from raphe.data.estimates import Estimate, Estimates
from raphe.data.results import Agreement, Contrast
from raphe.report import figures
from raphe.report.page import Fold, fold, ordered
from raphe.report.wording import decimals, fixed, unit

MACROS = ("V_T", "K_i", "BP_ND", "K_i_ref", "SUVR")
"""What a model is taken to be used for where nobody tells: the first of these that it gives, else its first
parameter."""


class Binding(NamedTuple):
    """The summary of one tracer by one model: figure and table by region and session."""

    tracer: str
    model: str
    parameter: str
    unit: str
    first: bool
    """Whether it is the first model of its tracer."""
    sessions: tuple[str, ...]
    figures: Fold[Markup]
    rows: tuple[tuple[str, tuple[tuple[str, str, int, float], ...]], ...]
    """Region; for each session mean, SD (of one participant: value, SE), n and the mean to sort by."""
    single: bool
    """Whether no session has more than one participant."""


def macros_of(
    estimates: Estimates,
    agreements: Sequence[Agreement],
    contrasts: Sequence[Contrast],
    told: Mapping[str, str],
) -> dict[str, str]:
    """Parameter that each model is used for.

    What is told stands first, then what its agreement is of, then what it is compared by, then :data:`MACROS`.
    """
    known = {contrast.model: contrast.parameter for contrast in contrasts}
    known |= {agreement.model: agreement.parameter for agreement in agreements}
    known |= told
    for model in estimates.distinct("model"):
        given = estimates.where(model=model).distinct("parameter")
        if known.get(model) not in given:
            known[model] = next((name for name in MACROS if name in given), given[0])
    return known


def of_macros(estimates: Estimates, macros: Mapping[str, str]) -> Estimates:
    """Estimates of the parameter that each model is used for."""
    return Estimates(tuple(row for row in estimates.rows if macros.get(row.model) == row.parameter))


def bindings(rows: Estimates, called: Mapping[str, str], wanted: Sequence[str]) -> list[Binding]:
    """Summarise every tracer and model.

    Parameters
    ----------
    rows : Estimates
        Of the parameter that each model is used for.
    called : mapping of str to str
        Name of each tracer with its label.
    wanted : sequence of str
        Regions that stand first.
    """
    found = []
    for name in rows.distinct("tracer"):
        for at, model in enumerate(rows.where(tracer=name).distinct("model")):
            own = rows.where(tracer=name, model=model)
            found.append(_binding(own, called.get(name, name), model, wanted, first=at == 0))
    return found


def _binding(estimates: Estimates, name: str, model: str, wanted: Sequence[str], *, first: bool) -> Binding:
    parameter = estimates.rows[0].parameter
    regions = ordered(estimates.distinct("region"), wanted)
    values: dict[str, dict[str, list[Estimate]]] = {_session(row): {} for row in estimates.rows}
    for row in estimates.usable().rows:
        values[_session(row)].setdefault(row.region, []).append(row)
    chunks = fold(regions, len(set(wanted) & set(regions)))
    label = f"{parameter} of {name} by {model}: every participant, by region and session"
    drawn = [
        figures.by_session(values, chunk, parameter, label, unit(parameter), named=first) for chunk in chunks if chunk
    ]
    rows = tuple((region, tuple(_mean(by_name.get(region, [])) for by_name in values.values())) for region in regions)
    single = all(len(people) < 2 for by_name in values.values() for people in by_name.values())
    shown = Fold(tuple(drawn[:1]), tuple(drawn[1:]))
    return Binding(name, model, parameter, unit(parameter), first, tuple(values), shown, rows, single)


def _session(row: Estimate) -> str:
    session = row.session or "unnamed session"
    return f"{session} ({row.condition})" if row.condition and row.condition != session else session


def _mean(people: Sequence[Estimate]) -> tuple[str, str, int, float]:
    """Mean and standard deviation, or the one value and its standard error."""
    values = np.array([row.value for row in people])
    sd = float(values.std(ddof=1)) if values.size > 1 else people[0].se if people else float("nan")
    mean = float(values.mean()) if values.size else float("nan")
    places = decimals(sd)
    return fixed(mean, places), fixed(sd, places), values.size, mean
