"""Paired contrasts, interactions of tracers and mixed models say what closed forms and R say."""

import numpy as np
import pytest
from scipy import stats

import mixed_truth as truth
from contrast_studies import answered, study
from mixed_truth import columns
from raphe.data.people import People
from raphe.errors import InputError
from raphe.quality import Quality

RNG = np.random.default_rng(3)
MONKEYS = [f"m{i}" for i in range(4)]
AZ = {session: {who: 2 * RNG.uniform(0.8, 1.2) for who in MONKEYS} for session in ("ket", "nbqx")}
DASB = {session: {who: 8 * RNG.uniform(0.8, 1.2) for who in MONKEYS} for session in ("ket", "nbqx")}
TWO = (*study(AZ), *study(DASB, tracer="DASB", model="MRTM2"))
INTERACTION = {
    "kind": "interaction",
    "by": "tracer",
    "levels": ("DASB", "AZ"),
    "sources": (("DASB", "MRTM2"), ("AZ", "SRTM")),
    "terms": ("ket", "nbqx"),
}


def share(values, who):
    return 100 * (values["nbqx"][who] / values["ket"][who] - 1)


def test_an_interaction_of_tracers_is_a_test_of_each_persons_difference_of_changes():
    found = answered(TWO, **INTERACTION, scale="percent")
    (row,) = found.rows
    differences = [share(AZ, who) - share(DASB, who) for who in MONKEYS]
    right = stats.ttest_1samp(differences, 0)
    assert (row.estimate, row.p, row.df) == pytest.approx((np.mean(differences), right.pvalue, 3))
    assert row.pairs.first == pytest.approx([share(DASB, who) for who in MONKEYS])
    assert row.pairs.second == pytest.approx([share(AZ, who) for who in MONKEYS])
    assert (found.unit, found.notes) == ("%", ())
    assert "less that of DASB" in found.what


def test_an_interaction_of_tracers_by_logarithms_is_a_ratio_of_ratios():
    (row,) = answered(TWO, **INTERACTION, scale="log").rows
    logs = [np.log1p(share(AZ, who) / 100) - np.log1p(share(DASB, who) / 100) for who in MONKEYS]
    assert row.estimate == pytest.approx(np.mean(logs))
    assert row.percent == pytest.approx(100 * np.expm1(np.mean(logs)))


def test_a_difference_of_binding_of_two_tracers_carries_a_note():
    assert "unlike things" in answered(TWO, **INTERACTION).notes[0]


def test_whoever_lacks_one_of_the_four_scans_is_left_out_with_its_tracer():
    rows = tuple(row for row in TWO if (row.participant, row.tracer, row.session) != ("m2", "DASB", "nbqx"))
    (row,) = answered(rows, **INTERACTION, scale="percent").rows
    assert row.pairs.participants == ("m0", "m1", "m3")
    assert [(one.participant, one.session, one.tracer) for one in row.pairs.excluded] == [("m2", "nbqx", "DASB")]


def test_a_first_value_that_is_not_positive_leaves_the_person_out_of_a_change_in_per_cent():
    before, after = {"a": 0.0, "b": 1.0, "c": 2.0}, {"a": 1.0, "b": 1.5, "c": 2.2}
    (row,) = answered(study({"x": before, "y": after}), terms=("x", "y"), scale="percent").rows
    assert row.pairs.participants == ("b", "c")
    assert row.estimate == pytest.approx(30.0)
    assert "positive first value" in row.pairs.excluded[0].reason


def test_a_change_at_the_mean_of_a_covariate_is_the_intercept_of_a_regression():
    age = np.array([20.0, 30, 35, 41, 60])
    change = np.array([0.1, 0.3, 0.2, 0.5, 0.4])
    who = [f"p{i}" for i in range(5)]
    rows = study({"x": dict.fromkeys(who, 1.0), "y": dict(zip(who, 1 + change, strict=True))})
    people = People({"age": dict(zip(who, map(str, age), strict=True))})
    (row,) = answered(rows, people, terms=("x", "y"), covariates=("age",)).rows
    right = stats.linregress(age - age.mean(), change)
    assert (row.estimate, row.se, row.df) == pytest.approx((right.intercept, right.intercept_stderr, 3))


def test_a_contrast_within_an_arm_says_that_it_compares_nothing_with_the_other():
    arms = {"p0": "drug", "p1": "drug", "p2": "drug", "p3": "placebo"}
    values = {
        "x": {who: 1 + i / 9 for i, who in enumerate(arms)},
        "y": {who: 2 - i**2 / 9 for i, who in enumerate(arms)},
    }
    asked = {"terms": ("x", "y"), "arms": ("drug", "placebo")}
    rows = study(values, arms=arms)
    inside = answered(rows, **asked, arm="drug")
    assert inside.notes == ("within one arm: no comparison with placebo",)
    assert inside.rows[0].pairs.participants == ("p0", "p1", "p2")
    assert inside.what.endswith("in arm drug")
    assert answered(rows, **asked).notes == ("all arms together: no comparison between arms",)


def long(table, visit):
    found = {}
    for who, when, value in zip(table["subject"], table[visit], table["y"], strict=True):
        found.setdefault(when, {})[who] = float(value)
    return found


def test_a_mixed_model_of_complete_sessions_is_the_paired_t_test():
    who = [f"p{i}" for i in range(8)]
    sessions = {name: {one: RNG.normal(2, 0.3) for one in who} for name in ("a", "b", "c")}
    last, middle = answered(study(sessions), kind="mixed", terms=("a", "b", "c")).rows
    for row, name in ((last, "c"), (middle, "b")):
        right = stats.ttest_rel(list(sessions[name].values()), list(sessions["a"].values()))
        assert (row.estimate / row.se, row.df, row.p) == pytest.approx((right.statistic, 7, right.pvalue), rel=1e-5)
        assert row.term == name
    assert (last.secondary, middle.secondary) == (False, True)


def test_a_mixed_model_with_missing_sessions_is_that_of_gls():
    """R 4.2.2, nlme 3.1-162: gls(y ~ session, corSymm, varIdent, REML)."""
    asked = {"kind": "mixed", "terms": ("s0", "s1", "s2"), "df": "satterthwaite"}
    last, middle = answered(study(long(columns(truth.SESSIONS), "session")), **asked).rows
    assert (last.estimate, last.se) == pytest.approx((1.0111119616569, 0.685397224893), rel=1e-4)
    assert (middle.estimate, middle.se) == pytest.approx((0.0230737611169, 0.400856860270), abs=1e-4)
    assert len(last.pairs) == 9
    assert np.isnan(last.pairs.second).sum() == 2
    assert len(last.pairs.excluded) == 4


def test_a_mixed_model_with_a_random_intercept_is_that_of_lmer():
    """R 4.2.2, lmerTest 3.1-3, pbkrtest 0.5.2: lmer(y ~ session + (1 | subject)), Kenward-Roger."""
    asked = {"kind": "mixed", "terms": ("s0", "s1", "s2"), "covariance": "independent"}
    last, _ = answered(study(long(columns(truth.SESSIONS), "session")), **asked).rows
    assert (last.estimate, last.se) == pytest.approx((0.419687850677, 0.472852588159), abs=1e-6)
    assert last.df == pytest.approx(12.8587644312, abs=1e-3)
    assert last.p == pytest.approx(0.391073766760, abs=1e-5)


def visits():
    table = columns(truth.VISITS)
    arms = dict(zip(table["subject"], table["arm"], strict=True))
    before = dict(zip(table["subject"], map(float, table["baseline"]), strict=True))
    return study({"before": before, **long(table, "visit")}, arms=arms), arms


def test_a_mixed_model_with_arms_is_that_of_gls():
    """R 4.2.2, nlme 3.1-162: gls(y ~ visit * arm + visit * baseline, corSymm, varIdent, REML), nlminb."""
    rows, _ = visits()
    asked = {"kind": "mixed", "terms": ("before", "v0", "v1", "v2"), "levels": ("a", "b"), "df": "satterthwaite"}
    found = answered(rows, **asked)
    expected = {
        "v2": (2.44714529083, 1.85609354771),
        "v1": (1.98901908675, 1.29948189978),
        "v0": (0.74181309321, 0.906578564373),
    }
    assert [row.term for row in found.rows] == ["v2", "v1", "v0"]
    for row in found.rows:
        assert (row.estimate, row.se) == pytest.approx(expected[row.term], rel=2e-6)
    assert found.groups == ("a", "b")
    assert "arm b minus that of arm a, adjusted for before" in found.what


def test_a_mixed_model_of_arms_with_one_later_session_is_an_analysis_of_covariance():
    rows, _ = visits()
    mixed = answered(rows, kind="mixed", terms=("before", "v0"), levels=("a", "b"))
    ancova = answered(rows, kind="ancova", terms=("a", "b"), sessions=("before", "v0"))
    one, other = mixed.rows[0], ancova.rows[0]
    assert (one.estimate, one.se, one.df, one.p) == pytest.approx((other.estimate, other.se, other.df, other.p))
    assert "analysis of covariance" in mixed.method


def test_a_person_without_the_first_session_does_not_enter_a_model_that_adjusts_for_it():
    rows, _ = visits()
    rows = tuple(row for row in rows if (row.participant, row.session) != ("p0", "before"))
    row = answered(rows, kind="mixed", terms=("before", "v0", "v1", "v2"), levels=("a", "b")).rows[0]
    assert "p0" not in row.pairs.participants
    assert any(one.participant == "p0" and "adjusted" in one.reason for one in row.pairs.excluded)


def test_too_few_people_for_an_unstructured_matrix_are_told():
    sessions = {name: {one: RNG.normal(2, 0.3) for one in ("x", "y", "z")} for name in "abcd"}
    with pytest.raises(InputError, match="more parameters than 3 subjects"):
        answered(study(sessions), kind="mixed", terms=tuple("abcd"))


@pytest.mark.parametrize(("parameter", "n"), [("BP_ND", 4), ("R1", 2)])
def test_an_undetermined_value_is_left_out_of_its_contrast_but_a_bp_nd_of_about_nothing_is_not(parameter, n):
    """Blocked: two of four people have 0.05 with an error of 0.1, which is told well for a BP_ND and not for R1."""
    before = {"p0": 1.0, "p1": 1.2, "p2": 1.1, "p3": 1.4}
    after = {"p0": 0.5, "p1": 0.6, "p2": 0.05, "p3": 0.05}
    rows = [
        row._replace(parameter=parameter, quality=Quality.UNDETERMINED if row.value == 0.05 else row.quality)
        for row in study({"a": before, "b": after})
    ]
    (row,) = answered(rows, kind="paired", terms=("a", "b"), parameter=parameter).rows
    assert len(row.pairs) == n
    assert [one.participant for one in row.pairs.excluded] == ([] if n == 4 else ["p2", "p3"])
    assert all("the data do not tell it" in one.reason for one in row.pairs.excluded)
