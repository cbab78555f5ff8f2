"""``raphe convert`` as its user meets it: what it writes, what it asks for, and that nothing half-done is left."""

import csv
import json
import os
import runpy
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import nibabel
import numpy as np
import pytest

from raphe.cli import main
from raphe.io.bids import read_study
from raphe.io.blood import read_blood
from raphe.io.check import check_dataset

write_ecat = runpy.run_path(str(Path(__file__).parents[1] / "ecat_writer.py"))["write_ecat"]

LENGTHS = [60.0] * 5 + [300.0] * 11
SCHEDULE = [(sum(LENGTHS[:i]), length) for i, length in enumerate(LENGTHS)]
"""Frames of an hour, s."""

COMPLETE = {
    "InjectedRadioactivity": 370,
    "InjectedRadioactivityUnits": "MBq",
    "InjectedMass": 2,
    "InjectedMassUnits": "ug",
    "ModeOfAdministration": "bolus",
    "ReconMethodName": "3D-OSEM-PSF",
    "ReconMethodParameterLabels": ["subsets", "iterations"],
    "ReconMethodParameterUnits": ["none", "none"],
    "ReconMethodParameterValues": [16, 10],
    "ReconFilterType": "none",
}
"""What an ECAT7 file does not tell."""

OF_BLOOD = [
    "--set=MetaboliteMethod=HPLC",
    "--set=MetaboliteRecoveryCorrectionApplied=false",
    "--set=DispersionCorrected=false",
]


def volumes():
    rng = np.random.default_rng(7)
    return [rng.integers(0, 3000, (48, 40, 36), dtype=np.int16) for _ in SCHEDULE]


@pytest.fixture
def scan(tmp_path):
    return write_ecat(tmp_path / "scan.v", volumes(), SCHEDULE, scales=[1.0 + i for i in range(len(SCHEDULE))])


@pytest.fixture
def extra(tmp_path):
    path = tmp_path / "extra.json"
    path.write_text(json.dumps(COMPLETE))
    return path


@pytest.fixture
def convert(tmp_path, capsys):
    def run(*words, out=tmp_path / "bids"):
        words = [str(word) for word in words]
        first = next((index for index, word in enumerate(words) if word.startswith("--")), len(words))
        code = main(["convert", *words[:first], str(out), *words[first:], "--participant-label", "01"])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def errors_of_the_validator(folder):
    validator = shutil.which("bids-validator-deno") or Path(sys.executable).with_name("bids-validator-deno")
    if not Path(validator).is_file():
        pytest.skip("bids-validator-deno is not installed")
    told = subprocess.run(
        [validator, folder, "--ignoreWarnings", "--json"], capture_output=True, text=True, check=False
    )
    issues = json.loads(told.stdout)["issues"]["issues"]
    return [
        (issue["code"], issue.get("subCode"), issue.get("location")) for issue in issues if issue["severity"] == "error"
    ]


def rows(path):
    with path.open() as file:
        names, *cells = csv.reader(file, delimiter="\t")
    values = np.array([[np.nan if cell == "n/a" else float(cell) for cell in row] for row in cells])
    return names, values


def test_an_ecat_file_becomes_a_scan_that_the_official_validator_accepts(scan, extra, convert, tmp_path):
    code, out, err = convert(scan, "--session-label", "ses-base", "--json", extra)
    assert (code, err) == (0, "")
    stem = "sub-01/ses-base/pet/sub-01_ses-base_trc-DASB_pet"
    root = tmp_path / "bids"
    assert files(root) == ["README", "dataset_description.json", "participants.tsv", f"{stem}.json", f"{stem}.nii.gz"]
    assert out.split() == [str(root / name) for name in files(root)]
    image = nibabel.load(root / f"{stem}.nii.gz")
    assert image.header.get_zooms()[:3] == pytest.approx((2.0, 3.0, 4.0))
    assert (image.header["qform_code"], image.header["sform_code"]) == (1, 1)
    assert nibabel.aff2axcodes(image.affine) == ("R", "A", "S")
    for index, volume in enumerate(volumes()):
        wanted = (
            2.0 * (1.0 + index) * volume[::-1, ::-1, ::-1]
        )  # calibration and scale factor; the file faces left, back, feet
        np.testing.assert_allclose(image.dataobj[..., index], wanted, rtol=1e-6)
    sidecar = json.loads((root / f"{stem}.json").read_text())
    assert sidecar["FrameTimesStart"] == [start for start, _ in SCHEDULE]
    assert sidecar["FrameDuration"] == LENGTHS
    assert (sidecar["SpecificRadioactivity"], sidecar["SpecificRadioactivityUnits"]) == (185, "MBq/ug")
    assert "Person" not in (root / f"{stem}.json").read_text()
    assert errors_of_the_validator(root) == []
    assert [one.message for one in check_dataset(root) if "T1" not in one.message] == []


def test_everything_that_is_missing_is_asked_for_at_once(scan, convert, tmp_path):
    code, out, err = convert(scan)
    assert (code, out) == (2, "")
    for field in COMPLETE:
        assert f"{field} (" in err
    for word in (str(scan), "--set FIELD=VALUE", "--json FILE", "--dosage-unit", "370"):
        assert word in err
    assert "Manufacturer (" not in err
    assert not (tmp_path / "bids").exists()


@pytest.mark.parametrize("field", COMPLETE)
def test_no_required_field_is_left_out_or_made_up(scan, convert, tmp_path, field):
    lacking = {name: value for name, value in COMPLETE.items() if name != field}
    (tmp_path / "lacking.json").write_text(json.dumps(lacking))
    code, _, err = convert(scan, "--json", tmp_path / "lacking.json")
    assert code == 2
    assert f"{field} (" in err
    given = COMPLETE[field] if isinstance(COMPLETE[field], str) else json.dumps(COMPLETE[field])
    assert convert(scan, "--json", tmp_path / "lacking.json", f"--set={field}={given}")[0] == 0


def test_what_nobody_measured_may_be_na(scan, extra, convert, tmp_path):
    assert convert(scan, "--json", extra, "--set", "InjectedMass=n/a", "--set", "InjectedMassUnits=n/a")[0] == 0
    sidecar = json.loads(next((tmp_path / "bids").rglob("*_pet.json")).read_text())
    assert sidecar["SpecificRadioactivity"] == sidecar["SpecificRadioactivityUnits"] == "n/a"
    assert errors_of_the_validator(tmp_path / "bids") == []


def test_an_infusion_needs_more(scan, extra, convert):
    code, _, err = convert(scan, "--json", extra, "--set", "ModeOfAdministration=bolus-infusion")
    assert code == 2
    for field in ("InfusionRadioactivity", "InfusionStart", "InfusionSpeed", "InjectedVolume"):
        assert f"{field} (" in err


def test_a_filter_needs_its_size_and_a_method_without_parameters_none(scan, extra, convert):
    code, _, err = convert(scan, "--json", extra, "--set", "ReconFilterType=Gaussian")
    assert code == 2
    assert "ReconFilterSize (" in err
    words = ['--set=ReconMethodParameterLabels=["none"]', "--set=ReconMethodParameterUnits=[]"]
    assert convert(scan, "--json", extra, *words, "--set=ReconMethodParameterValues=[]")[0] == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--set", "FrameDuration=[60, 60]"], ["FrameDuration lists 2", "16"]),
        (["--set", "TracerRadionuclide=F18", "--tracer", "[11C]DASB"], ["F18", "11C"]),
        (["--set", "Units=furlongs"], ["furlongs"]),
        (["--set", "InjectionStart=soon"], ["InjectionStart", "soon"]),
        (["--set", "FrameTimesStart=[0, NaN]"], ["FrameTimesStart", "NaN"]),
        (["--set", "InjectionStart=1e999"], ["InjectionStart", "1e999"]),
        (["--time-zone", "Europe/Atlantis"], ["--time-zone", "Atlantis"]),
    ],
)
def test_what_was_given_must_make_sense(scan, extra, convert, tmp_path, words, told):
    code, _, err = convert(scan, "--json", extra, *words)
    assert code == 2
    for word in told:
        assert word in err
    assert ".raphe-" not in err
    assert not (tmp_path / "bids").exists()


def test_another_tracer_than_the_header_has_is_taken_and_told(scan, extra, convert, tmp_path):
    code, _, err = convert(scan, "--json", extra, "--tracer", "AZ10419369")
    assert code == 1
    assert "'DASB'" in err
    assert "trc-AZ10419369" in str(files(tmp_path / "bids"))


def test_nothing_is_written_over_unless_it_is_asked_for(scan, extra, convert, tmp_path):
    assert convert(scan, "--json", extra)[0] == 0
    before = {path: path.read_bytes() for path in (tmp_path / "bids").rglob("*") if path.is_file()}
    code, _, err = convert(scan, "--json", extra)
    assert code == 2
    assert "--overwrite" in err
    assert {path: path.read_bytes() for path in (tmp_path / "bids").rglob("*") if path.is_file()} == before
    assert convert(scan, "--json", extra, "--overwrite")[0] == 0
    assert convert(scan, "--json", extra, "--run-label", "2")[0] == 0
    assert (tmp_path / "bids" / "participants.tsv").read_text() == "participant_id\nsub-01\n"


def test_a_dataset_that_is_there_is_added_to(scan, extra, convert, tmp_path):
    root = tmp_path / "bids"
    root.mkdir()
    (root / "dataset_description.json").write_text('{"Name": "Mine", "BIDSVersion": "1.8.0"}')
    (root / "README.md").write_text("Mine")
    (root / "participants.tsv").write_text("participant_id\tage\nsub-00\t40\n")
    assert convert(scan, "--json", extra)[0] == 0
    assert json.loads((root / "dataset_description.json").read_text())["Name"] == "Mine"
    assert (root / "participants.tsv").read_text() == "participant_id\tage\nsub-00\t40\nsub-01\tn/a\n"
    assert not (root / "README").exists()


def test_raw_scans_do_not_go_into_a_derivative(scan, extra, convert, tmp_path):
    (tmp_path / "bids").mkdir()
    (tmp_path / "bids" / "dataset_description.json").write_text('{"Name": "x", "DatasetType": "derivative"}')
    code, _, err = convert(scan, "--json", extra)
    assert code == 2
    assert "derivative" in err
    assert files(tmp_path / "bids") == ["dataset_description.json"]


def test_a_damaged_file_leaves_nothing(scan, extra, convert, tmp_path):
    scan.write_bytes(scan.read_bytes()[:-5000])
    code, _, err = convert(scan, "--json", extra)
    assert code == 2
    assert "cut short" in err
    assert not (tmp_path / "bids").exists()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.txt", "hello", "none of the formats"),
        ("a.bin", b"\0\1\2\3" * 100, "raphe converts"),
        ("a.v", "not an image", "not an ECAT7 file"),
        ("empty.v", "", "empty"),
    ],
)
def test_what_is_not_understood_is_told(convert, tmp_path, name, content, words):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    code, _, err = convert(path)
    assert code == 2
    assert words in err
    assert str(path) in err


def test_absent_and_several_sources(scan, convert, tmp_path):
    assert "does not exist" in convert(tmp_path / "absent.v")[2]
    shutil.copy(scan, tmp_path / "other.v")
    code, _, err = convert(scan, tmp_path / "other.v")
    assert code == 2
    assert "several images" in err
    (tmp_path / "folder").mkdir()
    assert "no DICOM" in convert(tmp_path / "folder")[2]


def test_labels_and_fields_that_are_none():
    for words in (["--participant-label", "a_b"], ["--participant-label", "1", "--set", "no"]):
        with pytest.raises(SystemExit) as ended:
            main(["convert", "a.v", "out", *words])
        assert ended.value.code == 2


@pytest.mark.parametrize("name", ["synthetic_ecat_integer_16x16x16x4.v.gz", "tinypet.v"])
def test_both_real_ecat_files_convert(shared_data, extra, convert, tmp_path, name):
    words = ["--tracer", "DASB"] if name.startswith("synthetic") else ["--set", "InjectionStart=0"]
    code, _, err = convert(shared_data / "formats" / "ecat" / name, "--json", extra, *words)
    assert code == 1
    assert "--position" in err
    assert ("2.49e+11 Bq/mL" in err) == (name == "tinypet.v")
    assert errors_of_the_validator(tmp_path / "bids") == []


def pmod(tmp_path, name, head, samples):
    path = tmp_path / name
    path.write_text("\t".join(head) + "\n" + "".join(f"{time}\t{value}\n" for time, value in samples))
    return path


def test_blood_drawn_by_hand(convert, tmp_path):
    times = [0.5, 1, 2, 5, 10, 30, 60]
    blood = pmod(tmp_path, "wb.bld", ("time[minutes]", "whole-blood[kBq/cc]"), [(t, 10 * t) for t in times])
    plasma = pmod(tmp_path, "p.bld", ("time[seconds]", "plasma[nCi/cc]"), [(60 * t, 1000 * t) for t in times[:5]])
    fraction = pmod(tmp_path, "f.bld", ("time[minutes]", "parent-fraction[%]"), [(0.5, 100), (10, 40), (61, 5)])
    code, _, err = convert(blood, plasma, fraction, "--tracer", "DASB", *OF_BLOOD)
    assert (code, err) == (0, "")
    path = tmp_path / "bids/sub-01/pet/sub-01_trc-DASB_recording-manual_blood.tsv"
    names, values = rows(path)
    assert names == ["time", "whole_blood_radioactivity", "plasma_radioactivity", "metabolite_parent_fraction"]
    np.testing.assert_allclose(values[:, 0], [30, 60, 120, 300, 600, 1800, 3600, 3660])
    np.testing.assert_allclose(values[:, 1], [5, 10, 20, 50, 100, 300, 600, np.nan])
    np.testing.assert_allclose(values[:, 2], [18.5, 37, 74, 185, 370, np.nan, np.nan, np.nan])
    np.testing.assert_allclose(values[[0, 4, 7], 3], [1.0, 0.4, 0.05])
    sidecar = json.loads(path.with_suffix(".json").read_text())
    assert (sidecar["PlasmaAvail"], sidecar["WholeBloodAvail"], sidecar["MetaboliteAvail"]) == (True, True, True)
    assert sidecar["plasma_radioactivity"]["Units"] == "kBq/mL"
    assert errors_of_the_validator(tmp_path / "bids") == []
    read = read_blood([path]).samples
    np.testing.assert_allclose(read.whole_blood.value, [5, 10, 20, 50, 100, 300, 600])


def test_blood_asks_for_what_pmod_does_not_say(convert, tmp_path):
    dense = [(i / 60, 5.0) for i in range(60)]
    blood = pmod(tmp_path, "wb.bld", ("time[minutes]", "whole-blood[kBq/cc]"), dense)
    fraction = pmod(tmp_path, "f.bld", ("time[minutes]", "parent-fraction[1/1]"), [(0.5, 1)])
    code, _, err = convert(blood, fraction)
    assert code == 2
    for field in ("DispersionCorrected", "MetaboliteMethod", "MetaboliteRecoveryCorrectionApplied"):
        assert f"{field} (" in err
    assert not (tmp_path / "bids").exists()


def test_two_files_of_one_quantity_and_a_ratio_alone(convert, tmp_path):
    one = pmod(tmp_path, "a.bld", ("time[minutes]", "plasma[kBq/cc]"), [(1, 1)])
    other = pmod(tmp_path, "b.bld", ("time[minutes]", "parent[kBq/cc]"), [(1, 1)])
    code, _, err = convert(one, other)
    assert code == 2
    assert "both hold plasma_radioactivity" in err
    ratio = pmod(tmp_path, "c.bld", ("time[minutes]", "ratio[1/1]"), [(1, 1)])
    assert "without whole blood" in convert(ratio)[2]


@pytest.mark.parametrize(
    "folder",
    ["Ex_bld_manual_and_autosampled_mixed", "Ex_bld_wholeblood_and_plasma_only", "Ex_txt_manual_and_autosampled_mixed"],
)
def test_real_pmod_blood_becomes_what_its_companions_say(shared_data, convert, tmp_path, folder):
    source = shared_data / "formats" / "pmod" / folder
    tables = [path for path in sorted(source.iterdir()) if path.suffix in (".bld", ".txt")]
    code, _, err = convert(*tables, *OF_BLOOD)
    assert code == 1, err
    compared = 0
    for recording in ("manual", "autosampler"):
        for companion in source.glob(f"converted_*recording-{recording}_blood.tsv"):
            names, wanted = rows(companion)
            own_names, own = rows(tmp_path / f"bids/sub-01/pet/sub-01_recording-{recording}_blood.tsv")
            assert own_names == names
            if folder == "Ex_bld_manual_and_autosampled_mixed" and recording == "manual":
                # no file has plasma at time 0; the companion has the first value of the ratio there, at 5 min
                assert wanted[0, 2] == pytest.approx(0.942401858714121)
                assert np.isnan(own[0, 2])
                wanted[0, 2] = np.nan
            np.testing.assert_allclose(own, wanted, rtol=1e-8, atol=1e-9)
            compared += 1
    assert compared == (1 if "only" in folder else 2)
    assert errors_of_the_validator(tmp_path / "bids") == []


def test_a_damaged_workbook(convert, tmp_path):
    path = tmp_path / "plasma.bld"
    with zipfile.ZipFile(path, "w") as book:
        book.writestr("xl/workbook.xml", "<workbook/>")
    code, _, err = convert(path)
    assert code == 2
    assert str(path) in err


def test_curves_of_pmod_are_found_by_the_other_commands(convert, tmp_path):
    lines = ["start[seconds]\tend[kBq/cc]\tputamen\tcerebellum"]
    lines += [f"{start:g}\t{start + length:g}\t{10 + start / 100:g}\t{8 + start / 300:g}" for start, length in SCHEDULE]
    path = tmp_path / "curves.tac"
    path.write_text("\n".join(lines) + "\n")
    code, out, err = convert(path, "--session-label", "base", "--tracer", "DASB", "--seg", "pmod")
    assert code == 0, err
    (table,) = read_study(tmp_path / "bids").tables
    assert str(table.path) in out
    assert (table.scan.tracer, table.scan.radionuclide, table.seg) == ("DASB", "C11", "pmod")
    names, values = rows(table.path)
    assert names[2:] == ["putamen", "cerebellum"]
    np.testing.assert_allclose(values[:, 2], [10 + start / 100 for start, _ in SCHEDULE])
    assert [one for one in check_dataset(tmp_path / "bids") if one.severity == "error"] == []
    assert errors_of_the_validator(tmp_path / "bids") == []


def test_curves_need_their_tracer(convert, tmp_path):
    path = tmp_path / "curves.tac"
    path.write_text("start[seconds]\tend[kBq/cc]\tputamen\n0\t60\t1\n60\t3600\t2\n")
    code, _, err = convert(path)
    assert code == 2
    assert "TracerName" in err
    assert "TracerRadionuclide" in err


@pytest.mark.parametrize("own", [True, False])
def test_curves_have_the_tracer_of_the_sidecar_beside_them(convert, tmp_path, own):
    """Its own JSON, or the *_pet.json of its scan; a nuclide that the catalog does not have for the tracer is kept."""
    path = tmp_path / "sub-07_tacs.tsv"
    path.write_text("frame_start\tframe_end\tputamen\n0\t60\t1\n60\t3600\t2\n")
    told = {
        "TracerName": "XY-1",
        "TracerRadionuclide": "F18",
        "Units": "kBq/mL",
        "FrameTimesStart": [0, 60],
        "FrameDuration": [60, 3540],
    }
    (path.with_suffix(".json") if own else tmp_path / "sub-07_pet.json").write_text(json.dumps(told))
    code, _, err = convert(path)
    assert code in (0, 1), err
    (table,) = read_study(tmp_path / "bids").tables
    assert (table.scan.tracer, table.scan.radionuclide) == ("XY-1", "F18")
    code, _, err = convert(path, "--session-label", "other", "--tracer", "DASB")
    assert code == 2
    assert "TracerName is 'XY-1', but 'DASB' was given" in err


SERIES = {
    "Modality": "PT",
    "Manufacturer": "GE MEDICAL SYSTEMS",
    "ManufacturersModelName": "Discovery",
    "Units": "BQML",
    "Radiopharmaceutical": "DASB",
    "RadionuclideTotalDose": 3.7e8,
    "RadionuclideHalfLife": 1223.4,
    "DecayCorrection": "START",
    "AttenuationCorrectionMethod": "measured",
    "AcquisitionTime": "10:11:12.500000",
    "FrameTimesStart": [0, 600],
    "FrameDuration": [600, 3000],
}


@pytest.fixture
def series(tmp_path):
    folder = tmp_path / "series"
    folder.mkdir()
    for name in ("1.dcm", "2.dcm"):
        (folder / name).write_bytes(bytes(128) + b"DICM" + bytes(100))
    return folder


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A PATH on which there are only the programs that a test makes."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def make(name, body):
        path = folder / name
        path.write_text(f"#!{sys.executable}\n{body}")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    return make


def converter(sidecar, images=("series-4",), where="sys.argv[sys.argv.index('-o') + 1]"):
    """A program that writes images as dcm2niix does."""
    return (
        "import json, sys, pathlib, nibabel, numpy\n"
        f"out = pathlib.Path({where})\n"
        f"for name in {images!r}:\n"
        "    affine = numpy.diag([3.0, 3.0, 3.0, 1.0])\n"
        "    image = nibabel.Nifti1Image(numpy.full((40, 40, 40, 2), 5.0, numpy.float32), affine)\n"
        "    image.set_qform(affine, 1); image.set_sform(affine, 1)\n"
        "    nibabel.save(image, out / f'{name}.nii.gz')\n"
        f"    (out / f'{{name}}.json').write_text(json.dumps({sidecar!r}))\n"
    )


OF_DICOM = [
    "--set=TracerRadionuclide=C11",
    "--set=InjectionStart=0",
    "--set=AcquisitionMode=list mode",
    *(f"--set={name}={value if isinstance(value, str) else json.dumps(value)}" for name, value in COMPLETE.items()),
]


def test_dicom_by_dcm2niix(series, programs, convert, tmp_path):
    programs("dcm2niix", converter(SERIES))
    code, _, err = convert(series, *(word for word in OF_DICOM if "InjectedRadioactivity" not in word))
    assert code == 0, err
    stem = tmp_path / "bids/sub-01/pet/sub-01_trc-DASB_pet"
    sidecar = json.loads(Path(f"{stem}.json").read_text())
    wanted = {
        "Units": "Bq/mL",
        "TracerName": "DASB",
        "InjectedRadioactivity": 370,
        "InjectedRadioactivityUnits": "MBq",
        "TimeZero": "10:11:12",
        "ScanStart": 0,
        "FrameTimesStart": [0, 600],
        "FrameDuration": [600, 3000],
        "ImageDecayCorrected": True,
        "ImageDecayCorrectionTime": 0,
        "AttenuationCorrection": "measured",
    }
    assert {field: sidecar[field] for field in wanted} == wanted
    assert nibabel.load(f"{stem}.nii.gz").shape == (40, 40, 40, 2)
    assert "RadionuclideTotalDose" not in sidecar


@pytest.mark.parametrize("unit", ["BQML", "Bq/mL", "Bq/ml", "kBq/mL"])
def test_units_of_dicom(series, programs, convert, tmp_path, unit):
    programs("dcm2niix", converter({**SERIES, "Units": unit}))
    assert convert(series, *OF_DICOM)[0] == 0
    sidecar = json.loads((tmp_path / "bids/sub-01/pet/sub-01_trc-DASB_pet.json").read_text())
    assert sidecar["Units"] == ("kBq/mL" if unit == "kBq/mL" else "Bq/mL")


def test_real_dicom_is_known_for_what_it_is(shared_data, programs, convert):
    code, _, err = convert(shared_data / "formats" / "dicom")
    assert code == 2
    assert "dcm2niix, which is not on the PATH" in err


def test_dicom_files_that_are_named_one_by_one(series, programs, convert):
    programs("dcm2niix", converter(SERIES))
    assert convert(*sorted(series.iterdir()), *OF_DICOM)[0] == 0


def test_dicom_completed_by_pypet2bids(series, programs, convert, tmp_path):
    filled = {**COMPLETE, "Units": "Bq/mL", "TracerName": "DASB", "TracerRadionuclide": "C11", "TimeZero": "10:00:00"}
    filled |= {"Manufacturer": "GE", "ManufacturersModelName": "D", "ScanStart": 0, "InjectionStart": 0}
    filled |= {"FrameTimesStart": [0, 600], "FrameDuration": [600, 3000], "AcquisitionMode": "list mode"}
    filled |= {"ImageDecayCorrected": True, "ImageDecayCorrectionTime": 0, "AttenuationCorrection": "measured"}
    filled |= {"ReconFilterSize": "", "Empty": []}
    programs("dcm2niix", "raise SystemExit(9)\n")
    programs("dcm2niix4pet", converter(filled, where="sys.argv[sys.argv.index('-d') + 1]"))
    code, _, err = convert(series)
    assert code == 0, err
    sidecar = json.loads((tmp_path / "bids/sub-01/pet/sub-01_trc-DASB_pet.json").read_text())
    assert sidecar["ReconMethodName"] == "3D-OSEM-PSF"
    assert "Empty" not in sidecar


def test_dicom_without_a_converter_says_how_to_install_one(series, programs, convert, tmp_path):
    code, _, err = convert(series)
    assert code == 2
    for word in (str(series), "dcm2niix", "install", "pypet2bids"):
        assert word in err
    assert not (tmp_path / "bids").exists()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("import sys; print('Error: no images', file=sys.stderr); sys.exit(2)\n", ["exit code 2", "Error: no images"]),
        ("pass\n", ["made 0 images", "none"]),
        (converter(SERIES, ("series-4", "series-5")), ["2 images", "series-4.nii.gz"]),
        (converter({**SERIES, "Units": "CNTS"}), ["Units (", "'CNTS'"]),
        (converter({**SERIES, "FrameDuration": [600]}), ["FrameDuration", "1 frames"]),
        (converter({**SERIES, "RadionuclideTotalDose": 0}), ["InjectedRadioactivity ("]),
    ],
)
def test_dicom_that_cannot_be_converted_leaves_nothing(series, programs, convert, tmp_path, body, words):
    programs("dcm2niix", body)
    code, _, err = convert(series, *(word for word in OF_DICOM if "InjectedRadioactivity" not in word))
    assert code == 2
    for word in words:
        assert word in err
    assert not (tmp_path / "bids").exists()


def test_dicom_that_lacks_fields_is_asked_for_them(series, programs, convert):
    programs("dcm2niix", converter(SERIES))
    code, _, err = convert(series)
    assert code == 2
    assert "TracerRadionuclide (" in err
    assert "1223.4 s" in err


def test_a_converter_that_hangs_is_stopped(series, programs, convert, monkeypatch):
    monkeypatch.setattr("raphe.io.dicom.LONGEST", 0.5)
    programs("dcm2niix", "import time; time.sleep(60)\n")
    code, _, err = convert(series)
    assert code == 2
    assert "stopped after 0.5 s" in err


def test_the_environment_of_the_converter_sends_nothing(series, programs, convert, tmp_path):
    note = tmp_path / "note"
    programs("dcm2niix", "pass\n")
    programs("dcm2niix4pet", f"import os; open({str(note)!r}, 'w').write(os.environ['PET2BIDS_TELEMETRY_ENABLED'])\n")
    convert(series)
    assert note.read_text() == "False"
    assert "PET2BIDS_TELEMETRY_ENABLED" not in os.environ


def test_check_of_what_was_converted_has_nothing_to_say_but_of_the_t1(scan, extra, convert, tmp_path, capsys):
    assert convert(scan, "--json", extra)[0] == 0
    assert main(["check", str(tmp_path / "bids")]) == 1
    said = capsys.readouterr()
    assert "T1-weighted" in said.out
    assert "errors: 0, warnings: 1" in said.err


def test_an_autosampler_alone(convert, tmp_path):
    dense = [(i, 5.0 + i) for i in range(120)]
    blood = pmod(tmp_path, "wb.bld", ("time[seconds]", "whole-blood[Bq/cc]"), dense)
    code, _, err = convert(blood, "--set", "DispersionCorrected=true")
    assert code == 0
    assert "120 of its 120 samples" in err
    folder = tmp_path / "bids/sub-01/pet"
    assert files(folder) == ["sub-01_recording-autosampler_blood.json", "sub-01_recording-autosampler_blood.tsv"]
    _, values = rows(folder / "sub-01_recording-autosampler_blood.tsv")
    np.testing.assert_allclose(values, [(time, value / 1000) for time, value in dense])
    assert json.loads((folder / "sub-01_recording-autosampler_blood.json").read_text())["DispersionCorrected"] is True


def test_samples_that_were_merged_into_an_autosamplers_curve_are_the_manual_ones(convert, tmp_path):
    """A drawn sample stands at its rounded time or just after; one for which there is none is not made up."""
    dense = sorted([*((float(i), 5.0) for i in range(60)), (30.4, 9.0), (600.0, 2.0)])
    blood = pmod(tmp_path, "wb.bld", ("time[seconds]", "whole-blood[kBq/cc]"), dense)
    fraction = pmod(tmp_path, "f.bld", ("time[seconds]", "parent-fraction[1/1]"), [(30.2, 0.9), (600, 0.5), (900, 0.4)])
    assert convert(blood, fraction, *OF_BLOOD)[0] == 0
    folder = tmp_path / "bids/sub-01/pet"
    _, manual = rows(folder / "sub-01_recording-manual_blood.tsv")
    np.testing.assert_allclose(manual, [[30.2, 9.0, 0.9], [600, 2.0, 0.5], [900, np.nan, 0.4]])
    _, machine = rows(folder / "sub-01_recording-autosampler_blood.tsv")
    np.testing.assert_allclose(machine, [(float(i), 5.0) for i in range(60)])
