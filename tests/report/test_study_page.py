import dataclasses
import math
import re

import numpy as np
import pytest

from raphe.data.concern import Concern, Movement
from raphe.data.estimates import Estimate, Estimates
from raphe.data.record import Step
from raphe.data.results import (
    Agreement,
    AgreementRow,
    Contrast,
    ContrastRow,
    Excluded,
    Interval,
    PairedValues,
)
from raphe.data.scan import Scan
from raphe.quality import MEANING, Quality
from raphe.report.binding import macros_of
from raphe.report.study import ScanSummary, study_page
from raphe.report.verdict import family_verdict, region_verdict

NAN = math.nan
FIRST, SECOND = (2.0, 2.2, 1.8, 2.4), (2.1, 2.5, 1.7, 2.6)


def pairs(region="thalamus", n=4, excluded=()):
    values = np.array([FIRST[:n], SECOND[:n]])
    se = np.full(n, 0.1)
    return PairedValues(region, tuple(f"{i:02d}" for i in range(n)), values[0], values[1], se, se, excluded)


def contrast_row(region="thalamus", n=4, p=0.21, p_adjusted=0.42, why="", estimate=0.125, excluded=()):
    interval = (0.08, 3.0, -0.13, 0.38) if n > 1 else (NAN, NAN, NAN, NAN)
    return ContrastRow(pairs(region, n, excluded), estimate, *interval, p, p_adjusted, 5.93, why)


def contrast(*rows, primary=False, adjust="holm"):
    return Contrast("ketamine", "DASB", "SRTM", "BP_ND", "before", "after", adjust, primary, rows)


def agreement(n=4, why=""):
    unknown = Interval(NAN, NAN, NAN)
    if n < 2:
        row = AgreementRow(pairs(n=n), Interval(0.1, NAN, NAN), unknown, unknown, unknown, unknown, unknown, why)
    else:
        row = AgreementRow(
            pairs(n=n),
            Interval(0.125, -0.13, 0.38),
            Interval(-0.19, -0.91, 0.02),
            Interval(0.44, 0.23, 1.16),
            Interval(0.814, 0.11, 0.98),
            Interval(6.53, 3.7, 17.2),
            Interval(4.96, 2.9, 13.1),
            why,
        )
    return Agreement("DASB", "SRTM", "BP_ND", "before", "after", "ICC(A,1)", (row,))


def estimates(extra=()):
    rows = [
        Estimate(f"{i:02d}", session, "DASB", "", "", "thalamus", "SRTM", "BP_ND", value, 0.1, Quality.GOOD)
        for session, values in (("before", FIRST), ("after", SECOND))
        for i, value in enumerate(values)
    ]
    return Estimates((*rows, *extra))


def scans():
    return [
        ScanSummary(Scan(f"{i:02d}", session, (), "DASB", "C11"), f"sub-{i:02d}/ses-{session}/report.html")
        for session in ("before", "after")
        for i in range(4)
    ]


def page(title="A study", table=None, contrasts=(), agreements=(), listed=None, **options):
    settings = {"steps": (), "versions": {"raphe": "0.1.0"}, "citations": {}, "command_line": "raphe run"}
    table = estimates() if table is None else table
    return study_page(
        title, scans() if listed is None else listed, table, contrasts, agreements, **{**settings, **options}
    )


def test_page_is_well_formed_self_contained_and_the_same_each_time(read):
    options = {"contrasts": [contrast(contrast_row())], "agreements": [agreement()]}
    text = page(**options)
    found = read(text)
    assert found.loads() == []
    assert len(found.ids) == len(set(found.ids))
    assert text == page(**options)
    assert "sub-00/ses-before/report.html" in {value for _, name, value in found.attributes if name == "href"}


def test_a_dark_page_keeps_its_figures_on_light_paper():
    """Colours of the page are variables; figures have those of the light page, whatever the page is."""
    style = page().partition("<style>")[2].partition("</style>")[0]
    light = re.search(r":root, figure, p\.keys \{([^}]*)\}", style)[1]
    dark = re.search(r"prefers-color-scheme: dark\) \{\s*:root \{([^}]*)\}", style)[1]
    names = [set(re.findall(r"--[a-z]+(?=:)", one)) for one in (light, dark)]
    assert names[0] == names[1]
    used = set(re.findall(r"var\((--[a-z]+)\)", style)) - {"--wide"}
    assert used <= names[0]


def test_numbers_stand_as_given(read):
    text = read(page(contrasts=[contrast(contrast_row())], agreements=[agreement()])).text
    for expected in (
        "2.10 ± 0.26",  # mean and SD of FIRST
        "2.23 ± 0.41",  # of SECOND
        "+0.125",
        "\N{MINUS SIGN}0.130 to 0.380",
        "+5.9",
        "1.56",  # t = 0.125 / 0.08
        "0.21",
        "0.42",
        "0.81",
        "0.11 to 0.98",
        "6.5",
        "3.7 to 17.2",
        "5.0",
        "2.9 to 13.1",
        "[11C]DASB",
    ):
        assert expected in text


def test_values_that_are_not_usable_enter_no_summary(read):
    bad = Estimate("04", "before", "DASB", "", "", "thalamus", "SRTM", "BP_ND", 4312.0, 1.0, Quality.IMPLAUSIBLE)
    text = page(table=estimates([bad]))
    found = read(text)
    assert "2.10 ± 0.26" in found.text
    assert "4312" not in text
    assert MEANING[Quality.IMPLAUSIBLE] in found.text
    assert "8 of 9" in found.text


def test_a_missing_partner_is_told_with_its_reason(read):
    out = Excluded("07", "after", "thalamus", "no scan in session after")
    text = read(page(contrasts=[contrast(contrast_row(excluded=(out,)))], agreements=[agreement()])).text
    assert "07 after [11C]DASB all no scan in session after" in text


def test_scans_are_listed_by_concern(read):
    bad = Estimate("02", "after", "DASB", "", "", "putamen", "SRTM", "BP_ND", 9.0, 1.0, Quality.AT_BOUND)
    listed = [*scans(), ScanSummary(Scan("09", "before", (), "DASB", "C11"), failure="the reference is empty")]
    text = page(table=estimates([bad]), listed=listed)
    order = [text.index(label) for label in (">sub-09_ses-before", ">sub-02_ses-after", ">sub-00_ses-after")]
    assert order == sorted(order)
    assert "not analysed the reference is empty" in read(text).text


def test_images_are_ranked_by_doubts_and_then_by_movement(read):
    def scan(label, n, largest, **more):
        concern = Concern(("it is dark",) * n, Movement(largest, 0.3, 0.2), 2, 30, 0.5, ("pons",))
        return ScanSummary(Scan(label, "before", (), "DASB", "C11"), f"{label}.html", concern=concern, **more)

    listed = [*scans(), scan("11", 0, 0.4), scan("12", 1, 0.1), scan("13", 0, 2.5, excluded="asleep")]
    text = page(listed=listed)
    section = text[text.index('id="quality"') : text.index('id="excluded"')]
    order = [section.index(f'href="{label}.html#preprocessing"') for label in ("12", "13", "11")]
    assert order == sorted(order)
    assert section.count("<tr>") == 4
    words = read(text).text
    assert "Scans with more doubts stand first" in words
    assert "sub-12_ses-before it is dark 1 0.1 0.30 0.20 50 2 of 30 1 (pons)" in words
    assert "sub-13_ses-before excluded" in words
    assert 'id="quality"' not in page()


def test_excluded_scans_stand_in_a_table_with_their_reasons_and_last_among_the_scans(read):
    listed = [ScanSummary(Scan("09", "before", (), "DASB", "C11"), excluded="asleep & away"), *scans()]
    text = read(page(listed=listed)).text
    assert "Scans excluded by a person 1" in text
    assert "sub-09_ses-before [11C]DASB asleep & away" in text
    assert text.index("sub-03_ses-after") < text.rindex("sub-09_ses-before")


def test_hostile_names_are_only_text(read):
    hostile = '"><script>alert(1)</script>'
    rows = [
        Estimate(hostile, session, hostile, hostile, "", hostile, hostile, "BP_ND", 1.0, 0.1, quality)
        for session, quality in ((hostile, Quality.GOOD), ("b", Quality.AT_BOUND))
    ]
    renamed = Contrast(
        hostile, hostile, hostile, hostile, hostile, hostile, "holm", True, (contrast_row(hostile, why=hostile),)
    )
    text = page(
        hostile,
        Estimates(tuple(rows)),
        [renamed],
        [agreement(why=hostile)],
        [ScanSummary(Scan(hostile, hostile, (), hostile), hostile, hostile, (hostile,))],
        steps=(Step("paired", {"name": hostile, "n_regions": 1}),),
        question=hostile,
        primary_region=hostile,
        notes=(hostile,),
    )
    assert read(text).tags.count("script") == 1


def test_an_empty_study_is_a_page(read):
    assert "There is no estimate" in read(page(table=Estimates(()), listed=[])).text


def test_one_participant_is_no_inference(read):
    why = "one participant allows no inference across people"
    text = read(
        page(contrasts=[contrast(contrast_row(n=1, p=NAN, p_adjusted=NAN, why=why))], agreements=[agreement(1, why)])
    ).text
    assert "no inference across people is possible" in text
    assert "nothing here can be carried over to others" in text
    assert f"In every region: {why}." in text


def test_the_primary_region_stands_first_and_is_judged_by_its_own_p(read):
    rows = (contrast_row("putamen", p=0.001, p_adjusted=0.002), contrast_row("thalamus", p=0.04, p_adjusted=0.08))
    text = page(contrasts=[contrast(*rows, primary=True)], primary_region="thalamus")
    assert "primary question The data show an increase of BPND of [11C]DASB in thalamus" in read(text).text
    table = text[text.index("Table 2.") :]
    assert table.index("thalamus") < table.index("putamen")


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (contrast_row(p=0.21), "do not show a difference"),
        (contrast_row(p=0.21), "no evidence that there is none"),
        (contrast_row(p=0.01), "show an increase"),
        (contrast_row(p=0.01, estimate=-0.125), "show a decrease"),
        (contrast_row(n=1, p=NAN), "no inference across people"),
        (contrast_row(n=0, p=NAN, why="nobody has both"), "cannot be compared: nobody has both"),
        (contrast_row(p=NAN, why="all differences are equal"), "cannot be tested: all differences are equal"),
    ],
)
def test_verdict_of_a_region(row, says):
    verdict = region_verdict(contrast(row), row)
    assert says in verdict
    assert "no effect" not in verdict


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ((contrast_row("a"), contrast_row("b")), "do not show a difference in any (after Holm's adjustment"),
        ((contrast_row("a", p_adjusted=0.01), contrast_row("b")), "show a difference in a (after Holm's adjustment)"),
        ((contrast_row("a", n=1, p_adjusted=NAN),), "Only one participant"),
        ((contrast_row("a", p_adjusted=NAN), contrast_row("b")), "1 region could not be tested"),
        ((contrast_row("a", p_adjusted=NAN), contrast_row("b", p_adjusted=NAN)), "None of 2 regions could be tested"),
        ((contrast_row("a", p=NAN, p_adjusted=NAN, why="all are equal"),), "but this cannot be tested: all are equal"),
    ],
)
def test_verdict_over_regions(rows, says):
    assert says in family_verdict(contrast(*rows))


@pytest.mark.parametrize(("p_adjusted", "others"), [(0.01, False), (0.4, True)])
def test_others_are_told_of_where_there_are_some(p_adjusted, others):
    told = family_verdict(contrast(contrast_row("a", p_adjusted=0.01), contrast_row("b", p_adjusted=p_adjusted)))
    assert ("in the others they do not" in told) == others


def several(models=("2TCM", "1TCM"), parameters=("V_T", "K1", "BP_ND")):
    return Estimates(
        tuple(
            Estimate(f"{i:02d}", session, "MC1", "", "", region, model, parameter, value, 0.1, Quality.GOOD)
            for session, values in (("before", FIRST), ("after", SECOND))
            for i, value in enumerate(values)
            for region in ("thalamus", "putamen")
            for model in models
            for parameter in parameters
        )
    )


def agreement_of(model, parameter="V_T", regions=("thalamus", "putamen"), trv=6.53):
    known = agreement().rows[0]
    rows = tuple(
        dataclasses.replace(known, pairs=pairs(region), trv=Interval(trv + at, 3.7, 17.2))
        for at, region in enumerate(regions)
    )
    return Agreement("MC1", model, parameter, "before", "after", "ICC(A,1)", rows)


def test_a_study_of_volumes_speaks_of_volumes(read):
    found = read(page(table=several(("2TCM",)), agreements=[agreement_of("2TCM")], macros={"2TCM": "V_T"}))
    assert "VT by region" in found.text
    assert "Usable estimates of VT 16 of 16" in found.text
    assert "BPND" not in found.text
    assert "models side by side" not in found.text


@pytest.mark.parametrize(
    ("parameters", "told", "expected"),
    [
        (("K1", "V_T", "BP_ND"), {}, "V_T"),
        (("K1", "V_T", "BP_ND"), {"2TCM": "BP_ND"}, "BP_ND"),
        (("K1", "K_i", "V_ND"), {}, "K_i"),
        (("R1", "BP_ND"), {}, "BP_ND"),
        (("SUVR",), {"2TCM": "V_T"}, "SUVR"),
        (("x", "y"), {}, "x"),
    ],
)
def test_what_a_model_is_used_for(parameters, told, expected):
    assert macros_of(several(("2TCM",), parameters), [], [], told) == {"2TCM": expected}


def test_models_are_set_side_by_side_over_the_regions_that_all_have(read):
    both = [agreement_of("2TCM", trv=10.0), agreement_of("1TCM", regions=("thalamus",), trv=8.0)]
    text = page(table=several(), agreements=both)
    found = read(text).text
    assert "median over the 1 region in which every model has it" in found
    assert re.search(r"2TCM \(VT\) 4 0\.81 ?0\.81 to 0\.81 10\.0", found)
    assert re.search(r"1TCM \(VT\) 4 0\.81 ?0\.81 to 0\.81 8\.0", found)
    assert "By region (2 regions)" in found
    assert text.index("models side by side") < text.index("1TCM: after against before")
    assert "Per cents of different parameters" not in found


def test_different_parameters_side_by_side_carry_a_warning(read):
    both = [agreement_of("MRTM2", "BP_ND"), agreement_of("SUVR", "SUVR")]
    assert "Per cents of different parameters do not compare" in read(page(agreements=both)).text


def test_the_first_model_stands_open_and_the_others_are_folded():
    text = page(table=several(), agreements=[agreement_of("2TCM"), agreement_of("1TCM")])
    folded = re.findall(r'<details class="model">\s*<summary>([^:]*)', text)
    assert folded == ["MC1, 1TCM", "MC1, 1TCM"]


def test_models_that_leave_out_the_same_for_the_same_reason_share_a_row(read):
    bad = [
        Estimate("02", "after", "MC1", "", "", "skull", model, "V_T", 9.0, 1.0, Quality.AT_BOUND)
        for model in ("2TCM", "1TCM")
    ]
    table = Estimates((*several().rows, *bad))
    assert "02 after MC1 VT by 2TCM and 1TCM skull" in read(page(table=table)).text


def test_a_compared_parameter_that_is_not_determined_is_told(read):
    bad = Estimate("02", "after", "MC1", "", "", "skull", "2TCM", "BP_ND", 0.1, 1.0, Quality.UNDETERMINED)
    compared = Contrast("c", "MC1", "2TCM", "BP_ND", "before", "after", "holm", False, (contrast_row(),))
    text = read(page(table=Estimates((*several().rows, bad)), contrasts=[compared], macros={"2TCM": "V_T"})).text
    assert "BPND by 2TCM skull the data do not tell it" in text


def test_a_page_of_several_models_is_well_formed_and_the_same_each_time(read):
    options = {"table": several(), "agreements": [agreement_of("2TCM"), agreement_of("1TCM")]}
    text = page(**options)
    found = read(text)
    assert found.loads() == []
    assert len(found.ids) == len(set(found.ids))
    assert text == page(**options)
    for kind in ("Figure", "Table"):
        numbers = [int(n) for n in re.findall(rf"<b>{kind} (\d+)\.</b>", text)]
        assert numbers == list(range(1, len(numbers) + 1))


def test_settings_of_many_scans_are_told_together(read):
    steps = [Step("fit", {"model": "2TCM", "n_frames": n, "weights": "decay"}) for n in range(20, 30)]
    found = read(page(steps=steps))
    assert "All settings, step by step (10 steps)" in found.text
    assert "fit (10 times) model 2TCM n_frames 20; 21; 22; 23; and 6 others weights decay" in found.text


def test_only_the_first_model_says_whose_each_dot_is():
    text = page(table=several(), agreements=[agreement_of("2TCM"), agreement_of("1TCM")])
    first, folded = text.split('<details class="model">')[:2]
    assert "<title>thalamus, before, 00: " in first
    assert "<title>" not in folded.split("</details>")[0]
    assert folded.count('class="people s0"') == 2


def test_sessions_with_a_treatment_between_them_are_no_test_retest(read):
    armed = Estimates(
        tuple(row._replace(arm="drug" if row.participant in {"00", "01"} else "placebo") for row in estimates().rows)
    )
    text = read(page(table=armed, agreements=[agreement()])).text
    assert "they are no test-retest reliability" in text
    assert "Agreement of sessions" in text
    plain = read(page(agreements=[agreement()])).text
    assert "no test-retest reliability" not in plain


def test_scans_of_one_tracer_are_counted_once(read):
    assert "Scans 8 [11C]DASB" in read(page()).text
    two = [*scans(), ScanSummary(Scan("09", "before", (), "WAY", "C11"))]
    assert "Scans 9 (8 [11C]DASB and 1 [11C]WAY)" in read(page(listed=two)).text


def test_a_scan_that_others_have_is_counted_as_missing(read):
    present = [one for one in scans() if (one.scan.participant, one.scan.session) != ("03", "after")]
    present[0] = dataclasses.replace(present[0], excluded="moved")
    text = read(page(listed=present)).text
    assert "1 scan missing" in text
    assert "1: no scan in the data set" in text
    assert "1 scan excluded by a person" in text
    assert "4 people, 6 of 8 expected scans" in text


def test_each_person_is_drawn_by_arm_where_there_are_arms(read):
    armed = Estimates(
        tuple(row._replace(arm="drug" if row.participant in {"00", "01"} else "placebo") for row in estimates().rows)
    )
    compared = [contrast(contrast_row())]
    text = read(page(table=armed, contrasts=compared)).text
    assert "of [11C]DASB, each person" in text
    assert "each person" not in read(page(contrasts=compared)).text


def test_settings_are_written_as_words_and_not_as_python_has_them(read):
    steps = [Step("tried", {"members": ("a", "b"), "nothing": (), "margin": None, "found": True, "level": 0.05})]
    told = "tried members a, b nothing none margin none found yes level 0.05"
    assert told in read(page(steps=steps)).text
