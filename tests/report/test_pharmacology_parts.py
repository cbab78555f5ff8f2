"""Flow, ligand and receptors, and dose as the page tells them."""

import math

import numpy as np
import pytest

from raphe.data.pharmacology import DoseResponse, FlowCheck
from raphe.data.pharmacology_tables import (
    DoseCurve,
    DosePoint,
    DoseRow,
    DoseTable,
    FlowRow,
    FlowTable,
    LigandRow,
    LigandTable,
    Pharmacology,
)
from raphe.data.results import Interval
from raphe.pharmacology.competition import displacement
from raphe.pharmacology.separation import separate_by_depletion, separate_by_release
from raphe.report.dose_figure import dose_plot
from raphe.report.page import _environment
from raphe.report.pharmacology import dose_part, flow_part, ligand_part, parts_of
from raphe.report.wording import NOTHING, quantities

NAN = float("nan")


def checked(parameter="R1", statement="R1 changed by -2.0 %: delivery is the same"):
    return FlowCheck(
        parameter, 8, Interval(0.98, 0.95, 1.01), Interval(0.98, 0.955, 1.005), 0.2, 0.003, 1.1, True, statement
    )


def flows(rows, *, assumed=True, arms=()):
    return FlowTable("c", "DASB", "SRTM", "a", "b", arms, 1.1, assumed, tuple(rows))


def test_the_sentence_is_of_the_primary_region_and_names_whose_margin_it_is():
    rows = [FlowRow("putamen", "R1", 8, checked(statement="of putamen")), FlowRow("caudate", "R1", 8, checked())]
    part = flow_part(flows(rows), "caudate")
    assert part.sentences[0] == "In caudate, R1 changed by -2.0 %: delivery is the same."
    assert "The margin of 10 % is an assumption of raphe" in part.sentences[1]
    assert len(flow_part(flows(rows, assumed=False), "caudate").sentences) == 1
    assert flow_part(flows(rows), "").sentences[0].startswith("In putamen, of putamen")


def test_both_parameters_stand_in_one_row_and_reasons_in_the_last_column():
    rows = [
        FlowRow("putamen", "R1", 8, checked()),
        FlowRow("caudate", "R1", 1, None, why="too few"),
        FlowRow("putamen", "k2_prime", 8, checked("k2_prime")),
        FlowRow("caudate", "k2_prime", 1, None, why="too few"),
    ]
    (table,) = flow_part(flows(rows)).tables
    assert table.rows[0] == (
        "putamen",
        *("8", "\N{MINUS SIGN}2.0 (\N{MINUS SIGN}5.0 to +1.0)", "0.200", "0.003") * 2,
        "",
    )
    assert table.rows[1] == ("caudate", *("1", NOTHING, NOTHING, NOTHING) * 2, "too few")
    assert (table.header[-1], table.notes) == ("Remark", 1)


def test_many_regions_are_folded_away_and_a_model_without_R1_says_so():
    rows = [FlowRow(f"r{at}", "R1", 8, checked()) for at in range(7)]
    assert flow_part(flows(rows)).tables[0].folded == "All 7 regions"
    assert flow_part(flows(rows[:6])).tables[0].folded == ""
    assert "no estimate is of R1 or k2_prime by SRTM" in flow_part(flows([])).sentences[0]
    assert flow_part(flows([])).tables == ()
    none = flow_part(flows([FlowRow("putamen", "R1", 1, None, why="too few")]))
    assert none.sentences[0] == "No region could be compared: too few."


OWN = np.linspace(1.5, 2.5, 8)
NOISE = 1 + 0.04 * np.random.default_rng(4).standard_normal((4, 8))


def ligands(found, design="pair", theta0=NAN, ends=()):
    rows = (LigandRow("caudate", 1, None, why="one participant"), LigandRow("putamen", 8, found))
    return LigandTable("c", "DASB", "SRTM", ("a", "b", "c", "d"), design, theta0, ends, rows)


def test_a_pair_is_told_with_its_line_and_its_assumption():
    found, _ = displacement(OWN, OWN * 0.8 * NOISE[0], theta0=0.2, theta0_range=(0.1, 0.4))
    part = ligand_part(ligands(found, theta0=0.2, ends=(0.1, 0.4)))
    assert "cannot tell" in part.sentences[0]
    assert part.sentences[1] == "theta0 = 0.2 (0.1 to 0.4) is an assumption of the plan and was not measured here."
    assert str(part.figures[0].panels[0].drawing).count("<title>") == 2  # receptors alone and ligand alone
    (table,) = part.tables
    assert table.header[-2:] == ("n-fold, ligand alone", "Remark")
    assert table.rows[0] == ("caudate", "1", NOTHING, NOTHING, NOTHING, "one participant")
    plain = ligand_part(ligands(displacement(OWN, OWN * 0.8 * NOISE[0])[0]))
    assert len(plain.sentences) == 1
    assert "n-fold, ligand alone" not in plain.tables[0].header


@pytest.mark.parametrize("design", ["release", "depletion"])
def test_four_sessions_have_both_answers_and_what_is_taken_for_granted(design):
    call = separate_by_release if design == "release" else separate_by_depletion
    factors = np.array([[1.0], [1.1], [0.7 if design == "release" else 1.3], [0.8 if design == "release" else 1.6]])
    part = ligand_part(ligands(call(*(OWN * factors * NOISE))[0], design))
    (table,) = part.tables
    assert ("theta0" in table.header) == (design == "depletion")
    assert ("releaser adds as much" in table.caption) == (design == "release")
    assert "can be told apart" in part.sentences[0]
    assert part.figures == ()


def test_an_interval_without_end_says_so():
    found, _ = separate_by_release(OWN, OWN * NOISE[1], OWN * NOISE[2], OWN * NOISE[3])
    assert math.isinf(found.receptors.high)
    row = ligand_part(ligands(found, "release")).tables[0].rows[1]
    assert "(no limit to no limit)" in row[2]


def doses(given, *, fit=True, left_out=()):
    response = DoseResponse(
        Interval(10, 5, math.inf), Interval(1, 1, 1), Interval(1.2, 0.8, 1.9), 0.05, 0.0, ("EC50", "hill"),
        np.zeros(2), np.eye(2), len(given), len(given), 3, "mg", "dose", ("it is not determined",),
    )  # fmt: skip
    points = tuple(DosePoint(f"0{at}", "b", dose, dose / (dose + 10), 0.1, 0.9) for at, dose in enumerate(given))
    grid = np.linspace(max(min(given), 0.1), max(given), 5)
    curve = DoseCurve(grid, grid / (grid + 10), grid / (grid + 12), grid / (grid + 8))
    far = ((0.5, Interval(10, 5, 20)), (0.8, Interval(NAN, NAN, NAN)))
    row = DoseRow(
        "putamen", points, response if fit else None, curve if fit else None, far, ("a remark",), left_out, ""
    )
    return DoseTable("c", "DASB", "SRTM", "dose", "mg", "dose", 1.0, None, (row,))


def test_the_curve_is_told_with_its_remarks_and_who_is_left_out():
    part = dose_part(doses([1, 5, 30], left_out=(("07", "no dose"),)))
    assert part.sentences[0] == (
        "not determined: ED50; ED50 10 (5 to no limit) mg, E_max in per cent 100 (fixed), Hill slope 1.2 (0.8 to 1.9), "
        "3 scans; it is not determined; a remark."
    )
    assert "Left out of the curve: 07" in part.sentences[1]
    assert part.tables[0].rows[0][-1] == NOTHING  # no dose gives 80 %
    assert dose_part(doses([1, 5, 30], fit=False)).figures == ()


@pytest.mark.parametrize(("given", "logarithmic"), [([2, 5, 20], False), ([2, 5, 21], True), ([0, 5, 45], False)])
def test_doses_that_span_more_than_tenfold_have_a_logarithmic_axis(given, logarithmic):
    table = doses(given)
    drawing = str(dose_plot(table, table.rows[0]))
    assert drawing.count('<circle class="estimate"') == 3
    assert drawing.count('class="whisker"') == 3
    places = [float(part.split('"')[0]) for part in drawing.split('cx="')[1:]]
    share = (places[1] - places[0]) / (places[2] - places[0])
    expected = (
        np.log(given[1] / given[0]) / np.log(given[2] / given[0]) if logarithmic else np.diff(given)[0] / np.ptp(given)
    )
    assert share == pytest.approx(expected, abs=0.01)


def test_parts_stand_by_the_name_of_their_contrast_and_are_escaped():
    rows = [FlowRow("<b>", "R1", 8, checked(statement="R1 <i> B_max")), FlowRow("x", "R1", 1, None, why="too few")]
    flow = flows(rows)
    found = parts_of(Pharmacology(flow=(flow,), dose=(doses([1, 2, 3]),)))
    assert [part.title for part in found["c"]] == [
        "Flow: delivery and clearance in the same people",
        "Occupancy against dose",
    ]
    source = '{% from "pharmacology.html.j2" import parts with context %}'
    source += "{{ parts(items, namespace(figure=0, table=0)) }}"
    html = _environment().from_string(source).render(items=found["c"])
    assert "&lt;b&gt;" in html
    assert '<span class="why">too few</span>' in html
    assert "Remark" not in html  # the reason stands under the name of the region
    assert "<b>" not in html.replace("<b>Table", "").replace("<b>Figure", "")
    assert "&lt;i&gt; <i>B</i><sub>max</sub>" in html


def test_quantities_are_written_as_the_field_does():
    told = str(quantities("B_max -0.2 to -1, theta0 (n - 1), E_max x^h, 5-HT and p < 0.1"))
    assert "<i>B</i><sub>max</sub> \N{MINUS SIGN}0.2 to \N{MINUS SIGN}1" in told
    assert "\N{GREEK SMALL LETTER THETA}<sub>0</sub> (n \N{MINUS SIGN} 1)" in told
    assert "<i>E</i><sub>max</sub> x<sup><i>h</i></sup>" in told
    assert "5-HT" in told
    assert "&lt; 0.1" in told or "&lt;\N{NO-BREAK SPACE}0.1" in told
