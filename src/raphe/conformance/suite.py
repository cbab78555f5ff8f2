"""Reads the files of the suite, as any package may: curves, truth, and what is required of each model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from raphe.conformance import SUITE
from raphe.core.frames import Frames
from raphe.core.piecewise import PiecewiseLinear
from raphe.data.blood import PlasmaInput
from raphe.io.tables import MISSING, Table, number, read_table, read_text

Array = npt.NDArray[np.float64]

NONE = "n/a"


@dataclass(frozen=True)
class Requirement:
    """One row of ``requirements.tsv``: a model, the cases that it is asked about, and how well it is to do.

    Parameters
    ----------
    model, family : str
    fixed : tuple of str
        Parameters whose true values the model is told.
    settings : mapping of str to float
        What else it is told, by symbol, in min.
    together : str
        Parameter that is common to all cases of one fit; empty for models that fit each curve by itself.
    parameter : str
        The one that is judged.
    stands_for : str
        Column of ``truth.tsv`` that it is held against.
    kind : str
        ``exact`` where the model is the tissue's; ``limit`` where the tissue is a simpler one that the model holds as a
        special case, so that the estimate is judged but may be flagged; ``approximation`` where the model is not the
        tissue's.
    max_error : mapping of str to float
        Largest relative error allowed without noise, by how frames are read: against the truth for an exact model,
        and against what the model gives when it is computed exactly for an approximation.
    coverage : str
        Parameters whose intervals must cover in 93 to 97 %, by commas, or ``all``; ``none`` where the reason says why
        they need not, and ``n/a`` where no noisy repeats are fitted.
    reason : str
    """

    model: str
    family: str
    fixed: tuple[str, ...]
    settings: Mapping[str, float]
    together: str
    parameter: str
    stands_for: str
    kind: str
    max_error: Mapping[str, float]
    coverage: str
    reason: str

    @property
    def known(self) -> str:
        """What is fixed, as ``precision.tsv`` has it."""
        return "together" if self.together else ",".join(self.fixed) or NONE

    @property
    def repeated(self) -> bool:
        """Whether noisy repeats are fitted."""
        return self.coverage != NONE

    def judges(self, parameter: str) -> bool:
        """Whether the coverage of a parameter's intervals is judged."""
        return self.coverage == "all" or parameter in self.coverage.split(",")


@dataclass(frozen=True)
class CurveTable:
    """Curves of one family on one schedule, kBq/mL, by name."""

    frames: Frames
    activity: Mapping[str, Array]


@dataclass(frozen=True)
class Suite:
    """The files in ``folder``."""

    folder: Path = SUITE

    @cached_property
    def facts(self) -> Mapping[str, object]:
        """What ``suite.json`` says."""
        found: Mapping[str, object] = json.loads(read_text(self.folder / "suite.json"))
        return found

    def fact(self, *path: str) -> object:
        """Look up one entry of ``suite.json``."""
        found: object = self.facts
        for key in path:
            assert isinstance(found, Mapping)
            found = found[key]
        return found

    @property
    def half_life(self) -> float:
        """Of the nuclide, min."""
        return float(str(self.facts["half_life_min"]))

    @cached_property
    def plasma(self) -> PlasmaInput:
        """Arterial input."""
        table = read_table(self.folder / "plasma.tsv")
        time = table.floats("time") / 60
        parent, whole_blood = (PiecewiseLinear(time, table.floats(column)) for column in ("AIF", "whole_blood"))
        return PlasmaInput(parent, whole_blood)

    def samples(self, rng: np.random.Generator | None = None) -> PlasmaInput:
        """Samples of plasma, for a model without another input; with the noise of repeats if a generator is given."""
        times, error = self.fact("plasma_samples", "time_min"), self.fact("plasma_samples", "relative_sd")
        assert isinstance(times, list)
        assert isinstance(error, float)
        time = np.array(times, dtype=float)
        factor = np.ones(time.size) if rng is None else np.exp(error * rng.normal(size=time.size))
        return PlasmaInput(PiecewiseLinear(time, self.plasma.parent(time) * factor))

    @cached_property
    def requirements(self) -> tuple[Requirement, ...]:
        """What is asked of each model, in the order of the file."""
        table = read_table(self.folder / "requirements.tsv")
        return tuple(_requirement(row) for row in _rows(table))

    @cached_property
    def truth(self) -> Mapping[str, Mapping[str, str]]:
        """Rows of ``truth.tsv`` by case."""
        return {row["case"]: row for row in _rows(read_table(self.folder / "truth.tsv"))}

    def cases(self, family: str, *, noisy: bool = False) -> tuple[str, ...]:
        """Names of the cases of a family; of those that are repeated with noise only."""
        return tuple(
            name for name, row in self.truth.items() if row["family"] == family and (row["noisy"] == "yes" or not noisy)
        )

    def true(self, case: str, symbol: str, schedule: str) -> float:
        """True value of a parameter; NaN where the tissue has none. An SUVR is that of the schedule's window."""
        row = self.truth[case]
        return number(row.get(symbol, row.get(f"{symbol}_{schedule}", MISSING[0])))

    def curves(self, family: str, schedule: str, reading: str) -> CurveTable:
        """Curves of a family's cases and of the references that belong to them."""
        table = read_table(self.folder / "curves" / f"{family}_schedule-{schedule}_{reading}.tsv")
        start, end = table.floats("frame_start") / 60, table.floats("frame_end") / 60
        return CurveTable(Frames(start, end - start), {name: table.floats(name) for name in table.columns[2:]})

    @cached_property
    def expected(self) -> Mapping[tuple[str, ...], float]:
        """What approximations give when computed exactly, with decay weights: by model, case, schedule and reading."""
        rows = _rows(read_table(self.folder / "expected.tsv"))
        return {(row["model"], row["case"], row["schedule"], row["reading"]): float(row["decay"]) for row in rows}

    @cached_property
    def precision(self) -> Mapping[tuple[str, ...], float]:
        """Smallest relative standard error: by case, what is fixed, and parameter."""
        rows = _rows(read_table(self.folder / "precision.tsv"))
        return {(row["case"], row["fixed"], row["parameter"]): float(row["relative_se"]) for row in rows}

    @cached_property
    def noise_bias(self) -> Mapping[tuple[str, str], tuple[float, float]]:
        """Expected relative bias by noise, lowest and highest over the weights: by model and case."""
        rows = _rows(read_table(self.folder / "noise_bias.tsv"))
        pairs = (((row["model"], row["case"]), sorted((float(row["decay"]), float(row["uniform"])))) for row in rows)
        return {key: (low, high) for key, (low, high) in pairs}

    @cached_property
    def noise_sd(self) -> Mapping[str, Array]:
        """SD of the noise of each frame, kBq/mL, by case."""
        table = read_table(self.folder / "noise_sd.tsv")
        return {name: table.floats(name) for name in table.columns[2:]}


def _rows(table: Table) -> Iterator[dict[str, str]]:
    return (dict(zip(table.columns, row, strict=True)) for row in table.rows)


def _requirement(row: Mapping[str, str]) -> Requirement:
    told = {name: "" if value == NONE else value for name, value in row.items()}
    settings = (part.split("=") for part in told["settings"].split(",") if part)
    return Requirement(
        row["model"],
        row["family"],
        tuple(filter(None, told["fixed"].split(","))),
        {name: float(value) for name, value in settings},
        told["together"],
        row["parameter"],
        row["stands_for"],
        row["kind"],
        {reading: number(row[f"max_error_{reading}"]) for reading in ("average", "midframe")},
        row["coverage"],
        row["reason"],
    )
