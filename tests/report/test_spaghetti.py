"""Spaghetti plot: each person's values, and the mean of those who count."""

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from drawn import Drawn
from raphe.errors import InputError
from raphe.report.spaghetti import PersonLine, mean_interval, spaghetti

NAN = math.nan

DRUG = [PersonLine("a", "drug", (1.0, 1.5)), PersonLine("b", "drug", (2.0, 2.5)), PersonLine("c", "drug", (1.5, 1.6))]
OTHER = [PersonLine("d", "placebo", (1.2, 1.1)), PersonLine("e", "placebo", (1.9, 2.0))]


def drawn(lines, sessions=("before", "after"), **options):
    return Drawn(spaghetti(lines, sessions, "BP_ND", "label", **options))


def test_dots_stand_at_the_values_under_their_session():
    found = drawn(DRUG + OTHER)
    value = found.y_of()
    heights = [value(y) for _, y in found.circles("person")]
    assert heights == pytest.approx([v for line in DRUG + OTHER for v in line.values], abs=0.01)
    names = [(text, x) for text, x, _, _ in found.texts() if text in ("before", "after")]
    places = found.circles("person")[:, 0]
    np.testing.assert_allclose(places, [names[0][1], names[1][1]] * 3 + [names[2][1], names[3][1]] * 2)


def test_groups_share_an_axis_and_have_their_own_colour():
    found = drawn(DRUG + OTHER)
    assert len(found.circles("person")) == 10
    blue, orange = (found.circles(kind)[:, 0] for kind in ("s0", "s1"))
    assert blue.max() < orange.min()
    again = drawn(OTHER + DRUG, groups=("drug", "placebo"))
    np.testing.assert_allclose(again.circles("s0"), found.circles("s0"))


def test_the_mean_and_its_interval_are_those_of_the_people_who_count():
    out = PersonLine("f", "drug", (9.0, 9.5), why="moved")
    found = drawn([*DRUG, out])
    value = found.y_of()
    after = [line.values[1] for line in DRUG]
    low, high = stats.t.interval(0.95, 2, np.mean(after), stats.sem(after))
    assert value(found.circles("middle")[1, 1]) == pytest.approx(np.mean(after), abs=0.05)
    (bars,) = found.lines("reach")
    assert sorted(value(y) for y in bars[2:, 1]) == pytest.approx([low, high], abs=0.05)
    assert len(found.circles("hollow")) == 2
    assert value(found.circles("hollow")[0, 1]) == pytest.approx(9.0, abs=0.05)
    assert "n = 3, 1 left out" in found.words()
    assert "f, before: 9.000 (left out: moved)" in found.notes()


def test_a_mean_interval_is_that_of_scipy():
    values = [1.0, 1.4, NAN, 2.2, 0.7]
    known = [v for v in values if v == v]
    found = mean_interval(values)
    assert (found.low, found.high) == pytest.approx(stats.t.interval(0.95, 3, np.mean(known), stats.sem(known)))
    assert mean_interval([2.0]).value == 2.0
    assert math.isnan(mean_interval([2.0]).low)
    assert math.isnan(mean_interval([NAN]).value)


def test_a_missing_session_is_stepped_over_and_counted():
    lines = [PersonLine("a", "", (1.0, NAN, 1.4)), PersonLine("b", "", (2.0, 2.1, 2.2))]
    found = drawn(lines, ("s1", "s2", "s3"))
    first, second = found.lines("strand s0")
    assert len(first) == 2
    assert (first[0, 0], first[1, 0]) == (second[0, 0], second[2, 0])
    assert [text for text in found.words() if text.startswith("n = ")] == ["n = 2", "n = 2", "n = 1", "n = 2"]


def test_many_groups_stand_in_rows_within_the_width():
    lines = [PersonLine(f"p{at}", f"group {at % 9}", (1.0, 1.1 + at / 50)) for at in range(27)]
    found = drawn(lines)
    heads = [(x, y) for text, x, y, _ in found.texts() if text.startswith("group")]
    assert len(heads) == 9
    assert len({y for _, y in heads}) == 2
    assert max(x for x, _ in heads) + 120 < found.width <= 902


def test_names_of_sessions_do_not_overlap():
    sessions = ("baseline", "24 h after the infusion", "72 h after the infusion", "four weeks after it")
    found = drawn([PersonLine(f"p{at}", f"group {at % 3}", (1.0, 1.1, 1.2, 1.3)) for at in range(9)], sessions)
    ends = [
        (x - len(text) * 3.05, x + len(text) * 3.05, y) for text, x, y, anchor in found.texts() if anchor == "middle"
    ]
    row = sorted(end for end in ends if end[2] == max(y for *_, y in ends))
    assert all(left[1] <= right[0] + 1 for left, right in pairwise(row))
    assert row[0][0] >= 0
    assert row[-1][1] <= found.width


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_names_of_the_last_session_are_not_cut_off(n):
    sessions = [f"nbqx and ketamine {at}" for at in range(n)]
    found = drawn([PersonLine("a", "", (1.0,) * n), PersonLine("b", "", (1.2,) * n)], sessions)
    ends = [x + len(text) * 3.05 for text, x, _, anchor in found.texts() if anchor == "middle" and "nb" in text]
    assert len(ends) == n
    assert max(ends) <= found.width


@pytest.mark.parametrize(
    "lines", [[], [PersonLine("a", "g", (NAN, NAN))], [PersonLine("a", "g", (1.0, 1.0))]], ids=["none", "nan", "one"]
)
def test_next_to_nothing_can_be_drawn(lines):
    assert drawn(lines).height > 0


def test_a_person_has_one_value_a_session():
    with pytest.raises(InputError, match="b has 1 values, but there are 2 sessions"):
        spaghetti([DRUG[0], PersonLine("b", "drug", (1.0,))], ("before", "after"), "BP_ND", "label")


def test_without_names_no_dot_tells_whose_it_is():
    assert drawn(DRUG, named=False).notes() == []
