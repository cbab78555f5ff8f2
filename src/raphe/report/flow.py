"""Flow of people and scans through a study: how many there were, who was left out and why, and what was analysed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from raphe.report import svg
from raphe.report.wording import count

WIDE = 900.0
LINE, PAD = 15.0, 9.0
"""Height of a line of words, and px around them in a box."""

TRUNK, SIDE = 300.0, 400.0
"""Width of the boxes of what goes on, and of those of what is left out."""

DROP = 26.0
"""px from one box to the next."""

SPACE = 16.0
"""px between the boxes of two arms."""

NARROWEST = 150.0
"""Least width of the box of an arm, px."""

LOST = {"Expected": "missing", "Present": "excluded by a person", "To be analysed": "could not be analysed"}
"""Stages, and what is said of the scans that each of them loses."""

NO_ARM = "no arm is known"


@dataclass(frozen=True)
class FlowScan:
    """What became of one planned scan; where a session has scans of several tracers, ``session`` names both.

    ``missing`` says why there is no scan, ``excluded`` why a person has taken it out, ``failed`` why it could not be
    analysed; each is empty where that did not happen, and the first of them counts.
    """

    participant: str
    session: str
    arm: str = ""
    missing: str = ""
    excluded: str = ""
    failed: str = ""


class Lost(NamedTuple):
    """Scans that go no further, for one reason."""

    reason: str
    n_scan: int
    n_people: int


class Stage(NamedTuple):
    """How many come this far, and what is lost on the way to the next stage."""

    name: str
    n_people: int
    n_scan: int
    lost: tuple[Lost, ...]


class ArmCount(NamedTuple):
    """What was analysed of one arm: people, and scans by session."""

    arm: str
    n_people: int
    scans: tuple[tuple[str, int], ...]
    n_complete: int
    """People of whom every scan was analysed."""
    n_planned: int
    """Scans."""


class Flow(NamedTuple):
    """The counts of a study, from the people who are known to what was analysed."""

    stages: tuple[Stage, ...]
    arms: tuple[ArmCount, ...]


def flow(scans: Sequence[FlowScan]) -> Flow:
    """Count what became of each scan: whatever comes into a stage is lost there or comes into the next.

    Parameters
    ----------
    scans : sequence of FlowScan
        Every scan that was planned, those that are missing too.
    """
    kept, stages = list(scans), []
    for name, what in zip(LOST, ("missing", "excluded", "failed"), strict=True):
        lost = [scan for scan in kept if getattr(scan, what)]
        stages.append(Stage(name, _people(kept), len(kept), _lost(lost, what)))
        kept = [scan for scan in kept if not getattr(scan, what)]
    stages.append(Stage("Analysed", _people(kept), len(kept), ()))
    sessions = list(dict.fromkeys(scan.session for scan in scans))
    arms = list(dict.fromkeys(scan.arm for scan in scans))
    return Flow(tuple(stages), tuple(_arm(arm, scans, kept, sessions) for arm in arms))


def flow_chart(found: Flow) -> Markup:
    """Draw the counts as boxes from top to bottom, with what is left out beside them and the arms at the foot."""
    parts: list[str] = []
    top, middle = 4.0, 20 + TRUNK / 2
    stages = [stage for stage in found.stages[:-1] if stage.lost or stage is found.stages[0]] + [found.stages[-1]]
    for at, stage in enumerate(stages):
        lines = [stage.name, f"{count(stage.n_people, 'person', 'people')}, {count(stage.n_scan, 'scan')}"]
        box, height = _box(middle - TRUNK / 2, top, TRUNK, lines)
        parts.append(box)
        foot = top + height
        if at == len(stages) - 1:
            top = foot
            break
        drop = DROP
        if stage.lost:
            side, tall = _box(WIDE - 20 - SIDE, foot + DROP / 2, SIDE, _lost_lines(stage), word="left out")
            drop = tall + DROP
            y = foot + drop / 2
            parts += [
                side,
                svg.segments([(middle, y, WIDE - 20 - SIDE - 5, y)], "way"),
                _head(WIDE - 20 - SIDE, y, "right"),
            ]
        parts += [svg.segments([(middle, foot, middle, foot + drop - 5)], "way"), _head(middle, foot + drop, "down")]
        top = foot + drop
    arms, top = _arms(found.arms, middle, top)
    return svg.drawing(WIDE, top + 6, parts + arms, "Flow of people and scans through the study", in_words(found))


def in_words(found: Flow) -> str:
    """Give the counts in sentences."""
    told = []
    for stage in found.stages:
        lost = "; ".join(f"{count(one.n_scan, 'scan')} lost: {one.reason}" for one in stage.lost)
        people = count(stage.n_people, "person", "people")
        told.append(f"{stage.name}: {people}, {count(stage.n_scan, 'scan')}{f' ({lost})' if lost else ''}.")
    for arm in found.arms:
        told.append(f"{arm.arm or NO_ARM}: {', '.join(_arm_lines(arm))}.")
    return " ".join(told)


def _people(scans: Sequence[FlowScan]) -> int:
    return len({scan.participant for scan in scans})


def _lost(scans: Sequence[FlowScan], what: str) -> tuple[Lost, ...]:
    """Scans by reason, the commonest first."""
    reasons: dict[str, list[FlowScan]] = {}
    for scan in scans:
        reasons.setdefault(getattr(scan, what), []).append(scan)
    found = [Lost(reason, len(own), _people(own)) for reason, own in reasons.items()]
    return tuple(sorted(found, key=lambda lost: -lost.n_scan))


def _arm(arm: str, scans: Sequence[FlowScan], kept: Sequence[FlowScan], sessions: Sequence[str]) -> ArmCount:
    own = [scan for scan in kept if scan.arm == arm]
    by_session = tuple((session, sum(scan.session == session for scan in own)) for session in sessions)
    planned = [scan for scan in scans if scan.arm == arm]
    wanting = {scan.participant for scan in planned} - {scan.participant for scan in own}
    wanting |= {scan.participant for scan in planned if scan.missing or scan.excluded or scan.failed}
    complete = {scan.participant for scan in own} - wanting
    return ArmCount(arm, _people(own), by_session, len(complete), len(planned))


def _lost_lines(stage: Stage) -> list[str]:
    total = sum(lost.n_scan for lost in stage.lost)
    return [f"{count(total, 'scan')} {LOST[stage.name]}", *(f"{lost.n_scan}: {lost.reason}" for lost in stage.lost)]


def _arm_lines(arm: ArmCount) -> list[str]:
    n_scan = sum(n for _, n in arm.scans)
    lines = [f"{count(arm.n_people, 'person', 'people')}, {n_scan} of {count(arm.n_planned, 'expected scan')}"]
    if len(arm.scans) > 1:
        lines += [f"{session}: {n}" for session, n in arm.scans]
        lines.append(f"every scan of a person: {count(arm.n_complete, 'person', 'people')}")
    return lines


def _arms(arms: Sequence[ArmCount], middle: float, top: float) -> tuple[list[str], float]:
    """Boxes of the arms in rows under the last stage, joined to it, and the lowest place that they reach."""
    if not arms or (len(arms) == 1 and not arms[0].arm and len(arms[0].scans) < 2):
        return [], top
    n_across = min(len(arms), int((WIDE - 40 + SPACE) // (NARROWEST + SPACE)))
    width = min((WIDE - 40 - SPACE * (n_across - 1)) / n_across, TRUNK)
    parts: list[str] = []
    rail = top + DROP / 2
    centres = [20 + width / 2 + at * (width + SPACE) for at in range(n_across)]
    if n_across == 1:
        centres = [middle]
    parts.append(
        svg.segments([(middle, top, middle, rail), (min(*centres, middle), rail, max(*centres, middle), rail)], "way")
    )
    below = lowest = rail
    for at, arm in enumerate(arms):
        if at % n_across == 0 and at:
            below = lowest
        x = centres[at % n_across]
        box, height = _box(
            x - width / 2,
            below + DROP / 2,
            width,
            [arm.arm or (NO_ARM if len(arms) > 1 else "By session"), *_arm_lines(arm)],
        )
        if at < n_across:
            parts += [svg.segments([(x, rail, x, rail + DROP / 2 - 5)], "way"), _head(x, rail + DROP / 2, "down")]
        parts.append(box)
        lowest = max(lowest, below + DROP / 2 + height)
    return parts, lowest


def _box(x: float, y: float, width: float, lines: Sequence[str], *, word: str = "") -> tuple[str, float]:
    """Box with its words, the first line in bold, and its height."""
    shown = [(part, at == 0) for at, line in enumerate(lines) for part in svg.wrapped(line, width - 2 * PAD)]
    height = LINE * len(shown) + 2 * PAD - 4
    parts = [svg.box(x, y, width, height, f"stage {word}".strip())]
    for at, (line, first) in enumerate(shown):
        parts.append(svg.text(x + PAD, y + PAD + LINE * at + 9, line, "head" if first else ""))
    return "".join(parts), height


def _head(x: float, y: float, way: str) -> str:
    """Head of an arrow whose tip is at a place."""
    points = [(x - 4, y - 6), (x, y), (x + 4, y - 6)] if way == "down" else [(x - 6, y - 4), (x, y), (x - 6, y + 4)]
    return svg.path(points, "way")
