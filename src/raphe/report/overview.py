"""The models of one scan side by side: what each gave, and which of them the data prefer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

from raphe.data.fit import Array, KineticFit
from raphe.report import model_figures
from raphe.report.section import Cell, Section
from raphe.report.wording import count, fixed, listed, share, unit

CLEAR = 0.95
"""Akaike weight from which on the preference for a model is called clear."""


class Column(NamedTuple):
    """One model as the head of the table shows it."""

    model: str
    macro: str
    unit: str
    weighed: bool
    """Whether the model has Akaike weights."""


class Entry(NamedTuple):
    """One model's answer for one region; ``cell`` is None where the model was not fitted to it."""

    cell: Cell | None
    anchor: str
    usable: bool
    weight: str
    number: float
    preferred: bool


class Pair(NamedTuple):
    """Two models' estimates of one parameter against each other."""

    drawing: Markup
    words: str


class Overview(NamedTuple):
    """Several models as the page shows them."""

    columns: tuple[Column, ...]
    preference: tuple[str, ...]
    """Sentences; none where no models can be compared."""
    short: str
    """The preference in a few words; empty where there is none."""
    pairs: tuple[Pair, ...]
    rows: tuple[tuple[str, tuple[Entry, ...]], ...]


def overview(fits: Sequence[KineticFit], sections: Sequence[Section]) -> Overview:
    """Put models side by side.

    Parameters
    ----------
    fits : sequence of KineticFit
    sections : sequence of Section
        One a fit, in the same order.
    """
    names = list(dict.fromkeys(region.name for section in sections for region in section.regions))
    weights = [_weights(fit, names) for fit in fits]
    best = _preferred(weights)
    columns = tuple(
        Column(section.model, section.macro, unit(section.macro), bool(np.isfinite(weight).any()))
        for section, weight in zip(sections, weights, strict=True)
    )
    sentences, short = _preference(fits, names, weights, best)
    return Overview(columns, sentences, short, _pairs(fits, sections), _rows(sections, names, weights, best))


def _weights(fit: KineticFit, names: Sequence[str]) -> Array:
    """Akaike weight of a model in each of the regions; NaN where it has none."""
    known = {} if fit.akaike is None else dict(zip(fit.names, fit.akaike, strict=True))
    return np.array([known.get(name, np.nan) for name in names], dtype=float)


def _preferred(weights: Sequence[Array]) -> list[int | None]:
    """Place of the model with the highest weight for each region; None where there is no weight."""
    table = np.array(weights)
    known = np.asarray(np.isfinite(table).any(axis=0))
    return [int(np.nanargmax(table[:, at])) if known[at] else None for at in range(table.shape[1])]


def _preference(
    fits: Sequence[KineticFit], names: Sequence[str], weights: Sequence[Array], best: Sequence[int | None]
) -> tuple[tuple[str, ...], str]:
    """Say which model the data prefer, in sentences and in a few words."""
    weighed = [at for at, weight in enumerate(weights) if np.isfinite(weight).any()]
    total = sum(one is not None for one in best)
    if not total:
        return (), ""
    won = {at: [row for row, one in enumerate(best) if one == at] for at in weighed}
    order = sorted(weighed, key=lambda at: -len(won[at]))
    first = order[0]
    short = f"{fits[first].model} in {len(won[first])} of {count(total, 'region')}"
    among = listed([fits[at].model for at in weighed])
    told = [
        f"{fits[at].model} {'is preferred ' if at == first else ''}in {len(won[at])} of {count(total, 'region')} "
        f"(Akaike weight above {CLEAR} in {_clear(weights[at], won[at]) or 'none'})"
        for at in order
        if won[at]
    ]
    never = [fits[at].model for at in order if not won[at]]
    told += [f"{listed(never)} in none"] if never else []
    sentences = [f"Of the models that fit the curve itself ({among}), {', '.join(told)}."]
    flagged = [
        f"{count(n, 'region')} by {fits[at].model}"
        for at in order
        if (n := _flagged(fits[at], [names[row] for row in won[at]]))
    ]
    if flagged:
        sentences.append(f"The preferred fit carries a flag that leaves it out of every summary in {listed(flagged)}.")
    others = [fit.model for at, fit in enumerate(fits) if at not in weighed]
    if others:
        sentences.append(f"{listed(others)} cannot take part: what such a model fits is not the curve itself.")
    return tuple(sentences), short


def _clear(weight: Array, rows: Sequence[int]) -> int:
    return int((weight[list(rows)] > CLEAR).sum())


def _flagged(fit: KineticFit, names: Sequence[str]) -> int:
    return sum(not fit.usable[fit.names.index(name)] for name in names)


def _rows(
    sections: Sequence[Section], names: Sequence[str], weights: Sequence[Array], best: Sequence[int | None]
) -> tuple[tuple[str, tuple[Entry, ...]], ...]:
    known = [{region.name: region for region in section.regions} for section in sections]
    rows = []
    for row, name in enumerate(names):
        entries = []
        for at, regions in enumerate(known):
            region, weight = regions.get(name), float(weights[at][row])
            entries.append(
                Entry(
                    None if region is None else region.cells[0],
                    "" if region is None else region.anchor,
                    region is not None and region.usable,
                    share(weight),
                    weight,
                    best[row] == at,
                )
            )
        rows.append((name, tuple(entries)))
    return tuple(rows)


def _pairs(fits: Sequence[KineticFit], sections: Sequence[Section]) -> tuple[Pair, ...]:
    """Each model against the first one before it that gives the same parameter."""
    found = []
    for at, (fit, section) in enumerate(zip(fits, sections, strict=True)):
        earlier = next((one for one in range(at) if sections[one].macro == section.macro), None)
        if earlier is not None:
            found.append(_pair(fits[earlier], fit, section.macro))
    return tuple(found)


def _pair(first: KineticFit, second: KineticFit, parameter: str) -> Pair:
    names = [
        name
        for name in first.names
        if name in second.names and first.usable[first.names.index(name)] and second.usable[second.names.index(name)]
    ]
    x, y = (
        np.array([fit.of(parameter)[0][fit.names.index(name)] for name in names], dtype=float)
        for fit in (first, second)
    )
    drawing = model_figures.against(names, x, y, parameter, first.model, second.model)
    with np.errstate(divide="ignore", invalid="ignore"):
        percent = 100 * (y - x) / x
    percent = percent[np.isfinite(percent)]
    if percent.size == 0:
        return Pair(drawing, f"No region has a usable estimate by both {first.model} and {second.model}.")
    low, middle, high = (fixed(float(v), 1, sign=True) for v in np.percentile(percent, (25, 50, 75)))
    return Pair(
        drawing,
        f"{second.model} against {first.model}: median difference {middle} %, middle half of the regions {low} to "
        f"{high} % ({count(len(names), 'region')} usable in both).",
    )
