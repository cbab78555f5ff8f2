from itertools import permutations, product

import numpy as np
import pytest

from raphe.core.exchange import exchanges, flips
from raphe.errors import InputError


def distinct_by_force(labels, blocks, within, whole):
    """Distinct label sequences among all n! orders that the blocks allow."""
    labels, blocks = np.asarray(labels), np.asarray(blocks)
    members = [np.flatnonzero(blocks == b) for b in dict.fromkeys(blocks.tolist())]
    found = set()
    for order in permutations(range(len(labels))):
        sources = [[order[i] for i in block] for block in members]
        fits = all(
            any(
                (sorted(source) == sorted(other) if within else source == list(other))
                and (whole or np.array_equal(other, own))
                for other in members
            )
            for source, own in zip(sources, members, strict=True)
        )
        if fits:
            found.add(tuple(labels[list(order)].tolist()))
    return found


CASES = {
    "two groups": ([0, 0, 0, 1, 1], [0] * 5, True, False),
    "three kinds": ([0, 1, 1, 2, 0], [0] * 5, True, False),
    "within pairs": ([0, 1, 0, 1, 0, 1], [0, 0, 1, 1, 2, 2], True, False),
    "whole blocks": ([0, 1, 0, 2, 0, 1], [0, 0, 1, 1, 2, 2], False, True),
    "whole blocks, interleaved": ([0, 0, 0, 1, 2, 1], [0, 1, 2, 0, 1, 2], False, True),
    "whole and within": ([0, 1, 1, 2, 0, 1], [0, 0, 1, 1, 2, 2], True, True),
    "blocks of two sizes": ([0, 1, 2, 0, 1, 1, 2], [0, 0, 0, 1, 1, 2, 2], False, True),
    "blocks of two sizes, both": ([0, 1, 2, 0, 1, 1], [0, 0, 1, 1, 2, 3], True, True),
}


@pytest.mark.parametrize("name", CASES)
def test_every_distinct_order_is_listed_once_and_the_observed_first(name):
    labels, blocks, within, whole = CASES[name]
    wanted = distinct_by_force(labels, blocks, within, whole)
    shuffles = exchanges(labels, 10_000, 0, blocks, within=within, whole=whole)
    found = [tuple(np.asarray(labels)[order].tolist()) for order in shuffles.order]
    assert shuffles.complete
    assert shuffles.possible == len(wanted) == len(found)
    assert set(found) == wanted
    assert found[0] == tuple(labels)
    assert all(sorted(order) == list(range(len(labels))) for order in shuffles.order.tolist())


@pytest.mark.parametrize("name", [name for name in CASES if name != "blocks of two sizes"])  # that has but two
def test_random_orders_are_allowed_ones_and_none_comes_twice(name):
    labels, blocks, within, whole = CASES[name]
    wanted = distinct_by_force(labels, blocks, within, whole)
    count = len(wanted) - 1
    shuffles = exchanges(labels, count, 3, blocks, within=within, whole=whole)
    found = [tuple(np.asarray(labels)[order].tolist()) for order in shuffles.order]
    assert not shuffles.complete
    assert len(set(found)) == len(found) == count
    assert set(found) < wanted
    assert found[0] == tuple(labels)


def test_random_orders_are_all_as_likely():
    counts = dict.fromkeys(distinct_by_force([0, 0, 1, 1], [0] * 4, True, False), 0)
    for seed in range(600):
        for order in exchanges([0, 0, 1, 1], 2, seed).order[1:]:
            counts[tuple(np.array([0, 0, 1, 1])[order].tolist())] += 1
    drawn = [count for order, count in counts.items() if order != (0, 0, 1, 1)]
    assert sum(drawn) == 600
    assert sum((count - 120) ** 2 / 120 for count in drawn) < 18.5  # chi-squared with 4 df, p = 0.001


def test_all_flips_of_four():
    shuffles = flips(4, 5000, 0)
    assert shuffles.complete
    assert shuffles.possible == 16
    assert {tuple(row) for row in shuffles.sign.tolist()} == set(product((1, -1), repeat=4))
    assert shuffles.sign[0].tolist() == [1, 1, 1, 1]


def test_a_block_has_one_sign():
    shuffles = flips(6, 100, 0, ["b", "a", "a", "b", "c", "c"])
    assert shuffles.possible == len(shuffles.sign) == 8
    for one, other in ((0, 3), (1, 2), (4, 5)):
        np.testing.assert_array_equal(shuffles.sign[:, one], shuffles.sign[:, other])


def test_random_flips_differ_and_follow_the_seed():
    first, again, other = (flips(15, 5000, seed).sign for seed in (1, 1, 2))
    assert len(np.unique(first, axis=0)) == 5000
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert abs(first[1:].mean()) < 4 / np.sqrt(first[1:].size)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: flips(4, 1, 0), "1 permutations cannot give a p value"),
        (lambda: flips(4, 10, 0, [0, 1]), r"blocks have shape \(2,\), but there are 4 scans"),
        (lambda: exchanges([0, 1], 10, 0, within=False), "neither within blocks nor"),
    ],
    ids=["too few", "blocks", "no exchange"],
)
def test_what_cannot_be_shuffled_is_said(call, message):
    with pytest.raises(InputError, match=message):
        call()
