"""PMOD's tables of blood, one quantity a file."""

import numpy as np
import pytest

from raphe.errors import InputError, UnitError
from raphe.io.input_function import read_input_function
from raphe.io.pmod_blood import read_pmod_blood
from raphe.io.tables import read_table


@pytest.fixture
def save(tmp_path):
    def write(text, name="x.bld"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize(
    ("header", "quantity", "time", "value"),
    [
        ("time[minutes]\tparent-fraction[1/1]", "parent_fraction", 2, 0.5),
        ("time[minutes]\tParent[1/1]", "parent_fraction", 2, 0.5),
        ("TIME [min]\tWhole blood [kBq/cc]", "whole_blood", 2, 0.5),
        ("sample-time[seconds]\tplasma[kBq/cc]", "plasma", 2 / 60, 0.5),
        ("sample-time[seconds]\tplasma[Bq/cc]", "plasma", 2 / 60, 0.0005),
        ("time[minutes]\tplasma-whole-blood-ratio[1/1]", "plasma_to_blood", 2, 0.5),
        ("time[minutes]\twhole-blood[kBq/cc]\t\t\t", "whole_blood", 2, 0.5),
    ],
)
def test_the_header_tells_quantity_and_units(save, header, quantity, time, value):
    blood = read_pmod_blood([save(f"{header}\n0\t0\t\t\n2\t0.5\n")])
    samples = getattr(blood.samples, quantity)
    np.testing.assert_allclose((samples.time[-1], samples.value[-1]), (time, value))
    assert blood.findings == ()
    assert blood.step.parameters["format"] == "PMOD"


def test_files_are_joined(save):
    plasma = save("sample-time[seconds]\tplasma[kBq/cc]\n0\t0\n60\t40\n600\t10\n", "a.bld")
    whole = save("sample-time[seconds]\twhole-blood[kBq/cc]\n0\t0\n60\t30\n", "b.bld")
    share = save("time[minutes]\tparent-fraction[1/1]\n0\t1\n10\t0.5\n", "c.bld")
    blood = read_pmod_blood([plasma, whole, share])
    assert [len(one) for one in (blood.samples.plasma, blood.samples.whole_blood)] == [3, 2]
    found = read_input_function([plasma, whole, share])
    np.testing.assert_allclose(found.input.parent([1, 10]), [40 * 0.95, 5])
    assert found.input.whole_blood(1.0) == 30
    assert "times parent fraction" in found.step.parameters["parent"]


def test_plasma_from_its_ratio_to_whole_blood(save):
    whole = save("time[minutes]\twhole-blood[kBq/cc]\n0\t0\n1\t30\n", "b.bld")
    ratio = save("time[minutes]\tratio[1/1]\n0\t1\n1\t0.5\n", "c.bld")
    found = read_input_function([whole, ratio])
    assert found.input.plasma(1.0) == 15
    assert [one.field for one in found.findings] == ["plasma"]


def test_metabolite_corrected_plasma_is_said_to_be_so(save):
    parent = save("TIME [min]\tParent [kBq/cc]\n0\t0\n1\t30\n", "parent.bld")
    assert read_pmod_blood([parent]).samples.metabolite_corrected
    assert read_input_function(parent).input.parent(1.0) == 30
    plasma = save("TIME [min]\tplasma [kBq/cc]\n0\t0\n1\t30\n", "plasma.bld")
    with pytest.raises(InputError, match="both total and metabolite-corrected plasma"):
        read_pmod_blood([parent, plasma])


def test_a_column_called_value_is_read_by_the_name_of_the_file(save):
    blood = read_pmod_blood([save("time[minutes]\tvalue[kBq/cc]\n1\t0.98\n5\t0.95\n", "PlasmaWholeBloodRatio.txt")])
    assert blood.samples.plasma_to_blood.value.tolist() == [0.98, 0.95]
    (finding,) = blood.findings
    assert "plasma to blood" in finding.message
    assert "[kBq/cc] is left aside" in finding.message
    with pytest.raises(InputError, match="neither the column 'value' nor the name of the file"):
        read_pmod_blood([save("time[minutes]\tvalue[kBq/cc]\n1\t0.98\n", "curve.txt")])


def test_the_unit_where_the_header_has_none(save):
    path = save("time[min]\tplasma[]\n0\t0\n1\t30\n")
    assert read_pmod_blood([path], unit="Bq/mL").samples.plasma.value[1] == 0.03
    with pytest.raises(UnitError, match="is not said"):
        read_pmod_blood([path])
    stated = save("time[min]\tplasma[kBq/cc]\n0\t0\n1\t30\n")
    assert read_pmod_blood([stated], unit="kBq/mL").samples.plasma.value[1] == 30
    found = read_pmod_blood([stated], unit="Bq/mL")
    assert found.samples.plasma.value[1] == 0.03
    assert found.step.parameters["units_overruled"] == ("plasma kBq/cc",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("time[min]\tplasma[kBq/cc]\n0\t0\n1\tx\n", ["'plasma'", "line 3", "'x'"]),
        ("time[min]\tplasma[kBq/cc]\n1\t0\n1\t2\n", ["'time'", "line 3", "doubled"]),
        ("time[min]\tplasma[kBq/cc]\n2\t0\n1\t2\n", ["'time'", "line 3", "out of order"]),
        ("time[min]\tplasma[kBq/cc]\n2\t0\t7\n", ["line 2", "a time and a value"]),
        ("time[min]\tplasma[kBq/cc]\n2\n", ["line 2", "a time and a value"]),
        ("time[min]\tplasma[kBq/cc]\n2\t\n", ["line 2"]),
        ("time[min]\tplasma[kBq/cc]\n", ["no rows"]),
        ("time[frames]\tplasma[kBq/cc]\n0\t0\n", ["'frames'"]),
        ("time[min]\tplasma[counts]\n0\t0\n", ["'counts'"]),
        ("time[min]\tparent-fraction[kBq/cc]\n0\t0\n", ["'kBq/cc'"]),
        ("time\tplasma\n0\t0\n", ["no table of PMOD's"]),
    ],
)
def test_faults_are_told_with_their_place(save, text, words):
    path = save(text)
    with pytest.raises(InputError) as caught:
        read_pmod_blood([path])
    for word in (str(path), *words):
        assert word in str(caught.value)


def test_excel_files_are_told_as_such(shared_data):
    for path in (shared_data / "formats/pmod/Ex_bld_manual_and_autosampled_mixed").glob("* Activity.bld"):
        with pytest.raises(InputError, match=r"is an Excel file.*save it as tab-separated text"):
            read_pmod_blood([path])


def test_what_a_converter_made_of_the_real_files(shared_data):
    """Values of files that PET2BIDS wrote from the same tables."""
    folder = shared_data / "formats/pmod/Ex_bld_wholeblood_and_plasma_only"
    samples = read_pmod_blood([folder / "whole_blood.bld", folder / "plasma_parent.bld"]).samples
    table = read_table(folder / "test_recording-manual_blood.tsv")
    np.testing.assert_allclose(60 * samples.plasma.time, table.floats("time"), atol=0.5)
    np.testing.assert_allclose(samples.plasma.value, table.floats("plasma_radioactivity"))
    np.testing.assert_allclose(samples.whole_blood.value, table.floats("whole_blood_radioactivity"))
    folder = shared_data / "formats/pmod/Ex_txt_manual_and_autosampled_mixed"
    samples = read_pmod_blood(sorted(folder.glob("*.txt"))).samples
    table = read_table(folder / "converted_recording-manual_blood.tsv")
    np.testing.assert_allclose(samples.parent_fraction.value, table.floats("metabolite_parent_fraction"))
    assert len(samples.whole_blood) > 180
