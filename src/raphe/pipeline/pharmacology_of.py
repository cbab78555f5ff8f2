"""What pharmacology adds to the contrasts of a plan: flow, ligand or receptors, Lassen plots, dose."""

from __future__ import annotations

from collections.abc import Sequence

from raphe.data.pharmacology_tables import DoseTable, FlowTable, LassenTable, LigandTable, Pharmacology
from raphe.data.record import Step
from raphe.data.results import Contrast
from raphe.errors import InputError
from raphe.pipeline.contrast_rules import is_lassen
from raphe.pipeline.contrasts_of import analysed_of, question_of
from raphe.pipeline.displacement_of import ligand_of
from raphe.pipeline.dose_of import dose_of
from raphe.pipeline.flow_of import flow_of
from raphe.pipeline.lassen_of import lassen_of, warnings_of
from raphe.pipeline.pharmacology_rules import has_flow
from raphe.pipeline.plan_schema import StudyPlan
from raphe.stats.contrasts.question import Material


def pharmacology_of(plan: StudyPlan, contrasts: Sequence[Contrast], material: Material) -> Pharmacology:
    """Make the tables beside the contrasts of a plan, in the order of the contrasts.

    Parameters
    ----------
    plan : StudyPlan
    contrasts : sequence of Contrast
        Those that could be made.
    material : Material
        What they were made of.
    """
    analysed = analysed_of(material.estimates)
    sections = {section.name: section for section in plan.contrasts}
    flow: list[FlowTable] = []
    ligand: list[LigandTable] = []
    dose: list[DoseTable] = []
    lassen: list[LassenTable] = []
    steps: list[Step] = []
    unmade: list[str] = []
    for contrast in contrasts:
        section = sections[contrast.name]
        question = question_of(plan, section, analysed)
        if has_flow(section):
            table, done = flow_of(contrast, question, material, section.flow_margin)
            flow.append(table)
            steps += [done] if done is not None else []
        if section.kind == "displacement":
            told, step = ligand_of(contrast, section, question, material)
            ligand.append(told)
            steps.append(step)
        lines: LassenTable | None = None
        if is_lassen(section):
            lines, each = lassen_of(contrast, question, material, section.noise)
            lassen.append(lines)
            steps += each
        if section.exposure is not None:
            try:
                found, step = dose_of(contrast, section, material.people, None if lines is None else lines.study)
            except InputError as error:
                unmade.append(f"occupancy against {section.exposure} of contrast {contrast.name!r}: {error}")
                continue
            dose.append(found)
            steps.append(step)
    warnings = tuple(text for table in lassen for text in warnings_of(table))
    return Pharmacology(tuple(flow), tuple(ligand), tuple(dose), tuple(lassen), tuple(steps), tuple(unmade), warnings)
