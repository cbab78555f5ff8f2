"""Faults of the study plan's schema, in the words of someone who writes TOML."""

from __future__ import annotations

import json
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from raphe.errors import nearest

LATER_SECTIONS = ("blinding",)
"""Sections that a plan may have once this program reads them."""


def describe(fault: ErrorDetails, plan: type[BaseModel]) -> str:
    """One fault in words: the key, its value and the way out; without file and line.

    Parameters
    ----------
    fault : ErrorDetails
        As pydantic reports it.
    plan : type of BaseModel
        Schema of the whole plan.
    """
    path, kind = fault["loc"], fault["type"]
    if kind == "extra_forbidden":
        return _unknown(path, plan)
    if kind == "missing":
        return f"{_table(path[:-1]) or 'the plan'} lacks {_section(plan, path[-1])}; add it"
    if kind in ("tuple_type", "model_type") and len(path) == 1:
        single = kind == "model_type"
        brackets = f"[{path[0]}]" if single else f"[[{path[0]}]]"
        how = "a table that stands once" if single else "a table that may stand several times"
        return f"{path[0]} is {how}; write {brackets}"
    return f"{_table(path)} = {_value(fault['input'])}: {_reason(fault)}"


def _unknown(path: tuple[str | int, ...], plan: type[BaseModel]) -> str:
    key = str(path[-1])
    if len(path) == 1 and key in LATER_SECTIONS:
        return f"[{key}] is not in this version of raphe, and nothing in it would be obeyed; take it out"
    where = _table(path[:-1]) or "the plan"
    return f"{where} has no key {key!r}; {nearest(key, _keys(plan, path[:-1]))}"


def _reason(fault: ErrorDetails) -> str:
    kind, context = fault["type"], fault.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind == "literal_error":
        known = [word.strip("' ") for word in context["expected"].replace(" or ", ",").split(",")]
        hint = nearest(str(fault["input"]), known)
        return f"it must be one of {', '.join(known)}" + (f"; {hint}" if hint.startswith("did") else "")
    expected = {
        "string_type": 'it must be text in double quotes, as "..."',
        "float_type": "it must be a number, without quotes",
        "int_type": "it must be a whole number, without quotes",
        "bool_type": "it must be true or false, without quotes",
        "tuple_type": 'it must be a list, as ["...", "..."]',
        "model_type": "it must be a table of keys and values",
        "mapping_type": "it must be a table of names and lists",
        "dict_type": "it must be a table of names and lists",
        "missing": "it is missing",
    }
    return expected.get(kind) or fault["msg"].replace("Input should", "it must")


def _table(path: tuple[str | int, ...]) -> str:
    """Write a path as a person would: ``[[tracer]] model``, ``[regions.merge] striatum``."""
    if not path:
        return ""
    section, rest = str(path[0]), list(path[1:])
    if rest and isinstance(rest[0], int):
        head = f"[[{section}]]"
        rest = rest[1:]
    else:
        head = f"[{section}]"
    words = [str(part) for part in rest if isinstance(part, str)]
    places = [f"element {part + 1}" for part in rest if isinstance(part, int)]
    return " ".join((head, *([".".join(words)] if words else []), *places))


def _section(plan: type[BaseModel], key: str | int) -> str:
    """Write a key as it has to stand."""
    field = next((field for field in plan.model_fields.values() if field.alias == key), None)
    return f"[[{key}]]" if field else f"the key {key!r}"


def _value(value: object) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _keys(model: type[BaseModel], path: tuple[str | int, ...]) -> list[str]:
    """Keys that are known in the table at ``path``."""
    for part in path:
        if isinstance(part, str):
            field = next(f for name, f in model.model_fields.items() if part in (f.alias, name))
            model = _model_in(field.annotation)
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel]:
    """Find the section that a field's type holds."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(_model_in(part) for part in get_args(annotation) if part is not Ellipsis and part is not type(None))
