"""Mixed models say what R says, and refuse what cannot be fitted."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import mixed_truth as truth
from mixed_truth import columns, covariate, factor, numbers, said
from raphe.errors import InputError
from raphe.stats.columns import Factor
from raphe.stats.design import design_of
from raphe.stats.linear import fit_least_squares
from raphe.stats.longitudinal import fit_mixed

FREEDOM = {"s": "satterthwaite", "k": "kenward-roger"}
PAIRS = {"arm": [({"arm": "b"}, {"arm": "a"})]}


def agrees(found, expected):
    """Estimates to 1e-6, standard errors to 1e-5, degrees of freedom to 1e-3, p to 1e-4."""
    for value, right, tolerance in zip(found, expected, (1e-6, 1e-5, 1e-3, 1e-4), strict=True):
        assert value == pytest.approx(right, abs=tolerance)


def like_r(effect):
    return effect.estimate, effect.se, effect.df, effect.p


def coefficients_and_tests_agree(model, expected, prefix):
    for i, effect in enumerate(model.coefficients.values(), 1):
        agrees(like_r(effect), expected[f"{prefix}:beta{i}"])
    for i, test in enumerate(model.joint_tests, 1):
        agrees((test.F, test.df1, test.df2, test.p), expected[f"{prefix}:F{i}"])


def sessions_design(table):
    return design_of([factor(table, "arm"), factor(table, "session")], [("arm",), ("session",), ("arm", "session")])


def within_design(table):
    return design_of([factor(table, "tracer"), factor(table, "drug")], [("tracer",), ("drug",), ("tracer", "drug")])


@pytest.mark.parametrize("short", FREEDOM)
@pytest.mark.parametrize("name", ["SESSIONS", "FLAT"])
def test_a_random_intercept_is_that_of_lmer(name, short):
    table, expected = columns(getattr(truth, name)), said(getattr(truth, f"{name}_BY_LMER"))
    model = fit_mixed(numbers(table, "y"), sessions_design(table), table["subject"], df=FREEDOM[short])
    coefficients_and_tests_agree(model, expected, short)
    assert model.log_likelihood == pytest.approx(expected["logLik"][0], abs=1e-8)
    for i, value in enumerate(model.covariance.values(), 1):
        assert value == pytest.approx(expected[f"variance{i}"][0], abs=1e-6)
    for i, session in enumerate(("s0", "s1", "s2"), 1):
        difference = model.difference({"arm": "b", "session": session}, {"arm": "a", "session": session})
        agrees(like_r(difference), expected[f"{short}:difference{i}"])


@pytest.mark.parametrize("short", FREEDOM)
def test_least_squares_means_are_those_of_emmeans(short):
    table, expected = columns(truth.SESSIONS), said(truth.SESSIONS_BY_LMER)
    model = fit_mixed(numbers(table, "y"), sessions_design(table), table["subject"], df=FREEDOM[short])
    cells = [(arm, session) for session in ("s0", "s1", "s2") for arm in "ab"]
    for i, (arm, session) in enumerate(cells, 1):
        agrees(like_r(model.ls_mean({"arm": arm, "session": session})), expected[f"{short}:mean{i}"])


def test_weights_are_those_of_lmer():
    table, expected = columns(truth.SESSIONS), said(truth.SESSIONS_WEIGHTED_BY_LMER)
    se = numbers(table, "se")
    design = sessions_design(table)
    model = fit_mixed(numbers(table, "y"), design, table["subject"], se=se, errors="weights", df="satterthwaite")
    coefficients_and_tests_agree(model, expected, "s")
    assert model.log_likelihood == pytest.approx(expected["logLik"][0], abs=1e-8)


@pytest.mark.parametrize("short", FREEDOM)
def test_the_interaction_within_four_animals_is_that_of_lmer(short):
    table, expected = columns(truth.WITHIN), said(truth.WITHIN_BY_LMER)
    model = fit_mixed(numbers(table, "y"), within_design(table), table["subject"], df=FREEDOM[short])
    coefficients_and_tests_agree(model, expected, short)
    weights = {("AZ", "ket"): 1, ("AZ", "nbqx"): -1, ("DASB", "ket"): -1, ("DASB", "nbqx"): 1}
    agrees(like_r(model.contrast(("tracer", "drug"), weights)), expected[f"{short}:interaction1"])


@pytest.mark.parametrize("short", FREEDOM)
def test_nested_random_intercepts_are_those_of_lmer(short):
    table, expected = columns(truth.WITHIN), said(truth.NESTED_BY_LMER)
    inner = [f"{s}:{t}" for s, t in zip(table["subject"], table["tracer"], strict=True)]
    random = {"subject:tracer": inner, "subject": table["subject"]}
    model = fit_mixed(numbers(table, "y"), within_design(table), table["subject"], random=random, df=FREEDOM[short])
    coefficients_and_tests_agree(model, expected, short)
    for i, value in enumerate(model.covariance.values(), 1):
        assert value == pytest.approx(expected[f"variance{i}"][0], abs=1e-6)


@pytest.mark.parametrize("short", FREEDOM)
def test_crossed_random_intercepts_are_those_of_lmer(short):
    table, expected = columns(truth.CROSSED), said(truth.CROSSED_BY_LMER)
    design = design_of([factor(table, "drug"), covariate(table, "mass")], [("drug",), ("mass",)])
    random = {"subject": table["subject"], "batch": table["batch"]}
    model = fit_mixed(numbers(table, "y"), design, table["subject"], random=random, df=FREEDOM[short])
    coefficients_and_tests_agree(model, expected, short)


def visits_model(covariance, short, order=None, **options):
    table = columns(truth.VISITS)
    if order is not None:
        table = {name: tuple(values[i] for i in order) for name, values in table.items()}
    visit = factor(table, "visit")
    design = design_of(
        [covariate(table, "baseline"), factor(table, "arm"), visit],
        [("baseline",), ("arm",), ("visit",), ("arm", "visit")],
    )
    y = numbers(table, "y")
    return fit_mixed(y, design, table["subject"], visit=visit, covariance=covariance, df=FREEDOM[short], **options)


@pytest.mark.parametrize("short", FREEDOM)
@pytest.mark.parametrize("covariance", ["unstructured", "ar1", "cs"])
def test_visits_with_missing_ones_are_those_of_gls_and_of_dense_matrices(covariance, short):
    expected = said(getattr(truth, f"VISITS_{covariance.upper()}"))
    model = visits_model(covariance, short)
    assert model.log_likelihood == pytest.approx(expected["logLik"][0], abs=1e-8)
    assert model.log_likelihood == pytest.approx(expected["gls:logLik"][0], abs=1e-6)
    for i, effect in enumerate(model.coefficients.values(), 1):
        agrees(like_r(effect), expected[f"{short}:beta{i}"])
    for i, visit in enumerate(("v0", "v1", "v2"), 1):
        difference = model.difference({"arm": "b", "visit": visit}, {"arm": "a", "visit": visit})
        agrees(like_r(difference), expected[f"{short}:difference{i}"])


@pytest.mark.parametrize("short", FREEDOM)
def test_compound_symmetry_is_the_random_intercept_of_lmer(short):
    coefficients_and_tests_agree(visits_model("cs", short), said(truth.VISITS_CS), f"lmer-{short}")


def test_the_order_of_rows_does_not_matter():
    order = np.random.default_rng(3).permutation(len(columns(truth.VISITS)["y"]))
    first, second = visits_model("unstructured", "k"), visits_model("unstructured", "k", order)
    for name, effect in first.coefficients.items():
        assert second.coefficients[name] == pytest.approx(effect, rel=1e-8)


def test_a_covariance_by_arm_is_two_fits_in_one():
    """With every term crossed with the arm, the arms have nothing in common."""
    table = columns(truth.VISITS)
    arm, visit = factor(table, "arm"), factor(table, "visit")
    design = design_of([arm, visit], [("arm",), ("visit",), ("arm", "visit")])
    y = numbers(table, "y")
    both = fit_mixed(y, design, table["subject"], visit=visit, covariance="ar1", by=arm)
    total = 0.0
    for level in "ab":
        here = np.array(table["arm"]) == level
        own = visit.kept(here)
        people = [person for person, keep in zip(table["subject"], here, strict=True) if keep]
        alone = fit_mixed(y[here], design_of([own], [("visit",)]), people, visit=own, covariance="ar1")
        total += alone.log_likelihood
        for session in own.levels:
            mean = both.ls_mean({"arm": level, "visit": session})
            assert mean == pytest.approx(alone.ls_mean({"visit": session}), rel=1e-6)
        assert both.covariance[f"correlation arm {level}"] == pytest.approx(alone.covariance["correlation"], rel=1e-6)
    assert both.log_likelihood == pytest.approx(total, abs=1e-8)


def balanced(n_per_arm, visits, seed):
    rng = np.random.default_rng(seed)
    factor_of = np.linalg.cholesky(np.eye(visits) + 0.5)
    subject = [f"p{i}" for i in range(2 * n_per_arm) for _ in range(visits)]
    arm = Factor("arm", ["ab"[i % 2] for i in range(2 * n_per_arm) for _ in range(visits)], ("a", "b"))
    levels = tuple(f"v{j}" for j in range(visits))
    visit = Factor("visit", levels * (2 * n_per_arm), levels)
    values = rng.normal(size=(2 * n_per_arm, visits)) @ factor_of.T
    return values, subject, arm, visit


def test_complete_unstructured_data_give_the_t_test_and_hotellings():
    """Two arms, complete data: t with n - 2 degrees of freedom at each visit, and Hotelling's T2 for the interaction.

    Kenward and Roger's method is exact here (their section 3). T2 of the differences of visits is F with T - 1 and
    n - 2 - (T - 1) + 1 degrees of freedom (Hotelling 1931, Ann Math Stat 2:360).
    """
    values, subject, arm, visit = balanced(7, 3, 8)
    design = design_of([arm, visit], [("arm",), ("visit",), ("arm", "visit")])
    model = fit_mixed(values.ravel(), design, subject, visit=visit)
    for j, level in enumerate(visit.levels):
        right = stats.ttest_ind(values[1::2, j], values[::2, j])
        found = model.difference({"arm": "b", "visit": level}, {"arm": "a", "visit": level})
        assert (found.t, found.df, found.p) == pytest.approx((right.statistic, 12, right.pvalue), rel=1e-6)
    steps = np.diff(values, axis=1)
    gap = steps[1::2].mean(axis=0) - steps[::2].mean(axis=0)
    pooled = (np.cov(steps[1::2].T) + np.cov(steps[::2].T)) / 2
    squared = 7 / 2 * gap @ np.linalg.solve(pooled, gap)
    found = model.joint_test(("arm", "visit"))
    assert (found.df1, found.df2) == pytest.approx((2, 11), rel=1e-6)
    assert found.F == pytest.approx(squared * 11 / (12 * 2), rel=1e-6)


def test_two_sessions_are_the_paired_t_test():
    rng = np.random.default_rng(2)
    first, second = rng.normal(2, 0.5, (2, 6)) + rng.normal(0, 1, 6)
    drug = Factor("drug", ("off", "on") * 6, ("off", "on"))
    subject = [f"m{i}" for i in range(6) for _ in range(2)]
    right = stats.ttest_rel(second, first)
    for df in FREEDOM.values():
        model = fit_mixed(np.column_stack([first, second]).ravel(), design_of([drug], [("drug",)]), subject, df=df)
        found = model.difference({"drug": "on"}, {"drug": "off"})
        assert (found.t, found.df, found.p) == pytest.approx((right.statistic, 5, right.pvalue), rel=1e-6)


@pytest.mark.parametrize("short", FREEDOM)
def test_two_unstructured_visits_are_the_paired_t_test(short):
    """Hours of sleep gained under two drugs (Student 1908, Biometrika 6:1): t(9) = 4.0621, p = 0.00283, SE 0.3890."""
    first = np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])
    second = np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])
    drug = Factor("drug", ("one", "two") * 10, ("one", "two"))
    people = [str(i) for i in range(10) for _ in range(2)]
    values = np.column_stack([first, second]).ravel()
    model = fit_mixed(values, design_of([drug], [("drug",)]), people, visit=drug, df=FREEDOM[short])
    found = model.difference({"drug": "two"}, {"drug": "one"})
    assert (found.t, found.df, found.se, found.p) == pytest.approx((4.0621, 9, 0.3890, 0.002833), rel=2e-4)


def test_a_negative_correlation_of_sessions_is_possible():
    """Compound symmetry follows the paired t test where a random intercept cannot."""
    rng = np.random.default_rng(6)
    apart = rng.normal(size=8)
    values = np.column_stack([apart, 1 - 0.7 * apart]) + 0.3 * rng.normal(size=(8, 2))
    drug = Factor("drug", ("off", "on") * 8, ("off", "on"))
    people = [str(i) for i in range(8) for _ in range(2)]
    design = design_of([drug], [("drug",)])
    model = fit_mixed(values.ravel(), design, people, visit=drug, covariance="cs")
    right = stats.ttest_rel(values[:, 1], values[:, 0])
    found = model.difference({"drug": "on"}, {"drug": "off"})
    assert (found.t, found.df, found.p) == pytest.approx((right.statistic, 7, right.pvalue), rel=1e-6)
    assert model.covariance["correlation"] < -0.5
    assert fit_mixed(values.ravel(), design, people).why == ("the variance of subject is 0, the least it can be",)


def test_known_errors_that_are_alike_only_move_the_variance():
    table = columns(truth.SESSIONS)
    plain = fit_mixed(numbers(table, "y"), sessions_design(table), table["subject"])
    se = np.full(len(table["y"]), 0.2)
    aware = fit_mixed(numbers(table, "y"), sessions_design(table), table["subject"], se=se)
    for name, effect in plain.coefficients.items():
        assert aware.coefficients[name] == pytest.approx(effect, rel=1e-6)
    assert aware.covariance["residual variance"] == pytest.approx(plain.covariance["residual variance"] - 0.04)


def test_known_errors_larger_than_the_spread_leave_no_variance_and_say_so():
    table = columns(truth.SESSIONS)
    se = np.full(len(table["y"]), 3.0)
    model = fit_mixed(numbers(table, "y"), sessions_design(table), table["subject"], se=se)
    assert model.covariance["residual variance"] == 0
    assert any("known errors is 0" in why for why in model.why)


def test_a_variance_of_nothing_is_told():
    table = columns(truth.FLAT)
    model = fit_mixed(numbers(table, "y"), sessions_design(table), table["subject"])
    assert model.covariance["variance[subject]"] == 0
    assert model.why == ("the variance of subject is 0, the least it can be",)


def test_full_likelihood_without_subjects_is_least_squares():
    """With the variance of subjects at 0, ML has the coefficients and log-likelihood of lm."""
    table = columns(truth.FLAT)
    design = sessions_design(table)
    model = fit_mixed(numbers(table, "y"), design, table["subject"], df="satterthwaite", reml=False)
    plain = fit_least_squares(numbers(table, "y"), design)
    assert model.log_likelihood == pytest.approx(plain.log_likelihood, abs=1e-9)
    assert model.beta == pytest.approx(plain.beta, abs=1e-9)


def refused(match, y=None, subject=None, **options):
    table = columns(truth.VISITS)
    visit = options.pop("visit", None) or factor(table, "visit")
    design = options.pop("design", None) or design_of([factor(table, "arm"), visit], [("arm",), ("visit",)])
    with pytest.raises(InputError, match=match):
        fit_mixed(numbers(table, "y") if y is None else y, design, subject or table["subject"], visit=visit, **options)


def test_a_visit_twice_is_refused():
    people = list(columns(truth.VISITS)["subject"])
    people[3:6] = people[:3]
    refused("both of subject 'p0' with visit v0", subject=people)


def test_a_subject_in_two_arms_is_refused():
    table = columns(truth.VISITS)
    arm = Factor("arm", ("b", *table["arm"][1:]), ("a", "b"))
    visit = factor(table, "visit")
    refused("'p0' has two levels of arm", design=design_of([arm, visit], [("arm",), ("visit",)]), between=["arm"])


def test_a_constant_outcome_is_refused():
    refused("outcome is constant", y=np.full(len(columns(truth.VISITS)["y"]), 2.0))


def test_an_outcome_that_is_missing_is_refused():
    y = numbers(columns(truth.VISITS), "y")
    y[4] = np.nan
    refused("no finite value in 1 of .* row 5", y=y)


def test_one_subject_in_a_cell_is_refused():
    table = columns(truth.VISITS)
    rows = [i for i, (p, a) in enumerate(zip(table["subject"], table["arm"], strict=True)) if a == "b" or p == "p0"]
    kept = {name: tuple(values[i] for i in rows) for name, values in table.items()}
    design = design_of([factor(kept, "arm"), factor(kept, "visit")], [("arm",), ("visit",)])
    refused(r"one subject \(p0\) is left with arm a", numbers(kept, "y"), kept["subject"], design=design,
            visit=factor(kept, "visit"))  # fmt: skip


def test_too_many_parameters_for_the_covariance_are_refused():
    values, subject, arm, visit = balanced(2, 3, 1)
    design = design_of([arm, visit], [("arm",), ("visit",), ("arm", "visit")])
    refused("more parameters than 4 subjects", values.ravel(), subject, design=design, visit=visit)


def test_an_intercept_beside_what_holds_it_is_refused():
    refused("describe the same thing", random={"subject": columns(truth.VISITS)["subject"]}, covariance="cs")


def test_visits_never_seen_together_are_refused():
    table = columns(truth.VISITS)
    number = {person: i for i, person in enumerate(dict.fromkeys(table["subject"]))}
    rows = [
        i
        for i, (person, visit) in enumerate(zip(table["subject"], table["visit"], strict=True))
        if not (visit == "v2" and number[person] < 7) and not (visit == "v0" and number[person] >= 7)
    ]
    kept = {name: tuple(values[i] for i in rows) for name, values in table.items()}
    design = design_of([factor(kept, "visit")], [("visit",)])
    refused("no subject has both visit v0 and v2", numbers(kept, "y"), kept["subject"], design=design,
            visit=factor(kept, "visit"))  # fmt: skip


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"covariance": "unstructred"}, "did you mean 'unstructured'"),
        ({"df": "kenward"}, "did you mean 'kenward-roger'"),
        ({"reml": False}, "needs the restricted likelihood"),
        ({"errors": "x"}, "cannot enter as 'x'"),
        ({"se": [1.0]}, "1 standard errors for"),
        ({"between": ["dose"]}, "no factor 'dose'"),
    ],
    ids=["covariance", "df", "reml", "errors", "se", "between"],
)
def test_a_wrong_option_is_refused(options, match):
    refused(match, **options)
