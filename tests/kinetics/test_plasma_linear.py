"""Linear models behind plasma: exact where theory says so, and as far off as theory says where not."""

import dataclasses

import numpy as np
import pytest

from raphe.core.piecewise import PiecewiseLinear
from raphe.core.sampling import sampling
from raphe.data.blood import PlasmaInput
from raphe.kinetics.fit import fit
from raphe.kinetics.models.logan import Logan
from raphe.kinetics.models.ma1 import MA1
from raphe.kinetics.models.ma2 import MA2
from raphe.kinetics.models.patlak import Patlak
from raphe.kinetics.models.patlak_ref import PatlakRef
from raphe.quality import Quality


@pytest.fixture(params=["frames_38", "frames_36"])
def subject(known, request):
    return known.Subject(getattr(known, request.param), 0.1, 0.2)


@pytest.fixture
def plasma(subject):
    return subject.input()


def found(model, truth, subject, plasma, known):
    model = dataclasses.replace(model, V_B=truth.get("V_B", 0.0))
    return fit(model, known.table(subject.of(truth)[None], subject.frames), plasma=plasma, half_life=known.half_life)[0]


@pytest.mark.parametrize("model", [MA1(0.0), MA1(30.0), Logan(1.0), Logan(30.0), MA2()], ids=repr)
def test_one_compartment_is_exact_from_any_t_star(model, subject, plasma, known):
    """Integrals of plasma are exact and those of tissue nearly: 1e-4 is a hundredth of what noise does."""
    for truth in known.one_tissue:
        result = found(model, truth, subject, plasma, known)
        assert result.of("V_T")[0][0] == pytest.approx(truth["K1"] / truth["k2"], rel=1e-4), truth


def test_two_compartments_are_what_ma2_is_exact_for(subject, plasma, known):
    for truth in known.two_tissue:
        result = found(MA2(), truth, subject, plasma, known)
        expected = subject.expected(MA2(), truth)
        assert result.quality[0] & ~Quality.UNDETERMINED == 0
        assert result.of("V_T")[0][0] == pytest.approx(expected["V_T"], rel=1e-4), truth
        for name in ("V_S", "V_ND", "K1"):
            assert result.of(name)[0][0] == pytest.approx(expected[name], rel=1e-3), (truth, name)


def second_compartment(subject, truth):
    """Frame averages of C2, whose response to plasma is K1 k3 (e^(-slow t) - e^(-fast t)) / (fast - slow)."""
    K1, k2, k3, k4 = (truth[key] for key in ("K1", "k2", "k3", "k4"))
    total = k2 + k3 + k4
    root = np.sqrt(total**2 - 4 * k2 * k4)
    fast, slow = (total + root) / 2, (total - root) / 2
    difference = subject.averages(1.0, slow) - subject.averages(1.0, fast)
    return K1 * k3 / root * difference


@pytest.mark.parametrize("t_star", [20.0, 40.0])
def test_two_compartments_bias_logan_and_ma1_as_theory_says(t_star, subject, plasma, known):
    r"""Downward, by what C2 / C_T still rises after t*.

    Integrating both equations gives, exactly, the area of C_T as V_T area of Cp - (1 + k3/k4) C_T / k2 - C2 / k4. Were
    C2 / C_T constant, a line in C_T would be left; as C2 rises towards equilibrium, the slope takes part of its term.
    """
    frames = subject.frames
    rows = frames.mid >= t_star
    weights = frames.duration
    w = np.sqrt(weights[rows])
    for truth in known.two_tissue:
        V_T = subject.expected(MA1(), truth)["V_T"]
        tissue, C2 = subject.of({**truth, "V_B": 0.0})[rows], second_compartment(subject, truth)[rows]
        area_p = sampling(frames).integrated(plasma.parent)[rows]
        level = (1 + truth["k3"] / truth["k4"]) / truth["k2"]
        area_t = V_T * area_p - level * tissue - C2 / truth["k4"]
        bias = np.polyfit(area_p / tissue, -C2 / truth["k4"] / tissue, 1, w=w)[0]
        rates = np.linalg.lstsq(np.stack([area_p, area_t], 1) * w[:, None], tissue * w, rcond=None)[0]
        curves = known.table(subject.of(truth)[None], frames)
        for model, expected in ((Logan, V_T + bias), (MA1, -rates[0] / rates[1])):
            assert expected < V_T
            result, _ = fit(model(t_star, truth["V_B"]), curves, plasma=plasma, weights=weights)
            assert result.of("V_T")[0][0] == pytest.approx(expected, rel=1e-3), (truth, model)


@pytest.mark.parametrize("model", [Logan, MA1])
def test_a_later_t_star_brings_two_compartments_nearer_to_the_truth(model, known):
    subject = known.Subject(known.frames_38, 0.1, 0.2)
    plasma = subject.input()
    errors = []
    for t_star in (10.0, 30.0, 60.0):
        results = (found(model(t_star), truth, subject, plasma, known) for truth in known.two_tissue)
        truths = (subject.expected(MA1(), truth)["V_T"] for truth in known.two_tissue)
        errors.append([1 - r.of("V_T")[0][0] / V_T for r, V_T in zip(results, truths, strict=True)])
    early, middle, late = np.array(errors)
    assert np.all(late < middle)
    assert np.all(middle < early)
    assert np.all(late > 0)
    assert np.median(late) < 0.03


@pytest.mark.parametrize("t_star", [30.0, 40.0])
def test_patlak_is_near_once_plasma_and_tissue_fall_together(t_star, subject, plasma, known):
    """The reversible part lags behind plasma, which falls ever more slowly: K_i is low, by less the later t* is."""
    for truth in known.irreversible:
        result = found(Patlak(t_star), truth, subject, plasma, known)
        K_i = subject.expected(Patlak(), truth)["K_i"]
        assert K_i * (1 - 0.03 * 30 / t_star) < result.of("K_i")[0][0] < K_i * (1 + 1e-4), truth


def test_patlak_is_exact_where_plasma_is_constant(known):
    """Then all transients die away, and the line is C_T = K_i area + K1 k2 / (k2 + k3)^2 Cp."""
    frames = known.schedule((30, 240))
    K1, k2, k3, level = 0.1, 0.2, 0.05, 20.0
    rate, K_i = k2 + k3, K1 * k3 / (k2 + k3)
    area_fade = (np.exp(-rate * frames.start) - np.exp(-rate * frames.end)) / rate / frames.duration
    tissue = level * (K_i * frames.mid + K1 * k2 / rate**2 * (1 - area_fade))
    plasma = PlasmaInput(PiecewiseLinear([0.0, 120.0], [level, level]))
    result, _ = fit(Patlak(90.0), known.table(tissue[None], frames), plasma=plasma, weights="uniform")
    assert result.of("K_i")[0][0] == pytest.approx(K_i, rel=1e-7)


def test_patlak_with_a_reference_gives_k2_k3_over_their_sum(subject, known):
    for R1 in (0.8, 1.0, 1.3):
        for k3 in (0.02, 0.05, 0.1):
            truth = {"R1": R1, "k3": k3}
            curves = known.table(subject.of(truth)[None], subject.frames)
            result, _ = fit(PatlakRef(40.0), curves, reference=subject.reference, half_life=known.half_life)
            k2 = R1 * subject.k2_prime
            assert result.of("K_i_ref")[0][0] == pytest.approx(k2 * k3 / (k2 + k3), rel=5e-3)


@pytest.mark.parametrize("model", [Logan(), MA1(), MA2(), Patlak()], ids=repr)
def test_blood_is_taken_out_as_if_it_had_never_been_there(model, known):
    subject = known.Subject(known.frames_38, 0.1, 0.2)
    plasma = subject.input(1e-5)
    truth = {"K1": 0.2, "k2": 0.12, "k3": 0.08, "k4": 0.04}
    noise = 1 + 0.02 * np.random.default_rng(4).normal(size=38)
    blood = subject.whole_blood
    tissue = subject.of(truth) * noise
    seen = (blood.integral(subject.frames.end) - blood.integral(subject.frames.start)) / subject.frames.duration
    pair = (known.table((0.93 * tissue + 0.07 * seen)[None], subject.frames), known.table(tissue[None], subject.frames))
    mixed, _ = fit(dataclasses.replace(model, V_B=0.07), pair[0], plasma=plasma, weights="duration")
    alone, _ = fit(model, pair[1], plasma=plasma, weights="duration")
    np.testing.assert_allclose(mixed.value, alone.value, rtol=1e-4)
    np.testing.assert_allclose(mixed.se, alone.se, rtol=1e-3)
    rows = np.isfinite(alone.fitted)
    expected = 0.93 * alone.fitted[rows] + 0.07 * seen[rows[0]]
    np.testing.assert_allclose(mixed.fitted[rows], expected, rtol=1e-4, atol=1e-6 * expected.max())
    if type(model) in (MA1, MA2):
        np.testing.assert_allclose(mixed.sigma, 0.93 * alone.sigma, rtol=1e-3)  # in kBq/mL of the curve as measured


@pytest.mark.parametrize("value", [0.0, -1.0, 1e-9])
def test_logan_does_not_divide_by_a_frame_without_activity(value, known):
    subject = known.Subject(known.frames_38, 0.1, 0.2)
    curves = np.array([subject.averages(0.3, 0.06)] * 2)
    curves[1, 33] = value
    table = known.table(curves, subject.frames)
    result, _ = fit(Logan(), table, plasma=subject.input(1e-4), half_life=known.half_life)
    np.testing.assert_array_equal(result.quality, [Quality.GOOD, Quality.BAD_INPUT])
    assert np.isnan(result.value[1]).all()


def test_patlak_does_not_divide_by_plasma_without_activity(known):
    """As at the end of an input that was sampled for an hour and then called zero."""
    subject = known.Subject(known.frames_38, 0.1, 0.2)
    curves = known.table(subject.of({"K1": 0.1, "k2": 0.15, "k3": 0.06})[None], subject.frames)
    parent = subject.input(1e-4).parent
    until = parent.time < 60
    cut = PlasmaInput(PiecewiseLinear(np.append(parent.time[until], 60.1), np.append(parent.value[until], 0.0)))
    result, _ = fit(Patlak(), curves, plasma=cut, half_life=known.half_life)
    assert result.quality[0] == Quality.BAD_INPUT
    assert np.isnan(result.value).all()


def test_a_tissue_slower_than_the_scan_is_called_slow(known):
    subject = known.Subject(known.frames_38, 0.1, 0.2)
    curves = known.table(np.array([subject.averages(0.2, k2) for k2 in (0.05, 0.008)]), subject.frames)
    for model in (Logan(), MA1()):
        result, _ = fit(model, curves, plasma=subject.input(1e-5), half_life=known.half_life)
        np.testing.assert_array_equal(result.quality, [Quality.GOOD, Quality.SLOW])


def test_a_tissue_that_only_takes_up_has_no_volume_of_distribution(known):
    """Irreversible uptake: the Logan plot bends upward, its intercept is not that of a tissue that empties."""
    subject = known.Subject(known.frames_38, 0.1, 0.2)
    curves = known.table(subject.of({"K1": 0.1, "k2": 0.15, "k3": 0.3})[None], subject.frames)
    for model in (Logan(), MA1(), MA2()):
        result, _ = fit(model, curves, plasma=subject.input(1e-5), half_life=known.half_life)
        assert result.quality[0] & (Quality.IMPLAUSIBLE | Quality.SLOW | Quality.IMPRECISE), model
