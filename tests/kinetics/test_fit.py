"""What the fitter checks, what it hands on, and what it writes down."""

import numpy as np
import pytest

from raphe.core import weights as weighting
from raphe.core.frames import Frames
from raphe.data.tacs import TACs
from raphe.errors import InputError, ModelError, TimingError
from raphe.kinetics.fit import LATEST_START, fit
from raphe.kinetics.models.logan_ref import LoganRef
from raphe.kinetics.models.mrtm1 import MRTM1
from raphe.kinetics.models.mrtm2 import MRTM2
from raphe.kinetics.models.srtm import SRTM
from raphe.quality import Quality


@pytest.fixture
def subject(known):
    return known.Subject(known.frames_38, 0.1, 0.2)


@pytest.fixture
def tacs(subject):
    curves = np.array([subject.reference, subject.target(1.1, 1.5), subject.target(0.9, 0.6)])
    curves[1:] *= 1 + 0.02 * np.random.default_rng(5).normal(size=curves[1:].shape)
    return TACs(curves, subject.frames, ("cerebellum", "putamen", "thalamus"))


def test_a_reference_by_name_is_the_same_as_by_its_curve_and_is_not_fitted(tacs, known):
    named, step = fit(SRTM(), tacs, reference="cerebellum", half_life=known.half_life)
    given, _ = fit(SRTM(), tacs.without("cerebellum"), reference=tacs.curve("cerebellum"), half_life=known.half_life)
    assert named.names == ("putamen", "thalamus")
    np.testing.assert_array_equal(named.value, given.value)
    assert step.parameters["reference"] == "cerebellum"
    np.testing.assert_array_equal(named.reference, tacs.curve("cerebellum"))


def reference_with(tacs, frame, value):
    curve = tacs.curve("cerebellum").copy()
    curve[frame] = value
    return curve


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        (lambda t: "pons", ["no region 'pons'", "cerebellum, putamen, thalamus"]),
        (lambda t: t.curve("cerebellum")[:-1], ["the reference has 37 frames, the target 38"]),
        (lambda t: np.zeros(38), ["zero in every frame"]),
        (lambda t: reference_with(t, 6, np.nan), ["frame 7", "nan"]),
        (lambda t: reference_with(t, 37, np.inf), ["frame 38", "inf"]),
        (lambda t: reference_with(t, 0, -1e200), ["frame 1", "-1e+200"]),
        (lambda t: -t.curve("cerebellum"), ["negative mean activity"]),
        (lambda t: np.full(38, 1e-300), ["zero in every frame"]),
    ],
)
def test_an_unusable_reference_is_refused(reference, words, tacs, known):
    with pytest.raises(InputError) as caught:
        fit(SRTM(), tacs, reference=reference(tacs), half_life=known.half_life)
    for word in words:
        assert word in str(caught.value)


def test_a_named_reference_that_is_bad_is_named(tacs, known):
    activity = tacs.activity.copy()
    activity[0] = 0
    with pytest.raises(InputError, match="reference region 'cerebellum' is zero in every frame"):
        fit(SRTM(), TACs(activity, tacs.frames, tacs.names), reference="cerebellum", half_life=known.half_life)


def test_a_reference_alone_leaves_nothing_to_fit(tacs, known):
    only = tacs.without("putamen", "thalamus")
    with pytest.raises(InputError, match="no curve to fit besides"):
        fit(SRTM(), only, reference="cerebellum", half_life=known.half_life)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"weights": "decay", "half_life": None}, ["half-life of the radionuclide", "--half-life"]),
        ({"half_life": 0.0}, ["half-life is 0 min"]),
        ({"half_life": -20.0}, ["half-life is -20 min"]),
        ({"half_life": np.nan}, ["half-life is nan min"]),
        ({"weights": "poisson"}, ["unknown weights 'poisson'", "decay, duration, uniform"]),
        ({"weights": np.ones(37)}, ["shape (37,)", "38 frames and 2 curves"]),
        ({"weights": np.ones((3, 38))}, ["shape (3, 38)", "2 curves to fit"]),
        ({"weights": np.where(np.arange(38) == 3, -1.0, 1.0)}, ["weight of frame 4", "1/variance"]),
        ({"weights": np.where(np.arange(38) == 3, np.nan, 1.0)}, ["weight of frame 4"]),
        ({"convention": "mid"}, ["unknown convention 'mid'", "average and midframe"]),
        ({"input_se": {"k2_prime": 0.01}}, ["SRTM has no fixed k2_prime"]),
    ],
)
def test_unusable_options_are_refused(options, words, tacs, known):
    options = {"half_life": known.half_life, **options}
    with pytest.raises(InputError) as caught:
        fit(SRTM(), tacs, reference="cerebellum", **options)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("se", [0.0, -0.01, np.nan])
def test_a_standard_error_that_is_none_is_refused(se, tacs, known):
    with pytest.raises(InputError, match="standard error of k2_prime"):
        fit(MRTM2(0.1), tacs, reference="cerebellum", half_life=known.half_life, input_se={"k2_prime": se})
    with pytest.raises(ModelError, match="no fixed k2_prime"):
        fit(LoganRef(), tacs, reference="cerebellum", half_life=known.half_life, input_se={"k2_prime": 0.01})


def test_too_few_frames_are_refused_with_their_number(tacs, known):
    first = TACs(tacs.activity[:, :4], tacs.frames.first(4), tacs.names)
    with pytest.raises(TimingError, match="SRTM has 3 free parameters and needs at least 5 frames, but 4 of"):
        fit(SRTM(), first, reference="cerebellum", half_life=known.half_life)
    with pytest.raises(TimingError, match="3 of the scan's 38 are left at or after t_star = 75 min"):
        fit(LoganRef(t_star=75), tacs, reference="cerebellum", half_life=known.half_life)
    with pytest.raises(TimingError, match="0 of the scan's 38 are left"):
        fit(SRTM(), tacs, reference="cerebellum", weights=np.zeros(38))


def test_a_scan_that_begins_long_after_injection_is_refused(tacs, known):
    start = tacs.frames.start + LATEST_START
    late = TACs(tacs.activity, Frames(start + 0.01, tacs.frames.duration), tacs.names)
    with pytest.raises(TimingError, match=r"first frame starts 2.01 min after injection.*InjectionStart"):
        fit(SRTM(), late, reference="cerebellum", half_life=known.half_life)


@pytest.mark.parametrize("name", ["SRTM", "MRTM2", "SRTM2", "LoganRef"])
def test_a_late_start_that_is_allowed_costs_less_than_one_per_cent(name, known):
    frames = Frames(LATEST_START + 5.0 * np.arange(18), np.full(18, 5.0))
    for k2_prime in (0.06, 0.15):
        subject = known.Subject(frames, k2_prime, 0.3)
        truth = np.array([0.3, 1.5, 4.0])
        curves = known.table(np.array([subject.target(1.1, b) for b in truth]), frames)
        found, _ = fit(known.model(name, k2_prime), curves, reference=subject.reference, half_life=known.half_life)
        np.testing.assert_allclose(found.of("BP_ND")[0], truth, rtol=0.01)


def test_frames_of_no_weight_are_not_fitted_but_still_counted_in(tacs, known):
    weights = np.ones(38)
    weights[[0, 1, 2, 5, 20]] = 0
    found, _ = fit(MRTM1(), tacs, reference="cerebellum", weights=weights)
    left = np.ones(38, bool)
    left[[0, 1, 2, 5, 20]] = False
    np.testing.assert_array_equal(found.weights[0] > 0, left)
    np.testing.assert_array_equal(np.isfinite(found.fitted[0]), left)
    np.testing.assert_array_equal(found.n_frames, [33, 33])
    assert found.of("BP_ND")[0][0] == pytest.approx(1.5, rel=0.05)


def test_t_star_is_taken_at_the_middle_of_the_frame(tacs, known):
    frame = 30
    at = tacs.frames.mid[frame]
    for t_star, first in ((at, frame), (at + 1e-6, frame + 1)):
        found, step = fit(LoganRef(t_star=t_star), tacs, reference="cerebellum", half_life=known.half_life)
        assert np.flatnonzero(found.weights[0])[0] == first
        assert found.inputs["t_star"] == step.parameters["t_star"] == t_star


@pytest.mark.parametrize("named", ["uniform", "duration"])
def test_named_weights_are_those_given_as_an_array(named, tacs, known):
    by_name, _ = fit(SRTM(), tacs, reference="cerebellum", weights=named)
    given = getattr(weighting, named)(tacs.frames)
    by_array, _ = fit(SRTM(), tacs, reference="cerebellum", weights=7 * given)
    np.testing.assert_allclose(by_array.value, by_name.value, rtol=1e-6)
    np.testing.assert_allclose(by_name.weights, np.tile(given / given.mean(), (2, 1)), rtol=1e-12)


def test_decay_weights_are_those_of_the_first_fit(tacs, known):
    first, _ = fit(SRTM(), tacs, reference="cerebellum", weights=weighting.decay(tacs.frames, known.half_life))
    by_hand = weighting.decay(tacs.frames, known.half_life, first.fitted)
    expected, _ = fit(SRTM(), tacs, reference="cerebellum", weights=by_hand)
    found, _ = fit(SRTM(), tacs, reference="cerebellum", weights="decay", half_life=known.half_life)
    np.testing.assert_allclose(found.value, expected.value, rtol=1e-6)
    np.testing.assert_allclose(found.weights.mean(axis=1), 1, rtol=1e-12)


def test_sigma_and_aicc_are_those_of_the_residuals(tacs, known):
    found, _ = fit(SRTM(), tacs, reference="cerebellum", half_life=known.half_life)
    wrss = (found.weights * (found.activity - found.fitted) ** 2).sum(axis=1)
    np.testing.assert_allclose(found.sigma, np.sqrt(wrss / (38 - 3)), rtol=1e-9)
    k = 3 + 1  # R1, k2, k2a and the variance (Hurvich and Tsai 1989)
    np.testing.assert_allclose(found.aicc, 38 * np.log(wrss / 38) + 2 * k * 38 / (38 - k - 1), rtol=1e-9)


def test_error_of_k2_prime_is_added_in_quadrature(tacs, known):
    options = {"reference": "cerebellum", "weights": "uniform"}
    plain, _ = fit(MRTM2(0.1), tacs, **options)
    wide, _ = fit(MRTM2(0.1), tacs, input_se={"k2_prime": 0.01}, **options)
    up, down = (fit(MRTM2(0.1 + d), tacs, **options)[0].value for d in (1e-5, -1e-5))
    expected = np.sqrt(plain.se**2 + (0.01 * (up - down) / 2e-5) ** 2)
    np.testing.assert_allclose(wide.se, expected, rtol=0.02)
    np.testing.assert_array_equal(wide.value, plain.value)


def test_the_step_tells_what_was_done(tacs, known):
    _, step = fit(MRTM2(0.1, t_star=10), tacs, reference="cerebellum", half_life=known.half_life, convention="midframe")
    told = dict(step.parameters)
    assert told["model"] == "MRTM2"
    assert told["convention"] == "midframe"
    assert told["weights"] == "decay"
    assert told["k2_prime"] == 0.1
    assert told["t_star"] == 10
    assert told["n_curves"] == 2
    assert told["scan_minutes"] == pytest.approx(93)
    assert told["n_frames"] == (tacs.frames.mid >= 10).sum()
    assert step.citations == ("ichise2003",)


def test_results_cannot_be_changed(tacs, known):
    found, _ = fit(SRTM(), tacs, reference="cerebellum", half_life=known.half_life)
    with pytest.raises(ValueError, match="read-only"):
        found.value[0, 0] = 1


def test_a_logan_plot_does_not_divide_by_a_frame_without_activity(tacs, known):
    for value in (0.0, -1.0, 1e-9):
        activity = tacs.activity.copy()
        activity[1, 33] = value
        found, _ = fit(
            LoganRef(), TACs(activity, tacs.frames, tacs.names), reference="cerebellum", half_life=known.half_life
        )
        assert found.quality[0] == Quality.BAD_INPUT
        assert np.isnan(found.value[0, 0])
        assert found.usable[1]
