"""Forest plot: marks stand at their values, and nothing is left out without a word."""

import math

import numpy as np
import pytest

from drawn import Drawn
from raphe.report.forest import MOST, ForestRow, forest, not_computed

NAN = math.nan


def drawn(rows, **options):
    (one,) = forest(rows, "BP_ND", "label", **options)
    return Drawn(one)


def test_marks_and_intervals_stand_at_their_values():
    rows = [ForestRow("a", 0.1, -0.05, 0.25, 8), ForestRow("b", -0.2, -0.4, 0.0, 8), ForestRow("c", 0.3, 0.1, 0.5, 8)]
    found = drawn(rows)
    value = found.x_of()
    assert [value(x) for x, _ in found.circles("estimate")] == pytest.approx([0.1, -0.2, 0.3], abs=2e-3)
    ends = [[value(x) for x in line[:, 0]] for line in found.lines("whisker")]
    np.testing.assert_allclose(ends, [(row.low, row.high) for row in rows], atol=2e-3)
    (zero,) = found.lines("zero")
    assert value(zero[0, 0]) == pytest.approx(0, abs=2e-3)
    for (_, y), row in zip(found.circles("estimate"), rows, strict=True):
        assert found.place(row.name)[1] == pytest.approx(y + 3.5)


def test_the_primary_row_is_a_diamond_on_a_band():
    found = drawn([ForestRow("a", 0.1, 0.0, 0.2, 8), ForestRow("b", 0.2, 0.1, 0.3, 8, primary=True)])
    (centre,) = found.diamonds()
    ((_, top, _, height),) = found.boxes("chosen")
    assert found.x_of()(centre[0]) == pytest.approx(0.2, abs=2e-3)
    assert top < centre[1] < top + height
    assert not top < found.circles("estimate")[0, 1] < top + height


def test_columns_give_the_numbers_in_the_row_of_their_mark():
    rows = [
        ForestRow("a", 0.0304, -0.0062, 0.0653, 30, 0.096, 1.0, 15.8, -3.0, 34.6),
        ForestRow("b", -0.5, -0.75, -0.25, 4, 0.0004, 0.0008, -20.0),
    ]
    found = drawn(rows)
    at = {text: (x, y) for text, x, y, _ in found.texts()}
    for words, row in (("+0.030 (\u22120.006 to 0.065)", "a"), ("+15.8 (\u22123.0 to 34.6)", "a"), ("30", "a"),
                       ("0.096", "a"), ("1.000", "a"), ("\u22120.50 (\u22120.75 to \u22120.25)", "b"),
                       ("< 0.001", "b")):  # fmt: skip
        assert at[words][1] == at[row][1], words
    assert at["30"][0] == at["n"][0] < at["p"][0] < at["adjusted p"][0]


def test_a_column_without_a_number_is_not_there():
    words = drawn([ForestRow("a", 0.1, 0.0, 0.2, 8, p=0.05)]).words()
    assert "p" in words
    assert not {"adjusted p", "per cent"} & set(words)


def test_a_row_that_could_not_be_computed_says_why_in_its_place():
    why = "the design has 4 columns but 2 scans have a usable estimate; " * 3
    rows = [ForestRow("a", 0.1, 0.0, 0.2, 8), ForestRow("gone", NAN, NAN, NAN, 2, why=why.strip()),
            ForestRow("b", 0.2, 0.1, 0.3, 8)]  # fmt: skip
    found = drawn(rows)
    lines = [(text, y) for text, _, y, anchor in found.texts() if anchor == "start"]
    assert " ".join(text for text, _ in lines) == "not computed: " + why.strip()
    assert len(lines) >= 2
    assert found.place("gone")[1] == lines[0][1]
    assert lines[-1][1] < found.place("b")[1] - 10
    assert len(found.circles("estimate")) == 2
    assert why.strip() in found.description


def test_what_was_not_computed_is_named_by_reason():
    rows = [ForestRow(name, NAN, NAN, NAN, 0, why=why) for name, why in (("a", "x"), ("b", "y"), ("c", "x"), ("d", ""))]
    assert not_computed([ForestRow("e", 1, 0, 2, 3), *rows]) == (
        "Not computed: a and c (x); b (y); d (no reason is known)."
    )
    assert not_computed([ForestRow("e", 1, 0, 2, 3)]) == ""


def test_one_wide_interval_does_not_squash_the_others():
    rows = [ForestRow(f"r{at}", 0.01 * at, 0.01 * at - 0.1, 0.01 * at + 0.1, 9) for at in range(9)]
    found = drawn([*rows, ForestRow("wide", 2.0, -30.0, 34.0, 3), ForestRow("open", 0.05, -math.inf, 0.15, 3)])
    assert len(found.circles("estimate")) == 10
    arrows = [text for text in found.words() if text in "\u25c0\u25b6"]
    assert sorted(arrows) == sorted("\u25c0\u25b6\u25c0")
    widths = np.array([np.ptp(line[:, 0]) for line in found.lines("whisker")])
    assert widths[:9].min() > widths.max() / 3


@pytest.mark.parametrize("rows", [[], [ForestRow("a", NAN, NAN, NAN, 0)], [ForestRow("a", 0.0, NAN, NAN, 1)]])
def test_nothing_or_next_to_nothing_can_be_drawn(rows):
    assert drawn(rows).height > 0


def test_many_rows_are_drawn_in_parts_on_one_scale():
    rows = [ForestRow(f"region {at}", at / 100, at / 100 - 0.1, at / 100 + 0.1, 9) for at in range(MOST + 5)]
    first, second = (Drawn(one) for one in forest(rows, "BP_ND", "label"))
    assert (len(first.circles("estimate")), len(second.circles("estimate"))) == (MOST, 5)
    assert first.x_of()(500) == pytest.approx(second.x_of()(500))


def test_the_margin_is_a_band_between_its_ends():
    found = drawn([ForestRow("a", 0.1, 0.0, 0.2, 8)], margin=(-0.3, 0.4))
    ((x, _, width, _),) = found.boxes("margin")
    assert found.x_of()(x) == pytest.approx(-0.3, abs=3e-3)
    assert found.x_of()(x + width) == pytest.approx(0.4, abs=3e-3)


def test_long_names_do_not_run_into_the_axis():
    rows = [ForestRow("ctx-lh-G_and_S_transv_frontopol_of_Destrieux_2010" * 2, 0.1, 0.0, 0.2, 8, 0.5, 0.5, 3.0)]
    found = drawn(rows)
    (name,) = [(text, x) for text, x, _, _ in found.texts() if "\u2026" in text]
    assert len(name[0]) <= 34
    assert len(name[0]) * 6.1 < name[1] < min(line[:, 0].min() for line in found.lines("whisker"))
