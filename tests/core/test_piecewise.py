"""Curves of straight lines: closed forms against quadrature and an ODE solver."""

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp

from raphe.core.frames import Frames
from raphe.core.piecewise import PiecewiseLinear, answer_of_pieces
from raphe.core.sampling import CONVENTIONS, sampling
from raphe.errors import InputError

CURVE = PiecewiseLinear([0.3, 0.5, 0.9, 1.4, 3.0, 3.5, 20.0], [2.0, 40.0, 35.0, 12.0, 9.0, 9.0, 1.5])
"""Leaps from 0 to 2 at its first knot, and holds 1.5 from the last on."""

FRAMES = Frames([0.0, 0.2, 0.4, 1.0, 2.0, 6.0, 15.0], [0.2, 0.2, 0.5, 1.0, 4.0, 8.0, 15.0])


def exact(f, a, b):
    points = [t for t in CURVE.time if a < t < b]
    return quad(f, a, b, points=points or None, epsabs=1e-12, epsrel=1e-12, limit=200)[0]


def test_is_nothing_before_its_first_knot_and_keeps_its_last_value():
    np.testing.assert_allclose(CURVE([0.0, 0.29, 0.3, 0.4, 30.0]), [0.0, 0.0, 2.0, 21.0, 1.5], rtol=1e-12)


@pytest.mark.parametrize("time", [0.1, 0.3, 0.7, 3.2, 20.0, 33.0])
def test_integrals_are_those_of_quadrature(time):
    assert CURVE.integral(time) == pytest.approx(exact(CURVE, 0, time), rel=1e-9, abs=1e-12)
    twice = exact(lambda t: (time - t) * CURVE(t), 0, time)
    assert CURVE.second_integral(time) == pytest.approx(twice, rel=1e-9, abs=1e-12)


def test_more_knots_change_nothing():
    finer = CURVE.with_knots(np.linspace(0, 25, 40))
    assert finer.time.size > CURVE.time.size
    times = np.linspace(0, 30, 301)
    np.testing.assert_allclose(finer(times), CURVE(times), rtol=1e-12)


def test_delay_and_scale():
    moved = CURVE.shifted(0.5).scaled(3)
    times = np.linspace(0, 30, 301)
    np.testing.assert_allclose(moved(times), 3 * CURVE(times - 0.5), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("delay", [0.0, -1.0, 4.0])
@pytest.mark.parametrize("rate", [0.0, 1e-6, 0.01, 0.3, 5.0])
@pytest.mark.parametrize("convention", CONVENTIONS)
def test_frames_of_a_tissue_are_those_of_an_ode_solver(convention, rate, delay):
    curve = CURVE.shifted(delay)
    times = np.unique(np.concatenate([FRAMES.start, FRAMES.end, FRAMES.mid, curve.time]))
    tissue, area, input_area, twice = {}, {}, {}, {}
    y = np.zeros(4)
    now = curve.time[0]
    for t in times:
        if t <= now:
            tissue[t], area[t], input_area[t], twice[t] = y if t == now else np.zeros(4)
            continue
        slope = (float(curve(t)) - float(curve(now))) / (t - now)

        def step(s, z, now=now, slope=slope):
            c = float(curve(now)) + slope * (s - now)
            return [c - rate * z[0], z[0], c, z[2]]

        y = solve_ivp(step, (now, t), y, "DOP853", rtol=1e-12, atol=1e-13).y[:, -1]
        now = t
        tissue[t], area[t], input_area[t], twice[t] = y
    sampled = sampling(FRAMES, convention)
    if convention == "midframe":
        expected = [tissue[t] for t in FRAMES.mid]
        whole = [input_area[t] for t in FRAMES.mid]
        values = curve(FRAMES.mid)
    else:
        expected = [(area[b] - area[a]) / (b - a) for a, b in zip(FRAMES.start, FRAMES.end, strict=True)]
        whole = [(twice[b] - twice[a]) / (b - a) for a, b in zip(FRAMES.start, FRAMES.end, strict=True)]
        values = [(input_area[b] - input_area[a]) / (b - a) for a, b in zip(FRAMES.start, FRAMES.end, strict=True)]
    np.testing.assert_allclose(sampled.convolve(curve, np.array([rate]))[0], expected, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(sampled.integrated(curve), whole, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(sampled.seen(curve), values, rtol=1e-9, atol=1e-9)


def test_rates_that_change_from_piece_to_piece_against_an_ode_solver():
    step = np.array([0.3, 0.01, 2.0, 5.0, 1.0])
    start, end = (
        np.array([[0.0, 3.0, 9.0, 4.0, 1.0], [5.0, 4.0, 3.0, 2.0, 1.0]]),
        np.array([[3.0, 9.0, 4.0, -1.0, 0.0]] * 2),
    )
    rate = np.array([[0.1, 0.0, 3.0, -0.02, 1e-9], [0.0] * 5])
    found = answer_of_pieces(step, start, end, rate)
    for row in range(2):
        value = [0.0]
        for h, a, b, k in zip(step, start[row], end[row], rate[row], strict=True):

            def slope(t, c, h=h, a=a, b=b, k=k):
                return -k * c + a + (b - a) * t / h

            value.append(solve_ivp(slope, (0, h), value[-1:], "DOP853", rtol=1e-12, atol=1e-12).y[0, -1])
        np.testing.assert_allclose(found[row], value, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize(
    ("time", "value", "told"),
    [
        ([0, 1], [1], "has 2 and 1"),
        ([], [], "has 0 and 0"),
        ([0, np.nan], [1, 2], "not a finite number"),
        ([0, 2, 1], [1, 2, 3], "1 min follows 2 min"),
    ],
)
def test_refuses_what_is_no_curve(time, value, told):
    with pytest.raises(InputError, match=told):
        PiecewiseLinear(time, value)
