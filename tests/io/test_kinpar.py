import dataclasses
import json

import numpy as np
import pytest

from raphe.core.frames import Frames
from raphe.data.fit import KineticFit
from raphe.errors import InputError, OutputError
from raphe.io.fitted import Told
from raphe.io.kinpar import read_kinpar, write_kinpar
from raphe.nomenclature import SYMBOLS
from raphe.quality import WORD, Quality

NAMES = ("thalamus", "putamen", "pons")


def make_fit(value=None, se=None, quality=(0, 0, 0), inputs=None):
    n = len(NAMES)
    frames = Frames(np.arange(4.0), np.ones(4))
    value = np.array([[1.9, 0.8, 0.061], [-2.0, 1.0, 0.07], [1 / 3, 0.5, 0.02]]) if value is None else np.array(value)
    weights = np.ones((n, 4))
    weights[:, 0] = 0
    return KineticFit(
        model="SRTM",
        names=NAMES,
        parameters=("BP_ND", "R1", "k2_prime"),
        value=value,
        se=np.full(value.shape, 0.05) if se is None else np.array(se),
        sigma=np.array([0.1, 0.2, np.nan]),
        aicc=np.array([-12.5, 3.0, np.nan]),
        quality=np.array(quality, dtype=np.int64),
        frames=frames,
        activity=np.ones((n, 4)),
        fitted=np.ones((n, 4)),
        weights=weights,
        reference=np.ones(4),
        inputs={"k2_prime": 0.06, "t_star": 30.0} if inputs is None else inputs,
        convention="midframe",
    )


def write(tmp_path, fit, **more):
    path = tmp_path / "pet" / "sub-01_model-SRTM_kinpar.tsv"
    how = {"weights": "1/variance", "sources": ["bids:raw:sub-01/x.tsv"], "command_line": "raphe fit x.tsv"}
    write_kinpar(path, fit, Told(**(how | more)))
    lines = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    sidecar = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    return path, lines, sidecar


def test_columns_stand_in_the_order_of_the_interface(tmp_path):
    _, lines, _ = write(tmp_path, make_fit())
    assert lines[0] == [
        "name", "BPND", "BPND-se", "R1", "R1-se", "k2prime", "k2prime-se", "sigma", "aicc", "n_frames", "quality",
    ]  # fmt: skip
    assert [line[0] for line in lines[1:]] == list(NAMES)
    assert all(len(line) == len(lines[0]) for line in lines)


def test_standard_errors_are_per_cent_of_the_size_of_the_value(tmp_path):
    _, lines, _ = write(tmp_path, make_fit())
    assert float(lines[1][2]) == pytest.approx(100 * 0.05 / 1.9, rel=1e-8)
    assert lines[2][1:3] == ["-2", "2.5"]


def test_numbers_have_nine_digits(tmp_path):
    _, lines, _ = write(tmp_path, make_fit())
    assert lines[3][1] == "0.333333333"


def test_what_was_not_estimated_is_not_available(tmp_path):
    value = [[np.nan, 1.0, np.inf], [0.0, 1.0, 0.1], [1.0, 1.0, 1e-310]]
    se = [[np.nan, np.nan, 0.1], [0.1, np.inf, 0.1], [0.1, 0.1, 0.1]]
    _, lines, _ = write(tmp_path, make_fit(value, se))
    assert lines[1][1:7] == ["n/a", "n/a", "1", "n/a", "n/a", "n/a"]
    assert lines[2][1:5] == ["0", "n/a", "1", "n/a"], "no value of 0 has an error in per cent"
    assert lines[3][6] == "n/a", "nor one that is next to 0"
    assert lines[3][7:9] == ["n/a", "n/a"]


def test_flags_are_words_and_leave_the_values_in_place(tmp_path):
    bits = int(Quality.AT_BOUND | Quality.IMPLAUSIBLE)
    _, lines, sidecar = write(tmp_path, make_fit(quality=(bits, 0, 0)))
    assert lines[1][-1] == "at_bound,implausible"
    assert lines[1][1] == "1.9"
    assert lines[2][-1] == ""
    for word in WORD.values():
        assert word in sidecar["quality"]["Description"]


def test_frames_that_were_not_fitted_do_not_count(tmp_path):
    _, lines, _ = write(tmp_path, make_fit())
    assert [line[9] for line in lines[1:]] == ["3", "3", "3"]


def test_the_sidecar_says_what_was_done(tmp_path):
    notes = {"k2prime": "estimated by MRTM1 over thalamus and putamen"}
    _, lines, sidecar = write(tmp_path, make_fit(), reference="cerebellar grey", references=["A 2001"], notes=notes)
    assert sidecar["ModelName"] == "SRTM"
    assert sidecar["ReferenceRegion"] == "cerebellar grey"
    assert sidecar["InputValues"] == [0.06, 30.0]
    assert sidecar["InputValuesLabels"] == ["k2prime", "t_star"]
    assert sidecar["InputValuesUnits"] == ["1/min", "min"]
    assert sidecar["Notes"] == notes
    assert sidecar["Weights"] == "1/variance"
    assert sidecar["Convention"] == "midframe"
    assert sidecar["SoftwareName"] == "raphe"
    assert sidecar["SoftwareVersion"]
    assert sidecar["CommandLine"] == "raphe fit x.tsv"
    assert sidecar["References"] == ["A 2001"]
    assert sidecar["Sources"] == ["bids:raw:sub-01/x.tsv"]
    assert sidecar["Description"]
    for column in lines[0]:
        assert sidecar[column]["Description"]
    assert sidecar["k2prime"]["Units"] == SYMBOLS["k2_prime"].unit == "1/min"
    assert sidecar["k2prime-se"]["Units"] == "%"


def test_without_fixed_values_the_lists_are_empty(tmp_path):
    _, _, sidecar = write(tmp_path, make_fit(inputs={}))
    assert sidecar["InputValues"] == sidecar["InputValuesLabels"] == sidecar["InputValuesUnits"] == []
    assert "ReferenceRegion" not in sidecar
    assert "Notes" not in sidecar


def test_a_table_comes_back_with_absolute_errors(tmp_path):
    bits = int(Quality.SLOW)
    fit = make_fit(quality=(0, bits, 0))
    path, _, _ = write(tmp_path, fit)
    rows = read_kinpar(path)
    assert [row.region for row in rows[::3]] == list(NAMES)
    assert [row.parameter for row in rows[:3]] == ["BP_ND", "R1", "k2_prime"]
    np.testing.assert_allclose([row.value for row in rows], fit.value.ravel(), rtol=1e-8)
    np.testing.assert_allclose([row.se for row in rows], fit.se.ravel(), rtol=1e-8)
    assert [row.quality for row in rows[::3]] == [Quality.GOOD, Quality.SLOW, Quality.GOOD]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name\tBPND\tBPND-se\na\t1\t2\n", "no column 'quality'"),
        ("name\tBPND\tBPND-se\tquality\na\t1\t2\tbad\n", "'quality', line 2: 'bad'"),
        ("name\tXY\tXY-se\tquality\na\t1\t2\t\n", "'XY' is no parameter"),
        ("name\tBPND\tBPND-se\tquality\na\tx\t2\t\n", "'BPND', line 2: 'x' is not a number"),
    ],
)
def test_a_table_that_is_not_ours_is_refused(tmp_path, text, said):
    path = tmp_path / "kinpar.tsv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        read_kinpar(path)


def test_ends_of_intervals_stand_after_the_error_where_there_are_any(tmp_path):
    fit = make_fit()
    low, high = fit.value - 0.1, fit.value + 0.2
    low[0, 2], high[0, 0] = np.nan, np.inf
    path, lines, sidecar = write(tmp_path, dataclasses.replace(fit, low=low, high=high, uncertainty="profile"))
    assert lines[0][:9] == ["name", "BPND", "BPND-se", "BPND-low", "BPND-high", "R1", "R1-se", "R1-low", "R1-high"]
    assert lines[1][3:5] == ["1.8", "inf"]
    assert lines[1][11] == "n/a"
    assert float(lines[2][4]) == pytest.approx(-1.8)
    assert sidecar["BPND-low"]["Description"] == "Lower end of the 95 % interval of BPND, by profile likelihood"
    assert sidecar["k2prime-high"]["Units"] == SYMBOLS["k2_prime"].unit
    assert {one.parameter for one in read_kinpar(path)} == {"BP_ND", "R1", "k2_prime"}


def test_a_place_that_cannot_be_written_to(tmp_path):
    (tmp_path / "pet").write_text("in the way", encoding="utf-8")
    with pytest.raises(OutputError, match="pet"):
        write(tmp_path, make_fit())


def test_names_cannot_break_the_table(tmp_path):
    fit = make_fit()
    object.__setattr__(fit, "names", ("a\tb", "c\nd", '"e'))
    path, lines, _ = write(tmp_path, fit)
    assert [line[0] for line in lines[1:]] == ["a b", "c d", "'e"]
    assert len(read_kinpar(path)) == 9
