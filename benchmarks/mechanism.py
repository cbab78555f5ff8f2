"""What the mechanism predicts, beside the facts: ``python benchmarks/mechanism.py [--out docs]``, some seconds.

Prints the table of ``docs/mechanism.md`` and draws its time courses, after one infusion in people, in macaques with and
without NBQX, and with fenfluramine. Nothing is random: one body of the usual weight.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from raphe.report import svg
from raphe.simulate.constants import mechanism_file
from raphe.simulate.mechanism import RECEPTOR, Course, course, mechanism
from raphe.simulate.pharmacokinetics import Body, Infusion
from tissues import print_table

Array = npt.NDArray[np.float64]

PERSON, MACAQUE = 70.0, 6.0
INFUSION = 40 / 60
SCAN = np.linspace(3.0, 3.0 + 93 / 60, 64)
"""Hours of the scan in the plan yamanaka2014."""
LATE = np.linspace(24, 72, 97)
"""Hours of the second scan in the plan tiger2020."""


def person(hours: Array, model: str | None = None, doses: Sequence[float] = (0.0,)) -> Course:
    """0.5 mg/kg over 40 min, at each of ``doses`` in h."""
    infusions = [Infusion("ketamine", start, INFUSION, 0.5 * PERSON) for start in doses]
    return course(mechanism("human", model), Body(PERSON), infusions, hours)


def macaque(hours: Array, *drugs: str) -> Course:
    """The doses of the plan yamanaka2014-fenfluramine."""
    known = {
        "ketamine": Infusion("ketamine", 0.0, INFUSION, 1.5 * MACAQUE),
        "NBQX": Infusion("NBQX", -0.25, 5 / 60, 1.0 * MACAQUE),
        "fenfluramine": Infusion("fenfluramine", -0.25, 5 / 60, 5.0 * MACAQUE),
    }
    return course(mechanism("macaque"), Body(MACAQUE), [known[name] for name in drugs], hours)


def change(values: Array) -> str:
    """Mean change over a scan, per cent."""
    return f"{100 * (float(np.mean(values)) - 1):+.1f} %"


def predictions() -> None:
    """Print what the mechanism predicts of single bodies."""
    rows = []
    for name in mechanism_file().ketamine:
        seen = person(np.array([INFUSION, 2.0, 24.0]), name)
        peak, two, day = seen.ketamine
        published = {"domino1984": "240, 36-55, nothing", "fanta2015": "158, 36-55, nothing"}.get(name, "")
        rows.append([f"ketamine at 40 min, 2 h, 24 h, {name}, ng/mL", f"{peak:.0f}, {two:.0f}, {day:.2f}", published])
    NAc = "nucleus accumbens"
    alone, before = macaque(SCAN, "ketamine"), macaque(SCAN, "NBQX", "ketamine")
    released, both = macaque(SCAN, "fenfluramine"), macaque(SCAN, "fenfluramine", "ketamine")
    day = person(np.array([24.0]))
    late = person(LATE)
    rows += [
        ["macaque, AZ10419369 in NAc, ketamine", change(alone.binding(RECEPTOR, NAc)), "up"],
        ["the same after NBQX", change(before.binding(RECEPTOR, NAc)), "cancelled"],
        ["macaque, AZ10419369 where receptors do not rise, ketamine", change(alone.binding(RECEPTOR, "thalamus")), ""],
        ["macaque, DASB, ketamine", change(alone.transporter), "down"],
        ["the same after NBQX", change(before.transporter), "down"],
        ["macaque, AZ10419369, fenfluramine 5 mg/kg", change(released.binding(RECEPTOR, NAc)), "-39 % (another study)"],
        [
            "macaque, AZ10419369 in NAc, fenfluramine and ketamine",
            change(both.binding(RECEPTOR, NAc)),
            "no further effect",
        ],
        ["the product of the two alone", change(alone.binding(RECEPTOR, NAc) * released.binding(RECEPTOR, NAc)), ""],
        ["serotonin, fold: ketamine, fenfluramine, both", _folds(alone, released, both), ""],
        ["person, transporter at 24 h", change(day.transporter), "back"],
        ["person, hippocampus, 24-72 h, true", change(late.receptors("hippocampus")), "16.7 % as measured"],
        ["person, ventral striatum, 24-72 h, true", change(late.receptors("ventral striatum")), "none reported"],
    ]
    print_table("Predictions", ["", "mechanism", "published"], rows)


def _folds(*courses: Course) -> str:
    return ", ".join(f"{float(one.serotonin.mean()):.1f}" for one in courses)


def draw(path: Path) -> None:
    """Write the figure of time courses."""
    hours = np.concatenate([np.arange(-0.5, 6, 0.02), np.arange(6, 97, 1.0)])
    early = hours[hours <= 6]
    people, monkey = person(hours), macaque(early, "ketamine")
    blocked = macaque(early, "NBQX", "ketamine")
    released, both = macaque(early, "fenfluramine"), macaque(early, "fenfluramine", "ketamine")
    NAc = "nucleus accumbens"
    panels = (
        ("person: ketamine and norketamine, ng/mL", early, (people.ketamine, people.norketamine)),
        ("person: NMDA block, plasticity", hours, (people.block, people.plasticity)),
        ("person: hippocampal receptors, AZ binding", hours, _two(people, "hippocampus")),
        ("macaque: AZ in NAc, ketamine; after NBQX", early, (_az(monkey, NAc), _az(blocked, NAc))),
        ("macaque: DASB, ketamine; after NBQX", early, (monkey.transporter, blocked.transporter)),
        ("macaque: AZ in NAc, fenfluramine; and ketamine", early, (_az(released, NAc), _az(both, NAc))),
    )
    parts = []
    for number, (title, time, lines) in enumerate(panels):
        parts.append(_panel(title, time, lines, 40 + 310 * (number % 2), 24 + 160 * (number // 2)))
    drawn = str(svg.drawing(650, 500, parts, "Time courses of the mechanism"))
    style = (
        "<style>text{font-size:10px;font-family:sans-serif}.axis{stroke:#555;fill:none}.grid{stroke:#ddd;fill:none}"
        ".first{stroke:#246;fill:none;stroke-width:1.5}.second{stroke:#c62;fill:none;stroke-width:1.5;"
        "stroke-dasharray:5 3}</style>"
    )
    start = drawn.index(">") + 1
    head = drawn[:start].replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ')
    path.write_text(f'{head}{style}<rect width="650" height="500" fill="#fff"/>{drawn[start:]}\n', encoding="utf-8")


def _az(seen: Course, region: str) -> Array:
    return seen.binding(RECEPTOR, region)


def _two(seen: Course, region: str) -> tuple[Array, Array]:
    return seen.receptors(region), seen.binding(RECEPTOR, region)


def _panel(title: str, time: Array, lines: Sequence[Array], left: float, top: float) -> str:
    """One panel: the first line solid, the second dashed; hours across."""
    across = svg.Scale(float(time[0]), float(time[-1]), left, left + 260)
    shown = [line[: time.size] for line in lines]
    up = svg.scale(np.concatenate(shown).tolist(), top + 120, top + 8)
    parts = [svg.x_axis(across, top + 120), svg.y_axis(up, left, right=left + 260, most=4), svg.text(left, top, title)]
    for line, kind in zip(shown, ("first", "second"), strict=True):
        places = [(across(float(t)), up(float(v))) for t, v in zip(time, line, strict=True)]
        parts.append(svg.path(places, kind))
    return "".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="folder for mechanism-courses.svg")
    options = parser.parse_args()
    predictions()
    if options.out is not None:
        draw(options.out / "mechanism-courses.svg")


if __name__ == "__main__":
    main()
