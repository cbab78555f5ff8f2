import math

import numpy as np
import pytest

from raphe.data.estimates import Estimate, Estimates
from raphe.errors import InputError
from raphe.quality import MEANING, Quality
from raphe.stats.pairs import pair

WANTED = {"tracer": "DASB", "model": "SRTM", "parameter": "BP_ND", "first": "test", "second": "retest"}


def row(participant, session, region, value, quality=Quality.GOOD, tracer="DASB", parameter="BP_ND", model="SRTM"):
    return Estimate(participant, session, tracer, "", "", region, model, parameter, value, 0.1, quality)


def table(*rows):
    return Estimates(tuple(rows))


def test_pairs_by_region_in_the_order_of_the_table():
    estimates = table(
        row("02", "test", "thalamus", 2.0),
        row("02", "test", "putamen", 1.5),
        row("01", "retest", "thalamus", 2.3),
        row("01", "test", "thalamus", 2.1),
        row("02", "retest", "thalamus", 1.9),
        row("02", "retest", "putamen", 1.6),
        row("02", "test", "thalamus", 0.06, parameter="k2"),
    )
    thalamus, putamen = pair(estimates, **WANTED)
    assert (thalamus.region, thalamus.participants) == ("thalamus", ("02", "01"))
    np.testing.assert_array_equal(thalamus.first, [2.0, 2.1])
    np.testing.assert_array_equal(thalamus.second, [1.9, 2.3])
    np.testing.assert_array_equal(thalamus.first_se, [0.1, 0.1])
    assert putamen.participants == ("02",)
    assert [(e.participant, e.session, e.reason) for e in putamen.excluded] == [
        ("01", "test", "no value of this region in session test"),
        ("01", "retest", "no value of this region in session retest"),
    ]


@pytest.mark.parametrize("flag", [Quality.SINGULAR, Quality.AT_BOUND, Quality.IMPLAUSIBLE | Quality.IMPRECISE])
def test_a_flagged_value_is_left_out_with_its_meaning(flag):
    (pairs,) = pair(table(row("01", "test", "a", 1.0), row("01", "retest", "a", 4000.0, flag)), **WANTED)
    assert len(pairs) == 0
    (left_out,) = pairs.excluded
    assert (left_out.participant, left_out.session, left_out.region) == ("01", "retest", "a")
    assert all(MEANING[single] in left_out.reason for single in flag)


def test_a_flag_that_only_warns_does_not_exclude():
    (pairs,) = pair(table(row("01", "test", "a", 1.0, Quality.SLOW), row("01", "retest", "a", 1.1)), **WANTED)
    assert (len(pairs), pairs.excluded) == (1, ())


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_no_number_is_left_out(value):
    (pairs,) = pair(table(row("01", "test", "a", value), row("01", "retest", "a", 1.0)), **WANTED)
    assert len(pairs) == 0
    assert pairs.excluded[0].reason == "no finite value was estimated"


def test_a_missing_scan_is_named():
    estimates = table(row("01", "test", "a", 1.0), row("01", "retest", "a", 1.2), row("02", "test", "a", 1.1))
    (pairs,) = pair(estimates, **WANTED)
    assert pairs.participants == ("01",)
    assert [(e.participant, e.session, e.reason) for e in pairs.excluded] == [
        ("02", "retest", "no scan that could be analysed in session retest")
    ]


def test_regions_are_chosen_and_ordered():
    rows = [row("01", s, r, 1.0) for s in ("test", "retest") for r in ("a", "b", "c")]
    assert [p.region for p in pair(table(*rows), **WANTED, regions=("c", "a"))] == ["c", "a"]
    with pytest.raises(InputError, match=r"region 'd' has no BP_ND .* there are a, b, c"):
        pair(table(*rows), **WANTED, regions=("d",))


def test_two_estimates_of_one_scan_are_refused():
    estimates = table(row("01", "test", "a", 1.0), row("01", "retest", "a", 1.2), row("01", "test", "a", 1.1))
    with pytest.raises(InputError, match=r"two estimates of BP_ND by SRTM of DASB in region 'a', session 'test'"):
        pair(estimates, **WANTED)


def test_two_models_of_one_scan_are_kept_apart():
    both = [row("01", s, "a", v, model=m) for s in ("test", "retest") for m, v in (("SRTM", 1.0), ("MRTM2", 1.2))]
    (pairs,) = pair(table(*both), **WANTED)
    np.testing.assert_array_equal(pairs.first, [1.0])


def test_sessions_with_different_tracers_are_refused():
    estimates = table(row("01", "test", "a", 1.0), row("01", "retest", "a", 1.2, tracer="AZ10419369"))
    with pytest.raises(InputError, match=r"session 'retest' was scanned with 'AZ10419369', not with DASB"):
        pair(estimates, **WANTED)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"second": "test"}, "needs two sessions"),
        ({"second": "later"}, "session 'later' has no estimate"),
        ({"tracer": "PBR28"}, "no estimate has tracer 'PBR28'; there are 'DASB'"),
        ({"model": "SRTM2"}, "no estimate has model 'SRTM2'; there are 'SRTM'"),
        ({"parameter": "BP_P"}, "no estimate has parameter 'BP_P'"),
    ],
)
def test_what_is_not_there_is_named(change, message):
    estimates = table(row("01", "test", "a", 1.0), row("01", "retest", "a", 1.2))
    with pytest.raises(InputError, match=message):
        pair(estimates, **{**WANTED, **change})
