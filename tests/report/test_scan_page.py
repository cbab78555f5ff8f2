import re

import numpy as np
import pytest

from raphe.data.record import Step
from raphe.data.scan import Scan
from raphe.quality import MEANING, Quality
from raphe.report import figures
from raphe.report.scan import scan_page

SCAN = Scan("02", "baseline", (("trc", "DASB"),), "DASB", "C11", 20.364, 599.103, 3.17, 53.6, None, "HRRT")
GOOD, BAD = int(Quality.GOOD), int(Quality.AT_BOUND | Quality.IMPLAUSIBLE)
REGIONS = {
    "thalamus": (1.9714, 0.1312, GOOD),
    "putamen": (4312.0, 1e9, BAD),
    "caudate": (0.9551, 0.0263, int(Quality.SLOW)),
}
STEPS = (
    Step("k2_prime", {"value": 0.0593, "se": 0.0034, "regions": ("thalamus", "putamen"), "model": "MRTM1"}),
    Step(
        "fit",
        {"model": "SRTM", "weights": "decay", "reference": "cerebellar grey", "n_frames": 12, "scan_minutes": 90.0},
        ("lammertsma1996",),
        {"sub-02/pet/tacs.tsv": "0123456789abcdef" * 4},
    ),
)
CITATIONS = {"lammertsma1996": "Lammertsma AA, Hume SP. NeuroImage 1996;4:153. doi 10.1006/nimg.1996.0066."}


def page(fit, scan=SCAN, **options):
    settings = {"steps": STEPS, "versions": {"raphe": "0.1.0"}, "citations": CITATIONS, "command_line": "raphe run a b"}
    return scan_page(scan, [fit], **{**settings, **options})


def test_page_is_well_formed_self_contained_and_the_same_each_time(make_fit, read):
    text = page(make_fit(REGIONS))
    found = read(text)
    assert found.tags[0] == "html"
    assert found.loads() == []
    assert "@import" not in text
    assert "url(" not in text
    assert len(found.ids) == len(set(found.ids))
    anchors = {value[1:] for _, name, value in found.attributes if name == "href" and value.startswith("#")}
    assert anchors <= set(found.ids)
    outside = {value for _, name, value in found.attributes if name == "href" and not value.startswith("#")}
    assert outside == {"https://doi.org/10.1006/nimg.1996.0066"}
    assert text == page(make_fit(REGIONS))


def test_numbers_stand_as_given(make_fit, read):
    text = read(page(make_fit(REGIONS, inputs={"k2_prime": 0.0593}))).text
    for expected in (
        "1.97 ± 0.13",
        "0.955 ± 0.026",
        "1.037 ± 0.021",
        "0.0811 ± 0.0012",
        "\N{MINUS SIGN}12.3",
        "599.1 MBq",
        "53.6 GBq/\N{MICRO SIGN}mol",
        "12 over 90 min",
        "0.0593 1/min, estimated by MRTM1 in thalamus and putamen",
        "[11C]DASB",
        "sub-02 ses-baseline",
        "raphe run a b",
        "0123456789ab",
        "cerebellar grey",
    ):
        assert expected in text


def test_flags_are_told_in_plain_words(make_fit, read):
    text = read(page(make_fit(REGIONS))).text
    assert "Left out of every summary (1 region)" in text
    assert "Kept, with a remark (1 region)" in text
    assert "2 of 3" in text
    for flag in (Quality.AT_BOUND, Quality.IMPLAUSIBLE, Quality.SLOW):
        assert MEANING[flag].replace("BP_ND", "BPND") in text


def test_no_flag(make_fit, read):
    assert "No region is flagged." in read(page(make_fit({"thalamus": (1.97, 0.13, GOOD)}))).text


def test_a_flagged_value_does_not_set_the_axis(make_fit):
    def axis(regions):
        points = [figures.Point(name, v, v - se, v + se, q == GOOD) for name, (v, se, q) in regions.items()]
        (drawing,) = figures.by_region(points, "BP_ND", "label")
        return re.findall(r'text-anchor="middle">([\d.]+)</text>', drawing)

    regions = {"a": (1.0, 0.1, GOOD), "b": (2.0, 0.1, GOOD), "c": (0.5, 0.1, GOOD)}
    assert axis(regions) == axis({**regions, "c": (4312.0, 1e9, BAD)}) != axis({**regions, "c": (40.0, 1.0, GOOD)})


def test_hostile_names_are_only_text(make_fit, read):
    hostile = '<script>alert("x")</script>'
    scan = Scan(hostile, hostile, (("task", hostile),), hostile, "C11", scanner=hostile)
    steps = (Step(hostile, {hostile: hostile}, (hostile,), {hostile: hostile}),)
    text = page(
        make_fit({hostile: (1.0, 0.1, BAD), "a\x00\n\ud800b" * 80: (1.0, 0.1, GOOD)}, model=hostile),
        scan,
        steps=steps,
        versions={hostile: hostile},
        citations={hostile: hostile},
        command_line=hostile,
        notes=(hostile,),
    )
    found = read(text)
    assert found.tags.count("script") == 1
    assert "\x00" not in text
    assert text.encode()
    assert hostile in found.text


def test_regions_of_the_plan_stand_first_and_the_rest_is_folded(make_fit, read):
    regions = {f"region {i}": (1.0, 0.1, GOOD) for i in range(30)}
    text = page(make_fit(regions), region_order=("region 20", "not there", "region 3"))
    assert text.index("region 20") < text.index("region 3<") < text.index("region 0<")
    assert "28 more regions" in read(text).text
    assert "6 more regions" in read(page(make_fit(regions))).text
    assert "more region" not in read(page(make_fit(REGIONS))).text


def test_curve_that_could_not_be_fitted(make_fit, read):
    fit = make_fit({"thalamus": (np.nan, np.nan, int(Quality.BAD_INPUT)), "putamen": (1.0, 0.1, GOOD)})
    activity, fitted, weights = fit.activity.copy(), fit.fitted.copy(), fit.weights.copy()
    activity[0], fitted[0], weights[0] = np.nan, np.nan, 0
    object.__setattr__(fit, "activity", activity)
    object.__setattr__(fit, "fitted", fitted)
    object.__setattr__(fit, "weights", weights)
    text = page(fit)
    assert not re.search(r"(?<!data-value=\")\b(nan|inf)\b", text, re.IGNORECASE)
    assert MEANING[Quality.BAD_INPUT] in read(text).text


def test_no_usable_region_at_all(make_fit, read):
    found = read(page(make_fit({"thalamus": (np.inf, np.nan, BAD), "putamen": (np.nan, np.nan, BAD)})))
    assert "0 of 2" in found.text


def test_residuals_have_unit_mean_square(make_fit):
    residual = figures.standardised_residuals(make_fit(REGIONS), 0)
    assert np.mean(residual**2) == pytest.approx(1)


def test_a_hundred_regions_stay_small(make_fit):
    regions = {f"ctx_lh_region_{i}": (1 + i / 50, 0.1, GOOD) for i in range(102)}
    assert len(page(make_fit(regions))) < 1_500_000


def test_the_legend_of_fits_names_what_is_drawn_broken(make_fit, read):
    """A fit that is kept with a remark is blue like the others."""
    text = read(page(make_fit({"thalamus": (1.97, 0.13, GOOD)}))).text
    assert "orange and broken where left out of every summary" in text
