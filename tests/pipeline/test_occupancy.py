"""``raphe occupancy`` from words to files: both kinds of table, what it says, and what it refuses."""

import json
import math

import numpy as np
import pytest

from raphe.pharmacology.lassen import lassen_plot

REGIONS = ["white", "cerebellum", "occipital", "frontal", "thalamus", "caudate", "putamen", "raphe"]
SPECIFIC = np.array([0.3, 0.8, 1.2, 1.7, 2.4, 3.0, 3.5, 4.0])
V_ND, OCCUPANCY = 1.5, 0.6


def volumes(seed, left=1.0, noise=0.03):
    return (V_ND + left * SPECIFIC) * (1 + noise * np.random.default_rng(seed).normal(size=8))


def kinpar(path, label, values, se=2.0, regions=REGIONS, quality=None):
    """Write a table of parameters of one scan."""
    flags = quality or [""] * len(regions)
    lines = [f"name\t{label}\t{label}-se\tsigma\taicc\tn_frames\tquality"]
    lines += [f"{name}\t{v:.9g}\t{se}\t1\t1\t30\t{q}" for name, v, q in zip(regions, values, flags, strict=True)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def lassen(tmp_path):
    """Two tables of V_T of one participant."""
    stem = "sub-01_ses-{}_trc-X_seg-gtm_model-2TCM_kinpar.tsv"
    return (
        kinpar(tmp_path / stem.format("base"), "VT", volumes(1)),
        kinpar(tmp_path / stem.format("drug"), "VT", volumes(2, 1 - OCCUPANCY)),
    )


@pytest.fixture
def estimates(tmp_path):
    """A table of BP_ND of three participants, with another tracer beside it."""
    path = tmp_path / "estimates.tsv"
    lines = ["participant\tsession\ttracer\tcondition\tarm\tregion\tmodel\tparameter\tvalue\tse\tquality"]
    for tracer, model in (("DASB", "MRTM2"), ("AZ", "SRTM")):
        for at, who in enumerate(("01", "02", "03")):
            for session, left in (("pre", 1.0), ("post", 1 - OCCUPANCY)):
                values = left * SPECIFIC / V_ND * (1 + 0.02 * np.random.default_rng(at).normal(size=8))
                lines += [
                    f"{who}\t{session}\t{tracer}\tn/a\tn/a\t{name}\t{model}\tBP_ND\t{v:.9g}\t{0.03 * v:.9g}\t"
                    for name, v in zip(REGIONS, values, strict=True)
                ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


TABLE = "sub-01_trc-X_seg-gtm_model-2TCM_meas-VT_occupancy"


def test_a_lassen_plot_from_two_scans(lassen, raphe, rows_of, tmp_path):
    out = tmp_path / "out"
    ended = raphe("occupancy", *lassen, "--out", out)
    assert ended.code == 0, ended.err
    assert ended.out.split() == [str(out / f"{TABLE}.tsv"), str(out / f"{TABLE}.html")]
    assert {path.name for path in out.iterdir()} == {f"{TABLE}.{kind}" for kind in ("tsv", "json", "html")}
    rows = rows_of(out / f"{TABLE}.tsv")
    assert [row["region"] for row in rows] == [*REGIONS, "all regions", "all regions"]
    expected, _ = lassen_plot(REGIONS, volumes(1), volumes(2, 1 - OCCUPANCY))
    (line,) = (row for row in rows if row["scope"] == "line")
    for column, value in (
        ("occupancy", expected.occupancy.value),
        ("ci_low", expected.occupancy.low),
        ("VND", expected.V_ND.value),
        ("VND_ci_low", expected.V_ND.low),
        ("VND_ci_high", expected.V_ND.high),
    ):
        assert float(line[column]) == pytest.approx(value, rel=1e-6)
    assert float(line["VND_ci_low"]) < V_ND < float(line["VND_ci_high"])
    assert float(rows[0]["baseline_se"]) == pytest.approx(0.02 * volumes(1)[0], rel=1e-6)
    told = json.loads((out / f"{TABLE}.json").read_text())
    assert (told["Parameter"], told["ModelName"], told["Tracer"]) == ("V_T", "2TCM", "X")
    assert told["Lines"][0]["VND"]["Value"] == pytest.approx(expected.V_ND.value, rel=1e-6)
    assert set(rows[0]) <= set(told)
    assert any("Lassen plot re-visited" in text for text in told["References"])
    page = (out / f"{TABLE}.html").read_text()
    assert "<svg" in page
    assert page.count("<circle") == 8
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "<b>Figure 1.</b>" in page


def test_without_a_folder_the_table_is_printed_and_the_lines_as_json(lassen, raphe):
    printed = raphe("occupancy", *lassen)
    assert printed.out.startswith("participant\tscope\tregion\t")
    (line,) = json.loads(raphe("occupancy", *lassen, "--json").out)
    assert line["Participant"] == "01"
    assert line["Occupancy"]["Low"] < OCCUPANCY < line["Occupancy"]["High"]


def test_a_group_from_one_table_of_estimates(estimates, raphe, rows_of, tmp_path):
    out = tmp_path / "out"
    ended = raphe("occupancy", estimates, "--session", "pre", "post", "--tracer", "[11C]DASB", "--out", out)
    assert ended.code == 0, ended.err
    rows = rows_of(out / "ses-prepost_trc-DASB_model-MRTM2_meas-BPND_occupancy.tsv")
    assert [row["scope"] for row in rows] == (["region"] * 8 + ["line"]) * 3 + ["group"] * 9
    for row in rows:
        assert float(row["occupancy"]) == pytest.approx(OCCUPANCY, abs=1e-6)
    first = rows[0]
    ratio = 1 - OCCUPANCY
    assert float(first["occupancy_se"]) == pytest.approx(ratio * 0.03 * math.sqrt(2), rel=1e-6)
    assert rows[-1]["n"] == "3"


def test_chosen_participants_regions_and_methods(estimates, lassen, raphe):
    words = ["--session", "pre", "post", "--tracer", "AZ", "--participant", "02", "--regions", "raphe,putamen,caudate"]
    (line,) = json.loads(raphe("occupancy", estimates, *words, "--json").out)
    assert (line["Participant"], line["Regions"]) == ("02", ["raphe", "putamen", "caudate"])
    ols = raphe("occupancy", *lassen, "--method", "ols", "--json")
    slope, intercept = np.polyfit(volumes(1), volumes(1) - volumes(2, 1 - OCCUPANCY), 1)
    (line,) = json.loads(ols.out)
    assert line["VND"]["Value"] == pytest.approx(-intercept / slope, rel=1e-6)
    assert ols.code == 1
    assert "biased" in ols.err
    (weighted,) = json.loads(raphe("occupancy", *lassen, "--noise", "se", "--json").out)
    assert weighted["Noise"] == "se"


def test_the_covariance_of_the_regions_is_taken_by_name(lassen, raphe, tmp_path):
    covariance = 0.03**2 * (0.5 * np.eye(8) + 0.5)
    order = REGIONS[::-1]
    lines = ["\t".join(["name", *order])]
    lines += ["\t".join([name, *(f"{v:.9g}" for v in row)]) for name, row in zip(order, covariance, strict=True)]
    (tmp_path / "cov.tsv").write_text("\n".join(lines) + "\n")
    ended = raphe("occupancy", *lassen, "--covariance", tmp_path / "cov.tsv", "--json")
    expected, _ = lassen_plot(REGIONS, volumes(1), volumes(2, 0.4), covariance=covariance, known=True)
    (line,) = json.loads(ended.out)
    assert line["VND"]["High"] == pytest.approx(expected.V_ND.high, rel=1e-5)
    (tmp_path / "cov.tsv").write_text("name\twhite\nwhite\t0.001\n")
    ended = raphe("occupancy", *lassen, "--covariance", tmp_path / "cov.tsv")
    assert (ended.code, ended.out) == (2, "")
    assert "no row and column of region 'cerebellum'" in ended.err


def test_a_flagged_region_is_left_out_and_told(lassen, raphe, tmp_path):
    flags = [""] * 8
    flags[3] = "imprecise"
    bad = kinpar(tmp_path / "sub-01_ses-drug_model-2TCM_kinpar.tsv", "VT", volumes(2, 0.4), quality=flags)
    ended = raphe("occupancy", lassen[0], bad, "--json")
    (line,) = json.loads(ended.out)
    assert "frontal" not in line["Regions"]
    assert ended.code == 1
    assert "left out: 01, frontal" in ended.err


def test_what_v_nd_is_not_determined_by_is_a_warning(lassen, raphe, tmp_path):
    heap = np.linspace(2.0, 2.1, 8)
    random = np.random.default_rng(3)
    tables = [
        kinpar(tmp_path / name, "VT", (V_ND + left * heap) * (1 + 0.05 * random.normal(size=8)))
        for name, left in (("before.tsv", 1.0), ("after.tsv", 0.4))
    ]
    ended = raphe("occupancy", *tables, "--out", tmp_path / "out")
    assert ended.code == 1
    assert "do not determine" in ended.err
    assert (tmp_path / "out" / "meas-VT_occupancy.tsv").is_file()
    assert "-inf\tinf" in (tmp_path / "out" / "meas-VT_occupancy.tsv").read_text().replace("\tinf", "\tinf", 1)


def negative(values):
    return np.where(np.arange(8) == 2, -0.5, values)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda a, b, tmp: (b, a), "swap the two"),
        (lambda a, b, tmp: (a, a), "both the baseline and the blocked scan"),
        (lambda a, b, tmp: (a,), "both the baseline and the blocked scan"),
        (
            lambda a, b, tmp: (a, kinpar(tmp / "other.tsv", "VT", volumes(2, 0.4), regions=[f"x{r}" for r in REGIONS])),
            "no region is in both",
        ),
        (lambda a, b, tmp: (a, kinpar(tmp / "BP.tsv", "BPND", SPECIFIC)), "has no VT or BPND|has no VT"),
        (
            lambda a, b, tmp: (*[kinpar(tmp / f"{n}.tsv", "BPND", SPECIFIC / n) for n in (1, 2)], "--parameter", "VT"),
            "has no VT but BPND",
        ),
        (lambda a, b, tmp: (a, kinpar(tmp / "neg.tsv", "VT", negative(volumes(2, 0.4)))), "V_T of occipital"),
        (
            lambda a, b, tmp: (a, kinpar(tmp / "two.tsv", "VT", volumes(2, 0.4), regions=[*REGIONS[:7], "white"])),
            "'white' stands in lines 2 and 9",
        ),
        (
            lambda a, b, tmp: (a, kinpar(tmp / "nan.tsv", "VT", [math.nan] * 6 + [2.0, 2.1])),
            "needs 3 regions",
        ),
        (
            lambda a, b, tmp: (a, kinpar(tmp / "sub-02_model-2TCM_kinpar.tsv", "VT", volumes(2, 0.4))),
            "no participant has both",
        ),
        (
            lambda a, b, tmp: (a, kinpar(tmp / "sub-01_model-MA1_kinpar.tsv", "VT", volumes(2, 0.4))),
            "needs the same in both",
        ),
        (lambda a, b, tmp: (a, tmp / "nowhere.tsv"), "does not exist"),
        (lambda a, b, tmp: (a, b, "--regions", "pons,raphe,white"), "region 'pons'"),
        (lambda a, b, tmp: (a, b, "--participant", "07"), "no participant '07'"),
        (lambda a, b, tmp: (a, b, "--method", "ols", "--noise", "se"), "takes no errors"),
    ],
    ids=[
        "swapped", "same", "one", "regions", "BPND", "VT", "negative", "twice", "NaN", "participants", "models",
        "absent", "region", "participant", "noise",
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_told_and_nothing_is_written(lassen, raphe, tmp_path, spoil, told):
    words = spoil(*lassen, tmp_path)
    out = tmp_path / "out"
    ended = raphe("occupancy", *words, "--out", out)
    assert ended.code == 2
    assert any(part in ended.err for part in told.split("|")), ended.err
    assert "Traceback" not in ended.err
    assert not out.exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "name both with --session"),
        (("--session", "pre", "post"), "choose one with --tracer"),
        (("--session", "pre", "later", "--tracer", "AZ"), "no session 'later'"),
        (("--session", "pre", "post", "--tracer", "raclopride"), "no tracer 'raclopride'"),
        (("--session", "pre", "pre", "--tracer", "AZ"), "both the baseline and the blocked"),
    ],
)
def test_a_table_of_many_needs_a_choice(estimates, raphe, words, told):
    ended = raphe("occupancy", estimates, *words)
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err


def test_the_example_of_the_help_works_when_pasted(raphe, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = next(line for line in raphe("occupancy", "--help").out.splitlines() if line.startswith("Example:  "))
    for line in told.removeprefix("Example:  ").split(" && "):
        ended = raphe(*line.split()[1:])
        assert ended.code == 0, ended.err
    assert len(list((tmp_path / "occupied").glob("sub-01_trc-DASB_*_occupancy.*"))) == 3


BARE = [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0]


@pytest.mark.parametrize(
    ("more", "blocked", "said"),
    [
        (["--regions", "thalamis"], BARE, "region 'thalamis' has no BP_ND; did you mean 'thalamus'?"),
        ([], [math.nan] * 7 + [2.0], "no line through the regions: a line needs 2 regions"),
        ([], [math.nan] * 7 + [2.0], "left out: caudate: "),
        ([], [0.4, *BARE[1:7], math.nan], "left out: raphe: "),
    ],
)
def test_tables_that_do_not_say_whose_they_are_leave_no_holes_in_messages(tmp_path, raphe, more, blocked, said):
    before = kinpar(tmp_path / "a.tsv", "BPND", BARE)
    after = kinpar(tmp_path / "b.tsv", "BPND", [value / 2 for value in blocked])
    after.write_text(after.read_text().replace("nan", "n/a"))
    err = raphe("occupancy", before, after, *more).err
    assert said in err
    for hole in ("participant :", "participant ''", "by  ", " of ;", ": , "):
        assert hole not in err


def test_no_binding_at_baseline_is_refused_without_a_hole_for_the_participant(tmp_path, raphe):
    before = kinpar(tmp_path / "a.tsv", "BPND", [-0.1] * 8)
    ended = raphe("occupancy", before, kinpar(tmp_path / "b.tsv", "BPND", [-0.2] * 8))
    assert ended.code == 2
    assert ended.err == (
        "raphe occupancy: no region has a BP_ND above 0 at baseline, so nothing can be occupied; look at the baseline\n"
    )
