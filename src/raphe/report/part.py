"""What stands beside a contrast on the study's page."""

from __future__ import annotations

from typing import NamedTuple

from raphe.report.simulated import Figure, Table

FEW = 6
"""So many rows of a table, or plots of people, stand open; the longer table and the other plots are folded away."""


class Part(NamedTuple):
    """What stands under one heading beside a contrast."""

    title: str
    sentences: tuple[str, ...]
    tables: tuple[Table, ...]
    figures: tuple[Figure, ...] = ()
