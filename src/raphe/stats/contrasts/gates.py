"""The order in which contrasts are judged: what is primary, what stands behind it, and what is exploratory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from raphe.data.results import Contrast, ContrastRow
from raphe.nomenclature import region_key
from raphe.stats.interval import CONFIDENCE

LEVEL = 1 - CONFIDENCE
"""A p value under it counts as shown."""


def in_order(
    contrasts: Sequence[Contrast], order: Sequence[str], region: str, *, primary: bool
) -> tuple[Contrast, ...]:
    """Contrasts with their status: each of the order is confirmatory while all before it are shown.

    In a fixed sequence every hypothesis is tested at the full level until the first that is not shown (Maurer, Hothorn
    and Lehmacher 1995); the hypothesis of a contrast is its answer in the primary region, by its own p, or in all of
    its regions by adjusted p where it does not have that one. What comes after is exploratory, and so is what the order
    does not name. A contrast that could not be made shuts the gate.

    Parameters
    ----------
    contrasts : sequence of Contrast
        In any order; they are given back in that.
    order : sequence of str
        Names, the primary first; without any, none is exploratory.
    region : str
        Primary region; empty for none.
    primary : bool
        Whether the plan names a primary contrast. Without one, nothing is secondary to it: contrasts are ``planned``.
    """
    behind = "secondary" if primary else "planned"
    if not order:
        return tuple(replace(one, status="primary" if one.primary else behind) for one in contrasts)
    made = {contrast.name: contrast for contrast in contrasts}
    closed = ""
    status: dict[str, tuple[str, str]] = {}
    for name in order:
        if closed:
            status[name] = (
                "exploratory",
                f"exploratory: {closed} stands before it in the plan's order and is not shown",
            )
        elif name in made:
            status[name] = ("primary" if made[name].primary else behind, "")
        if not closed and (name not in made or not _shown(made[name], region)):
            closed = repr(name)
    found = []
    for contrast in contrasts:
        kind, note = status.get(contrast.name, ("exploratory", "exploratory: the plan's order does not name it"))
        notes = (*contrast.notes, *((note,) if note else ()))
        found.append(replace(contrast, status=kind, notes=notes, in_order=kind != "exploratory"))
    return tuple(found)


def _shown(contrast: Contrast, region: str) -> bool:
    asked = [row for row in contrast.rows if not row.secondary]
    named = [row for row in asked if region and _same(row, region)]
    if named:
        return all(row.p < LEVEL for row in named)
    return bool(asked) and all(row.p_adjusted < LEVEL for row in asked)


def _same(row: ContrastRow, region: str) -> bool:
    return region_key(row.pairs.region) == region_key(region)
