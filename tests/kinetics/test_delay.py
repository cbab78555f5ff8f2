"""The delay of the blood, found over scans whose delay is known."""

import numpy as np
import pytest

from raphe.core.compartments import one_tissue, tissue_with_blood, two_tissue
from raphe.core.decay import remaining
from raphe.core.piecewise import PiecewiseLinear, convolved
from raphe.core.responses import responses
from raphe.core.sampling import sampling
from raphe.data.blood import PlasmaInput
from raphe.data.tacs import TACs
from raphe.errors import InputError
from raphe.kinetics.delay import estimate_delay

PLASMA = PlasmaInput(
    PiecewiseLinear([0.3, 0.6, 0.9, 1.5, 4.0, 20.0, 95.0], [0.0, 90.0, 60.0, 20.0, 9.0, 4.0, 1.0]),
    PiecewiseLinear([0.3, 0.6, 0.9, 1.5, 4.0, 20.0, 95.0], [0.0, 80.0, 55.0, 25.0, 14.0, 8.0, 3.0]),
)
KINETICS = {
    one_tissue: [(0.35, 0.05, 0.05)],
    two_tissue: [(0.25, 0.12, 0.06, 0.03, 0.04), (0.4, 0.2, 0.1, 0.05, 0.06)],
}


def scan(known, delay, model=two_tissue, level=0.0, seed=0):
    frames = known.frames_38
    sampled, late = sampling(frames), PLASMA.shifted(delay)
    blood = sampled.seen(late.whole_blood)
    curve = tissue_with_blood(responses(sampled, late.parent), model, blood, None)
    clean = curve(np.array(KINETICS[model]), None)[0]
    sd = np.sqrt(np.maximum(clean, 0.05 * clean.max()) / (remaining(frames, known.half_life) * frames.duration))
    noise = level * clean.mean() / sd.mean() * sd * np.random.default_rng(seed).normal(size=clean.shape)
    return TACs(clean + noise, frames, tuple(f"region {i}" for i in range(len(clean))))


@pytest.mark.parametrize("delay", [0.0, 0.08, 0.45, 1.2])
def test_a_scan_of_one_kind_of_tissue_tells_its_delay_exactly(known, delay):
    found, _ = estimate_delay(PLASMA, scan(known, delay, one_tissue), half_life=known.half_life)
    assert found.value == pytest.approx(delay, abs=1e-3)


@pytest.mark.parametrize("delay", [0.0, 0.3, 0.8])
def test_the_mean_of_several_tissues_tells_it_to_a_second(known, delay):
    found, step = estimate_delay(PLASMA, scan(known, delay), half_life=known.half_life)
    assert found.value == pytest.approx(delay, abs=1 / 60)
    assert step.parameters["value"] == found.value


def test_the_standard_error_is_the_scatter(known):
    """At half a per cent, as of a whole brain; with more noise the delay comes out too early by up to half its SE."""
    found = [
        estimate_delay(PLASMA, scan(known, 0.3, one_tissue, 0.005, seed=seed), half_life=known.half_life)[0]
        for seed in range(40)
    ]
    scatter = np.std([one.value for one in found])
    assert abs(np.mean([one.value for one in found]) - 0.3) < scatter / 2 + 2 * scatter / np.sqrt(40)
    assert np.median([one.se for one in found]) == pytest.approx(scatter, rel=0.28)  # the SD of 40 is known to 11 %


def smeared(curve, tau):
    """A curve after dispersion, by the convolution itself, drawn finely."""
    times = np.unique(np.concatenate([curve.time, np.linspace(curve.time[0], 12, 1200), np.linspace(12, 95, 300)]))
    value, _ = convolved(curve, np.array([1 / tau])).at(times)
    return PiecewiseLinear(times, value[:, 0] / tau)


@pytest.mark.parametrize(
    ("convention", "delay", "tau"), [("average", 0.35, 0.3), ("average", -0.2, 0.08), ("midframe", 0.0, 0.15)]
)
def test_dispersion_is_found_together_with_the_delay(known, delay, tau, convention):
    frames = known.frames_38
    sampled, late = sampling(frames, convention), PLASMA.shifted(delay + 0.4)
    blood = sampled.seen(late.whole_blood)
    curve = tissue_with_blood(responses(sampled, late.parent), one_tissue, blood, None)
    tacs = TACs(curve(np.array(KINETICS[one_tissue]), None)[0], frames, ("all",))
    later = PLASMA.shifted(0.4)
    sampler = PlasmaInput(smeared(later.parent, tau), smeared(later.whole_blood, tau))
    found, step = estimate_delay(sampler, tacs, half_life=known.half_life, convention=convention, dispersion=True)
    assert found.value == pytest.approx(delay, abs=0.5 / 60)
    assert found.tau == pytest.approx(tau, abs=1 / 60)
    assert step.parameters["tau"] == found.tau


def test_a_curve_that_is_not_a_number_counts_for_nothing(known):
    tacs = scan(known, 0.3)
    bad = TACs(np.vstack([tacs.activity, np.full(len(tacs.frames), np.nan)]), tacs.frames, (*tacs.names, "bad"))
    assert estimate_delay(PLASMA, bad)[0] == estimate_delay(PLASMA, tacs)[0]


def test_a_delay_at_its_bound_is_an_error_with_the_way_out(known):
    with pytest.raises(InputError, match=r"bound of its search, 30 s.*--delay MIN"):
        estimate_delay(PLASMA, scan(known, 1.2), half_life=known.half_life, bounds=(-0.5, 0.5))


def test_without_whole_blood_plasma_alone_tells_it(known):
    plain = PlasmaInput(PLASMA.parent)
    sampled = sampling(known.frames_38)
    late = PLASMA.parent.shifted(0.25)
    curve = tissue_with_blood(responses(sampled, late), one_tissue, np.zeros(38), 0.0)
    tacs = TACs(curve(np.array([[0.3, 0.05]]), None)[0], known.frames_38, ("all",))
    assert estimate_delay(plain, tacs, half_life=known.half_life)[0].value == pytest.approx(0.25, abs=1e-3)
