"""The search for rate constants within bounds, against scipy and against a search for all parameters at once."""

import numpy as np
import pytest
from scipy.optimize import least_squares

from raphe.core.bounded import bounded_fit
from raphe.core.compartments import (
    begin,
    fit_within,
    irreversible,
    one_tissue,
    rate_constants,
    tissue_with_blood,
    two_tissue,
)
from raphe.core.frames import Frames
from raphe.core.piecewise import PiecewiseLinear
from raphe.core.responses import responses
from raphe.core.sampling import sampling

PLASMA = PiecewiseLinear([0.2, 0.5, 0.8, 1.5, 4.0, 20.0, 95.0], [0.0, 90.0, 60.0, 20.0, 9.0, 4.0, 1.0])
FRAMES = Frames(np.concatenate([np.arange(0, 3, 0.25), np.arange(3, 93, 5)]), [0.25] * 12 + [5.0] * 18)
SAMPLED = sampling(FRAMES)
TABLE = responses(SAMPLED, PLASMA)
BLOOD = SAMPLED.seen(PLASMA.scaled(0.8))
LIMITS = np.array([(0.0, 5.0), (1e-5, 5.0), (0.0, 5.0), (1e-5, 5.0), (0.0, 0.5)])
FASTEST = 5.0


def noisy(truth, level, seed):
    """Curves of two compartments and their weights."""
    rng = np.random.default_rng(seed)
    clean = tissue_with_blood(TABLE, two_tissue, BLOOD, None)(truth, None)[0]
    sd = np.sqrt(np.maximum(clean, 0.01 * clean.max(axis=1, keepdims=True)) / FRAMES.duration)
    sd *= level * clean.mean(axis=1, keepdims=True) / sd[:, 12:].mean(axis=1, keepdims=True)
    return clean + sd * rng.normal(size=clean.shape), np.broadcast_to(FRAMES.duration, clean.shape).copy()


def faster_than_frames(n, seed):
    """Tissues whose k2 and k3 are near or beyond their bounds, so that frames tell the three rates only together."""
    rng = np.random.default_rng(seed)
    rates = [rng.uniform(low, high, n) for low, high in ((0.05, 0.4), (0.5, 6), (2, 7), (0.01, 0.2), (0.01, 0.08))]
    return np.column_stack(rates)


def begun(curves, weights):
    start = begin(TABLE, curves, weights, BLOOD, None, (0.0, 0.5), FASTEST)
    return np.column_stack([rate_constants(start), start.V_B])


@pytest.mark.parametrize("level", [0.0, 0.02])
def test_rates_at_their_bounds_are_those_of_scipy(level):
    truth = np.clip(faster_than_frames(12, 4), LIMITS[:, 0], LIMITS[:, 1])
    curves, weights = noisy(truth, level, 5)
    start = begun(curves, weights)
    found = fit_within(TABLE, BLOOD, None, start, curves, weights, LIMITS)
    curve = tissue_with_blood(TABLE, two_tissue, BLOOD, None)
    np.testing.assert_allclose(curve(found.theta, None)[0], found.fitted, rtol=1e-12, atol=1e-12)
    assert ((found.theta >= LIMITS[:, 0]) & (found.theta <= LIMITS[:, 1])).all()
    for row, (y, w) in enumerate(zip(curves, weights, strict=True)):

        def rest(theta, y=y, w=w):
            return np.sqrt(w) * (curve(theta[None], None)[0][0] - y)

        def slopes(theta, w=w):
            return np.sqrt(w)[:, None] * curve(theta[None], None)[1][0]

        best = min(
            2 * least_squares(
                rest, np.clip(one, LIMITS[:, 0] + 1e-7, LIMITS[:, 1] - 1e-7), slopes, bounds=LIMITS.T,
                x_scale=0.1 * LIMITS[:, 1], xtol=1e-13, ftol=1e-13, gtol=1e-13, max_nfev=3000,
            ).cost
            for one in (start[row], found.theta[row])
        )  # fmt: skip
        assert found.cost[row] <= max(best * (1 + 1e-6), 1e-12 * (w * y**2).sum())
        assert found.cost[row] == pytest.approx((w * (y - found.fitted[row]) ** 2).sum(), rel=1e-9)


def test_it_settles_where_a_search_for_all_at_once_crawls():
    """Along a bent valley: k2 and k4 of a product, with k3 at its bound."""
    curves, weights = noisy(faster_than_frames(400, 6), 0.01, 7)
    start = begun(curves, weights)
    found = fit_within(TABLE, BLOOD, None, start, curves, weights, LIMITS)
    other = bounded_fit(tissue_with_blood(TABLE, two_tissue, BLOOD, None), start, curves, weights, *LIMITS.T)
    assert found.converged.mean() >= 0.99
    assert other.converged.mean() < 0.97, "the curves are no such case"
    assert (found.cost <= other.wrss * (1 + 1e-7)).mean() >= 0.99
    assert (found.cost < other.wrss * (1 - 1e-7)).any()
    both = other.converged & found.converged & (np.abs(found.cost / other.wrss - 1) < 1e-9)
    np.testing.assert_allclose(found.fitted[both], other.fitted[both], rtol=1e-3, atol=1e-3 * curves.max())
    np.testing.assert_array_equal(found.held[both], other.at_bound[both])


@pytest.mark.parametrize(("exponentials", "n"), [(one_tissue, 2), (irreversible, 3), (two_tissue, 4)])
@pytest.mark.parametrize("V_B", [None, 0.0, 0.05])
def test_without_noise_the_truth_is_found_from_afar(exponentials, n, V_B):
    rng = np.random.default_rng(8)
    keep = [*range(n), *([4] if V_B is None else [])]
    truth = np.column_stack([rng.uniform(0.1, 0.5, 20), *rng.uniform(0.02, 0.4, (n - 1, 20)), rng.uniform(0, 0.1, 20)])
    truth = truth[:, : len(keep)]
    curve = tissue_with_blood(TABLE, exponentials, BLOOD, V_B)
    curves = curve(truth, None)[0]
    start = np.full(truth.shape, 0.1)
    found = fit_within(TABLE, BLOOD, V_B, start, curves, np.ones_like(curves), LIMITS[keep])
    assert found.converged.all()
    assert (found.cost <= 1e-13 * (curves**2).sum(axis=1)).all()
    np.testing.assert_allclose(found.fitted, curves, rtol=1e-6, atol=1e-6 * curves.max())


@pytest.mark.parametrize("V_B", [None, 0.03])
def test_inflow_and_blood_are_the_best_within_their_bounds(V_B):
    """With the rates held in place: tissues that ask for too much of either, or for less than nothing."""
    rates, rng = (0.2, 0.1, 0.05), np.random.default_rng(9)
    curve = tissue_with_blood(TABLE, two_tissue, BLOOD, V_B)
    asked = [(0.3, 0.05), (-0.2, 0.05), (7.0, 0.1), (0.3, -0.1), (0.3, 0.8), (7.0, -0.2), (-0.3, 0.9), (5.1, 0.1)]
    free = tissue_with_blood(TABLE, two_tissue, BLOOD, None)
    curves = np.array([free(np.array([[K1, *rates, V]]), None)[0][0] for K1, V in asked])
    curves += 0.01 * rng.normal(size=curves.shape)
    weights = rng.uniform(0.5, 2, curves.shape)
    keep = [0, 1, 2, 3, *([4] if V_B is None else [])]
    limits = LIMITS[keep].copy()
    limits[1:4] = np.array(rates)[:, None]
    start = np.tile([0.1, *rates, 0.01], (len(curves), 1))[:, keep]
    found = fit_within(TABLE, BLOOD, V_B, start, curves, weights, limits)
    at = [0, *([4] if V_B is None else [])]
    for row, (y, w) in enumerate(zip(curves, weights, strict=True)):

        def rest(amounts, y=y, w=w):
            theta = np.array([amounts[0], *rates, *amounts[1:]])
            return np.sqrt(w) * (curve(theta[None], None)[0][0] - y)

        begins = ([0.1, 0.01], [4.9, 0.01], [0.1, 0.49], [4.9, 0.49])
        ends = [
            least_squares(rest, one[: len(at)], bounds=limits[at].T, xtol=1e-14, ftol=1e-14, gtol=1e-14)
            for one in begins
        ]
        best = min(ends, key=lambda end: end.cost)
        assert found.cost[row] <= 2 * best.cost * (1 + 1e-9)
        np.testing.assert_allclose(found.theta[row, at], best.x, atol=2e-4)
        on_bound = np.isclose(best.x, limits[at, 0], atol=1e-5) | np.isclose(best.x, limits[at, 1], atol=1e-5)
        np.testing.assert_array_equal(found.held[row, at], on_bound)
    assert found.held[:, 0].any()
    assert not found.held[:, 0].all()
