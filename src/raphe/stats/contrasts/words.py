"""Words for what is estimated."""

from __future__ import annotations

import math
from collections.abc import Sequence

from raphe.data.people import score_words
from raphe.errors import InputError
from raphe.stats.contrasts.question import Question

UNITS: dict[str, str | None] = {"difference": None, "percent": "%", "log": ""}
"""Of a change on each scale; None for the parameter's own."""


def change_words(question: Question, first: str, second: str, of: str = "") -> str:
    """Name a change between two sessions: ``change in BP_ND from a to b (b minus a), in per cent of a``."""
    what = f"{question.parameter}{f' of {of}' if of else ''}"
    if question.scale == "log":
        return f"logarithm of the ratio of {what} in {second} to {first}"
    words = f"change in {what} from {first} to {second} ({second} minus {first})"
    return words + (f", in per cent of {first}" if question.scale == "percent" else "")


def covariate_words(question: Question) -> str:
    """Name the covariates of a contrast: ``age, madrs in baseline``; empty for none."""
    return ", ".join(score_words(name) for name in question.covariates)


def of_scale(question: Question, estimate: float, otherwise: float) -> float:
    """An estimate in per cent: as it is, or by its exponential, or as the difference scale has it."""
    if question.scale == "percent":
        return estimate
    if question.scale == "log":
        return 100 * math.expm1(estimate)
    return otherwise


def two(terms: Sequence[str], what: str) -> tuple[str, str]:
    """Two different names.

    Raises
    ------
    InputError
        If there are not two, or they are the same.
    """
    if len(terms) != 2:
        raise InputError(f"two {what} are needed, but {len(terms)} stand there; name two")
    if terms[0] == terms[1]:
        raise InputError(f"a comparison needs two {what}, but both are {terms[0]!r}; name another one")
    return terms[0], terms[1]
