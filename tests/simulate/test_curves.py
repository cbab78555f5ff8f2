import numpy as np
import numpy.typing as npt
import pytest
from scipy.integrate import solve_ivp

from raphe.core.frames import Frames
from raphe.simulate.curves import (
    NOISE_VOLUME,
    PARENT_LEFT,
    PARENT_RATE,
    bolus_input,
    feng_input,
    noise_level,
    noise_sd,
    plasma_input,
    scan_curves,
    tissue_response,
)

Array = npt.NDArray[np.float64]

HALF_LIFE = 20.364
EDGES = np.array([0, 1 / 6, 1 / 3, 0.5, 1, 2, 3, 5, 8, 12, 20, 30, 45, 60, 75, 90.0])
FRAMES = Frames(EDGES[:-1], np.diff(EDGES))


def plasma(t: Array | float) -> Array:
    """Feng et al. 1993, equation of model 4, times the parent fraction; written here a second time."""
    total = (851.1225 * t - 21.8798 - 20.8113) * np.exp(-4.1339 * t)
    total += 21.8798 * np.exp(-0.1191 * t) + 20.8113 * np.exp(-0.0104 * t)
    return np.asarray(total * (PARENT_LEFT + (1 - PARENT_LEFT) * np.exp(-PARENT_RATE * t)))


def ode_averages(rate: float, frames: Frames) -> Array:
    """Frame averages by an ODE solver, which integrates the tissue and the area under it."""
    solved = solve_ivp(
        lambda t, y: [plasma(t) - rate * y[0], y[0]],
        (0, float(frames.end[-1])),
        [0.0, 0.0],
        method="DOP853",
        rtol=1e-12,
        atol=1e-13,
        dense_output=True,
    )
    area = [solved.sol(time)[1] for time in (frames.start, frames.end)]
    return np.asarray((area[1] - area[0]) / frames.duration)


def test_a_lasting_input_is_its_formula() -> None:
    t = np.linspace(0, 90, 500)
    want = 3.9 * t * np.exp(-4.1 * t) + np.exp(-0.002 * t) - np.exp(-4.1 * t)
    np.testing.assert_allclose(bolus_input(4.1, 3.9, 0.002).at(t), want, rtol=1e-12, atol=1e-12)


def test_input_is_fengs_curve_times_the_parent_fraction() -> None:
    t = np.linspace(0, 90, 500)
    np.testing.assert_allclose(plasma_input(feng_input()).at(t), plasma(t), rtol=1e-12, atol=1e-12)
    assert plasma_input(feng_input()).at(np.array(0.0)) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("rate", [0.005, 0.0104, 0.0104 + 3e-6, 0.0404 - 6e-6, 0.063, 0.1191, 0.12, 0.5, 2.0])
def test_response_is_that_of_the_differential_equation(rate: float) -> None:
    """Also at the rate constants of the input, where the terms of the sum grow without bound."""
    response = tissue_response(FRAMES, plasma_input(feng_input()), np.array([rate]))[0]
    near = min(abs(rate - s) for s in -plasma_input(feng_input()).rate) < 1e-5
    np.testing.assert_allclose(response, ode_averages(rate, FRAMES), rtol=1e-6 if near else 1e-9)


def test_response_leaves_gaps_between_frames_out() -> None:
    gaps = Frames(np.array([0.0, 10, 30]), np.array([5.0, 10, 20]))
    response = tissue_response(gaps, plasma_input(feng_input()), np.array([0.05]))[0]
    np.testing.assert_allclose(response, ode_averages(0.05, gaps), rtol=1e-9)


@pytest.mark.parametrize("BP_ND", [0.0, 0.43, 1.6, 7.2])
def test_curves_obey_the_simplified_reference_tissue_model(BP_ND: float) -> None:
    """C_T' = R1 C_R' + k2 C_R - k2a C_T, integrated over the scan by a solver that knows only that equation."""
    R1, k2_prime = 1.1, 0.09
    k2 = R1 * k2_prime

    def slopes(t: float, y: Array) -> list[float]:
        reference = plasma(t) - k2_prime * y[0]
        return [reference, R1 * reference + k2 * y[0] - k2 / (1 + BP_ND) * y[1], y[0], y[1]]

    solved = solve_ivp(slopes, (0, 90), [0.0] * 4, method="DOP853", rtol=1e-12, atol=1e-13, dense_output=True)
    areas = solved.sol(FRAMES.end)[2:] - solved.sol(FRAMES.start)[2:]
    expected = areas / FRAMES.duration
    reference, region = scan_curves(FRAMES, np.array([R1]), k2_prime, np.array([BP_ND]), peak=30.0)
    assert reference.max() == pytest.approx(30.0)
    scale = 30.0 / expected[0].max()
    np.testing.assert_allclose(reference, scale * expected[0], rtol=1e-8)
    np.testing.assert_allclose(region[0], scale * expected[1], rtol=1e-8)


def test_noise_follows_counting_statistics() -> None:
    """SD = alpha sqrt(C exp(lambda t) / d) / sqrt(volume), with the decay averaged over the frame."""
    activity = np.array([np.linspace(5, 40, len(FRAMES)), np.full(len(FRAMES), 10.0)])
    volume = np.array([NOISE_VOLUME, NOISE_VOLUME / 4])
    sd = noise_sd(FRAMES, HALF_LIFE, activity, volume, alpha=0.05)
    fine = np.array(
        [
            np.exp(np.log(2) / HALF_LIFE * -np.linspace(a, b, 20001)).mean()
            for a, b in zip(FRAMES.start, FRAMES.end, strict=True)
        ]
    )
    expected = 0.05 * np.sqrt(activity / (FRAMES.duration * fine)) * np.array([[1.0], [2.0]])
    np.testing.assert_allclose(sd, expected, rtol=1e-4)


def test_noise_level_is_the_stated_share_of_the_last_frame() -> None:
    reference = np.linspace(1, 20, len(FRAMES))
    alpha = noise_level(FRAMES, HALF_LIFE, reference, percent=3.0)
    sd = noise_sd(FRAMES, HALF_LIFE, reference[None], np.array([NOISE_VOLUME]), alpha)
    assert sd[0, -1] / reference[-1] == pytest.approx(0.03)
