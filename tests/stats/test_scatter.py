"""Scatter of scans from the figures that papers print."""

from __future__ import annotations

import math

import numpy as np
import pytest

from raphe.errors import InputError
from raphe.stats.scatter import FROM_VARIABILITY, Scatter, scatter

TRUTH = Scatter(6.0, 12.0)


@pytest.mark.parametrize(
    "names", ["within between", "within total", "within icc", "between total", "between icc", "total icc"]
)
def test_any_two_figures_give_the_others(names):
    figures = {"within": 6.0, "between": 12.0, "total": math.sqrt(180.0), "icc": 0.8}
    found = scatter(**{name: figures[name] for name in names.split()})
    assert (found.within, found.between) == pytest.approx((6.0, 12.0))
    assert (found.scan, found.icc) == pytest.approx((math.sqrt(180.0), 0.8))


def test_a_change_holds_two_scans_and_the_response():
    assert TRUTH.change == pytest.approx(6 * math.sqrt(2))
    assert scatter(within=6.0, response=8.0).change == pytest.approx(math.sqrt(72 + 64))
    assert math.isnan(scatter(within=6.0).icc)


def test_absolute_variability_of_normal_scans():
    rng = np.random.default_rng(1)
    scans = rng.normal(100, 6.0, (200_000, 2))
    assert np.abs(scans[:, 0] - scans[:, 1]).mean() * FROM_VARIABILITY == pytest.approx(6.0, rel=0.01)


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ({}, "none"),
        ({"icc": 0.8}, "icc"),
        ({"total": 8.0}, "total"),
        ({"within": 1.0, "between": 1.0, "icc": 0.5}, "within, between, icc"),
        ({"within": 9.0, "total": 8.0}, "includes the latter"),
        ({"between": 9.0, "total": 8.0}, "includes the latter"),
        ({"within": 1.0, "icc": 1.0}, "ICC of 1"),
        ({"between": 1.0, "icc": 0.0}, "contradict"),
        ({"within": -1.0}, "not possible"),
        ({"within": 1.0, "response": -1.0}, "not possible"),
    ],
    ids=lambda value: value.split()[0] if isinstance(value, str) else "",
)
def test_figures_that_do_not_go_together_are_refused(figures, words):
    with pytest.raises(InputError, match=words):
        scatter(**figures)
