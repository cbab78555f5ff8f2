import json

import numpy as np
import pytest

from raphe.data.estimates import Estimate, Estimates
from raphe.data.results import Agreement, AgreementRow, Contrast, ContrastRow, Excluded, Interval, PairedValues
from raphe.errors import InputError
from raphe.io.contrasts import write_contrast
from raphe.io.results import read_estimates, write_agreement, write_estimates
from raphe.quality import Quality

ROWS = (
    Estimate("01", "baseline", "DASB", "rest", "ketamine", "thalamus", "SRTM", "BP_ND", 1.9, 0.05, Quality.GOOD),
    Estimate("01", "baseline", "DASB", "rest", "ketamine", "pons", "SRTM", "k2_prime", 0.061, np.nan, Quality.SLOW),
    Estimate("02", "", "DASB", "", "", "pons", "SRTM", "BP_ND", np.nan, np.nan, Quality.BAD_INPUT | Quality.SINGULAR),
)
NAN = float("nan")
PAIRS = PairedValues(
    "thalamus",
    ("01", "02"),
    np.array([1.0, 2.0]),
    np.array([1.5, 2.5]),
    np.array([0.1, 0.1]),
    np.array([NAN, 0.1]),
    (Excluded("03", "rescan", "thalamus", "at_bound"),),
)


def tables(path):
    lines = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    return lines, json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))


def test_estimates_have_the_columns_of_the_interface(tmp_path):
    path = tmp_path / "group" / "estimates.tsv"
    write_estimates(path, Estimates(ROWS))
    lines, sidecar = tables(path)
    assert lines[0] == ("participant session tracer condition arm region model parameter value se quality".split())
    assert lines[1] == ["01", "baseline", "DASB", "rest", "ketamine", "thalamus", "SRTM", "BP_ND", "1.9", "0.05", ""]
    assert lines[3] == ["02", "n/a", "DASB", "n/a", "n/a", "pons", "SRTM", "BP_ND", "n/a", "n/a", "bad_input,singular"]
    assert sidecar["ParameterUnits"] == {"BP_ND": "unitless", "k2_prime": "1/min"}
    for column in lines[0]:
        assert sidecar[column]["Description"]


def test_estimates_come_back_as_they_were(tmp_path):
    path = tmp_path / "estimates.tsv"
    write_estimates(path, Estimates(ROWS))
    back = read_estimates(path).rows
    for old, new in zip(ROWS, back, strict=True):
        assert old[:8] == new[:8]
        np.testing.assert_allclose(old[8:10], new[8:10], rtol=1e-8)
        assert old.quality == new.quality


HEAD = "participant\tsession\ttracer\tcondition\tarm\tregion\tmodel\tparameter\tvalue\tse\tquality\n"
ROW = "01\ta\tDASB\tx\ty\tpons\tSRTM\tBP_ND\t1\t0.1\t\n"


def test_columns_of_estimates_may_stand_in_any_order(tmp_path):
    path = tmp_path / "estimates.tsv"
    cells = [line.split("\t") for line in (HEAD + ROW).splitlines()]
    path.write_text("\n".join("\t".join(reversed(line)) for line in cells) + "\n", encoding="utf-8")
    assert read_estimates(path).rows[0][:9] == ("01", "a", "DASB", "x", "y", "pons", "SRTM", "BP_ND", 1.0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD, "no rows"),
        ("", "empty"),
        (HEAD.replace("arm", "arms") + ROW, "no column 'arm'"),
        (HEAD + ROW + ROW.replace("BP_ND", "BP"), "'parameter', line 3: 'BP'"),
        (HEAD + ROW.replace("\t0.1\t", "\t-0.1\t"), "'se', line 2: .*-0.1"),
        (HEAD + ROW.replace("\t1\t", "\tone\t"), "'value', line 2: 'one'"),
        (HEAD + ROW.replace("0.1\t\n", "0.1\tgreat\n"), "'quality', line 2: 'great'"),
    ],
)
def test_estimates_that_cannot_be_read_are_refused(tmp_path, text, said):
    path = tmp_path / "estimates.tsv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        read_estimates(path)


def test_a_contrast_has_the_columns_of_the_interface(tmp_path):
    path = tmp_path / "contrast-change_result.tsv"
    row = ContrastRow(PAIRS, 0.5, 0.1, 1.0, -0.77, 1.77, 0.126, 0.25, 37.5)
    alone = ContrastRow(PAIRS, 0.5, NAN, NAN, NAN, NAN, NAN, NAN, 37.5, why="one person alone has no spread")
    contrast = Contrast("change", "DASB", "SRTM", "BP_ND", "baseline", "rescan", "holm", True, (row, alone))
    write_contrast(path, contrast)
    lines, sidecar = tables(path)
    assert lines[0][:11] == "contrast region estimate se df ci_low ci_high p p_adjusted n excluded".split()
    assert lines[1][:13] == [
        "change", "thalamus", "0.5", "0.1", "1", "-0.77", "1.77", "0.126", "0.25", "2", "1", "37.5", "n/a",
    ]  # fmt: skip
    assert lines[2][3:9] == ["n/a"] * 6
    assert lines[0][13:15] == ["kind", "status"]  # newer columns stand behind the older ones
    assert lines[2][12] == "one person alone has no spread"
    assert sidecar["Terms"] == ["baseline", "rescan"]
    assert sidecar["Primary"] is True
    assert sidecar["Adjust"] == "holm"
    assert sidecar["Excluded"][0] == {
        "participant": "03", "session": "rescan", "region": "thalamus", "reason": "at_bound",
    }  # fmt: skip
    assert "rescan minus baseline" in sidecar["estimate"]["Description"]
    for column in lines[0]:
        assert sidecar[column]["Description"]


def test_agreement_holds_every_figure_with_its_interval(tmp_path):
    path = tmp_path / "agreement-x_result.tsv"
    figures = [Interval(float(i), i - 0.5, i + 0.5) for i in range(1, 6)]
    others = Interval(7.0, 6.5, 7.5), Interval(0.8, 0.7, 0.9), Interval(0.6, 0.5, NAN), 12.0
    row = AgreementRow(PAIRS, *figures, Interval(6.0, NAN, NAN), "too few people", *others)
    write_agreement(path, Agreement("DASB", "SRTM", "BP_ND", "test", "retest", "ICC(A,1)", (row,)))
    lines, sidecar = tables(path)
    got = dict(zip(*lines, strict=True))
    for number, name in enumerate(("bias", "loa_low", "loa_high", "icc", "trv", "wscv"), start=1):
        assert got[name] == str(number)
    assert (got["icc_ci_low"], got["icc_ci_high"]) == ("3.5", "4.5")
    assert (got["wscv_ci_low"], got["wscv_ci_high"]) == ("n/a", "n/a")
    assert (got["region"], got["n"], got["excluded"], got["remark"]) == ("thalamus", "2", "1", "too few people")
    assert lines[0].index("sdd") == lines[0].index("remark") + 1  # older columns keep their places
    assert (got["sdd"], got["sdd_ci_low"], got["sdd_ci_high"]) == ("7", "6.5", "7.5")
    assert (got["icc_c1"], got["icc_1"], got["icc_1_ci_high"], got["n_10_percent"]) == ("0.8", "0.6", "n/a", "12")
    assert sidecar["trv"]["Units"] == "%"
    assert "ICC(A,1)" in sidecar["icc"]["Description"]
    assert sidecar["Sessions"] == ["test", "retest"]
    for column in lines[0]:
        assert sidecar[column]["Description"]
