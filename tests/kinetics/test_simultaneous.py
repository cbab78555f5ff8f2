"""One V_ND for all regions, against known tissues, a joint fit of all parameters at once, and repeated noise."""

import dataclasses

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import least_squares

from raphe.core.decay import remaining
from raphe.core.sampling import sampling
from raphe.core.weights import decay, scaled
from raphe.errors import ModelError
from raphe.kinetics.fit import fit
from raphe.kinetics.models.simevnd import SIMEVND
from raphe.kinetics.models.two_tcm import TwoTCM
from raphe.kinetics.protocol import Problem
from raphe.quality import Quality

V_ND = 2.0
REGIONS = [  # K1, BP_ND, k4
    (0.12, 3.5, 0.035),
    (0.22, 0.7, 0.05),
    (0.35, 0.9, 0.04),
    (0.18, 2.1, 0.03),
    (0.28, 2.3, 0.055),
    (0.15, 0.4, 0.06),
    (0.31, 0.6, 0.045),
    (0.24, 1.1, 0.035),
]


def tissue(K1, BP_ND, k4, V_ND=V_ND):
    return {"K1": K1, "k2": K1 / V_ND, "k3": BP_ND * k4, "k4": k4, "V_B": 0.05}


def clean(subject, regions):
    return np.array([subject.of(tissue(*region)) for region in regions])


def noisy(curves, frames, half_life, level, rng):
    """Curves with the noise of counts; ``level`` is its mean after 10 min as a share of the curve's mean there."""
    sd = np.sqrt(np.maximum(curves, 0.01 * curves.max(axis=1, keepdims=True)) / remaining(frames, half_life))
    sd /= np.sqrt(frames.duration)
    late = frames.mid > 10
    sd *= level * (curves[:, late].mean(axis=1) / sd[:, late].mean(axis=1))[:, None]
    return curves + sd * rng.normal(size=curves.shape)


@pytest.fixture(scope="module")
def subject(known):
    return known.Subject(known.frames_38, delay=0.2)


@pytest.fixture(scope="module")
def plasma(subject):
    return subject.input(1e-4)


def fitted(known, subject, plasma, curves, model=None, weights="uniform"):
    return fit(model or SIMEVND(), known.table(curves, subject.frames), plasma=plasma, weights=weights)[0]


@pytest.mark.parametrize("none", [False, True])
def test_recovers_v_nd_and_binding_without_noise(none, known, subject):
    regions = [*REGIONS, (0.25, 0.0, 0.04)] if none else REGIONS
    found = fitted(known, subject, subject.input(1e-6), clean(subject, regions))
    np.testing.assert_allclose(found.of("V_ND")[0], V_ND, rtol=1e-3)
    binding = np.array([region[1] for region in REGIONS])
    np.testing.assert_allclose(found.of("BP_ND")[0][: len(REGIONS)], binding, rtol=1e-3)
    np.testing.assert_allclose(found.of("V_T")[0][: len(REGIONS)], V_ND * (1 + binding), rtol=1e-3)
    assert found.usable[: len(REGIONS)].all()
    if none:
        assert found.of("V_S")[0][-1] == pytest.approx(0, abs=2e-3) or not found.usable[-1]


def test_agrees_with_a_fit_of_all_parameters_of_all_regions_at_once(known, subject):
    """By scipy, with tissues in closed form, and the variance of each region from its own fit."""
    curves = noisy(clean(subject, REGIONS[:4]), subject.frames, known.half_life, 0.02, np.random.default_rng(5))
    plasma = subject.input(1e-6)
    found = fitted(known, subject, plasma, curves)
    sigma = fitted(known, subject, plasma, curves, TwoTCM()).sigma

    def residual(theta):
        modelled = [subject.averages(K1, K1 / theta[-1], k3, k4, V_B) for K1, k3, k4, V_B in theta[:-1].reshape(-1, 4)]
        return ((curves - modelled) / sigma[:, None]).ravel()

    truth = [value for K1, BP_ND, k4 in REGIONS[:4] for value in (K1, BP_ND * k4, k4, 0.05)]
    joint = least_squares(
        residual, [*truth, V_ND], bounds=(1e-9, 10), x_scale="jac", ftol=1e-15, xtol=1e-12, gtol=1e-12
    )
    assert found.of("V_ND")[0][0] == pytest.approx(joint.x[-1], rel=1e-4)
    own = joint.x[:-1].reshape(-1, 4)
    np.testing.assert_allclose(found.of("BP_ND")[0], own[:, 1] / own[:, 2], rtol=1e-3)
    cost = (((found.activity - found.fitted) / sigma[:, None]) ** 2).sum()
    assert cost == pytest.approx(2 * joint.cost, rel=1e-5)
    covariance = np.linalg.inv(joint.jac.T @ joint.jac)  # of the same shape where the weights are nearly the true ones
    assert found.of("V_ND")[1][0] == pytest.approx(np.sqrt(covariance[-1, -1]), rel=0.5)


def test_weights_of_a_region_count_only_against_one_another(known, subject, plasma):
    """1/variance up to a factor of each curve, so a factor is of no account; a noisy region counts for less."""
    frames, rng = subject.frames, np.random.default_rng(8)
    curves = noisy(clean(subject, REGIONS), frames, known.half_life, 0.01, rng)
    weights = np.broadcast_to(scaled(frames.duration, np.arange(len(frames))), curves.shape)
    plain = Problem(sampling(frames), curves, weights, np.arange(len(frames)), None, plasma)
    other = dataclasses.replace(plain, weights=weights * np.geomspace(1, 1e4, len(curves))[:, None])
    expected, found = (SIMEVND().estimate(problem) for problem in (plain, other))
    np.testing.assert_allclose(found.value, expected.value, rtol=1e-6)
    np.testing.assert_allclose(found.se, expected.se, rtol=1e-5)
    wild = np.vstack([curves, curves[:1] * (1 + 0.5 * rng.normal(size=len(frames)))])
    more = SIMEVND().estimate(dataclasses.replace(plain, activity=wild, weights=np.vstack([weights, weights[:1]])))
    assert abs(more.value[0, -1] - expected.value[0, -1]) < 0.1 * expected.se[0, -1]


def test_regions_together_tell_v_nd_better_than_each_by_itself(known, subject, plasma):
    curves = noisy(clean(subject, REGIONS), subject.frames, known.half_life, 0.02, np.random.default_rng(2))
    together, alone = (fitted(known, subject, plasma, curves, model) for model in (SIMEVND(), TwoTCM()))
    assert np.ptp(together.of("V_ND")[0]) == 0
    assert together.of("V_ND")[1][0] < alone.of("V_ND")[1].min()
    assert (together.sigma >= alone.sigma * (1 - 1e-6)).all()


def test_one_region_by_itself_is_the_two_tissue_model(known, subject, plasma):
    curves = noisy(clean(subject, REGIONS[:1]), subject.frames, known.half_life, 0.01, np.random.default_rng(3))
    found, expected = (fitted(known, subject, plasma, curves, model) for model in (SIMEVND(), TwoTCM()))
    np.testing.assert_allclose(found.value, expected.value, rtol=1e-5)
    np.testing.assert_allclose(found.se, expected.se, rtol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("none", [False, True])
def test_intervals_cover_and_standard_errors_are_the_scatter(none, known, subject, plasma):
    """A hundred and twenty scans at 3 %; a share of 0.95 of them is known to 0.02."""
    n_repeat, frames, rng = 120, subject.frames, np.random.default_rng(12)
    regions = [*REGIONS[:-1], (0.25, 0.0, 0.04)] if none else REGIONS
    truth = clean(subject, regions)
    rows = np.arange(len(frames))
    weights = scaled(decay(frames, known.half_life, truth), rows)
    schedule, found = sampling(frames), []
    for _ in range(n_repeat):
        curves = noisy(truth, frames, known.half_life, 0.03, rng)
        found.append(SIMEVND().estimate(Problem(schedule, curves, weights, rows, None, plasma)))
    columns = [SIMEVND.parameters.index(name) for name in ("V_ND", "BP_ND")]
    (volume, binding), (volume_se, binding_se) = (
        [np.array([getattr(one, name)[:, column] for one in found])[:, : len(REGIONS) - none] for column in columns]
        for name in ("value", "se")
    )
    freedom = len(frames) - SIMEVND().n_free
    within = np.abs(volume - V_ND)[:, 0] < stats.t.ppf(0.975, len(regions) * freedom) * volume_se[:, 0]
    assert 0.89 < within.mean() < 0.995
    assert np.mean(volume[:, 0]) == pytest.approx(V_ND, rel=0.02)
    assert np.sqrt(np.mean(volume_se**2)) == pytest.approx(volume[:, 0].std(), rel=0.15 if not none else 0.4)
    expected = np.array([region[1] for region in regions])[: binding.shape[1]]
    covered = np.abs(binding - expected) < stats.t.ppf(0.975, freedom) * binding_se
    assert covered.mean(axis=0).min() > 0.89
    assert 0.92 < covered.mean() < 0.985


def test_v_nd_at_the_edge_of_its_range_is_flagged(known, subject, plasma):
    curves = noisy(clean(subject, REGIONS), subject.frames, known.half_life, 0.01, np.random.default_rng(4))
    for bounds, edge in (((0.05, 1.0), 1.0), ((2.5, 50.0), 2.5)):
        found = fitted(known, subject, plasma, curves, SIMEVND(V_ND_bounds=bounds))
        value, se = found.of("V_ND")
        np.testing.assert_array_equal(value, edge)
        assert np.isnan(se).all()
        assert (found.quality & Quality.AT_BOUND > 0).all()
        assert not found.usable.any()


def test_v_nd_that_the_curves_leave_open_is_flagged(known, subject, plasma):
    """One-tissue kinetics in all regions: two compartments that exchange fast fit as well with any small V_ND."""
    regions = [
        {"K1": K1, "k2": K1 / V_T, "V_B": 0.05} for K1, V_T in ((0.2, 3.0), (0.3, 5.0), (0.15, 8.0), (0.25, 12.0))
    ]
    truth = np.array([subject.of(region) for region in regions])
    told = 0
    for seed in range(8):
        curves = noisy(truth, subject.frames, known.half_life, 0.03, np.random.default_rng(seed))
        found = fitted(known, subject, plasma, curves)
        assert found.of("V_ND")[0][0] < 1.1 * 3.0  # k3 is not negative
        told += found.usable.all()
    assert told <= 2  # of 30 seeds, 4; noise may look like a second compartment


def test_curves_that_cannot_be_fitted_are_left_out(known, subject, plasma):
    curves = clean(subject, REGIONS[:3])
    expected = fitted(known, subject, plasma, curves)
    found = fitted(known, subject, plasma, np.vstack([curves, np.full(curves.shape[1], np.nan)]))
    np.testing.assert_array_equal(found.value[:3], expected.value)
    assert found.quality[3] == Quality.BAD_INPUT
    none = fitted(known, subject, plasma, np.full_like(curves, np.nan))
    assert np.isnan(none.value).all()
    assert (none.quality == Quality.BAD_INPUT).all()


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"V_ND_bounds": (0.0, 10.0)}, "lower bound of V_ND"),
        ({"V_ND_bounds": (3.0, 2.0)}, "bounds of V_ND"),
        ({"k3_bounds": (-0.1, 2.0)}, "bounds of k3"),
        ({"V_B": 1.0}, "share of blood V_B"),
        ({"V_B_bounds": (0.0, 1.5)}, "bounds of V_B"),
    ],
)
def test_refuses_assumptions_that_cannot_be(bad, words):
    with pytest.raises(ModelError, match=words):
        SIMEVND(**bad)
