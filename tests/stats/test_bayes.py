"""Bayes factors against published values and other integrals; posteriors against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, special, stats

from raphe.errors import InputError
from raphe.stats.bayes import SCALE, Prior, bayes_factor_r, bayes_factor_t, posterior
from raphe.stats.effect import effect


def test_t_tests_that_r_package_bayesfactor_prints():
    """Its manual: sleep data, paired, 17.25888; chickwts, linseed v horsebean, 5.98. t by R 4.2.2's t.test."""
    assert bayes_factor_t(4.06212768338, 10) == pytest.approx(17.25888, abs=5e-6)
    assert bayes_factor_t(2.93404671324, 12, 10) == pytest.approx(5.98, abs=5e-3)


@pytest.mark.parametrize(
    ("t", "n", "n_second", "scale"),
    [(2.257, 20, None, SCALE), (0.5, 4, None, 1.0), (-3.5, 20, 10, SCALE), (0.0, 12, None, 0.3), (1.2, 2, None, 1.0)],
)
def test_t_by_the_noncentral_distribution_over_a_cauchy_prior(t, n, n_second, scale):
    """The definition: BF10 is the mean over the prior of the density of t, over that of the central t."""
    size = n if n_second is None else n * n_second / (n + n_second)
    df = n - 1 if n_second is None else n + n_second - 2

    def integrand(d):
        return stats.nct.pdf(t, df, d * math.sqrt(size)) * stats.cauchy.pdf(d, scale=scale)

    alternative = integrate.quad(integrand, -15, 15, points=[0.0, t / math.sqrt(size)], limit=400)[0]
    assert bayes_factor_t(t, n, n_second, scale=scale) == pytest.approx(alternative / stats.t.pdf(t, df), rel=2e-3)


def test_correlation_that_r_package_bayesfactor_prints():
    """Its manual: correlationBF of iris sepal length and width, scale 1/3, 0.509; r by R 4.2.2's cor."""
    assert bayes_factor_r(-0.117569784133, 150, width=1 / 3) == pytest.approx(0.50902, abs=1e-5)


@pytest.mark.parametrize(("r", "n", "width"), [(-0.426, 30, 1.0), (-0.644, 20, 1.0), (0.0, 12, 1.0), (0.3, 8, 0.4)])
def test_correlation_by_ly_s_likelihood(r, n, width):
    """Ly, Marsman and Wagenmakers 2018, even part of the likelihood, integrated over rho itself."""
    a = 1 / width

    def integrand(rho):
        prior = 2 ** (1 - 2 * a) / special.beta(a, a) * (1 - rho**2) ** (a - 1)
        return prior * (1 - rho**2) ** ((n - 1) / 2) * special.hyp2f1((n - 1) / 2, (n - 1) / 2, 0.5, (rho * r) ** 2)

    assert bayes_factor_r(r, n, width=width) == pytest.approx(integrate.quad(integrand, -1, 1)[0], rel=1e-7)
    assert bayes_factor_r(-r, n, width=width) == pytest.approx(bayes_factor_r(r, n, width=width), rel=1e-9)


def test_extremes_do_not_break():
    assert bayes_factor_t(80.0, 30) > 1e20
    assert bayes_factor_t(0.0, 100_000) < 0.01
    assert bayes_factor_r(0.99, 300) > 1e100
    assert bayes_factor_r(0.0, 100_000) < 0.01


def test_a_flat_prior_gives_the_confidence_interval():
    found = effect(1.3, 0.4, 3)
    after = posterior(found, Prior())
    assert (after.low, after.high) == pytest.approx((found.ci_low, found.ci_high), abs=2e-5)
    assert after.above_zero == pytest.approx(1 - found.p / 2, abs=1e-5)
    assert after.median == pytest.approx(1.3, abs=1e-6)


def test_a_normal_prior_and_a_known_variance_have_a_closed_form():
    """Precisions add: 1 / 0.25 and 1 / 0.04."""
    after = posterior(effect(1.0, 0.2, 1e9), Prior(-0.5, 0.5))
    mean = (1.0 / 0.04 - 0.5 / 0.25) / (1 / 0.04 + 1 / 0.25)
    sd = math.sqrt(1 / (1 / 0.04 + 1 / 0.25))
    assert after.mean == pytest.approx(mean, rel=1e-5)
    truth = stats.norm.interval(0.95, mean, sd)
    assert (after.low, after.high) == pytest.approx(truth, abs=2e-5)
    assert after.above_zero == pytest.approx(stats.norm.sf(0, mean, sd), abs=1e-6)


def test_a_heavy_tailed_prior_by_another_integral():
    found, prior = effect(3.0, 0.7, 7), Prior(0.0, 0.5, 1.0)

    def density(x):
        return stats.t.pdf((x - 3.0) / 0.7, 7) * stats.cauchy.pdf(x, scale=0.5)

    total = integrate.quad(density, -60, 60, points=[0, 3], limit=400)[0]
    below = integrate.quad(density, -60, 0, limit=400)[0]
    after = posterior(found, prior)
    assert after.above_zero == pytest.approx(1 - below / total, abs=1e-5)
    mean = integrate.quad(lambda x: x * density(x), -60, 60, points=[0, 3], limit=400)[0] / total
    assert after.mean == pytest.approx(mean, abs=1e-4)
    part = integrate.quad(density, -60, after.low, points=[-3, 0], limit=400)[0] / total
    assert part == pytest.approx(0.025, abs=1e-4)


def test_credible_intervals_cover_changes_drawn_from_the_prior():
    rng = np.random.default_rng(3)
    n, hits = 1000, 0
    for _ in range(n):
        truth = rng.normal(0, 0.5)
        d = rng.normal(truth, 1.0, 8)
        after = posterior(effect(d.mean(), d.std(ddof=1) / math.sqrt(8), 7), Prior(0.0, 0.5))
        hits += after.low <= truth <= after.high
    # The variance has Jeffreys' prior and not the one that the simulation has, hence a little over 95 %.
    assert 0.93 <= hits / n <= 0.985


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: bayes_factor_t(math.inf, 10), "no Bayes factor"),
        (lambda: bayes_factor_t(1.0, 1), "no Bayes factor"),
        (lambda: bayes_factor_t(1.0, 10, scale=0.0), "scale 0"),
        (lambda: bayes_factor_r(1.0, 10), "no Bayes factor"),
        (lambda: bayes_factor_r(0.1, 2), "no Bayes factor"),
        (lambda: bayes_factor_r(0.1, 20, width=-1.0), "width -1"),
        (lambda: posterior(effect(1.0, 1.0, 3)._replace(se=math.nan), Prior()), "no posterior"),
        (lambda: posterior(effect(1.0, 1.0, 3), Prior(scale=0.0)), "is none"),
    ],
    ids=["infinite", "one", "scale", "line", "two", "width", "no-se", "prior"],
)
def test_unusable_input_is_refused(call, words):
    with pytest.raises(InputError, match=words):
        call()
