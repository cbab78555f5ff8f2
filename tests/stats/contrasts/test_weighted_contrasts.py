"""People weighted by the errors of their estimates, held against metafor 3.8-1 of R 4.2.2."""

import math

import numpy as np
import pytest

from contrast_studies import answered, study
from raphe.data.people import People
from raphe.errors import InputError
from raphe.stats.contrasts.weighing import ERRORS

PEOPLE = [f"p{i}" for i in range(12)]
BEFORE = [1.679, 1.47, 1.901, 2.168, 2.454, 2.044, 1.779, 1.686, 2.299, 2.654, 2.109, 1.507]
AFTER = [1.954, 2.098, 1.818, 2.054, 2.215, 1.961, 1.798, 1.856, 2.188, 2.613, 2.001, 1.674]
SE_BEFORE = [0.178, 0.047, 0.03, 0.133, 0.067, 0.174, 0.038, 0.048, 0.174, 0.079, 0.079, 0.038]
SE_AFTER = [0.021, 0.25, 0.025, 0.197, 0.054, 0.263, 0.059, 0.253, 0.09, 0.038, 0.149, 0.124]
AGE = [47, 39, 29, 46, 24, 48, 45, 35, 52, 28, 36, 52]
ARMS = {who: "placebo" if i % 3 else "drug" for i, who in enumerate(PEOPLE)}
KNOWN = People({"age": {who: str(age) for who, age in zip(PEOPLE, AGE, strict=True)}, "arm": ARMS})


def rows(before=BEFORE, after=AFTER, errors=(SE_BEFORE, SE_AFTER), **more):
    values = {name: dict(zip(PEOPLE, one, strict=True)) for name, one in (("a", before), ("b", after))}
    se = {name: dict(zip(PEOPLE, one, strict=True)) for name, one in zip("ab", errors, strict=True)}
    return study(values, arms=ARMS, se=se, **more)


def weighted(**question):
    return answered(rows(), KNOWN, weights="se", **question)


PAIRED = {"terms": ("a", "b")}
OF_ARMS = {"terms": ("placebo", "drug"), "sessions": ("a", "b")}


@pytest.mark.parametrize(
    ("question", "estimate", "se", "p", "tau2"),
    [
        # rma(yi, vi, mods, method = "REML", test = "adhoc")
        (PAIRED, -0.01152846855, 0.0540642026, 0.835042962, 0.01175757678),
        ({**PAIRED, "scale": "percent"}, -2.126192281, 2.272834677, 0.3696234779, 11.19808449),
        ({**PAIRED, "scale": "log"}, -0.003903419836, 0.02873551136, 0.8944021282, 0.003154297328),
        ({**PAIRED, "covariates": ("age",)}, 0.009918774436, 0.03916222764, 0.8051872542, 0.0),
        ({"kind": "ancova", **OF_ARMS}, 0.1427167998, 0.07627535142, 0.09413730984, 0.008458814737),
        (
            {"kind": "ancova", **OF_ARMS, "covariates": ("age",)},
            0.1321664535,
            0.08498515873,
            0.1585144963,
            0.01046302578,
        ),
        (
            {"kind": "ancova", **OF_ARMS, "scale": "log"},
            0.06419593213,
            0.04116405015,
            0.1533053118,
            0.002605709118,
        ),
        ({"kind": "ancova", **OF_ARMS, "scale": "percent"}, 7.243511364, 4.211510275, 0.119558271, 27.47413999),
        ({"kind": "groups", **OF_ARMS, "covariates": ("age",)}, 0.01634853526, 0.08023304019, 0.8430714276, 0.0),
    ],
)
def test_estimate_error_p_and_tau_are_those_of_metafor(question, estimate, se, p, tau2):
    (row,) = weighted(**question).rows
    assert (row.estimate, row.se, row.p) == pytest.approx((estimate, se, p), rel=2e-6)
    assert row.weighting.tau[0] ** 2 == pytest.approx(tau2, rel=2e-5, abs=1e-9)
    assert row.weighting.pooled == row.weighting.tau[0]


@pytest.mark.parametrize("question", [{"kind": "groups", **OF_ARMS}, {"kind": "interaction", "by": "arm"}])
def test_two_arms_have_a_spread_each_and_the_degrees_of_freedom_of_welch(question):
    if question["kind"] == "interaction":
        question = {**question, "levels": ("placebo", "drug"), "terms": ("a", "b")}
    (row,) = weighted(**question).rows
    drug, placebo = (0.01326014208, 0.05116462185), (-0.01217934191, 0.08476253709)
    va, vb = drug[1] ** 2, placebo[1] ** 2
    assert row.estimate == pytest.approx(drug[0] - placebo[0], rel=1e-5)
    assert row.se == pytest.approx(math.sqrt(va + vb), rel=2e-6)
    assert row.df == pytest.approx((va + vb) ** 2 / (va**2 / 3 + vb**2 / 7), rel=2e-6)
    assert np.square(row.weighting.tau) == pytest.approx([0.02604468743, 0.0], rel=2e-5, abs=1e-9)
    assert row.weighting.pooled**2 == pytest.approx(8 * 0.02604468743 / 12, rel=2e-5)


def test_an_interaction_of_tracers_adds_the_errors_of_both_changes():
    """With the errors of one tracer alone, the differences of changes are weighted as that tracer's changes are."""
    none = [1e-9] * 12
    other = rows(AFTER, AFTER, (none, none), tracer="DASB")
    found = answered(
        rows() + other,
        kind="interaction",
        by="tracer",
        levels=("DASB", "AZ"),
        sources=(("DASB", "SRTM"), ("AZ", "SRTM")),
        terms=("a", "b"),
        weights="se",
    )
    assert found.rows[0].estimate == pytest.approx(-0.01152846855, rel=2e-6)
    assert found.rows[0].se == pytest.approx(0.0540642026, rel=2e-6)


@pytest.mark.parametrize("scale", ["difference", "percent", "log"])
def test_the_error_of_a_change_is_the_spread_of_changes_of_repeated_scans(scale):
    rng = np.random.default_rng(2)
    a, b, sa, sb = 2.0, 1.5, 0.02, 0.03
    drawn_a, drawn_b = rng.normal(a, sa, 400_000), rng.normal(b, sb, 400_000)
    change = {
        "difference": drawn_b - drawn_a,
        "percent": 100 * (drawn_b - drawn_a) / drawn_a,
        "log": np.log(drawn_b / drawn_a),
    }[scale]
    found = ERRORS[scale](*map(np.array, ([a], [b], [sa], [sb])))[0]
    assert found == pytest.approx(change.std(), rel=0.006)


def test_per_cent_weighs_people_as_the_estimate_does():
    (row,) = weighted(**PAIRED).rows
    weight = 1 / (0.01175757678 + np.square(SE_BEFORE) + np.square(SE_AFTER))
    share = 100 * (np.array(AFTER) - BEFORE) / BEFORE
    assert row.percent == pytest.approx(np.average(share, weights=weight), rel=1e-5)
    assert not np.isfinite(row.standardised.value)
    assert math.isnan(row.bayes_factor)


@pytest.mark.parametrize("error", [math.nan, 0.0])
def test_who_has_no_error_is_left_out_and_counted_or_refused(error):
    errors = ([*SE_BEFORE[:-1], error], SE_AFTER)
    with pytest.raises(InputError, match=r"the standard error of p11 is missing or 0, .*leave weights out"):
        answered(rows(errors=errors), weights="se", **PAIRED)
    (row,) = answered(rows(errors=errors), weights="se", missing="exclude", **PAIRED).rows
    assert len(row.pairs) == 11
    assert [(out.participant, out.reason) for out in row.pairs.excluded] == [
        ("p11", "no standard error to be weighted by")
    ]
    (row,) = answered(rows(errors=errors), KNOWN, weights="se", kind="ancova", **OF_ARMS).rows
    assert len(row.pairs) == 12  # an analysis of covariance needs the error after alone


def test_one_region_without_an_error_does_not_stop_the_others():
    found = answered(
        rows(region="whole") + rows(region="part", errors=([*SE_BEFORE[:-1], 0.0], SE_AFTER)), weights="se", **PAIRED
    )
    whole, part = found.rows
    assert np.isfinite(whole.p)
    assert math.isnan(part.p)
    assert "missing or 0" in part.why


def test_equal_errors_below_the_spread_change_nothing():
    same = ([0.01] * 12, [0.01] * 12)
    plain = answered(rows(errors=same), **PAIRED).rows[0]
    row = answered(rows(errors=same), weights="se", **PAIRED).rows[0]
    assert (row.estimate, row.se, row.p, row.percent) == pytest.approx(
        (plain.estimate, plain.se, plain.p, plain.percent), rel=1e-8
    )
    assert row.weighting.error_share == pytest.approx(2e-4 / np.var(np.subtract(AFTER, BEFORE), ddof=1), rel=1e-6)


def test_words_say_how_people_are_weighted():
    contrast = weighted(kind="ancova", **OF_ARMS)
    assert "people weighted by 1 / (tau² + SE²)" in contrast.method
    assert "baseline's own error is not modelled" in contrast.extras["Weights"]
    assert "taken as independent" in weighted(**PAIRED).extras["Weights"]


@pytest.mark.parametrize("how", [{"test": "permutation"}, {"adjust": "maxt"}])
def test_there_is_no_permutation_of_weighted_people(how):
    with pytest.raises(InputError, match="no permutation test"):
        weighted(**PAIRED, **how)


def test_one_subject_in_an_arm_is_refused_as_without_weights():
    few = [row for row in rows() if row.participant == "p0" or ARMS[row.participant] == "placebo"]
    for kind in ("groups", "ancova"):
        for weights in ("none", "se"):
            with pytest.raises(InputError, match=r"one subject \(p0\) is left"):
                answered(few, KNOWN, kind=kind, weights=weights, **OF_ARMS)


def test_a_region_without_anybody_has_its_reason_for_an_answer():
    gone = rows(region="part", bad=[(who, "a") for who in PEOPLE])
    for kind in ("groups", "ancova"):
        found = answered(rows(region="whole") + gone, KNOWN, kind=kind, weights="se", **OF_ARMS)
        assert found.rows[1].why
        assert math.isnan(found.rows[1].p)
