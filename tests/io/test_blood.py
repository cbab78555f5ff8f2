"""Blood samples of BIDS: numbers by hand, and every fault told with its place."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from raphe.errors import InputError, UnitError
from raphe.io.blood import is_blood, read_blood
from raphe.io.sidecar import inspect_sidecar

MANUAL = """time\tplasma_radioactivity\twhole_blood_radioactivity\tmetabolite_parent_fraction\thplc_recovery_fractions
0\t0\t0\t1\tn/a
60\t40000\t30000\tn/a\tn/a
300\t20000\tn/a\t0.8\t0.95
3600\t5000\t4000\t0.25\t0.95
"""
AUTO = "time\twhole_blood_radioactivity\n0\t0.1\n30\t50\n60\t31\n90\t28\n"
STEM = "sub-01_ses-a_recording"


def described(unit="Bq/mL", fraction="arbitrary", clock="s"):
    return {
        "PlasmaAvail": True,
        "WholeBloodAvail": True,
        "MetaboliteAvail": True,
        "DispersionCorrected": False,
        "time": {"Units": clock},
        "plasma_radioactivity": {"Units": unit},
        "whole_blood_radioactivity": {"Units": unit},
        "metabolite_parent_fraction": {"Units": fraction},
    }


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / "study/sub-01/ses-a/pet"
    folder.mkdir(parents=True)

    def write(text=MANUAL, fields=None, name=f"{STEM}-manual_blood"):
        path = folder / f"{name}.tsv"
        path.write_text(text)
        if fields is not ...:
            path.with_suffix(".json").write_text(json.dumps(described() if fields is None else fields))
        return path

    return write


@pytest.fixture
def both(files):
    auto = {"DispersionCorrected": True, "whole_blood_radioactivity": {"Units": "kBq/ml"}}
    return files(), files(AUTO, auto, f"{STEM}-autosampler_blood")


def test_each_column_has_its_own_times_and_units(files):
    blood = read_blood([files()])
    np.testing.assert_allclose(blood.samples.plasma.time, [0, 1, 5, 60])
    np.testing.assert_allclose(blood.samples.plasma.value, [0, 40, 20, 5])
    np.testing.assert_allclose(blood.samples.whole_blood.time, [0, 1, 60])
    np.testing.assert_allclose(blood.samples.whole_blood.value, [0, 30, 4])
    np.testing.assert_allclose(blood.samples.parent_fraction.time, [0, 5, 60])
    np.testing.assert_allclose(blood.samples.parent_fraction.value, [1, 0.8, 0.25])
    assert not blood.samples.metabolite_corrected
    assert blood.findings == ()


def test_manual_and_autosampler_are_joined_by_time_and_the_manual_one_wins(both):
    blood = read_blood(both)
    whole = blood.samples.whole_blood
    np.testing.assert_allclose(60 * whole.time, [0, 30, 60, 90, 3600])
    np.testing.assert_allclose(whole.value, [0, 50, 30, 28, 4])
    assert whole.source == ("manual", "autosampler", "manual", "autosampler", "manual")
    assert set(blood.samples.plasma.source) == {"manual"}
    assert blood.step.parameters["n_whole_blood_left_out_for_a_manual_one"] == 2
    assert read_blood(both[::-1]).samples.whole_blood.value.tolist() == whole.value.tolist()


def test_dispersion_is_that_of_the_autosampler(both):
    assert read_blood(both).samples.dispersion_corrected
    assert not read_blood(both[:1]).samples.dispersion_corrected


@pytest.mark.parametrize("unit", ["kBq/mL", "kBq/ml", "kBq/cc", ["kBq/mL"]])
@pytest.mark.parametrize(("fraction", "scale"), [("unitless", 1), ("1", 1), ("percent", 0.01), ("%", 0.01)])
def test_units_as_they_are_spelled(files, unit, fraction, scale):
    samples = read_blood([files(fields=described(unit, fraction))]).samples
    np.testing.assert_allclose(samples.plasma.value, [0, 40000, 20000, 5000])
    np.testing.assert_allclose(samples.parent_fraction.value, scale * np.array([1, 0.8, 0.25]))


def test_times_in_minutes_if_the_file_says_so(files):
    assert read_blood([files(fields=described(clock="min"))]).samples.plasma.time[-1] == 3600


def test_fields_are_inherited(files):
    path = files(fields=...)
    (path.parents[3] / "recording-manual_blood.json").write_text(json.dumps(described("kBq/mL")))
    assert read_blood([path]).samples.plasma.value[1] == 40000
    (path.parents[1] / "sub-01_ses-a_blood.json").write_text(json.dumps({"plasma_radioactivity": {"Units": "Bq/mL"}}))
    blood = read_blood([path])
    assert (blood.samples.plasma.value[1], blood.samples.whole_blood.value[1]) == (40, 30000)
    assert len(blood.step.inputs) == 3


def test_activity_moves_to_injection_from_time_zero(files):
    """A(t) e^(k t) from time zero is A(t) e^(k (t - 2)) from an injection 2 min later."""
    path = files()
    blood = read_blood([path], injection=2.0, half_life=20.0)
    np.testing.assert_allclose(blood.samples.plasma.time, [-2, -1, 3, 58])
    np.testing.assert_allclose(blood.samples.plasma.value, np.array([0, 40, 20, 5]) * math.exp(-math.log(2) / 10))
    np.testing.assert_allclose(blood.samples.parent_fraction.value, [1, 0.8, 0.25])
    assert "moved to injection" in blood.step.parameters["decay_correction"]
    with pytest.raises(InputError, match=r"injection is 120 s after TimeZero.*half-life"):
        read_blood([path], injection=2.0)


def test_a_given_unit_overrules_the_file_and_is_recorded(files):
    path = files()
    blood = read_blood([path], unit="kBq/mL")
    assert blood.samples.plasma.value[1] == 40000
    assert blood.samples.parent_fraction.value[1] == 0.8
    assert blood.step.parameters["unit_given"] == "kBq/mL"
    assert blood.step.parameters["units_overruled"] == ("whole_blood Bq/mL", "plasma Bq/mL")
    assert read_blood([files(fields=...)], unit="Bq/mL").samples.plasma.value[1] == 40
    assert "units_overruled" not in read_blood([path]).step.parameters


def test_the_step_names_files_units_and_the_decay_correction(files):
    path = files()
    step = read_blood([path]).step
    assert step.name == "blood_read"
    assert set(step.inputs) == {str(path), str(path.with_suffix(".json"))}
    assert step.parameters["unit_plasma"] == ("Bq/mL",)
    assert (step.parameters["n_plasma"], step.parameters["n_whole_blood"]) == (4, 3)
    assert "taken to be to TimeZero" in step.parameters["decay_correction"]


def test_a_promised_column_that_is_not_there_is_a_warning(files):
    path = files("time\tplasma_radioactivity\n0\t0\n60\t40000\n")
    assert sorted(one.field for one in read_blood([path]).findings) == ["MetaboliteAvail", "WholeBloodAvail"]


def test_names_of_blood_tables():
    assert is_blood(Path("sub-01_recording-manual_blood.tsv"))
    assert not is_blood(Path("sub-01_inputfunction.tsv"))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("300\t20000", "30\t20000", ["'time'", "line 4", "30", "out of order", "line 3", "60"]),
        ("300\t20000", "60\t20000", ["'time'", "line 4", "60", "doubled", "'plasma_radioactivity'"]),
        ("300\t20000", "n/a\t20000", ["'time'", "line 4", "missing"]),
        ("300\t20000", "5 min\t20000", ["'time'", "line 4", "'5 min'", "not a number"]),
        ("300\t20000", "300\t20,5", ["'plasma_radioactivity'", "line 4", "'20,5'", "decimal comma"]),
        ("300\t20000", "300\t<0.02", ["'plasma_radioactivity'", "line 4", "'<0.02'", "limit", "or n/a"]),
        ("300\t20000", "300\thigh", ["'plasma_radioactivity'", "line 4", "'high'", "not a number"]),
        ("300\t20000", "300\t20000\t1", ["line 4", "6 cells"]),
        ("time\t", "clock\t", ["no column 'time'", "clock"]),
    ],
)
def test_faults_of_a_table(files, old, new, words):
    assert old in MANUAL
    path = files(MANUAL.replace(old, new))
    with pytest.raises(InputError) as caught:
        read_blood([path])
    for word in (str(path), *words):
        assert word in str(caught.value)


def test_one_time_on_two_lines_is_no_fault_where_they_tell_different_columns(files):
    path = files(MANUAL.replace("300\t20000\tn/a\t0.8", "300\t20000\tn/a\tn/a\t1\n300\tn/a\tn/a\t0.8"))
    assert len(read_blood([path]).samples.plasma) == 4


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("plasma_radioactivity", ..., ["plasma_radioactivity", "is missing", "--blood-unit", "kBq/mL"]),
        ("plasma_radioactivity", {"Description": "x"}, ["plasma_radioactivity", "is missing"]),
        ("plasma_radioactivity", {"Units": "Bq"}, ["Units of plasma_radioactivity", "'Bq'"]),
        ("plasma_radioactivity", {"Units": ["Bq/mL", "kBq/mL"]}, ["plasma_radioactivity: Units", "text"]),
        ("plasma_radioactivity", "kBq/mL", ["plasma_radioactivity", "object"]),
        ("metabolite_parent_fraction", {"Units": "kBq/mL"}, ["Units of metabolite_parent_fraction", "'kBq/mL'"]),
        ("time", {"Units": "frames"}, ["Units of time", "'frames'"]),
    ],
)
def test_faults_of_the_json(files, column, value, words):
    fields = {**described(), column: value}
    path = files(fields={key: told for key, told in fields.items() if told is not ...})
    with pytest.raises(InputError) as caught:
        read_blood([path])
    for word in (str(path.with_suffix(".json")), *words):
        assert word in str(caught.value)


def test_no_json_no_unit(files):
    path = files(fields=...)
    with pytest.raises(UnitError, match=r"no sub-01_ses-a_recording-manual_blood\.json beside it.*--blood-unit"):
        read_blood([path])
    with pytest.raises(UnitError, match="--blood-unit: 'Bq' is not an activity concentration"):
        read_blood([path], unit="Bq")


@pytest.mark.parametrize(
    "text", ["time\thaematocrit\n0\t0.4\n", "time\tplasma_radioactivity\n0\tn/a\n60\tn/a\n"], ids=["other", "empty"]
)
def test_a_table_without_a_sample(files, text):
    with pytest.raises(InputError, match="holds no sample of blood"):
        read_blood([files(text)])


def test_two_files_of_one_source_at_one_time(files):
    one, other = files(), files(name="sub-01_ses-a_blood")
    with pytest.raises(InputError, match=r"has a sample 0 s after injection, and so has .*both are of manual"):
        read_blood([one, other])


def test_what_is_neither_manual_nor_of_an_autosampler(files):
    with pytest.raises(InputError, match="recording-venous"):
        read_blood([files(name=f"{STEM}-venous_blood")])
    assert read_blood([files(name="sub-01_ses-a_blood")]).samples.plasma.source[0] == "manual"


def test_no_file_at_all():
    with pytest.raises(InputError, match="no file"):
        read_blood([])


@pytest.mark.parametrize(
    ("name", "counts", "peak"),
    [("pet001", (11, 11), 305.5875405), ("pet003", (32, 6), 33.2264655), ("pet004", (13, 13), 118.3739087)],
)
def test_blood_of_the_bids_examples(shared_data, name, counts, peak):
    paths = sorted((shared_data / "formats" / name).glob("**/*_blood.tsv"))
    (pet, *_) = (shared_data / "formats" / name).glob("**/*_pet.json")
    samples = read_blood(paths, injection=inspect_sidecar([pet])[0].injection).samples
    assert (len(samples.plasma), len(samples.parent_fraction)) == counts
    highest = samples.whole_blood if samples.whole_blood is not None else samples.plasma
    assert highest.value.max() == pytest.approx(peak)
    assert len(set(highest.source)) == len(paths)
