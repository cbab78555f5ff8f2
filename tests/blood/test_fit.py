"""Fits that are judged and chosen, and the weights of samples."""

import numpy as np
import pytest

from raphe.blood import registry
from raphe.blood.falling import Falling
from raphe.blood.fit import fit_blood
from raphe.blood.parent_fraction.exponential import Exponential
from raphe.blood.parent_fraction.hill import Hill
from raphe.blood.protocol import Population
from raphe.blood.weights import sample_weights
from raphe.data.blood import Samples
from raphe.errors import InputError, ModelError
from raphe.quality import Quality

END = 90.0


def noisy(model, theta, time, sigma, seed):
    value = model.curve(np.array(theta), time)
    return Samples(time, value + sigma * np.random.default_rng(seed).standard_normal(time.size))


def fitted(quantity, samples, choice="auto", **more):
    return fit_blood(quantity, samples, choice, scan_end=END, **more)[0]


TIMES = np.array([1.0, 2.0, 3.5, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 75.0, 90.0])


@pytest.mark.parametrize(
    ("quantity", "kind", "name", "sigma"),
    [
        ("parent_fraction", "parent_fraction", "hill", 0.002),
        ("parent_fraction", "parent_fraction", "power", 0.002),
        ("plasma_to_blood", "plasma_ratio", "constant", 0.02),
        ("plasma_to_blood", "plasma_ratio", "linear", 0.02),
        ("plasma_to_blood", "plasma_ratio", "exponential", 0.02),
    ],
)
def test_the_model_that_made_the_samples_is_chosen_most_of_the_time(quantity, kind, name, sigma):
    example = registry.examples(kind)[name]
    labels = [fitted(quantity, noisy(example.model, example.truth, TIMES, sigma, seed)).label for seed in range(6)]
    assert sum(label.split(",")[0] == name for label in labels) >= 4, labels


def test_exact_samples_are_given_to_the_simplest_model_that_fits():
    single = Falling(Exponential())
    found = fitted("parent_fraction", noisy(single, (0.2, 0.05), TIMES, 0.0, 0))
    assert found.label == "exponential"
    assert found.candidates[0].share > 0.5


def test_the_table_of_candidates_is_in_order_and_its_weights_add_up():
    example = registry.examples("parent_fraction")["hill"]
    found = fitted("parent_fraction", noisy(example.model, example.truth, TIMES, 0.01, 1))
    shares = [c.share for c in found.candidates]
    assert len(shares) == len(registry.candidates("parent_fraction"))
    assert sum(shares) == pytest.approx(1)
    assert shares == sorted(shares, reverse=True)
    assert found.candidates[0].label == found.label
    able = [c for c in found.candidates if c.share]
    ratio = np.exp(-(able[1].aicc - able[0].aicc) / 2)
    assert able[1].share / able[0].share == pytest.approx(ratio)


def test_aicc_is_that_of_the_formula():
    time = np.array([1.0, 5, 10, 20, 40, 60])
    samples = Samples(time, np.array([0.99, 0.8, 0.7, 0.55, 0.4, 0.38]))
    found = fitted("parent_fraction", samples, "exponential")
    wrss, n, k = ((samples.value - found.fitted) ** 2).sum(), 6, 3
    assert found.aicc == pytest.approx(n * np.log(wrss / n) + 2 * k + 2 * k * (k + 1) / (n - k - 1))
    assert found.sigma == pytest.approx(np.sqrt(wrss / (n - 2)))


def test_parameters_do_not_depend_on_the_unit_of_the_samples(manual_times):
    for name in ("feng", "triexponential"):
        example = registry.examples("arterial")[name]
        samples = noisy(example.model, example.truth, manual_times, 0.3, 3)
        one = fitted("parent", samples, name, weights="proportional")
        other = fitted("parent", Samples(samples.time, 1000 * samples.value), name, weights="proportional")
        factor = np.array([1000.0 if p.of_peak else 1.0 for p in example.model.parameters])
        np.testing.assert_allclose(other.value, factor * one.value, rtol=1e-5)
        np.testing.assert_allclose(other.se, factor * one.se, rtol=1e-3)
        assert one.units == tuple(p.unit for p in example.model.parameters)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_too_few_samples_fall_back_to_lines_that_do_not_rise(n):
    samples = Samples([5.0, 20.0, 60.0][:n], [0.6, 0.65, 0.4][:n])
    found, step = fit_blood("parent_fraction", samples, scan_end=END)
    assert found.label == "isotonic"
    assert np.diff(found.curve.value).max() <= 0
    assert step.parameters["chosen"] == "no equation was determined"
    assert all(c.share == 0 for c in found.candidates)


def test_isotonic_means_are_those_of_the_samples_that_rise():
    samples = Samples([5.0, 20.0, 60.0], [0.6, 0.7, 0.4])
    found = fitted("parent_fraction", samples, "isotonic")
    np.testing.assert_allclose(found.curve(np.array([0.0, 5.0, 20.0, 60.0, 90.0])), [1, 0.65, 0.65, 0.4, 0.4])


def test_interpolation_of_the_fraction_is_1_at_injection_and_holds_the_last_value():
    found = fitted("parent_fraction", Samples([10.0, 50.0], [0.8, 0.5]), "interpolation")
    np.testing.assert_allclose(found.curve([0.0, 5.0, 10.0, 30.0, 50.0, 90.0]), [1, 0.9, 0.8, 0.65, 0.5, 0.5])
    assert np.isnan(found.aicc)
    assert np.isnan(found.sigma)


def test_interpolation_of_activity_rises_from_0_at_injection():
    found = fitted("parent", Samples([1.0, 2.0, 50.0], [10.0, 5.0, 1.0]), "interpolation")
    np.testing.assert_allclose(found.curve([-1.0, 0.0, 0.5, 1.5, 90.0]), [0, 0, 5, 7.5, 1])


def test_a_ratio_that_would_cross_zero_is_not_chosen():
    """A straight line through these is below zero at the end of the scan."""
    time = np.array([1.0, 3, 6, 10, 15, 20])
    found = fitted("plasma_to_blood", Samples(time, 1.2 - 0.05 * time + 0.01 * np.cos(time)))
    line = next(c for c in found.candidates if c.label == "linear")
    assert line.quality & Quality.IMPLAUSIBLE
    assert line.share == 0
    assert found.curve(np.linspace(0, END, 300)).min() > 0


def test_the_spline_smooths_noise_and_keeps_the_curve(manual_times):
    example = registry.examples("arterial")["triexponential"]
    dense = np.concatenate([np.arange(1, 240) / 24, manual_times[manual_times > 10]])
    errors, raw = [], []
    for seed in range(5):
        samples = noisy(example.model, example.truth, dense, 1.0, seed)
        found = fitted("whole_blood", samples, "spline")
        late = dense > 1.5
        truth = example.model.curve(np.array(example.truth), dense)
        errors.append(np.sqrt(np.mean((found.fitted - truth)[late] ** 2)))
        raw.append(np.sqrt(np.mean((samples.value - truth)[late] ** 2)))
    assert np.mean(errors) < 0.4 * np.mean(raw)
    assert found.curve(np.array([300.0])) == pytest.approx(found.curve(dense[-1:]))


def test_the_spline_needs_samples_after_the_peak():
    with pytest.raises(ModelError, match="spline cannot be fitted to the 4 samples"):
        fitted("parent", Samples([1.0, 2.0, 3.0, 4.0], [1.0, 9.0, 5.0, 4.0]), "spline")


def test_a_named_model_with_too_many_parameters_says_so():
    with pytest.raises(ModelError, match="hill of the parent fraction has 3 free parameters, but there are 3 samples"):
        fitted("parent_fraction", Samples([1.0, 5.0, 9.0], [1.0, 0.9, 0.5]), "hill")


def test_a_population_is_drawn_and_not_fitted():
    given = Population(Falling(Hill()), (0.1, 10.0, 2.0), "mean of five")
    found, step = fit_blood("parent_fraction", None, given, scan_end=END)
    assert found.curve(np.array([10.0])) == pytest.approx(0.55, abs=1e-5)
    assert np.isnan(found.se).all()
    assert found.source == "mean of five" == step.parameters["source"]


def test_what_is_missing_or_zero_is_said():
    with pytest.raises(InputError, match="no samples of the parent fraction"):
        fitted("parent_fraction", None)
    with pytest.raises(InputError, match="samples of the whole blood are zero"):
        fitted("whole_blood", Samples([1.0, 2.0], [0.0, 0.0]), "interpolation")


def test_weights_are_those_of_the_noise_that_they_name():
    time, value = np.array([0.0, 1.0, 20.0, 40.0]), np.array([0.0, 100.0, 10.0, 5.0])
    counts, _ = sample_weights("counts", time, value, 20.0)
    np.testing.assert_allclose(counts / counts[1], np.array([100.0, 1, 10, 20]) * 2.0 ** ((1 - time) / 20))
    proportional, _ = sample_weights("proportional", time, value)
    np.testing.assert_allclose(proportional / proportional[1], [1e4, 1, 100, 400])
    uniform, name = sample_weights("uniform", time, value)
    assert name == "uniform"
    np.testing.assert_array_equal(uniform, 1)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ("counts", "need the half-life"),
        ("exact", "unknown weights 'exact'"),
        ([1.0, 2.0], "2 weights for 3 samples"),
        ([1.0, -2.0, 1.0], "not negative"),
        ([0.0, 0.0, 0.0], "not all 0"),
        ([1.0, np.nan, 1.0], "finite"),
    ],
)
def test_weights_that_cannot_be_used_are_refused(weights, message):
    with pytest.raises(InputError, match=message):
        sample_weights(weights, np.arange(3.0), np.arange(3.0))


def test_the_true_weights_make_the_smaller_errors():
    example = registry.examples("parent_fraction")["exponential"]
    sigma = np.where(TIMES > 25, 0.05, 0.002)
    errors = {"known": [], "uniform": []}
    for seed in range(40):
        rng = np.random.default_rng(seed)
        exact = example.model.curve(np.array(example.truth), TIMES)
        samples = Samples(TIMES, exact + sigma * rng.standard_normal(TIMES.size))
        for name, weights in (("known", sigma**-2.0), ("uniform", "uniform")):
            found = fitted("parent_fraction", samples, "exponential", weights=weights)
            errors[name].append(found.value[1] - example.truth[1])
    assert np.std(errors["known"]) < 0.8 * np.std(errors["uniform"])


def test_every_scan_at_hand_has_a_fraction_that_fits(pbr28_fractions):
    """Residuals of the chosen model are the noise of such samples: at most 0.06, and no curve rises."""
    for name, samples in list(pbr28_fractions.items())[::5]:
        found = fitted("parent_fraction", samples)
        assert found.sigma < 0.06, name
        assert found.quality == 0, name
        assert np.diff(found.curve.value).max() <= 1e-12, name
        assert found.curve.value.min() >= 0, name
