"""Dispersion forward and back."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from raphe.blood import registry
from raphe.blood.dispersion import dispersed, dispersion_corrected
from raphe.blood.draw import drawn
from raphe.core.piecewise import PiecewiseLinear
from raphe.errors import InputError

CURVE = PiecewiseLinear([0.2, 0.5, 0.9, 2.0, 10.0, 60.0], [0.0, 60.0, 30.0, 12.0, 5.0, 2.0])


@pytest.mark.parametrize("tau", [0.02, 0.2, 1.5])
def test_forward_is_the_answer_of_the_differential_equation(tau):
    time = np.linspace(0.2, 60, 300)
    answer = solve_ivp(
        lambda t, g: (CURVE(t) - g) / tau, (0.2, 60), [0.0], t_eval=time, rtol=1e-10, atol=1e-10, max_step=0.05
    ).y[0]
    np.testing.assert_allclose(dispersed(CURVE, tau)(time), answer, atol=2e-5 * answer.max())


def test_forward_of_a_step_is_one_less_an_exponential_at_the_knots():
    step = PiecewiseLinear([1.0, 30.0], [5.0, 5.0])
    g = dispersed(step, 0.4)
    np.testing.assert_allclose(g.value, 5 * -np.expm1(-(g.time - 1) / 0.4), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("tau", [0.02, 0.2, 1.5])
def test_back_undoes_forward(tau):
    back = dispersion_corrected(dispersed(CURVE, tau), tau)
    np.testing.assert_allclose(back.value, CURVE(back.time), atol=1e-9 * 60)
    assert set(CURVE.time) <= set(back.time)


def test_back_undoes_forward_of_a_model():
    example = registry.examples("arterial")["feng"]
    theta = np.array(example.truth)
    line = drawn(lambda t: example.model.curve(theta, t), 90.0, example.model.kinks(theta))
    back = dispersion_corrected(dispersed(line, 0.15), 0.15)
    np.testing.assert_allclose(back.value, line(back.time), atol=1e-9 * line.value.max())


def test_back_is_the_curve_and_tau_times_its_slope():
    """C = g + tau g' of g = t^2 e^(-t), on knots of two spacings."""
    tau = 1 / 3
    time = np.concatenate([np.linspace(0, 2, 1001), np.linspace(2, 12, 1001)[1:]])
    g = PiecewiseLinear(time, time**2 * np.exp(-time))
    exact = (time**2 + tau * (2 * time - time**2)) * np.exp(-time)
    np.testing.assert_allclose(dispersion_corrected(g, tau).value, exact, atol=2e-4)


def test_dispersion_keeps_the_area_and_comes_later_by_tau():
    pulse = PiecewiseLinear([0.0, 1.0, 2.0], [0.0, 1.0, 0.0])
    g = dispersed(pulse, 0.5, end=30.0)
    assert g.integral([30.0])[0] == pytest.approx(1.0, abs=3e-4)
    time = np.linspace(0, 30, 60001)
    assert np.trapezoid(time * g(time), time) == pytest.approx(1.5, abs=5e-3)


@pytest.mark.parametrize("tau", [0.0, -0.1, np.nan])
@pytest.mark.parametrize("way", [dispersed, dispersion_corrected])
def test_tau_must_be_positive(way, tau):
    with pytest.raises(InputError, match="must be positive"):
        way(CURVE, tau)
