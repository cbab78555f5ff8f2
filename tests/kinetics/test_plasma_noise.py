"""Linear models under noise: whether intervals cover, what is biased, and what is marked.

The share of a thousand intervals that cover, where each does with 0.95, has a standard deviation of 0.007. The intended
band of 93-97 % is therefore asked of what three tissues give together, with one such deviation to spare.
"""

import numpy as np
import pytest
from scipy import stats

from raphe.kinetics.fit import fit
from raphe.kinetics.judgement import PLAUSIBLE
from raphe.kinetics.models.logan import Logan
from raphe.kinetics.models.ma1 import MA1
from raphe.kinetics.models.ma2 import MA2
from raphe.kinetics.models.patlak import Patlak
from raphe.kinetics.models.patlak_ref import PatlakRef
from raphe.quality import Quality

N_REPEAT = 1000
BAND = (0.93 - 0.007, 0.97 + 0.007)

ONE = [{"K1": 0.3, "k2": 0.3 / V_T} for V_T in (2.0, 5.0, 10.0)]
TWO = [{"K1": 0.2, "k2": 0.1, "k3": BP_ND * 0.04, "k4": 0.04} for BP_ND in (0.5, 1.5, 4.0)]
TRAP = [{"K1": 0.1, "k2": 0.15, "k3": k3} for k3 in (0.03, 0.06, 0.12)]
TRAP_REF = [{"R1": 1.1, "k3": k3} for k3 in (0.02, 0.05, 0.1)]

NOISE = [("frames_38", "decay", "decay"), ("frames_36", "relative", "decay"), ("frames_36", "decay", "uniform")]
"""Schedule, kind of noise, weights: true ones, and two that are not."""


def repeats(model, truth, known, schedule, kind, weights, level=0.03, seed=0, convention="average"):
    """Fit of repeats, and what is true."""
    frames = getattr(known, schedule)
    subject = known.Subject(frames, 0.1, 0.2)
    clean = subject.of(truth)
    sd = known.noise_sd(clean, frames, known.half_life, level, kind)
    curves = clean + sd * np.random.default_rng(seed).normal(size=(N_REPEAT, len(frames)))
    given = known.behind(model, subject)
    found, _ = fit(
        model, known.table(curves, frames), half_life=known.half_life, weights=weights, convention=convention, **given
    )
    return found, subject.expected(model, truth)[model.macro]


def covered(found, model, expected):
    value, se = found.of(model.macro)
    half = se * stats.t.ppf(0.975, found.n_frames - model.n_free)
    return np.mean(np.abs(value - expected)[found.usable] < half[found.usable])


@pytest.mark.parametrize(("schedule", "kind", "weights"), NOISE)
@pytest.mark.parametrize(
    ("model", "truths"),
    [
        (MA1(0.0), ONE),
        (MA1(30.0), ONE),
        (Logan(30.0), ONE),
        (Patlak(40.0), TRAP),
        (PatlakRef(40.0), TRAP_REF),
    ],
    ids=lambda x: repr(x) if not isinstance(x, list) else "",
)
def test_intervals_cover_the_truth_at_noise_of_three_per_cent(model, truths, schedule, kind, weights, known):
    shares = []
    for seed, truth in enumerate(truths):
        found, expected = repeats(model, truth, known, schedule, kind, weights, seed=seed)
        assert found.usable.all()
        shares.append(covered(found, model, expected))
    assert BAND[0] < np.mean(shares) < BAND[1], shares
    assert min(shares) > 0.9


def test_ma1_and_patlak_are_not_biased_by_noise_of_five_per_cent(known):
    """To within a thirtieth of the scatter of a thousand; Patlak's own approximation is 1 % for this tissue."""
    for model, truth in ((MA1(30.0), ONE[1]), (Patlak(40.0), TRAP[1])):
        found, expected = repeats(model, truth, known, *NOISE[0], level=0.05)
        assert found.of(model.macro)[0][found.usable].mean() == pytest.approx(expected, rel=0.012)


def test_logan_is_low_with_noise_and_its_standard_error_does_not_say_so(known):
    """Slifstein and Laruelle (2000, J Nucl Med 41:2083): the reason to prefer MA1 for a noisy curve."""
    truth, means, shares = {"K1": 0.3, "k2": 0.03}, {}, {}
    for model in (Logan(30.0), MA1(30.0)):
        found, expected = repeats(model, truth, known, *NOISE[0], level=0.2)
        means[model.name] = found.of("V_T")[0][found.usable].mean() / expected
        shares[model.name] = covered(found, model, expected)
    assert means["Logan"] < 0.9
    assert means["MA1"] == pytest.approx(1, abs=0.05)
    assert shares["Logan"] < 0.85
    assert shares["MA1"] > 0.93


@pytest.mark.parametrize(("schedule", "kind", "weights"), NOISE)
def test_intervals_of_ma2_cover_where_it_is_usable(schedule, kind, weights, known):
    shares = []
    for seed, truth in enumerate(TWO):
        found, expected = repeats(MA2(), truth, known, schedule, kind, weights, seed=seed)
        shares.append(covered(found, MA2(), expected))
        assert found.usable.mean() > 0.9
    assert BAND[0] < np.mean(shares) < BAND[1], shares


def test_instruments_take_the_noise_bias_from_ma2(known):
    """Which the least squares of the published method, that of mid-frame values, keeps."""
    off = {"average": [], "midframe": []}
    for truth in TWO:
        for convention, shares in off.items():
            found, expected = repeats(MA2(), truth, known, *NOISE[0], convention=convention)
            V_T, K1 = (found.of(symbol)[0][found.usable].mean() for symbol in ("V_T", "K1"))
            shares.append((V_T / expected - 1, K1 / truth["K1"] - 1))
    ours, published = np.abs(off["average"]).max(axis=0), np.abs(off["midframe"]).max(axis=0)
    assert (ours < (0.025, 0.01)).all(), ours
    assert (published > 2 * ours).all(), published


@pytest.fixture
def subject(known):
    return known.Subject(known.frames_38, 0.1, 0.2)


ODD = {
    "negative": lambda frames: -frames.mid,
    "negative constant": lambda frames: np.full(len(frames), -5.0),
    "first frame alone": lambda frames: np.eye(len(frames))[0],
    "one frame alone": lambda frames: np.eye(len(frames))[10],
    "last frame alone": lambda frames: np.eye(len(frames))[-1],
    "alternating": lambda frames: (-1.0) ** np.arange(len(frames)),
    "growing": lambda frames: np.exp(0.1 * frames.mid),
}
"""Curves without any resemblance to a tissue's."""


@pytest.mark.parametrize("weights", ["decay", "uniform"])
@pytest.mark.parametrize("kind", list(ODD))
@pytest.mark.parametrize("model", [Logan(), MA1(), MA1(0.0), MA2()], ids=repr)
def test_an_odd_curve_is_marked_and_harms_no_other(model, kind, weights, known, subject):
    curves = np.array([subject.averages(0.3, 0.06), ODD[kind](subject.frames)])
    given = known.behind(model, subject)
    found, _ = fit(model, known.table(curves, subject.frames), half_life=known.half_life, weights=weights, **given)
    assert not found.usable[1]
    assert found.of("V_T")[0][0] == pytest.approx(5, rel=1e-2)


@pytest.mark.parametrize("model", [Logan(), MA1(), MA1(0.0), MA2()], ids=repr)
def test_noise_without_a_curve_is_marked(model, known, subject):
    curves = np.random.default_rng(8).normal(size=(200, 38))
    found, _ = fit(model, known.table(curves, subject.frames), weights="uniform", **known.behind(model, subject))
    assert found.usable.mean() < 0.02


@pytest.mark.parametrize("model", [Patlak(), PatlakRef()], ids=repr)
def test_a_slope_that_is_clearly_negative_is_implausible_and_one_about_zero_is_not(model, known, subject):
    """Without trapping the slope is 0, give or take: to call half of those impossible would be to bias the others."""
    frames, given = subject.frames, known.behind(model, subject)
    free = {"K1": 0.1, "k2": 0.5}
    noise = np.random.default_rng(4).normal(size=(400, 38))
    curves = np.concatenate([subject.of(free) * (1 + 0.05 * noise), -subject.of(free)[None]])
    found, _ = fit(model, known.table(curves, frames), half_life=known.half_life, **given)
    value, se = found.of(model.macro)
    marked = found.quality & Quality.IMPLAUSIBLE > 0
    np.testing.assert_array_equal(marked, value < -2 * se)
    assert 0.2 < np.mean(value[:-1] < 0)
    assert np.all(found.usable == ~marked)


@pytest.mark.parametrize("model", [Logan(20.0), MA1(20.0), MA2()], ids=repr)
def test_a_scan_cut_short_brings_no_nonsense_unmarked(model, known):
    """V_T off by more than a factor of 3 is nonsense."""
    frames = known.frames_38.first(31)
    assert frames.end[-1] == pytest.approx(51)
    subject = known.Subject(frames, 0.1, 0.2)
    given = known.behind(model, subject)
    for seed, k2 in enumerate((0.06, 0.03, 0.015)):
        clean = subject.averages(0.2, k2)
        for level in (0.03, 0.1):
            sd = known.noise_sd(clean, frames, known.half_life, level, "decay")
            curves = clean + sd * np.random.default_rng(seed).normal(size=(400, len(frames)))
            found, _ = fit(model, known.table(curves, frames), half_life=known.half_life, **given)
            ratio = found.of("V_T")[0] * k2 / 0.2
            assert not (found.usable & ~((ratio > 1 / 3) & (ratio < 3))).any()
            low, high = PLAUSIBLE["V_T"]
            assert np.all(~found.usable | ((found.of("V_T")[0] > low) & (found.of("V_T")[0] < high)))


@pytest.mark.parametrize("model", [Logan(0.0), MA1(0.0), Patlak(0.0), MA2()], ids=repr)
def test_a_handful_of_frames_gives_wide_errors_but_no_nonsense(model, known):
    n = max(6, model.n_free + 2)
    frames = known.schedule((n, 90 / n * 60))
    subject = known.Subject(frames, 0.1, 0.2)
    truth = TRAP[1] if model.macro == "K_i" else ONE[1]
    expected = subject.expected(model, truth)[model.macro]
    curves = subject.of(truth) * (1 + 0.03 * np.random.default_rng(1).normal(size=(300, n)))
    found, _ = fit(model, known.table(curves, frames), half_life=known.half_life, **known.behind(model, subject))
    value, se = found.of(model.macro)
    far = np.abs(value - expected) > expected
    assert not (far & found.usable & (np.abs(value - expected) > 3 * se)).any()
