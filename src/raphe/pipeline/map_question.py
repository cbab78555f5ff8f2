"""A planned contrast as it is asked of maps: which scans, who takes part, and the model of every voxel."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from raphe.data.people import NOT_KNOWN, People, score_key
from raphe.errors import InputError
from raphe.pipeline.plan_schema import ContrastSection, same_tracer
from raphe.stats import map_designs
from raphe.stats.contrasts.covariates import columns_of, numbers_of
from raphe.stats.map_designs import SIGN, MapDesign

Array = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]

OF_REGIONS = {
    "mixed": "a mixed model is fitted to regions only",
    "occupancy": "occupancy is found from regions only",
}
"""Kinds of contrast that are not made voxel by voxel, and why."""

CHANGED = {"difference": "change", "percent": "change in per cent of the first", "log": "logarithm of the ratio"}


class Cell(NamedTuple):
    """Scans of one tracer in one session."""

    tracer: str
    session: str


@dataclass(frozen=True)
class Asked:
    """What one contrast asks.

    Parameters
    ----------
    contrast : ContrastSection
    cells : tuple of Cell
        One, or two for a change, or four for two changes, the second of which is subtracted from.
    arms : tuple of str
        Two that are compared, the first of which is subtracted; empty where none are.
    """

    contrast: ContrastSection
    cells: tuple[Cell, ...]
    arms: tuple[str, ...] = ()

    @property
    def scores(self) -> tuple[str, ...]:
        """Names of the score's values that are needed: one, or two for its change."""
        one = self.contrast
        if one.kind != "correlation" or one.score is None:
            return ()
        return tuple(score_key(one.score, visit) for visit in one.score_sessions) or (one.score,)


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
    """

    people: tuple[str, ...]
    arms: tuple[str, ...]
    covariates: Array
    score: Array
    excluded: tuple[str, ...] = field(default=())


def asked(contrast: ContrastSection) -> Asked:
    """Cells and arms of a contrast.

    Raises
    ------
    InputError
        If its kind, or its way, is none of maps; the message says why.
    """
    if contrast.kind in OF_REGIONS:
        raise InputError(OF_REGIONS[contrast.kind])
    if contrast.kind == "correlation" and contrast.method != "pearson":
        raise InputError(f"a {contrast.method} correlation is made of regions only; voxel by voxel it is Pearson's")
    tracers = contrast.levels if contrast.by == "tracer" else (contrast.tracer,)
    arms = contrast.terms if contrast.kind in ("groups", "ancova") else contrast.levels if contrast.by == "arm" else ()
    sessions = {"correlation": contrast.x, "groups": contrast.sessions, "ancova": contrast.sessions}.get(
        contrast.kind, contrast.terms
    )
    return Asked(contrast, tuple(Cell(tracer, session) for tracer in tracers for session in sessions), arms)


def sample_of(
    question: Asked,
    scanned: Sequence[set[str]],
    aside: Mapping[tuple[str, str, str], str],
    people: People,
) -> Sample:
    """Who has all scans, is in an arm that is asked for, and has what else is needed.

    Parameters
    ----------
    question : Asked
    scanned : sequence of set of str
        People with an analysed scan, by cell.
    aside : mapping of (str, str, str) to str
        By key of the tracer, participant and session: why a scan takes no part.
    people : People

    Raises
    ------
    InputError
        If covariates are missing and the plan does not say that such people are left out.
    """
    one, excluded = question.contrast, list[str]()
    kept, lacking = list[str](), list[str]()
    arms = people.columns.get("arm", {})
    wanted = question.arms or ((one.arm,) if one.arm else ())
    for person in sorted(set().union(*scanned) | _set_aside(question, aside)):
        arm = arms.get(person, "")
        if wanted and arm.lower() in NOT_KNOWN:
            excluded.append(f"sub-{person}: no arm is known")
        elif wanted and arm not in wanted:
            continue
        elif gone := _absent(question, scanned, aside, person):
            excluded.append(f"sub-{person}: {gone}")
        elif lost := [name for name in (*one.covariates, *question.scores) if people.known(name, person) is None]:
            lacking += [f"sub-{person}: no value of {', '.join(lost)}"]
        else:
            kept.append(person)
    if lacking and one.missing == "error" and one.covariates:
        raise InputError(f'{"; ".join(lacking)}. Give them, or leave these people out by missing = "exclude"')
    columns = columns_of(one.covariates, people, kept) if kept else ()
    return Sample(
        tuple(kept),
        tuple(arms[person] for person in kept) if question.arms else (),
        numbers_of(columns) if columns else np.empty((len(kept), 0)),
        np.array([_score(question, people, person) for person in kept]),
        tuple(excluded + lacking),
    )


def _set_aside(question: Asked, aside: Mapping[tuple[str, str, str], str]) -> set[str]:
    cells = {(same_tracer(cell.tracer), cell.session) for cell in question.cells}
    return {person for tracer, person, session in aside if (tracer, session) in cells}


def _absent(
    question: Asked, scanned: Sequence[set[str]], aside: Mapping[tuple[str, str, str], str], person: str
) -> str:
    told = []
    for cell, there in zip(question.cells, scanned, strict=True):
        if person not in there:
            why = aside.get((same_tracer(cell.tracer), person, cell.session), "no scan")
            told.append(f"{cell.tracer} in session {cell.session}: {why}")
    return "; ".join(told)


def _score(question: Asked, people: People, person: str) -> float:
    found = [float(value) for name in question.scores if (value := people.known(name, person)) is not None]
    return np.nan if not found else found[0] if len(found) == 1 else found[1] - found[0]


def design_of(question: Asked, sample: Sample, read: Callable[[str, int], Singles]) -> MapDesign:
    """Model of every voxel.

    Parameters
    ----------
    question : Asked
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
            f"{len(sample.people)} participants have all of its scans{told}; it needs at least {map_designs.LEAST}"
        )
    one, covariates = question.contrast, sample.covariates if sample.covariates.size else None
    if one.kind == "ancova":
        first, second = (_rows(sample, lambda person, at=at: read(person, at)) for at in (0, 1))  # type: ignore[misc]
        if one.scale == "log":
            first, second = (_changed(np.float32(1), values, "log") for values in (first, second))
        made = map_designs.ancova(first, second, sample.arms, *question.arms, covariates=covariates)
        return replace(made, what=f"{made.what}{_percent_is_none(one)}")
    rows = _rows(sample, lambda person: _value(question, read, person))
    if question.arms:
        made = map_designs.two_groups(rows, sample.arms, *question.arms, covariates=covariates)
    elif one.kind == "correlation":
        made = map_designs.slope(rows, sample.score, covariates)
    elif covariates is None:
        made = map_designs.one_sample(rows)
    else:
        centred = covariates - covariates.mean(axis=0)
        design = np.column_stack([np.ones(len(rows)), centred])
        made = MapDesign(rows, design, np.eye(design.shape[1])[0], SIGN)
    return replace(made, what=told_of(question))


def _percent_is_none(contrast: ContrastSection) -> str:
    return {"log": ", of logarithms", "percent": ", as a difference"}.get(contrast.scale, "")


def _rows(sample: Sample, value: Callable[[str], Singles]) -> Singles:
    """Values by participant, one map at a time."""
    first = value(sample.people[0])
    rows = np.empty((len(sample.people), first.size), dtype=np.float32)
    rows[0] = first
    for at, person in enumerate(sample.people[1:], start=1):
        rows[at] = value(person)
    return rows


def _value(question: Asked, read: Callable[[str, int], Singles], person: str) -> Singles:
    """What one participant brings: a value, a change, or a difference of two changes."""
    scale = question.contrast.scale
    values = [read(person, at) for at in range(len(question.cells))]
    if len(values) == 1:
        return values[0]
    changes = [_changed(values[at], values[at + 1], scale) for at in range(0, len(values), 2)]
    return changes[0] if len(changes) == 1 else changes[1] - changes[0]


def _changed(first: Singles | np.float32, second: Singles, scale: str) -> Singles:
    """Second minus first; NaN where the scale has no meaning."""
    if scale == "difference":
        return second - first
    known = np.asarray(first > 0) & (np.ones_like(second, dtype=bool) if scale == "percent" else second > 0)
    a, b = np.where(known, first, 1), np.where(known, second, 1)
    change = 100 * (b - a) / a if scale == "percent" else np.log(b / a)
    return np.where(known, change, np.nan).astype(np.float32)


def told_of(question: Asked) -> str:
    """What the effect is, in words."""
    one, cells = question.contrast, question.cells
    what = one.parameter if len(cells) == 1 else f"{CHANGED[one.scale]} of {one.parameter}"
    over = f"in session {cells[0].session}" if len(cells) == 1 else f"from {cells[0].session} to {cells[1].session}"
    if one.kind == "ancova":
        return f"{one.parameter} in {cells[1].session}, {question.arms[1]} minus {question.arms[0]}, adjusted for " + (
            f"{cells[0].session} in each voxel"
        )
    if one.by == "tracer":
        return f"mean {what} {over}, {one.levels[1]} minus {one.levels[0]}"
    if question.arms:
        return f"{what} of {one.tracer} {over}, {question.arms[1]} minus {question.arms[0]}"
    if one.kind == "correlation":
        change = " (change)" if len(question.scores) == 2 else ""
        return f"{what} of {one.tracer} {over} per unit of {one.score}{change}"
    return f"mean {what} of {one.tracer} {over}"
