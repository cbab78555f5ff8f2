"""Estimates of a study: one long table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from raphe.quality import EXCLUDES, Quality, of_parameter


class Estimate(NamedTuple):
    """One parameter of one region of one scan."""

    participant: str
    session: str
    tracer: str
    condition: str
    arm: str
    region: str
    model: str
    parameter: str
    """Symbol, e.g. ``BP_ND``."""
    value: float
    """NaN where the curve could not be fitted."""
    se: float
    """Standard error in the parameter's own unit."""
    quality: Quality

    @property
    def usable(self) -> bool:
        """Whether the value may enter a summary."""
        return not self.faults and self.value == self.value

    @property
    def faults(self) -> Quality:
        """Flags that keep the value out of every summary."""
        own = of_parameter(self.quality, self.parameter, self.value, self.se)
        return own & (EXCLUDES | Quality.UNDETERMINED)


@dataclass(frozen=True)
class Estimates:
    """Every estimate of a study, in the order in which scans and regions were read."""

    rows: tuple[Estimate, ...]

    def where(self, **fields: str) -> Estimates:
        """Rows whose fields equal those given, e.g. ``where(parameter="BP_ND", session="test")``."""
        return Estimates(tuple(r for r in self.rows if all(getattr(r, k) == v for k, v in fields.items())))

    def usable(self) -> Estimates:
        """Rows that may enter a summary."""
        return Estimates(tuple(r for r in self.rows if r.usable))

    def distinct(self, field: str) -> tuple[str, ...]:
        """Values of one field in order of first appearance."""
        return tuple(dict.fromkeys(getattr(r, field) for r in self.rows))

    @staticmethod
    def joined(tables: Iterable[Estimates]) -> Estimates:
        """One table of several."""
        return Estimates(tuple(row for table in tables for row in table.rows))
