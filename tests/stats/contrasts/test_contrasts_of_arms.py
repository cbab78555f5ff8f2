"""Groups, analysis of covariance and interactions between arms say what scipy and R say."""

import numpy as np
import pytest
from scipy import stats

import mixed_truth as truth
from contrast_studies import answered, of_arms, study
from mixed_truth import columns, said
from raphe.data.people import People
from raphe.errors import InputError

RNG = np.random.default_rng(7)
ARMS = {f"p{i}": "drug" if i % 3 else "placebo" for i in range(12)}
BEFORE = {who: 2 + RNG.normal(0, 0.3) for who in ARMS}
AFTER = {who: BEFORE[who] + RNG.normal(0.2 if arm == "drug" else 0.0, 0.2) for who, arm in ARMS.items()}
ROWS = study({"before": BEFORE, "after": AFTER}, arms=ARMS)
GROUPS = {"kind": "groups", "terms": ("placebo", "drug")}


def of(arm, values):
    return np.array([value for who, value in values.items() if ARMS[who] == arm])


def test_groups_in_one_session_are_welchs_test():
    (row,) = (found := answered(ROWS, **GROUPS, sessions=("after",))).rows
    right = stats.ttest_ind(of("drug", AFTER), of("placebo", AFTER), equal_var=False)
    interval = right.confidence_interval(0.95)
    assert (row.p, row.df, row.ci_low, row.ci_high) == pytest.approx((right.pvalue, right.df, *interval))
    assert row.estimate == pytest.approx(of("drug", AFTER).mean() - of("placebo", AFTER).mean())
    assert row.percent == pytest.approx(100 * (of("drug", AFTER).mean() / of("placebo", AFTER).mean() - 1))
    assert row.counts == {"placebo": 4, "drug": 8}
    assert (found.groups, found.controlled) == (("placebo", "drug"), True)
    assert "arm drug minus that of arm placebo" in found.what


@pytest.mark.parametrize("scale", ["difference", "percent", "log"])
def test_groups_in_a_change_are_welchs_test_of_the_changes(scale):
    change = {
        "difference": lambda who: AFTER[who] - BEFORE[who],
        "percent": lambda who: 100 * (AFTER[who] / BEFORE[who] - 1),
        "log": lambda who: np.log(AFTER[who] / BEFORE[who]),
    }[scale]
    changes = {who: change(who) for who in ARMS}
    (row,) = answered(ROWS, **GROUPS, sessions=("before", "after"), scale=scale).rows
    right = stats.ttest_ind(of("drug", changes), of("placebo", changes), equal_var=False)
    assert (row.estimate / row.se, row.p, row.df) == pytest.approx((right.statistic, right.pvalue, right.df))
    assert row.individual == pytest.approx(list(changes.values()))
    if scale == "log":
        assert row.percent == pytest.approx(100 * np.expm1(row.estimate))


def test_an_interaction_by_arm_is_the_difference_of_changes():
    asked = {"kind": "interaction", "terms": ("before", "after"), "by": "arm", "levels": ("placebo", "drug")}
    (row,) = answered(ROWS, **asked, scale="percent").rows
    (same,) = answered(ROWS, **GROUPS, sessions=("before", "after"), scale="percent").rows
    assert (row.estimate, row.se, row.p, row.percent) == (same.estimate, same.se, same.p, same.estimate)


def test_ancova_with_a_covariate_is_that_of_r():
    table, (estimate, se, df, p) = columns(truth.TRIAL), said(truth.TRIAL_BY_LM)["difference1"]
    arms = dict(zip(table["subject"], table["arm"], strict=True))
    rows = study(
        {
            session: dict(zip(table["subject"], map(float, table[column]), strict=True))
            for session, column in (("before", "baseline"), ("after", "post"))
        },
        arms=arms,
    )
    people = People({"age": dict(zip(table["subject"], table["age"], strict=True))})
    found = answered(rows, people, kind="ancova", terms=("a", "b"), sessions=("before", "after"), covariates=("age",))
    (row,) = found.rows
    assert (row.estimate, row.se) == pytest.approx((estimate, se), abs=1e-8)
    assert (row.df, row.p) == pytest.approx((df, p), rel=1e-7)
    baseline = np.mean([float(value) for value in table["baseline"]])
    assert row.percent == pytest.approx(100 * estimate / baseline)
    assert "adjusted for BP_ND in before, age" in found.what


@pytest.mark.parametrize(
    "asked",
    [
        {"kind": "ancova", "terms": ("placebo", "drug"), "sessions": ("before", "after")},
        {"kind": "ancova", "terms": ("placebo", "drug"), "sessions": ("before", "after"), "weights": "se"},
        {"kind": "mixed", "levels": ("placebo", "drug"), "terms": ("before", "after")},
    ],
)
def test_arms_that_are_apart_before_treatment_are_told(asked):
    (row,) = answered(ROWS, **asked).rows
    assert "overlap" not in row.why
    apart = {who: value + (1.5 if ARMS[who] == "drug" else 0) for who, value in BEFORE.items()}
    assert min(of("drug", apart)) > max(of("placebo", apart))
    (row,) = answered(study({"before": apart, "after": AFTER}, arms=ARMS), **asked).rows
    assert "BP_ND in before of the two arms does not overlap" in row.why
    assert np.isfinite(row.p)


def test_a_covariate_of_texts_is_a_factor():
    sex = {who: "m" if i < 6 else "f" for i, who in enumerate(ARMS)}
    people = People({"sex": sex})
    (row,) = answered(ROWS, people, **GROUPS, sessions=("after",), covariates=("sex",)).rows
    y = np.array(list(AFTER.values()))
    x = np.column_stack([np.ones(12), [arm == "drug" for arm in ARMS.values()], [one == "m" for one in sex.values()]])
    beta, (rss,), *_ = np.linalg.lstsq(x, y)
    assert row.estimate == pytest.approx(beta[1])
    assert row.df == 9
    assert row.se == pytest.approx(np.sqrt(rss / 9 * np.linalg.inv(x.T @ x)[1, 1]))


def test_one_subject_left_in_an_arm_is_refused():
    arms = {**dict.fromkeys(ARMS, "drug"), "p0": "placebo"}
    with pytest.raises(InputError, match=r"one subject \(p0\) is left in arm placebo"):
        answered(study({"before": BEFORE, "after": AFTER}, arms=arms), **GROUPS, sessions=("after",))


def test_a_person_in_two_arms_is_refused():
    with pytest.raises(InputError, match="'p0' is in arm 'placebo' by the table of estimates and in 'drug' by"):
        answered(ROWS, of_arms({"p0": "drug"}), **GROUPS, sessions=("after",))


def test_a_covariate_that_is_the_arm_in_disguise_is_refused():
    people = People({"site": {who: "north" if arm == "drug" else "south" for who, arm in ARMS.items()}})
    with pytest.raises(InputError, match="confounded"):
        answered(ROWS, people, **GROUPS, sessions=("after",), covariates=("site",))


def test_a_constant_outcome_is_refused():
    same = study({"before": BEFORE, "after": dict.fromkeys(ARMS, 2.0)}, arms=ARMS)
    with pytest.raises(InputError, match="outcome is constant"):
        answered(same, kind="ancova", terms=("placebo", "drug"), sessions=("before", "after"))


def test_missing_covariates_are_listed_or_left_out_and_counted():
    people = People({"age": {who: "n/a" if who in ("p1", "p2") else str(20 + i) for i, who in enumerate(ARMS)}})
    asked = {**GROUPS, "sessions": ("after",), "covariates": ("age",)}
    with pytest.raises(InputError, match="covariates are missing: p1 lacks age; p2 lacks age"):
        answered(ROWS, people, **asked)
    (row,) = answered(ROWS, people, **asked, missing="exclude").rows
    assert len(row.pairs) == 10
    assert [(one.participant, one.reason) for one in row.pairs.excluded] == [
        ("p1", "no value of covariate age"),
        ("p2", "no value of covariate age"),
    ]


def test_flagged_and_set_aside_values_are_left_out_and_listed():
    rows = study({"before": BEFORE, "after": AFTER}, arms=ARMS, bad=[("p1", "after")])
    gone = tuple(row for row in rows if row.participant != "p2")
    aside = {"AZ": {("p2", "before"): "excluded by a person: moved"}}
    people = of_arms(ARMS)
    (row,) = answered(gone, people, aside, kind="ancova", terms=("placebo", "drug"), sessions=("before", "after")).rows
    assert len(row.pairs) == 10
    reasons = {(one.participant, one.session): one.reason for one in row.pairs.excluded}
    assert "bound" in reasons["p1", "after"]
    assert reasons["p2", "before"] == "excluded by a person: moved"


def test_a_person_without_an_arm_is_listed():
    arms = {who: arm for who, arm in ARMS.items() if who != "p4"}
    (row,) = answered(study({"after": AFTER}, arms=arms), **GROUPS, sessions=("after",)).rows
    assert [(one.participant, one.reason) for one in row.pairs.excluded] == [("p4", "no arm is known")]


def test_duplicate_rows_are_refused():
    with pytest.raises(InputError, match="'p0' has two estimates"):
        answered((*ROWS, ROWS[0]), **GROUPS, sessions=("before",))


def test_a_region_that_cannot_be_fitted_says_why_and_the_others_stand():
    other = study({"before": BEFORE, "after": dict.fromkeys(ARMS, 2.0)}, region="flat", arms=ARMS)
    first, flat = answered((*ROWS, *other), kind="ancova", terms=("placebo", "drug"), sessions=("before", "after")).rows
    assert np.isfinite(first.p)
    assert first.p_adjusted == first.p
    assert np.isnan(flat.estimate)
    assert "constant" in flat.why
