"""Analysis of covariance and least squares say what R says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import mixed_truth as truth
from mixed_truth import columns, covariate, factor, numbers, said
from raphe.errors import InputError
from raphe.stats.columns import Covariate, Factor
from raphe.stats.design import design_of
from raphe.stats.linear import ancova, fit_least_squares


def of_trial(**options):
    table = columns(truth.TRIAL)
    return ancova(
        numbers(table, "post"),
        covariate(table, "baseline"),
        factor(table, "arm"),
        [covariate(table, "age")],
        subject=options.pop("subject", table["subject"]),
        **options,
    )


def test_ancova_is_that_of_lm_and_emmeans():
    model, expected = of_trial(), said(truth.TRIAL_BY_LM)
    found = {f"beta{i}": effect for i, effect in enumerate(model.coefficients.values(), 1)}
    found |= {f"mean{i}": model.ls_mean({"arm": arm}) for i, arm in enumerate("ab", 1)}
    found["difference1"] = model.difference({"arm": "b"}, {"arm": "a"})
    for name, effect in found.items():
        estimate, se, df, p = expected[name]
        assert effect.estimate == pytest.approx(estimate, abs=1e-8)
        assert effect.se == pytest.approx(se, abs=1e-8)
        assert (effect.df, effect.p) == pytest.approx((df, p), rel=1e-7)
    assert model.log_likelihood == pytest.approx(expected["logLik"][0], abs=1e-8)
    assert model.n == 14


def test_the_f_test_of_one_row_is_the_square_of_t():
    model = of_trial()
    test, effect = model.joint_test(("arm",)), model.difference({"arm": "b"}, {"arm": "a"})
    assert (test.F, test.df1, test.df2, test.p) == pytest.approx((effect.t**2, 1, 10, effect.p))


def test_several_arms_are_the_analysis_of_variance_of_scipy():
    rng = np.random.default_rng(5)
    groups = [rng.normal(mean, 1, n) for mean, n in ((0, 5), (1, 7), (0.5, 4))]
    arm = Factor("arm", [name for name, values in zip("abc", groups, strict=True) for _ in values], tuple("abc"))
    test = fit_least_squares(np.concatenate(groups), design_of([arm], [("arm",)])).joint_test(("arm",))
    right = stats.f_oneway(*groups)
    assert (test.F, test.p) == pytest.approx((right.statistic, right.pvalue), rel=1e-10)


def test_a_weight_of_two_is_the_row_given_twice():
    """Estimates and their covariance over sigma2 are alike; the residual degrees of freedom are not."""
    y, x, weights = np.array([1.0, 2.5, 2.0, 4.0, 4.5]), Covariate("x", [1, 2, 3, 4, 6]), np.array([1, 2, 1, 1, 2])
    weighed = fit_least_squares(y, design_of([x], [("x",)]), weights=weights)
    twice = fit_least_squares(
        np.repeat(y, weights), design_of([Covariate("x", np.repeat(x.values, weights))], [("x",)])
    )
    assert weighed.beta == pytest.approx(twice.beta)
    sigma2 = [model.covariance["residual variance"] for model in (weighed, twice)]
    assert weighed.tests.covariance / sigma2[0] == pytest.approx(twice.tests.covariance / sigma2[1])
    assert sigma2[0] * 3 == pytest.approx(sigma2[1] * 5)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda: of_trial(subject=["p1"] * 14), "two levels of arm|two rows"),
        (lambda: of_trial(subject=[f"p{i // 2}" for i in range(14)]), "two levels of arm|two rows"),
        (lambda: of_trial(weights=np.zeros(14)), "weight of row 1 is 0"),
        (lambda: of_trial(weights=[1.0]), "1 weights for 14 rows"),
        (lambda: of_trial(subject=["p1"]), "1 labels of subjects for 14 rows"),
    ],
    ids=["one subject", "pairs", "weight", "weights", "labels"],
)
def test_what_cannot_be_fitted_is_refused(change, match):
    with pytest.raises(InputError, match=match):
        change()


def test_a_subject_in_two_arms_is_refused():
    people = list(columns(truth.TRIAL)["subject"])
    arms = columns(truth.TRIAL)["arm"]
    people[arms.index("a")] = people[arms.index("b")]
    with pytest.raises(InputError, match="has two levels of arm"):
        of_trial(subject=people)


def test_one_subject_in_an_arm_is_refused():
    arm = Factor("arm", ["a"] * 6 + ["b"], ("a", "b"))
    with pytest.raises(InputError, match=r"one subject \(7\) is left with arm b"):
        ancova([1, 2, 1, 3, 2, 4, 9], Covariate("baseline", [2, 1, 2, 4, 1, 4, 6]), arm)


def test_a_constant_outcome_is_refused():
    arm = Factor("arm", ["a", "b"] * 3, ("a", "b"))
    with pytest.raises(InputError, match="constant"):
        fit_least_squares(np.full(6, 3.0), design_of([arm], [("arm",)]))


def test_an_exact_fit_is_refused():
    x = Covariate("x", [1, 2, 3, 4])
    with pytest.raises(InputError, match="fits the outcome exactly"):
        fit_least_squares(2 + 3 * x.values, design_of([x], [("x",)]))


def test_as_many_parameters_as_rows_are_refused():
    with pytest.raises(InputError, match="2 parameters cannot be fitted with an error to 2 rows"):
        fit_least_squares([1.0, 2.0], design_of([Covariate("x", [1, 2])], [("x",)]))
