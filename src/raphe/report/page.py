"""What the pages have in common: the template engine, and the parts that stand on each of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Generic, NamedTuple, TypeVar

import jinja2
from markupsafe import Markup, escape

from raphe.data.record import Parameter, Step
from raphe.report import wording
from raphe.report.methods import grouped, inputs, methods

Item = TypeVar("Item")

FIRST = 24
"""So many panels of a kind stand open on a page; the rest are folded away."""

VALUES = 4
"""So many values of a setting that differs from scan to scan stand on a page; the provenance files have them all."""

DOI = re.compile(r"\b(10\.\d{4,9}/\S*[^\s.,;)])")


class Fold(NamedTuple, Generic[Item]):
    """Items that stand open, and those that are folded away."""

    shown: tuple[Item, ...]
    rest: tuple[Item, ...]


def render(template: str, **values: object) -> str:
    """Fill a template; whatever is not marked as safe is escaped."""
    return _environment().get_template(template).render(**values)


def fold(items: Sequence[Item], named: int = 0, most: int = FIRST) -> Fold[Item]:
    """Split items, where they are more than ``most``, after those that were named, or else after so many."""
    first = len(items) if len(items) <= most else named or most
    return Fold(tuple(items[:first]), tuple(items[first:]))


def ordered(names: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """Put the names in ``wanted`` first, in that order."""
    first = [name for name in dict.fromkeys(wanted) if name in set(names)]
    return first + [name for name in names if name not in set(first)]


def record(
    steps: Sequence[Step],
    versions: Mapping[str, str],
    citations: Mapping[str, str],
    command_line: str,
    called: Mapping[str, str] | None = None,
) -> dict[str, object]:
    """Values that the methods and provenance sections of a page need; ``called`` as of :func:`methods`."""
    told = methods(steps, citations, called)
    return {
        "sentences": told.sentences,
        "references": [linked(text) for text in told.references],
        "versions": versions,
        "inputs": inputs(steps),
        "command_line": command_line,
        "steps": [_settings(group) for group in grouped(steps)],
        "n_steps": len(steps),
    }


def _settings(group: Sequence[Step]) -> tuple[str, dict[str, str]]:
    """Name of a step, with every setting as text; where scans differ, the first few values."""
    found: dict[str, dict[str, None]] = {}
    for step in group:
        for key, value in step.parameters.items():
            found.setdefault(key, {})[_setting(value)] = None
    times = f" ({len(group)} times)" if len(group) > 1 else ""
    return group[0].name + times, {key: _few(list(values)) for key, values in found.items()}


def _setting(value: Parameter) -> str:
    """Write a setting in full."""
    if isinstance(value, tuple):
        return ", ".join(_setting(one) for one in value) or "none"
    return {None: "none", True: "yes", False: "no"}[value] if value is None or isinstance(value, bool) else str(value)


def _few(values: Sequence[str]) -> str:
    rest = f"; and {len(values) - VALUES} others" if len(values) > VALUES else ""
    return "; ".join(values[:VALUES]) + rest


def linked(reference: str) -> Markup:
    """Turn the doi in a reference into a link."""
    safe = str(escape(wording.printable(reference)))
    return Markup(DOI.sub(lambda m: f'<a href="https://doi.org/{m[1]}">{m[1]}</a>', safe))


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("raphe.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalized,
    )
    environment.filters["typeset"] = wording.typeset
    environment.filters["quantities"] = wording.quantities
    environment.filters["listed"] = wording.listed
    environment.filters["opening"] = wording.opening
    environment.globals["symbol"] = wording.symbol
    environment.globals["unit"] = wording.unit
    environment.globals["count"] = wording.count
    environment.globals["short"] = wording.short
    return environment


def _finalized(value: object) -> object:
    return wording.printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value
