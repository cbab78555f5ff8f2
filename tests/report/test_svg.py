import math
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raphe.report import svg

finite = st.floats(-1e6, 1e6)


@given(st.lists(finite, min_size=1, max_size=20), st.booleans())
def test_a_scale_holds_its_values_and_its_ticks(values, zero):
    scale = svg.scale(values, 10, 200, zero=zero)
    assert all(scale.holds(value) for value in values)
    assert not zero or scale.holds(0)
    ticks = scale.ticks()
    assert 1 <= len(ticks) <= 7
    assert all(10 - 1e-6 <= scale(tick) <= 200 + 1e-6 for tick in ticks)


@pytest.mark.parametrize("values", [[], [math.nan], [math.inf, -math.inf], [0.0], [0.0, 0.0], [-3.0], [2.0, 2.0]])
@pytest.mark.parametrize("zero", [True, False])
def test_a_scale_of_nothing_or_of_one_value_is_a_scale(values, zero):
    scale = svg.scale(values, 0, 100, zero=zero)
    assert scale.high > scale.low
    assert scale.ticks()


def test_ticks_are_round():
    assert svg.Scale(0, 93, 0, 100).ticks(5) == [0, 20, 40, 60, 80]
    assert svg.Scale(-0.13, 0.31, 0, 100).ticks(5) == [-0.1, 0, 0.1, 0.2, 0.3]


def test_values_beyond_the_scale_stand_at_its_end():
    scale = svg.Scale(0, 10, 100, 0)
    assert (scale.clipped(20), scale.clipped(-1), scale.clipped(5)) == (0, 100, 50)
    assert scale.clipped(math.inf) == 0


def test_lines_break_where_a_value_is_missing():
    assert svg.path([(0, 0), (1, 1), (2, math.nan), (3, 3)], "k") == '<path class="k" d="M0 0L1 1M3 3"/>'
    assert svg.path([(0, math.nan)], "k") == ""
    assert svg.dots([(0, 0), (1, math.inf)], "k") == '<path class="k" d="M0 0h0"/>'


def test_text_is_escaped():
    hostile = '</text><script>"&\x00'
    drawing = svg.drawing(10, 10, [svg.text(0, 0, hostile), svg.mark(0, 0, 1, "k", hostile)], hostile)
    root = ET.fromstring(drawing)
    assert {child.tag for child in root.iter()} == {"svg", "text", "circle", "title"}
    shown = hostile.replace("\x00", "\N{REPLACEMENT CHARACTER}")
    assert root.attrib["aria-label"] == shown
    assert root.find("text").text == shown


def test_a_scale_from_zero_begins_there_unless_a_value_is_negative():
    assert svg.from_zero([3.0, 10.0], 0, 100).low == 0
    assert svg.from_zero([-5.0, 10.0], 0, 100).holds(-5.0)
    assert svg.from_zero([], 0, 100).holds(0.5)


@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=20))
def test_a_scale_of_logarithms_holds_three_decades_below_its_highest(values):
    scale = svg.log_scale(values, 100, 0)
    assert all(scale.holds(value) for value in values if value > max(values) / 1e3)
    assert scale(scale.low) == 100
    assert scale(scale.high) == pytest.approx(0)
    assert scale(math.sqrt(scale.low * scale.high)) == pytest.approx(50)
    assert all(scale.low <= tick <= scale.high for tick in scale.ticks())
    assert scale.ticks()


def test_ticks_of_a_scale_of_logarithms_are_round():
    assert svg.LogScale(0.08, 120, 0, 100).ticks(5) == [0.1, 1, 10, 100]
    assert svg.LogScale(0.8, 120, 0, 100).ticks(6) == [1, 3, 10, 30, 100]
    assert svg.LogScale(1.8, 30, 0, 100).ticks(6) == [2, 5, 10, 20]


@pytest.mark.parametrize("values", [[], [0.0], [-1.0, math.nan], [5.0], [5.0, 5.0]])
def test_a_scale_of_logarithms_of_nothing_or_of_one_value_is_a_scale(values):
    scale = svg.log_scale(values, 100, 0)
    assert 0 < scale.low < scale.high
    assert scale(0.0) == scale(-3.0) == 100
    assert math.isnan(scale(math.nan))
