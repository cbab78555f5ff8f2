"""The constants of the mechanism as a Markdown table: ``python -m raphe.simulate.constants_table``."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from raphe.catalog.schema import Choice, Sourced
from raphe.simulate.constants import mechanism_file


def constants_table() -> str:
    """Every entry of ``mechanism.toml`` with its value, its source or the word assumption, and its note."""
    lines = ["| constant | value | source | note |", "|---|---|---|---|"]
    for name, entry in _entries("", mechanism_file()):
        value = entry.value if isinstance(entry, Choice) else f"{getattr(entry, 'value'):g}"  # noqa: B009
        source = f"{entry.source}, derived" if entry.status == "derived" else entry.source
        lines.append(f"| `{name}` | {value} | {source} | {entry.note} |")
    return "\n".join(lines) + "\n"


def _entries(name: str, value: object) -> Iterator[tuple[str, Sourced]]:
    """Everything that has a source, with the path to it."""
    if isinstance(value, Sourced):
        yield name, value
    elif isinstance(value, BaseModel):
        for field in type(value).model_fields:
            yield from _entries(f"{name}.{field}".lstrip("."), getattr(value, field))
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _entries(f"{name}.{key}", part)
    elif isinstance(value, tuple):
        for place, part in enumerate(value, 1):
            yield from _entries(f"{name} {getattr(part, 'region', place)}", part)


if __name__ == "__main__":
    print(constants_table(), end="")
