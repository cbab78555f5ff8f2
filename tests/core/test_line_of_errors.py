"""A line with errors along both axes, against an optimiser that fits every true place, and against closed forms."""

import math

import numpy as np
import pytest
from scipy import optimize, stats

from raphe.core.line_of_errors import fit_line

TRUE = np.array([1.8, 2.3, 2.9, 3.6, 4.1, 5.0, 5.8])
A, B = 0.9, 0.4


def points(seed, cov_u, cov_v):
    random = np.random.default_rng(seed)
    u = random.multivariate_normal(TRUE, cov_u)
    return u, random.multivariate_normal(A + B * TRUE, cov_v)


def covariance(kind, size=0.1):
    n = TRUE.size
    if kind == "alike":
        return size**2 * np.eye(n)
    if kind == "in proportion":
        return np.diag((size * TRUE / 3) ** 2)
    return size**2 * (0.4 * np.eye(n) + 0.6)


def by_optimiser(u, v, cov_u, cov_v, *, b=None, meeting=None):
    """Least cost with every true place a parameter, free or with a slope or meeting point held; and the parameters."""
    white_u, white_v = (np.linalg.inv(np.linalg.cholesky(cov)) for cov in (cov_u, cov_v))

    def line(theta):
        slope = b if b is not None else theta[1]
        return (theta[0] if meeting is None else meeting * (1 - slope)), slope

    def residuals(theta):
        intercept, slope = line(theta)
        return np.concatenate([white_u @ (u - theta[2:]), white_v @ (v - intercept - slope * theta[2:])])

    found = optimize.least_squares(residuals, [0.5, 0.5, *u], xtol=1e-15, ftol=1e-15, gtol=1e-15)
    return 2 * found.cost, *line(found.x)


@pytest.mark.parametrize("kind_v", ["alike", "in proportion", "shared"])
@pytest.mark.parametrize("kind_u", ["alike", "in proportion", "shared"])
def test_the_best_line_is_that_of_an_optimiser_over_all_true_places(kind_u, kind_v):
    cov_u, cov_v = covariance(kind_u), covariance(kind_v, 0.07)
    u, v = points(3, cov_u, cov_v)
    line = fit_line(u, v, cov_u, cov_v)
    cost, a, b = by_optimiser(u, v, cov_u, cov_v)
    assert (line.cost, line.intercept, line.slope) == pytest.approx((cost, a, b), rel=1e-6)
    assert line.meeting == pytest.approx(a / (1 - b), rel=1e-6)
    assert line.df == 5


@pytest.mark.parametrize("kind", ["alike", "in proportion", "shared"])
def test_the_ends_are_where_the_profile_reaches_the_limit(kind):
    cov_u, cov_v = covariance(kind), covariance(kind, 0.07)
    u, v = points(5, cov_u, cov_v)
    line = fit_line(u, v, cov_u, cov_v, excess=lambda least, df: 3.84)
    for end in line.slope_ends:
        assert by_optimiser(u, v, cov_u, cov_v, b=end)[0] == pytest.approx(line.cost + 3.84, rel=1e-6)
    for end in line.meeting_ends:
        assert by_optimiser(u, v, cov_u, cov_v, meeting=end)[0] == pytest.approx(line.cost + 3.84, rel=1e-5)
    assert line.slope_ends[0] < line.slope < line.slope_ends[1]
    assert line.meeting_ends[0] < line.meeting < line.meeting_ends[1]


def test_equal_errors_give_the_line_of_deming():
    u, v = points(7, covariance("alike"), covariance("alike"))
    line = fit_line(u, v, np.eye(7), np.eye(7))
    s = np.cov(u, v)
    part = s[1, 1] - s[0, 0]
    assert line.slope == pytest.approx((part + math.sqrt(part**2 + 4 * s[0, 1] ** 2)) / (2 * s[0, 1]), rel=1e-10)


def test_without_error_of_u_it_is_ordinary_regression_and_fieller():
    u, v = points(9, covariance("alike"), covariance("alike"))

    def excess(least, df):
        return least / df * stats.f.ppf(0.95, 1, df)

    line = fit_line(u, v, np.zeros((7, 7)), np.eye(7), meets=0.0, excess=excess)
    plain = stats.linregress(u, v)
    t = stats.t.ppf(0.975, 5)
    assert (line.slope, line.intercept) == pytest.approx((plain.slope, plain.intercept), rel=1e-10)
    ends = plain.slope - t * plain.stderr, plain.slope + t * plain.stderr
    assert line.slope_ends == pytest.approx(ends, rel=1e-8)
    # Fieller's ends of the meeting with the axis solve (a + b x)^2 = t^2 (var a + 2 x cov + x^2 var b)
    design = np.stack([np.ones(7), u], axis=1)
    spread = line.cost / 5 * np.linalg.inv(design.T @ design)
    roots = np.roots(
        [
            plain.slope**2 - t**2 * spread[1, 1],
            2 * (plain.slope * plain.intercept - t**2 * spread[0, 1]),
            plain.intercept**2 - t**2 * spread[0, 0],
        ]
    )
    assert line.meeting_ends == pytest.approx(tuple(sorted(roots)), rel=1e-8)


def test_points_on_a_line_give_it_without_doubt():
    line = fit_line(TRUE, A + B * TRUE, np.eye(7), np.eye(7), excess=lambda least, df: least)
    assert (line.slope, line.meeting, line.cost) == pytest.approx((B, A / (1 - B), 0.0))
    assert line.slope_ends == (line.slope, line.slope)
    assert line.meeting_ends == (line.meeting, line.meeting)


def test_a_line_through_the_origin_has_the_slope_of_the_optimiser():
    random = np.random.default_rng(1)
    u, v = TRUE + 0.2 * random.normal(size=7), B * TRUE + 0.1 * random.normal(size=7)
    line = fit_line(u, v, 0.04 * np.eye(7), 0.01 * np.eye(7), through_origin=True)

    def cost(b):
        return np.sum((v - b * u) ** 2) / (0.01 + 0.04 * b**2)

    best = optimize.minimize_scalar(cost, bounds=(0, 1), method="bounded", options={"xatol": 1e-12})
    assert (line.slope, line.cost, line.df) == pytest.approx((best.x, best.fun, 6), rel=1e-7)


def test_a_slope_that_may_be_that_of_the_other_line_leaves_no_end():
    random = np.random.default_rng(2)
    u, v = TRUE + 0.3 * random.normal(size=7), 0.1 + 0.97 * TRUE + 0.3 * random.normal(size=7)
    line = fit_line(u, v, np.eye(7), np.eye(7), excess=lambda least, df: least / df * 6.6)
    assert line.slope_ends[0] < 1 < line.slope_ends[1]
    assert line.meeting_ends == (-math.inf, math.inf)


def test_points_in_a_heap_have_no_limits():
    random = np.random.default_rng(4)
    u, v = random.normal(3, 0.3, size=(2, 7))
    line = fit_line(u, v, np.eye(7), np.eye(7), excess=lambda least, df: least / df * 6.6)
    assert line.slope_ends == line.meeting_ends == (-math.inf, math.inf)


def test_ends_that_were_not_asked_for_are_not_there():
    line = fit_line(*points(3, np.eye(7), np.eye(7)), np.eye(7), np.eye(7))
    assert np.isnan([*line.slope_ends, *line.meeting_ends]).all()
