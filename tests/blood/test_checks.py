"""Refusals and doubts."""

import numpy as np
import pytest

from raphe.blood.checks import check_samples, check_values
from raphe.data.blood import BloodSamples, Samples

TIME = np.array([0.3, 0.6, 0.9, 1.2, 2, 4, 7, 10, 20, 30, 45, 60, 75, 90])
BOLUS = np.array([0, 0.1, 40, 100, 50, 30, 20, 15, 10, 8, 7, 6, 5, 4.0])
FALL = np.array([1, 1, 1, 0.99, 0.97, 0.9, 0.8, 0.7, 0.5, 0.4, 0.3, 0.25, 0.22, 0.2])


def blood(**changes):
    fields = {
        "whole_blood": Samples(TIME, BOLUS),
        "plasma": Samples(TIME, 1.2 * BOLUS),
        "parent_fraction": Samples(TIME, FALL),
    }
    return BloodSamples(**{**fields, **changes})


def remarks(scan_end=90.0, **changes):
    return check_samples(blood(**changes), scan_end)


def only(found, severity, field, *words):
    assert [(r.severity, r.field) for r in found] == [(severity, field)], found
    for word in words:
        assert word in found[0].message
    return found[0].message


def changed(values, index, value):
    out = np.array(values)
    out[index] = value
    return out


def test_sound_blood_has_no_remark():
    assert remarks() == ()


@pytest.mark.parametrize(("value", "severity"), [(1.01, None), (1.03, "error"), (97.0, "error")])
def test_a_fraction_above_1_is_refused_beyond_noise(value, severity):
    found = remarks(parent_fraction=Samples(TIME, changed(FALL, 0, value)))
    if severity is None:
        assert found == ()
    else:
        only(found, severity, "parent_fraction", f"{value:.4g} at 18 s", "cannot exceed 1")


@pytest.mark.parametrize(("value", "severity"), [(-0.01, "warning"), (-0.1, "error")])
def test_a_negative_fraction(value, severity):
    only(remarks(parent_fraction=Samples(TIME, changed(FALL, -1, value))), severity, "parent_fraction", "negative")


@pytest.mark.parametrize(("value", "severity"), [(0.24, None), (0.3, "warning"), (0.4, "error")])
def test_a_fraction_that_rises_names_both_samples(value, severity):
    found = remarks(parent_fraction=Samples(TIME, changed(FALL, -1, value)))
    if severity is None:
        assert found == ()
    else:
        text = only(found, severity, "parent_fraction", "0.22 at 4500 s", f"{value:.4g} at 5400 s")
        assert ("interchanged" in text) == (severity == "error")


@pytest.mark.parametrize(("upto", "severity"), [(13, "error"), (12, "error")])
def test_blood_that_ends_early_is_refused(upto, severity):
    found = remarks(whole_blood=Samples(TIME[:upto], BOLUS[:upto]))
    only(found, severity, "whole_blood", "the scan ends at 5400 s", "Fit the frames up to the last sample")


def test_blood_that_ends_a_little_early_is_held():
    assert remarks(scan_end=90.9) == ()
    found = remarks(scan_end=93.0)
    assert [(r.severity, r.field) for r in found] == [("warning", "whole_blood"), ("warning", "plasma")]
    assert "held to the end" in found[0].message


@pytest.mark.parametrize(("last", "severity"), [(12, "warning"), (9, "error")])
def test_a_fraction_may_end_earlier_than_activity(last, severity):
    only(remarks(parent_fraction=Samples(TIME[:last], FALL[:last])), severity, "parent_fraction", "model's guess")


def test_a_gap_of_more_than_a_third_of_the_scan():
    keep = (TIME < 21) | (TIME > 70)
    gap = Samples(TIME[keep], BOLUS[keep])
    only(remarks(plasma=gap), "error", "plasma", "between 1200 s and 4500 s")
    only(
        remarks(parent_fraction=Samples(TIME[keep], FALL[keep])),
        "warning",
        "parent_fraction",
        "between 1200 s and 4500 s",
    )


def test_zeros_are_refused():
    only(remarks(plasma=Samples(TIME, 0 * TIME)), "error", "plasma", "no activity")
    only(remarks(parent_fraction=Samples(TIME, 0 * TIME)), "error", "parent_fraction", "0 in each")


@pytest.mark.parametrize(("value", "severity"), [(-0.5, None), (-2.0, "warning"), (-20.0, "error")])
def test_activity_below_zero(value, severity):
    found = remarks(whole_blood=Samples(TIME, changed(BOLUS, 0, value)))
    if severity is None:
        assert found == ()
    else:
        only(found, severity, "whole_blood", "below zero", "at 18 s")


@pytest.mark.parametrize(("first", "severity"), [(3, "error"), (2, None)])
def test_a_first_sample_that_is_the_highest(first, severity):
    found = remarks(plasma=Samples(TIME[first:], 1.2 * BOLUS[first:]))
    if severity is None:
        assert found == ()
    else:
        only(found, severity, "plasma", "the first sample of plasma, at 72 s, is the highest")


def test_the_peak_may_come_from_the_autosampler():
    seconds = np.arange(1, 601) / 60
    time = np.concatenate([seconds, TIME[TIME > 10]])
    value = np.interp(time, TIME, BOLUS)
    machine = Samples(time, value, ("autosampler",) * 600 + ("manual",) * (time.size - 600))
    late = TIME > 1.5
    assert remarks(whole_blood=machine, plasma=Samples(TIME[late], BOLUS[late])) == ()
    alone = Samples(seconds, value[:600], ("autosampler",) * 600)
    assert remarks(whole_blood=alone, plasma=Samples(TIME[late], BOLUS[late])) == ()


def test_a_ratio_must_be_positive():
    only(remarks(plasma_to_blood=Samples([1.0, 2.0], [1.1, 0.0])), "error", "plasma_to_blood", "must be positive")


def test_a_few_samples_are_judged_by_their_values_alone():
    few = BloodSamples(plasma=Samples([40.0], [5.0]), parent_fraction=Samples([40.0], [0.5]))
    assert check_values(few) == ()
    assert {remark.severity for remark in check_samples(few, 90.0)} >= {"error"}
    wrong = BloodSamples(plasma=Samples([40.0, 60.0], [5.0, -1.0]), parent_fraction=Samples([40.0], [1.4]))
    assert [(one.severity, one.field) for one in check_values(wrong)] == [
        ("error", "plasma"),
        ("error", "parent_fraction"),
    ]
    (zero,) = check_values(BloodSamples(plasma=Samples([40.0], [0.0]), metabolite_corrected=True))
    assert "no activity" in zero.message


def test_real_blood_is_not_refused(real_blood):
    """All but one, whose samples end at 45 min of a scan of 90."""
    refused = {
        name: [r for r in check_samples(samples, min(90.0, samples.plasma.time[-1] + 0.9)) if r.severity == "error"]
        for name, samples in real_blood.items()
    }
    assert len(refused) >= 30
    assert not any(refused.values()), {name: found for name, found in refused.items() if found}
    short = next(samples for name, samples in real_blood.items() if "sub-13_ses-test" in name)
    assert {r.severity for r in check_samples(short, 90.0) if r.field == "plasma"} == {"error"}


def test_real_fractions_are_not_refused(pbr28_fractions):
    for name, samples in pbr28_fractions.items():
        found = check_samples(BloodSamples(parent_fraction=samples), 90.0)
        assert not [r for r in found if r.severity == "error" and r.field == "parent_fraction"], name
