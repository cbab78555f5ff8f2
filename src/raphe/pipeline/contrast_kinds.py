"""Every kind of contrast that a plan may have: those of statistics, and those that need another wing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from raphe.data.results import ContrastRow
from raphe.pharmacology.occupancy import occupancy as occupancy_of
from raphe.stats.contrasts.answer import Answer, each_region
from raphe.stats.contrasts.one_sample import mean_row
from raphe.stats.contrasts.question import Material, Question
from raphe.stats.contrasts.registry import KINDS, Kind
from raphe.stats.contrasts.sample import Cell, Sample, samples
from raphe.stats.contrasts.words import two


def occupancy(question: Question, material: Material) -> Answer:
    """Occupancy 1 - BP_ND(drug) / BP_ND(baseline), per cent, by region and person, with the mean's t interval.

    Each person's is that of :func:`raphe.pharmacology.occupancy.occupancy`; a person whose baseline is not above 0 is
    left out and listed.

    Raises
    ------
    InputError
        As :func:`raphe.stats.contrasts.sample.samples`, and if nobody has both scans.
    """
    before, after = two(question.terms, "sessions")
    found = samples(question, material, [Cell(question.tracer, question.model, one) for one in (before, after)])
    occupancy_of([sample.pairs() for sample in found])  # refuses a study without any pair

    def answer(sample: Sample) -> Sequence[ContrastRow]:
        (region,), _ = occupancy_of([sample.pairs()]) if len(sample) else ((None,), None)
        told = (
            {} if region is None else dict(zip(sample.people, zip(region.value, region.why, strict=True), strict=True))
        )
        sample = sample.without({person: why for person, (value, why) in told.items() if not np.isfinite(value)})
        values = np.array([100 * told[person][0] for person in sample.people], dtype=float)
        return [mean_row(sample.pairs(), values, (), lambda estimate: (estimate, ""))]

    rows = each_region(found, answer)
    return Answer(
        rows,
        before,
        after,
        f"mean over participants of the occupancy 1 - BP_ND({after}) / BP_ND({before})",
        "one-sample t test of the occupancies",
        unit="%",
        citations=("fieller1954",),
    )


EVERY_KIND: Mapping[str, Kind] = {**KINDS, "occupancy": occupancy}
