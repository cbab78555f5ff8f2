"""Tissues behind Feng's input: closed forms against an ODE solver, and derivatives against complex arithmetic's way."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import approx_fprime

from raphe.core.feng_tissue import plasma_at, tissues

INPUT = np.array([0.3, np.log(700.0), np.log(25.0), np.log(15.0), np.log(3.5), np.log(0.15), np.log(0.012)])
EDGES = np.array([0.0, 0.2, 0.5, 1.0, 2.0, 5.0, 12.0, 30.0, 60.0, 90.0])
FIRST, LAST = np.arange(EDGES.size - 1), np.arange(1, EDGES.size)


def own(V_T, one, two, share):
    return np.array([[np.log(V_T), np.log(one), np.log(two), np.log(share / (1 - share))]])


def plasma(t):
    return float(plasma_at(INPUT, np.array([t]))[0])


def by_solver(V_T, one, two, share, V_B):
    """Values at the edges, and means between them."""

    def slope(t, y):
        blood = plasma(t)
        measured = (1 - V_B) * (y[0] + y[1]) + V_B * blood
        return [V_T * (1 - share) * one * blood - one * y[0], V_T * share * two * blood - two * y[1], measured]

    y, reached, at = np.zeros(3), INPUT[0], {}
    for stop in EDGES:
        if stop > reached:
            y = solve_ivp(slope, (reached, stop), y, "DOP853", rtol=1e-12, atol=1e-12).y[:, -1]
            reached = stop
        at[stop] = y
    values = np.array([(1 - V_B) * at[t][:2].sum() + V_B * plasma(t) for t in EDGES])
    area = np.array([at[t][2] for t in EDGES])
    return values, np.diff(area) / np.diff(EDGES)


@pytest.mark.parametrize("V_B", [0.0, 0.07])
@pytest.mark.parametrize(
    "rates",
    [(0.03, 0.3), (0.15, 0.0121), (3.5, 0.15), (1e-4, 0.02), (0.149, 0.151), (3.4, 12.0)],
    ids=["usual", "that of the input", "all those of the input", "slow", "alike", "fast"],
)
def test_values_and_means_are_those_of_an_ode_solver(rates, V_B):
    tissue = (4.0, *rates, 0.3)
    values, means = by_solver(*tissue, V_B)
    found, _, _ = tissues(INPUT, own(*tissue), V_B, EDGES, FIRST, LAST, False)
    np.testing.assert_allclose(found[0], means, rtol=1e-8, atol=1e-8)
    here = np.arange(EDGES.size)
    found, _, _ = tissues(INPUT, own(*tissue), V_B, EDGES, here, here, False)
    np.testing.assert_allclose(found[0], values, rtol=1e-8, atol=1e-8)


def test_derivatives_are_those_of_finite_differences():
    parameters = np.concatenate([own(4.0, 0.03, 0.3, 0.4)[0], own(1.0, 0.2, 0.5, 0.1)[0]]).reshape(2, 4)
    fitted, by_input, by_own = tissues(INPUT, parameters, 0.05, EDGES, FIRST, LAST, True)
    for c in range(2):
        for r in (1, 4, 8):

            def value(x, c=c, r=r):
                return tissues(x[:7], x[7:][None], 0.05, EDGES, FIRST, LAST, False)[0][0, r]

            expected = approx_fprime(np.concatenate([INPUT, parameters[c]]), value, 1e-7)
            found = np.concatenate([by_input[c, r], by_own[c, r]])
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * fitted[c].max())


def test_the_input_is_nothing_before_it_arrives():
    found = plasma_at(INPUT, np.array([-1.0, 0.0, 0.3, 0.31, 10.0]))
    assert (found[:3] == 0).all()
    u = 9.7
    expected = (700 * u - 40) * np.exp(-3.5 * u) + 25 * np.exp(-0.15 * u) + 15 * np.exp(-0.012 * u)
    assert found[4] == pytest.approx(expected, rel=1e-12)
