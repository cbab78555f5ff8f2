"""What the sentences of the methods text are made of."""

from __future__ import annotations

from collections.abc import Sequence

from raphe.data.record import Parameter, Step
from raphe.report.wording import general, listed

Steps = Sequence[Step]


def between(steps: Steps, key: str, digits: int = 4, factor: float = 1.0) -> str:
    """One number, or the lowest and highest over the scans; ``factor`` changes the unit."""
    values = [factor * float(v) for step in steps if isinstance(v := step.parameters.get(key), int | float) and v == v]
    if not values:
        return "an unrecorded number of"
    low, high = general(min(values), digits), general(max(values), digits)
    return low if low == high else f"{low} to {high}"


def plain(value: Parameter) -> str:
    """Write a setting."""
    if isinstance(value, tuple):
        return listed([plain(v) for v in value])
    if isinstance(value, float):
        return general(value, 6)
    return "none" if value is None else str(value)


def of_tracer(steps: Steps) -> str:
    """``of DASB``, after a space; empty where the step names no tracer."""
    tracer = steps[0].parameters.get("tracer")
    return f" of {tracer}" if tracer else ""


def in_each(steps: Steps) -> str:
    """``in each of 12 scans``, after a space; empty for one."""
    return f" in each of {len(steps)} scans" if len(steps) > 1 else ""


def tallied(words: Sequence[str]) -> str:
    """Words with the number of scans that each stands for, the most first; the word alone where there is one."""
    counts: dict[str, int] = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    if len(counts) < 2:
        return "".join(counts)
    return listed([f"{word} in {n}" for word, n in sorted(counts.items(), key=lambda item: -item[1])])
