"""True curves of plasma, blood and tissues in closed form, and what frames see of them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from itertools import pairwise

from raphe.conformance.cases import DELAY, FENG, K1_PRIME, WHOLE_BLOOD, Case, edges
from raphe.conformance.closed import ZERO, Closed, exact

READINGS = ("average", "midframe")
"""What a frame's value is: the mean of the curve over the frame, or the curve's value at the middle of the frame."""


@cache
def plasma() -> Closed:
    """Metabolite-corrected plasma, kBq/mL, from its arrival on."""
    return _feng(FENG)


@cache
def whole_blood() -> Closed:
    """Whole blood, kBq/mL, from its arrival on."""
    return _feng(WHOLE_BLOOD)


@cache
def reference(k2_prime: Decimal) -> Closed:
    """Reference tissue of one compartment, kBq/mL."""
    with exact():
        return plasma().convolved(k2_prime).times(K1_PRIME)


def target(case: Case) -> Closed:
    """Curve of a tissue with constant rates and of the blood in it, kBq/mL."""
    k = case.truth
    with exact():
        V_B = k.get("V_B", ZERO)
        tissue = compartments(plasma(), k["K1"], k.get("k2a", k["k2"]), k.get("k3", ZERO), k.get("k4", ZERO))
        return tissue.times(1 - V_B) + whole_blood().times(V_B)


def compartments(curve: Closed, K1: Decimal, k2: Decimal, k3: Decimal, k4: Decimal) -> Closed:
    """Sum of two compartments in series behind a curve; of one where k3 is 0."""
    if k3 == 0:
        return curve.convolved(k2).times(K1)
    total = k2 + k3 + k4
    root = (total**2 - 4 * k2 * k4).sqrt()
    fast, slow = (total + root) / 2, (total - root) / 2
    if k4 == 0:
        slow = ZERO
    return curve.convolved(fast).times(K1 * (fast - k3 - k4) / root) + curve.convolved(slow).times(
        K1 * (k3 + k4 - slow) / root
    )


def seen(curve: Closed, schedule: str) -> Mapping[str, tuple[Decimal, ...]]:
    """Values of the frames of a schedule, by :data:`READINGS`, of a curve that begins at the input's arrival."""
    with exact():
        times = edges(schedule)
        area = [curve.integral().at(time - DELAY) for time in times]
        frames = list(pairwise(times))
        average = tuple((area[i + 1] - area[i]) / (end - start) for i, (start, end) in enumerate(frames))
        return {"average": average, "midframe": tuple(curve.at((start + end) / 2 - DELAY) for start, end in frames)}


def _feng(numbers: Mapping[str, tuple[str, str, str]]) -> Closed:
    a, b, c = (Decimal(text) for text in numbers["A"])
    p, q, r = (Decimal(text) for text in numbers["lambda"])
    return Closed({(p, 1): a, (p, 0): -b - c, (q, 0): b, (r, 0): c})
