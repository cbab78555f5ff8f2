"""Samples of the input that are dense enough for straight lines between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache

import numpy as np
import numpy.typing as npt

from raphe.conformance.cases import DELAY, FENG, WHOLE_BLOOD
from raphe.conformance.closed import exact
from raphe.conformance.tissue import plasma, whole_blood

Array = npt.NDArray[np.float64]

STRAIGHT = 1e-6
"""Largest distance of the input from the straight lines between its samples, as a share of its peak."""

MARGIN = 0.9
"""Share of that distance which is used: it is looked for at a few places between two samples only."""


def samples(end: int) -> Iterator[tuple[Decimal, Decimal, Decimal]]:
    """Time in s, plasma and whole blood in kBq/mL, from injection to ``end`` in s; as far apart as they may be."""
    yield Decimal(0), Decimal(0), Decimal(0)
    for time in _sample_times(end):
        with exact():
            u = Decimal(time) / 60_000 - DELAY
            row = Decimal(time) / 1000, plasma().at(u), whole_blood().at(u)
        yield row


def _sample_times(end: int) -> Iterator[int]:
    """Times in ms from the arrival of the input on, to ``end`` in s."""
    time, last, step = int(DELAY * 60_000), 1000 * end, 1
    while time < last:
        yield time
        step = 2 * step
        while step > 1 and _distance(time, min(time + step, last)) > MARGIN * STRAIGHT:
            step -= max(step // 16, 1)
        time = min(time + step, last)
    yield last


def _distance(start: int, end: int) -> float:
    """Largest distance of the inputs from a straight line between two times in ms, as a share of their peaks."""
    share = np.linspace(0, 1, 9)
    u = (start + share * (end - start)) / 60_000 - float(DELAY)
    worst = 0.0
    for curve in (FENG, WHOLE_BLOOD):
        value = _feng(curve, u)
        distance = float(np.abs(value - value[0] - share * (value[-1] - value[0])).max())
        worst = max(worst, distance / _peak(curve is FENG))
    return worst


def _feng(numbers: Mapping[str, tuple[str, str, str]], u: Array) -> Array:
    a, b, c = map(float, numbers["A"])
    p, q, r = map(float, numbers["lambda"])
    return np.asarray((a * u - b - c) * np.exp(-p * u) + b * np.exp(-q * u) + c * np.exp(-r * u))


@cache
def _peak(of_plasma: bool) -> float:
    return float(_feng(FENG if of_plasma else WHOLE_BLOOD, np.linspace(0, 2, 20001)).max())
