"""The integral of an integral as the frames see it, against scipy's piecewise polynomials and an ODE solver."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.interpolate import PPoly, make_interp_spline

from raphe.core.frames import Frames
from raphe.core.piecewise import PiecewiseLinear
from raphe.core.sampling import CONVENTIONS, sampling

GAPPED = Frames([0.1, 0.3, 0.5, 1.0, 4.0, 9.0, 20.0], [0.2, 0.2, 0.5, 2.0, 5.0, 10.0, 30.0])


@st.composite
def schedules(draw):
    """Frames of any length, with and without gaps, that begin before, at or after injection."""
    duration = np.array(draw(st.lists(st.floats(0.05, 10), min_size=2, max_size=12)))
    n = duration.size
    gap = np.array(draw(st.lists(st.sampled_from([0.0, 0.0, 0.01, 7.0]), min_size=n, max_size=n)))
    begin = draw(st.sampled_from([0.0, 0.0, 0.3, 4.0, -0.2, -3.0]))
    return Frames(begin + np.concatenate([[0.0], np.cumsum(duration + gap)[:-1]]), duration)


@pytest.mark.parametrize("convention", CONVENTIONS)
@given(frames=schedules(), seed=st.integers(0, 99))
def test_is_that_of_the_drawn_curve(convention, frames, seed):
    values = np.random.default_rng(seed).uniform(-5, 100, len(frames))
    sampled = sampling(frames, convention)
    twice = PPoly.from_spline(make_interp_spline(sampled.knots, sampled.draw @ values, k=1)).antiderivative(2)
    if convention == "midframe":
        expected = twice(frames.mid)
    else:
        thrice = twice.antiderivative()
        expected = (thrice(frames.end) - thrice(frames.start)) / frames.duration
    scale = 100 * (frames.end[-1] - min(frames.start[0], 0)) ** 2
    np.testing.assert_allclose(sampled.double_integral @ values, expected, rtol=0, atol=1e-12 * scale)


@pytest.mark.parametrize("delay", [0.0, -1.0, 0.7, 4.0])
@pytest.mark.parametrize("convention", CONVENTIONS)
def test_of_an_input_is_that_of_an_ode_solver(convention, delay):
    curve = PiecewiseLinear([0.3, 0.5, 0.9, 1.4, 3.0, 20.0], [2.0, 40.0, 35.0, 12.0, 9.0, 1.5]).shifted(delay)
    times = np.unique(np.concatenate([[0.0], GAPPED.start, GAPPED.end, GAPPED.mid, curve.time]))
    states, state = {}, np.zeros(3)  # the integral, its integral, and the integral of that
    for a, b in pairwise(times):
        states[a] = state
        if a >= curve.time[0]:
            height, slope = float(curve(a)), (float(curve(b)) - float(curve(a))) / (b - a)

            def steps(t, y, a=a, height=height, slope=slope):
                return [height + slope * (t - a), y[0], y[1]]

            state = solve_ivp(steps, (a, b), state, "DOP853", rtol=1e-12, atol=1e-13).y[:, -1]
    states[times[-1]] = state
    if convention == "midframe":
        expected = [states[t][1] for t in GAPPED.mid]
    else:
        pairs = zip(GAPPED.start, GAPPED.end, strict=True)
        expected = [(states[b][2] - states[a][2]) / (b - a) for a, b in pairs]
    found = sampling(GAPPED, convention).integrated_twice(curve)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_of_a_drawn_curve_is_the_map_on_its_frames(convention):
    values = np.random.default_rng(3).uniform(0, 50, len(GAPPED))
    sampled = sampling(GAPPED, convention)
    found = sampled.integrated_twice(sampled.drawn(values))
    np.testing.assert_allclose(found, sampled.double_integral @ values, rtol=1e-11)
