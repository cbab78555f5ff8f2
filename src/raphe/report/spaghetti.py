"""Spaghetti plot: the values of each person over the sessions, one panel a group, with the mean of the group."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from markupsafe import Markup
from scipy.special import stdtrit

from raphe.data.results import Interval
from raphe.errors import InputError
from raphe.report import svg
from raphe.report.wording import count, decimals, fixed, short, span

NAN = float("nan")

WIDE = 900.0
LEFT, GAP = 50.0, 18.0
"""px for the axis of a row of panels, and between panels."""

LEAST, MOST = 132.0, 250.0
"""Width of a panel of two sessions, px."""

ROOM = 78.0
"""px that one more session adds to the most."""

TOP, TALL, FOOT = 34.0, 150.0, 34.0
"""px above the values, of the values and under them."""

INSET = 44.0
"""px from the edge of a panel to its first and last session."""

ASIDE = 11.0
"""px by which a mean stands beside the people."""

LEVEL = 0.95


@dataclass(frozen=True)
class PersonLine:
    """Values of one person, one a session, NaN where there is none; ``why`` they are left out, else empty."""

    participant: str
    group: str
    values: tuple[float, ...]
    why: str = ""


class _Panel(NamedTuple):
    """Where one group is drawn."""

    group: str
    kind: str
    lines: tuple[PersonLine, ...]
    means: tuple[Interval, ...]
    left: float
    right: float
    up: svg.Scale

    def across(self, at: int) -> float:
        """Place of a session, px."""
        n = len(self.means)
        width = self.right - self.left - 2 * INSET
        return self.left + INSET + (width / 2 if n == 1 else at * width / (n - 1))


def spaghetti(
    lines: Sequence[PersonLine],
    sessions: Sequence[str],
    parameter: str,
    label: str,
    *,
    groups: Sequence[str] = (),
    unit: str = "",
    named: bool = True,
) -> Markup:
    """Draw each person from session to session, one panel a group on a common axis, in the colour of the group.

    The mean of each group stands beside the people of each session with its 95 % interval by t, of those who have a
    value there and are not left out. People who are left out are hollow.

    Parameters
    ----------
    lines : sequence of PersonLine
    sessions : sequence of str
        In order.
    parameter : str
        Symbol for the axis.
    label : str
        Text alternative.
    groups : sequence of str
        Groups that stand first, in this order; the colour goes by the place.
    unit : str
        Of the parameter; empty for none.
    named : bool
        Whether a dot says whose it is when the pointer rests on it.

    Raises
    ------
    InputError
        If a person does not have one value, or NaN, for each session.
    """
    for line in lines:
        if len(line.values) != len(sessions):
            raise InputError(
                f"{line.participant} has {len(line.values)} values, but there are {len(sessions)} sessions; give one "
                "a session, NaN where there is none"
            )
    present = dict.fromkeys([*groups, *(line.group for line in lines)])
    order = [group for group in present if any(line.group == group for line in lines)] or [""]
    n_across = min(len(order), int((WIDE - LEFT + GAP) // (LEAST + GAP)))
    width = min((WIDE - LEFT - GAP * (n_across - 1)) / n_across, MOST + ROOM * max(len(sessions) - 2, 0))
    panels = _panels(lines, order, list(present), len(sessions), n_across, width)
    parts = [part for panel in panels for part in _panel(panel, sessions, named)]
    for panel in panels[::n_across]:
        parts.append(svg.y_axis(panel.up, LEFT))
        after = f", {unit}" if unit else ""
        middle = (panel.up.start + panel.up.end) / 2
        parts.append(svg.symbol(12, middle, parameter, anchor="middle", after=after, turn=True))
    n_down = math.ceil(len(panels) / n_across)
    height = n_down * (TOP + TALL + FOOT)
    told = " ".join(_in_words(panel, sessions) for panel in panels)
    return svg.drawing(LEFT + n_across * (width + GAP) - GAP + 2, height, parts, label, told)


def mean_interval(values: Sequence[float]) -> Interval:
    """Mean of the finite ones of some values with its 95 % interval by t; NaN where they are too few."""
    known = np.array([value for value in values if math.isfinite(value)])
    if known.size < 2:
        return Interval(float(known[0]) if known.size else NAN, NAN, NAN)
    mean, se = float(known.mean()), float(known.std(ddof=1)) / math.sqrt(known.size)
    half = float(stdtrit(known.size - 1, (1 + LEVEL) / 2)) * se
    return Interval(mean, mean - half, mean + half)


def _panels(
    lines: Sequence[PersonLine],
    order: Sequence[str],
    colours: Sequence[str],
    n_session: int,
    n_across: int,
    width: float,
) -> list[_Panel]:
    means = {
        group: tuple(mean_interval([line.values[at] for line in _counted(lines, group)]) for at in range(n_session))
        for group in order
    }
    limits = [value for line in lines for value in line.values]
    limits += [end for own in means.values() for mean in own for end in (mean.low, mean.high)]
    panels = []
    for at, group in enumerate(order):
        down, along = divmod(at, n_across)
        top = down * (TOP + TALL + FOOT) + TOP
        left = LEFT + along * (width + GAP)
        own = tuple(line for line in lines if line.group == group)
        kind = f"s{(colours.index(group) if group in colours else 0) % 6}"
        panels.append(
            _Panel(group, kind, own, means[group], left, left + width, svg.scale(limits, top + TALL, top, pad=0.08))
        )
    return panels


def _counted(lines: Sequence[PersonLine], group: str) -> list[PersonLine]:
    return [line for line in lines if line.group == group and not line.why]


def _panel(panel: _Panel, sessions: Sequence[str], named: bool) -> list[str]:
    up, kind = panel.up, panel.kind
    between = panel.across(1) - panel.across(0) if len(sessions) > 1 else math.inf
    room = min(between - 6, 2 * INSET)
    parts = [
        svg.segments([(panel.left, up(tick), panel.right, up(tick)) for tick in up.ticks()], "grid"),
        svg.path([(panel.left, up.start), (panel.right, up.start)], "axis"),
        *_heading(panel),
    ]
    counted = _counted(panel.lines, panel.group)
    numbers = [sum(math.isfinite(line.values[at]) for line in counted) for at in range(len(sessions))]
    for at, session in enumerate(sessions):
        name = short(session, max(int(room / svg.CHARACTER), 5))
        parts.append(svg.text(panel.across(at), up.start + 14, name, anchor="middle"))
        if len(set(numbers)) > 1:
            parts.append(svg.text(panel.across(at), up.start + 27, f"n = {numbers[at]}", "soft", anchor="middle"))
    for line in sorted(panel.lines, key=lambda line: not line.why):
        parts += _person(panel, line, sessions, named)
    return parts + _mean(panel, kind)


def _heading(panel: _Panel) -> list[str]:
    n = len(_counted(panel.lines, panel.group))
    out = len(panel.lines) - n
    number = f"n = {n}" + (f", {out} left out" if out else "")
    if not panel.group:
        return [svg.text(panel.left, panel.up.end - 10, number, "soft")]
    name = short(panel.group, int((panel.right - panel.left - 14) / svg.CHARACTER))
    return [
        svg.mark(panel.left + 4, panel.up.end - 26, 4, panel.kind),
        svg.text(panel.left + 12, panel.up.end - 22, name, "head"),
        svg.text(panel.left, panel.up.end - 9, number, "soft"),
    ]


def _person(panel: _Panel, line: PersonLine, sessions: Sequence[str], named: bool) -> list[str]:
    """Dots of one person, joined; sessions without a value are stepped over."""
    known = [at for at, value in enumerate(line.values) if math.isfinite(value)]
    points = [(panel.across(at), panel.up(line.values[at])) for at in known]
    hollow = bool(line.why)
    parts = [svg.path(points, "strand out" if hollow else f"strand {panel.kind}")]
    for at, (x, y) in zip(known, points, strict=True):
        why = f" (left out: {line.why})" if hollow else ""
        note = f"{line.participant}, {sessions[at]}: {fixed(line.values[at], 3)}{why}" if named else ""
        parts.append(svg.mark(x, y, 2.8, "hollow" if hollow else f"person {panel.kind}", note))
    return parts


def _mean(panel: _Panel, kind: str) -> list[str]:
    last = len(panel.means) - 1
    aside = [-ASIDE if at == 0 and last > 0 else ASIDE for at in range(last + 1)]
    points = [(panel.across(at) + aside[at], panel.up(mean.value)) for at, mean in enumerate(panel.means)]
    bars = [
        (x, panel.up(mean.low), x, panel.up(mean.high))
        for (x, _), mean in zip(points, panel.means, strict=True)
        if math.isfinite(mean.low)
    ]
    joined = [point for point in points if math.isfinite(point[1])]
    marks = [svg.mark(x, y, 4.2, f"middle {kind}") for x, y in joined]
    return [svg.path(joined, "average"), svg.segments(bars, "reach"), *marks]


def _in_words(panel: _Panel, sessions: Sequence[str]) -> str:
    people = count(len(_counted(panel.lines, panel.group)), "person", "people")
    told = []
    for session, mean in zip(sessions, panel.means, strict=True):
        places = decimals((mean.high - mean.low) / 4)
        limits = span(mean.low, mean.high, places)
        told.append(f"{session} mean {fixed(mean.value, places)}" + (f" (95 % CI {limits})" if limits else ""))
    return f"{panel.group + ': ' if panel.group else ''}{people}, {', '.join(told)}."
