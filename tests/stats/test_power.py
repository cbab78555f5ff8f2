"""Power and precision, against R, published values and simulated studies."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from raphe.errors import InputError
from raphe.stats.correlation import pearson
from raphe.stats.equivalence import paired_equivalence
from raphe.stats.power import KINDS, Design, detectable, half_width, least_p, needed, power, standard_error
from raphe.stats.scatter import Scatter
from raphe.stats.two_groups import two_groups

UNIT = Scatter(math.sqrt(0.5), math.sqrt(0.5))  # a change has a standard deviation of 1
PEOPLE = Scatter(6.0, 12.0)


def test_t_tests_of_r():
    """R 4.2.2: power.t.test(n = 20, delta = 1), (n = 4, delta = 2, type = "paired"), both with strict = TRUE."""
    assert power(Design("groups"), UNIT, 40, 1.0) == pytest.approx(0.868953027725, rel=1e-9)
    assert power(Design("paired"), UNIT, 4, 2.0) == pytest.approx(0.754983917114, rel=1e-9)


def test_people_needed_by_r():
    """R 4.2.2: power.t.test(power = 0.9, delta = 1)$n = 22.02 a group, so 44 are too few, and 45 or 46 enough."""
    assert needed(Design("groups"), UNIT, 1.0, 0.9) in (45, 46)
    assert power(Design("groups"), UNIT, 44, 1.0) < 0.9


@pytest.mark.parametrize(("rho", "wanted", "n"), [(0.3, 0.8, 84), (0.5, 0.8, 29), (0.3, 0.95, 138)])
def test_people_needed_for_a_correlation_by_gpower(rho, wanted, n):
    """G*Power 3.1, exact bivariate normal model, two-sided 5 %."""
    assert needed(Design("correlation"), None, rho, wanted) == n


def test_four_animals_need_a_standardised_change_above_that_of_p():
    """t(3) = 3.18 is reached at d_z = 1.59; to reach it in 80 % of studies takes over 2."""
    change = detectable(Design("paired"), UNIT, 4, 0.8)
    assert change > 3.182446 / 2
    assert power(Design("paired"), UNIT, 4, change) == pytest.approx(0.8)


def simulated(kind, spread, n, change, rng):
    """Whether one study shows the change, by the test that raphe makes."""
    people = rng.normal(0, spread.between, n)
    before, after = (people + rng.normal(0, spread.within, n) for _ in range(2))
    second = np.arange(n) < Design(kind, (2, 1) if kind in ("groups", "ancova") else None).split(n)[0]
    if kind == "paired":
        return stats.ttest_1samp(after + change - before, 0).pvalue < 0.05
    if kind == "groups":
        d = after + change * second - before
        return two_groups(d[~second], d[second], variances="pooled").effect.p < 0.05
    if kind == "equivalence":
        return paired_equivalence(after - before, change).equivalent
    if kind == "correlation":
        score = change * people / spread.between + math.sqrt(1 - change**2) * rng.normal(size=n)
        return pearson(before, score).p < 0.05
    if kind == "interaction":
        d = rng.normal(0, spread.within, (4, n))
        return stats.ttest_1samp(change + d[0] - d[1] - d[2] + d[3], 0).pvalue < 0.05
    design = np.column_stack([np.ones(n), second, before])
    y = after + change * second
    beta, rest = np.linalg.lstsq(design, y, rcond=None)[:2]
    se = math.sqrt(rest[0] / (n - 3) * np.linalg.inv(design.T @ design)[1, 1])
    return 2 * stats.t.sf(abs(beta[1]) / se, n - 3) < 0.05


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "n", "change"),
    [
        ("paired", 4, 15.0),
        ("groups", 30, 8.0),
        ("ancova", 12, 11.0),
        ("interaction", 8, 13.0),
        ("correlation", 20, 0.6),
        ("equivalence", 12, 7.0),
    ],
    ids=list(KINDS),
)
def test_power_is_the_share_of_simulated_studies_that_show_it(kind, n, change):
    rng = np.random.default_rng(3)
    design = Design(kind, (2, 1) if kind in ("groups", "ancova") else None)
    many = 1000 if kind == "groups" else 2000
    share = np.mean([simulated(kind, PEOPLE, n, change, rng) for _ in range(many)])
    assert 0.3 < share < 0.95
    assert power(design, PEOPLE, n, change) == pytest.approx(share, abs=3 * math.sqrt(share * (1 - share) / many))


@pytest.mark.parametrize("kind", ["paired", "groups", "ancova", "correlation", "equivalence"])
def test_half_width_is_the_mean_of_simulated_intervals(kind):
    rng = np.random.default_rng(4)
    n, widths = 14, []
    for _ in range(1500):
        people = rng.normal(0, 12.0, n)
        before, after = (people + rng.normal(0, 6.0, n) for _ in range(2))
        d, second = after - before, np.arange(n) < 7
        if kind == "paired":
            interval = stats.ttest_1samp(d, 0).confidence_interval()
        elif kind == "equivalence":
            interval = stats.ttest_1samp(d, 0).confidence_interval(0.90)
        elif kind == "groups":
            interval = stats.ttest_ind(d[second], d[~second]).confidence_interval()
        elif kind == "correlation":
            found = pearson(*rng.normal(size=(2, n)))
            interval = (found.low, found.high)
        else:
            design = np.column_stack([np.ones(n), second, before])
            rest = np.linalg.lstsq(design, after, rcond=None)[1][0]
            se = math.sqrt(rest / (n - 3) * np.linalg.inv(design.T @ design)[1, 1])
            interval = (0.0, 2 * se * stats.t.ppf(0.975, n - 3))
        widths.append((interval[1] - interval[0]) / 2)
    found = half_width(Design(kind), None if kind == "correlation" else PEOPLE, n)
    # The width of a correlation's interval falls with |r|, of which that at 0 is the widest.
    assert found == pytest.approx(np.mean(widths), rel=0.08 if kind == "correlation" else 0.015)


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_three_questions_agree(kind):
    design = Design(kind, (2, 1) if kind in ("groups", "ancova") else None)
    change = detectable(design, PEOPLE, 24, 0.8)
    assert power(design, PEOPLE, 24, change) == pytest.approx(0.8, abs=1e-6)
    assert needed(design, PEOPLE, change, 0.8) == 24
    assert power(design, PEOPLE, 24, 0.0) == pytest.approx(0.0 if kind == "equivalence" else 0.05, abs=1e-9)


def test_unlike_responses_make_groups_unlike():
    spread = Scatter(6.0, 12.0, 10.0)
    error = standard_error(Design("groups", (2, 1)), spread, 30)
    assert error.se == pytest.approx(math.sqrt((72 + 100) / 20 + 72 / 10))
    assert not error.exact
    assert standard_error(Design("groups", (2, 1)), PEOPLE, 30).exact


def test_least_p_of_each_design():
    assert least_p(Design("paired"), 4) == 0.125
    assert least_p(Design("groups", (2, 1)), 6) == pytest.approx(1 / 15)
    assert least_p(Design("groups"), 6) == pytest.approx(2 / 20)
    assert least_p(Design("correlation"), 4) == pytest.approx(1 / 24)


def test_allocation_is_as_near_as_it_can_be():
    assert Design("groups", (2, 1)).split(30) == (20, 10)
    assert Design("groups").split(5) in ((3, 2), (2, 3))
    assert Design("groups", (100, 1)).split(10) == (8, 2)
    assert Design("paired").split(7) == (7, 0)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Design("crossover"), "crossover"),
        (lambda: Design("paired", (2, 1)), "one group"),
        (lambda: Design("groups", (2, 0)), "arm empty"),
        (lambda: Design("groups", outcome="ratio"), "ratio"),
        (lambda: Design("paired", alpha=0.7), "level of 0.7"),
        (lambda: power(Design("paired"), PEOPLE, 1, 1.0), "1 people are too few"),
        (lambda: power(Design("paired"), None, 5, 1.0), "no scatter"),
        (lambda: power(Design("ancova"), Scatter(6.0), 20, 1.0), "between people"),
        (lambda: power(Design("correlation"), None, 20, 1.2), "not possible"),
        (lambda: detectable(Design("paired"), PEOPLE, 5, 0.01), "power of 0.01"),
        (lambda: needed(Design("paired"), PEOPLE, 0.0, 0.8), "change of 0"),
        (lambda: needed(Design("paired"), PEOPLE, 0.001, 0.8), "more than 100000"),
    ],
    ids=["kind", "group", "arm", "outcome", "level", "few", "none", "between", "beyond", "power", "zero", "many"],
)
def test_unusable_input_is_refused(call, words):
    with pytest.raises(InputError, match=words):
        call()
