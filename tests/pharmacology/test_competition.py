"""Ligand against receptors: published figures, algebra, and simulation of the equation itself."""

import math

import numpy as np
import pytest
from scipy import stats

from raphe.errors import InputError
from raphe.pharmacology.competition import displacement, expected_ratio
from raphe.pharmacology.separation import separate_by_depletion, separate_by_release


def test_the_equation_at_its_known_points():
    assert expected_ratio([1.0, 2.0], 0.25) == pytest.approx([1.0, 0.8])
    assert expected_ratio(0.0, 0.25) == pytest.approx(4 / 3)  # depletion frees all that was occupied
    assert expected_ratio(2.0, 0.25, receptors=1.25) == pytest.approx(1.0)


def test_fenfluramine_in_monkeys():
    """Finnema 2012: 5 mg/kg take BP_ND of AZ10419369 from 1.38 to 0.84; theta0 (n - 1) = 0.64."""
    found, step = displacement(1.38, 0.84, baseline_se=0.05, changed_se=0.05, theta0=0.2)
    assert found.extra.value == pytest.approx(0.64, abs=0.005)
    assert found.fold.value == pytest.approx(1 + found.extra.value / 0.2)
    assert found.receptors.value == pytest.approx(0.84 / 1.38)
    assert "cannot tell a change of receptor number from a change of endogenous ligand" in found.statement
    assert "finnema" not in step.citations
    assert "laruelle2000" in step.citations


def test_every_point_of_the_line_gives_the_change():
    found, _ = displacement(1.5, 1.2, baseline_se=0.1, changed_se=0.1, theta0=0.3)
    back = [
        float(expected_ratio(n, 0.3, receptors=f)) for n, f in zip(found.line_fold, found.line_receptors, strict=True)
    ]
    assert back == pytest.approx([0.8] * len(back))
    unknown, _ = displacement(1.5, 1.2, baseline_se=0.1, changed_se=0.1)
    assert math.isnan(unknown.fold.value)
    assert unknown.line_receptors == pytest.approx(0.8 * unknown.line_fold)


def test_a_rise_that_no_ligand_explains_is_said():
    found, _ = displacement(1.0, 1.6, baseline_se=0.05, changed_se=0.05, theta0=0.2)
    assert found.fold.value < 0
    assert "the ligand alone cannot do it" in found.statement
    assert "rise by 25 %" in found.statement


def test_doubt_of_theta0_widens_the_fold():
    said = {"baseline_se": 0.05, "changed_se": 0.05, "theta0": 0.3}
    narrow, _ = displacement(1.5, 1.2, **said)
    wide, _ = displacement(1.5, 1.2, **said, theta0_range=(0.1, 0.5))
    assert wide.fold.low < narrow.fold.low < narrow.fold.value < narrow.fold.high < wide.fold.high
    assert wide.fold.high == pytest.approx(1 + narrow.extra.high / 0.1)


def test_the_interval_of_a_group_covers():
    """2,000 groups of eight, spread 10 % of both scans: coverage of theta0 (n - 1); Monte-Carlo error 0.5 points."""
    random = np.random.default_rng(0)
    held = 0
    for _ in range(2000):
        people = 2.0 * np.exp(0.15 * random.normal(size=8))
        before, after = (people * f * (1 + 0.1 * random.normal(size=8)) for f in (1.0, 0.7))
        extra = displacement(before, after)[0].extra
        held += extra.low <= 1 / 0.7 - 1 <= extra.high
    assert 0.95 - 4 * 0.005 < held / 2000 < 0.95 + 4 * 0.005


RELEASE = {"f": 1.3, "extra": 0.25, "released": 0.6}


def release(f, extra, released, BP=2.0):
    """BP_ND at baseline, under the drug, under the releaser, under both."""
    return BP, f * BP / (1 + extra), BP / (1 + released), f * BP / (1 + extra + released)


def depletion(f, extra, theta0, BP=2.0):
    free = BP / (1 - theta0)
    return BP, f * BP / (1 + extra), free, f * free


def test_a_releaser_tells_receptors_from_ligand():
    found, _ = separate_by_release(*release(**RELEASE), se=(1e-6,) * 4)
    assert found.receptors.value == pytest.approx(1.3)
    assert found.extra.value == pytest.approx(0.25)
    assert found.receptors.high - found.receptors.low < 1e-4
    assert "can be told apart" in found.statement


def test_depletion_tells_receptors_from_ligand_and_the_baseline_occupancy():
    found, _ = separate_by_depletion(*depletion(1.3, 0.25, 0.2), se=(1e-6,) * 4)
    assert (found.receptors.value, found.extra.value) == pytest.approx((1.3, 0.25))
    assert found.theta0.value == pytest.approx(0.2)
    assert found.fold.value == pytest.approx(1 + 0.25 / 0.2)


@pytest.mark.parametrize(
    ("separate", "truth"),
    [(separate_by_release, release(**RELEASE)), (separate_by_depletion, depletion(1.3, 0.25, 0.4))],
    ids=["release", "depletion"],
)
def test_intervals_of_a_group_cover(separate, truth):
    """1,000 groups of twelve, 4 % a scan: Monte-Carlo error 0.7 points; limits at four of these, and the method's own.

    The gradients hold to the first order only, so that a point more is allowed.
    """
    random = np.random.default_rng(1)
    held = np.zeros(2)
    for _ in range(1000):
        people = np.exp(0.1 * random.normal(size=12))
        found, _ = separate(*(BP * people * (1 + 0.04 * random.normal(size=12)) for BP in truth))
        held += [found.receptors.low <= 1.3 <= found.receptors.high, found.extra.low <= 0.25 <= found.extra.high]
    assert (0.95 - 0.038 < held / 1000).all()
    assert (held / 1000 < 0.95 + 0.038).all()


def test_a_releaser_without_effect_separates_nothing():
    found, _ = separate_by_release(2.0, 2.2, 1.99, 2.19, se=(0.1,) * 4)
    assert math.isinf(found.receptors.high)
    assert "inseparable" in found.statement


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: displacement([1.0, 2.0], [1.0]), "same participants"),
        (lambda: displacement([1.0, -2.0], [1.0, 1.0]), "participant 2 in condition 'baseline'"),
        (lambda: displacement([1.0, math.nan], [1.0, 1.0]), "participant 2"),
        (lambda: displacement(1.0, 0.8), "needs the standard errors"),
        (lambda: displacement(1.0, 0.8, baseline_se=0.1, changed_se=0.1, theta0=1.2), "theta0 is 1.2"),
        (lambda: displacement(1.0, 0.8, baseline_se=0.1, changed_se=0.1, theta0=0.0), "theta0 is 0"),
        (
            lambda: displacement(1.0, 0.8, baseline_se=0.1, changed_se=0.1, theta0=0.1, theta0_range=(0.2, 0.3)),
            "not within its own range",
        ),
        (lambda: expected_ratio(-1.0, 0.2), "n-fold"),
        (lambda: separate_by_release(1.0, 1.0, 0.8, 0.7), "all four values"),
        (lambda: separate_by_depletion([1.0], [1.0, 2.0], [1.2], [1.1]), "same participants"),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_what_cannot_be_used_is_refused(call, told):
    with pytest.raises(InputError, match=told):
        call()


def _noisy(seed, receptors=1.3, n=12):
    """Four conditions of a releaser and of depletion, with people's own binding and noise."""
    random = np.random.default_rng(seed)
    own = random.uniform(1.5, 2.5, n)
    theta0, fold, more = 0.3, 1.5, 0.4
    load, released = 1 + theta0 * (fold - 1), 1 + more
    release = own * np.array([[1.0], [receptors / load], [1 / released], [receptors / (load + more)]])
    depleted = own * np.array([[1.0], [receptors / load], [1 / (1 - theta0)], [receptors / (1 - theta0)]])
    noise = 1 + 0.05 * random.standard_normal((2, 4, n))
    return release * noise[0], depleted * noise[1]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("receptors", [1.0, 1.1])
def test_p_is_below_5_percent_where_the_interval_leaves_no_change_out(seed, receptors):
    release, depleted = _noisy(seed, receptors)
    for found in (separate_by_release(*release)[0], separate_by_depletion(*depleted)[0]):
        for interval, none, p in ((found.receptors, 1.0, found.p_receptors), (found.extra, 0.0, found.p_extra)):
            assert (p < 0.05) == (interval.low > none or interval.high < none)


def test_p_of_receptors_after_depletion_is_the_paired_t_test_of_both_depleted_scans():
    _, (before, drug, depleted, both) = _noisy(3)
    found, _ = separate_by_depletion(before, drug, depleted, both)
    assert found.p_receptors == pytest.approx(stats.ttest_rel(both, depleted).pvalue)


def test_there_is_no_p_where_the_design_sets_no_limits():
    found, _ = separate_by_release(2.0, 2.2, 1.99, 2.19, se=(0.1,) * 4)
    assert math.isnan(found.p_receptors)
