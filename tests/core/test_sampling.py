"""Sampling against antiderivatives by scipy's piecewise polynomials, an ODE solver, and numpy's trapezoid."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.interpolate import PPoly, make_interp_spline

from raphe.core.frames import Frames
from raphe.core.sampling import CONVENTIONS, sampling


@st.composite
def schedules(draw):
    """Frames of any length, with and without gaps, that begin before, at or after injection."""
    duration = np.array(draw(st.lists(st.floats(0.05, 10), min_size=1, max_size=12)))
    n = duration.size
    gap = np.array(draw(st.lists(st.sampled_from([0.0, 0.0, 0.01, 1.0, 7.0]), min_size=n, max_size=n)))
    begin = draw(st.sampled_from([0.0, 0.0, 0.3, 4.0, -0.2, -3.0]))
    return Frames(begin + np.concatenate([[0.0], np.cumsum(duration + gap)[:-1]]), duration)


def values(frames, seed):
    return np.random.default_rng(seed).uniform(-5, 100, len(frames))


def drawn(sampled, curve):
    """The drawn curve as a piecewise polynomial."""
    return PPoly.from_spline(make_interp_spline(sampled.knots, sampled.draw @ curve, k=1))


def tissue_like(frames):
    return 50 * frames.mid * np.exp(-0.08 * frames.mid) + 10 * (1 - np.exp(-0.5 * frames.mid))


GAPPED = Frames([0.1, 0.3, 0.5, 1.0, 4.0, 9.0, 20.0], [0.2, 0.2, 0.5, 2.0, 5.0, 10.0, 30.0])


@given(schedules(), st.integers(0, 99))
def test_drawn_curve_keeps_the_frame_averages(frames, seed):
    curve = values(frames, seed)
    sampled = sampling(frames, "average")
    area = drawn(sampled, curve).antiderivative()
    np.testing.assert_allclose((area(frames.end) - area(frames.start)) / frames.duration, curve, rtol=0, atol=1e-9)


@given(schedules(), st.integers(0, 99))
def test_drawn_curve_is_zero_at_injection_and_straight_in_gaps(frames, seed):
    curve = values(frames, seed)
    sampled = sampling(frames, "average")
    at_knot = sampled.draw @ curve
    if frames.start[0] >= 0:
        assert sampled.knots[0] == 0
        assert at_knot[0] == 0
    assert np.all(np.diff(sampled.knots) > 0)
    inside = np.any((sampled.knots[:, None] > frames.end[:-1]) & (sampled.knots[:, None] < frames.start[1:]), axis=1)
    assert not inside.any()


def test_a_frame_before_injection_does_not_lift_the_curve_at_injection():
    sampled = sampling(Frames([-1.0, 0.0, 1.0], [1.0, 1.0, 1.0]), "average")
    at_knot = sampled.draw @ np.array([3.0, 10.0, 20.0])
    np.testing.assert_array_equal(at_knot[sampled.knots == 0], [0.0])


@pytest.mark.parametrize("convention", CONVENTIONS)
@given(frames=schedules(), seed=st.integers(0, 99))
def test_integral_is_that_of_the_drawn_curve(convention, frames, seed):
    curve = values(frames, seed)
    sampled = sampling(frames, convention)
    area = drawn(sampled, curve).antiderivative() if sampled.knots.size > 1 else (lambda t: 0 * t)
    if convention == "midframe":
        expected = area(frames.mid)
    else:
        twice = area.antiderivative()
        expected = (twice(frames.end) - twice(frames.start)) / frames.duration
    scale = 100 * (frames.end[-1] - min(frames.start[0], 0))
    np.testing.assert_allclose(sampled.integral @ curve, expected, rtol=0, atol=1e-12 * scale)


def by_ode(sampled, curve, rate):
    """Frame values of the convolution and of its derivative by the rate, from c' = C - k c and g' = -c - k g."""
    frames, height = sampled.frames, sampled.draw @ curve
    state, at = np.zeros(4), [np.zeros(4)]  # c, its integral, g, its integral
    for a, b, left, right in zip(sampled.knots[:-1], sampled.knots[1:], height[:-1], height[1:], strict=True):

        def slope(t, y, a=a, b=b, left=left, right=right):
            c, _, g, _ = y
            return [left + (right - left) * (t - a) / (b - a) - rate * c, c, -c - rate * g, g]

        state = solve_ivp(slope, (a, b), state, method="DOP853", rtol=1e-11, atol=1e-13).y[:, -1]
        at.append(state)
    c, area, g, g_area = np.array(at).T
    first, last = (np.searchsorted(sampled.knots, t - 1e-12) for t in (frames.start, frames.end))
    if sampled.convention == "midframe":
        middle = np.searchsorted(sampled.knots, frames.mid - 1e-12)
        return c[middle], g[middle]
    return (area[last] - area[first]) / frames.duration, (g_area[last] - g_area[first]) / frames.duration


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("rate", [1e-4, 3e-3, 0.1, 2.0])
def test_convolution_and_its_complex_step_against_an_ode_solver(convention, rate):
    sampled = sampling(GAPPED, convention)
    curve = tissue_like(GAPPED)
    value, by_rate = by_ode(sampled, curve, rate)
    np.testing.assert_allclose(sampled.convolve(sampled.drawn(curve), np.array([rate]))[0], value, rtol=1e-9)
    step = 1e-30
    derivative = sampled.convolve(sampled.drawn(curve), np.array([rate + 1j * step]))[0].imag / step
    np.testing.assert_allclose(derivative, by_rate, rtol=1e-7, atol=1e-7 * np.abs(by_rate).max())


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_many_rates_at_once_are_each_alone(convention):
    sampled = sampling(GAPPED, convention)
    curve = tissue_like(GAPPED)
    rates = np.geomspace(1e-4, 2, 7)
    together = sampled.convolve(sampled.drawn(curve), rates)
    for rate, row in zip(rates, together, strict=True):
        np.testing.assert_allclose(row, sampled.convolve(sampled.drawn(curve), np.array([rate]))[0], rtol=1e-13)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_convolution_with_a_slow_exponential_tends_to_the_integral(convention):
    sampled = sampling(GAPPED, convention)
    curve = tissue_like(GAPPED)
    slow = sampled.convolve(sampled.drawn(curve), np.array([1e-7]))[0]
    np.testing.assert_allclose(slow, sampled.integral @ curve, rtol=1e-5)


@given(schedules(), st.integers(0, 99))
def test_midframe_is_the_trapezoid_through_the_middles_from_zero(frames, seed):
    curve = values(frames, seed)
    time, height = frames.mid, curve
    if time[0] > 0:
        time, height = np.concatenate([[0.0], time]), np.concatenate([[0.0], height])
    expected = [np.trapezoid(height[time <= t], time[time <= t]) for t in frames.mid]
    found = sampling(frames, "midframe").integral @ curve
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10 * (1 + np.abs(expected).max()))


def test_an_unknown_convention_names_those_that_there_are():
    with pytest.raises(ValueError, match="average and midframe"):
        sampling(GAPPED, "mid")


@pytest.mark.parametrize("convention", CONVENTIONS)
@given(frames=schedules(), seed=st.integers(0, 99), parts=st.integers(1, 4))
def test_finer_knots_leave_the_curve_and_what_frames_see_of_it(convention, frames, seed, parts):
    curve = values(frames, seed)
    sampled = sampling(frames, convention)
    finer = sampled.finer(parts)
    assert finer.knots.size == (sampled.knots.size - 1) * parts + 1
    line = finer.draw @ curve
    np.testing.assert_allclose(line, np.interp(finer.knots, sampled.knots, sampled.draw @ curve), atol=1e-9)
    seen, integral = finer.seen_of_drawn(line[None])
    np.testing.assert_allclose(seen[0], curve, atol=1e-8)
    np.testing.assert_allclose(integral[0], sampled.integral @ curve, rtol=1e-9, atol=1e-8)


def test_frames_that_rounding_parts_are_without_a_gap():
    apart = Frames([0.0, 1.0 + 2e-16, 2.0 + 1e-15], [1.0, 1.0, 1.0])
    assert apart.end[1] < apart.start[2]
    assert sampling(apart).knots == pytest.approx([0, 0.5, 1, 1.5, 2, 2.5, 3])


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_equal_schedules_share_one_object_that_nobody_can_write_to(convention):
    begun, again = sampling(GAPPED, convention), sampling(Frames(GAPPED.start, GAPPED.duration), convention)
    assert begun is again
    assert sampling(GAPPED.first(6), convention) is not begun
    assert sampling(Frames(GAPPED.start + 1e-12, GAPPED.duration), convention) is not begun
    for array in (begun.knots, begun.draw, begun.integral, begun.double_integral, begun.begin, begun.stop):
        assert not array.flags.writeable
