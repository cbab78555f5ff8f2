"""What a study was to find out and what it found, in sentences that claim no more than the data do.

A contrast that is not significant is "not shown", never "no effect". A change within one arm is told as that: whether
it differs from the change under placebo is a question of its own, and only its own contrast answers it (Bland and
Altman 2011, Trials 12:264).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from raphe.errors import InputError
from raphe.report.verdict import LEVEL
from raphe.report.wording import count, decimals, fixed, listed, no_evidence, probability, span

NAN = float("nan")

ROLES = ("primary", "secondary", "planned", "exploratory")
"""In the order in which a page tells them; ``planned`` where the plan names no primary one."""

KINDS = ("between", "interaction", "crossover", "within", "correlation")
"""In the order in which a page tells those of one role: what is controlled comes first.

``between`` compares arms, ``crossover`` conditions in the same people, ``interaction`` the difference between two such
differences; ``within`` is the change over time in one arm.
"""

CONTROLLED = frozenset(KINDS[:3])


@dataclass(frozen=True)
class Answer:
    """What one contrast of one region says; NaN where a number is unknown.

    Parameters
    ----------
    contrast : str
        Its name in the plan.
    role : str
        One of :data:`ROLES`.
    kind : str
        One of :data:`KINDS`.
    outcome : str
        What was measured where, e.g. ``BP_ND of [11C]DASB in hippocampus``.
    first, second : str
        What is compared: second less first. Arms, conditions or sessions; the two measurements of a correlation.
    arm, control : str
        Arm that a change is within, and what the study compares it with; empty where there is none.
    estimate, low, high, percent : float
        Estimate with its 95 % interval, and in per cent; of a correlation, r.
    p, p_adjusted : float
        Two-sided, by itself and adjusted for the other tests of its family; the adjusted one counts where it is known.
    n : int
        People.
    unit : str
        Of the estimate; empty for none.
    test : str
        How p was found, e.g. ``t(28) = 1.72`` or ``sign flips, all 16``.
    least_p : float
        Smallest p that a permutation test of this design can give, whatever the data.
    adjusted_for : str
        What adjusts p, e.g. ``Holm's procedure over 15 regions``.
    stopped_by : str
        Contrast at which an order of tests named in advance stopped, so that this one was not tested.
    why : str
        What could not be computed, in words.
    remark : str
        A further sentence, e.g. of a test of equivalence.
    effect : str
        What is estimated where it is no difference of second from first, e.g. ``occupancy``; empty otherwise.
    summary : str
        What was found in several regions, in sentences; numbers are then those of the clearest of them, and are not
        told.
    places : int, optional
        Decimals of the estimate and its interval; by the width of the interval if not given.
    """

    contrast: str
    role: str
    kind: str
    outcome: str
    first: str
    second: str
    estimate: float
    low: float = NAN
    high: float = NAN
    percent: float = NAN
    p: float = NAN
    p_adjusted: float = NAN
    n: int = 0
    unit: str = ""
    arm: str = ""
    control: str = ""
    test: str = ""
    least_p: float = NAN
    adjusted_for: str = ""
    stopped_by: str = ""
    why: str = ""
    remark: str = ""
    summary: str = ""
    effect: str = ""
    places: int | None = None

    def __post_init__(self) -> None:
        for what, value, allowed in (("role", self.role, ROLES), ("kind", self.kind, KINDS)):
            if value not in allowed:
                raise InputError(
                    f"the {what} of contrast {self.contrast!r} is {value!r}; it must be one of {', '.join(allowed)}"
                )

    @property
    def decisive(self) -> float:
        """P value that counts: adjusted where that is known."""
        return self.p_adjusted if math.isfinite(self.p_adjusted) else self.p

    @property
    def shown(self) -> bool:
        """Whether the data show it: significant, and tested in its turn."""
        return self.decisive < LEVEL and not self.stopped_by


def ordered(answers: Sequence[Answer]) -> list[Answer]:
    """In the order of their roles; those of one role by their kinds, controlled ones first.

    Secondary ones keep the order in which they are given, which is that of their tests.
    """
    return sorted(answers, key=lambda a: (ROLES.index(a.role), 0 if a.role == "secondary" else KINDS.index(a.kind)))


def sentence(answer: Answer) -> str:
    """Say what one contrast found."""
    if answer.summary:
        within = _uncontrolled(answer) if answer.kind == "within" else ""
        return " ".join(filter(None, (answer.summary, within, answer.remark)))
    if not math.isfinite(answer.estimate):
        return f"{answer.outcome}: {_compared(answer)} could not be computed ({answer.why or 'no reason is known'})."
    told = [_found(answer), _attainable(answer)]
    if answer.kind == "within":
        told.append(_uncontrolled(answer))
    if answer.kind == "correlation" and answer.shown:
        told.append("A correlation does not tell what causes what.")
    return " ".join(filter(None, (*told, answer.remark)))


def cautions(answers: Sequence[Answer]) -> list[str]:
    """Say where a change within an arm is significant by itself, but the controlled contrast of the outcome not shown.

    An outcome whose controlled contrast is missing altogether is named too.
    """
    told = []
    for outcome in dict.fromkeys(answer.outcome for answer in answers):
        own = [answer for answer in answers if answer.outcome == outcome]
        within = [answer for answer in own if answer.kind == "within" and (answer.shown or _by_itself(answer))]
        controlled = [answer for answer in own if answer.kind in CONTROLLED]
        if not within or any(answer.shown for answer in controlled):
            continue
        arms = listed([f"{answer.arm or 'one arm'} (p {_equals(probability(answer.p))})" for answer in within])
        control = next((answer.control for answer in (*within, *controlled) if answer.control), "its control")
        start = f"{outcome}: the change within {arms} is significant by itself, but "
        start += (
            f"a difference from {control} is not shown. "
            if controlled
            else f"no contrast with {control} was computed. "
        )
        told.append(
            f"{start}This is not evidence that the drug differs from {control}: a change in one arm and none in the "
            "other may both be chance, and time, repeated scanning or expectation change both arms."
        )
    return told


def _by_itself(answer: Answer) -> bool:
    """Whether one outcome is significant by its own p value."""
    return answer.p < LEVEL and not answer.summary


def _compared(answer: Answer) -> str:
    if answer.effect:
        return f"an {answer.effect} other than 0 in {answer.second}{_inside(answer)}"
    if answer.kind == "correlation":
        return f"the correlation of {answer.first} and {answer.second}"
    if answer.kind == "within":
        return f"the change from {answer.first} to {answer.second} in {answer.arm or 'one arm'}"
    if answer.kind == "interaction":
        return f"a difference of the changes in {answer.second} and {answer.first}"
    return f"the difference of {answer.second} from {answer.first}"


def _inside(answer: Answer) -> str:
    """Arm that an effect is within; empty for none."""
    return f" of {answer.arm or 'one arm'}" if answer.kind == "within" else ""


def _found(answer: Answer) -> str:
    numbers = _numbers(answer)
    compared = _compared(answer)
    if answer.stopped_by:
        return (
            f"{answer.outcome}: {compared} was not tested, because the order of tests named in advance stopped at "
            f"{answer.stopped_by}; {numbers}."
        )
    if not math.isfinite(answer.decisive):
        return f"{answer.outcome}: {compared} was not tested{f' ({answer.why})' if answer.why else ''}; {numbers}."
    if answer.shown:
        return f"{answer.outcome}: the data show {_direction(answer)}: {numbers}."
    return f"{answer.outcome}: {compared} is not shown: {numbers}. {no_evidence('value', answer.low, answer.high)}"


def _direction(answer: Answer) -> str:
    up = answer.estimate > 0
    if answer.effect:
        return f"an {answer.effect} {'above' if up else 'below'} 0 in {answer.second}{_inside(answer)}"
    if answer.kind == "correlation":
        return f"a {'positive' if up else 'negative'} correlation of {answer.first} and {answer.second}"
    if answer.kind == "within":
        where = answer.arm or "one arm"
        return f"{'an increase' if up else 'a decrease'} from {answer.first} to {answer.second} in {where}"
    if answer.kind == "interaction":
        return f"that the change in {answer.second} differs from that in {answer.first}"
    return f"that {answer.second} is {'above' if up else 'below'} {answer.first}"


def _numbers(answer: Answer) -> str:
    places = answer.places
    if places is None:
        places = 2 if answer.kind == "correlation" else decimals((answer.high - answer.low) / 4)
    limits = span(answer.low, answer.high, places)
    unit = f" {answer.unit}" if answer.unit else ""
    value = fixed(answer.estimate, places, sign=answer.kind != "correlation")
    parts = [
        f"{'r = ' if answer.kind == 'correlation' else ''}{value}{unit}" + (f" (95 % CI {limits})" if limits else ""),
        f"{fixed(answer.percent, 1, sign=True)} %" if math.isfinite(answer.percent) else "",
        answer.test,
        f"p {_equals(probability(answer.p))}" if math.isfinite(answer.p) else "",
        _adjusted(answer),
        count(answer.n, "person", "people") if answer.n else "",
    ]
    return ", ".join(filter(None, parts))


def _adjusted(answer: Answer) -> str:
    if not math.isfinite(answer.p_adjusted):
        return ""
    return f"p {_equals(probability(answer.p_adjusted))} adjusted" + (
        f" by {answer.adjusted_for}" if answer.adjusted_for else ""
    )


def _attainable(answer: Answer) -> str:
    """Smallest p that a permutation test can give; empty where it is not known."""
    if not math.isfinite(answer.least_p):
        return ""
    least = f"{answer.least_p:.3g}"
    if answer.least_p >= LEVEL:
        return (
            f"The smallest p that this test can give with {count(answer.n, 'person', 'people')} is {least}: it could "
            f"not fall below {LEVEL}, whatever the data."
        )
    return f"The smallest p that this test can give is {least}."


def _uncontrolled(answer: Answer) -> str:
    return f"This is a change within one arm: no comparison with {answer.control or 'a control'}."


def _equals(words: str) -> str:
    return words if words.startswith("<") else f"= {words}"
