"""The record of what was done: the source of the provenance files and of the report's methods text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

Scalar = str | int | float | bool | None
Parameter = Scalar | tuple[Scalar, ...]


@dataclass(frozen=True)
class Step:
    """One thing that was done.

    Parameters
    ----------
    name : str
        What was done, e.g. ``"fit"``; the methods text has a sentence for each name.
    parameters : mapping of str to str, number, bool, None or tuple of these
        Every setting that changes the numbers, in the units of the field's usage (min, kBq/mL).
    citations : tuple of str
        Keys of the reference list (``catalog/references.toml``).
    inputs : mapping of str to str
        SHA-256 of each file read, by its path.
    seconds : float
        Wall time.
    """

    name: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    citations: tuple[str, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", MappingProxyType(dict(self.parameters)))
        object.__setattr__(self, "inputs", MappingProxyType(dict(self.inputs)))
