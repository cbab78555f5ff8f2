"""Blocks within which people were allotted to arms, and are dealt anew by a permutation test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from raphe.data.results import ContrastRow
from raphe.stats.contrasts.question import Material, Question


def blocks_of(question: Question, material: Material) -> dict[str, str] | None:
    """Block of each person who has one; None where the question names no blocks."""
    if not question.blocks:
        return None
    people, name = material.people, question.blocks
    return {who: cell for who, cell in people.columns.get(name, {}).items() if people.known(name, who) is not None}


def told_of_blocks(
    question: Question, rows: Sequence[ContrastRow], blocks: Mapping[str, str] | None
) -> tuple[str, ...]:
    """What a reader must know of blocks whose people are of one arm."""
    if blocks is None:
        return ()
    arms: dict[str, dict[str, str]] = {}
    for row in rows:
        for person, arm in zip(row.pairs.participants, row.groups, strict=True):
            arms.setdefault(blocks[person], {})[person] = arm
    alone = {block: people for block, people in sorted(arms.items()) if len(set(people.values())) == 1}
    if not alone:
        return ()
    n, of_all = (sum(map(len, found.values())) for found in (alone, arms))
    return (
        f"{n} of {of_all} participants keep their arm in every permutation: their blocks ({question.blocks} "
        f"{', '.join(alone)}) are of one arm",
    )
