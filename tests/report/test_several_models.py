"""One scan by several models: side by side, each with a section of its own, and small."""

import html
import re

import numpy as np
import pytest

from raphe.data.record import Step
from raphe.data.scan import Scan
from raphe.quality import Quality
from raphe.report.scan import scan_page

SCAN = Scan("11", "test", (), "MC1", "C11", 20.364)
GOOD, BAD = int(Quality.GOOD), int(Quality.NOT_CONVERGED)
UNSURE = int(Quality.UNDETERMINED)


def step(model, **more):
    return Step("fit", {"model": model, "title": f"title of {model}", "weights": "decay", "plasma": True, **more})


def page(fits, steps=None, **options):
    settings = {"versions": {"raphe": "0.1.0"}, "citations": {}, "command_line": "raphe run a b"}
    steps = [step(fit.model) for fit in fits] if steps is None else steps
    return scan_page(options.pop("scan", SCAN), fits, steps=steps, **{**settings, **options})


@pytest.fixture
def fits(make_tissue_fit):
    two = {
        "thalamus": (2.5, 0.12, GOOD, 0.031, 0.004),
        "putamen": (2.0, 0.11, UNSURE, 0.0213, 0.5321),
        "caudate": (3.0, 0.13, BAD, 0.02, 0.001),
    }
    one = {"thalamus": (2.0, 0.1, GOOD), "putamen": (2.2, 0.1, GOOD), "caudate": (2.1, 0.1, GOOD)}
    return (
        make_tissue_fit("2TCM", two, akaike=[0.999, 0.30, 0.97]),
        make_tissue_fit("1TCM", one, akaike=[0.001, 0.70, 0.03]),
        make_tissue_fit("Logan", one, inputs={"t_star": 30.0, "V_B": 0.0}),
    )


def table(text, anchor):
    """Rows of the table that a caption with this anchor heads: cells with their classes."""
    start = text.index(f'aria-labelledby="{anchor}"')
    body = text[start : text.index("</table>", start)]
    return {
        re.search(r">([^<>]+)</(?:a|th)>", row)[1]: re.findall(r'<td class="([^"]*)"[^>]*>(?:<a[^>]*>)?([^<]*)', row)
        for row in body.split("<tbody>")[1].split("<tr")[1:]
    }


def test_page_is_well_formed_self_contained_and_the_same_each_time(fits, read):
    text = page(fits)
    found = read(text)
    assert found.loads() == []
    assert len(found.ids) == len(set(found.ids))
    anchors = {value[1:] for _, name, value in found.attributes if name == "href" and value.startswith("#")}
    assert anchors <= set(found.ids)
    assert text == page(fits)
    figures = [int(n) for n in re.findall(r"<b>Figure (\d+)\.</b>", text)]
    tables = [int(n) for n in re.findall(r"<b>Table (\d+)\.</b>", text)]
    assert figures == list(range(1, len(figures) + 1))
    assert tables == list(range(1, len(tables) + 1))


def test_what_the_data_prefer_is_counted_over_regions(fits, read):
    text = read(page(fits)).text
    assert (
        "Of the models that fit the curve itself (2TCM and 1TCM), 2TCM is preferred in 2 of 3 regions (Akaike weight "
        "above 0.95 in 2), 1TCM in 1 of 3 regions (Akaike weight above 0.95 in none)." in text
    )
    assert "leaves it out of every summary in 1 region by 2TCM" in text
    assert "Logan cannot take part" in text
    assert "Preferred by the data 2TCM in 2 of 3 regions" in text


def test_models_that_cannot_be_compared_claim_nothing(make_tissue_fit, read):
    plain = {"thalamus": (2.0, 0.1, GOOD)}
    text = read(page([make_tissue_fit("MA1", plain), make_tissue_fit("Logan", plain)])).text
    assert "prefer" not in text.replace("prefers-color-scheme", "").lower()


def test_side_by_side_table_has_every_model_and_weight(fits):
    rows = table(page(fits), "models-table")
    assert [html.unescape(words) for _, words in rows["thalamus"]] == [
        "2.50", "± 0.12", "> 0.99", "2.00", "± 0.10", "< 0.01", "2.00", "± 0.10",
    ]  # fmt: skip
    assert "best" in rows["thalamus"][0][0]
    assert "best" not in rows["putamen"][0][0]
    assert "best" in rows["putamen"][3][0]
    assert "bad" in rows["caudate"][0][0]
    assert "bad" not in rows["caudate"][3][0]


def test_an_undetermined_parameter_is_grey_and_its_row_is_not(fits, read):
    text = page(fits)
    rows = table(text, "model-0-table")
    grey = {name: [words for kind, words in cells if "unsure" in kind] for name, cells in rows.items()}
    assert grey == {"thalamus": [], "putamen": ["0.021", "± 0.53"], "caudate": []}
    found = read(text).text
    assert "k3: 1 of 3 regions (putamen)" in found
    assert "undetermined</span>" not in text  # a flag of the parameter, not of the region
    assert "Kept, with a remark" not in found


def test_a_parameter_without_standard_error_says_so(make_tissue_fit):
    fit = make_tissue_fit("2TCM", {"putamen": (2.0, 0.11, UNSURE, 5.0, np.nan)})
    kinds = table(page([fit]), "table")["putamen"]
    assert ("se unsure", "± n/a") in kinds


def test_a_fixed_value_is_no_estimate(make_tissue_fit):
    fit = make_tissue_fit("1TCM", {"putamen": (2.0, 0.11, GOOD)}, inputs={"V_B": 0.05})
    cells = [words for _, words in table(page([fit]), "table")["putamen"]]
    assert cells[cells.index("0.05") + 1] == "fixed"


def test_what_a_model_is_used_for_stands_first_with_its_unit(fits, read):
    text = page(fits[:1])
    assert text.index("V</i><sub>T</sub> &plusmn; SE") < text.index("K</i><sub>1</sub> &plusmn; SE")
    assert "mL/cm³" in text
    assert "VT by region" in read(text).text
    assert "BP" not in read(text).text


def test_share_of_blood_is_said_fixed_or_estimated(make_tissue_fit, read):
    regions = {"putamen": (2.0, 0.1, GOOD)}
    assert "Share of blood VB estimated in each region" in read(page([make_tissue_fit("1TCM", regions)])).text
    fixed = read(page([make_tissue_fit("1TCM", regions, inputs={"V_B": 0.05})])).text
    assert "Share of blood VB 0.05, fixed" in fixed


def test_no_reference_curve_where_there_is_none(fits, make_fit):
    assert 'class="reference"' not in page(fits)
    assert "reference curve" not in page(fits)
    assert 'class="reference"' in page([make_fit({"putamen": (1.0, 0.1, GOOD)})])


def test_frames_that_were_not_fitted_are_told_apart(make_tissue_fit):
    fit = make_tissue_fit("Logan", {"putamen": (2.0, 0.1, GOOD)}, inputs={"t_star": 30.0})
    weights = fit.weights.copy()
    weights[:, :4] = 0
    object.__setattr__(fit, "weights", weights)
    text = page([fit])
    assert 'class="data out"' in text
    assert "grey dots: frames that were not fitted" in text
    assert "8 of 12" in text


def test_intervals_that_were_computed_are_shown(make_tissue_fit, read):
    fit = make_tissue_fit("2TCM", {"putamen": (2.0, 0.11, UNSURE, 0.03, 0.02)})
    low, high = np.full(fit.value.shape, np.nan), np.full(fit.value.shape, np.nan)
    low[0], high[0] = (0.11, 0.004, 0.04, 1.7), (0.13, np.inf, 0.06, 2.6)
    for name, value in (("low", low), ("high", high), ("uncertainty", "profile")):
        object.__setattr__(fit, name, value)
    text = read(page([fit])).text
    assert "1.70 to 2.60" in text
    assert "above 0.004" in text
    assert "95 % interval (profile likelihood)" in text


def test_a_model_that_the_scan_does_not_allow_is_told(fits, read):
    steps = [*(step(fit.model) for fit in fits), Step("not_fitted", {"model": "SUVR", "why": "the window is too late"})]
    text = read(page(fits, steps)).text
    assert text.count("SUVR was not fitted: the window is too late") == 1


def test_hostile_names_are_only_text(make_tissue_fit, read):
    hostile = '"><script>alert(1)</script>'
    fits = [
        make_tissue_fit(f"{hostile}{i}", {hostile: (2.0, 0.1, GOOD), "b": (1.0, 0.1, BAD)}, akaike=[0.5, 0.5])
        for i in range(2)
    ]
    steps = [
        step(hostile), Step("not_fitted", {"model": hostile, "why": hostile}), Step("delay", {hostile: hostile}),
        Step("blood_read", {"recordings": (hostile,), "n_plasma": 3}), Step("fit_parent_fraction", {"title": hostile}),
    ]  # fmt: skip
    found = read(page(fits, steps))
    assert found.tags.count("script") == 1


@pytest.mark.parametrize("known", [[np.nan, np.nan, np.nan], [0.5, np.nan, 0.5]])
def test_weights_that_are_not_known_are_dashes(make_tissue_fit, read, known):
    regions = {name: (2.0, 0.1, GOOD) for name in "abc"}
    text = page([make_tissue_fit(model, regions, akaike=known) for model in ("2TCM", "1TCM")])
    assert not re.search(r"(?<!data-value=\")\b(nan|inf)\b", text, re.IGNORECASE)


def test_models_of_different_regions_and_parameters_share_a_page(make_tissue_fit, make_fit, read):
    fits = [make_fit({"putamen": (1.0, 0.1, GOOD)}), make_tissue_fit("1TCM", {"cerebellum": (2.0, 0.1, GOOD)})]
    rows = table(page(fits), "models-table")
    assert rows["cerebellum"][0] == ("val", "&ndash;")
    assert rows["putamen"][2] == ("val", "&ndash;")


def test_four_models_of_a_hundred_regions_stay_small(make_tissue_fit, read):
    regions = {f"ctx-lh-region-of-some-length-{i}": (2 + i / 50, 0.1, UNSURE, 0.03, 0.1) for i in range(108)}
    weights = np.linspace(0.01, 0.99, 108)
    fits = [
        make_tissue_fit("2TCM", regions, akaike=weights, n_frame=40),
        make_tissue_fit("1TCM", regions, akaike=1 - weights, n_frame=40),
        make_tissue_fit("MA1", regions, n_frame=40),
        make_tissue_fit("Logan", regions, n_frame=40),
    ]
    text = page(fits)
    assert len(text.encode()) < 3_000_000
    assert text.count("102 more regions") == 4
