"""A planned contrast as it is asked of maps: which scans, who takes part, and the model of every voxel."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from raphe.data.people import NOT_KNOWN, People, score_key
from raphe.errors import InputError
from raphe.pipeline.plan_schema import same_tracer
from raphe.report.wording import count
from raphe.stats import map_designs
from raphe.stats.contrasts.covariates import columns_of, numbers_of
from raphe.stats.contrasts.question import Question
from raphe.stats.contrasts.words import change_words
from raphe.stats.map_designs import SIGN, MapDesign

Array = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]

OF_REGIONS = {
    "mixed": "a mixed model is fitted to regions only",
    "occupancy": "occupancy is found from regions only",
    "displacement": "ligand and receptors are told from regions only",
}
"""Kinds of contrast that are not made voxel by voxel, and why."""


class Cell(NamedTuple):
    """Scans of one tracer in one session, and the model whose maps are taken."""

    tracer: str
    model: str
    session: str


@dataclass(frozen=True)
class Asked:
    """What one contrast asks.

    Parameters
    ----------
    question : Question
    cells : tuple of Cell
        One, or two for a change, or four for two changes, the second of which is subtracted from.
    arms : tuple of str
        Two that are compared, the first of which is subtracted; empty where none are.
    """

    question: Question
    cells: tuple[Cell, ...]
    arms: tuple[str, ...] = ()

    @property
    def scores(self) -> tuple[str, ...]:
        """Names of the score's values that are needed: one, or two for its change."""
        one = self.question
        if one.kind != "correlation":
            return ()
        return tuple(score_key(one.score, visit) for visit in one.score_sessions) or (one.score,)

    @property
    def words(self) -> str:
        """What the effect is."""
        one, cells = self.question, self.cells
        adjusted = [*one.covariates]
        if one.kind == "ancova":
            adjusted.insert(0, f"{one.parameter} in {cells[0].session}")
            how = {"difference": "", "percent": ", as change in per cent of baseline,", "log": ", by logarithms,"}
            what = f"{one.parameter} of {one.tracer} in {cells[1].session}{how[one.scale]}"
        elif len(cells) == 1:
            what = f"{one.parameter} of {one.tracer} in {cells[0].session}"
        else:
            what = change_words(one, cells[0].session, cells[1].session, cells[-1].tracer)
        if one.by == "tracer":
            what = f"{what} minus that of {one.levels[0]}"
        if self.arms:
            what = f"{what}, {self.arms[1]} minus {self.arms[0]}"
        if one.kind == "correlation":
            what = f"{what}, per unit of {one.score}{' (its change)' if len(self.scores) == 2 else ''}"
        what = f"{what}, adjusted for {', '.join(adjusted)}" if adjusted else what
        return f"{what} (voxel by voxel all participants have one weight)" if one.weights != "none" else what


@dataclass(frozen=True)
class Sample:
    """Who takes part.

    Parameters
    ----------
    people : tuple of str
    arms : tuple of str, length n
        Empty where none are compared.
    covariates : ndarray, shape (n, k)
    score : ndarray, shape (n,)
        NaN where none is asked for.
    excluded : tuple of str
        Who does not, and why, in words.
    blocks : tuple of str, length n
        Within which arms are dealt anew; empty where there are none.
    """

    people: tuple[str, ...]
    arms: tuple[str, ...]
    covariates: Array
    score: Array
    excluded: tuple[str, ...] = field(default=())
    blocks: tuple[str, ...] = field(default=())


def asked(question: Question, sessions: tuple[str, ...], arms: tuple[str, ...]) -> Asked:
    """Cells and arms of a contrast.

    Parameters
    ----------
    question : Question
    sessions, arms : tuple of str
        Of :mod:`raphe.pipeline.contrast_rules`.

    Raises
    ------
    InputError
        If its kind, or its way, is none of maps; the message says why.
    """
    if question.kind in OF_REGIONS:
        raise InputError(OF_REGIONS[question.kind])
    if question.kind == "correlation" and question.method != "pearson":
        raise InputError(f"a {question.method} correlation is made of regions only; voxel by voxel it is Pearson's")
    sources = question.sources or ((question.tracer, question.model),)
    return Asked(question, tuple(Cell(*source, session) for source in sources for session in sessions), arms)


def sample_of(
    wanted: Asked,
    scanned: Sequence[set[str]],
    aside: Mapping[tuple[str, str, str], str],
    people: People,
    absent: str = "no scan",
) -> Sample:
    """Who has all scans, is in an arm that is asked for, and has what else is needed.

    Parameters
    ----------
    wanted : Asked
    scanned : sequence of set of str
        People with an analysed scan, by cell.
    aside : mapping of (str, str, str) to str
        By key of the tracer, participant and session: why a scan takes no part.
    people : People
    absent : str
        What is said of a scan that there is not.

    Raises
    ------
    InputError
        If covariates are missing and the plan does not say that such people are left out.
    """
    one, excluded = wanted.question, list[str]()
    kept, lacking = list[str](), list[str]()
    arm_of = people.columns.get("arm", {})
    among = wanted.arms or ((one.arm,) if one.arm else ())
    for person in sorted(set().union(*scanned) | _set_aside(wanted, aside)):
        arm = arm_of.get(person, "")
        if among and arm.lower() in NOT_KNOWN:
            excluded.append(f"sub-{person}: no arm is known")
        elif among and arm not in among:
            continue
        elif gone := _absent(wanted, scanned, aside, person, absent):
            excluded.append(f"sub-{person}: {gone}")
        elif lost := [name for name in (*one.covariates, *_blocks(one)) if people.known(name, person) is None]:
            lacking.append(f"sub-{person}: no value of {', '.join(lost)}")
        elif lost := [name for name in wanted.scores if people.known(name, person) is None]:
            excluded.append(f"sub-{person}: no value of {', '.join(lost)}")
        else:
            kept.append(person)
    if lacking and one.missing == "error":
        what = f"{'covariates' if one.covariates else 'blocks'} are missing: {'; '.join(lacking)}"
        raise InputError(f'{what}. Give them, or leave these people out by missing = "exclude"')
    columns = columns_of(one.covariates, people, kept) if kept else ()
    return Sample(
        tuple(kept),
        tuple(arm_of[person] for person in kept) if wanted.arms else (),
        numbers_of(columns) if columns else np.empty((len(kept), 0)),
        np.array([_score(wanted, people, person) for person in kept]),
        (*excluded, *lacking),
        tuple(str(people.known(name, person)) for name in _blocks(one) for person in kept),
    )


def _blocks(question: Question) -> tuple[str, ...]:
    """Column of the blocks, if there is one."""
    return (question.blocks,) if question.blocks else ()


def _set_aside(wanted: Asked, aside: Mapping[tuple[str, str, str], str]) -> set[str]:
    cells = {(same_tracer(cell.tracer), cell.session) for cell in wanted.cells}
    return {person for tracer, person, session in aside if (tracer, session) in cells}


def _absent(
    wanted: Asked, scanned: Sequence[set[str]], aside: Mapping[tuple[str, str, str], str], person: str, absent: str
) -> str:
    """Which scans a person lacks, and why; empty where all are there."""
    several, told = len({cell.tracer for cell in wanted.cells}) > 1, []
    for cell, there in zip(wanted.cells, scanned, strict=True):
        if person not in there:
            why = aside.get((same_tracer(cell.tracer), person, cell.session), absent)
            told.append(f"{why} in session {cell.session}{f' with {cell.tracer}' if several else ''}")
    return "; ".join(told)


def _score(wanted: Asked, people: People, person: str) -> float:
    found = [float(value) for name in wanted.scores if (value := people.known(name, person)) is not None]
    return np.nan if not found else found[0] if len(found) == 1 else found[1] - found[0]


def design_of(wanted: Asked, sample: Sample, read: Callable[[str, int], Singles]) -> MapDesign:
    """Model of every voxel.

    Parameters
    ----------
    wanted : Asked
    sample : Sample
    read : callable
        From a participant and the number of a cell to the values of the voxels.

    Raises
    ------
    InputError
        If there are too few people, or a covariate or the score is constant.
    """
    if len(sample.people) < map_designs.LEAST:
        told = f" ({'; '.join(sample.excluded[:6])})" if sample.excluded else ""
        raise InputError(
            f"{count(len(sample.people), 'participant has', 'participants have')} all of its scans{told}; it needs at "
            f"least {map_designs.LEAST}"
        )
    one, covariates = wanted.question, sample.covariates if sample.covariates.size else None
    if one.kind == "ancova":
        before, after = (_rows(sample, lambda person, at=at: read(person, at)) for at in (0, 1))  # type: ignore[misc]
        if one.scale != "difference":
            after = _changed(before if one.scale == "percent" else np.float32(1), after, one.scale)
        if one.scale == "log":
            before = _changed(np.float32(1), before, "log")
        made = map_designs.ancova(before, after, sample.arms, *wanted.arms, covariates=covariates)
        return replace(made, what=wanted.words, blocks=sample.blocks or None)
    rows = _rows(sample, lambda person: _value(wanted, read, person))
    if wanted.arms:
        made = map_designs.two_groups(rows, sample.arms, wanted.arms[0], wanted.arms[1], covariates)
        if sample.blocks:
            made = replace(made, blocks=sample.blocks, scheme=map_designs.WITHIN)
    elif one.kind == "correlation":
        made = map_designs.slope(rows, sample.score, covariates)
    elif covariates is None:
        made = map_designs.one_sample(rows)
    else:
        design = np.column_stack([np.ones(len(rows)), covariates - covariates.mean(axis=0)])
        made = MapDesign(rows, design, np.eye(design.shape[1])[0], SIGN)
    return replace(made, what=wanted.words)


def _rows(sample: Sample, value: Callable[[str], Singles]) -> Singles:
    """Values by participant, one map at a time."""
    first = value(sample.people[0])
    rows = np.empty((len(sample.people), first.size), dtype=np.float32)
    rows[0] = first
    for at, person in enumerate(sample.people[1:], start=1):
        rows[at] = value(person)
    return rows


def _value(wanted: Asked, read: Callable[[str, int], Singles], person: str) -> Singles:
    """What one participant brings: a value, a change, or a difference of two changes."""
    values = [read(person, at) for at in range(len(wanted.cells))]
    if len(values) == 1:
        return values[0]
    scale = wanted.question.scale
    changes = [_changed(values[at], values[at + 1], scale) for at in range(0, len(values), 2)]
    return changes[0] if len(changes) == 1 else changes[1] - changes[0]


def _changed(first: Singles | np.float32, second: Singles, scale: str) -> Singles:
    """Second minus first on a scale; NaN where that has no meaning."""
    if scale == "difference":
        return np.asarray(second - first)
    known = np.broadcast_to(np.asarray(first > 0), second.shape) & ((second > 0) | (scale == "percent"))
    a, b = np.where(known, first, np.float32(1)), np.where(known, second, np.float32(1))
    change = 100 * (b - a) / a if scale == "percent" else np.log(b / a)
    return np.where(known, change, np.nan).astype(np.float32)
