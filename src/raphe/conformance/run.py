"""Fit the suite without noise, and hold every estimate against the truth, or against what an approximation gives."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt

from raphe.conformance.cases import SCHEDULES
from raphe.conformance.noise import decay_weights
from raphe.conformance.suite import CurveTable, Requirement, Suite
from raphe.core.frames import Frames
from raphe.data.fit import KineticFit
from raphe.data.tacs import TACs
from raphe.errors import ModelError
from raphe.kinetics import registry
from raphe.kinetics.fit import fit
from raphe.kinetics.protocol import KineticModel
from raphe.quality import words

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CaseResult:
    """One estimate without noise.

    Parameters
    ----------
    case, schedule : str
    value, truth : float
    wanted : float
        What an exact computation gives: the truth, but for an approximation.
    flags : str
        Words of the fit's quality.
    usable : bool
    """

    case: str
    schedule: str
    value: float
    truth: float
    wanted: float
    flags: str
    usable: bool

    @property
    def error(self) -> float:
        """Relative distance from what is wanted."""
        return self.value / self.wanted - 1

    @property
    def bias(self) -> float:
        """Relative distance from the truth."""
        return self.value / self.truth - 1

    @property
    def expected_bias(self) -> float:
        """Relative distance of what is wanted from the truth."""
        return self.wanted / self.truth - 1


@dataclass(frozen=True)
class Outcome:
    """What came of one requirement without noise.

    Parameters
    ----------
    requirement : Requirement
    reading : str
        How frames were read, ``average`` or ``midframe``.
    cases : tuple of CaseResult
        All cases on all schedules.
    """

    requirement: Requirement
    reading: str
    cases: tuple[CaseResult, ...]

    @property
    def allowed(self) -> float:
        """Largest relative error that is allowed."""
        return self.requirement.max_error[self.reading]

    @property
    def worst(self) -> float:
        """Largest relative error; NaN where a curve has no estimate."""
        return float(np.max(np.abs([case.error for case in self.cases])))

    @property
    def median_bias(self) -> float:
        """Median relative distance from the truth."""
        return float(np.median([case.bias for case in self.cases]))

    @property
    def met(self) -> bool:
        """Whether every estimate is within what is allowed, and usable where the model is the tissue."""
        return self.worst <= self.allowed and (self.requirement.kind != "exact" or all(c.usable for c in self.cases))


def noise_free(
    suite: Suite, requirement: Requirement, reading: str, schedules: Iterable[str] = tuple(SCHEDULES)
) -> Outcome:
    """Fit all cases of a requirement.

    Parameters
    ----------
    suite : Suite
    requirement : Requirement
    reading : {"average", "midframe"}
        Curves that are averages of frames are fitted under the convention of that name, values at mid-frame under the
        other.
    schedules : iterable of str

    Raises
    ------
    ModelError
        If there is no such model, or it does not take what the requirement tells it.
    """
    found: list[CaseResult] = []
    for schedule in schedules:
        table = suite.curves(requirement.family, schedule, reading)
        for group in groups(suite, requirement, suite.cases(requirement.family)):
            clean = np.array([table.activity[case] for case in group])
            weights = _weights(suite, requirement, table, clean)
            result = fit_group(suite, requirement, schedule, table, group, clean, reading, weights)
            found += _results(suite, requirement, schedule, reading, group, result)
    return Outcome(requirement, reading, tuple(found))


def groups(suite: Suite, requirement: Requirement, cases: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Cases that one call fits: of one reference, and alike in what the model is told or what they have in common."""
    alike = [*requirement.fixed, *filter(None, [requirement.together])]

    def key(case: str) -> tuple[str, ...]:
        row = suite.truth[case]
        return (row["reference"], *(row[symbol] for symbol in alike))

    for _, group in groupby(sorted(cases, key=key), key):
        yield tuple(group)


def make_model(suite: Suite, requirement: Requirement, schedule: str, case: str) -> KineticModel:
    """Model with what the requirement tells it, for a case and those alike."""
    told = {symbol: suite.true(case, symbol, schedule) for symbol in requirement.fixed}
    settings = dict(requirement.settings)
    if settings.pop("window", None) is not None:
        window = suite.fact("SUVR_window_min", schedule)
        assert isinstance(window, Sequence)
        settings |= {"t_begin": float(window[0]), "t_end": float(window[1])}
    return registry.make(requirement.model, **told, **settings)


def fit_group(
    suite: Suite,
    requirement: Requirement,
    schedule: str,
    table: CurveTable,
    group: Sequence[str],
    activity: Array,
    reading: str,
    weights: str | Array = "decay",
    rng: np.random.Generator | None = None,
) -> KineticFit:
    """Fit curves, shape (n_curve, n_frame), with the model, input and reference of the cases ``group``.

    Samples of plasma, for a model that has them in place of an input, get noise from ``rng``.
    """
    model = make_model(suite, requirement, schedule, group[0])
    plasma = suite.samples(rng) if "samples" in model.needs else suite.plasma
    curves = TACs(activity, table.frames, tuple(str(i) for i in range(len(activity))))
    reference = table.activity.get(suite.truth[group[0]]["reference"])
    result, _ = fit(
        model, curves, reference=reference, plasma=plasma, weights=weights, half_life=suite.half_life,
        convention=reading,
    )  # fmt: skip
    return result


def border(frames: Frames) -> Array:
    """Start of the first frame and the end of every one, min."""
    return np.append(frames.start, frames.end[-1])


def unknown_models(suite: Suite) -> tuple[str, ...]:
    """Models of raphe about which the suite has no row."""
    return tuple(sorted(set(registry.names()) - {row.model for row in suite.requirements}))


def chosen(suite: Suite, models: Iterable[str]) -> tuple[Requirement, ...]:
    """Rows of the suite about the models called so, by name or alias; all without names.

    Raises
    ------
    ModelError
        If there is no such model, or the suite has no row about it.
    """
    names = [registry.model_type(name).name for name in models] or list(registry.names())
    for name in names:
        if name not in {row.model for row in suite.requirements}:
            raise ModelError(
                f"the conformance suite has no row about {name}; add one to requirements.tsv: the family of cases it "
                "is exact for, its parameter and the error allowed"
            )
    return tuple(row for row in suite.requirements if row.model in names)


def _weights(suite: Suite, requirement: Requirement, table: CurveTable, clean: Array) -> str | Array:
    """Weights by the curve itself for an approximation, whose estimate depends on them."""
    if requirement.kind != "approximation":
        return "decay"
    return decay_weights(clean, border(table.frames), suite.half_life)


def _results(
    suite: Suite, requirement: Requirement, schedule: str, reading: str, group: Sequence[str], result: KineticFit
) -> Iterator[CaseResult]:
    value, _ = result.of(requirement.parameter)
    for i, case in enumerate(group):
        truth = suite.true(case, requirement.stands_for, schedule)
        yield CaseResult(
            case, schedule, float(value[i]), truth, wanted(suite, requirement, case, schedule, reading),
            words(int(result.quality[i])), bool(result.usable[i]),
        )  # fmt: skip


def wanted(suite: Suite, requirement: Requirement, case: str, schedule: str, reading: str) -> float:
    """What the requirement's parameter is by an exact computation."""
    if requirement.kind != "approximation":
        return suite.true(case, requirement.stands_for, schedule)
    if requirement.parameter != requirement.stands_for:
        return suite.true(case, requirement.parameter, schedule)  # as the ratio SUVR, held against DVR
    return suite.expected[requirement.model, case, schedule, reading]


def as_json(outcome: Outcome) -> dict[str, object]:
    """Outcome with all its cases, in plain types."""
    return {
        **dataclasses.asdict(outcome.requirement),
        "reading": outcome.reading,
        "allowed": outcome.allowed,
        "worst": outcome.worst,
        "median_bias": outcome.median_bias,
        "met": outcome.met,
        "cases": [dataclasses.asdict(case) for case in outcome.cases],
    }
