"""Finds one model per file."""

from __future__ import annotations

import dataclasses
import difflib
import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache

from raphe.errors import ModelError
from raphe.kinetics import models
from raphe.kinetics.protocol import Example, KineticModel


@cache
def examples() -> Mapping[str, Example]:
    """Collect the example of every model, by the model's name, in the order of the names."""
    found: dict[str, Example] = {}
    for module in pkgutil.iter_modules(models.__path__):
        example: Example = importlib.import_module(f"{models.__name__}.{module.name}").EXAMPLE
        found[example.model.name] = example
    return dict(sorted(found.items()))


def names() -> tuple[str, ...]:
    """Names of all models, sorted."""
    return tuple(examples())


def model_type(name: str) -> type[KineticModel]:
    """Type of the model called ``name``, in any case, or by an alias.

    Raises
    ------
    ModelError
        If there is none; the message names the nearest ones.
    """
    known = {
        word.lower(): type(example.model)
        for example in examples().values()
        for word in (example.model.name, *example.model.aliases)
    }
    if name.lower() not in known:
        near = difflib.get_close_matches(name.lower(), known, n=1)
        hint = f"did you mean {known[near[0]].name}? " if near else ""
        raise ModelError(f"there is no kinetic model {name!r}; {hint}The models are {', '.join(names())}")
    return known[name.lower()]


def make(name: str, **assumptions: float | None) -> KineticModel:
    """Make a model by its name with what it assumes; ``None`` means not given.

    Parameters
    ----------
    name : str
        Any case; aliases are accepted.
    **assumptions : float or None
        Fields of the model, e.g. ``k2_prime`` in 1/min and ``t_star`` in min.

    Raises
    ------
    ModelError
        If the name is unknown, a value is given that the model does not take, or one is missing that it needs.
    """
    kind = model_type(name)
    fields = {f.name: f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    given = {key: value for key, value in assumptions.items() if value is not None}
    for key, value in given.items():
        if key not in fields:
            raise ModelError(f"{kind.name} has no {key}, but {key} = {value:g} was given; leave it out")
    for key, field in fields.items():
        if key not in given and field.default is dataclasses.MISSING:
            raise ModelError(f"{kind.name} needs {key}, which was not given")
    return kind(**given)
