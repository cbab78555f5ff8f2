"""Bootstrap of people, against scipy and by coverage."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from raphe.errors import InputError
from raphe.stats.bootstrap import bootstrap

SKEWED = np.random.default_rng(1).lognormal(0.0, 0.8, 25)


@pytest.mark.parametrize(("kind", "method"), [("bca", "BCa"), ("percentile", "percentile")], ids=["bca", "percentile"])
def test_interval_of_a_mean_agrees_with_scipy(kind, method):
    truth = stats.bootstrap((SKEWED,), np.mean, method=method, n_resamples=20_000, rng=np.random.default_rng(2))
    found = bootstrap(lambda who: SKEWED[who].mean(), 25, kind=kind, expand=False, n_repeat=20_000)
    # Standard error of a 2.5 % quantile of 20,000 repeats, from the density there: about 2 % of their spread.
    spread = truth.standard_error
    assert found.low == pytest.approx(truth.confidence_interval.low, abs=0.07 * spread)
    assert found.high == pytest.approx(truth.confidence_interval.high, abs=0.07 * spread)
    assert found.se == pytest.approx(spread, rel=0.03)
    assert found.value == SKEWED.mean()


def test_two_arms_agree_with_scipy():
    """Bias-corrected interval of a difference of means; scipy resamples the arms apart as well."""
    first, second = SKEWED[:15], 1 + SKEWED[15:] * 2
    values, arm = np.concatenate([first, second]), np.repeat([0, 1], [15, 10])

    def difference(who):
        return values[who][arm[who] == 1].mean() - values[who][arm[who] == 0].mean()

    truth = stats.bootstrap(
        (second, first), lambda a, b, axis: a.mean(axis) - b.mean(axis), n_resamples=20_000, rng=3, vectorized=True
    )
    found = bootstrap(difference, 25, arm=arm, expand=False, n_repeat=20_000)
    assert found.low == pytest.approx(truth.confidence_interval.low, abs=0.07 * truth.standard_error)
    assert found.high == pytest.approx(truth.confidence_interval.high, abs=0.07 * truth.standard_error)


def test_arms_keep_their_size_and_people_stay_in_them():
    arm = ["drug"] * 6 + ["placebo"] * 3
    sizes = []

    def note(who):
        sizes.append((int((who < 6).sum()), len(who)))
        return float(np.mean(who))

    bootstrap(note, 9, arm=arm, kind="percentile", n_repeat=200)
    assert set(sizes) == {(6, 9)}


def test_the_same_seed_gives_the_same_interval_and_another_seed_another():
    one, two, other = (bootstrap(lambda who: SKEWED[who].mean(), 25, seed=seed) for seed in (1, 1, 2))
    assert one == two
    assert one.low != other.low


def test_expanded_quantiles_stand_where_t_has_them():
    """The percentile interval of a mean of many repeats is mean -+ t(n - 1) SD / sqrt(n) in large samples."""
    x = stats.norm.ppf((np.arange(40) + 0.5) / 40)
    found = bootstrap(lambda who: x[who].mean(), 40, kind="percentile", n_repeat=20_000)
    half = stats.t.ppf(0.975, 39) * x.std(ddof=1) / np.sqrt(40)
    assert (found.low, found.high) == pytest.approx((-half, half), abs=0.04 * half)


@pytest.mark.slow
def test_bca_covers_the_mean_of_a_normal_distribution():
    rng = np.random.default_rng(4)
    n = 500
    hits = 0
    for study in range(n):
        x = rng.normal(size=20)
        found = bootstrap(lambda who, x=x: x[who].mean(), 20, n_repeat=500, seed=study)
        hits += found.low <= 0 <= found.high
    assert hits / n == pytest.approx(0.95, abs=3 * np.sqrt(0.95 * 0.05 / n))


def test_what_cannot_be_computed_says_why():
    assert bootstrap(lambda who: 1.0, 10).why == "all repeats are equal"
    odd = bootstrap(lambda who: float("nan") if 0 in who else float(who.mean()), 10)
    assert np.isnan(odd.low)
    assert "no value" in odd.why
    rare = bootstrap(lambda who: float("nan") if len(set(who.tolist())) < 5 else SKEWED[who].mean(), 10)
    assert rare.n_lost > 0
    assert np.isfinite(rare.low)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"kind": "basic"}, "basic"),
        ({"n": 3}, "3 people"),
        ({"n_repeat": 10}, "10 repeats"),
        ({"arm": [0] * 9 + [1]}, "one person"),
    ],
    ids=["kind", "people", "repeats", "arm"],
)
def test_unusable_input_is_refused(options, words):
    with pytest.raises(InputError, match=words):
        bootstrap(lambda who: float(who.mean()), **{"n": 10, **options})
