"""Integrals of curves that are drawn as two compartments run, against an ODE solver."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from raphe.core.frames import Frames
from raphe.core.piecewise import PiecewiseLinear
from raphe.core.sampling import sampling
from raphe.core.two_tissue_guide import guided_integrals

FRAMES = Frames([0.0, 1.0, 3.0, 8.0, 20.0, 40.0], [1.0, 2.0, 5.0, 12.0, 20.0, 30.0])
PLASMA = PiecewiseLinear([0.0, 0.5, 0.8, 2.0, 10.0, 30.0, 70.0], [0.0, 90.0, 60.0, 20.0, 8.0, 4.0, 2.0])
K1, K2, K3, K4 = 0.2, 0.12, 0.08, 0.03
GAMMA = np.array([[K1 * (K3 + K4), -K2 * K4, -(K2 + K3 + K4), K1]])


def solved():
    """Averages of the frames of C and of its first and second integral."""

    def slope(t, y):
        free, bound, area, twice = y[:4]
        total = free + bound
        return [K1 * float(PLASMA(t)) - (K2 + K3) * free + K4 * bound, K3 * free - K4 * bound, total, area, twice]

    y, reached, at = np.zeros(5), 0.0, {0.0: np.zeros(5)}
    for stop in np.union1d(PLASMA.time[1:], FRAMES.end):
        y = solve_ivp(slope, (reached, stop), y, "DOP853", rtol=1e-12, atol=1e-12).y[:, -1]
        at[stop], reached = y, stop
    end, start = (np.array([at[t] for t in edge]) for edge in (FRAMES.end, FRAMES.start))
    return ((end - start) / FRAMES.duration[:, None])[:, 2:].T


def test_a_curve_that_is_the_solution_has_its_integrals():
    curve, area, _ = solved()
    sampled = sampling(FRAMES)
    seen = guided_integrals(sampled, PLASMA, curve[None], GAMMA)
    once, twice = seen.area, seen.double
    np.testing.assert_allclose(once[0], area, rtol=1e-6)
    straight = sampled.integral @ curve
    assert np.abs(straight / area - 1).max() > 1e-3
    assert seen.told[0]
    np.testing.assert_allclose(seen.own_area[0], area, rtol=1e-6)
    design = np.stack([sampled.integrated_twice(PLASMA), twice[0], once[0], sampled.integrated(PLASMA)], axis=-1)
    np.testing.assert_allclose(design @ GAMMA[0], curve, rtol=1e-6)


def test_what_is_not_the_solution_is_drawn_straight():
    curve, _, _ = solved()
    sampled = sampling(FRAMES)
    odd = np.array([1.0, -2.0, 3.0, -1.0, 2.0, 5.0])
    plain = guided_integrals(sampled, PLASMA, curve[None], GAMMA)
    more = guided_integrals(sampled, PLASMA, (curve + odd)[None], GAMMA)
    np.testing.assert_allclose(more.area - plain.area, [sampled.integral @ odd], atol=1e-9)
    np.testing.assert_allclose(more.double - plain.double, [sampled.double_integral @ odd], atol=1e-8)
    np.testing.assert_array_equal(more.own_area, plain.own_area)
    np.testing.assert_array_equal(more.own_double, plain.own_double)


@pytest.mark.parametrize(
    "gamma",
    [
        [0.02, -0.5, -0.2, 0.2],  # a wave
        [0.02, 0.01, -0.2, 0.2],  # one that grows
        [0.02, -1e-9, -0.2, 0.2],  # one that stays
        [0.02, -0.01, -0.2, 0.2],  # twice the same
        [np.nan] * 4,
        [0.02, -5.0, -60.0, 0.2],  # faster than is tabulated
        [200.0, -K2 * K4, -(K2 + K3 + K4), 9.0],  # of another size
    ],
)
def test_where_no_tissue_gives_the_solution_the_curve_is_drawn_straight(gamma):
    curve, _, _ = solved()
    sampled = sampling(FRAMES)
    seen = guided_integrals(sampled, PLASMA, curve[None], np.array([gamma]))
    np.testing.assert_allclose(seen.area[0], sampled.integral @ curve, rtol=1e-12)
    np.testing.assert_allclose(seen.double[0], sampled.double_integral @ curve, rtol=1e-12)
    assert not seen.told[0]
    assert not seen.own_area.any()
    assert not seen.own_double.any()
