"""The report of a simulated study, written from its plan, its seed and its truth alone."""

from __future__ import annotations

from collections.abc import Sequence

from raphe import catalog
from raphe.io.provenance import SOFTWARE, software_version
from raphe.report.simulated import Chapter, simulated_page
from raphe.simulate.page_courses import mechanism_chapter
from raphe.simulate.page_curves import Regions, curves_chapter, regions_of_curves
from raphe.simulate.page_design import design_chapter, glance, numbers_chapter, sources
from raphe.simulate.page_ratings import ratings_chapter
from raphe.simulate.page_truth import truth_chapter
from raphe.simulate.plan import SimulationPlan
from raphe.simulate.plan_file import PlanText
from raphe.simulate.record import Record

PAGE = "report.html"

MOST_PEOPLE = 20
"""So many participants at most enter the spread of courses and the noise of curves: the first ones."""

WARNING = (
    "No one was scanned: all of this was made by a computer. What it says of drugs and people is what its plan "
    "assumes, and that a finding comes out is no evidence for it."
)


def study_report(plan: SimulationPlan, source: PlanText, seed: int, records: Sequence[Record], images: bool) -> str:
    """Page of a simulated study.

    Parameters
    ----------
    plan : SimulationPlan
    source : PlanText
        The file of that plan.
    seed : int
    records : sequence of Record
        One a participant.
    images : bool
        Whether images were made; the first scan is made once more then, which gives the same.

    Returns
    -------
    str
        The same whatever the number of workers.
    """
    few = records[:MOST_PEOPLE]
    chapters: list[Chapter] = [design_chapter(plan, records)]
    if plan.doses:
        chapters.append(mechanism_chapter(plan, few))
    if plan.symptoms is not None and plan.visits:
        chapters.append(ratings_chapter(plan, records))
    chapters.append(truth_chapter(plan, records))
    if images:
        from raphe.simulate.page_images import head_chapter, seen

        found = seen(plan, source.folder, seed, records[0])
        chapters.append(head_chapter(plan, found))
        regions: Regions = found.regions
    else:
        regions = regions_of_curves(plan, seed, few)
    chapters += [curves_chapter(plan, records[0].truths[0], regions), numbers_chapter(plan)]
    return simulated_page(
        plan.study.title,
        plan.study.description,
        WARNING,
        glance(plan, records, images),
        chapters,
        references=[_reference(key) for key in sources(plan)],
        versions={SOFTWARE: software_version(), "Seed": str(seed), "Plan": source.name.rsplit("/", 1)[-1]},
        plan=source.text,
    )


def _reference(key: str) -> str:
    found = catalog.reference(key)
    return f"{key}: {found.text}" + (f" doi {found.doi}" if found.doi else "")
