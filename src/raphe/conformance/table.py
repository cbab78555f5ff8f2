"""The outcome of the suite as Markdown tables."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from raphe.conformance.repeats import IDENTIFIABLE, UNIDENTIFIABLE, NoisyOutcome, ParameterResult
from raphe.conformance.run import Outcome


def tables(outcomes: Sequence[Outcome], noisy: Sequence[NoisyOutcome]) -> str:
    """All tables, those without a row left out."""
    exact = [outcome for outcome in outcomes if outcome.requirement.kind != "approximation"]
    others = [outcome for outcome in outcomes if outcome.requirement.kind == "approximation"]
    reading = outcomes[0].reading if outcomes else ""
    untold = [row for outcome in noisy for row in _untold(outcome)]
    return "\n".join(
        [
            *_table(f"Without noise, frames read as {reading}: the model is the tissue", _EXACT, map(_exact, exact)),
            *_table(
                f"Without noise, frames read as {reading}: the model approximates the tissue",
                _APPROXIMATE, map(_approximate, others),
            ),
            *_table("With noise: the fits", _FITS, map(_fits, noisy)),
            *_table(
                f"With noise: 95 % intervals, where the least relative standard error is at most {IDENTIFIABLE:g}",
                _COVERAGE, (row for outcome in noisy for row in _coverage(outcome)),
            ),
            *_table(
                f"With noise: parameters that no fit can tell (least relative standard error above {UNIDENTIFIABLE:g})",
                _UNTOLD, untold,
            ),
            *([_reasons([outcome for outcome in outcomes])] if outcomes else []),
        ]
    )  # fmt: skip


_EXACT = ("model", "tissue", "cases", "parameter", "median bias, %", "worst error", "allowed", "met")
_APPROXIMATE = (
    "model", "tissue", "cases", "parameter", "expected bias, %: median (middle 80 % of the cases)", "found",
    "worst difference", "allowed", "met",
)  # fmt: skip
_FITS = ("model", "tissue", "cases", "repeats", "flagged, %", "not usable, %", "ms a curve", "met", "why not")
_COVERAGE = ("model", "parameter", "cases", "coverage, % (lowest to highest)", "bias, % (lowest to highest)", "judged")
_UNTOLD = ("model", "parameter", "case", "least relative SE", "flagged undetermined, %", "no interval, %")


def _exact(outcome: Outcome) -> Iterator[str]:
    row = outcome.requirement
    yield from (row.model, row.family, str(len(outcome.cases)), row.parameter)
    yield from (f"{100 * outcome.median_bias:+.4f}", *_errors(outcome))


def _approximate(outcome: Outcome) -> Iterator[str]:
    row = outcome.requirement
    as_what = row.parameter if row.parameter == row.stands_for else f"{row.parameter} for {row.stands_for}"
    yield from (row.model, row.family, str(len(outcome.cases)), as_what)
    for biases in ([case.expected_bias for case in outcome.cases], [case.bias for case in outcome.cases]):
        low, middle, high = 100 * np.percentile(biases, (10, 50, 90))
        yield f"{middle:+.2f} ({low:+.1f} to {high:+.1f})"
    yield from _errors(outcome)


def _errors(outcome: Outcome) -> tuple[str, str, str]:
    return f"{outcome.worst:.1e}", f"{outcome.allowed:.0e}", _yes(outcome.met)


def _fits(outcome: NoisyOutcome) -> Iterator[str]:
    row, cases = outcome.requirement, {result.case for result in outcome.parameters}
    yield from (row.model, row.family, str(len(cases)), str(outcome.n_repeat))
    yield from (f"{100 * outcome.flagged:.1f}", f"{100 * outcome.unusable:.1f}", f"{1000 * outcome.seconds:.2f}")
    yield from (_yes(outcome.met), "; ".join((*outcome.astray, *outcome.biased, *outcome.silent)))


def _coverage(outcome: NoisyOutcome) -> Iterator[tuple[str, ...]]:
    for name in outcome.names:
        found = outcome.of(name)
        covered = [100 * result.coverage for result in found]
        bias = [100 * result.bias for result in found]
        yield (
            outcome.requirement.model, name, str(len(found)),
            f"{100 * outcome.pooled(name):.1f} ({min(covered):.1f} to {max(covered):.1f})",
            f"{np.mean(bias):+.1f} ({min(bias):+.1f} to {max(bias):+.1f})",
            _yes(outcome.requirement.judges(name)),
        )  # fmt: skip


def _untold(outcome: NoisyOutcome) -> Iterator[tuple[str, ...]]:
    for result in outcome.parameters:
        if result.unidentifiable:
            yield (
                outcome.requirement.model, result.parameter, result.case, f"{result.precision:.2g}",
                *_shares(result),
            )  # fmt: skip


def _shares(result: ParameterResult) -> tuple[str, str]:
    shares = (result.undetermined, result.untold)
    return "n/a" if math.isnan(shares[0]) else f"{100 * shares[0]:.0f}", (
        "n/a" if math.isnan(shares[1]) else f"{100 * shares[1]:.0f}"
    )


def _reasons(outcomes: Sequence[Outcome]) -> str:
    """Why models are held to less, one line each."""
    said = dict.fromkeys(
        f"- {o.requirement.model}, {o.requirement.family}: {o.requirement.reason}."
        for o in outcomes
        if o.requirement.reason != "the model is the tissue"
    )
    return "\n".join(said) + "\n"


def _yes(true: bool) -> str:
    return "yes" if true else "no"


def _table(title: str, header: Sequence[str], rows: Iterable[Iterable[str]]) -> list[str]:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return [f"{title}:\n", f"| {' | '.join(header)} |", f"|{'---|' * len(header)}", *lines, ""] if lines else []
