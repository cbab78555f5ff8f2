"""Coefficients and their errors against the dense formulas of core.linear, curve by curve."""

import numpy as np
import pytest

from raphe.core import linear
from raphe.core.frames import Frames
from raphe.core.integrals import running_integral
from raphe.core.lanes import LANES
from raphe.core.multilinear import on_curve, on_fixed, on_integral
from raphe.core.sampling import CONVENTIONS, sampling

FRAMES = Frames(
    np.concatenate([np.arange(6) * 0.5, 3 + np.arange(6), 10 + 4.0 * np.arange(12)]),
    np.repeat([0.5, 1.0, 4.0], [6, 6, 12]),
)
N = len(FRAMES)
ALL, LATE = np.arange(N), np.arange(12, N)
INPUT = 30 * FRAMES.mid * np.exp(-0.2 * FRAMES.mid) + 5
LEVEL = 0.03


def noisy(integral, n=LANES + 9, level=LEVEL):
    """Tissues of C = R1 B + k2 (integral of B) - k2a (integral of C), each with its own, and noise."""
    rng = np.random.default_rng(5)
    R1, k2, k2a = rng.uniform(0.7, 1.3, n), rng.uniform(0.08, 0.12, n), rng.uniform(0.02, 0.1, n)
    clean = [
        np.linalg.solve(np.eye(N) + c * integral, a * INPUT + b * integral @ INPUT)
        for a, b, c in zip(R1, k2, k2a, strict=True)
    ]
    return np.array(clean) * (1 + level * rng.normal(size=(n, N)))


def weights_of(curves, *, shared):
    w = np.linspace(3, 1, N) * FRAMES.duration
    if shared:
        return np.broadcast_to(w, curves.shape)
    return w * np.random.default_rng(6).uniform(0.5, 2, curves.shape)


def dense(kind, curves, fixed, integral, rows, weights):
    """Solution, covariance, and the activity that leaves no residual, by matrices for each curve."""
    w, c, area = weights[:, rows], curves[:, rows], curves @ integral[rows].T
    select = np.eye(N)[rows]
    if kind == "on_integral":
        design = np.stack(np.broadcast_arrays(*fixed, area), axis=-1)
        solved = linear.least_squares(design, c, w)
        noise = select - solved.theta[:, -1, None, None] * integral[rows]
        fitted = c - solved.residual
    elif kind == "on_curve":
        design = np.stack(np.broadcast_arrays(fixed[0] / c, np.ones_like(c)), axis=-1)
        solved = linear.least_squares(design, area / c, w)
        slope, intercept = solved.theta.T[..., None]
        noise = (integral[rows] - intercept[..., None] * select) / c[..., None]
        fitted = (area - slope * fixed[0]) / intercept
    else:
        below = INPUT[rows]
        design = np.broadcast_to(np.stack(fixed, axis=-1) / below[:, None], (*c.shape, len(fixed)))
        solved = linear.least_squares(design, c / below, w)
        in_activity = linear.LeastSquares(
            solved.theta, solved.influence / below, solved.residual * below, solved.wrss, solved.singular
        )
        return solved, linear.covariance(in_activity, design * below[:, None], w), c - in_activity.residual
    return solved, linear.covariance_both_sides(solved, design, w, noise, 1 / weights), fitted


def found_of(kind, curves, fixed, running, rows, weights, **wanted):
    if kind == "on_curve":
        return on_curve(curves, fixed[0], running, rows, weights, **wanted)
    if kind == "on_fixed":
        return on_fixed(curves, fixed, INPUT[rows], rows, weights, **wanted)
    return on_integral(curves, fixed, running, rows, weights, **wanted)


CASES = [("on_integral", 1), ("on_integral", 2), ("on_integral", 3), ("on_curve", 1), ("on_fixed", 2)]


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]} {case[1]}")
def case(request):
    return request.param


@pytest.fixture(params=CONVENTIONS)
def sampled(request):
    return sampling(FRAMES, request.param)


@pytest.fixture(params=[ALL, LATE, np.delete(ALL, [3, 15]), np.sort(np.append(ALL, 20))])
def rows(request):
    return request.param


def columns(kind, n_fixed, integral, rows):
    """What curves share: the input's integral, the input, and its square."""
    area = integral @ INPUT + (10 * INPUT if n_fixed == 1 else 0)
    return [each[rows] for each in (area, INPUT, INPUT**2)[:n_fixed]]


@pytest.mark.parametrize("shared", [True, False])
def test_coefficients_and_errors_are_those_of_the_dense_formulas(case, sampled, rows, shared):
    kind, n_fixed = case
    curves = noisy(sampled.integral)
    weights = weights_of(curves, shared=shared)
    fixed = columns(kind, n_fixed, sampled.integral, rows)
    solved, covariance, fitted = dense(kind, curves, fixed, sampled.integral, rows, weights)
    found = found_of(kind, np.asfortranarray(curves), fixed, running_integral(sampled), rows, weights)
    np.testing.assert_allclose(found.theta.T, solved.theta, rtol=1e-8)
    np.testing.assert_allclose(found.fitted, fitted, rtol=1e-9, atol=1e-10 * curves.max())
    np.testing.assert_allclose(found.wrss, solved.wrss, rtol=1e-9)
    error = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    difference = np.moveaxis(found.covariance, -1, 0) - covariance
    assert np.abs(difference / (error[:, :, None] * error[:, None, :])).max() < 1e-7
    assert not found.singular.any()
    assert found.divisible.all()


def test_without_errors_the_answer_is_the_same(case, sampled, rows):
    kind, n_fixed = case
    curves = np.asfortranarray(noisy(sampled.integral))
    fixed = columns(kind, n_fixed, sampled.integral, rows)
    given = kind, curves, fixed, running_integral(sampled), rows, weights_of(curves, shared=True)
    full, quick, bare = (
        found_of(*given), found_of(*given, errors=False), found_of(*given, errors=False, fitted=False)
    )  # fmt: skip
    for other in (quick, bare):
        np.testing.assert_allclose(other.theta, full.theta, rtol=1e-7)
        assert np.isnan(other.se(1, 0, 0, 0)).all()
    np.testing.assert_allclose(quick.fitted, full.fitted, rtol=1e-8, atol=1e-9 * curves.max())
    np.testing.assert_allclose(quick.wrss, full.wrss, rtol=1e-8)
    single = found_of(kind, curves.astype(np.float32), *given[2:], errors=False)
    np.testing.assert_allclose(single.fitted, full.fitted, rtol=1e-2, atol=1e-3 * curves.max())


@pytest.mark.parametrize("errors", [True, False])
@pytest.mark.parametrize("shared", [True, False])
def test_a_curve_s_digits_depend_neither_on_its_place_nor_on_the_others(case, shared, errors):
    sampled = sampling(FRAMES)
    curves = noisy(sampled.integral, n=300)
    weights = weights_of(curves, shared=shared)
    fixed = columns(*case, sampled.integral, LATE)
    whole = found_of(case[0], curves, fixed, running_integral(sampled), LATE, weights, errors=errors)
    part = slice(131, 300)
    again = found_of(case[0], curves[part], fixed, running_integral(sampled), LATE, weights[part], errors=errors)
    for name in ("theta", "wrss", "covariance"):
        if getattr(whole, name) is not None:
            np.testing.assert_array_equal(getattr(whole, name)[..., part], getattr(again, name), err_msg=name)
    np.testing.assert_array_equal(whole.fitted[part], again.fitted)


@pytest.mark.parametrize("errors", [True, False])
def test_columns_that_are_not_independent_are_told_and_harm_no_other(errors):
    sampled = sampling(FRAMES)
    curves = noisy(sampled.integral)
    curves[3] = 2 * INPUT  # its integral is the first column
    curves[4] = 0
    fixed = columns("on_integral", 2, sampled.integral, ALL)
    weights = weights_of(curves, shared=True)
    found = on_integral(curves, fixed, running_integral(sampled), ALL, weights, errors=errors)
    np.testing.assert_array_equal(np.flatnonzero(found.singular), [3, 4])
    assert np.isnan(found.theta[:, 3:5]).all()
    assert np.isnan(found.fitted[3:5]).all()
    assert np.isfinite(np.delete(found.theta, [3, 4], axis=1)).all()
    collinear = [fixed[0], 3 * fixed[0]]
    assert on_integral(curves, collinear, running_integral(sampled), ALL, weights, errors=errors).singular.all()


@pytest.mark.parametrize("beside", [1e-1, 1e-3, 1e-4, 1e-5])
def test_columns_that_are_nearly_dependent_are_solved_as_well_without_errors(beside):
    """Of what a column has beside the others, squared, sums of products keep only the digits above rounding."""
    sampled = sampling(FRAMES)
    integral = sampled.integral
    curves = np.array([1.5 * INPUT * (1 + beside * np.sin(FRAMES.mid / 9)), *noisy(integral)])
    fixed = [(integral @ INPUT)[ALL]]
    weights = weights_of(curves, shared=True)
    exact, _, _ = dense("on_integral", curves, fixed, integral, ALL, weights)
    quick = on_integral(curves, fixed, running_integral(sampled), ALL, weights, errors=False)
    np.testing.assert_allclose(quick.theta[:, 0], exact.theta[0], rtol=1e-8)


def test_the_variance_of_a_curve_that_grows_by_itself_comes_from_the_weights():
    """Its frames' own residuals would be those of an unstable equation: errors grown by exp(0.5 x 58 min)."""
    sampled = sampling(FRAMES)
    growing = np.exp(0.5 * FRAMES.mid)
    curves = np.array([growing * (1 + 0.01 * np.sin(3 * ALL)), *noisy(sampled.integral)])
    weights = weights_of(curves, shared=True)
    fixed = [(sampled.integral @ INPUT)[ALL]]
    found = on_integral(curves, fixed, running_integral(sampled), ALL, weights)
    assert found.theta[1, 0] > 0.3
    w = weights[0]
    area = sampled.integral @ curves[0]
    x = np.stack([fixed[0], area], axis=-1)
    influence = np.linalg.solve(x.T * w @ x, x.T * w)
    H = np.eye(N) - found.theta[1, 0] * sampled.integral
    left = (np.eye(N) - x @ influence) @ H
    sigma2 = found.wrss[0] / (w @ left**2 @ (1 / w))
    expected = sigma2 * (influence @ H / w) @ (influence @ H).T
    np.testing.assert_allclose(found.covariance[..., 0], expected, rtol=1e-5)


def test_errors_are_carried_on_by_the_delta_method():
    sampled = sampling(FRAMES)
    curves = noisy(sampled.integral)
    fixed = columns("on_integral", 2, sampled.integral, ALL)
    found = on_integral(curves, fixed, running_integral(sampled), ALL, weights_of(curves, shared=False))
    a, _, c = found.theta
    gradient = np.stack([1 / c, np.zeros_like(a), -a / c**2])
    expected = np.sqrt(np.einsum("pn,pqn,qn->n", gradient, found.covariance, gradient))
    np.testing.assert_allclose(found.se(1 / c, 0, -a / c**2), expected, rtol=1e-10)
    np.testing.assert_allclose(found.se(0, -1, 0), np.sqrt(found.covariance[1, 1]), rtol=1e-14)
