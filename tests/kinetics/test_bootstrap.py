"""Whether noisy repeats scatter as real noise makes estimates scatter, and follow from the seed and the name alone."""

import dataclasses

import numpy as np
import pytest
from scipy.special import ndtri

from raphe.data.tacs import TACs
from raphe.errors import InputError, ModelError
from raphe.kinetics import registry
from raphe.kinetics.bootstrap import MOST_LOST, _percentile, bootstrap
from raphe.kinetics.fit import fit
from raphe.quality import Quality

TRUTHS = {
    "SRTM": {"R1": 1.1, "BP_ND": 1.5},
    "MRTM2": {"R1": 1.1, "BP_ND": 1.5},
    "2TCM": {"K1": 0.25, "k2": 0.15, "k3": 0.08, "k4": 0.04, "V_B": 0.05},
    "MA1": {"K1": 0.3, "k2": 0.06},
    "Logan": {"K1": 0.3, "k2": 0.06},
}


def material(name, known, n=1, level=0.02, kind="decay", seed=1, frames=None, truth=None):
    """Model, its noisy curves, and what it needs."""
    model = registry.make("MA1", t_star=30.0) if name == "MA1" else known.model(name, 0.1)
    frames = known.frames_38 if frames is None else frames
    subject = known.Subject(frames, 0.1, 0.2)
    clean = subject.of(truth or TRUTHS[name])
    sd = known.noise_sd(clean, frames, known.half_life, level, kind)
    curves = clean + sd * np.random.default_rng(seed).normal(size=(n, len(frames)))
    return model, known.table(curves, frames), known.behind(model, subject)


def fitted(model, curves, given, known, **more):
    found, _ = fit(model, curves, half_life=known.half_life, **given, **more)
    return found, {name: value for name, value in given.items() if name == "plasma"}


@pytest.mark.parametrize("kind", ["decay", "relative"])
@pytest.mark.parametrize("name", list(TRUTHS))
def test_repeats_scatter_as_the_noise_makes_estimates_scatter(name, kind, known):
    """The mean over twenty curves, as the noise of each is known to about a tenth from its own residuals.

    Like HC3, they err to the wide by about the mean leverage; where the weights are not true, by a third at worst, as
    the variances are averaged over neighbouring frames.
    """
    model, curves, given = material(name, known, 800, kind=kind)
    found, plasma = fitted(model, curves, given, known)
    scatter = np.std(found.of(model.macro)[0])
    few, plasma = fitted(model, TACs(curves.activity[:20], curves.frames, curves.names[:20]), given, known)
    repeated, _ = bootstrap(model, few, n_repeat=200, **plasma)
    se = repeated.of(model.macro)[1]
    ratio = np.sqrt(np.mean(se**2)) / scatter
    kept = np.sqrt(1 - model.n_free / few.n_frames[0])
    assert 0.85 < ratio < (1.15 if kind == "decay" else 1.35) / kept
    assert np.median(se / few.of(model.macro)[1]) == pytest.approx(1, abs=0.15)  # the sandwich says the same
    assert (repeated.usable == few.usable).all()


@pytest.mark.parametrize("name", ["SRTM", "MRTM2", "2TCM"])
def test_the_same_seed_gives_the_same_whatever_the_other_curves_and_their_order(name, known):
    model, curves, given = material(name, known, 3)
    found, plasma = fitted(model, curves, given, known)
    first, step = bootstrap(model, found, n_repeat=60, seed=4, **plasma)
    again, _ = bootstrap(model, found, n_repeat=60, seed=4, **plasma)
    other, _ = bootstrap(model, found, n_repeat=60, seed=5, **plasma)
    for part in ("se", "low", "high"):
        np.testing.assert_array_equal(getattr(first, part), getattr(again, part))
        assert not np.isclose(getattr(first, part)[:, 0], getattr(other, part)[:, 0], rtol=1e-6).any()
    turned = TACs(curves.activity[[2, 0]], curves.frames, ("2", "0"))
    some, _ = bootstrap(model, fitted(model, turned, given, known)[0], n_repeat=60, seed=4, **plasma)
    np.testing.assert_allclose(some.low, first.low[[2, 0]], rtol=1e-5)
    assert step.parameters["repeats"] == 60
    assert step.parameters["seed"] == 4


def test_a_bad_curve_harms_no_other(known):
    model, curves, given = material("2TCM", known, 2)
    frames = curves.frames
    alone, plasma = fitted(model, curves, given, known)
    rows = [curves.activity[0], np.full(len(frames), np.nan), np.zeros(len(frames)), curves.activity[1]]
    rows.append((-1.0) ** np.arange(len(frames)))
    mixed, _ = fitted(model, TACs(np.array(rows), frames, ("0", "nan", "zero", "1", "odd")), given, known)
    good, _ = bootstrap(model, alone, n_repeat=60, **plasma)
    found, _ = bootstrap(model, mixed, n_repeat=60, **plasma)
    np.testing.assert_allclose(found.high[[0, 3]], good.high, rtol=1e-5)
    assert np.isnan(found.low[1:3]).all()
    assert np.isnan(found.se[1:3]).all()
    assert (found.quality[1:3] & Quality.BAD_INPUT).all()
    assert not found.usable[4]


def test_where_too_many_repeats_are_lost_there_is_no_interval(known):
    """A tissue that hardly lets go in a scan as short: a third of the repeats ends at k4's bound."""
    truth = {"K1": 0.1, "k2": 0.1, "k3": 0.05, "k4": 0.002, "V_B": 0.05}
    model, curves, given = material("2TCM", known, 6, level=0.05, truth=truth)
    found, plasma = fitted(model, curves, given, known)
    repeated, step = bootstrap(model, found, n_repeat=100, **plasma)
    lost = np.isnan(repeated.low).all(axis=1)
    assert lost.any()
    assert step.parameters["n_lost"] == lost.sum()
    assert (repeated.quality[lost] & Quality.IMPRECISE).all()
    assert np.isnan(repeated.se[lost]).all()
    assert np.isfinite(repeated.value).all()
    assert MOST_LOST < 0.5


def test_frames_before_t_star_are_noisy_too(known):
    """Their integral is in every equation of MA1, so if they are said to be noisier, the error is larger."""
    model, curves, given = material("MA1", known, 20)
    found, plasma = fitted(model, curves, given, known)
    early = found.frames.mid < 30
    more = np.array(found.variance)
    more[:, early] *= 400
    noisy, _ = bootstrap(model, dataclasses.replace(found, variance=more), n_repeat=200, **plasma)
    usual, _ = bootstrap(model, found, n_repeat=200, **plasma)
    assert np.median(noisy.se / usual.se) > 1.05


@pytest.mark.slow
def test_a_joint_model_is_repeated_scan_by_scan(known):
    model, frames = registry.make("SIMEVND"), known.frames_38
    subject = known.Subject(frames, 0.1, 0.2)
    truths = [{"K1": 0.25, "k2": 0.15, "k3": k3, "k4": 0.04, "V_B": 0.05} for k3 in (0.04, 0.12)]
    clean = np.array([subject.of(truth) for truth in truths])
    sd = np.array([known.noise_sd(curve, frames, known.half_life, 0.01, "decay") for curve in clean])
    curves = known.table(clean + sd * np.random.default_rng(3).normal(size=clean.shape), frames)
    given = {"plasma": subject.input(1e-4)}
    found, _ = fit(model, curves, half_life=known.half_life, **given)
    told = []
    repeated, _ = bootstrap(model, found, n_repeat=50, tell=lambda done, total: told.append((done, total)), **given)
    column = found.parameters.index("V_ND")
    np.testing.assert_allclose(repeated.se[:, column], repeated.se[0, column])  # one V_ND in every repeat
    np.testing.assert_allclose(repeated.se[:, column], found.se[:, column], rtol=0.5)
    assert told[-1] == (100, 100)


def test_what_was_estimated_elsewhere_widens_the_intervals(known):
    model, curves, given = material("MRTM2", known, 5)
    found, _ = fitted(model, curves, given, known)
    with_se, _ = fit(model, curves, half_life=known.half_life, input_se={"k2_prime": 0.01}, **given)
    narrow, _ = bootstrap(model, found, n_repeat=200)
    wide, _ = bootstrap(model, found, n_repeat=200, input_se={"k2_prime": 0.01})
    added = np.sqrt(with_se.se[:, 0] ** 2 - found.se[:, 0] ** 2)
    np.testing.assert_allclose(wide.se[:, 0], np.hypot(narrow.se[:, 0], added), rtol=1e-6)
    assert (wide.low[:, 0] < narrow.low[:, 0]).all()
    assert (wide.high[:, 0] > narrow.high[:, 0]).all()


def test_curves_without_noise_have_intervals_without_width(known):
    model, curves, given = material("SRTM", known, 1, level=0.0)
    repeated, _ = bootstrap(model, fitted(model, curves, given, known)[0], n_repeat=50)
    np.testing.assert_allclose(repeated.low, repeated.value, rtol=1e-3)
    np.testing.assert_allclose(repeated.high, repeated.value, rtol=1e-3)


def test_percentiles_are_those_of_the_repeats_less_twice_their_bias():
    """Of normal repeats, they are at the quantiles about the estimate less the bias."""
    grid = np.linspace(0, 1, 4001)[1:-1]
    value = (10 + 0.5 + 2 * ndtri(grid))[None, :, None]  # bias 0.5, SD 2
    for quantile in (-1.96, 1.96):
        assert _percentile(value, np.array([[10.0]]), quantile)[0, 0] == pytest.approx(9.5 + 2 * quantile, abs=0.02)
    broken = value.copy()
    broken[0, ::2] = np.nan  # half of them have none
    assert _percentile(broken, np.array([[10.0]]), 1.96)[0, 0] == pytest.approx(9.5 + 3.92, abs=0.05)


def test_what_cannot_be_repeated_is_said(known):
    model, curves, given = material("SRTM", known, 1)
    found, _ = fitted(model, curves, given, known)
    with pytest.raises(InputError, match="10 repeats are too few"):
        bootstrap(model, found, n_repeat=10)
    with pytest.raises(ModelError, match="the fit is by SRTM"):
        bootstrap(known.model("MRTM1", 0.1), found)
    two, curves, given = material("2TCM", known, 1)
    found, _ = fitted(two, curves, given, known)
    with pytest.raises(ModelError, match="arterial input"):
        bootstrap(two, found)
    ratio = registry.make("SUVR", t_begin=60.0, t_end=90.0)
    reference = known.Subject(known.frames_38, 0.1, 0.2).reference
    found, _ = fit(ratio, curves, reference=reference, half_life=known.half_life)
    with pytest.raises(ModelError, match="linear in the curve"):
        bootstrap(ratio, found)
