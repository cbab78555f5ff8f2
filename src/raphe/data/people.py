"""What is known of participants besides their scans."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

NOT_KNOWN = ("", "n/a", "na", "nan")
"""Cells, in lower case, that say that nothing is known."""


@dataclass(frozen=True)
class People:
    """Columns of ``participants.tsv`` and scores of ``phenotype/``.

    Parameters
    ----------
    columns : mapping of str to mapping of str to str
        By column: the cell of each participant (label without ``sub-``).
    scores : mapping of str to mapping of str to float
        By score and visit, ``madrs:baseline``, or by score alone where it was taken once: the value of each
        participant; NaN where it was not taken.
    """

    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    scores: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def known(self, name: str, person: str) -> str | float | None:
        """Value of a participant in a score or column; None where there is none.

        A column is of numbers if all of its cells that hold something are.
        """
        if name in self.scores:
            value = self.scores[name].get(person, float("nan"))
            return value if value == value else None
        cell = self.columns.get(name, {}).get(person, "")
        if cell.lower() in NOT_KNOWN:
            return None
        return _number(cell) if self.numeric(name) else cell

    def numeric(self, name: str) -> bool:
        """Whether a score or column holds numbers."""
        cells = [cell for cell in self.columns.get(name, {}).values() if cell.lower() not in NOT_KNOWN]
        return name in self.scores or (bool(cells) and all(_number(cell) is not None for cell in cells))


def score_key(score: str, visit: str = "") -> str:
    """Name of a score at a visit, as plans write it: ``madrs:baseline``."""
    return f"{score}:{visit}" if visit else score


def score_words(key: str) -> str:
    """Name of a covariate or score as a sentence has it: ``madrs in baseline`` for ``madrs:baseline``."""
    return key.replace(":", " in ", 1)


def _number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None
