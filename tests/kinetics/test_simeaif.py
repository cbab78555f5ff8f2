"""The input estimated together with the regions: truth, scale, order, what is refused, what goes into the errors."""

import dataclasses

import numpy as np
import pytest
from scipy.optimize import least_squares

from raphe.core import joint_input
from raphe.core.feng_tissue import plasma_at, tissues
from raphe.core.joint_input import JointData, joint_fit
from raphe.core.piecewise import PiecewiseLinear
from raphe.data.blood import PlasmaInput
from raphe.errors import InputError, ModelError
from raphe.kinetics.fit import fit
from raphe.kinetics.models import simeaif
from raphe.kinetics.models.simeaif import SIMEAIF
from raphe.quality import Quality

INPUT = np.array([0.3, np.log(700.0), np.log(25.0), np.log(15.0), np.log(3.5), np.log(0.15), np.log(0.012)])
V_T, ONE, TWO, SHARE = (
    np.array([2.0, 3.0, 5.0, 1.5]), np.array([0.2, 0.15, 0.3, 0.25]), np.array([0.03, 0.02, 0.025, 0.04]),
    np.array([0.6, 0.8, 0.9, 0.3]),
)  # fmt: skip
OWN = np.column_stack([np.log(V_T), np.log(ONE), np.log(TWO), np.log(SHARE / (1 - SHARE))])
TIMES = np.array([30.0, 60.0, 90.0])


@pytest.fixture(scope="module")
def frames(known):
    return known.frames_38


def curves(frames, V_B=0.0):
    edges = np.append(frames.start, frames.end[-1])
    n = len(frames)
    return tissues(INPUT, OWN, V_B, edges, np.arange(n), np.arange(1, n + 1), False)[0]


def samples(times=TIMES, factor=1.0):
    return PlasmaInput(PiecewiseLinear(times, factor * plasma_at(INPUT, np.asarray(times, dtype=float))))


def fitted(known, activity, plasma, model=None, **options):
    table = known.table(activity, known.frames_38)
    return fit(model or SIMEAIF(V_B=0.0), table, plasma=plasma, weights="duration", **options)[0]


@pytest.mark.parametrize("V_B", [0.0, 0.05])
def test_recovers_volumes_and_input_from_one_sample(known, frames, V_B):
    found = fitted(known, curves(frames, V_B), samples([60.0]), SIMEAIF(V_B=V_B, V_B_error=0.0, form_error=0.0))
    np.testing.assert_allclose(found.of("V_T")[0], V_T, rtol=1e-3)
    assert found.parameters == ("V_T",)
    assert found.usable.all()


def test_the_scale_of_the_samples_is_that_of_the_input(known, frames):
    activity = curves(frames)
    plain, double = (fitted(known, activity, samples(factor=factor)) for factor in (1.0, 2.0))
    np.testing.assert_allclose(double.of("V_T")[0], plain.of("V_T")[0] / 2, rtol=1e-3)


def test_the_order_of_the_regions_is_of_no_account(known, frames):
    activity = curves(frames)
    turned = fitted(known, activity[::-1], samples())
    np.testing.assert_allclose(turned.of("V_T")[0], V_T[::-1], rtol=1e-3)


def test_more_and_better_samples_and_a_known_share_of_blood_make_errors_smaller(known, frames):
    rng = np.random.default_rng(2)
    activity = curves(frames) * (1 + 0.02 * rng.normal(size=(4, len(frames))))
    known_blood = SIMEAIF(V_B=0.0, V_B_error=0.0, form_error=0.0)
    one, three = (fitted(known, activity, samples(times), known_blood).of("V_T")[1] for times in ([60.0], TIMES))
    assert np.median(three / one) < 0.95
    better = fitted(known, activity, samples(), dataclasses.replace(known_blood, sample_error=0.005)).of("V_T")[1]
    assert np.median(better / three) < 1
    loose = fitted(known, activity, samples(), dataclasses.replace(known_blood, V_B_error=0.05)).of("V_T")[1]
    assert (loose >= three).all()
    assert np.median(loose / three) > 1.02
    value, other = fitted(known, activity, samples(), dataclasses.replace(known_blood, form_error=0.2)).of("V_T")
    np.testing.assert_allclose(other, np.hypot(three, 0.2 * value), rtol=1e-6)


def test_a_whole_input_counts_as_ten_samples(known, frames, monkeypatch):
    rng = np.random.default_rng(3)
    activity = curves(frames) * (1 + 0.02 * rng.normal(size=(4, len(frames))))
    model = SIMEAIF(V_B=0.0, V_B_error=0.0, form_error=0.0)

    def errors(n):
        return fitted(known, activity, samples(np.linspace(12.0, 90.0, n)), model).of("V_T")[1]

    ten, many = errors(10), errors(1000)
    monkeypatch.setattr(simeaif, "MOST_SAMPLES", 10**9)
    believed = errors(1000)
    assert np.median(many / ten) == pytest.approx(1, abs=0.3)
    assert np.median(believed / ten) < 0.7


def test_the_search_ends_no_higher_than_one_from_the_truth(frames):
    """Against scipy's least squares from the true parameters, with the regions' variances that were found."""
    rng, n = np.random.default_rng(4), len(frames)
    edges = np.append(frames.start, frames.end[-1])
    clean = curves(frames)
    activity = clean + 0.03 * np.sqrt(clean * clean.mean(axis=1, keepdims=True)) * rng.normal(size=clean.shape)
    data = JointData(
        activity, np.ones_like(clean), edges, np.arange(n), np.arange(1, n + 1), TIMES, plasma_at(INPUT, TIMES), 0.03,
        0.0, 0.0,
    )  # fmt: skip
    found = joint_fit(data)
    noise = ((activity - found.fitted) ** 2).sum(axis=1) / (n - 4 - 7 / 4)

    def residuals(x):
        own = x[7:].reshape(4, 4)
        seen = tissues(x[:7], own, 0.0, edges, data.begin, data.stop, False)[0]
        off = np.log(data.sample / np.maximum(plasma_at(x[:7], TIMES), 1e-12)) / 0.03
        return np.concatenate([((activity - seen) / np.sqrt(noise)[:, None]).ravel(), off])

    reached = least_squares(residuals, np.concatenate([INPUT, OWN.ravel()]), x_scale=0.1, max_nfev=300)
    off = np.log(data.sample / plasma_at(found.theta, TIMES)) / 0.03
    cost = ((activity - found.fitted) ** 2 / noise[:, None]).sum() + (off**2).sum()
    assert cost <= 2 * reached.cost * (1 + 1e-3)


def test_a_region_that_never_empties_is_flagged(known, frames):
    edges, n = np.append(frames.start, frames.end[-1]), len(frames)
    trapped = OWN.copy()
    trapped[0, 2] = np.log(joint_input.RATES[0] / 1e4)
    activity = tissues(INPUT, trapped, 0.0, edges, np.arange(n), np.arange(1, n + 1), False)[0]
    found = fitted(known, activity, samples())
    assert not found.usable[0]
    assert found.quality[0] & (Quality.AT_BOUND | Quality.IMPRECISE)


@pytest.mark.parametrize("times", [[5.0], [120.0], [2.0, 9.9]])
def test_samples_outside_of_their_window_are_none(known, frames, times):
    with pytest.raises(InputError, match=r"at least one sample of the parent in plasma from 10 min.*scan's end at 93"):
        fitted(known, curves(frames), PlasmaInput(PiecewiseLinear(times, np.ones(len(times)))))


def test_without_samples_or_regions_enough_it_is_refused(known, frames):
    with pytest.raises(ModelError, match="a few samples of the parent in plasma"):
        fit(SIMEAIF(), known.table(curves(frames), frames), weights="duration")
    with pytest.raises(InputError, match="at least 3, but there are 2"):
        fitted(known, curves(frames)[:2], samples())
    with pytest.raises(InputError, match="there is 1"):
        fitted(known, curves(frames)[:1], samples())


@pytest.mark.parametrize(
    "given",
    [
        {"V_B": 1.0},
        {"V_B": -0.1},
        {"V_B_error": -0.1},
        {"form_error": -1.0},
        {"sample_error": 0.0},
        {"sample_from": np.nan},
    ],
)
def test_assumptions_that_cannot_be_are_refused(given):
    with pytest.raises(ModelError, match="SIMEAIF"):
        SIMEAIF(**given)
