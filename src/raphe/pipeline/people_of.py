"""What a plan's contrasts need of participants: arms, covariates and scores, found and held against the plan."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from raphe.data.finding import Finding
from raphe.data.people import NOT_KNOWN, People, score_key
from raphe.errors import InputError, nearest
from raphe.io.not_fetched import is_there
from raphe.io.participants import ID, faults, mistaken
from raphe.io.people_doubts import doubts_of_people
from raphe.io.phenotype import Score, read_score, score_names
from raphe.io.tables import Table, read_table
from raphe.pipeline.cells_of_people import mixed_numbers, no_exposures, spelled_alike
from raphe.pipeline.contrast_rules import arms_of
from raphe.pipeline.plan_schema import ContrastSection, StudyPlan
from raphe.pipeline.toml_lines import Key

ARM = "arm"
"""Column of ``participants.tsv`` that holds the arm."""


def people_of(
    plan: StudyPlan | None,
    participants: Path,
    phenotype: Path,
    there: Collection[str] = (),
    arms: Mapping[str, str] | None = None,
) -> tuple[People, tuple[Finding, ...]]:
    """Read what the contrasts of a plan need of participants.

    Parameters
    ----------
    plan : StudyPlan or None
    participants : Path
        ``participants.tsv``; need not be there.
    phenotype : Path
        Folder of scores; need not be there.
    there : collection of str
        Participants who have scans.
    arms : mapping of str to str, optional
        Arm of each participant, for want of a column of arms.

    Returns
    -------
    People
    tuple of Finding
        Errors: a covariate, a score or a visit that there is not, an arm that the plan does not have, a covariate of
        numbers or an exposure with a cell that is none (the column is then left out), a participant of a table who
        differs from one that has scans in the zeros of the label alone. Warnings: one class in several spellings, an
        age or weight that nobody has.
    """
    if plan is None:
        return People(), ()
    table = _participants(participants)
    columns = _columns(table)
    known = dict(arms or {}) if ARM not in columns else {}
    if known:
        columns[ARM] = known
    scores: dict[str, Mapping[str, float]] = {}
    found: list[Finding] = list(_arm_faults(plan, table)) if _uses_arms(plan) and not known else []
    for index, contrast in enumerate(plan.contrasts):
        for key, name in _wanted(index, contrast):
            try:
                score = _find(name, columns, phenotype, scores)
                if score is not None:
                    found += _mistaken(score.path, score.lines, there)
            except InputError as error:
                if key[2] == "score_sessions" and not isinstance(error, _NoVisitError):
                    key = ("contrast", index, "score")
                how = f"{plan.path}, line {plan.line(*key)}: contrast {contrast.name!r}: {error}"
                found.append(Finding("error", plan.path, f"contrast.{key[2]}", how))
        if contrast.blocks is not None and contrast.blocks not in columns:
            where = f"{plan.path}, line {plan.line('contrast', index, 'blocks')}: contrast {contrast.name!r}"
            how = f"blocks {contrast.blocks!r} is no column of participants.tsv; {nearest(contrast.blocks, columns)}"
            found.append(Finding("error", plan.path, "contrast.blocks", f"{where}: {how}"))
    if table is not None:
        used = {ARM, *(name for at, one in enumerate(plan.contrasts) for _, name in _wanted(at, one))}
        used |= {one.blocks for one in plan.contrasts if one.blocks is not None}
        if not used.isdisjoint(columns):
            lines = dict(zip((who.removeprefix("sub-") for who in table.cells(ID)), table.lines, strict=True))
            found += _mistaken(table.path, lines, there)
        mixed = list(_mixed(plan, table))
        found += [*mixed, *_spelled(plan, table), *doubts_of_people(table, _covariates(plan))]
        columns = {name: cells for name, cells in columns.items() if name not in {one.field for one in mixed}}
    return People(columns, scores), tuple(dict.fromkeys(found))


def _mistaken(path: Path, lines: Mapping[str, int], there: Collection[str]) -> list[Finding]:
    return [Finding("error", path, ID, str(fault)) for fault in mistaken(path, lines, there)]


class _NoVisitError(InputError):
    """A score that there is, without the visit that is asked for."""


def _participants(path: Path) -> Table | None:
    """The table, if it is there and sound; else a finding of the data set tells what is wrong."""
    if not is_there(path):
        return None
    table = read_table(path)
    return None if faults(table) else table


def _columns(table: Table | None) -> dict[str, dict[str, str]]:
    if table is None:
        return {}
    people = [who.removeprefix("sub-") for who in table.cells(ID)]
    return {column: dict(zip(people, table.cells(column), strict=True)) for column in table.columns if column != ID}


def _uses_arms(plan: StudyPlan) -> bool:
    return any(contrast.arm is not None or arms_of(contrast) for contrast in plan.contrasts)


def _arm_faults(plan: StudyPlan, table: Table | None) -> Iterator[Finding]:
    if table is None or ARM not in table.columns:
        index = next(at for at, one in enumerate(plan.contrasts) if one.arm is not None or arms_of(one))
        where = f"{plan.path}, line {plan.line('contrast', index, 'kind')}"
        others = [name for name in table.columns if name != ID] if table else []
        there = (
            f"participants.tsv has no column {ARM!r}; {nearest(ARM, others)}"
            if table
            else "there is no participants.tsv"
        )
        told = f"{where}: arms are needed, but {there}"
        yield Finding("error", plan.path, "contrast.kind", told)
        return
    known = [arm.name for arm in plan.arms]
    for line, who, cell in zip(table.lines, table.cells(ID), table.cells(ARM), strict=True):
        if cell.lower() not in NOT_KNOWN and cell not in known:
            how = f"{who} is in arm {cell!r}, which has no [[arm]] in {plan.path.name}; {nearest(cell, known)}"
            yield Finding("error", table.path, ARM, f"{table.path}: {ARM}, line {line}: {how}")


def _covariates(plan: StudyPlan) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for contrast in plan.contrasts for name in contrast.covariates))


def _mixed(plan: StudyPlan, table: Table) -> Iterator[Finding]:
    for name in _covariates(plan):
        if name in table.columns and name not in (ID, ARM):
            yield from mixed_numbers(table, name)
    for exposure in dict.fromkeys(contrast.exposure for contrast in plan.contrasts):
        if exposure is not None and exposure in table.columns:
            yield from no_exposures(table, exposure)


def _spelled(plan: StudyPlan, table: Table) -> Iterator[Finding]:
    """Yield spellings of one class among covariates, blocks and arms."""
    named = (name for contrast in plan.contrasts for name in (*contrast.covariates, contrast.blocks))
    for name in dict.fromkeys((ARM, *named)):
        if name is not None and name in table.columns and name != ID:
            yield from spelled_alike(table, name)


def _wanted(index: int, contrast: ContrastSection) -> Iterator[tuple[Key, str]]:
    """Every covariate and score that a contrast names, with its place in the plan."""
    for at, name in enumerate(contrast.covariates):
        yield ("contrast", index, "covariates", at), name
    if contrast.score is not None:
        for at, visit in enumerate(contrast.score_sessions):
            yield ("contrast", index, "score_sessions", at), score_key(contrast.score, visit)
        if not contrast.score_sessions:
            yield ("contrast", index, "score"), contrast.score
    if contrast.exposure is not None:
        yield ("contrast", index, "exposure"), contrast.exposure


def _find(
    name: str, columns: Mapping[str, Mapping[str, str]], phenotype: Path, scores: dict[str, Mapping[str, float]]
) -> Score | None:
    """Put a score among ``scores``, unless it is there or a column of the participants; its table, if it has one.

    Raises
    ------
    InputError
        If there is no such column, score or visit.
    """
    if name in columns or name in scores:
        return None
    score, _, visit = name.partition(":")
    visit = visit.removeprefix("ses-")
    table = read_score(phenotype, score)
    if table is None:
        if visit and f"{score}_{visit}" in columns:
            cells = columns[f"{score}_{visit}"]
            found = People({score: cells})
            if not found.numeric(score):
                raise InputError(f"the column {score}_{visit} of participants.tsv does not hold numbers")
            scores[name] = {who: _float(found.known(score, who)) for who in cells}
            return None
        known = (*columns, *score_names(phenotype))
        raise InputError(
            f"{score!r} is no column of participants.tsv and no score of phenotype/; {nearest(score, known)}"
        )
    if visit not in table.visits:
        visits = [one for one in table.visits if one]
        if not visit:
            raise InputError(f"{score!r} has several visits ({', '.join(visits)}); name one, as {score}:{visits[0]}")
        hint = nearest(visit, visits) if visits else "it was taken once; name no visit"
        raise _NoVisitError(f"score {score!r} has no visit {visit!r} in {table.path.name}; {hint}")
    scores[name] = table.visits[visit]
    return table


def _float(value: str | float | None) -> float:
    return float("nan") if value is None else float(value)
