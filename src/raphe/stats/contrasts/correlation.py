"""Binding, or its change, against a score, or its change."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from raphe.data.people import score_key, score_words
from raphe.data.results import ContrastRow
from raphe.errors import InputError
from raphe.stats.contrasts.answer import NAN, NO_EFFECT, Answer, each_region, row_of
from raphe.stats.contrasts.covariates import columns_of, numbers_of
from raphe.stats.contrasts.question import Material, Question
from raphe.stats.contrasts.resampling import of_correlation
from raphe.stats.contrasts.sample import Cell, Sample, changed, samples
from raphe.stats.contrasts.words import change_words, covariate_words
from raphe.stats.correlation import Correlation, partial, pearson, spearman
from raphe.stats.effect import Effect
from raphe.stats.regional_permutation import Permutation, permute_correlation
from raphe.stats.robust_correlation import skipped

Array = npt.NDArray[np.float64]


def correlation(question: Question, material: Material) -> Answer:
    """Correlate binding in ``x`` (one session, or the change between two) with a score.

    Of the score, one visit is taken, or the second of two minus the first. With covariates it is a partial correlation
    (:func:`raphe.stats.correlation.partial`).

    Raises
    ------
    InputError
        As :func:`raphe.stats.contrasts.sample.samples`, and if the score is not known.
    """
    if len(question.x) not in (1, 2):
        raise InputError(f"x names {len(question.x)} sessions; name one for its value, or two for the change")
    keys = [score_key(question.score, visit) for visit in question.score_sessions or ("",)]
    found = samples(question, material, [Cell(question.tracer, question.model, session) for session in question.x])

    def answer(sample: Sample) -> Sequence[ContrastRow]:
        sample = sample.without(_without_score(material, sample, keys))
        if len(question.x) == 2:
            sample, x = changed(sample, question.scale, 0, 1)
        else:
            x = sample.values[:, 0]
        y = _score(material, sample, keys)
        return [_row(question, material, sample, x, y)]

    rows = each_region(found, answer)
    given = f", given {covariate_words(question)}" if question.covariates else ""
    binding = (
        change_words(question, *question.x) if len(question.x) == 2 else f"{question.parameter} in {question.x[0]}"
    )
    visits = question.score_sessions
    score = f"change in {question.score} ({visits[1]} minus {visits[0]})" if len(visits) == 2 else score_words(keys[0])
    return Answer(
        rows,
        binding,
        score,
        f"{'partial correlation' if given else 'correlation'} of {binding} with {score}{given}",
        _METHOD[question.method],
        unit="",
        permuted=lambda: _permuted(question, rows),
        smallest=lambda row: least_of_scores(row.pairs.first, row.pairs.second, question.method),
        statistic=lambda row: of_correlation(row.pairs.first, row.pairs.second, _given(row), question.method),
        arrangement="who has which score",
    )


def least_of_scores(x: Array, y: Array, method: str) -> float:
    """Smallest p that dealing the scores ``y`` anew can give: the share of all orders with the largest correlation.

    Orders that exchange people of equal values make the same correlation, and the opposite one is as large where values
    lie evenly about their mean, as untied ranks do.
    """
    if x.size < 3:
        return NAN
    if method == "spearman":
        x, y = rankdata(x), rankdata(y)
    x, y = np.sort(x - x.mean()), np.sort(y - y.mean())
    sums = [abs(float(x @ other)) for other in (y, y[::-1])]
    orders = [_alike(x) * _alike(y) // _alike(x, other) for other in (y, y[::-1])]
    largest = max(sums)
    found = sum(n for total, n in zip(sums, orders, strict=True) if total >= largest * (1 - 1e-9))
    return found / math.factorial(x.size)


def _alike(*values: Array) -> int:
    """Ways to exchange people who have the same values."""
    groups = Counter(zip(*(one.tolist() for one in values), strict=True))
    return math.prod(math.factorial(n) for n in groups.values())


def _given(row: ContrastRow) -> Array:
    """Covariates of a row, shape (n, k), k may be 0."""
    return row.covariates if row.given else np.empty((len(row.pairs), 0))


_METHOD = {
    "pearson": "Pearson's correlation, t test, Fisher's interval",
    "spearman": "Spearman's rank correlation, Bonett and Wright's interval",
    "skipped": "skipped correlation (without outliers of the cloud of points), random pairings, percentile interval",
}


def _without_score(material: Material, sample: Sample, keys: Sequence[str]) -> dict[str, str]:
    gone = {}
    for person in sample.people:
        lacks = [key for key in keys if material.people.known(key, person) is None]
        if lacks:
            gone[person] = f"no score {', '.join(lacks)}"
    return gone


def _score(material: Material, sample: Sample, keys: Sequence[str]) -> Array:
    values = [[material.people.known(key, person) for person in sample.people] for key in keys]
    if any(isinstance(value, str) for row in values for value in row):
        raise InputError(f"{' and '.join(keys)}: a score must be a number")
    table = np.array(values, dtype=float).reshape(len(keys), len(sample))
    return np.asarray(table[-1] - table[0] if len(keys) == 2 else table[0])


def _row(question: Question, material: Material, sample: Sample, x: Array, y: Array) -> ContrastRow:
    pairs, numbers = sample.of(x, y), np.empty((0, 0))
    if len(sample) < 3:
        few = "nobody has" if not len(sample) else f"only {', '.join(sample.people)} have"
        return row_of(pairs, NO_EFFECT, why=[f"{few} both values; a correlation needs three people"])
    if question.covariates:
        if question.method == "skipped":
            raise InputError("a skipped correlation has no covariates; use pearson or spearman")
        numbers = numbers_of(columns_of(question.covariates, material.people, sample.people))
        found = partial(x, y, numbers, method=question.method)
    else:
        found = _found(question, x, y)
    df = NAN if found.method == "skipped" else float(found.df)
    effect = Effect(found.r, NAN, df, found.low, found.high, found.p)
    why = [found.why, f"{found.n_outlier} outliers are left out" if found.n_outlier else ""]
    row = row_of(pairs, effect, why=why, individual=x)
    return replace(row, given=tuple(map(score_words, question.covariates)), covariates=numbers)


def _found(question: Question, x: Array, y: Array) -> Correlation:
    if question.method == "skipped":
        return skipped(x, y, seed=question.seed)
    return pearson(x, y) if question.method == "pearson" else spearman(x, y)


def _permuted(question: Question, rows: Sequence[ContrastRow]) -> Permutation:
    """Permutation test of the rows over the people that have the score."""
    if question.covariates or question.method == "skipped":
        raise InputError('the score is permuted for plain pearson and spearman only; take test = "t"')
    score = {
        person: float(y) for row in rows for person, y in zip(row.pairs.participants, row.pairs.second, strict=True)
    }
    people = list(score)
    table = np.full((len(people), len(rows)), np.nan)
    for at, row in enumerate(rows):
        for person, x in zip(row.pairs.participants, row.pairs.first, strict=True):
            table[people.index(person), at] = x
    return permute_correlation(list(score.values()), table, method=question.method, seed=question.seed)
