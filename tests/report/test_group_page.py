"""The group page as a whole: everything stands on it once, closed and escaped, and nothing is fetched."""

import re

import numpy as np
import pytest

from group_scene import answers, page_of, peak_rows, scatter, whole_page
from raphe.report.group import Group, correlation_figure
from raphe.report.peaks import PeakRow, peaks
from raphe.report.planned import planned


@pytest.fixture(scope="module")
def text():
    return whole_page()


def test_the_page_is_whole_and_needs_nothing_else(text, read):
    page = read(text)
    assert all(address.startswith("data:image/png;base64,") for address in page.loads())
    assert len(page.ids) == len(set(page.ids))
    assert text == whole_page()
    assert len(text) < 250_000


def test_figures_and_tables_are_numbered_in_order(text):
    for what in ("Figure", "Table"):
        numbers = [int(n) for n in re.findall(rf"<b>{what} (\d+)\.</b>", text)]
        assert numbers == list(range(1, len(numbers) + 1))
        assert numbers


def test_every_drawing_has_words_for_who_cannot_see_it(text):
    drawings = re.findall(r"<svg [^>]*>(?:<desc>[^<]+</desc>)?", text)
    assert len(drawings) >= 9
    assert all(re.search(r'role="img" aria-label="[^"]+"', one) and one.endswith("</desc>") for one in drawings)


def test_the_caution_stands_before_the_results(text, read):
    words = read(text).text
    assert words.index("This is not evidence that the drug differs from placebo") < words.index("Not shown.")


def test_no_number_is_nan(text):
    drawn = re.sub(r'href="data:[^"]+"', "", text)
    assert not re.search(r"\bnan\b|\binf\b", drawn)


def test_hostile_names_are_escaped(read):
    hostile = "</svg><script>alert(1)</script>"
    found = [
        answers()[0].__class__(hostile, "primary", "between", hostile, hostile, hostile, 0.1, 0.0, 0.2, p=0.5, n=3)
    ]
    page = read(page_of(hostile, Group(planned(found))))
    assert page.tags.count("script") == 1


def test_an_empty_plan_is_said(read):
    assert "The plan names no contrast." in read(page_of("t", Group(planned([])))).text


def test_both_correlations_stand_with_their_own_numbers():
    figure = correlation_figure(scatter(), scatter(adjusted=True))
    assert [panel.title for panel in figure.panels] == ["as measured", "adjusted for baseline MADRS"]
    raw, partial = (panel.aside for panel in figure.panels)
    assert raw.startswith("r = ")
    assert partial.startswith("partial r = ")
    left = [np.delete(values, 2) for values in (scatter().x, scatter().y)]
    assert f"r = {np.corrcoef(*left)[0, 1]:.2f}".replace("-", "\N{MINUS SIGN}") in raw


def test_peaks_are_gathered_by_cluster():
    first, *rest = peak_rows()
    found = peaks([first, rest[1], rest[0]])
    assert [line.region for line in found.lines][:2] == [first.region, rest[0].region]
    assert [line.cluster for line in found.lines] == ["1", "", "2"]
    assert [line.voxels for line in found.lines] == ["214", "", "31"]
    assert found.lines[0].place == ("30", "\u221212", "\u221216")
    assert [line.shown for line in found.lines] == [True, True, False]
    assert found.told == (
        "2 peaks by height and 1 cluster by size are significant after correction for the whole map (p at or below "
        "0.05)."
    )


@pytest.mark.parametrize(
    "rows", [[], [PeakRow("a", 0, 0, 0, 4.0, 0.2), PeakRow("b", 9, 0, 0, 3.9, 0.3)]], ids=["0", "2"]
)
def test_a_map_without_a_significant_peak_is_no_evidence_of_absence(rows):
    found = peaks(rows)
    assert "no evidence that there is no effect anywhere" in found.told
    assert len(found.lines) == len(rows)
