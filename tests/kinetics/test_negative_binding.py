"""Binding below zero nearly everywhere says that the reference is another region than was meant."""

import numpy as np
import pytest

from raphe.kinetics.negative_binding import doubt_of_binding, n_below


@pytest.mark.parametrize(
    ("value", "se", "n"),
    [
        ([-0.5, -0.4, 0.2], [0.01, 0.01, 0.01], 2),
        ([-0.5, -0.4, 0.2], [0.3, 0.01, 0.01], 1),  # the first may be 0
        ([-0.05, 0.03, -0.02], [0.001, 0.001, 0.001], 0),  # blocked, and white matter
        ([-0.5, np.nan, -0.5], [0.01, np.nan, np.nan], 1),
    ],
)
def test_what_is_certainly_below_zero(value, se, n):
    assert n_below(np.array(value), np.array(se), np.ones(3, dtype=bool)) == n


def test_what_is_not_usable_does_not_count():
    assert n_below(np.full(3, -0.5), np.full(3, 0.01), np.array([True, False, True])) == 2


@pytest.mark.parametrize(("below", "usable", "doubtful"), [(2, 3, True), (1, 2, False), (1, 1, False), (0, 9, False)])
def test_more_than_half_of_several_make_a_doubt(below, usable, doubtful):
    told = doubt_of_binding(below, usable, "regions")
    assert bool(told) == doubtful
    assert not told or f"BP_ND is below 0 in {below} of {usable} usable regions" in told
