"""Occupancy of all regions by the Lassen plot: the contrast, and the lines of its people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from raphe.data.pharmacology import OccupancyLine, OccupancyStudy
from raphe.data.pharmacology_tables import LassenTable
from raphe.data.record import Step
from raphe.data.results import Contrast, ContrastRow, Excluded, PairedValues
from raphe.io.occupancy import ALL
from raphe.pharmacology.lassen import CITATIONS, group_line
from raphe.pharmacology.person_lines import PersonLines, person_lines
from raphe.report.wording import listed
from raphe.stats.contrasts.answer import Answer
from raphe.stats.contrasts.one_sample import mean_row
from raphe.stats.contrasts.question import Material, Question
from raphe.stats.contrasts.registry import Kind
from raphe.stats.contrasts.sample import Cell, samples
from raphe.stats.contrasts.words import two


def kind_of(noise: str) -> Kind:
    """The kind ``occupancy`` by the Lassen plot; ``noise`` as for :func:`raphe.pharmacology.lassen.lassen_plot`."""
    return partial(_lassen, noise=noise)


def _lassen(question: Question, material: Material, *, noise: str) -> Answer:
    """Occupancy of each person by one line through the regions, per cent, with the mean's t interval.

    People without a line are left out and listed; one whose own interval has no end is in the mean, and named.

    Raises
    ------
    InputError
        As :func:`raphe.stats.contrasts.sample.samples`, and if nobody has a line.
    """
    before, after = two(question.terms, "sessions")
    pairs = _pairs(question, material)
    found = person_lines(pairs, question.parameter, noise=noise, judged=False, strict=False)
    return Answer(
        (_row(found, pairs),),
        before,
        after,
        f"mean over participants of the occupancy by the Lassen plot of V_T in {before} and {after}",
        "one-sample t test of the occupancies",
        unit="%",
        notes=tuple(_notes(found.lines)),
        citations=CITATIONS[question.parameter],
    )


def lassen_of(
    contrast: Contrast, question: Question, material: Material, noise: str
) -> tuple[LassenTable, tuple[Step, ...]]:
    """Lassen plots of the people of a contrast, with what each region does to them.

    Returns
    -------
    LassenTable
    tuple of Step
        One a line.
    """
    pairs = _pairs(question, material)
    lines, no_line, steps = person_lines(pairs, question.parameter, noise=noise, strict=False)
    study = OccupancyStudy(
        contrast.tracer,
        contrast.model,
        contrast.parameter,
        contrast.first,
        contrast.second,
        pairs,
        (),
        lines,
        group_line(lines),
        (*no_line, *_without_scans(pairs)),
    )
    own = (replace(step, parameters={"contrast": contrast.name, **step.parameters}) for step in steps)
    return LassenTable(contrast.name, study), tuple(own)


def warnings_of(table: LassenTable) -> Iterator[str]:
    """Yield what a person must read of each line, and of people without one why."""
    for line in table.study.lines:
        for text in line.statements:
            yield f"contrast {table.contrast!r}, participant {line.participant}: {text}"
    for person, why in table.study.no_line:
        yield f"contrast {table.contrast!r}, participant {person}: no line through the regions: {why}"


def _pairs(question: Question, material: Material) -> tuple[PairedValues, ...]:
    """V_T of both sessions in each region."""
    cells = [Cell(question.tracer, question.model, session) for session in question.terms]
    return tuple(sample.pairs() for sample in samples(question, material, cells))


def _row(found: PersonLines, pairs: Sequence[PairedValues]) -> ContrastRow:
    lines = [line for line in found.lines if np.isfinite(line.occupancy.value)]
    gone = (*found.no_line, *_without_scans(pairs))
    unknown = np.full(len(lines), np.nan)
    values = PairedValues(
        ALL,
        tuple(line.participant for line in lines),
        np.array([np.mean([region.baseline for region in line.used]) for line in lines]),
        np.array([np.mean([region.blocked for region in line.used]) for line in lines]),
        unknown,
        unknown,
        tuple(Excluded(person, "", ALL, why) for person, why in gone),
    )
    occupancies = np.array([100 * line.occupancy.value for line in lines])
    return mean_row(values, occupancies, (), lambda estimate: (estimate, ""))


def _without_scans(pairs: Sequence[PairedValues]) -> list[tuple[str, str]]:
    """Who has no region with both values, and why."""
    there = {person for one in pairs for person in one.participants}
    reasons: dict[str, dict[str, None]] = {}
    for one in pairs:
        for left in one.excluded:
            if left.participant not in there:
                reasons.setdefault(left.participant, {})[left.reason] = None
    return [(person, "; ".join(why)) for person, why in reasons.items()]


def _notes(lines: Sequence[OccupancyLine]) -> Iterator[str]:
    lost = [line.participant for line in lines if not line.determined]
    if lost:
        yield (
            f"the regions of {listed(lost, most=40)} do not determine the occupancy or V_ND, so that their own "
            "intervals have no end; their estimates are in the mean"
        )
