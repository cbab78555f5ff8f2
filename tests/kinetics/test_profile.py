"""Whether intervals by profile likelihood are what they are said to be, and hold the truth where others do not."""

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import brentq, least_squares

from raphe.core.compartments import two_tissue
from raphe.core.responses import responses
from raphe.core.sampling import sampling
from raphe.data.tacs import TACs
from raphe.errors import ModelError
from raphe.kinetics import registry
from raphe.kinetics.fit import fit
from raphe.kinetics.profile import profile
from raphe.kinetics.solved import solved_problem
from raphe.kinetics.surface import Surfaced
from raphe.quality import Quality

SURFACED = [name for name, example in registry.examples().items() if isinstance(example.model, Surfaced)]
ORDINARY = {"K1": 0.25, "k2": 0.15, "k3": 0.08, "k4": 0.04, "V_B": 0.05}
SLOW = {"K1": 0.1, "k2": 0.1, "k3": 0.05, "k4": 0.01, "V_B": 0.05}


def material(model, truth, known, n=1, level=0.02, seed=1, **more):
    """Fit of noisy curves, and what the model needs."""
    subject = known.Subject(known.frames_38, 0.1, 0.2)
    clean = subject.of(truth)
    sd = known.noise_sd(clean, known.frames_38, known.half_life, level, "decay")
    curves = known.table(clean + sd * np.random.default_rng(seed).normal(size=(n, len(clean))), known.frames_38)
    given = known.behind(model, subject)
    found, _ = fit(model, curves, half_life=known.half_life, **given, **more)
    return found, {name: value for name, value in given.items() if name == "plasma"}


def test_these_models_have_a_surface():
    assert set(SURFACED) == {"SRTM", "SRTM2", "FRTM", "1TCM", "2TCM", "2TCM3k"}


@pytest.mark.parametrize("name", SURFACED)
def test_a_surface_is_that_of_the_fit(name, known):
    """Same curve, same parameters, and derivatives that are those of a complex-free difference."""
    example = registry.examples()[name]
    model = example.model
    found, plasma = material(model, example.truth, known, 3)
    problem, at = solved_problem(model, found, plasma.get("plasma"))
    surface = model.surface(problem, found.value[at])
    value, gradient = surface.parameters(surface.theta)
    fitted, jacobian = surface.curve(surface.theta, at)
    np.testing.assert_allclose(value, found.value, rtol=1e-9)
    np.testing.assert_allclose(fitted, found.fitted[:, problem.rows], rtol=1e-8, atol=1e-8)
    for n in range(surface.theta.shape[1]):
        step = np.zeros(surface.theta.shape[1])
        step[n] = 1e-5 * np.abs(surface.theta[:, n]).min()
        up, down = surface.theta + step, surface.theta - step
        slope = (surface.curve(up, at)[0] - surface.curve(down, at)[0]) / (2 * step[n])
        np.testing.assert_allclose(jacobian[..., n], slope, rtol=1e-4, atol=1e-4 * np.abs(slope).max())
        slope = (surface.parameters(up)[0] - surface.parameters(down)[0]) / (2 * step[n])
        np.testing.assert_allclose(gradient[..., n], slope, rtol=1e-6, atol=1e-6)


def test_for_a_parameter_that_is_linear_it_is_the_t_interval(known):
    """R1 of SRTM with k2a all but given: the curve is linear in R1 and k2, and the interval is value -+ t SE.

    The standard error is the usual one, sigma^2 (X' W X)^-1, from the design itself.
    """
    model = registry.model_type("SRTM")(k2a_bounds=(0.0399999999, 0.0400000001))
    found, _ = material(model, {"R1": 1.1, "BP_ND": 1.75}, known, 4)
    result, _ = profile(model, found, parameters=("R1",))
    sampled, frames = sampling(found.frames), found.frames
    tail = sampled.convolve(sampled.drawn(found.reference), np.array([0.04]))[0]
    design = np.stack([found.reference, tail], axis=-1)
    for n in range(4):
        w = found.weights[n]
        inverse = np.linalg.inv(design.T @ (w[:, None] * design))
        theta = inverse @ design.T @ (w * found.activity[n])
        rest = found.activity[n] - design @ theta
        freedom = len(frames) - model.n_free  # k2a counts as free
        half = stats.t.ppf(0.975, freedom) * np.sqrt((w * rest**2).sum() / freedom * inverse[0, 0])
        column = found.parameters.index("R1")
        assert result.low[n, column] == pytest.approx(theta[0] - half, rel=1e-5)
        assert result.high[n, column] == pytest.approx(theta[0] + half, rel=1e-5)


def test_ends_are_those_of_an_independent_search(known):
    """V_T of two compartments held by K1 = V_T k2 / (1 + k3 / k4), by SciPy's least squares and root finding."""
    model = registry.make("2TCM")
    found, plasma = material(model, SLOW, known, 2, level=0.03)
    result, step = profile(model, found, **plasma)
    assert step.parameters == {"model": "2TCM", "parameters": ("V_T",), "level": 0.95}
    sampled = sampling(found.frames)
    answers = responses(sampled, plasma["plasma"].parent)
    blood = sampled.seen(plasma["plasma"].whole_blood)
    column = found.parameters.index("V_T")
    for n in range(2):
        root = np.sqrt(found.weights[n])

        def rest(free, V_T, root=root, curve=found.activity[n]):
            k2, k3, k4, V_B = free
            e = two_tissue(np.array([[V_T * k2 / (1 + k3 / k4), k2, k3, k4]]))
            value, _ = answers.at(e.rate)
            return root * (curve - (1 - V_B) * (e.amplitude[0] @ value[0]) - V_B * blood)

        def excess(V_T, n=n, rest=rest):
            begin = found.value[n, 1:5]
            cost = 2 * least_squares(rest, begin, args=(V_T,), bounds=(1e-5, 5), x_scale="jac", xtol=1e-12).cost
            least = (found.weights[n] * (found.activity[n] - found.fitted[n]) ** 2).sum()
            freedom = len(found.frames) - model.n_free
            return cost / least - 1 - stats.f.ppf(0.95, 1, freedom) / freedom

        value, low, high = (array[n, column] for array in (found.value, result.low, result.high))
        assert low == pytest.approx(brentq(excess, 0.3 * value, value, xtol=1e-6), rel=1e-4)
        assert high == pytest.approx(brentq(excess, value, 10 * value, xtol=1e-6), rel=1e-4)


def test_it_covers_where_a_standard_error_does_not(known):
    """Slow return from the second compartment: V_T is skewed, and its t interval misses the truth on one side."""
    model = registry.make("2TCM")
    found, plasma = material(model, SLOW, known, 400, level=0.03)
    expected = known.Subject(known.frames_38, 0.1, 0.2).expected(model, SLOW)
    result, _ = profile(model, found, parameters=("V_T", "k4"), **plasma)
    for name in ("V_T", "k4"):
        column = found.parameters.index(name)
        low, high = result.low[:, column], result.high[:, column]
        assert 0.93 < np.mean((low <= expected[name]) & (expected[name] <= high)) < 0.975
    value, se = found.of("V_T")
    half = stats.t.ppf(0.975, len(found.frames) - model.n_free) * se
    above, below = np.mean(value - half > expected["V_T"]), np.mean(value + half < expected["V_T"])
    assert below > 3 * max(above, 0.005)
    column = found.parameters.index("V_T")
    left, right = value - result.low[:, column], result.high[:, column] - value
    assert np.median(right / left) > 1.2


def test_where_the_curve_sets_no_upper_limit_the_interval_has_none(known):
    """A scan in which next to nothing comes back from the second compartment: V_T may be as large as one likes."""
    model = registry.make("2TCM")
    truth = {"K1": 0.1, "k2": 0.1, "k3": 0.05, "k4": 0.001, "V_B": 0.05}
    found, plasma = material(model, truth, known, 20, level=0.05)
    result, _ = profile(model, found, **plasma)
    column = found.parameters.index("V_T")
    open_end = np.isinf(result.high[:, column])
    assert open_end.mean() > 0.5
    assert (result.quality[open_end] & Quality.IMPRECISE).all()
    assert np.isfinite(result.low[:, column]).all()
    assert (result.low[:, column] < found.value[:, column]).all()
    np.testing.assert_array_equal(np.isnan(result.low).all(axis=0), np.arange(len(found.parameters)) != column)


def test_rate_constants_that_are_not_determined_have_wide_intervals(known):
    """Fast binding: only its ratio shows, so k3 and k4 have no upper limit, though V_T is known to a few per cent.

    But for curves that allow a little of a second compartment that never lets go: they do not limit V_T either.
    """
    model = registry.make("2TCM")
    truth = {"K1": 0.2, "k2": 0.1, "k3": 1.0, "k4": 0.8, "V_B": 0.05}
    found, plasma = material(model, truth, known, 8, level=0.03)
    result, _ = profile(model, found, parameters=("V_T", "k3", "k4"), **plasma)
    at = {name: found.parameters.index(name) for name in ("V_T", "k3", "k4")}
    assert (np.isinf(result.high[:, at["k3"]]) | (result.high[:, at["k3"]] > 2)).all()
    open_end = np.isinf(result.high[:, [at["k3"], at["k4"]]]).any(axis=1)
    assert open_end.any()
    assert (result.quality[open_end] & Quality.UNDETERMINED).all()
    width = (result.high - result.low)[:, at["V_T"]] / found.of("V_T")[0]
    assert ((width < 0.1) | np.isinf(width)).all()
    assert np.isfinite(width).sum() >= 4
    assert (result.low[:, at["k3"]] >= 0).all()


@pytest.mark.parametrize("name", ["SRTM", "2TCM"])
def test_a_bad_curve_harms_no_other(name, known):
    example = registry.examples()[name]
    model, frames = example.model, known.frames_38
    alone, plasma = material(model, example.truth, known, 2)
    rows = [alone.activity[0], np.full(len(frames), np.nan), (-1.0) ** np.arange(len(frames)), alone.activity[1]]
    given = {"reference": alone.reference} if alone.reference is not None else plasma
    tacs = TACs(np.array(rows), frames, ("0", "nan", "odd", "1"))
    mixed, _ = fit(model, tacs, half_life=known.half_life, **given)
    result, _ = profile(model, mixed, **plasma)
    good, _ = profile(model, alone, **plasma)
    for part in ("low", "high"):
        np.testing.assert_allclose(getattr(result, part)[[0, 3]], getattr(good, part), rtol=1e-5)
        assert np.isnan(getattr(result, part)[1]).all()
    assert not result.usable[[1, 2]].any()


def test_a_curve_without_noise_has_an_interval_without_width(known):
    model = registry.make("1TCM")
    found, plasma = material(model, {"K1": 0.3, "k2": 0.06, "V_B": 0.05}, known, level=0.0)
    result, _ = profile(model, found, **plasma)
    column = found.parameters.index("V_T")
    assert result.low[0, column] == pytest.approx(5, rel=1e-3)
    assert result.high[0, column] == pytest.approx(5, rel=1e-3)


def test_what_was_estimated_elsewhere_widens_the_intervals(known):
    model = known.model("SRTM2", 0.1)
    found, _ = material(model, {"R1": 1.1, "BP_ND": 1.5}, known, 3)
    narrow, _ = profile(model, found)
    wide, _ = profile(model, found, input_se={"k2_prime": 0.01})
    assert (wide.low[:, 0] < narrow.low[:, 0]).all()
    assert (wide.high[:, 0] > narrow.high[:, 0]).all()


def test_what_has_no_profile_is_said(known):
    model = known.model("MRTM2", 0.1)
    found, _ = material(model, {"R1": 1.1, "BP_ND": 1.5}, known)
    with pytest.raises(ModelError, match=r"no profile likelihood of MRTM2.*bootstrap"):
        profile(model, found)
    model = registry.make("SRTM")
    found, _ = material(model, {"R1": 1.1, "BP_ND": 1.5}, known)
    with pytest.raises(ModelError, match="SRTM has no V_T; it gives BP_ND"):
        profile(model, found, parameters=("V_T",))
