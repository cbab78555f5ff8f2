"""Every model of raphe is in the suite, and does without noise what the suite asks."""

import dataclasses

import pytest

from raphe.conformance.run import chosen, noise_free, unknown_models
from raphe.conformance.suite import Suite
from raphe.errors import ModelError
from raphe.kinetics import registry

ROWS = Suite().requirements
KNOWN = [row for row in ROWS if row.model in registry.names()]


def label(row):
    return f"{row.model}-{row.family}-{row.parameter}-{row.stands_for}"


def test_the_suite_has_a_row_about_every_model(suite):
    missing = unknown_models(suite)
    assert not missing, (
        f"the conformance suite knows nothing of {', '.join(missing)}: add a row for each to "
        "src/raphe/conformance/suite/requirements.tsv with the family of cases that it is exact for (or a new family "
        "in conformance/cases.py), what it is told, its parameter and the error that is allowed, with the reason"
    )


def test_a_model_without_a_row_is_named_with_what_to_add(suite):
    without = Suite(suite.folder)
    without.__dict__["requirements"] = tuple(row for row in suite.requirements if row.model != "MA1")
    assert unknown_models(without) == ("MA1",)
    with pytest.raises(ModelError, match=r"no row about MA1; add one to requirements\.tsv"):
        chosen(without, ["ma1"])


@pytest.mark.parametrize("row", KNOWN, ids=label)
def test_frame_averages_without_noise_are_fitted_as_is_asked(row, suite):
    outcome = noise_free(suite, row, "average", ("36",) if row.together else ("38", "36"))
    assert outcome.met, (outcome.worst, outcome.allowed, [case for case in outcome.cases if not case.usable])


@pytest.mark.parametrize("row", [row for row in KNOWN if not row.together], ids=label)
def test_values_at_mid_frame_without_noise_are_fitted_as_is_asked(row, suite):
    outcome = noise_free(suite, row, "midframe", ("38",))
    assert outcome.met, (outcome.worst, outcome.allowed, [case for case in outcome.cases if not case.usable])


def test_an_error_that_is_too_large_is_found(suite):
    row = next(row for row in KNOWN if row.model == "SRTM")
    strict = dataclasses.replace(row, max_error={"average": 1e-9, "midframe": 1e-9})
    assert not noise_free(suite, strict, "average", ("36",)).met


def test_what_a_model_is_told_matters(suite):
    """SRTM2 with the k2' of another reference would be far off: the suite tells it each case's own."""
    row = next(row for row in KNOWN if row.model == "SRTM2" and row.kind == "exact")
    outcome = noise_free(suite, row, "average", ("36",))
    assert {suite.truth[case.case]["k2_prime"] for case in outcome.cases} == {"0.06", "0.15"}
    assert outcome.worst < 1e-3


def test_every_row_says_why():
    for row in ROWS:
        assert row.reason
        assert row.kind in ("exact", "limit", "approximation")
        assert row.kind != "exact" or row.max_error["average"] <= 1e-3 or row.reason != "the model is the tissue"
