"""Finds one model of blood per file."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import ModuleType

from raphe.blood import arterial, parent_fraction, plasma_ratio
from raphe.blood.protocol import BloodModel, Example
from raphe.errors import ModelError, nearest

KINDS: Mapping[str, ModuleType] = {
    "parent_fraction": parent_fraction,
    "plasma_ratio": plasma_ratio,
    "arterial": arterial,
}
"""Folders of models by what they describe."""


@cache
def examples(kind: str) -> Mapping[str, Example]:
    """Example of every model of one kind, by the name of its file, sorted."""
    folder = KINDS[kind]
    names = sorted(module.name for module in pkgutil.iter_modules(folder.__path__))
    return {name: importlib.import_module(f"{folder.__name__}.{name}").EXAMPLE for name in names}


def names(kind: str) -> tuple[str, ...]:
    """Names of all models of one kind, sorted."""
    return tuple(examples(kind))


def candidates(kind: str) -> tuple[BloodModel, ...]:
    """Models of one kind that are tried when none is named."""
    return tuple(model for example in examples(kind).values() for model in example.candidates)


def make(kind: str, name: str, **assumptions: float | None) -> BloodModel:
    """Make a model by its name with what it assumes.

    Parameters
    ----------
    kind : {"parent_fraction", "plasma_ratio", "arterial"}
    name : str
        Any case; ``-`` and blanks count as ``_``.
    **assumptions : float or None
        Fields of the model; ``start=None`` of a parent fraction means that it is fitted.

    Raises
    ------
    ModelError
        If the name is unknown, or a value is given that the model does not take.
    """
    key = name.strip().lower().replace("-", "_").replace(" ", "_")
    found = examples(kind).get(key)
    if found is None:
        raise ModelError(
            f"there is no model {name!r} of the {kind.replace('_', ' ')}; {nearest(key, names(kind))}, or 'auto'"
        )
    fields = {f.name for f in dataclasses.fields(found.model) if f.init}  # type: ignore[arg-type]
    for field in assumptions:
        if field not in fields:
            raise ModelError(f"the model {key!r} of the {kind.replace('_', ' ')} has no {field}; leave it out")
    return dataclasses.replace(found.model, **assumptions)  # type: ignore[type-var]
