"""Fit noisy repeats of the suite's curves, and count how often the 95 % intervals cover the truth."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from raphe.conformance.run import fit_group, groups, make_model, wanted
from raphe.conformance.suite import CurveTable, Requirement, Suite
from raphe.data.fit import KineticFit
from raphe.kinetics import registry
from raphe.kinetics.protocol import KineticModel
from raphe.quality import Quality, determined, usable

Array = npt.NDArray[np.float64]
Progress = Callable[[int, int, str], None]

BAND = (0.93, 0.97)
"""Coverage that is asked of 95 % intervals, of all cases of a model together."""

WIDE = 0.99
"""Coverage that is allowed in one case alone: an interval that is too wide there misleads nobody."""

DEVIATIONS = 2.0
"""Standard deviations of chance by which the coverage of one case alone may be below the band."""

IDENTIFIABLE = 0.2
"""Relative standard error, at best, below which a parameter counts as told by the curve, and its interval is judged."""

UNIDENTIFIABLE = 1.0
"""The same, above which it counts as not told, and the flag ``undetermined`` is asked for."""

LEAST_FLAGGED = 0.85
"""Share of the usable fits that must carry the flag then; besides chance."""

JOINT_SHARE, JOINT_INPUT_SHARE = 5, 25
"""A model that fits curves together gets one repeat in so many, for it takes as much longer; and one that estimates the
input with them."""

BIAS_MARGIN = 0.005
"""How far the bias by noise may be beyond the range that is expected, as a share of the truth; besides chance."""


@dataclass(frozen=True)
class ParameterResult:
    """One parameter of one case over its repeats.

    Parameters
    ----------
    case, parameter : str
    truth, precision : float
        True value, and the smallest standard error that is possible, relative to it; NaN where it is not known.
    n : int
        Usable fits that give an interval.
    coverage : float
        Share of these whose interval holds the truth; NaN where there is none.
    bias : float
        Mean estimate of these over the truth, less 1.
    bias_se : float
        Standard error of that mean.
    untold : float
        Share of usable fits without an interval of the parameter.
    undetermined : float
        Share of usable fits that say that the parameter is not determined.
    """

    case: str
    parameter: str
    truth: float
    precision: float
    n: int
    coverage: float
    bias: float
    bias_se: float
    untold: float
    undetermined: float

    @property
    def identifiable(self) -> bool:
        """Whether the curve tells it; so where no bound is known."""
        return not self.precision > IDENTIFIABLE

    @property
    def unidentifiable(self) -> bool:
        """Whether the curve does not tell it at all."""
        return self.precision > UNIDENTIFIABLE


@dataclass(frozen=True)
class NoisyOutcome:
    """What came of the noisy repeats of one requirement.

    Parameters
    ----------
    requirement : Requirement
    n_repeat : int
        Of each case.
    parameters : tuple of ParameterResult
    flagged, unusable : float
        Shares of all fits with any flag, and with one that excludes.
    seconds : float
        Time of fitting one curve.
    expected_bias : mapping of str to (float, float)
        Range of the bias by noise of the macro parameter, by case, where the suite tells it.
    """

    requirement: Requirement
    n_repeat: int
    parameters: tuple[ParameterResult, ...]
    flagged: float
    unusable: float
    seconds: float
    expected_bias: dict[str, tuple[float, float]]

    def of(self, parameter: str) -> tuple[ParameterResult, ...]:
        """Results of a parameter in the cases that tell it."""
        return tuple(r for r in self.parameters if r.parameter == parameter and r.identifiable and r.n)

    @property
    def names(self) -> tuple[str, ...]:
        """Parameters that at least one case tells."""
        return tuple(name for name in dict.fromkeys(r.parameter for r in self.parameters) if self.of(name))

    def pooled(self, parameter: str) -> float:
        """Coverage over all cases that tell a parameter."""
        found = self.of(parameter)
        return sum(r.coverage * r.n for r in found) / sum(r.n for r in found)

    @property
    def astray(self) -> tuple[str, ...]:
        """What is judged and outside of the band, in words."""
        chance = DEVIATIONS * math.sqrt(0.95 * 0.05 / self.n_repeat)
        said = []
        for name in filter(self.requirement.judges, self.names):
            pooled = self.pooled(name)
            if not BAND[0] <= pooled <= BAND[1]:
                said.append(f"{name} {100 * pooled:.1f} %")
            said += [
                f"{name} {100 * r.coverage:.1f} % in {r.case}"
                for r in self.of(name)
                if not BAND[0] - chance <= r.coverage <= WIDE + chance
            ]
        return tuple(said)

    @property
    def biased(self) -> tuple[str, ...]:
        """Cases whose bias by noise is not the expected one, in words."""
        said = []
        for result in self.parameters:
            if result.parameter == self.requirement.parameter and result.case in self.expected_bias:
                low, high = self.expected_bias[result.case]
                margin = BIAS_MARGIN + DEVIATIONS * result.bias_se
                if not low - margin <= result.bias <= high + margin:
                    said.append(f"bias {100 * result.bias:+.1f} % in {result.case}, {100 * low:+.1f} % expected")
        return tuple(said)

    @property
    def silent(self) -> tuple[str, ...]:
        """Parameters that a curve does not tell and too few fits say so, in words."""
        chance = DEVIATIONS * math.sqrt(LEAST_FLAGGED * (1 - LEAST_FLAGGED) / self.n_repeat)
        return tuple(
            f"{r.parameter} flagged in {100 * r.undetermined:.0f} % in {r.case}"
            for r in self.parameters
            if r.unidentifiable and r.undetermined < LEAST_FLAGGED - chance
        )

    @property
    def met(self) -> bool:
        """Whether what is judged is as it should be."""
        return not self.biased and not self.astray and not self.silent


def noisy(
    suite: Suite, requirement: Requirement, reading: str, n_repeat: int, level: float, seed: int, progress: Progress
) -> NoisyOutcome:
    """Fit noisy repeats of the requirement's few noisy cases.

    Parameters
    ----------
    suite : Suite
    requirement : Requirement
    reading : {"average", "midframe"}
    n_repeat : int
        Repeats of each case.
    level : float
        Of the noise, as a share; see the suite's README.
    seed : int
        The same seed gives the same noise, whatever else is fitted.
    progress : callable
        Is told how many of how many are done, and what.
    """
    stated = suite.fact("noise", "level")
    schedule = str(suite.fact("noise", "schedule"))
    assert isinstance(stated, float)
    table = suite.curves(requirement.family, schedule, reading)
    if requirement.together:
        by_samples = "samples" in registry.model_type(requirement.model).needs
        n_repeat = max(n_repeat // (JOINT_INPUT_SHARE if by_samples else JOINT_SHARE), 2)
    found: list[ParameterResult] = []
    flags: list[npt.NDArray[np.int64]] = []
    took = 0.0
    cases = suite.cases(requirement.family, noisy=True)
    for group in groups(suite, requirement, cases) if requirement.together else ((case,) for case in cases):
        progress(len(flags), len(cases), f"{requirement.model} {group[0]}")
        curves = [_noisy_curves(suite, table, case, n_repeat, level / stated, seed) for case in group]
        model = make_model(suite, requirement, schedule, group[0])
        start = time.perf_counter()
        results = _fits(suite, requirement, schedule, table, group, curves, reading, seed)
        took += time.perf_counter() - start
        for i, case in enumerate(group):
            mine = [(fit, np.array([i]) if requirement.together else np.arange(n_repeat)) for fit in results]
            found += _parameters(suite, requirement, schedule, reading, case, model, mine, level / stated)
            flags.append(np.concatenate([fit.quality[rows] for fit, rows in mine]))
    progress(len(cases), len(cases), requirement.model)
    quality = np.concatenate(flags)
    bias = {case: suite.noise_bias[requirement.model, case] for case in cases if _told(suite, requirement, case)}
    return NoisyOutcome(
        requirement, n_repeat, tuple(found), float((quality != 0).mean()), float(1 - usable(quality).mean()),
        took / quality.size, bias if level == stated else {},
    )  # fmt: skip


def as_json(outcome: NoisyOutcome) -> dict[str, object]:
    """Outcome with all its cases, in plain types."""
    return {
        **dataclasses.asdict(outcome),
        "coverage": {name: outcome.pooled(name) for name in outcome.names},
        "astray": outcome.astray,
        "biased": outcome.biased,
        "silent": outcome.silent,
        "met": outcome.met,
    }


def _told(suite: Suite, requirement: Requirement, case: str) -> bool:
    return requirement.kind == "exact" and (requirement.model, case) in suite.noise_bias


def _noisy_curves(suite: Suite, table: CurveTable, case: str, n_repeat: int, scale: float, seed: int) -> Array:
    """Repeats of one case, shape (n_repeat, n_frame), kBq/mL; each case has noise of its own."""
    number = list(suite.truth).index(case)
    noise = np.random.default_rng((seed, number)).normal(size=(n_repeat, len(table.frames)))
    return np.asarray(table.activity[case] + scale * suite.noise_sd[case] * noise)


def _fits(
    suite: Suite,
    requirement: Requirement,
    schedule: str,
    table: CurveTable,
    group: Sequence[str],
    curves: Sequence[Array],
    reading: str,
    seed: int,
) -> list[KineticFit]:
    """One fit of all repeats of a case, or one of each repeat of cases that are fitted together."""
    stacked = np.stack(curves, axis=1) if requirement.together else curves
    rng = np.random.default_rng(seed)
    return [fit_group(suite, requirement, schedule, table, group, one, reading, rng=rng) for one in stacked]


def _parameters(
    suite: Suite,
    requirement: Requirement,
    schedule: str,
    reading: str,
    case: str,
    model: KineticModel,
    fits: Sequence[tuple[KineticFit, npt.NDArray[np.intp]]],
    scale: float,
) -> list[ParameterResult]:
    """Results of every parameter that the model estimates and the tissue has."""
    quality = np.concatenate([fit.quality[rows] for fit, rows in fits])
    kept = usable(quality)
    half = float(stats.t.ppf(0.975, int(fits[0][0].n_frames[0]) - model.n_free))
    found = []
    for parameter in fits[0][0].parameters:
        truth = suite.true(case, parameter, schedule)
        if parameter == requirement.parameter:
            truth = wanted(suite, requirement, case, schedule, reading)
        if parameter in requirement.fixed or not abs(truth) > 0:  # not a number where the tissue has none
            continue
        value, se = (np.concatenate([fit.of(parameter)[k][rows] for fit, rows in fits]) for k in (0, 1))
        told = kept & np.isfinite(se) & np.isfinite(value)
        n = int(told.sum())
        unsure = (quality & int(Quality.UNDETERMINED) > 0) & ~determined(value, se)
        low, high = _ends(fits, parameter, value, half * se)
        covered = ((low <= truth) & (truth <= high))[told]
        precision = scale * suite.precision.get((case, requirement.known, parameter), math.nan)
        found.append(
            ParameterResult(
                case, parameter, truth, precision, n,
                float(covered.mean()) if n else math.nan,
                float(value[told].mean() / truth - 1) if n else math.nan,
                float(value[told].std() / abs(truth) / math.sqrt(n)) if n else math.nan,
                float(1 - n / kept.sum()) if kept.any() else math.nan,
                float(unsure[kept].mean()) if kept.any() else math.nan,
            )
        )  # fmt: skip
    return found


def _ends(
    fits: Sequence[tuple[KineticFit, npt.NDArray[np.intp]]], parameter: str, value: Array, reach: Array
) -> tuple[Array, Array]:
    """Ends of the intervals: the model's own where it gives any, else as far from the value as ``reach``."""
    found = []
    for end, name in ((value - reach, "low"), (value + reach, "high")):
        of_all = [(getattr(fit, name), fit.parameters.index(parameter), rows) for fit, rows in fits]
        own = np.concatenate(
            [np.full(len(rows), np.nan) if ends is None else ends[rows, at] for ends, at, rows in of_all]
        )
        found.append(np.where(np.isnan(own), end, own))
    return found[0], found[1]
