"""Compartments: amplitudes and rates against an ODE solver, derivatives against differences, starts against scipy."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import least_squares

from raphe.core.compartments import (
    begin,
    irreversible,
    one_tissue,
    rate_constants,
    tissue_with_blood,
    tissue_with_reference,
    two_tissue,
    two_tissue_by_reference,
)
from raphe.core.frames import Frames
from raphe.core.piecewise import PiecewiseLinear, convolved
from raphe.core.responses import responses
from raphe.core.sampling import sampling

PLASMA = PiecewiseLinear([0.2, 0.5, 0.8, 1.5, 4.0, 20.0, 95.0], [0.0, 90.0, 60.0, 20.0, 9.0, 4.0, 1.0])
FRAMES = Frames(np.concatenate([np.arange(0, 3, 0.25), np.arange(3, 93, 5)]), [0.25] * 12 + [5.0] * 18)
SAMPLED = sampling(FRAMES)
TABLE = responses(SAMPLED, PLASMA)
BLOOD = SAMPLED.seen(PLASMA.scaled(0.8))


def averages(rates):
    """Frame averages of both compartments together behind the plasma, by an ODE solver."""
    K1, k2, k3, k4 = rates
    edges = np.unique(np.concatenate([FRAMES.start, FRAMES.end, PLASMA.time]))
    y, area = np.zeros(3), {0.0: 0.0}
    for a, b in pairwise(edges):

        def slope(t, z):
            return [K1 * float(PLASMA(t)) - (k2 + k3) * z[0] + k4 * z[1], k3 * z[0] - k4 * z[1], z[0] + z[1]]

        y = solve_ivp(slope, (a, b), y, "DOP853", rtol=1e-11, atol=1e-12).y[:, -1]
        area[b] = y[2]
    return np.array([(area[b] - area[a]) / (b - a) for a, b in zip(FRAMES.start, FRAMES.end, strict=True)])


@pytest.mark.parametrize("rates", [(0.3, 0.1, 0.05, 0.03), (0.1, 0.6, 0.4, 0.02), (0.5, 0.05, 0.0, 0.05)])
def test_two_compartments_are_those_of_an_ode_solver(rates):
    curve = tissue_with_blood(TABLE, two_tissue, BLOOD, 0.0)
    np.testing.assert_allclose(curve(np.array([rates]), None)[0][0], averages(rates), rtol=2e-7, atol=1e-8)


def test_one_compartment_and_a_trap_are_special_cases():
    one = tissue_with_blood(TABLE, one_tissue, BLOOD, 0.0)(np.array([[0.3, 0.1]]), None)[0][0]
    np.testing.assert_allclose(one, averages((0.3, 0.1, 0.0, 0.05)), rtol=2e-7, atol=1e-8)
    trap = tissue_with_blood(TABLE, irreversible, BLOOD, 0.0)(np.array([[0.3, 0.1, 0.04]]), None)[0][0]
    np.testing.assert_allclose(trap, averages((0.3, 0.1, 0.04, 0.0)), rtol=2e-7, atol=1e-8)


def test_two_compartments_as_seen_from_a_reference():
    k2_prime, R1, k3, k4 = 0.12, 1.2, 0.05, 0.03
    reference = averages((0.25, k2_prime, 0.0, 0.1))
    target = averages((0.25 * R1, k2_prime * R1, k3, k4))
    behind = PiecewiseLinear(np.arange(0, 96, 0.05), _reference_at(np.arange(0, 96, 0.05), 0.25, k2_prime))
    curve = tissue_with_reference(responses(SAMPLED, behind), reference)
    fitted, _ = curve(np.array([[R1, k2_prime * R1, k3, k4]]), None)
    np.testing.assert_allclose(fitted[0], target, rtol=2e-4, atol=2e-4 * target.max())


def _reference_at(times, K1, k2):
    return K1 * convolved(PLASMA, np.array([k2])).at(times)[0][:, 0]


@pytest.mark.parametrize(
    ("exponentials", "theta"),
    [
        (one_tissue, (0.3, 0.07, 0.04)),
        (irreversible, (0.2, 0.15, 0.05, 0.03)),
        (two_tissue, (0.3, 0.2, 0.06, 0.03, 0.05)),
    ],
)
@pytest.mark.parametrize("V_B", [None, 0.06])
def test_derivatives_are_those_of_differences(exponentials, theta, V_B):
    curve = tissue_with_blood(TABLE, exponentials, BLOOD, V_B)
    check_derivatives(curve, np.array(theta if V_B is None else theta[:-1]))


def test_derivatives_behind_a_reference():
    check_derivatives(tissue_with_reference(TABLE, BLOOD), np.array([1.1, 0.12, 0.05, 0.03]))
    assert two_tissue_by_reference(np.array([[1.0, 0.1, 0.05, 0.04]])).amplitude.shape == (1, 2)


def check_derivatives(curve, theta):
    _, jacobian = curve(theta[None], None)
    for p in range(theta.size):
        h = 1e-6 * theta[p]
        up, down = theta.copy(), theta.copy()
        up[p] += h
        down[p] -= h
        slope = (curve(up[None], None)[0][0] - curve(down[None], None)[0][0]) / (2 * h)
        np.testing.assert_allclose(jacobian[0, :, p], slope, rtol=2e-5, atol=2e-6 * np.abs(slope).max())


def test_rate_constants_are_those_of_the_exponentials():
    rng = np.random.default_rng(2)
    k = np.column_stack([rng.uniform(0.05, 0.6, 50), *rng.uniform(0.01, 0.5, (3, 50))])
    answer = two_tissue(k)
    start = type("Start", (), {"amplitude": answer.amplitude, "rate": answer.rate})
    np.testing.assert_allclose(rate_constants(start), k, rtol=1e-9)


@pytest.mark.parametrize("level", [0.0, 0.03, 0.1])
def test_the_start_is_the_best_fit_with_rates_that_are_not_negative(level):
    """Against scipy from many starts; the search may stop within a thousandth of the lowest cost."""
    rng = np.random.default_rng(3)
    n = 25
    truth = np.column_stack(
        [rng.uniform(0.05, 0.6, n), rng.uniform(0.05, 0.4, n), rng.uniform(0.01, 0.2, n), rng.uniform(0.02, 0.1, n)]
    )
    share = rng.uniform(0, 0.08, n)
    curve = tissue_with_blood(TABLE, two_tissue, BLOOD, None)
    clean = curve(np.column_stack([truth, share]), None)[0]
    curves = clean * (1 + level * rng.normal(size=clean.shape))
    weights = FRAMES.duration / clean.mean(axis=1, keepdims=True) * np.ones_like(clean)
    start = begin(TABLE, curves, weights, BLOOD, None, (0.0, 0.5), 5.0)
    found = curve(np.column_stack([rate_constants(start), start.V_B]), None)[0]
    cost = (weights * (curves - found) ** 2).sum(axis=1)
    for row in range(n):

        def rest(theta, row=row):
            return np.sqrt(weights[row]) * (curve(theta[None], None)[0][0] - curves[row])

        begun = [np.append(truth[row], share[row]), [0.2, 0.1, 0.05, 0.05, 0.03], [0.3, 1.5, 1.0, 0.03, 0.01]]
        bounds = ([0, 1e-5, 0, 1e-5, 0], [5, 5, 5, 5, 0.5])
        best = min(2 * least_squares(rest, one, bounds=bounds, xtol=1e-10, ftol=1e-10).cost for one in begun)
        assert cost[row] <= max(best * 1.01, 1e-12 * (weights[row] * curves[row] ** 2).sum())
