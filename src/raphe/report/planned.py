"""The table of what a study had planned to test and what it explored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from raphe.report.answers import CONTROLLED, Answer, cautions, ordered, sentence
from raphe.report.wording import probability

CALLED = {
    "between": "between arms",
    "interaction": "difference of differences",
    "crossover": "within people",
    "within": "within one arm",
    "correlation": "correlation",
}
"""Kinds of contrast in words."""


class Row(NamedTuple):
    """One contrast as the table shows it."""

    place: str
    """Its role, with its place in the order of tests where it has one."""
    role: str
    contrast: str
    kind: str
    told: str
    p: str
    p_adjusted: str
    state: str
    """``shown``, ``not shown``, ``not tested`` or ``not computed``."""


class Planned(NamedTuple):
    """Contrasts in the order of the plan, and what is to be said before them."""

    rows: tuple[Row, ...]
    cautions: tuple[str, ...]
    remarks: tuple[str, ...]


def planned(answers: Sequence[Answer], primary_unmade: str = "") -> Planned:
    """Put answers in the order in which a page tells them.

    Parameters
    ----------
    answers : sequence of Answer
        Secondary ones in the order of their tests.
    primary_unmade : str
        Why the plan's primary contrast could not be made; empty where it was, or the plan names none.
    """
    rows, seen = [], 0
    for answer in ordered(answers):
        seen += answer.role == "secondary"
        place = f"secondary {seen}" if answer.role == "secondary" else answer.role
        kind = CALLED[answer.kind] + (f" ({answer.arm})" if answer.arm else "")
        adjusted = probability(answer.p_adjusted)
        rows.append(
            Row(
                place,
                answer.role,
                answer.contrast,
                kind,
                sentence(answer),
                probability(answer.p),
                adjusted,
                _state(answer),
            )
        )
    return Planned(tuple(rows), tuple(cautions(answers)), tuple(_remarks(answers, primary_unmade)))


def _state(answer: Answer) -> str:
    if answer.estimate != answer.estimate:
        return "not computed"
    if answer.stopped_by or answer.decisive != answer.decisive:
        return "not tested"
    return "shown" if answer.shown else "not shown"


def _remarks(answers: Sequence[Answer], primary_unmade: str) -> list[str]:
    """What holds for the table as a whole."""
    told = []
    if primary_unmade:
        told.append(
            f"The plan's primary contrast could not be made ({primary_unmade}), so that no result here is confirmatory."
        )
    elif not any(answer.role == "primary" for answer in answers):
        told.append(
            "The plan names no primary contrast: none of the planned ones stands above the others, and no result here "
            "is confirmatory."
        )
    elif not any(answer.role == "primary" and answer.kind in CONTROLLED for answer in answers):
        told.append("The primary contrast is not a controlled one.")
    if any(answer.role == "exploratory" for answer in answers):
        told.append(
            "Exploratory contrasts were not named in advance or not guarded against chance over all tests: they raise "
            "questions for another study and answer none."
        )
    return told
