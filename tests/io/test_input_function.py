"""Input functions: those of others are read, ours come back as they were written."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raphe.core.piecewise import PiecewiseLinear
from raphe.data.blood import PlasmaInput
from raphe.data.scan import Scan
from raphe.errors import InputError, UnitError
from raphe.io import derivatives
from raphe.io.input_function import _knots, read_input_function, write_input_function

BLOODSTREAM = """time\twhole_blood_radioactivity\tplasma_radioactivity\tmetabolite_parent_fraction\tAIF
0\t0\t0\t1\t0
60\t30000\t40000\t0.9\t35000
600\t8000\t10000\t0.5\t5500
"""
UNITS = {
    "time": {"Units": ["s"]},
    "whole_blood_radioactivity": {"Units": ["Bq/mL"]},
    "plasma_radioactivity": {"Units": "Bq/mL"},
    "AIF": {"Units": ["Bq/mL"]},
}
SCAN = Scan("01", "a", tracer="MC1", radionuclide="C11")


@pytest.fixture
def save(tmp_path):
    def write(text=BLOODSTREAM, fields=None, name="sub-01_ses-a_inputfunction.tsv"):
        path = tmp_path / name
        path.write_text(text)
        if fields is not ...:
            path.with_suffix(".json").write_text(json.dumps(UNITS if fields is None else fields))
        return path

    return write


def test_every_curve_of_the_table(save):
    plasma_input, step, findings, *_ = read_input_function(save())
    np.testing.assert_allclose(plasma_input.at([0, 1, 5.5, 10, 99]), [0, 35, 20.25, 5.5, 5.5])
    np.testing.assert_allclose(plasma_input.whole_blood([1, 10]), [30, 8])
    np.testing.assert_allclose(plasma_input.plasma([1, 10]), [40, 10])
    np.testing.assert_allclose(plasma_input.parent_fraction([0, 1, 10]), [1, 0.9, 0.5])
    assert findings == ()
    assert (step.name, step.parameters["unit_parent"]) == ("input_read", "Bq/mL")
    assert len(step.inputs) == 2


def test_a_radioactivity_is_read_as_that_of_1_ml_with_a_warning(save):
    path = save(fields={**UNITS, "AIF": {"Units": ["kBq"]}, "plasma_radioactivity": {"Units": "Bq"}})
    plasma_input, step, findings, *_ = read_input_function(path)
    assert (plasma_input.at(1.0), plasma_input.plasma(1.0)) == (35000, 40)
    assert [one.severity for one in findings] == ["warning", "warning"]
    assert "'Bq', which is no concentration; it is read as Bq/mL" in findings[0].message
    assert step.parameters["unit_parent"] == "kBq/mL"


def test_injection_later_than_time_zero(save):
    found = read_input_function(save(), injection=0.5, half_life=20.0)
    assert found.input.at(0.5) == pytest.approx(35 * math.exp(-math.log(2) / 40))
    assert found.input.parent_fraction(0.5) == 0.9
    with pytest.raises(InputError, match="needs the half-life"):
        read_input_function(save(), injection=0.5)
    own = read_input_function(save(fields={**UNITS, "InjectionStart": 0}), injection=0.5)
    assert own.input.at(1.0) == 35


def test_without_aif_it_is_plasma_times_parent_fraction(save):
    rows = "0\t0\tn/a\n60\t40000\t0.8\n120\t20000\tn/a\n180\t8\t0.6\n"
    text = f"time\tplasma_radioactivity\tmetabolite_parent_fraction\n{rows}"
    plasma_input, step, _, *_ = read_input_function(save(text))
    np.testing.assert_allclose(plasma_input.at([0, 1, 2]), [0, 32, 20 * 0.7])
    assert step.parameters["parent"].startswith("plasma times parent fraction")


def test_plasma_alone_is_taken_as_the_unchanged_tracer_with_a_warning(save):
    plasma_input, step, (finding,), *_ = read_input_function(save("time\tplasma_radioactivity\n0\t0\n60\t40000\n"))
    assert plasma_input.at(1.0) == 40
    assert "metabolite_parent_fraction" in finding.message
    assert "unchanged tracer" in step.parameters["parent"]


@pytest.mark.parametrize("clock", ["time_s", "time[s]", "Time (s)", "time"])
def test_tables_without_json_need_a_unit(save, clock):
    path = save(f"{clock},wholeblood_dispcorr,plasma_metabcorr\n0,0,0\n60,30,25\n", ..., "pbr28_1_blood.csv")
    plasma_input, _, findings, *_ = read_input_function(path, unit="kBq/mL")
    assert (plasma_input.at(1.0), plasma_input.whole_blood(1.0)) == (25, 30)
    assert findings == ()
    with pytest.raises(
        UnitError, match=r"pbr28_1_blood\.csv: the unit of 'wholeblood_dispcorr' is not said.*--blood-unit"
    ):
        read_input_function(path)


def test_units_in_the_header(save):
    path = save("time[min]\tplasma [kBq/mL]\tAIF [kBq/mL]\n0\t0\t0\n1\t40\t35\n", ..., "curve.tsv")
    assert read_input_function(path).input.at(1.0) == 35
    contradicted = save("time\tAIF [kBq/mL]\tplasma\n0\t0\t0\n1\t4\t4\n", {"AIF": {"Units": "Bq/mL"}})
    with pytest.raises(UnitError, match=r"says the unit 'kBq/mL', but Units of .*json is 'Bq/mL'"):
        read_input_function(contradicted)


def test_a_given_unit_overrules_the_file_and_is_recorded(save):
    assert "unit_given" not in read_input_function(save()).step.parameters
    assert read_input_function(save(), unit="Bq/mL").step.parameters["units_overruled"] == ()
    found = read_input_function(save(fields={**UNITS, "AIF": {"Units": "Bq"}}), unit="kBq/mL")
    assert (found.input.at(1.0), found.input.parent_fraction(1.0), found.findings) == (35000, 0.9, ())
    assert found.step.parameters["unit_given"] == "kBq/mL"
    assert found.step.parameters["units_overruled"] == ("whole_blood Bq/mL", "plasma Bq/mL", "parent Bq")
    otherwise = save("time\tplasma [Bq/mL]\tAIF\n0\t0\t0\n60\t40\t35\n", ..., "curve.tsv")
    assert read_input_function(otherwise, otherwise="kBq/mL").input.plasma(1.0) == 0.04
    assert read_input_function(otherwise, otherwise="kBq/mL").input.at(1.0) == 35
    with pytest.raises(UnitError, match=r"--blood-unit: .*'spoons'"):
        read_input_function(save(), unit="spoons")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("600\t8000", "30\t8000", ["line 4", "30", "out of order"]),
        ("600\t8000", "60\t8000", ["line 4", "60", "doubled"]),
        ("600\t8000", "\t8000", ["line 4", "missing"]),
        ("600\t8000", "600\tx", ["'whole_blood_radioactivity'", "line 4", "'x'"]),
        ("time\t", "when\t", ["no column of times", "when"]),
        ("\tAIF", "\tplasma", ["'plasma'", "second time"]),
    ],
)
def test_faults_of_a_table(save, old, new, words):
    path = save(BLOODSTREAM.replace(old, new))
    with pytest.raises(InputError) as caught:
        read_input_function(path)
    for word in (str(path), *words):
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("time\tactivity\n0\t0\n", "no column of an input function"),
        ("time\twhole_blood_radioactivity\n0\t0\n60\t1\n", "whole blood is no input"),
        ("time\tAIF\n0\tn/a\n", "no column of an input function"),
    ],
)
def test_tables_that_are_no_input(save, text, words):
    with pytest.raises(InputError, match=words):
        read_input_function(save(text))


def whole():
    """Curves with knots of their own, one that begins late and one that leaps."""
    return PlasmaInput(
        parent=PiecewiseLinear([-0.1, 0.3, 0.7, 1 / 3 + 1, 60.0], [0.0, 2.0, 123.456789, 30.0, 1.0]),
        whole_blood=PiecewiseLinear([0.0, 0.5, 90.0], [5.0, 100.0, 2.0]),
        plasma=PiecewiseLinear([-0.1, 0.7, 120.0], [0.0, 130.0, 3.0]),
        parent_fraction=PiecewiseLinear([0.0, 10.0, 80.0], [1.0, 0.5, 0.1]),
        delay=-0.1,
    )


def test_what_is_written_reads_back_the_same(tmp_path):
    path = derivatives.input_function(tmp_path, SCAN)
    write_input_function(path, whole(), SCAN, sources=["bids:raw:x"], notes={"parent": "three exponentials"})
    found = read_input_function(path, injection=2.0)  # which is not that of the file
    time = np.linspace(-1, 150, 100_001)
    for name in ("parent", "whole_blood", "plasma", "parent_fraction"):
        curve, back = getattr(whole(), name), getattr(found.input, name)
        scale = np.abs(curve.value).max()
        np.testing.assert_allclose(back(time), curve(time), rtol=0, atol=1e-8 * scale)
    assert found.input.delay == pytest.approx(-0.1)
    assert found.findings == ()
    assert "AIF" not in found.step.parameters


def test_the_file_that_is_written(tmp_path):
    path = derivatives.input_function(tmp_path, SCAN)
    assert path == tmp_path / "sub-01/ses-a/pet/sub-01_ses-a_inputfunction.tsv"
    write_input_function(path, whole(), SCAN, sources=["bids:raw:x"], notes={"parent": "three exponentials"})
    lines = path.read_text().splitlines()
    assert lines[0] == "time\tplasma_radioactivity\twhole_blood_radioactivity\tmetabolite_parent_fraction\tAIF"
    assert lines[1] == "-6\t0\tn/a\tn/a\t0"
    assert lines[2].split("\t")[0] == "0"
    told = json.loads(derivatives.sidecar(path).read_text())
    assert told["AIF"]["Units"] == told["plasma_radioactivity"]["Units"] == "kBq/mL"
    assert (told["time"]["Units"], told["InjectionStart"], told["InputDelay"]) == ("s", 0, -6.0)
    assert (told["TracerName"], told["Sources"]) == ("MC1", ["bids:raw:x"])
    assert told["Notes"] == {"parent": "three exponentials"}


def test_an_input_that_was_estimated_says_so_when_it_is_written_and_read(tmp_path):
    path = tmp_path / "sub-01_model-SIMEAIF_inputfunction.tsv"
    write_input_function(path, PlasmaInput(PiecewiseLinear([0, 1], [0, 5])), Scan("01"), measured=False)
    told = json.loads(derivatives.sidecar(path).read_text())
    assert "estimated from the tissue and is no measurement" in told["Description"]
    assert told["Measured"] is False
    (finding,) = read_input_function(path).findings
    assert finding.severity == "warning"
    assert "estimated from the tissue" in finding.message


def test_columns_that_are_not_known_are_left_out(tmp_path):
    path = tmp_path / "sub-01_inputfunction.tsv"
    write_input_function(path, PlasmaInput(PiecewiseLinear([0, 1], [0, 5])), Scan("01"))
    assert path.read_text() == "time\tAIF\n0\t0\n60\t5\n"
    back = read_input_function(path).input
    assert (back.at(1.0), back.plasma, back.whole_blood, back.parent_fraction) == (5, None, None, None)


@given(st.lists(st.floats(-10, 300), min_size=1, max_size=30, unique=True))
def test_any_knots_are_written_ascending(times):
    seconds, knots = _knots([PiecewiseLinear(np.sort(times), np.ones(len(times)))])
    assert np.all(np.diff(seconds) > 0)
    np.testing.assert_allclose(seconds / 60, knots, rtol=1e-8, atol=1e-300)
    assert knots[-1] == max(times)


def test_the_input_function_of_bloodstream(shared_data):
    root = shared_data / "tacs/ps13/derivatives/bloodstream"
    (path,) = root.glob("**/*_inputfunction.tsv")
    plasma_input, _, (finding,), *_ = read_input_function(path)
    assert plasma_input.at(5401.8 / 60) == pytest.approx(2.47788176)
    assert plasma_input.whole_blood.value.max() == pytest.approx(142, abs=1)
    assert "'Bq', which is no concentration" in finding.message


def test_tables_of_kinfitr(shared_data):
    paths = sorted((shared_data / "tacs/pbr28").glob("*_blood.csv"))
    assert len(paths) == 20
    for path in paths:
        plasma_input = read_input_function(path, unit="kBq/mL").input
        assert 40 < plasma_input.parent.value.max() < 250
        assert 88 < plasma_input.parent.time[-1] < 91
