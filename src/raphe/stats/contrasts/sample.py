"""Values of a region, person by person, that a comparison rests on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from raphe.data.estimates import Estimate, Estimates
from raphe.data.results import Excluded, PairedValues
from raphe.errors import InputError
from raphe.stats.contrasts.question import Material, Question
from raphe.stats.usable import Table, check_regions, check_session, fault, rows_of, table_of

Array = npt.NDArray[np.float64]


class Cell(NamedTuple):
    """Where a value of a person comes from."""

    tracer: str
    model: str
    session: str


@dataclass(frozen=True, eq=False)
class Sample:
    """Values of one region.

    Parameters
    ----------
    region : str
    people : tuple of str, length n
    values, se : ndarray, shape (n, n_cell)
        NaN where a person takes part without a value.
    excluded : tuple of Excluded
    """

    region: str
    people: tuple[str, ...]
    values: Array
    se: Array
    excluded: tuple[Excluded, ...] = ()

    def __len__(self) -> int:
        return len(self.people)

    def without(self, reasons: Mapping[str, str], session: str = "") -> Sample:
        """The sample without some people, each of whom is listed with a reason."""
        keep = np.array([person not in reasons for person in self.people], dtype=bool)
        out = [Excluded(person, session, self.region, reasons[person]) for person in self.people if person in reasons]
        people = tuple(person for person in self.people if person not in reasons)
        return replace(self, people=people, values=self.values[keep], se=self.se[keep], excluded=(*self.excluded, *out))

    def pairs(self, first: int = 0, second: int = 1) -> PairedValues:
        """Values of two cells."""
        return PairedValues(
            self.region,
            self.people,
            self.values[:, first],
            self.values[:, second],
            self.se[:, first],
            self.se[:, second],
            self.excluded,
        )

    def of(self, first: Array, second: Array) -> PairedValues:
        """Two numbers of each person that were made of the values."""
        unknown = np.full(len(self), np.nan)
        return PairedValues(self.region, self.people, first, second, unknown, unknown, self.excluded)


def samples(
    question: Question,
    material: Material,
    cells: Sequence[Cell],
    *,
    arms: Sequence[str] = (),
    gaps: bool = False,
) -> tuple[Sample, ...]:
    """Gather values of some cells, region by region.

    Parameters
    ----------
    question : Question
        Its ``arm`` says whose values; ``regions`` which regions; people who lack a covariate are left out or refused as
        ``missing`` says.
    material : Material
    cells : sequence of Cell
    arms : sequence of str
        Arms that are compared: people of others take no part, and people without an arm are left out and listed.
    gaps : bool
        Whether a person takes part with at least one value; otherwise with all.

    Raises
    ------
    InputError
        As :func:`raphe.stats.pairs.pair`; if a participant is in two arms; if covariates are missing and ``missing`` is
        ``error``.
    """
    tables: list[Table] = []
    known: list[str] = []
    people: dict[str, None] = {}
    for cell in cells:
        rows = rows_of(material.estimates, cell.tracer, cell.model, question.parameter)
        check_session(material.estimates, rows, cell.session, cell.tracer)
        check_regions(rows, question.regions)
        known += [name for name in Estimates(rows).distinct("region") if name not in known]
        tables.append(table_of(rows))
        people |= {row.participant: None for row in rows if row.session == cell.session}
        people |= {person: None for person, session in material.taken_out(cell.tracer) if session == cell.session}
    people_in, without_arm = _of_arms(question, material, tuple(people), arms)
    lacking = _lacking(question, material, people_in)
    several = len({cell.tracer for cell in cells}) > 1
    found = []
    for region in question.regions or known:
        sample = _sample(region, people_in, cells, tables, material, gaps, several)
        gone = [Excluded(person, "", region, "no arm is known") for person in without_arm]
        sample = replace(sample, excluded=(*sample.excluded, *gone))
        found.append(sample.without(lacking))
    return tuple(found)


def _of_arms(
    question: Question, material: Material, people: tuple[str, ...], arms: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """People who take part, and those of whom no arm is known."""
    wanted = tuple(arms) or ((question.arm,) if question.arm else ())
    if not wanted:
        return people, ()
    arm_of = material.arms()
    return (
        tuple(person for person in people if arm_of.get(person) in wanted),
        tuple(person for person in people if person not in arm_of),
    )


def _lacking(question: Question, material: Material, people: Sequence[str]) -> dict[str, str]:
    """Who lacks a covariate or a block, with the reason; raises where that is an error."""
    found: dict[str, str] = {}
    told: dict[str, str] = {}
    for what, names in (("covariate", question.covariates), ("block", (question.blocks,) if question.blocks else ())):
        for person in people:
            lacks = ", ".join(name for name in names if material.people.known(name, person) is None)
            if lacks:
                found[person] = "; ".join(part for part in (found.get(person), f"no value of {what} {lacks}") if part)
                told[person] = ", ".join(part for part in (told.get(person), lacks) if part)
    if told and question.missing == "error":
        whys = "; ".join(found.values())
        kinds = " and ".join(f"{what}s" for what in ("covariate", "block") if f"of {what} " in whys)
        listed = "; ".join(f"{person} lacks {names}" for person, names in told.items())
        raise InputError(f'{kinds} are missing: {listed}. Give them, or leave these people out by missing = "exclude"')
    return found


def _sample(
    region: str,
    people: tuple[str, ...],
    cells: Sequence[Cell],
    tables: Sequence[Table],
    material: Material,
    gaps: bool,
    several: bool,
) -> Sample:
    kept, excluded = [], []
    values: list[list[float]] = []
    errors: list[list[float]] = []
    scanned = [{(person, session) for person, session, _ in table} for table in tables]
    for person in people:
        rows: list[Estimate | None] = []
        for cell, table, there in zip(cells, tables, scanned, strict=True):
            row, was = table.get((person, cell.session, region)), (person, cell.session) in there
            why = "" if was else material.taken_out(cell.tracer).get((person, cell.session), "")
            why = why or fault(row, was, cell.session)
            if why:
                excluded.append(Excluded(person, cell.session, region, why, cell.tracer if several else ""))
            rows.append(None if why else row)
        if any(rows) if gaps else all(rows):
            kept.append(person)
            values.append([np.nan if row is None else row.value for row in rows])
            errors.append([np.nan if row is None else row.se for row in rows])
    shape = (len(kept), len(cells))
    return Sample(
        region, tuple(kept), np.array(values).reshape(shape), np.array(errors).reshape(shape), tuple(excluded)
    )


def changed(sample: Sample, scale: str, first: int, second: int) -> tuple[Sample, Array]:
    """Change of each person between two cells, on a scale; people of whom it has no meaning are left out and listed.

    Returns
    -------
    Sample
    ndarray, shape (n,)
    """
    if scale != "difference":
        kind = "in per cent needs a positive first value" if scale == "percent" else "of the logarithm needs positive"
        kind += "" if scale == "percent" else " values"
        bad = ~(sample.values[:, first] > 0)
        bad |= ~(sample.values[:, second] > 0) if scale == "log" else False
        who = {person: f"a change {kind}" for person, is_bad in zip(sample.people, bad, strict=True) if is_bad}
        sample = sample.without(who)
    a, b = sample.values[:, first], sample.values[:, second]
    return sample, CHANGES[scale](a, b)


CHANGES: dict[str, Callable[[Array, Array], Array]] = {
    "difference": lambda a, b: b - a,
    "percent": lambda a, b: 100 * (b - a) / a,
    "log": lambda a, b: np.log(b / a),
}
