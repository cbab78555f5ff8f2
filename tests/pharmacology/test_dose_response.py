"""Dose against occupancy: truth without noise, scipy's curve_fit, likelihood by brute force, and simulation."""

import math

import numpy as np
import pytest
from scipy import optimize, stats

from raphe.errors import InputError
from raphe.pharmacology.dose_response import dose_for, fit_dose_response, occupancy_at

DOSES = np.array([1.0, 2, 5, 10, 20, 50, 100, 200])
EC50 = 15.0


def curve(dose, EC50=EC50, E_max=1.0, hill=1.0):
    return E_max * dose**hill / (dose**hill + EC50**hill)


def noisy(seed, sd=0.05, **truth):
    return curve(DOSES, **truth) + sd * np.random.default_rng(seed).normal(size=DOSES.size)


@pytest.mark.parametrize(
    "truth",
    [{}, {"E_max": 0.8}, {"hill": 1.7}, {"E_max": 0.85, "hill": 0.8}],
    ids=["EC50", "E_max", "hill", "both"],
)
def test_without_noise_the_truth_comes_back(truth):
    fit, step = fit_dose_response(
        DOSES, curve(DOSES, **truth), E_max=None if "E_max" in truth else 1.0, hill=None if "hill" in truth else 1.0
    )
    expected = {"EC50": EC50, "E_max": 1.0, "hill": 1.0, **truth}
    assert (fit.EC50.value, fit.E_max.value, fit.hill.value) == pytest.approx(tuple(expected.values()), rel=1e-4)
    assert step.name == "dose_response"


@pytest.mark.parametrize("weighted", [False, True])
def test_the_estimate_is_that_of_another_least_squares(weighted):
    y = noisy(1)
    se = np.linspace(0.02, 0.08, 8) if weighted else None
    fit, _ = fit_dose_response(DOSES, y, se=se, E_max=None)
    found, spread = optimize.curve_fit(
        lambda x, log_EC50, log_E: curve(x, math.exp(log_EC50), math.exp(log_E)), DOSES, y, [2.0, 0.0], sigma=se
    )
    assert (fit.EC50.value, fit.E_max.value) == pytest.approx(tuple(np.exp(found)), rel=1e-4)
    # curve_fit's covariance takes J'J for the curvature: alike to a few per cent
    assert np.sqrt(np.diag(fit.covariance)) == pytest.approx(np.sqrt(np.diag(spread)), rel=0.15)


def test_the_ends_are_where_the_sum_of_squares_has_grown_by_f():
    y = noisy(2)
    fit, _ = fit_dose_response(DOSES, y)

    def squares(EC50):
        return float(np.sum((y - curve(DOSES, EC50)) ** 2))

    limit = squares(fit.EC50.value) * (1 + stats.f.ppf(0.95, 1, 7) / 7)
    assert [squares(fit.EC50.low), squares(fit.EC50.high)] == pytest.approx([limit, limit], rel=1e-5)
    assert fit.sd == pytest.approx(math.sqrt(squares(fit.EC50.value) / 7))


def test_with_two_parameters_the_profile_is_that_of_a_grid():
    y = noisy(3)
    fit, _ = fit_dose_response(DOSES, y, E_max=None)
    best = sum((y - curve(DOSES, fit.EC50.value, fit.E_max.value)) ** 2)
    limit = best * (1 + stats.f.ppf(0.95, 1, 6) / 6)
    for end in (fit.EC50.low, fit.EC50.high):
        shape = curve(DOSES, end)
        E = shape @ y / (shape @ shape)
        assert sum((y - E * shape) ** 2) == pytest.approx(limit, rel=1e-4)


def test_intervals_cover():
    """200 studies of eight: Monte-Carlo error 1.5 points; limits at four of these."""
    held = 0
    for seed in range(200):
        fit, _ = fit_dose_response(DOSES, noisy(seed))
        held += fit.EC50.low <= EC50 <= fit.EC50.high
    assert 0.95 - 4 * 0.0154 < held / 200 < 1


@pytest.mark.slow
def test_subjects_who_differ_widen_the_interval_to_what_covers():
    """25 studies of eight subjects with three scans each, EC50 spread 40 %: the interval that knows of subjects covers.

    Monte-Carlo error 4.4 points; the one that takes 24 scans for 24 subjects covers too seldom.
    """
    subjects = np.repeat([str(at) for at in range(8)], 3)
    doses = np.tile([5.0, 20.0, 80.0], 8)
    knows, knows_not = 0, 0
    for seed in range(25):
        random = np.random.default_rng(seed)
        own = np.repeat(EC50 * np.exp(0.4 * random.normal(size=8)), 3)
        y = curve(doses, own) + 0.02 * random.normal(size=24)
        fit, _ = fit_dose_response(doses, y, subjects=list(subjects))
        knows += fit.EC50.low <= EC50 <= fit.EC50.high
        plain, _ = fit_dose_response(doses, y)
        knows_not += plain.EC50.low <= EC50 <= plain.EC50.high
    assert (fit.df, fit.n_subject) == (7, 8)
    assert knows / 25 > 0.95 - 4 * 0.044
    assert knows_not < knows


def test_the_spread_between_subjects_comes_back():
    random = np.random.default_rng(0)
    subjects = np.repeat([str(at) for at in range(60)], 3)
    doses = np.tile([5.0, 20.0, 80.0], 60)
    own = np.repeat(EC50 * np.exp(0.2 * random.normal(size=60)), 3)
    fit, _ = fit_dose_response(doses, curve(doses, own) + 0.02 * random.normal(size=180), subjects=list(subjects))
    assert fit.subject_sd == pytest.approx(0.2, rel=0.3)  # error of an SD of 60: 9 %
    assert fit.sd == pytest.approx(0.02, rel=0.3)


def test_doses_that_do_not_bracket_ec50_are_told():
    low, _ = fit_dose_response(DOSES[:4], curve(DOSES[:4], 80.0) + 0.01 * np.array([1, -1, 1, -1]), unit="mg")
    assert any("above the highest dose that was measured (1 to 10 mg)" in text for text in low.statements)
    high, _ = fit_dose_response(DOSES[5:], curve(DOSES[5:], 3.0), kind="concentration")
    assert any(text.startswith("EC50 of 3 lies below the lowest concentration") for text in high.statements)
    fine, _ = fit_dose_response(DOSES, noisy(0))
    assert fine.statements == ()


def test_what_the_data_do_not_limit_has_no_end_and_is_told():
    y = np.array([0.93, 1.02, 0.95, 1.04])
    fit, _ = fit_dose_response(DOSES[4:], y)
    assert fit.EC50.low == 0.0
    assert any("no lower limit to ED50: it is not determined" in text for text in fit.statements)
    line, _ = fit_dose_response([1.0, 2, 3, 4, 5], [0.02, 0.039, 0.061, 0.08, 0.1], E_max=None)
    assert math.isinf(line.EC50.high)
    assert any("E_max was not reached" in text for text in line.statements)


@pytest.mark.parametrize("E_max", [1.0, None])
def test_predictions_and_their_inverse_agree(E_max):
    fit, _ = fit_dose_response(DOSES, noisy(4), E_max=E_max)
    value, low, high = occupancy_at(fit, [0.0, 10.0, 60.0])
    assert value[0] == 0
    assert (low[1:] < value[1:]).all()
    assert (value[1:] < high[1:]).all()
    back = dose_for(fit, float(value[1]))
    assert back.value == pytest.approx(10.0)
    assert back.low < 10 < back.high
    assert dose_for(fit, fit.E_max.value / 2).value == pytest.approx(fit.EC50.value)


def test_the_interval_of_a_prediction_covers():
    """25 studies with E_max and EC50 fitted: Monte-Carlo error 4.4 points."""
    held = 0
    for seed in range(25):
        fit, _ = fit_dose_response(DOSES, noisy(seed, 0.04, E_max=0.9), E_max=None)
        _, low, high = occupancy_at(fit, 30.0)
        held += low <= curve(30.0, E_max=0.9) <= high
    assert held / 25 > 0.95 - 4 * 0.044


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"dose": [1.0, 2.0]}, "one of each"),
        ({"dose": [-1.0, 2, 3, 4]}, "the dose of scan 1"),
        ({"occupancy": [0.1, math.nan, 0.3, 0.4]}, "the occupancy of scan 2"),
        ({"occupancy": [10.0, 20, 30, 40]}, "no share of 1"),
        ({"se": [0.1, 0.1, 0.0, 0.1]}, "the standard error of scan 3"),
        ({"dose": [0.0, 0, 0, 5]}, "at least 2 scans"),
        ({"E_max": None, "hill": None, "dose": [0.0, 1, 2, 3]}, "at least 4 scans"),
        (
            {"E_max": None, "hill": None, "dose": [1.0, 1, 3, 3]},
            r"2 different doses above 0 \(1, 3\) cannot give 3 parameters \(EC50, E_max, hill\); fix one, or add scans",
        ),
        ({"E_max": None, "dose": [5.0, 5, 5, 5]}, r"one dose above 0 \(5\) cannot give 2 parameters"),
        ({"E_max": -1.0}, "E_max is fixed at -1"),
        ({"kind": "level"}, "the kind is 'level'"),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_what_cannot_be_used_is_refused(said, told):
    whole = {"dose": [1.0, 2, 3, 4], "occupancy": [0.1, 0.2, 0.3, 0.4], **said}
    with pytest.raises(InputError, match=told):
        fit_dose_response(whole.pop("dose"), whole.pop("occupancy"), **whole)


def test_no_dose_gives_more_than_the_most():
    fit, _ = fit_dose_response(DOSES, noisy(4))
    with pytest.raises(InputError, match="ask for less"):
        dose_for(fit, 1.0)
    with pytest.raises(InputError, match="from 0 on"):
        occupancy_at(fit, -1.0)
