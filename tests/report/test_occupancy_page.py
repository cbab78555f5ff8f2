"""The page of an occupancy: what it draws, what it says, and what no name can do to it."""

import math
import re

import numpy as np
import pytest

from raphe.catalog import references
from raphe.data.pharmacology import OccupancyStudy
from raphe.data.results import Interval, PairedValues
from raphe.pharmacology.competition import displacement
from raphe.pharmacology.dose_response import fit_dose_response
from raphe.pharmacology.flow import flow_check
from raphe.pharmacology.lassen import group_line, lassen_plot
from raphe.pharmacology.occupancy import occupancy
from raphe.pharmacology.separation import separate_by_depletion, separate_by_release
from raphe.report.lassen_figure import lassen_figure, share_of
from raphe.report.occupancy import occupancy_page

SPECIFIC = np.array([0.3, 0.8, 1.2, 1.7, 2.4, 3.0])
NAMES = ["a & b", "<b>bold</b>", "frontal", "thalamus", "caudate", "putamen"]


def line(**said):
    random = np.random.default_rng(1)
    x, y = ((1.5 + left * SPECIFIC) * (1 + 0.03 * random.normal(size=6)) for left in (1.0, 0.4))
    return lassen_plot(NAMES, x, y, participant="<01>", **said)


def page(parameter="V_T", **said):
    one, step = line(parameter=parameter, **said)
    pairs = tuple(
        PairedValues(row.name, ("<01>",), *(np.array([v]) for v in (row.baseline, row.blocked, 0.1, 0.1)))
        for row in one.regions
    )
    by_region = occupancy(pairs)[0] if parameter == "BP_ND" else ()
    study = OccupancyStudy("X", "2TCM", parameter, "base", "drug", pairs, by_region, (one,), group_line([one]))
    return occupancy_page(study, steps=[step], versions={"raphe": "0"}, citations={}, command_line="raphe occupancy")


def test_the_figure_has_a_mark_for_each_region_and_one_for_v_nd():
    drawing = str(lassen_figure(line()[0]))
    assert drawing.count("<circle") == 6
    assert drawing.count("<polygon") == 1
    assert 'class="whisker"' in drawing
    assert str(lassen_figure(line(parameter="BP_ND")[0])).count("<polygon") == 0


@pytest.mark.parametrize("parameter", ["V_T", "BP_ND"])
def test_the_page_is_whole_and_names_are_only_names(parameter):
    text = page(parameter)
    assert "<b>bold" not in text
    assert "&lt;b&gt;bold" in text
    assert "a &amp; b" in text
    assert ("Lassen plot" in text) is (parameter == "V_T")
    assert ("Occupancy by region" in text) is (parameter == "BP_ND")
    assert not re.search(r"\bnan\b", text, re.IGNORECASE)
    assert page(parameter) == text


def test_what_is_not_determined_is_drawn_and_told():
    random = np.random.default_rng(3)
    x, y = ((1.5 + left * 2.0) * (1 + 0.05 * random.normal(size=6)) for left in (1.0, 0.4))
    one, _ = lassen_plot(NAMES, x, y)
    assert math.isinf(one.V_ND.high)
    assert "do not determine" in " ".join(one.statements)
    assert "NaN" not in str(lassen_figure(one))
    assert "inf" not in str(lassen_figure(one))


def test_every_step_of_pharmacology_cites_what_the_reference_list_has():
    step = line()[1]
    pair = PairedValues("r", ("1",), *(np.array([v]) for v in (2.0, 1.0, 0.1, 0.1)))
    steps = [
        step,
        occupancy([pair])[1],
        displacement(1.0, 0.8, baseline_se=0.1, changed_se=0.1)[1],
        separate_by_release(1.0, 0.9, 0.6, 0.55, se=(0.1,) * 4)[1],
        separate_by_depletion(1.0, 0.9, 1.2, 1.1, se=(0.1,) * 4)[1],
        flow_check([1.0, 1.1], [1.05, 1.1])[1],
        fit_dose_response([1.0, 5, 20], [0.1, 0.4, 0.7])[1],
    ]
    for one_step in steps:
        assert one_step.citations
        assert set(one_step.citations) <= set(references())


def test_names_beside_the_dots_do_not_cover_each_other():
    """Two dots at one place, as insula and cingulate often are: their names were written over each other."""
    names = ["anterior cingulate", "insula", "frontal", "thalamus", "caudate", "putamen"]
    x = np.array([1.06, 1.05, 1.4, 1.9, 2.4, 2.8])
    one, _ = lassen_plot(names, x, x * np.array([0.75, 0.75, 0.8, 0.78, 0.8, 0.79]), parameter="BP_ND")
    found = re.findall(r'<text x="([\d.]+)" y="([\d.]+)"([^>]*)>([^<]+)</text>', str(lassen_figure(one)))
    boxes = []
    for left, base, how, name in found:
        if name in names:
            wide = 5 * len(name)  # less than the letters take
            start = float(left) - (wide if "end" in how else 0)
            boxes.append((start, float(base), start + wide))
    assert len(boxes) == len(names)
    for at, (start, base, end) in enumerate(boxes):
        for other_start, other_base, other_end in boxes[:at]:
            assert abs(base - other_base) >= 8 or end <= other_start or other_end <= start


def test_an_occupancy_has_one_decimal_at_both_ends_and_in_the_middle():
    assert share_of(Interval(0.00719, -0.0799, 0.0873)) == "0.7 % (\N{MINUS SIGN}8.0 to 8.7 %)"
    assert share_of(Interval(0.5, -math.inf, 0.9)) == "50.0 % (no limit to 90.0 %)"
    assert share_of(Interval(0.5, math.nan, math.nan)) == "50.0 %"


def test_columns_of_a_lassen_plot_stand_only_beside_one():
    assert "specific (%)" in page("V_T")
    assert "specific (%)" not in page("BP_ND")
    assert "without it</th>" not in page("BP_ND")
