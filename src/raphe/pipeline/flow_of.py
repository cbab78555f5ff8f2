"""R1 and k2' beside a contrast of binding: whether delivery or clearance may explain it, in the same people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from raphe.data.pharmacology import FlowCheck
from raphe.data.pharmacology_tables import FlowRow, FlowTable
from raphe.data.record import Parameter, Step
from raphe.data.results import Contrast, ContrastRow, Excluded
from raphe.errors import InputError
from raphe.pharmacology.flow import PARAMETERS, flow_check, flow_check_of_arms
from raphe.stats.contrasts.question import Material, Question
from raphe.stats.contrasts.sample import Cell, Sample, samples

MARGIN = 1.1
"""Largest ratio of R1 or k2' that counts as no change where the plan names none: an assumption."""


def flow_of(
    contrast: Contrast, question: Question, material: Material, margin: float | None
) -> tuple[FlowTable, Step | None]:
    """Compare R1, and k2' where the model finds it region by region, in the people and sessions of a contrast.

    Parameters
    ----------
    contrast : Contrast
        Of BP_ND, as it was made: a change within people, or the difference of changes of two arms.
    question : Question
        What it asked.
    material : Material
    margin : float or None
        Largest ratio that counts as no change; None for :data:`MARGIN`.

    Returns
    -------
    FlowTable
        A region that cannot be compared has a row that says why.
    Step or None
        None where the model gives neither parameter.
    """
    sessions = question.sessions if question.kind in ("groups", "ancova") else question.terms
    used = MARGIN if margin is None else margin
    there = [
        name
        for name in PARAMETERS
        if material.estimates.where(tracer=question.tracer, model=question.model, parameter=name).rows
    ]
    rows = tuple(row for name in there for row in _rows(contrast, question, material, sessions, name, used))
    table = FlowTable(
        contrast.name,
        contrast.tracer,
        contrast.model,
        sessions[0],
        sessions[1],
        contrast.groups,
        used,
        margin is None,
        rows,
    )
    if not there:
        return table, None
    done: dict[str, Parameter] = {"contrast": contrast.name, "parameters": tuple(there), "arms": contrast.groups}
    done |= {"margin": used, "assumed": margin is None}
    cited = ("schuirmann1987", *(("welch1947",) if contrast.groups else ()))
    return table, Step("flow_check", done, citations=cited)


def _rows(
    contrast: Contrast, question: Question, material: Material, sessions: tuple[str, ...], parameter: str, margin: float
) -> Iterator[FlowRow]:
    asked = [row for row in contrast.rows if not row.secondary]
    own = material.estimates.where(tracer=question.tracer, model=question.model, parameter=parameter)
    known = own.distinct("region")
    regions = tuple(row.pairs.region for row in asked if row.pairs.region in known)
    of = replace(question, parameter=parameter, covariates=(), regions=regions)
    cells = [Cell(question.tracer, question.model, session) for session in sessions]
    try:
        found = samples(of, material, cells, arms=contrast.groups) if regions else ()
    except InputError as error:
        yield from (FlowRow(row.pairs.region, parameter, 0, None, why=str(error)) for row in asked)
        return
    by_region = {sample.region: sample for sample in found}
    for row in asked:
        region = row.pairs.region
        if region not in by_region:
            yield FlowRow(region, parameter, 0, None, why=f"there is no {parameter} of this region")
            continue
        yield _row(contrast, row, _of_the_same(by_region[region], row, parameter), parameter, margin)


def _of_the_same(sample: Sample, row: ContrastRow, parameter: str) -> Sample:
    """Values of the people of a contrast's row that have a logarithm."""
    inside = set(row.pairs.participants)
    keep = np.array([person in inside for person in sample.people], dtype=bool)
    excluded = [one for one in sample.excluded if one.participant in inside]
    there = {*sample.people, *(one.participant for one in excluded)}
    gone = [person for person in row.pairs.participants if person not in there]
    own = replace(
        sample,
        people=tuple(person for person in sample.people if person in inside),
        values=sample.values[keep],
        se=sample.se[keep],
        excluded=(*excluded, *(Excluded(person, "", sample.region, f"there is no {parameter}") for person in gone)),
    )
    bad = [not (values > 0).all() for values in own.values]
    why = f"{parameter} is not above 0, so that its ratio has no logarithm"
    return own.without({person: why for person, is_bad in zip(own.people, bad, strict=True) if is_bad})


def _row(contrast: Contrast, row: ContrastRow, sample: Sample, parameter: str, margin: float) -> FlowRow:
    n, found, why = len(sample), None, ""
    try:
        found = _checked(contrast, row, sample, parameter, margin)
    except InputError as error:
        why = str(error)
    return FlowRow(sample.region, parameter, n, found, sample.excluded, why)


def _checked(contrast: Contrast, row: ContrastRow, sample: Sample, parameter: str, margin: float) -> FlowCheck:
    first, second = sample.values[:, 0], sample.values[:, 1]
    if not contrast.groups:
        return flow_check(first, second, parameter=parameter, margin=margin)[0]
    arm_of = dict(zip(row.pairs.participants, row.groups, strict=True))
    arms = contrast.groups[0], contrast.groups[1]
    later = [arm_of[person] == arms[1] for person in sample.people]
    return flow_check_of_arms(first, second, later, arms=arms, parameter=parameter, margin=margin)[0]
