"""From samples to the plasma input."""

import numpy as np
import pytest

from raphe.blood import registry
from raphe.blood.draw import drawn, product
from raphe.blood.falling import Falling
from raphe.blood.input import make_input
from raphe.blood.join import join
from raphe.blood.parent_fraction.hill import Hill
from raphe.blood.plasma_ratio.constant import Constant
from raphe.blood.protocol import Population
from raphe.core.piecewise import PiecewiseLinear
from raphe.data.blood import BloodSamples, Samples
from raphe.errors import InputError

END = 90.0
STRAIGHT = {"parent_fraction": "interpolation", "plasma_ratio": "interpolation"}


def whole_blood(time):
    example = registry.examples("arterial")["triexponential"]
    return example.model.curve(np.array(example.truth), np.asarray(time, dtype=float))


def ratio(time):
    return 1.4 - 0.5 * np.exp(-0.1 * np.asarray(time))


def mixed(manual_times, gain=1.0):
    """Autosampler for 10 min, manual samples of whole blood and plasma besides and after."""
    automatic = np.arange(1, 601) / 60
    manual = manual_times[manual_times > 2]
    time = np.concatenate([automatic, manual])
    value = np.concatenate([gain * whole_blood(automatic), whole_blood(manual)])
    source = np.array(["autosampler"] * automatic.size + ["manual"] * manual.size)
    order = np.argsort(time, kind="stable")
    blood = Samples(time[order], value[order], tuple(source[order]))
    return blood, Samples(manual, ratio(manual) * whole_blood(manual))


def test_interpolation_agrees_with_bloodstream(ps13):
    """Whole blood and fraction are the same straight lines; its parent is straight between samples, ours the product.

    Between two samples the product of two straight lines lies below the chord by the product of both differences times
    u (1 - u), u the share of the way between them.
    """
    blood, theirs = ps13
    made, _, _ = make_input(blood, scan_end=END, **STRAIGHT)
    time = theirs["time"] / 60
    near = np.abs(time[:, None] - blood.plasma.time).min(axis=1) > 1 / 60  # their grid cuts the corners
    peak = theirs["AIF"].max()
    blood_peak = theirs["whole_blood_radioactivity"].max()
    np.testing.assert_allclose(
        made.whole_blood(time[near]), theirs["whole_blood_radioactivity"][near], atol=1e-6 * blood_peak
    )
    np.testing.assert_allclose(made.parent_fraction(time[near]), theirs["metabolite_parent_fraction"][near], atol=1e-6)
    knots = np.append(0.0, blood.plasma.time)
    plasma, fraction = made.plasma(knots), made.parent_fraction(knots)
    left = np.clip(np.searchsorted(knots, time, side="right") - 1, 0, knots.size - 2)
    share = np.clip((time - knots[left]) / np.diff(knots)[left], 0, 1)
    sag = np.diff(plasma)[left] * np.diff(fraction)[left] * share * (1 - share)
    np.testing.assert_allclose((made.parent(time) + sag)[near], theirs["AIF"][near], atol=2e-5 * peak)
    assert made.parent.integral([90.0]) == pytest.approx(np.trapezoid(theirs["AIF"], time), rel=5e-3)


def test_parent_is_plasma_times_its_fraction(ps13):
    made, _, fits = make_input(ps13[0], scan_end=END)
    time = np.linspace(0, END, 5000)
    exact = made.plasma(time) * made.parent_fraction(time)
    np.testing.assert_allclose(made.parent(time), exact, atol=2e-5 * exact.max())
    assert [found.quantity for found in fits] == ["parent_fraction", "parent", "whole_blood"]


def test_metabolite_corrected_plasma_needs_no_fraction(manual_times):
    plasma = Samples(manual_times, whole_blood(manual_times))
    made, _, _ = make_input(BloodSamples(plasma=plasma, metabolite_corrected=True), scan_end=END)
    np.testing.assert_allclose(made.parent(manual_times), plasma.value)
    assert made.parent_fraction is None
    assert made.plasma is None
    assert made.whole_blood is None


def test_plasma_is_whole_blood_times_ratio_while_the_autosampler_runs(manual_times):
    blood, plasma = mixed(manual_times)
    samples = BloodSamples(whole_blood=blood, plasma=plasma, metabolite_corrected=False)
    given = Population(Falling(Hill()), (0.1, 20.0, 2.0), "test")
    made, steps, fits = make_input(samples, scan_end=END, parent_fraction=given)
    found = fits[0]
    assert found.label == "exponential"
    np.testing.assert_allclose(found.value, [1.4, -0.5, 0.1], rtol=1e-4)
    during = np.arange(40, 590) / 60
    np.testing.assert_allclose(made.plasma(during), ratio(during) * whole_blood(during), rtol=2e-3)
    np.testing.assert_allclose(made.plasma(plasma.time), plasma.value, rtol=2e-4)
    parent = next(f for f in fits if f.quantity == "parent")
    assert parent.samples.source.count("autosampler") == 600
    assert set(parent.samples.source) == {"manual", "autosampler"}
    assert steps[0].name == "join_blood"
    assert steps[-1].parameters["plasma_to_blood"] == "exponential"


def test_whole_blood_goes_on_as_plasma_by_ratio_when_only_plasma_was_sampled_by_hand(manual_times):
    automatic = np.arange(1, 601) / 60
    blood = Samples(automatic, whole_blood(automatic), ("autosampler",) * 600)
    manual = manual_times[manual_times > 2]
    plasma = Samples(manual, 1.2 * whole_blood(manual))
    samples = BloodSamples(whole_blood=blood, plasma=plasma, metabolite_corrected=False)
    fraction = Population(Falling(Hill()), (0.1, 20.0, 2.0), "test")
    made, _, _ = make_input(samples, scan_end=END, parent_fraction=fraction, plasma_ratio="constant")
    late = manual[manual > 10]
    np.testing.assert_allclose(made.whole_blood(late), whole_blood(late), rtol=2e-3)


def test_a_ratio_that_is_told_stands_for_the_plasma_or_the_blood_that_was_not_sampled(manual_times):
    told = Samples(manual_times, ratio(manual_times))
    fraction = Samples([1.0, 90.0], [1.0, 0.5])
    whole = Samples(manual_times, whole_blood(manual_times))
    plasma = Samples(manual_times, ratio(manual_times) * whole_blood(manual_times))
    one, _, _ = make_input(
        BloodSamples(whole_blood=whole, plasma_to_blood=told, parent_fraction=fraction), scan_end=END, **STRAIGHT
    )
    other, _, _ = make_input(
        BloodSamples(plasma=plasma, plasma_to_blood=told, parent_fraction=fraction), scan_end=END, **STRAIGHT
    )
    for made in (one, other):
        np.testing.assert_allclose(made.plasma(manual_times), plasma.value, rtol=1e-10)
        np.testing.assert_allclose(made.whole_blood(manual_times), whole.value, rtol=1e-10)


def test_a_population_ratio_stands_in_where_none_was_sampled(manual_times):
    samples = BloodSamples(
        whole_blood=Samples(manual_times, whole_blood(manual_times)), parent_fraction=Samples([1.0, 90.0], [1.0, 1.0])
    )
    given = Population(Constant(), (1.3,), "a paper")
    made, _, _ = make_input(samples, scan_end=END, parent_fraction="interpolation", plasma_ratio=given)
    np.testing.assert_allclose(made.parent(manual_times), 1.3 * whole_blood(manual_times), rtol=1e-6)


@pytest.mark.parametrize("name", ["feng", "triexponential"])
def test_an_arterial_model_of_the_parent_is_recovered(name, manual_times):
    example = registry.examples("arterial")[name]
    exact = example.model.curve(np.array(example.truth), manual_times)
    fraction = np.linspace(1, 0.4, manual_times.size)
    samples = BloodSamples(
        plasma=Samples(manual_times, exact / fraction), parent_fraction=Samples(manual_times, fraction)
    )
    made, _, fits = make_input(samples, scan_end=END, parent_fraction="interpolation", arterial=name, half_life=20.4)
    np.testing.assert_allclose(fits[-1].value, example.truth, rtol=1e-4)
    time = np.linspace(0, END, 4000)
    np.testing.assert_allclose(
        made.parent(time), example.model.curve(np.array(example.truth), time), atol=1.5e-5 * exact.max() * 1.5
    )


def test_weights_of_the_parent_carry_its_fraction(manual_times):
    """A parent of half the plasma has half the error of the plasma that was counted."""
    exact = whole_blood(manual_times)
    fraction = np.where(manual_times < 10, 1.0, 0.5)
    samples = BloodSamples(plasma=Samples(manual_times, exact), parent_fraction=Samples(manual_times, fraction))
    _, _, fits = make_input(
        samples, scan_end=END, parent_fraction="interpolation", arterial="spline", weights="uniform"
    )
    weights = fits[1].weights
    assert weights[-1] / weights[0] == pytest.approx(4)


def test_automatic_choice_of_the_arterial_model_makes_a_table(manual_times):
    exact = whole_blood(manual_times)
    rng = np.random.default_rng(5)
    plasma = Samples(manual_times, exact + 0.05 * rng.standard_normal(exact.size))
    made, _, fits = make_input(
        BloodSamples(plasma=plasma, metabolite_corrected=True), scan_end=END, arterial="auto", half_life=20.4
    )
    assert fits[0].label == "triexponential"
    assert {c.label for c in fits[0].candidates} == {"feng", "spline", "triexponential"}
    assert made.parent.integral([END])[0] == pytest.approx(
        drawn(whole_blood, END, np.array([0.5, 1.1])).integral([END])[0], rel=0.01
    )


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (BloodSamples(), "neither samples of plasma nor of whole blood"),
        (BloodSamples(whole_blood=Samples([1.0], [1.0])), "no plasma samples and no ratio"),
        (BloodSamples(plasma=Samples([1.0], [1.0])), "no samples of the parent fraction"),
    ],
)
def test_what_cannot_make_an_input_is_refused(samples, message):
    with pytest.raises(InputError, match=message):
        make_input(samples, scan_end=END)


@pytest.mark.parametrize("end", [0.0, -1.0, np.nan])
def test_the_scan_must_end_after_injection(end):
    with pytest.raises(InputError, match="the scan ends at"):
        make_input(BloodSamples(plasma=Samples([1.0], [1.0]), metabolite_corrected=True), scan_end=end)


def test_the_autosampler_counts_while_it_runs_and_manual_samples_after(manual_times):
    blood, _ = mixed(manual_times)
    joined, step = join(blood)
    assert np.diff(joined.time).min() > 0
    sources = np.array(joined.source)
    assert (sources[joined.time <= 10] == "autosampler").all()
    assert (sources[joined.time > 10] == "manual").all()
    assert step.parameters["n_manual_meanwhile"] == 6
    assert step.parameters["factor"] == 1.0


def test_manual_samples_calibrate_only_when_asked(manual_times):
    blood, _ = mixed(manual_times, gain=0.8)
    plain, _ = join(blood)
    assert plain.value[300] == pytest.approx(0.8 * whole_blood(plain.time[300]))
    joined, step = join(blood, calibrate=True)
    assert step.parameters["factor"] == pytest.approx(1.25, rel=1e-3)
    assert 0 < step.parameters["factor_se"] < 1e-3
    assert joined.value[300] == pytest.approx(whole_blood(joined.time[300]), rel=1e-3)


def test_the_standard_error_of_the_calibration_is_that_of_a_mean(manual_times):
    blood, _ = mixed(manual_times)
    factors, ses = [], []
    manual = np.array(blood.source) == "manual"
    for seed in range(300):
        noise = np.where(manual, 1 + 0.05 * np.random.default_rng(seed).standard_normal(len(blood)), 1.0)
        step = join(Samples(blood.time, blood.value * noise, blood.source), calibrate=True)[1]
        factors.append(step.parameters["factor"])
        ses.append(step.parameters["factor_se"])
    assert np.mean(factors) == pytest.approx(1, abs=0.005)
    assert np.sqrt(np.mean(np.square(ses))) == pytest.approx(np.std(factors), rel=0.1)


def test_calibration_without_manual_samples_is_refused():
    alone = Samples(np.arange(1.0, 5.0), [1.0, 9.0, 4.0, 2.0], ("autosampler",) * 4)
    with pytest.raises(InputError, match="calibrated only where there are manual samples"):
        join(alone, calibrate=True)
    early = Samples([1.0, 2.0, 2.0, 3.0, 4.0], [1.0, 9.0, 9.0, 4.0, 2.0],
                    ("autosampler", "autosampler", "manual", "autosampler", "autosampler"))  # fmt: skip
    with pytest.raises(InputError, match="after it had fallen to half its peak"):
        join(early, calibrate=True)


@pytest.mark.parametrize("kind", ["arterial", "parent_fraction", "plasma_ratio"])
def test_drawn_curves_are_within_the_bound_everywhere(kind):
    for example in registry.examples(kind).values():
        if not example.truth:
            continue
        theta = np.array(example.truth)

        def curve(t, model=example.model, theta=theta):
            return model.curve(theta, t)

        line = drawn(curve, END, example.model.kinks(theta))
        time = np.sort(np.concatenate([np.linspace(0, END, 20001), np.geomspace(1e-5, END, 20001)]))
        exact = curve(time)
        assert np.abs(line(time) - exact).max() <= 1.2e-5 * np.abs(exact).max()
        assert line.time.size < 1500
        assert line.time[0] == 0
        assert line.time[-1] == END


def test_a_straight_line_is_drawn_without_a_split():
    assert drawn(lambda t: 3 - 0.01 * t, END, np.empty(0)).time.size <= 66


def test_a_product_holds_from_where_both_curves_begin():
    one = PiecewiseLinear([0.0, 1.0, 4.0], [0.0, 8.0, 2.0])
    other = PiecewiseLinear([0.5, 3.0], [1.0, 0.5])
    found = product(one, other)
    time = np.linspace(0.5, 8, 800)
    np.testing.assert_allclose(found(time), one(time) * other(time), atol=1e-4)
    assert found(np.array([0.49])) == 0
