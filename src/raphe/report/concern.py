"""Scans of a study by how much there is to worry about their images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from raphe.data.concern import SETTLED, Concern
from raphe.report.wording import fixed, general, listed

RULE = (
    "Scans with more doubts stand first; among those with as many, the one whose head moved farthest between two "
    f"frames. Movement counts from {general(SETTLED)} min after injection: before it frames are short, and their "
    "positions are rough. Movement between frames was undone as far as its correction was asked for; movement within "
    "frames was not. This order is where to begin to look, not a verdict."
)


class Cell(NamedTuple):
    """A number in words, and the number to sort by."""

    words: str
    number: float


class Row(NamedTuple):
    """One scan."""

    label: str
    href: str
    excluded: bool
    cells: tuple[Cell, ...]
    doubts: tuple[str, ...]


HEADS = (
    ("Doubts", ""),
    ("Largest movement", "between frames, mm"),
    ("Mean movement", "between frames, mm"),
    ("Movement", "within frames, mm"),
    ("MRI explains", "% of PET's variance"),
    ("Frames held", "as their neighbours"),
    ("Regions cut off", "by the field of view"),
)
"""Columns of numbers, each with what it is in."""


def concerns(found: Mapping[str, Concern], hrefs: Mapping[str, str], excluded: Sequence[str]) -> list[Row]:
    """Rows of the table, the most worrying scan first.

    Parameters
    ----------
    found : mapping of str to Concern
        By the scan's label.
    hrefs : mapping of str to str
        Way to the report of each scan; empty where there is none.
    excluded : sequence of str
        Labels of scans that a person has taken out.
    """
    order = sorted(found, key=lambda label: (*found[label].rank, label))
    return [
        Row(label, hrefs.get(label, ""), label in excluded, _cells(found[label]), found[label].doubts)
        for label in order
    ]


def _cells(one: Concern) -> tuple[Cell, ...]:
    moved, n_cut = one.movement, len(one.cut_off)
    return (
        Cell(str(len(one.doubts)), len(one.doubts)),
        Cell(fixed(moved.largest, 1), moved.largest),
        Cell(fixed(moved.mean, 2), moved.mean),
        Cell(fixed(moved.within, 2), moved.within),
        Cell(fixed(100 * one.explained, 0), one.explained),
        Cell(f"{one.held} of {one.n_frame}", one.held),
        Cell(f"{n_cut} ({listed(one.cut_off, 3)})" if n_cut else "0", n_cut),
    )
