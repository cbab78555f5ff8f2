"""Flags of one parameter: where `undetermined` bars it, and where a value of about nothing is told well enough."""

import math

import pytest

from raphe.data.estimates import Estimate
from raphe.quality import Quality, of_parameter

UNSURE = Quality.UNDETERMINED


@pytest.mark.parametrize(
    ("name", "value", "se", "bars"),
    [
        ("BP_ND", 0.02, 0.05, False),  # nothing, and known to be: blocked
        ("BP_ND", -0.03, 0.05, False),
        ("BP_ND", 0.0, math.nan, False),  # a table in per cent has no standard error of 0
        ("BP_ND", 0.02, 0.6, True),
        ("BP_ND", 3.0, 2.5, True),
        ("BP_ND", 0.02, math.nan, True),
        ("R1", 0.9, 0.5, True),
        ("R1", 0.9, 0.1, False),
        ("k3", 0.0, math.nan, True),
        ("V_T", 0.0, math.nan, True),
    ],
)
def test_undetermined_bars_a_parameter_by_its_standard_error_and_bp_nd_by_that_of_the_volume(name, value, se, bars):
    assert of_parameter(UNSURE | Quality.SLOW, name, value, se) == (UNSURE if bars else 0) | Quality.SLOW
    assert Estimate("01", "post", "X", "", "", "r", "2TCM", name, value, se, UNSURE).usable == (not bars)
